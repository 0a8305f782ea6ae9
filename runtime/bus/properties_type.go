//go:build linux

package bus

import (
	"slices"
	"strings"

	"github.com/unitgen/unitgen/runtime/unitstate"
	"github.com/unitgen/unitgen/schema/value"
)

// commandRow is an element of a(sasbttttuii): path, argv, whether failure is
// ignored, start and exit on both clocks, pid, code and status.
type commandRow struct {
	Path                     string
	Argv                     []string
	Ignore                   bool
	Start, StartM, End, EndM uint64
	PID                      uint32
	Code, Status             int32
}

// commandRowEx is an element of a(sasasttttuii), with flags by name.
type commandRowEx struct {
	Path                     string
	Argv                     []string
	Flags                    []string
	Start, StartM, End, EndM uint64
	PID                      uint32
	Code, Status             int32
}

// commands gives the commands of an Exec…= setting with what is known of their
// last run.
func (v *view) commands(setting string) []unitstate.Exec {
	var runs []unitstate.Exec
	switch {
	case v.st.Service != nil:
		runs = v.st.Service.Commands
	case v.st.Socket != nil:
		runs = v.st.Socket.Commands
	case v.st.Mount != nil:
		runs = v.st.Mount.Commands
	}
	var out []unitstate.Exec
	for _, line := range v.st.Unit.Values(v.section, setting) {
		cmds, err := value.ParseCommandLine(line, 0)
		if err != nil {
			continue
		}
		for _, c := range cmds {
			out = append(out, unitstate.Exec{Setting: setting, Index: len(out), Path: c.Path, Argv: c.Argv, Flags: commandFlags(c)})
		}
	}
	for _, r := range runs {
		if r.Setting != setting {
			continue
		}
		if r.Index < len(out) {
			flags := out[r.Index].Flags
			if r.Flags != nil {
				flags = r.Flags
			}
			if r.Path == "" {
				r.Path, r.Argv = out[r.Index].Path, out[r.Index].Argv
			}
			out[r.Index] = r
			out[r.Index].Flags = flags
		} else {
			out = append(out, r)
		}
	}
	if s := v.st.Service; s != nil && setting == "ExecStart" && len(out) == 1 && out[0].Start.IsZero() && !s.ExecMain.Start.IsZero() {
		m := s.ExecMain
		m.Path, m.Argv, m.Flags = out[0].Path, out[0].Argv, out[0].Flags
		out[0] = m
	}
	return out
}

// commandFlags names the prefixes of a command line (systemd.service(5),
// "Special executable prefixes") as the Ex properties do.
func commandFlags(c value.Command) []string {
	flags := []string{}
	for _, f := range []struct {
		set  bool
		name string
	}{{c.IgnoreFailure, "ignore-failure"}, {c.FullPrivileges, "privileged"}, {c.SetUser, "no-setuid"},
		{c.AmbientMagic, "ambient"}, {c.NoExpand, "no-env-expand"}} {
		if f.set {
			flags = append(flags, f.name)
		}
	}
	return flags
}

func (v *view) commandRows(setting string) any {
	rows := []commandRow{}
	for _, e := range v.commands(setting) {
		rows = append(rows, commandRow{text8(e.Path), texts(e.Argv), slices.Contains(e.Flags, "ignore-failure"),
			e.Start.Realtime, e.Start.Monotonic, e.Exit.Realtime, e.Exit.Monotonic, uint32(e.PID), int32(e.Code), int32(e.Status)})
	}
	return rows
}

func (v *view) commandRowsEx(setting string) any {
	rows := []commandRowEx{}
	for _, e := range v.commands(setting) {
		rows = append(rows, commandRowEx{text8(e.Path), texts(e.Argv), texts(e.Flags),
			e.Start.Realtime, e.Start.Monotonic, e.Exit.Realtime, e.Exit.Monotonic, uint32(e.PID), int32(e.Code), int32(e.Status)})
	}
	return rows
}

// typeGetters adds the state of each unit type. A unit whose type part is
// missing, such as one without a file, has a fresh one.
func typeGetters(m map[string]getter) {
	svc := func(name string, f func(*unitstate.Service, *view) any) {
		m["Service."+name] = func(v *view) any {
			s := v.st.Service
			if s == nil {
				s = &unitstate.Service{UID: ^uint32(0), GID: ^uint32(0)}
			}
			return f(s, v)
		}
	}
	result := func(s string) any {
		if s == "" {
			return "success"
		}
		return s
	}
	type serv = *unitstate.Service
	svc("Type", func(s serv, v *view) any { return or(s.Type, v.text("Type"), "simple") })
	svc("MainPID", func(s serv, v *view) any { return uint32(s.MainPID) })
	svc("ControlPID", func(s serv, v *view) any { return uint32(s.ControlPID) })
	svc("StatusText", func(s serv, v *view) any { return text8(s.StatusText) })
	svc("StatusErrno", func(s serv, v *view) any { return int32(s.StatusErrno) })
	svc("Result", func(s serv, v *view) any { return result(s.Result) })
	svc("ReloadResult", func(s serv, v *view) any { return result(s.ReloadResult) })
	svc("CleanResult", func(s serv, v *view) any { return result(s.CleanResult) })
	svc("UID", func(s serv, v *view) any { return s.UID })
	svc("GID", func(s serv, v *view) any { return s.GID })
	svc("NRestarts", func(s serv, v *view) any { return s.NRestarts })
	svc("NFileDescriptorStore", func(s serv, v *view) any { return s.NFDStore })
	svc("WatchdogTimestamp", func(s serv, v *view) any { return s.WatchdogStamp.Realtime })
	svc("WatchdogTimestampMonotonic", func(s serv, v *view) any { return s.WatchdogStamp.Monotonic })
	svc("BusName", func(s serv, v *view) any { return text8(or(s.BusName, v.text("BusName"))) })
	svc("ExecMainStartTimestamp", func(s serv, v *view) any { return s.ExecMain.Start.Realtime })
	svc("ExecMainStartTimestampMonotonic", func(s serv, v *view) any { return s.ExecMain.Start.Monotonic })
	svc("ExecMainExitTimestamp", func(s serv, v *view) any { return s.ExecMain.Exit.Realtime })
	svc("ExecMainExitTimestampMonotonic", func(s serv, v *view) any { return s.ExecMain.Exit.Monotonic })
	svc("ExecMainPID", func(s serv, v *view) any { return uint32(s.ExecMain.PID) })
	svc("ExecMainCode", func(s serv, v *view) any { return int32(s.ExecMain.Code) })
	svc("ExecMainStatus", func(s serv, v *view) any { return int32(s.ExecMain.Status) })
	// What is in force can differ from the file: NotifyAccess, watchdog and
	// timeouts are changed by the service itself (sd_notify(3)).
	force := func(name, directive string, f func(serv) uint64) {
		svc(name, func(s serv, v *view) any {
			if n := f(s); n != 0 && v.st.Service != nil {
				return n
			}
			return v.timespan(directive, name)
		})
	}
	force("WatchdogUSec", "WatchdogSec", func(s serv) uint64 { return s.WatchdogUSec })
	force("TimeoutStartUSec", "TimeoutStartSec", func(s serv) uint64 { return s.TimeoutStart })
	force("TimeoutStopUSec", "TimeoutStopSec", func(s serv) uint64 { return s.TimeoutStop })
	force("RuntimeMaxUSec", "RuntimeMaxSec", func(s serv) uint64 { return s.RuntimeMax })
	svc("TimeoutAbortUSec", func(s serv, v *view) any {
		switch {
		case s.TimeoutAbort != 0:
			return s.TimeoutAbort
		case v.text("TimeoutAbortSec") != "":
			return v.timespan("TimeoutAbortSec", "TimeoutAbortUSec")
		case s.TimeoutStop != 0:
			return s.TimeoutStop
		}
		return v.timespan("TimeoutStopSec", "TimeoutStopUSec")
	})

	type sock = *unitstate.Socket
	sk := func(name string, f func(sock, *view) any) {
		m["Socket."+name] = func(v *view) any {
			s := v.st.Socket
			if s == nil {
				s = &unitstate.Socket{UID: ^uint32(0), GID: ^uint32(0)}
			}
			return f(s, v)
		}
	}
	sk("NConnections", func(s sock, v *view) any { return s.NConnections })
	sk("NAccepted", func(s sock, v *view) any { return s.NAccepted })
	sk("NRefused", func(s sock, v *view) any { return s.NRefused })
	sk("Result", func(s sock, v *view) any { return result(s.Result) })
	sk("ControlPID", func(s sock, v *view) any { return uint32(s.ControlPID) })
	sk("UID", func(s sock, v *view) any { return s.UID })
	sk("GID", func(s sock, v *view) any { return s.GID })
	sk("Listen", func(s sock, v *view) any {
		out := []pair2{}
		for _, l := range s.Listen {
			out = append(out, pair2{l.Kind, text8(l.Address)})
		}
		if len(out) == 0 {
			for _, k := range []string{"Stream", "Datagram", "SequentialPacket", "FIFO", "Netlink", "Special", "MessageQueue", "USBFunction"} {
				for _, a := range v.st.Unit.Values("Socket", "Listen"+k) {
					out = append(out, pair2{k, text8(a)})
				}
			}
		}
		return out
	})
	sk("FileDescriptorName", func(s sock, v *view) any { return text8(or(v.text("FileDescriptorName"), v.st.Name)) })

	type tmr = *unitstate.Timer
	tm := func(name string, f func(tmr, *view) any) {
		m["Timer."+name] = func(v *view) any {
			t := v.st.Timer
			if t == nil {
				t = &unitstate.Timer{}
			}
			return f(t, v)
		}
	}
	tm("Unit", func(t tmr, v *view) any { return text8(or(t.Unit, v.text("Unit"), v.triggered())) })
	tm("TimersMonotonic", func(t tmr, v *view) any {
		out := []struct {
			Base        string
			Value, Next uint64
		}{}
		for _, x := range t.Monotonic {
			// The bus spells the base with the unit of its number.
			out = append(out, struct {
				Base        string
				Value, Next uint64
			}{strings.TrimSuffix(x.Base, "Sec") + "USec", x.Value, x.Next})
		}
		return out
	})
	tm("TimersCalendar", func(t tmr, v *view) any {
		out := []struct {
			Base, Spec string
			Next       uint64
		}{}
		for _, x := range t.Calendar {
			out = append(out, struct {
				Base, Spec string
				Next       uint64
			}{"OnCalendar", text8(x.Spec), orNever(x.Next, unitstate.Unknown)})
		}
		return out
	})
	tm("NextElapseUSecRealtime", func(t tmr, v *view) any { return t.NextElapseRealtime })
	tm("NextElapseUSecMonotonic", func(t tmr, v *view) any { return t.NextElapseMonotonic })
	tm("LastTriggerUSec", func(t tmr, v *view) any { return t.LastTrigger.Realtime })
	tm("LastTriggerUSecMonotonic", func(t tmr, v *view) any { return t.LastTrigger.Monotonic })
	tm("Result", func(t tmr, v *view) any { return result(t.Result) })

	pt := func(name string, f func(*unitstate.Path, *view) any) {
		m["Path."+name] = func(v *view) any {
			p := v.st.Path
			if p == nil {
				p = &unitstate.Path{}
			}
			return f(p, v)
		}
	}
	pt("Unit", func(p *unitstate.Path, v *view) any { return text8(or(p.Unit, v.text("Unit"), v.triggered())) })
	pt("Result", func(p *unitstate.Path, v *view) any { return result(p.Result) })
	pt("Paths", func(p *unitstate.Path, v *view) any {
		out := []pair2{}
		for _, x := range p.Paths {
			out = append(out, pair2{x.Kind, text8(x.Path)})
		}
		if v.st.Path == nil || len(out) == 0 {
			for _, kind := range []string{"DirectoryNotEmpty", "PathModified", "PathChanged", "PathExistsGlob", "PathExists"} {
				for _, s := range v.st.Unit.Values("Path", kind) {
					out = append(out, pair2{kind, text8(s)})
				}
			}
		}
		return out
	})

	mt := func(name string, f func(*unitstate.Mount, *view) any) {
		m["Mount."+name] = func(v *view) any {
			x := v.st.Mount
			if x == nil {
				x = &unitstate.Mount{}
			}
			return f(x, v)
		}
	}
	mt("Where", func(x *unitstate.Mount, v *view) any { return text8(or(x.Where, v.text("Where"))) })
	mt("What", func(x *unitstate.Mount, v *view) any { return text8(or(x.What, v.text("What"))) })
	mt("Type", func(x *unitstate.Mount, v *view) any { return text8(or(x.Type, v.text("Type"))) })
	mt("Options", func(x *unitstate.Mount, v *view) any { return text8(or(x.Options, v.text("Options"))) })
	mt("Result", func(x *unitstate.Mount, v *view) any { return result(x.Result) })
	mt("ControlPID", func(x *unitstate.Mount, v *view) any { return uint32(x.ControlPID) })
	unresolved := func(*view) any { return ^uint32(0) }
	for _, n := range []string{"Mount.UID", "Mount.GID", "Swap.UID", "Swap.GID"} {
		m[n] = unresolved
	}
	m["Automount.Where"] = func(v *view) any {
		if v.st.Automount != nil && v.st.Automount.Where != "" {
			return text8(v.st.Automount.Where)
		}
		return text8(v.text("Where"))
	}
	m["Automount.Result"] = func(v *view) any {
		if v.st.Automount == nil {
			return "success"
		}
		return result(v.st.Automount.Result)
	}
	m["Swap.What"] = func(v *view) any {
		if v.st.Swap != nil && v.st.Swap.What != "" {
			return text8(v.st.Swap.What)
		}
		return text8(v.text("What"))
	}
	m["Swap.Result"] = func(v *view) any {
		if v.st.Swap == nil {
			return "success"
		}
		return result(v.st.Swap.Result)
	}
	m["Swap.ControlPID"] = func(v *view) any {
		if v.st.Swap == nil {
			return uint32(0)
		}
		return uint32(v.st.Swap.ControlPID)
	}
	m["Scope.Controller"] = func(v *view) any {
		if v.st.Scope == nil {
			return ""
		}
		return text8(v.st.Scope.Controller)
	}
	m["Scope.Result"] = func(v *view) any {
		if v.st.Scope == nil {
			return "success"
		}
		return result(v.st.Scope.Result)
	}
	m["Device.SysFSPath"] = func(v *view) any {
		if v.st.Device == nil {
			return ""
		}
		return text8(v.st.Device.SysFSPath)
	}
	for _, x := range []string{"ExecCondition", "ExecStartPre", "ExecStart", "ExecStartPost", "ExecReload", "ExecStop", "ExecStopPost"} {
		m["Service."+x] = func(v *view) any { return v.commandRows(x) }
		m["Service."+x+"Ex"] = func(v *view) any { return v.commandRowsEx(x) }
	}
	for _, x := range []string{"ExecStartPre", "ExecStartPost", "ExecStopPre", "ExecStopPost"} {
		m["Socket."+x] = func(v *view) any { return v.commandRows(x) }
	}
	for _, x := range []string{"ExecMount", "ExecUnmount", "ExecRemount"} {
		m["Mount."+x] = func(v *view) any { return v.commandRows(x) }
	}
	for _, x := range []string{"ExecActivate", "ExecDeactivate"} {
		m["Swap."+x] = func(v *view) any { return v.commandRows(x) }
	}
}

// triggered gives the unit that a timer or path starts without Unit=.
func (v *view) triggered() string {
	if t := v.dependencies()["Triggers"]; len(t) > 0 {
		return t[0]
	}
	return strings.TrimSuffix(v.st.Name, "."+v.st.Type) + ".service"
}

func or(ss ...string) string {
	for _, s := range ss {
		if s != "" {
			return s
		}
	}
	return ""
}

func orNever(n, never uint64) uint64 {
	if n == 0 {
		return never
	}
	return n
}

//go:build linux

package bus

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/godbus/dbus/v5"

	"github.com/unitgen/unitgen/runtime/unitstate"
)

// handlers gives the methods by "Interface.Method", the interface without
// "org.freedesktop.systemd1.".
var handlers = sync.OnceValue(func() map[string]handler {
	h := map[string]handler{
		"Manager.GetUnit":               getUnit,
		"Manager.LoadUnit":              loadUnit,
		"Manager.GetUnitByPID":          getUnitByPID,
		"Manager.GetUnitByInvocationID": getUnitByInvocation,
		"Manager.GetUnitByControlGroup": getUnitByControlGroup,

		"Manager.StartUnitReplace":   startUnitReplace,
		"Manager.StartUnitWithFlags": func(c *call) ([]any, error) { return enqueue(c, c.str(0), unitstate.Start, c.str(1)) },
		"Manager.StartTransientUnit": startTransient,
		"Manager.EnqueueMarkedJobs":  enqueueMarked,
		"Manager.BindMountUnit":      noBindMount,
		"Manager.MountImageUnit":     noBindMount,

		"Manager.GetJob":       getJob,
		"Manager.GetJobAfter":  func(c *call) ([]any, error) { return jobsAround(c, c.in[0].(uint32), true) },
		"Manager.GetJobBefore": func(c *call) ([]any, error) { return jobsAround(c, c.in[0].(uint32), false) },
		"Manager.CancelJob":    func(c *call) ([]any, error) { return nil, c.s.backend.CancelJob(c.in[0].(uint32)) },
		"Manager.ClearJobs":    func(c *call) ([]any, error) { c.s.backend.ClearJobs(); return nil, nil },
		"Manager.ResetFailed":  func(c *call) ([]any, error) { return nil, c.s.backend.ResetFailed("") },

		"Manager.ListUnits":           func(c *call) ([]any, error) { return listUnits(c, nil, nil) },
		"Manager.ListUnitsFiltered":   func(c *call) ([]any, error) { return listUnits(c, c.strs(0), nil) },
		"Manager.ListUnitsByPatterns": func(c *call) ([]any, error) { return listUnits(c, c.strs(0), c.strs(1)) },
		"Manager.ListUnitsByNames":    listUnitsByNames,
		"Manager.ListJobs":            listJobs,

		"Manager.Subscribe":   subscribe,
		"Manager.Unsubscribe": unsubscribe,

		"Manager.Dump":                                      func(c *call) ([]any, error) { return dumpText(c, nil) },
		"Manager.DumpUnitsMatchingPatterns":                 func(c *call) ([]any, error) { return dumpText(c, c.strs(0)) },
		"Manager.DumpByFileDescriptor":                      func(c *call) ([]any, error) { return dumpFile(c, nil) },
		"Manager.DumpUnitsMatchingPatternsByFileDescriptor": func(c *call) ([]any, error) { return dumpFile(c, c.strs(0)) },

		"Manager.Reload":     func(c *call) ([]any, error) { return nil, c.s.backend.Reload() },
		"Manager.Reexecute":  reexecute,
		"Manager.Exit":       func(c *call) ([]any, error) { return shutdown(c, unitstate.ShutdownExit) },
		"Manager.Reboot":     func(c *call) ([]any, error) { return shutdown(c, unitstate.ShutdownReboot) },
		"Manager.SoftReboot": noSwitchRoot,
		"Manager.PowerOff":   func(c *call) ([]any, error) { return shutdown(c, unitstate.ShutdownPowerOff) },
		"Manager.Halt":       func(c *call) ([]any, error) { return shutdown(c, unitstate.ShutdownHalt) },
		"Manager.KExec":      func(c *call) ([]any, error) { return shutdown(c, unitstate.ShutdownKexec) },
		"Manager.SwitchRoot": noSwitchRoot,
		"Manager.SetExitCode": func(c *call) ([]any, error) {
			return nil, c.s.backend.SetExitCode(int(c.in[0].(byte)))
		},
		"Manager.SetShowStatus": func(c *call) ([]any, error) { return nil, c.s.settings.setShowStatus(c.str(0)) },

		"Manager.SetEnvironment":   func(c *call) ([]any, error) { return nil, c.s.backend.SetEnvironment(c.strs(0)) },
		"Manager.UnsetEnvironment": func(c *call) ([]any, error) { return nil, c.s.backend.UnsetEnvironment(c.strs(0)) },
		"Manager.UnsetAndSetEnvironment": func(c *call) ([]any, error) {
			if err := c.s.backend.UnsetEnvironment(c.strs(0)); err != nil {
				return nil, err
			}
			return nil, c.s.backend.SetEnvironment(c.strs(1))
		},

		"Manager.LookupDynamicUserByName": func(c *call) ([]any, error) {
			return nil, refusal("org.freedesktop.systemd1.NoSuchDynamicUser", "Dynamic user %s does not exist.", c.str(0))
		},
		"Manager.LookupDynamicUserByUID": func(c *call) ([]any, error) {
			return nil, refusal("org.freedesktop.systemd1.NoSuchDynamicUser", "Dynamic user ID %d does not exist.", c.in[0])
		},
		"Manager.GetDynamicUsers": func(c *call) ([]any, error) {
			return []any{[]struct {
				UID  uint32
				Name string
			}{}}, nil
		},

		"Job.Cancel":    func(c *call) ([]any, error) { return nil, c.s.backend.CancelJob(c.job.ID) },
		"Job.GetAfter":  func(c *call) ([]any, error) { return jobsAround(c, c.job.ID, true) },
		"Job.GetBefore": func(c *call) ([]any, error) { return jobsAround(c, c.job.ID, false) },

		"org.freedesktop.DBus.Peer.Ping":                 func(c *call) ([]any, error) { return nil, nil },
		"org.freedesktop.DBus.Peer.GetMachineId":         func(c *call) ([]any, error) { return []any{c.s.machine}, nil },
		"org.freedesktop.DBus.Introspectable.Introspect": introspect,
		"org.freedesktop.DBus.Properties.Get":            propertiesGet,
		"org.freedesktop.DBus.Properties.GetAll":         propertiesGetAll,
		"org.freedesktop.DBus.Properties.Set":            propertiesSet,
	}
	unitHandlers(h)
	fileHandlers(h)
	return h
})

func (c *call) str(i int) string           { s, _ := c.in[i].(string); return s }
func (c *call) strs(i int) []string        { s, _ := c.in[i].([]string); return s }
func (c *call) boolean(i int) bool         { b, _ := c.in[i].(bool); return b }
func (c *call) number(i int) int           { n, _ := c.in[i].(int32); return int(n) }
func unitReply(st *unitstate.Status) []any { return []any{UnitPath(st.Name)} }

func getUnit(c *call) ([]any, error) {
	var st *unitstate.Status
	var err error
	if c.str(0) == "" {
		st, err = c.s.backend.UnitByPID(c.p.pid)
	} else {
		st, err = c.s.backend.Unit(c.str(0))
	}
	if err != nil {
		return nil, err
	}
	return unitReply(st), nil
}

func loadUnit(c *call) ([]any, error) {
	st, err := c.s.backend.LoadUnit(c.str(0))
	if err != nil {
		return nil, err
	}
	return unitReply(st), nil
}

func getUnitByPID(c *call) ([]any, error) {
	pid := int(c.in[0].(uint32))
	if pid == 0 {
		pid = c.p.pid
	}
	st, err := c.s.backend.UnitByPID(pid)
	if err != nil {
		return nil, err
	}
	return unitReply(st), nil
}

func getUnitByInvocation(c *call) ([]any, error) {
	raw := c.in[0].([]byte)
	var id unitstate.InvocationID
	switch len(raw) {
	case 0:
		st, err := c.s.backend.UnitByPID(c.p.pid)
		if err != nil {
			return nil, err
		}
		return unitReply(st), nil
	case len(id):
		copy(id[:], raw)
	default:
		return nil, refusal("org.freedesktop.DBus.Error.InvalidArgs", "Invalid invocation ID")
	}
	st, err := c.s.backend.UnitByInvocation(id)
	if err != nil {
		return nil, err
	}
	return unitReply(st), nil
}

func getUnitByControlGroup(c *call) ([]any, error) {
	st, err := c.s.backend.UnitByControlGroup(c.str(0))
	if err != nil {
		return nil, err
	}
	return unitReply(st), nil
}

// jobTypes are the job types that a client may ask for.
var jobTypes = map[string]unitstate.JobType{
	"start": unitstate.Start, "stop": unitstate.Stop, "reload": unitstate.Reload, "restart": unitstate.Restart,
	"verify-active": unitstate.VerifyActive, "try-restart": unitstate.TryRestart, "try-reload": unitstate.TryReload,
	"reload-or-start": unitstate.ReloadOrStart, "nop": unitstate.Nop,
	"reload-or-restart": unitstate.ReloadOrRestart, "reload-or-try-restart": unitstate.ReloadOrTryReload,
}

var jobModes = []string{"fail", "replace", "replace-irreversibly", "isolate", "flush",
	"ignore-dependencies", "ignore-requirements", "triggering", "restart-dependencies"}

func jobMode(s string) (unitstate.JobMode, error) {
	if !slices.Contains(jobModes, s) {
		return "", refusal("org.freedesktop.DBus.Error.InvalidArgs", "Job mode %s invalid", text8(s))
	}
	return unitstate.JobMode(s), nil
}

// enqueue queues a job and gives its path.
func enqueue(c *call, unit string, t unitstate.JobType, mode string) ([]any, error) {
	m, err := jobMode(mode)
	if err != nil {
		return nil, err
	}
	j, err := c.s.backend.Enqueue(t, unit, m)
	if err != nil {
		return nil, err
	}
	return []any{JobPath(j.ID)}, nil
}

// affectedJob is an element of a(uosos).
type affectedJob struct {
	ID       uint32
	Path     dbus.ObjectPath
	Unit     string
	UnitPath dbus.ObjectPath
	Type     string
}

// enqueueFull is EnqueueUnitJob and EnqueueJob.
func enqueueFull(c *call, unit, typ, mode string) ([]any, error) {
	t, ok := jobTypes[typ]
	if !ok {
		return nil, refusal("org.freedesktop.DBus.Error.InvalidArgs", "Job type %s invalid", text8(typ))
	}
	m, err := jobMode(mode)
	if err != nil {
		return nil, err
	}
	j, others, err := c.s.backend.EnqueueAffected(t, unit, m)
	if err != nil {
		return nil, err
	}
	affected := make([]affectedJob, 0, len(others))
	for _, o := range others {
		affected = append(affected, affectedJob{o.ID, JobPath(o.ID), o.Unit, UnitPath(o.Unit), string(o.Type)})
	}
	return []any{j.ID, JobPath(j.ID), j.Unit, UnitPath(j.Unit), string(j.Type), affected}, nil
}

func startUnitReplace(c *call) ([]any, error) {
	m, err := jobMode(c.str(2))
	if err != nil {
		return nil, err
	}
	old, err := c.s.backend.Unit(c.str(0))
	if err != nil || old.JobID == 0 || old.JobType != unitstate.Start {
		return nil, refusal("org.freedesktop.systemd1.NoSuchJob", "No job queued for unit %s", c.str(0))
	}
	j, err := c.s.backend.Enqueue(unitstate.Start, c.str(1), m)
	if err != nil {
		return nil, err
	}
	if err := c.s.backend.CancelJob(old.JobID); err != nil {
		return nil, err
	}
	return []any{JobPath(j.ID)}, nil
}

// enqueueMarked starts the jobs that units' Markers ask for.
func enqueueMarked(c *call) ([]any, error) {
	paths := []dbus.ObjectPath{}
	for unit, marks := range c.s.settings.takeMarkers() {
		t := unitstate.TryRestart
		if !slices.Contains(marks, "needs-restart") {
			t = unitstate.ReloadOrTryReload
		}
		j, err := c.s.backend.Enqueue(t, unit, unitstate.Fail)
		if err != nil {
			continue
		}
		paths = append(paths, JobPath(j.ID))
	}
	return []any{paths}, nil
}

// reexecute has no reply: the client knows that it happened by the connection,
// which ends as that of a replaced process does.
func reexecute(c *call) ([]any, error) {
	if err := c.s.backend.Reexecute(); err != nil {
		return nil, err
	}
	c.p.finish()
	return nil, nil
}

func noBindMount(c *call) ([]any, error) {
	return nil, refusal("org.freedesktop.DBus.Error.NotSupported",
		"The bundled manager cannot add mounts to a running unit; put BindPaths= into the unit and restart it.")
}

func noSwitchRoot(c *call) ([]any, error) {
	return nil, refusal("org.freedesktop.DBus.Error.NotSupported", "The bundled manager runs one root file system and cannot switch to another.")
}

// shutdown carries out Exit, Reboot and their kin. As in systemd, a user's
// manager knows only Exit.
func shutdown(c *call, kind unitstate.ShutdownKind) ([]any, error) {
	info := c.s.backend.Info()
	if kind != unitstate.ShutdownExit && !info.System {
		return nil, refusal("org.freedesktop.DBus.Error.NotSupported", "%s is only supported for system managers.",
			map[unitstate.ShutdownKind]string{unitstate.ShutdownReboot: "Reboot", unitstate.ShutdownPowerOff: "Powering off",
				unitstate.ShutdownHalt: "Halt", unitstate.ShutdownKexec: "KExec"}[kind])
	}
	return nil, c.s.backend.Shutdown(kind, info.ExitCode)
}

func getJob(c *call) ([]any, error) {
	id := c.in[0].(uint32)
	if _, err := c.s.backend.Job(id); err != nil {
		return nil, err
	}
	return []any{JobPath(id)}, nil
}

// jobRow is an element of a(usssoo).
type jobRow struct {
	ID       uint32
	Unit     string
	Type     string
	State    string
	Path     dbus.ObjectPath
	UnitPath dbus.ObjectPath
}

func jobRows(jobs []unitstate.Job) []jobRow {
	rows := make([]jobRow, 0, len(jobs))
	for _, j := range jobs {
		rows = append(rows, jobRow{j.ID, j.Unit, string(j.Type), string(j.State), JobPath(j.ID), UnitPath(j.Unit)})
	}
	return rows
}

func listJobs(c *call) ([]any, error) { return []any{jobRows(c.s.backend.Jobs())}, nil }

// jobsAround gives the jobs that wait for a job (after), or that it waits for.
func jobsAround(c *call, id uint32, after bool) ([]any, error) {
	waits, waited, err := c.s.backend.JobsAround(id)
	if err != nil {
		return nil, err
	}
	if after {
		return []any{jobRows(waited)}, nil
	}
	return []any{jobRows(waits)}, nil
}

// unitRow is an element of a(ssssssouso).
type unitRow struct {
	Name, Description, Load, Active, Sub, Following string
	Path                                            dbus.ObjectPath
	JobID                                           uint32
	JobType                                         string
	JobPath                                         dbus.ObjectPath
}

func row(st *unitstate.Status, name string) unitRow {
	r := unitRow{name, text8(st.Description), string(st.Load), string(st.Active), string(st.Sub), st.Following,
		UnitPath(st.Name), st.JobID, string(st.JobType), "/"}
	if st.JobID != 0 {
		r.JobPath = JobPath(st.JobID)
	} else {
		r.JobType = ""
	}
	return r
}

// listUnits gives the loaded units in one of the states (load, active or sub
// state) whose id fits a pattern; no states or patterns mean all.
func listUnits(c *call, states, patterns []string) ([]any, error) {
	rows := []unitRow{}
	for _, st := range c.s.backend.Units() {
		if len(states) > 0 && !slices.ContainsFunc([]string{string(st.Load), string(st.Active), string(st.Sub)},
			func(s string) bool { return slices.Contains(states, s) }) {
			continue
		}
		if !anyGlob(patterns, st.Name) {
			continue
		}
		rows = append(rows, row(st, st.Name))
	}
	return []any{rows}, nil
}

func listUnitsByNames(c *call) ([]any, error) {
	rows := []unitRow{}
	for _, n := range c.strs(0) {
		st, err := c.s.backend.LoadUnit(n)
		if err != nil {
			continue // a name that is none
		}
		rows = append(rows, row(st, st.Name))
	}
	return []any{rows}, nil
}

func subscribe(c *call) ([]any, error) {
	c.p.mu.Lock()
	defer c.p.mu.Unlock()
	if c.p.subscribed {
		return nil, refusal("org.freedesktop.systemd1.AlreadySubscribed", "Client is already subscribed.")
	}
	c.p.subscribed = true
	return nil, nil
}

func unsubscribe(c *call) ([]any, error) {
	c.p.mu.Lock()
	defer c.p.mu.Unlock()
	if !c.p.subscribed {
		return nil, refusal("org.freedesktop.systemd1.NotSubscribed", "Client is not subscribed.")
	}
	c.p.subscribed = false
	return nil, nil
}

const introspectHead = `<!DOCTYPE node PUBLIC "-//freedesktop//DTD D-BUS Object Introspection 1.0//EN"
"https://www.freedesktop.org/standards/dbus/1.0/introspect.dtd">
<node>
`

// introspect describes any object, and names the children of the paths above.
func introspect(c *call) ([]any, error) {
	ifaces, err := c.object()
	if err != nil {
		return nil, err
	}
	var children []string
	switch path := string(c.path); {
	case c.path == managerPath:
		children = []string{"job", "unit"}
	case path+"/" == unitPrefix:
		for _, st := range c.s.backend.Units() {
			children = append(children, escapeLabel(st.Name))
		}
	case path+"/" == jobPrefix:
		for _, j := range c.s.backend.Jobs() {
			children = append(children, fmt.Sprint(j.ID))
		}
	case path == "/":
		children = []string{"org"}
	case path == "/org":
		children = []string{"freedesktop"}
	case path == "/org/freedesktop":
		children = []string{"LogControl1", "systemd1"}
	case len(ifaces) == 0:
		return nil, refusal(errUnknownObject, "Unknown object '%s'.", path)
	}
	var b strings.Builder
	b.WriteString(introspectHead)
	for _, n := range append(slices.Clone(standardNames), ifaces...) {
		b.WriteString(interfaces()[n].xml)
	}
	for _, n := range children {
		fmt.Fprintf(&b, " <node name=\"%s\"/>\n", n)
	}
	b.WriteString("</node>\n")
	return []any{b.String()}, nil
}

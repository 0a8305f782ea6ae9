package ctl

import (
	"fmt"
	"os"
	"path"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/godbus/dbus/v5"

	"github.com/unitgen/unitgen/runtime/bus"
	"github.com/unitgen/unitgen/schema/unitname"
	"github.com/unitgen/unitgen/schema/value"
)

// status shows units as people read them; without units the manager itself,
// or with patterns those that fit.
func (r *run) status() int {
	if len(r.args) == 0 && !r.all && len(r.types) == 0 && len(r.states) == 0 {
		return r.statusManager()
	}
	var units []string
	var args []string
	for _, a := range r.args {
		if pid, err := strconv.ParseUint(a, 10, 32); err == nil {
			var p dbus.ObjectPath
			if err := r.c.Call(r.ctx, "GetUnitByPID", []any{uint32(pid)}, &p); err != nil {
				return r.tell("get unit for PID "+a, err)
			}
			var v dbus.Variant
			if err := r.c.CallObject(r.ctx, p, "org.freedesktop.DBus.Properties.Get", []any{"org.freedesktop.systemd1.Unit", "Id"}, &v); err != nil {
				return r.tell("get unit for PID "+a, err)
			}
			s, _ := v.Value().(string)
			units = append(units, s)
			continue
		}
		args = append(args, a)
	}
	if len(r.args) == 0 {
		us, err := r.units(nil)
		if err != nil {
			return r.tell("list units", err)
		}
		for _, u := range us {
			if r.all || len(r.states) > 0 || u.ActiveState != "inactive" {
				units = append(units, u.Name)
			}
		}
	}
	named, ok := r.names(args, "service")
	if !ok {
		return exitFailure
	}
	if r.withDependencies && len(named) > 0 {
		named = r.closure(named)
	}
	code, first := exitSuccess, true
	for _, u := range append(units, named...) {
		p, err := r.c.GetUnitProperties(r.ctx, u)
		if err != nil {
			return r.tell("get properties", err)
		}
		if !first {
			r.print("\n")
		}
		if c := r.statusUnit(u, p); code == exitSuccess {
			code = c
			if c == exitNoUnit {
				continue
			}
		}
		first = false
	}
	return code
}

// text, num and wide read properties; a missing one is empty.
func text(p map[string]any, k string) string { s, _ := p[k].(string); return s }
func num(p map[string]any, k string) uint32  { n, _ := p[k].(uint32); return n }
func wide(p map[string]any, k string) uint64 { n, _ := p[k].(uint64); return n }

// statusUnit shows one unit and gives its exit code.
func (r *run) statusUnit(name string, p map[string]any) int {
	load, active, sub := text(p, "LoadState"), text(p, "ActiveState"), text(p, "SubState")
	frag := text(p, "FragmentPath")
	if load == "not-found" && active != "active" && frag == "" {
		r.say("Unit %s could not be found.", name)
		return exitNoUnit
	}
	desc := ""
	if d := text(p, "Description"); d != "" && d != text(p, "Id") {
		desc = " - " + d
	}
	r.print("%s %s%s\n", r.dot(active, load), text(p, "Id"), desc)
	if f := text(p, "Following"); f != "" {
		r.print("    Follows: unit currently follows state of %s\n", f)
	}
	r.statusLoaded(p, load, frag)
	if p["Transient"] == true {
		r.print("  Transient: yes\n")
	}
	r.statusDropIns(p)
	r.statusActive(p, active, sub)
	if unitname.Type(name) == "timer" {
		r.statusTrigger(p)
	}
	r.statusUnits("Triggers", p)
	r.statusUnits("TriggeredBy", p)
	if docs, _ := p["Documentation"].([]string); len(docs) > 0 {
		for i, d := range docs {
			r.print("%s%s\n", map[bool]string{true: "       Docs: ", false: "             "}[i == 0], d)
		}
	}
	if rows, _ := p["Conditions"].([][]any); p["ConditionResult"] == false && wide(p, "ConditionTimestamp") > 0 && len(rows) > 0 {
		at := wide(p, "ConditionTimestamp")
		r.print("  Condition: start condition failed at %s; %s\n", r.stamp(at, ""), r.relative(at, ""))
		r.failedConditions(rows)
	}
	if rows, _ := p["Listen"].([][]any); len(rows) > 0 {
		for i, l := range rows {
			r.print("%s%v (%v)\n", map[bool]string{true: "     Listen: ", false: "             "}[i == 0], l[1], l[0])
		}
	}
	if p["Accept"] == true {
		r.print("   Accepted: %d; Connected: %d;\n", num(p, "NAccepted"), num(p, "NConnections"))
	}
	if unitname.Type(name) == "mount" || unitname.Type(name) == "automount" {
		if w := text(p, "Where"); w != "" {
			r.print("      Where: %s\n", w)
		}
		if w := text(p, "What"); w != "" {
			r.print("       What: %s\n", w)
		}
	}
	r.statusProcesses(p)
	if s := text(p, "StatusText"); s != "" {
		r.print("     Status: \"%s\"\n", s)
	}
	if n, _ := p["StatusErrno"].(int32); n > 0 {
		r.print("      Error: %d (%s)\n", n, value.ErrnoName(int(n)))
	}
	r.statusResources(p)
	r.statusGroup(name, p)
	if r.Logs != nil && r.lines > 0 {
		if lines := r.Logs(name, r.lines); len(lines) > 0 {
			r.print("\n")
			for _, l := range lines {
				r.print("%s\n", l)
			}
		}
	}
	if p["NeedDaemonReload"] == true {
		r.say("Warning: The unit file, source configuration file or drop-ins of %s changed on disk. Run 'systemctl%s daemon-reload' to reload units.", name, r.scope())
	}
	switch active {
	case "active", "reloading":
		return exitSuccess
	}
	return exitNotRunning
}

func (r *run) statusLoaded(p map[string]any, load, frag string) {
	where := frag
	if where == "" {
		where = text(p, "SourcePath")
	}
	state, preset := text(p, "UnitFileState"), text(p, "UnitFilePreset")
	switch e, _ := p["LoadError"].([]any); {
	case len(e) == 2 && e[0] != "" && load != "masked":
		r.print("     Loaded: %s (Reason: %v)\n", load, e[1])
	case where != "" && state != "":
		tail := ""
		if preset != "" && slices.Contains([]string{"enabled", "disabled", "enabled-runtime", "linked", "linked-runtime", "indirect"}, state) {
			tail = "; preset: " + preset
		}
		r.print("     Loaded: %s (%s; %s%s)\n", load, where, state, tail)
	case where != "":
		r.print("     Loaded: %s (%s)\n", load, where)
	default:
		r.print("     Loaded: %s\n", load)
	}
}

func (r *run) statusDropIns(p map[string]any) {
	drops, _ := p["DropInPaths"].([]string)
	for i := 0; i < len(drops); {
		dir := path.Dir(drops[i])
		var files []string
		for i < len(drops) && path.Dir(drops[i]) == dir {
			files = append(files, path.Base(drops[i]))
			i++
		}
		head := "             "
		if path.Dir(drops[0]) == dir {
			head = "    Drop-In: "
		}
		r.print("%s%s\n             %s%s\n", head, dir, r.line("└─"), strings.Join(files, ", "))
	}
}

func (r *run) statusActive(p map[string]any, active, sub string) {
	state := active
	if sub != "" && sub != active {
		state += " (" + sub + ")"
	}
	if res := text(p, "Result"); res != "" && res != "success" {
		state += " (Result: " + res + ")"
	}
	at := map[string]uint64{"active": wide(p, "ActiveEnterTimestamp"), "reloading": wide(p, "ActiveEnterTimestamp"),
		"inactive": wide(p, "InactiveEnterTimestamp"), "failed": wide(p, "InactiveEnterTimestamp"),
		"activating": wide(p, "InactiveExitTimestamp")}[active]
	if active == "deactivating" {
		at = wide(p, "ActiveExitTimestamp")
	}
	since := ""
	if at > 0 {
		since = fmt.Sprintf(" since %s; %s", r.stamp(at, ""), r.relative(at, ""))
	}
	r.print("     Active: %s%s\n", state, since)
	max := wide(p, "RuntimeMaxUSec")
	if active == "active" && max != 0 && max != never && wide(p, "ActiveEnterTimestamp") > 0 {
		until := wide(p, "ActiveEnterTimestamp") + max
		r.print("      Until: %s; %s\n", r.stamp(until, ""), r.relative(until, ""))
	}
}

func (r *run) statusTrigger(p map[string]any) {
	next := wide(p, "NextElapseUSecRealtime")
	if m := wide(p, "NextElapseUSecMonotonic"); m != 0 && m != never {
		real := uint64(r.Now().UnixMicro()) + m - min(m, monotonic())
		if next == 0 || next == never || real < next {
			next = real
		}
	}
	if next == 0 || next == never {
		r.print("    Trigger: n/a\n")
		return
	}
	r.print("    Trigger: %s; %s\n", r.stamp(next, ""), r.relative(next, ""))
}

// statusUnits lists the units that trigger or are triggered, with their dots.
func (r *run) statusUnits(key string, p map[string]any) {
	units, _ := p[key].([]string)
	for i, u := range units {
		active, load := "inactive", "loaded"
		if us, err := r.c.ListUnitsByNames(r.ctx, []string{u}); err == nil && len(us) == 1 {
			active, load = us[0].ActiveState, us[0].LoadState
		}
		head := "             "
		if i == 0 {
			head = fmt.Sprintf("%11s: ", key)
		}
		mark := r.dot("active", load)
		if active != "active" && active != "reloading" {
			mark = r.mark("active")
		}
		r.print("%s%s %s\n", head, mark, u)
	}
}

func (r *run) failedConditions(rows [][]any) {
	var failed []string
	for _, c := range rows {
		if n, _ := c[4].(int32); n < 0 {
			sign := ""
			if c[1] == true {
				sign = "|"
			}
			if c[2] == true {
				sign += "!"
			}
			failed = append(failed, fmt.Sprintf("%v=%s%v was not met", c[0], sign, c[3]))
		}
	}
	for i, f := range failed {
		r.print("             %s %s\n", r.line(map[bool]string{true: "└─", false: "├─"}[i == len(failed)-1]), f)
	}
}

// statusProcesses shows the commands that ended, and those that run.
func (r *run) statusProcesses(p map[string]any) {
	main := num(p, "MainPID")
	for _, k := range []string{"ExecCondition", "ExecStartPre", "ExecStart", "ExecStartPost", "ExecReload", "ExecStop", "ExecStopPost", "ExecMount", "ExecUnmount", "ExecRemount"} {
		rows, _ := p[k].([][]any)
		for _, x := range rows {
			if len(x) != 10 {
				continue
			}
			pid, _ := x[7].(uint32)
			code, _ := x[8].(int32)
			status, _ := x[9].(int32)
			stop, _ := x[5].(uint64)
			if code == 0 || stop == 0 || pid == 0 {
				continue
			}
			argv, _ := x[1].([]string)
			r.print("    Process: %d %s=%s (%s)\n", pid, k, strings.Join(argv, " "), ended(code, status))
		}
	}
	mainExec := num(p, "ExecMainPID")
	code, _ := p["ExecMainCode"].(int32)
	status, _ := p["ExecMainStatus"].(int32)
	switch {
	case main > 0:
		r.print("   Main PID: %d%s", main, comm(main))
	case mainExec > 0 && code != 0:
		r.print("   Main PID: %d (%s)", mainExec, ended(code, status))
	}
	control := num(p, "ControlPID")
	if main > 0 || mainExec > 0 && code != 0 {
		if control > 0 {
			r.print("; Control PID: %d%s", control, comm(control))
		}
		r.print("\n")
	} else if control > 0 {
		r.print("Cntrl PID: %d%s\n", control, comm(control))
	}
}

// ended says how a process ended.
func ended(code, status int32) string {
	switch code {
	case 1:
		s := fmt.Sprintf("code=exited, status=%d", status)
		if n := value.ExitStatusName(int(status)); n != "" {
			s += "/" + n
		}
		return s
	case 2:
		return "code=killed, signal=" + strings.TrimPrefix(value.SignalName(int(status)), "SIG")
	}
	return "code=dumped, signal=" + strings.TrimPrefix(value.SignalName(int(status)), "SIG")
}

func comm(pid uint32) string {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	if err != nil {
		return ""
	}
	return " (" + strings.TrimSpace(string(b)) + ")"
}

func (r *run) statusResources(p map[string]any) {
	if in, out := wide(p, "IPIngressBytes"), wide(p, "IPEgressBytes"); p["IPIngressBytes"] != nil && in != never && out != never {
		r.print("         IP: %s in, %s out\n", bytesText(in), bytesText(out))
	}
	if n := wide(p, "TasksCurrent"); p["TasksCurrent"] != nil && n != never {
		r.print("      Tasks: %d", n)
		if m := wide(p, "TasksMax"); m != never && p["TasksMax"] != nil {
			r.print(" (limit: %d)", m)
		}
		r.print("\n")
	}
	if n := wide(p, "MemoryCurrent"); p["MemoryCurrent"] != nil && n != never {
		r.print("     Memory: %s", bytesText(n))
		var parts []string
		for _, l := range []struct {
			key, word string
			none      uint64
		}{{"MemoryMin", "min", 0}, {"MemoryLow", "low", 0}, {"MemoryHigh", "high", never}, {"MemoryMax", "max", never}, {"MemorySwapMax", "swap max", never}, {"MemoryLimit", "limit", never}} {
			if v, ok := p[l.key].(uint64); ok && v != l.none {
				parts = append(parts, l.word+": "+bytesText(v))
			}
		}
		if len(parts) > 0 {
			if v := wide(p, "MemoryAvailable"); v != never && v != 0 {
				parts = append(parts, "available: "+bytesText(v))
			}
			r.print(" (%s)", strings.Join(parts, " "))
		}
		r.print("\n")
	}
	if n := wide(p, "CPUUsageNSec"); p["CPUUsageNSec"] != nil && n != never {
		r.print("        CPU: %s\n", value.FormatTimeSpan(n/1000, 1000))
	}
}

// bytesText shows a size with one decimal, in powers of 1024.
func bytesText(n uint64) string {
	if n < 1024 {
		return fmt.Sprintf("%dB", n)
	}
	for _, u := range []struct {
		shift uint
		name  string
	}{{60, "E"}, {50, "P"}, {40, "T"}, {30, "G"}, {20, "M"}, {10, "K"}} {
		if n >= 1<<u.shift {
			return fmt.Sprintf("%d.%d%s", n>>u.shift, (n&(1<<u.shift-1))*10>>u.shift, u.name)
		}
	}
	return ""
}

// statusGroup shows the control group with its processes as a tree.
func (r *run) statusGroup(unit string, p map[string]any) {
	group := text(p, "ControlGroup")
	ps, err := r.c.GetUnitProcesses(r.ctx, unit)
	if err != nil || len(ps) == 0 {
		return
	}
	if group == "" {
		group = "n/a"
	}
	r.print("     CGroup: %s\n", group)
	r.processTree(ps, text(p, "ControlGroup"), "             ")
}

// processTree prints processes by control group below a group.
func (r *run) processTree(ps []bus.Process, root, indent string) {
	if root == "" {
		root = "/"
	}
	groups := map[string][]bus.Process{}
	for _, x := range ps {
		groups[x.CGroup] = append(groups[x.CGroup], x)
	}
	names := make([]string, 0, len(groups))
	for g := range groups {
		names = append(names, g)
	}
	sort.Strings(names)
	// The processes of the group itself stand first, then its children.
	var own []bus.Process
	var below []string
	for _, g := range names {
		if g == root || !strings.HasPrefix(g, strings.TrimSuffix(root, "/")+"/") {
			own = append(own, groups[g]...)
		} else {
			below = append(below, g)
		}
	}
	sort.Slice(own, func(i, j int) bool { return own[i].PID < own[j].PID })
	children := map[string][]bus.Process{}
	var order []string
	for _, g := range below {
		rest := strings.TrimPrefix(g, strings.TrimSuffix(root, "/")+"/")
		head, _, _ := strings.Cut(rest, "/")
		if children[head] == nil {
			order = append(order, head)
		}
		children[head] = append(children[head], groups[g]...)
	}
	wide := 0
	for _, x := range own {
		wide = max(wide, len(strconv.Itoa(int(x.PID))))
	}
	for i, x := range own {
		last := i == len(own)-1 && len(order) == 0
		r.print("%s%s%*d %s\n", indent, r.line(map[bool]string{true: "└─", false: "├─"}[last]), wide, x.PID, x.Command)
	}
	for i, h := range order {
		last := i == len(order)-1
		r.print("%s%s%s\n", indent, r.line(map[bool]string{true: "└─", false: "├─"}[last]), h)
		r.processTree(children[h], strings.TrimSuffix(root, "/")+"/"+h, indent+r.line(map[bool]string{true: "  ", false: "│ "}[last]))
	}
}

// statusManager shows the manager itself.
func (r *run) statusManager() int {
	p, err := r.c.GetManagerProperties(r.ctx)
	if err != nil {
		return r.tell("get properties", err)
	}
	host, _ := os.Hostname()
	state := text(p, "SystemState")
	dot := r.dot("active", "loaded")
	r.print("%s %s\n", dot, host)
	r.print("    State: %s\n", state)
	r.print("    Units: %d loaded (incl. loaded aliases)\n", num(p, "NNames"))
	r.print("     Jobs: %d queued\n", num(p, "NJobs"))
	r.print("   Failed: %d units\n", num(p, "NFailedUnits"))
	since := wide(p, "UserspaceTimestamp")
	r.print("    Since: %s; %s\n", r.stamp(since, "n/a"), r.relative(since, "n/a"))
	r.print("  systemd: %s\n", text(p, "Version"))
	if t := text(p, "Tainted"); t != "" {
		r.print("  Tainted: %s\n", t)
	}
	group := text(p, "ControlGroup")
	if group == "" {
		group = "/"
	}
	r.print("   CGroup: %s\n", group)
	if ps, err := r.c.GetUnitProcesses(r.ctx, "-.slice"); err == nil {
		r.processTree(ps, text(p, "ControlGroup"), "           ")
	}
	return exitSuccess
}

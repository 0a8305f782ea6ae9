package ctl

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/godbus/dbus/v5"

	"github.com/unitgen/unitgen/runtime/bus"
	"github.com/unitgen/unitgen/schema/value"
)

func (r *run) printJSON(v any) int {
	e := json.NewEncoder(r.Out)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return r.tell("write JSON", err)
	}
	return exitSuccess
}

// checkStates prints the active state of each unit; the exit code is good when
// one unit is in a good state.
func (r *run) checkStates(good []string, bad int) int {
	args := r.args
	if len(args) == 0 {
		us, err := r.c.ListUnits(r.ctx)
		if err != nil {
			return r.tell("list units", err)
		}
		for _, u := range us {
			if slices.Contains(good, u.ActiveState) {
				return exitSuccess
			}
		}
		return bad
	}
	units, ok := r.names(args, "service")
	if !ok {
		return exitFailure
	}
	code := bad
	for _, u := range units {
		state := "inactive"
		var p dbus.ObjectPath
		err := r.c.Call(r.ctx, "GetUnit", []any{u}, &p)
		if err == nil {
			if v, err := r.c.GetUnitProperty(r.ctx, u, "ActiveState"); err == nil {
				state, _ = v.(string)
			}
		}
		if !r.quiet {
			r.print("%s\n", state)
		}
		if slices.Contains(good, state) {
			code = exitSuccess
		}
	}
	return code
}

func (r *run) isActive() int {
	return r.checkStates([]string{"active", "reloading"}, exitNotRunning)
}
func (r *run) isFailed() int { return r.checkStates([]string{"failed"}, exitFailure) }

func (r *run) isEnabled() int {
	code := exitFailure
	for _, a := range r.args {
		u, ok := r.mangle(a, "service")
		if !ok {
			return exitFailure
		}
		s, err := r.c.GetUnitFileState(r.ctx, u)
		if err != nil {
			r.say("Failed to get unit file state for %s: %s", u, message(err))
			continue
		}
		switch s {
		case "enabled", "enabled-runtime", "static", "alias", "indirect", "generated":
			code = exitSuccess
		}
		if !r.quiet {
			r.print("%s\n", s)
		}
	}
	return code
}

func (r *run) isSystemRunning() int {
	state := func() string {
		v, err := r.c.GetManagerProperty(r.ctx, "SystemState")
		s, _ := v.(string)
		if err != nil || s == "" {
			return "unknown"
		}
		return s
	}
	s := state()
	if r.wait && (s == "initializing" || s == "starting") {
		change := make(chan struct{}, 1)
		cancel, err := r.c.Subscribe(r.ctx, func(sig bus.Signal) {
			select {
			case change <- struct{}{}:
			default:
			}
		})
		if err != nil {
			return r.tell("wait", err)
		}
		defer cancel()
		for s = state(); s == "initializing" || s == "starting"; s = state() {
			select {
			case <-change:
			case <-r.ctx.Done():
				return r.tell("wait", r.ctx.Err())
			}
		}
	}
	if !r.quiet {
		r.print("%s\n", s)
	}
	if s == "running" {
		return exitSuccess
	}
	return exitFailure
}

func (r *run) daemonReload() int {
	if err := r.c.Reload(r.ctx); err != nil {
		return r.tell("reload daemon", err)
	}
	return exitSuccess
}

func (r *run) daemonReexec() int {
	if err := r.c.Reexecute(r.ctx); err != nil {
		return r.tell("reexecute daemon", err)
	}
	return exitSuccess
}

const managerObject = dbus.ObjectPath("/org/freedesktop/systemd1")

// setManager sets a writable property of the manager.
func (r *run) setManager(name string, v any) error {
	return r.c.CallObject(r.ctx, managerObject, "org.freedesktop.DBus.Properties.Set",
		[]any{"org.freedesktop.systemd1.Manager", name, dbus.MakeVariant(v)})
}

func (r *run) logControl() int {
	name, what := "LogLevel", "level"
	if r.verb == "log-target" {
		name, what = "LogTarget", "target"
	}
	if len(r.args) == 0 {
		v, err := r.c.GetManagerProperty(r.ctx, name)
		if err != nil {
			r.say("Failed to get log %s of org.freedesktop.systemd1: %s", what, message(err))
			return exitFailure
		}
		r.print("%s\n", v)
		return exitSuccess
	}
	if name == "LogLevel" && !slices.Contains([]string{"emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"}, r.args[0]) {
		r.say("\"%s\" is not a valid log level.", r.args[0])
		return exitFailure
	}
	if err := r.setManager(name, r.args[0]); err != nil {
		r.say("Failed to set log %s of org.freedesktop.systemd1 to %s: %s", what, r.args[0], message(err))
		return exitFailure
	}
	return exitSuccess
}

func (r *run) serviceWatchdogs() int {
	if len(r.args) == 0 {
		v, err := r.c.GetManagerProperty(r.ctx, "ServiceWatchdogs")
		if err != nil {
			return r.tell("get service-watchdog state", err)
		}
		r.print("%s\n", yesNo(v == true))
		return exitSuccess
	}
	b, ok := boolean(r.args[0])
	if !ok {
		r.say("Failed to parse service-watchdogs argument: Invalid argument")
		return exitFailure
	}
	if err := r.setManager("ServiceWatchdogs", b); err != nil {
		return r.tell("set service-watchdog state", err)
	}
	return exitSuccess
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// setProperty sends NAME=VALUE pairs; the manager reads the values as those of
// a unit file.
func (r *run) setProperty() int {
	u, ok := r.mangle(r.args[0], "service")
	if !ok {
		return exitFailure
	}
	type prop struct {
		Name  string
		Value dbus.Variant
	}
	var props []prop
	for _, a := range r.args[1:] {
		k, v, ok := strings.Cut(a, "=")
		if !ok {
			r.say("Not an assignment: %s", a)
			return exitFailure
		}
		name, val, err := assignment(k, v)
		if err != nil {
			r.say("Failed to parse %s=%s: %v", k, v, err)
			return exitFailure
		}
		props = append(props, prop{name, val})
	}
	if err := r.c.Call(r.ctx, "SetUnitProperties", []any{u, r.runtime, props}); err != nil {
		r.say("Failed to set unit properties on %s: %s", u, message(err))
		return exitFailure
	}
	return exitSuccess
}

// assignment types a property as the bus wants it, by the shape that the
// properties of running units have.
func assignment(k, v string) (string, dbus.Variant, error) {
	wide := func(n uint64, err error) (string, dbus.Variant, error) { return k, dbus.MakeVariant(n), err }
	switch {
	case k == "CPUQuota":
		if v == "" {
			return "CPUQuotaPerSecUSec", dbus.MakeVariant(never), nil
		}
		n, err := value.ParsePermyriad(v)
		return "CPUQuotaPerSecUSec", dbus.MakeVariant(uint64(n) * 100), err
	case strings.HasPrefix(k, "Memory") && k != "MemoryAccounting", k == "TasksMax":
		if v == "infinity" || v == "" {
			return wide(never, nil)
		}
		if strings.HasSuffix(v, "%") {
			n, err := value.ParsePermyriad(v)
			return k + "Scale", dbus.MakeVariant(uint32(uint64(n) * uint64(^uint32(0)) / 10000)), err
		}
		return wide(value.ParseSize(v))
	case strings.HasSuffix(k, "Weight"), strings.HasSuffix(k, "Shares"):
		if v == "" {
			return wide(never, nil)
		}
		return wide(value.ParseSize(v))
	case strings.HasSuffix(k, "Accounting"), slices.Contains([]string{"SendSIGHUP", "SendSIGKILL", "RemainAfterExit"}, k):
		b, err := value.ParseBool(v)
		return k, dbus.MakeVariant(b), err
	case strings.HasSuffix(k, "Sec"):
		n, err := value.ParseTimeSpan(v)
		return strings.TrimSuffix(k, "Sec") + "USec", dbus.MakeVariant(n), err
	case strings.HasSuffix(k, "Signal"):
		n, err := value.ParseSignal(v)
		return k, dbus.MakeVariant(int32(n)), err
	case slices.Contains([]string{"Environment", "After", "Before", "Wants", "Requires", "Markers"}, k):
		ws, err := value.UnescapeWords(v)
		if ws == nil {
			ws = []string{}
		}
		return k, dbus.MakeVariant(ws), err
	}
	return k, dbus.MakeVariant(v), nil
}

// shutdown is halt, poweroff, reboot and kexec: with --force the manager does
// it at once, else by its target.
func (r *run) shutdown() int {
	if r.dryRun {
		return exitSuccess
	}
	method := map[string]string{"halt": "Halt", "poweroff": "PowerOff", "reboot": "Reboot", "kexec": "KExec"}[r.verb]
	if !r.force {
		if _, err := r.c.StartUnit(r.ctx, r.verb+".target", "replace-irreversibly"); err == nil {
			return exitSuccess
		} else if !bus.IsError(err, "NoSuchUnit") {
			return r.tell("start "+r.verb+".target", err)
		}
	}
	if err := r.c.Call(r.ctx, method, nil); err != nil {
		return r.tell(r.verb, err)
	}
	return exitSuccess
}

func (r *run) exit() int {
	if len(r.args) > 0 {
		var n uint8
		if _, err := fmt.Sscanf(r.args[0], "%d", &n); err != nil {
			r.say("Failed to parse exit code '%s'.", r.args[0])
			return exitFailure
		}
		if err := r.c.Call(r.ctx, "SetExitCode", []any{n}); err != nil {
			return r.tell("set exit code", err)
		}
	}
	if err := r.c.Call(r.ctx, "Exit", nil); err != nil {
		return r.tell("exit", err)
	}
	return exitSuccess
}

func (r *run) cat() int {
	units, ok := r.names(r.args, "service")
	if !ok {
		return exitFailure
	}
	code, first := exitSuccess, true
	for _, u := range units {
		p, err := r.c.GetUnitProperties(r.ctx, u)
		if err != nil {
			return r.tell("cat "+u, err)
		}
		frag, _ := p["FragmentPath"].(string)
		drops, _ := p["DropInPaths"].([]string)
		if frag == "" && len(drops) == 0 {
			r.say("No files found for %s.", u)
			code = exitFailure
			continue
		}
		if p["NeedDaemonReload"] == true {
			r.say("Warning: The unit file, source configuration file or drop-ins of %s changed on disk. Run 'systemctl%s daemon-reload' to reload units.", u, r.scope())
		}
		if !first {
			r.print("\n")
		}
		first = false
		files := drops
		if frag != "" {
			files = append([]string{frag}, drops...)
		}
		for i, f := range files {
			if i > 0 {
				r.print("\n")
			}
			b, err := os.ReadFile(f)
			if err != nil {
				r.say("Failed to cat %s: %v", f, err)
				return exitFailure
			}
			r.print("# %s\n%s", f, b)
		}
	}
	return code
}

// bind asks for a mount in a running unit.
func (r *run) bind() int {
	u, ok := r.mangle(r.args[0], "service")
	if !ok {
		return exitFailure
	}
	dest := r.args[1]
	if len(r.args) > 2 {
		dest = r.args[2]
	}
	if err := r.c.Call(r.ctx, "BindMountUnit", []any{u, r.args[1], dest, false, false}); err != nil {
		return r.tell("bind mount", err)
	}
	return exitSuccess
}

// refuse says why a verb of systemctl is none here, and what to do instead.
func (r *run) refuse() int {
	why := map[string]string{
		"edit":               "Units come from an immutable tree: change the configuration and run unitgen switch.",
		"help":               "There are no manual pages to show here; the unit's Documentation= stands in its status.",
		"mount-image":        "Put MountImages= into the unit and restart it.",
		"switch-root":        "The manager runs one root file system and cannot switch to another.",
		"soft-reboot":        "The manager runs one root file system; restart it with daemon-reexec.",
		"service-log-level":  "Ask the service itself, by busctl.",
		"service-log-target": "Ask the service itself, by busctl.",
		"list-machines":      "Machines are systemd-machined's: use machinectl.",
	}[r.verb]
	if why == "" {
		why = "Sleeping is logind's: use the machine's systemctl."
	}
	r.say("Verb '%s' is not supported here. %s", r.verb, why)
	return exitFailure
}

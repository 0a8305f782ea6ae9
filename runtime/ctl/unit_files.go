package ctl

import (
	"strings"

	"github.com/unitgen/unitgen/runtime/bus"
)

func (r *run) getDefault() int {
	var s string
	if err := r.c.Call(r.ctx, "GetDefaultTarget", nil, &s); err != nil {
		return r.tell("get default target", err)
	}
	r.print("%s\n", s)
	return exitSuccess
}

// fileVerb hands a change of unit files to the manager.
func (r *run) fileVerb() int {
	units := []string{}
	for _, a := range r.args {
		if strings.HasPrefix(a, "/") {
			units = append(units, a)
			continue
		}
		suffix := "service"
		if r.verb == "set-default" {
			suffix = "target"
		}
		n, ok := r.mangle(a, suffix)
		if !ok {
			return exitFailure
		}
		units = append(units, n)
	}
	var changes []bus.FileChange
	var carries bool
	var err error
	call := func(method string, in []any, out ...any) { err = r.c.Call(r.ctx, method, in, out...) }
	need := func(n int) bool {
		if len(units) < n {
			r.say("Too few arguments.")
			return false
		}
		return true
	}
	mode := r.presetMode
	if mode == "" {
		mode = "full"
	}
	switch r.verb {
	case "enable":
		call("EnableUnitFiles", []any{units, r.runtime, r.force}, &carries, &changes)
	case "reenable":
		call("ReenableUnitFiles", []any{units, r.runtime, r.force}, &carries, &changes)
	case "disable":
		call("DisableUnitFiles", []any{units, r.runtime}, &changes)
	case "mask":
		call("MaskUnitFiles", []any{units, r.runtime, r.force}, &changes)
	case "unmask":
		call("UnmaskUnitFiles", []any{units, r.runtime}, &changes)
	case "link":
		call("LinkUnitFiles", []any{units, r.runtime, r.force}, &changes)
	case "revert":
		call("RevertUnitFiles", []any{units}, &changes)
	case "preset":
		call("PresetUnitFilesWithMode", []any{units, mode, r.runtime, r.force}, &carries, &changes)
	case "preset-all":
		call("PresetAllUnitFiles", []any{mode, r.runtime, r.force}, &changes)
	case "set-default":
		if !need(1) {
			return exitFailure
		}
		call("SetDefaultTarget", []any{units[0], true}, &changes)
	case "add-wants", "add-requires":
		if !need(2) {
			return exitFailure
		}
		target, ok := r.mangle(r.args[0], "target")
		if !ok {
			return exitFailure
		}
		call("AddDependencyUnitFiles", []any{units[1:], target, map[string]string{"add-wants": "Wants", "add-requires": "Requires"}[r.verb], r.runtime, r.force}, &changes)
	}
	if err != nil {
		return r.tell(r.verb+" unit", err)
	}
	arrow := "->"
	if r.UTF8 {
		arrow = "→"
	}
	for _, c := range changes {
		switch {
		case r.quiet:
		case c.Kind == "symlink":
			r.say("Created symlink %s %s %s.", c.Path, arrow, c.Source)
		case c.Kind == "unlink":
			r.say("Removed \"%s\".", c.Path)
		}
	}
	if !r.noReload {
		if err := r.c.Reload(r.ctx); err != nil {
			return r.tell("reload daemon", err)
		}
	}
	if r.now && (r.verb == "enable" || r.verb == "disable" || r.verb == "mask") {
		if r.verb == "enable" {
			return r.jobs(units, "StartUnit", "start", "replace")
		}
		return r.jobs(units, "StopUnit", "stop", "replace")
	}
	return exitSuccess
}

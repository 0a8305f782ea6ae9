//go:build linux

package bus

import (
	"slices"

	"github.com/unitgen/unitgen/runtime/unitstate"
)

// UnitFiles answers for the unit files on disk (systemctl(1), "Unit File
// Commands"). Errors are *unitstate.Error.
type UnitFiles interface {
	// List gives every unit file on the load path with its state.
	List() ([]UnitFileStatus, error)
	// State is is-enabled's answer: "enabled", "static", …
	State(unit string) (string, error)
	// Preset is what the preset files say: "enabled", "disabled" or "".
	Preset(unit string) string
	// Change makes or removes links. carries reports whether a unit had an
	// [Install] section.
	Change(op FileOperation) (carries bool, changes []FileChange, err error)
	DefaultTarget() (string, error)
	// Links gives the links that belong to a unit.
	Links(unit string, runtime bool) ([]string, error)
	// Reload forgets what was read: files changed.
	Reload()
}

// FileOperation is one change of unit files.
type FileOperation struct {
	Verb    string // enable disable reenable link preset preset-all mask unmask revert set-default add-wants add-requires
	Files   []string
	Runtime bool
	Force   bool
	Mode    string // of presets: "full", "enable-only", "disable-only"
	Target  string // of add-wants and add-requires
}

// Flags of EnableUnitFilesWithFlags (org.freedesktop.systemd1(5)).
const (
	fileRuntime  = 1 << 0
	fileForce    = 1 << 1
	filePortable = 1 << 2
)

// fileHandlers adds the methods about unit files.
func fileHandlers(h map[string]handler) {
	h["Manager.ListUnitFiles"] = func(c *call) ([]any, error) { return listUnitFiles(c, nil, nil) }
	h["Manager.ListUnitFilesByPatterns"] = func(c *call) ([]any, error) { return listUnitFiles(c, c.strs(0), c.strs(1)) }
	h["Manager.GetUnitFileState"] = func(c *call) ([]any, error) {
		s, err := c.s.files.State(c.str(0))
		return []any{s}, err
	}
	h["Manager.GetDefaultTarget"] = func(c *call) ([]any, error) {
		s, err := c.s.files.DefaultTarget()
		return []any{s}, err
	}
	h["Manager.GetUnitFileLinks"] = func(c *call) ([]any, error) {
		ls, err := c.s.files.Links(c.str(0), c.boolean(1))
		return []any{texts(ls)}, err
	}
	carry := func(name string, f func(c *call) FileOperation) {
		h["Manager."+name] = func(c *call) ([]any, error) {
			carries, changes, err := c.change(f(c))
			return []any{carries, changes}, err
		}
	}
	plain := func(name string, f func(c *call) FileOperation) {
		h["Manager."+name] = func(c *call) ([]any, error) {
			_, changes, err := c.change(f(c))
			return []any{changes}, err
		}
	}
	flagged := func(c *call, verb string) FileOperation {
		flags, _ := c.in[1].(uint64)
		return FileOperation{Verb: verb, Files: c.strs(0), Runtime: flags&fileRuntime != 0, Force: flags&fileForce != 0}
	}
	simple := func(verb string) func(c *call) FileOperation {
		return func(c *call) FileOperation {
			return FileOperation{Verb: verb, Files: c.strs(0), Runtime: c.boolean(1), Force: len(c.in) > 2 && c.boolean(2), Mode: "full"}
		}
	}
	carry("EnableUnitFiles", simple("enable"))
	carry("ReenableUnitFiles", simple("reenable"))
	carry("PresetUnitFiles", simple("preset"))
	plain("DisableUnitFiles", simple("disable"))
	plain("LinkUnitFiles", simple("link"))
	plain("MaskUnitFiles", simple("mask"))
	plain("UnmaskUnitFiles", simple("unmask"))
	carry("EnableUnitFilesWithFlags", func(c *call) FileOperation { return flagged(c, "enable") })
	plain("DisableUnitFilesWithFlags", func(c *call) FileOperation { return flagged(c, "disable") })
	plain("RevertUnitFiles", func(c *call) FileOperation { return FileOperation{Verb: "revert", Files: c.strs(0)} })
	carry("PresetUnitFilesWithMode", func(c *call) FileOperation {
		return FileOperation{Verb: "preset", Files: c.strs(0), Mode: or(c.str(1), "full"), Runtime: c.boolean(2), Force: c.boolean(3)}
	})
	plain("PresetAllUnitFiles", func(c *call) FileOperation {
		return FileOperation{Verb: "preset-all", Mode: or(c.str(0), "full"), Runtime: c.boolean(1), Force: c.boolean(2)}
	})
	plain("SetDefaultTarget", func(c *call) FileOperation {
		return FileOperation{Verb: "set-default", Files: []string{c.str(0)}, Force: c.boolean(1)}
	})
	plain("AddDependencyUnitFiles", func(c *call) FileOperation {
		verb := map[string]string{"Wants": "add-wants", "Requires": "add-requires"}[c.str(2)]
		return FileOperation{Verb: verb, Files: c.strs(0), Target: c.str(1), Runtime: c.boolean(3), Force: c.boolean(4)}
	})
}

// change carries out an operation and tells everybody.
func (c *call) change(op FileOperation) (bool, []FileChange, error) {
	if op.Verb == "" || op.Mode != "" && !slices.Contains([]string{"full", "enable-only", "disable-only"}, op.Mode) {
		return false, nil, refusal(unitstate.ErrInvalidArgs, "Invalid argument")
	}
	carries, changes, err := c.s.files.Change(op)
	if changes == nil {
		changes = []FileChange{}
	}
	if len(changes) > 0 {
		c.s.emit(managerPath, ifaceManage, "UnitFilesChanged", "")
	}
	return carries, changes, err
}

func listUnitFiles(c *call, states, patterns []string) ([]any, error) {
	all, err := c.s.files.List()
	if err != nil {
		return nil, err
	}
	out := []UnitFileStatus{}
	for _, f := range all {
		if len(states) > 0 && !slices.Contains(states, f.State) || !anyGlob(patterns, baseName(f.Path)) {
			continue
		}
		out = append(out, UnitFileStatus{text8(f.Path), f.State})
	}
	return []any{out}, nil
}

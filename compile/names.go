package compile

import (
	"maps"
	"slices"
	"strings"

	"github.com/unitgen/unitgen/compile/internal/types"
	"github.com/unitgen/unitgen/schema/diag"
	"github.com/unitgen/unitgen/schema/directive"
	"github.com/unitgen/unitgen/schema/tree"
	"github.com/unitgen/unitgen/schema/unitfile"
	"github.com/unitgen/unitgen/schema/unitname"
	"github.com/unitgen/unitgen/schema/verify"
)

// unknownNames warns of unit names in strings that are nowhere known: neither
// in the tree, nor special, nor vouched for. With a system root the whole-tree
// checks know better.
func (c *compilation) unknownNames(t *tree.Tree) diag.List {
	if c.o.Sysroot != "" {
		return nil
	}
	known := map[string]bool{}
	for _, n := range t.Provides {
		known[n] = true
	}
	for _, u := range t.Units {
		known[u.Name] = true
		if u.File != nil {
			for _, a := range u.File.Values("Install", "Alias") {
				for _, n := range strings.Fields(a) {
					known[n] = true
				}
			}
		}
	}
	for _, d := range t.DropIns {
		known[d.Unit] = true
	}
	for _, d := range t.Distro {
		known[d.Name] = true
	}
	for _, u := range c.ev.Units() {
		known[u.Name] = true // declared and switched off
	}
	// Directives that hold unit names, by section and name. Conflicts= names
	// what must not run, on whatever machine has it.
	units := map[string]bool{}
	for _, d := range directive.All() {
		if d.Kind == directive.UnitList && d.Section == "Unit" && d.Name != "Conflicts" || d.Kind == "install-unit-list" && d.Name != "Alias" {
			units[d.Section+"/"+d.Name] = true
		}
	}
	var out diag.List
	for _, u := range t.Units {
		if u.File != nil && !u.NoInstall {
			out = append(out, c.unknownIn(u.File, units, known)...)
		}
	}
	for _, d := range t.DropIns {
		out = append(out, c.unknownIn(d.File, units, known)...)
	}
	return out
}

func (c *compilation) unknownIn(f *unitfile.File, units, known map[string]bool) diag.List {
	var out diag.List
	for i := range f.Lines {
		l := &f.Lines[i]
		if l.Kind != unitfile.Assignment || l.Origin.IsZero() || !units[l.Section+"/"+l.Key] {
			continue
		}
		for _, n := range strings.Fields(l.Value) {
			if known[n] || known[unitname.Template(n)] || strings.ContainsAny(n, "%\"'") || !unitname.Valid(n) || verify.Special(n) {
				continue
			}
			switch unitname.Type(n) {
			case "mount", "automount", "swap":
				continue // fstab makes these on the machine itself
			}
			near := ""
			if s := types.Suggest(n, append(slices.Sorted(maps.Keys(known)), verify.Specials()...)); s != "" {
				near = " Did you mean " + s + "?"
			}
			out = append(out, diag.Warnf("W0609", "Unit is not known", l.Origin, "%s=%s: no block declares %s, and it is no special unit of systemd.%s If the machine has it, add it to provides in the host block or build with --sysroot; otherwise correct the name.", l.Key, n, n, near))
		}
	}
	return out
}

// hasMissing reports whether the whole-tree checks complain of the same place
// already.
func hasMissing(l diag.List, at diag.Range) bool {
	for _, d := range l {
		if d.Code == verify.CodeMissingUnit && d.Subject == at {
			return true
		}
	}
	return false
}

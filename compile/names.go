package compile

import (
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/agext/levenshtein"

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
	return append(out, c.nearDropIns(t)...)
}

// nearDropIns warns of drop-ins for a unit that is not in the tree where the
// name is nearly that of one that is.
func (c *compilation) nearDropIns(t *tree.Tree) diag.List {
	known := map[string]bool{}
	for _, n := range t.Provides {
		known[n] = true
	}
	for _, u := range t.Units {
		known[u.Name] = true
	}
	for _, d := range t.Distro {
		known[d.Name] = true
	}
	for _, u := range c.ev.Units() {
		known[u.Name] = true
	}
	byType := map[string][]string{}
	for _, n := range slices.Sorted(maps.Keys(known)) {
		byType[unitname.Type(n)] = append(byType[unitname.Type(n)], n)
	}
	var out diag.List
	for _, d := range t.DropIns {
		n := d.Unit
		if known[n] || known[unitname.Template(n)] || !unitname.Valid(n) || verify.Special(n) || strings.HasSuffix(n, "-."+unitname.Type(n)) {
			continue
		}
		near := nearName(n, byType[unitname.Type(n)])
		if near == "" {
			continue
		}
		out = append(out, diag.Warnf("W0609", "Unit is not known", d.Origin, "The drop-in is for %s, which no block declares, and the tree has %s. Did you mean %s? If the machine has %s, add it to provides in the host block.", n, near, near, n))
	}
	return out
}

// nearName gives the name that another one misspells, without its suffix. Names
// that differ in a number or in one word, as those of a family do, are meant as
// they stand.
func nearName(name string, names []string) string {
	near := types.Suggest(strings.TrimSuffix(name, path.Ext(name)), stems(names))
	if near == "" {
		return ""
	}
	near += path.Ext(name)
	if !misspelt(name, near) {
		return ""
	}
	return near
}

func sameType(name string, names []string) []string {
	return slices.DeleteFunc(names, func(n string) bool { return path.Ext(n) != path.Ext(name) })
}

func stems(names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = strings.TrimSuffix(n, path.Ext(n))
	}
	return out
}

// misspelt reports whether two names differ as a slip of the fingers makes
// them differ: in the marks between words, or in at most two letters of words of
// four or more.
func misspelt(a, b string) bool {
	split := func(s string) []string {
		return strings.FieldsFunc(strings.TrimSuffix(s, path.Ext(s)), func(r rune) bool { return strings.ContainsRune("-_.@:", r) })
	}
	x, y := split(a), split(b)
	if len(x) != len(y) {
		return strings.Join(x, "") == strings.Join(y, "")
	}
	for i := range x {
		if x[i] == y[i] {
			continue
		}
		if min(len(x[i]), len(y[i])) < 4 || strings.ContainsAny(x[i]+y[i], "0123456789") || levenshtein.Distance(x[i], y[i], nil) > 2 {
			return false
		}
	}
	return true
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
			if s := nearName(n, sameType(n, append(slices.Sorted(maps.Keys(known)), verify.Specials()...))); s != "" {
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

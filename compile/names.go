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
	var near *nearNames
	for _, u := range t.Units {
		if u.File != nil && !u.NoInstall {
			out = append(out, c.unknownIn(u.File, units, known, &near)...)
		}
	}
	for _, d := range t.DropIns {
		out = append(out, c.unknownIn(d.File, units, known, &near)...)
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
	names := newNearNames(known)
	var out diag.List
	for _, d := range t.DropIns {
		n := d.Unit
		if known[n] || known[unitname.Template(n)] || !unitname.Valid(n) || verify.Special(n) || strings.HasSuffix(n, "-."+unitname.Type(n)) {
			continue
		}
		near := names.of(n)
		if near == "" {
			continue
		}
		out = append(out, diag.Warnf("W0609", "Unit is not known", d.Origin, "The drop-in is for %s, which no block declares, and the tree has %s. Did you mean %s? If the machine has %s, add it to provides in the host block.", n, near, near, n))
	}
	return out
}

// nearNames are unit names that others may be misspellings of.
type nearNames struct {
	stems map[string][]string // by type
	left  int                 // how many more are looked for: each costs a look at all
}

// maxNear is for how many names one that is near is looked for.
const maxNear = 200

func newNearNames(known map[string]bool, more ...string) *nearNames {
	x := &nearNames{stems: map[string][]string{}, left: maxNear}
	for _, n := range append(slices.Sorted(maps.Keys(known)), more...) {
		t := unitname.Type(n)
		x.stems[t] = append(x.stems[t], strings.TrimSuffix(n, path.Ext(n)))
	}
	return x
}

// of gives the name that another one misspells. Names that differ in a number
// or in one word, as those of a family do, are meant as they stand.
func (x *nearNames) of(name string) string {
	if x.left--; x.left < 0 {
		return ""
	}
	near := types.Suggest(strings.TrimSuffix(name, path.Ext(name)), x.stems[unitname.Type(name)])
	if near == "" || !misspelt(name, near+path.Ext(name)) {
		return ""
	}
	return near + path.Ext(name)
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

func (c *compilation) unknownIn(f *unitfile.File, units, known map[string]bool, near **nearNames) diag.List {
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
			if *near == nil {
				*near = newNearNames(known, verify.Specials()...)
			}
			hint := ""
			if s := (*near).of(n); s != "" {
				hint = " Did you mean " + s + "?"
			}
			out = append(out, diag.Warnf("W0609", "Unit is not known", l.Origin, "%s=%s: no block declares %s, and it is no special unit of systemd.%s If the machine has it, add it to provides in the host block or build with --sysroot; otherwise correct the name.", l.Key, n, n, hint))
		}
	}
	return out
}

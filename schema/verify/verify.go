// Package verify checks whole sets of loaded units: what systemd-analyze verify
// refuses, and what no single unit file shows (cycles, contradictions, claims
// of one thing by two units, programs that are missing).
//
// It takes units loaded by package load and gives diagnostics whose ranges lie
// in unit files. It knows nothing of HCL; the compiler maps the ranges back.
package verify

import (
	"sort"

	"github.com/unitgen/unitgen/schema/diag"
	"github.com/unitgen/unitgen/schema/load"
	"github.com/unitgen/unitgen/schema/unitname"
	"github.com/unitgen/unitgen/schema/value"
)

// Codes of the diagnostics of this package.
const (
	CodeMissingUnit   = "E1061"
	CodeMaskedUnit    = "E1062"
	CodeCycle         = "E1063"
	CodeContradiction = "E1064"
	CodeNoOrder       = "E1065"
	CodeTrigger       = "E1066"
	CodeClaim         = "E1067"
	CodeProgram       = "E1068"
	CodeAccount       = "E1069"
	CodeShell         = "E1070"
	CodeNoEffect      = "E1071"
	CodeNotFound      = "E1072"
)

// Options say what to check.
type Options struct {
	Loader *load.Loader
	// Units are the units that are verified; nil: every one that has a file.
	Units []string
	// Sysroot is where programs and accounts are looked for; "" for not at all.
	Sysroot string
	// Provides are units that count as there (host.provides).
	Provides []string
	// Starts names, by a unit that has no file here, such as multi-user.target,
	// the units that its start pulls in.
	Starts map[string][]string
}

// checker is one run.
type checker struct {
	opt      Options
	named    []*load.Unit
	byName   map[string]*load.Unit
	all      []*load.Unit
	provides map[string]bool
	isNamed  map[*load.Unit]bool
	out      diag.List
	said     map[string]bool
	checked  map[*load.Unit]bool // for missing requirements
	pulledBy map[*load.Unit][]*load.Unit
}

// Run checks the units and gives its complaints in the order of their places.
// What is wrong with a unit itself (its diagnostics from loading) comes with
// it.
func Run(o Options) diag.List {
	c := newChecker(o)
	names := o.Units
	if names == nil {
		for _, n := range o.Loader.Names() {
			if !unitname.IsTemplate(n) {
				names = append(names, n)
			} else if i, err := unitname.WithInstance(n, "i"); err == nil {
				// A template is checked as one of its instances.
				names = append(names, i)
			}
		}
	}
	c.all = o.Loader.Closure(names...)
	for _, u := range c.all {
		for _, n := range u.Names {
			c.byName[n] = u
		}
		c.byName[u.Name] = u
	}
	for _, n := range names {
		u := c.byName[n]
		if u == nil {
			u = o.Loader.Load(n)
			c.byName[n] = u
		}
		if !c.isNamed[u] {
			c.isNamed[u] = true
			c.named = append(c.named, u)
		}
		if u.State == load.NotFound {
			c.add(diag.Errorf(CodeNotFound, "Unit not found", diag.Range{File: n}, "No unit file of the name %s stands on the load path. Check the name and --root.", n))
		}
	}
	for _, u := range c.named {
		if u.State == load.NotFound || u.State == load.Masked {
			continue
		}
		for _, d := range u.Diags {
			c.add(d)
		}
		c.missing(u)
		c.order(u)
		c.triggers(u)
		c.effects(u)
		c.shell(u)
		if o.Sysroot != "" {
			c.programs(u)
		}
	}
	c.cycles()
	c.contradictions()
	c.claims()
	return c.sorted()
}

func newChecker(o Options) *checker {
	c := &checker{opt: o, byName: map[string]*load.Unit{}, provides: map[string]bool{}, isNamed: map[*load.Unit]bool{}, said: map[string]bool{}, checked: map[*load.Unit]bool{}}
	for _, p := range o.Provides {
		c.provides[p] = true
	}
	return c
}

// sorted gives the complaints in the order of their places.
func (c *checker) sorted() diag.List {
	sort.SliceStable(c.out, func(i, j int) bool {
		a, b := c.out[i].Subject, c.out[j].Subject
		if a.File != b.File {
			return a.File < b.File
		}
		return a.Start.Line < b.Start.Line
	})
	return c.out
}

// add takes a complaint, each once: two instances of a template share theirs.
func (c *checker) add(d *diag.Diagnostic) {
	k := d.Code + "\x00" + d.Subject.String() + "\x00" + d.Detail
	if !c.said[k] {
		c.said[k] = true
		c.out = append(c.out, d)
	}
}

func (c *checker) unit(name string) *load.Unit { return c.byName[name] }

// texts gives what the files say of a directive in the type's own section or
// in [Unit]. The defaults and implied effects that load.Unit.Values adds are not
// asked for: working them out costs more than all checks together.
func texts(u *load.Unit, directive string) []string {
	if v := u.Settings[u.TypeSection()][directive]; v != nil {
		return v
	}
	return u.Settings["Unit"][directive]
}

// text gives the last of texts, "" where there is none.
func text(u *load.Unit, directive string) string {
	v := texts(u, directive)
	if len(v) == 0 {
		return ""
	}
	return v[len(v)-1]
}

func flag(u *load.Unit, directive string) bool {
	b, err := value.ParseBool(text(u, directive))
	return err == nil && b
}

// at gives the place of the last assignment of a directive in a unit, or the
// unit's file.
func at(u *load.Unit, section, directive string) diag.Range {
	for i := len(u.Assigned) - 1; i >= 0; i-- {
		if a := u.Assigned[i]; a.Key == directive && (section == "" || a.Section == section) {
			return a.Pos
		}
	}
	return file(u)
}

// file gives the place of a unit as a whole.
func file(u *load.Unit) diag.Range {
	if u.Fragment != "" {
		return diag.Range{File: u.Fragment}
	}
	if len(u.DropIns) > 0 {
		return diag.Range{File: u.DropIns[0]}
	}
	return diag.Range{File: u.Name}
}

// depAt gives the place that made a dependency.
func depAt(u *load.Unit, d load.Dep) diag.Range {
	if len(d.Pos) > 0 {
		return d.Pos[0]
	}
	return file(u)
}

// fromFile reports whether a unit file, not a default, made the dependency.
func fromFile(d load.Dep) bool {
	for _, o := range d.Origins {
		if o == "file" {
			return true
		}
	}
	return false
}

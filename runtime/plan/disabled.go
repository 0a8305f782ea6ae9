package plan

import (
	"fmt"
	"strings"

	"github.com/unitgen/unitgen/schema/tree"
	"github.com/unitgen/unitgen/schema/unitname"
)

// Disables reports whether a tree disables a unit of others, by its own name or
// as an instance of a template.
func (t *Tree) Disables(scope tree.Scope, unit string) bool {
	d := t.disabled[scope]
	return d[unit] || d[unitname.Template(unit)]
}

// disabledOrigin gives where a unit was disabled.
func (t *Tree) disabledOrigin(scope tree.Scope, unit string) string {
	for _, n := range []string{unit, unitname.Template(unit)} {
		if t.disabled[scope][n] {
			return t.sources.Origin(tree.UnitDir(tree.Etc, scope) + "/" + n)
		}
	}
	return ""
}

// disables handles a unit that the new tree disables: what enables it on the
// machine goes, and with the first switch to it the unit stops. Whoever starts
// it by hand later keeps it.
func (s *planner) disables(name string) bool {
	if !s.new.Disables(s.scope, name) {
		return false
	}
	src := s.new.disabledOrigin(s.scope, name)
	var paths []string
	for _, l := range s.links {
		if l.Unit == name && !l.Withheld {
			paths = append(paths, l.Path)
		}
	}
	d := s.decide(name)
	if len(paths) > 0 {
		verb := "goes"
		if len(paths) > 1 {
			verb = "go"
		}
		d.disable = &because{fmt.Sprintf("disabled in the configuration: %s %s", strings.Join(paths, ", "), verb), src}
	}
	if s.old.Disables(s.scope, name) {
		return false
	}
	if s.isActive(name) {
		d.stop = &because{"disabled in the configuration", src}
	} else if d.disable == nil {
		d.skip = &because{"disabled in the configuration, and inactive: no action needed", src}
	}
	return true
}

// freed starts units that are masked or disabled no more and that something
// which is up wants: they would run, had the old tree not kept them from it.
func (s *planner) freed() {
	was := map[string]string{}
	for name := range s.old.disabled[s.scope] {
		if !s.new.Disables(s.scope, name) && !isTemplate(name) {
			was[name] = "disabled"
		}
	}
	for name, f := range s.old.scopes[s.scope].fragments {
		if u := s.new.unit(s.scope, name); f.masked && !isTemplate(name) && (u == nil || !u.Masked) {
			was[name] = "masked"
		}
	}
	for _, name := range sortedKeys(was) {
		if s.new.Disables(s.scope, name) || s.isActive(name) || s.willBeActive(name) {
			continue
		}
		by, how := s.wantedBy(name)
		if by == "" {
			continue
		}
		u := s.new.unit(s.scope, name)
		why := &because{fmt.Sprintf("%s no more, and %s %s it", was[name], by, verbs[how]), s.old.freedFrom(s.scope, name)}
		switch {
		case u.policy("X-OnlyManualStart", false), u.refuses("RefuseManualStart"):
			s.decide(name).skip = &because{why.reason + ", but it is started by hand alone", why.source}
		default:
			s.decide(name).start = why
		}
	}
}

// freedFrom gives where a unit was masked or disabled.
func (t *Tree) freedFrom(scope tree.Scope, name string) string {
	if src := t.disabledOrigin(scope, name); src != "" {
		return src
	}
	return t.origin(scope, name)
}

// wantedBy gives a unit that is up when the plan is done and that pulls a unit
// in: by the new tree, or by what enables it on the machine.
func (s *planner) wantedBy(name string) (by, how string) {
	for _, l := range s.links {
		if l.Unit == name && l.By != "" && s.willBeActive(l.By) {
			return l.By, l.How
		}
	}
	for _, p := range s.newIx.pullers[name] {
		if !s.willBeActive(p) {
			continue
		}
		for _, r := range s.new.needs(s.scope, p) {
			if r.unit == name {
				return p, r.how
			}
		}
	}
	return "", ""
}

package plan

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/unitgen/unitgen/schema/unitname"
)

// dependents stops and restarts what the manager would stop and restart along
// with others, so that the plan says it and starts again what merely fell.
func (s *planner) dependents() {
	queue := sortedKeys(s.doing)
	for len(queue) > 0 {
		name := queue[0]
		queue = queue[1:]
		d := s.doing[name]
		switch {
		case d.stop != nil:
			for _, r := range s.oldIx.fall[name] {
				if s.fall(r, d) {
					queue = append(queue, r.by)
				}
			}
		case d.restart != nil:
			for _, r := range s.oldIx.fall[name] {
				rd := s.decide(r.by)
				if s.isActive(r.by) && rd.stop == nil && rd.restart == nil && s.new.unit(s.scope, r.by) != nil {
					rd.restart = &because{fmt.Sprintf("%s %s, which restarts", words[r.how], name), d.restart.source}
					rd.reload = nil
					queue = append(queue, r.by)
				}
			}
		}
	}
}

// words say a dependency in a sentence.
var words = map[string]string{"Requires": "requires", "BindsTo": "is bound to", "Requisite": "needs", "PartOf": "is part of"}

// fall plans the stop of a unit whose requirement stops, and its new start.
func (s *planner) fall(r requirement, d *decision) bool {
	if !s.isActive(r.by) {
		return false
	}
	fd := s.decide(r.by)
	if fd.stop != nil {
		return false
	}
	verb := "stops"
	if d.start != nil {
		verb = "restarts"
	}
	why := &because{fmt.Sprintf("%s %s, which %s", words[r.how], r.unit, verb), d.stop.source}
	if own := fd.restart; own != nil {
		why = own
	}
	fd.stop, fd.restart, fd.reload = why, nil, nil
	if s.comesBack(r.by) {
		fd.start = why
	}
	return true
}

// comesBack reports whether a unit that fell can start again: it is in the new
// tree, and so is all that it requires there, unless that lies outside.
func (s *planner) comesBack(name string) bool {
	if u := s.new.unit(s.scope, name); u == nil || u.Masked {
		return false
	}
	for _, n := range s.new.needs(s.scope, name) {
		if n.how != "Requires" && n.how != "BindsTo" {
			continue
		}
		if d := s.doing[n.unit]; d != nil && d.stop != nil && d.start == nil && s.new.unit(s.scope, n.unit) == nil {
			return false
		}
	}
	return true
}

// wanted starts what units that are up, or come up, newly pull in.
func (s *planner) wanted() {
	var queue []string
	for n := range s.active {
		if s.willBeActive(n) {
			queue = append(queue, n)
		}
	}
	for n := range s.doing {
		if !s.isActive(n) && s.willBeActive(n) {
			queue = append(queue, n)
		}
	}
	sort.Strings(queue)
	for len(queue) > 0 {
		by := queue[0]
		queue = queue[1:]
		before := s.old.needs(s.scope, by)
		for _, r := range s.new.needs(s.scope, by) {
			if s.pull(by, r, before) {
				queue = append(queue, r.unit)
			}
		}
	}
}

// pull decides whether one edge starts its unit.
func (s *planner) pull(by string, r requirement, before []requirement) bool {
	if s.isActive(r.unit) || unitname.IsTemplate(r.unit) {
		return false
	}
	u := s.new.unit(s.scope, r.unit)
	link := s.linked(r)
	if u != nil && u.Masked || u == nil && !link {
		return false
	}
	d := s.decide(r.unit)
	if d.start != nil {
		return false
	}
	bd := s.doing[by]
	starting := bd != nil && (bd.start != nil || bd.restart != nil)
	newEdge := !slices.ContainsFunc(before, func(o requirement) bool { return o.unit == r.unit })
	isNew := u != nil && s.old.unit(s.scope, r.unit) == nil
	changed := d.skip != nil && u != nil && !s.onlySaid(r.unit)
	if !starting && !newEdge && !isNew && !changed {
		return false
	}
	why := &because{source: s.new.origin(s.scope, r.unit)}
	switch {
	case isNew:
		why.reason = fmt.Sprintf("new, and %s %s it", by, verbs[r.how])
	case changed && s.isFailed(r.unit):
		return false // decided by failed
	case newEdge:
		why.reason, why.source = fmt.Sprintf("%s now %s it", by, verbs[r.how]), r.source
	case changed:
		why.reason, _, _ = strings.Cut(d.skip.reason, ", but the unit is inactive")
		why.reason += fmt.Sprintf(", and %s %s it", by, verbs[r.how])
		why.source = d.skip.source
	default:
		why.reason, why.source = fmt.Sprintf("%s, which starts, %s it", by, verbs[r.how]), r.source
	}
	switch {
	case u.policy("X-OnlyManualStart", false):
		d.skip = &because{why.reason + ", but X-OnlyManualStart= leaves it to be started by hand", why.source}
		return false
	case u.refuses("RefuseManualStart"):
		if !starting {
			d.skip = &because{why.reason + ", but RefuseManualStart= lets only another unit start it", why.source}
		}
		return false
	}
	d.start = why
	return true
}

// onlySaid reports whether a skip step names a difference that changes nothing.
func (s *planner) onlySaid(name string) bool {
	return strings.HasSuffix(s.doing[name].skip.reason, "no action needed")
}

// linked reports whether a link, rather than a directive, makes the edge.
func (s *planner) linked(r requirement) bool {
	for _, p := range s.new.pulled(s.scope)[r.unit] {
		if p.by == r.by {
			return true
		}
	}
	return false
}

var verbs = map[string]string{"Wants": "wants", "Requires": "requires", "BindsTo": "is bound to", "Upholds": "upholds"}

// conflicts stops what a unit that starts cannot run beside.
func (s *planner) conflicts() {
	for _, name := range sortedKeys(s.doing) {
		d := s.doing[name]
		if d.start == nil || s.isActive(name) {
			continue
		}
		u := s.new.unit(s.scope, name)
		if u == nil {
			continue
		}
		for _, w := range u.words("Unit", "Conflicts") {
			other := s.new.scopes[s.scope].real(instantiate(w, name))
			if !s.isActive(other) || s.new.unit(s.scope, other) == nil {
				continue
			}
			od := s.decide(other)
			if od.stop == nil {
				*od = decision{stop: &because{"conflicts with " + name + ", which starts", d.start.source}}
			}
		}
	}
}

// unwanted says of new units that nothing starts why that is so, and of units
// that lost what wanted them that they stay up.
func (s *planner) unwanted() {
	for name := range s.new.units(s.scope) {
		if isTemplate(name) || s.old.unit(s.scope, name) != nil || s.isActive(name) || s.new.scopes[s.scope].real(name) != name {
			continue
		}
		u := s.new.unit(s.scope, name)
		if u == nil || u.Masked || u.External || s.renamedFrom(name) {
			continue
		}
		d := s.decide(name)
		if d.acts() || d.skip != nil {
			continue
		}
		why := "new, and nothing that is active wants it"
		if t := s.newIx.trigger[name]; t != "" {
			why = "new, and started by " + t
		}
		d.skip = &because{why, s.new.origin(s.scope, name)}
	}
	now := s.new.pulled(s.scope)
	for name, links := range s.old.pulled(s.scope) {
		if !s.isActive(name) || len(now[name]) > 0 || len(s.newIx.pullers[name]) > 0 {
			continue
		}
		d := s.decide(name)
		if d.acts() || d.skip != nil {
			continue
		}
		d.skip = &because{fmt.Sprintf("%s %s it no more, but it is left running", links[0].by, verbs[links[0].how]), s.old.pullSource(s.scope, links[0])}
	}
}

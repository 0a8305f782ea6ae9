// Package plan decides what a switch does to running units. It is a pure
// function of an old tree, a new tree and the states of the units: no manager
// is asked and nothing is changed. `plan`, `switch`, `rollback` and the tests
// use the same function.
//
// It takes trees as they lie on disk, made by unitgen or by others: a directory
// with etc/systemd/system in it is enough. What restarts, and what does not, is
// the table of compare.go and the switch of decide.go.
package plan

import (
	"sort"

	"github.com/unitgen/unitgen/schema/tree"
)

// Action is what a step does.
type Action string

// Actions. Skip is no action, with the reason why a changed unit needs none.
const (
	Stop    Action = "stop"
	Start   Action = "start"
	Restart Action = "restart"
	Reload  Action = "reload"
	Skip    Action = "skip"
	Disable Action = "disable" // the links that enable it go, and it is not touched itself
)

// Step is one action on one unit.
type Step struct {
	Action Action     `json:"action"`
	Unit   string     `json:"unit"`
	Scope  tree.Scope `json:"scope"`
	Reason string     `json:"reason"`
	Source *string    `json:"source"` // "file:line:column", null when unknown
}

// Plan is what a switch does, in order: stops with the old unit files in
// force, then the new files and a daemon-reload, then reloads, restarts and
// starts; steps that do nothing stand at the end.
type Plan struct {
	Steps []Step `json:"steps"`
	Files Files  `json:"files"`
	// DaemonReload says that the manager must read its unit files again.
	DaemonReload bool `json:"daemon_reload"`
	// Inhibitors are what keeps the plan from being carried out live.
	Inhibitors []Inhibitor `json:"inhibitors"`
}

// Files are the paths, relative to the tree's root, that differ.
type Files struct {
	Added   []string `json:"added"`
	Removed []string `json:"removed"`
	Changed []string `json:"changed"`
	// Repaired are paths of the host that are in both trees and do not lie there
	// as they were laid. The planner looks at no host: who does adds them.
	Repaired []string `json:"repaired,omitempty"`
}

// Empty reports whether a switch would change nothing at all.
func (p *Plan) Empty() bool {
	return len(p.Steps) == 0 && len(p.Files.Added)+len(p.Files.Removed)+len(p.Files.Changed)+len(p.Files.Repaired) == 0
}

// Acts reports whether any step does something.
func (p *Plan) Acts() bool {
	for _, s := range p.Steps {
		if s.Action != Skip {
			return true
		}
	}
	return false
}

// Select gives the steps of one action in one scope, in order.
func (p *Plan) Select(a Action, scope tree.Scope) []Step {
	var out []Step
	for _, s := range p.Steps {
		if s.Action == a && s.Scope == scope {
			out = append(out, s)
		}
	}
	return out
}

// Make plans the way from old to new. A nil old tree is an empty one.
func Make(old, new *Tree, states States) *Plan {
	if old == nil {
		old = Empty()
	}
	if new == nil {
		new = Empty()
	}
	p := &Plan{Steps: []Step{}, Inhibitors: []Inhibitor{}, Files: compareFiles(old, new)}
	for _, scope := range []tree.Scope{tree.System, tree.User} {
		s := &planner{scope: scope, old: old, new: new, active: states.of(scope, old, new), links: states.linksOf(scope), doing: map[string]*decision{}}
		p.Steps = append(p.Steps, s.run()...)
		p.Inhibitors = append(p.Inhibitors, s.inhibitors()...)
	}
	for _, list := range [][]string{p.Files.Added, p.Files.Removed, p.Files.Changed} {
		for _, f := range list {
			p.DaemonReload = p.DaemonReload || isUnitPath(f)
		}
	}
	return p
}

// planner works on one scope.
type planner struct {
	scope    tree.Scope
	old, new *Tree
	active   map[string]string // unit -> active state; absent: inactive
	links    []Link            // of the machine, outside the trees
	doing    map[string]*decision
	oldIx    *index
	newIx    *index
}

// decision is what happens to one unit. Stop and start may both be set.
type decision struct {
	stop, start, restart, reload, skip *because
	disable                            *because
}

// because is a reason with the place in the source that gave it.
type because struct {
	reason, source string
}

func (d *decision) acts() bool {
	return d.stop != nil || d.start != nil || d.restart != nil || d.reload != nil
}

func (s *planner) decide(unit string) *decision {
	d := s.doing[unit]
	if d == nil {
		d = &decision{}
		s.doing[unit] = d
	}
	return d
}

// isActive reports whether a unit is up, or on its way up or down.
func (s *planner) isActive(unit string) bool {
	switch s.active[unit] {
	case "", "inactive", "failed":
		return false
	}
	return true
}

func (s *planner) isFailed(unit string) bool { return s.active[unit] == "failed" }

// willBeActive reports whether a unit is up when the plan is done.
func (s *planner) willBeActive(unit string) bool {
	if d := s.doing[unit]; d != nil {
		if d.start != nil || d.restart != nil {
			return true
		}
		if d.stop != nil {
			return false
		}
	}
	return s.isActive(unit)
}

func (s *planner) run() []Step {
	names := s.names()
	s.oldIx, s.newIx = s.old.index(s.scope, names), s.new.index(s.scope, names)
	for _, name := range names {
		s.unit(name)
	}
	s.sockets()
	s.dependents()
	s.wanted()
	s.freed()
	s.newSockets()
	s.conflicts()
	s.unwanted()
	return s.steps()
}

// names gives every unit that may matter: in either tree, or known to be
// running as an instance of a template in them.
func (s *planner) names() []string {
	seen := map[string]bool{}
	for _, t := range []*Tree{s.old, s.new} {
		for n := range t.units(s.scope) {
			seen[n] = true
		}
		for n := range t.pulled(s.scope) {
			seen[n] = true
		}
	}
	for n := range s.active {
		seen[n] = true
	}
	for n := range s.new.disabled[s.scope] {
		seen[n] = true
	}
	out := make([]string, 0, len(seen))
	for n := range seen {
		if !isTemplate(n) {
			out = append(out, n)
		}
	}
	sort.Strings(out)
	return out
}

// steps lays the decisions out in order.
func (s *planner) steps() []Step {
	var out []Step
	phase := func(a Action, pick func(*decision) *because, order []string) {
		for _, u := range order {
			if b := pick(s.doing[u]); b != nil {
				st := Step{Action: a, Unit: u, Scope: s.scope, Reason: b.reason}
				if b.source != "" {
					src := b.source
					st.Source = &src
				}
				out = append(out, st)
			}
		}
	}
	all := make([]string, 0, len(s.doing))
	for u := range s.doing {
		all = append(all, u)
	}
	sort.Strings(all)
	down := s.old.ordered(s.scope, all)
	for i, j := 0, len(down)-1; i < j; i, j = i+1, j-1 {
		down[i], down[j] = down[j], down[i]
	}
	up := s.new.ordered(s.scope, all)
	phase(Disable, func(d *decision) *because { return d.disable }, all)
	phase(Stop, func(d *decision) *because { return d.stop }, down)
	phase(Reload, func(d *decision) *because { return d.reload }, up)
	phase(Restart, func(d *decision) *because { return d.restart }, up)
	phase(Start, func(d *decision) *because { return d.start }, up)
	phase(Skip, func(d *decision) *because {
		if d.acts() {
			return nil
		}
		return d.skip
	}, all)
	return out
}

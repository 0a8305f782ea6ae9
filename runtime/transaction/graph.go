// Package transaction is the job engine: from a request such as "start
// multi-user.target" and a graph of loaded units with their present states it
// makes the set of jobs that carries the request out, or says why there is
// none (systemd(1), "Concepts"; systemd.unit(5); systemctl(1), --job-mode=).
//
// It is pure: it starts nothing and knows nothing of processes. Where systemd
// has several outcomes because it walks hash tables, there is one here: units
// are visited in the order of their names.
package transaction

import (
	"slices"
	"strings"

	"github.com/unitgen/unitgen/runtime/unitstate"
	"github.com/unitgen/unitgen/schema/load"
	"github.com/unitgen/unitgen/schema/unitname"
)

// Unit is a node of the graph: a unit, what it depends on, and its state.
type Unit struct {
	Name string
	Load unitstate.LoadState
	// LoadErr says why a unit that is neither loaded, masked nor missing has
	// no good settings.
	LoadErr string
	// File is what was loaded; nil for a unit that was only named.
	File *load.Unit

	// Active is the present state; whoever runs the units keeps it.
	Active unitstate.ActiveState
	// Job is the job that is queued for the unit, if any.
	Job *Queued

	AllowIsolate      bool
	IgnoreOnIsolate   bool
	RefuseManualStart bool
	RefuseManualStop  bool
	Perpetual         bool // can never be stopped: -.slice, -.mount, init.scope
	CanReload         bool
	NoStart           bool // a unit that only appears: a device, a scope

	deps  [depTypes][]*Unit
	dirty [depTypes]bool
	sets  map[DepType]map[*Unit]bool // of kinds with many
}

// Queued is a job that is installed in the manager.
type Queued struct {
	ID           uint32
	Type         unitstate.JobType
	Running      bool
	Irreversible bool
	IgnoreOrder  bool
}

// Graph is a set of units and their dependencies. It is not safe for use by
// several goroutines.
type Graph struct {
	units map[string]*Unit
	alias map[string]string
}

// NewGraph makes an empty graph.
func NewGraph() *Graph {
	return &Graph{units: map[string]*Unit{}, alias: map[string]string{}}
}

// Unit gives a unit by any of its names, nil when the graph has none.
func (g *Graph) Unit(name string) *Unit {
	if real, ok := g.alias[name]; ok {
		name = real
	}
	return g.units[name]
}

// Units gives all units sorted by name.
func (g *Graph) Units() []*Unit {
	out := make([]*Unit, 0, len(g.units))
	for _, u := range g.units {
		out = append(out, u)
	}
	slices.SortFunc(out, byName)
	return out
}

// Len gives the number of units.
func (g *Graph) Len() int { return len(g.units) }

func byName(a, b *Unit) int { return strings.Compare(a.Name, b.Name) }

func (g *Graph) node(name string) *Unit {
	if u := g.Unit(name); u != nil {
		return u
	}
	u := &Unit{Name: name, Load: unitstate.LoadStub, Active: unitstate.Inactive}
	g.units[name] = u
	return u
}

// Add puts a loaded unit and its own half of its dependencies into the graph;
// the other half follows. Units that are only named become stubs until they
// are added themselves. Adding a unit again does nothing.
func (g *Graph) Add(f *load.Unit) *Unit {
	for _, n := range f.Names {
		if n != f.Name {
			g.alias[n] = f.Name
		}
	}
	u := g.node(f.Name)
	if u.File != nil {
		return u
	}
	u.File = f
	u.describe()
	for _, d := range f.Deps {
		if len(d.Origins) == 1 && d.Origins[0] == "inverse" {
			continue
		}
		t, ok := depByName[d.Type]
		if !ok {
			continue
		}
		g.Link(u, t, g.node(d.Unit))
	}
	return u
}

// Link adds one dependency and its inverse.
func (g *Graph) Link(from *Unit, t DepType, to *Unit) {
	if from == to {
		return
	}
	if !from.has(t, to) {
		from.put(t, to)
	}
	if inv := inverse[t]; inv != noDep && !to.has(inv, from) {
		to.put(inv, from)
	}
}

// Remove takes a unit and all edges to it out of the graph.
func (g *Graph) Remove(u *Unit) {
	for t := range depTypes {
		if inv := inverse[t]; inv != noDep {
			for _, o := range u.deps[t] {
				o.deps[inv] = slices.DeleteFunc(o.deps[inv], func(x *Unit) bool { return x == u })
				delete(o.sets[inv], u)
			}
		}
		u.deps[t] = nil
	}
	u.sets = nil
	delete(g.units, u.Name)
	for a, n := range g.alias {
		if n == u.Name {
			delete(g.alias, a)
		}
	}
}

// many is the number of dependencies of one kind from which on they are also
// kept as a set.
const many = 16

// has is on the way of every edge.
func (u *Unit) has(t DepType, o *Unit) bool {
	if set := u.sets[t]; set != nil {
		return set[o]
	}
	return slices.Contains(u.deps[t], o)
}

// put adds an edge that is not there yet.
func (u *Unit) put(t DepType, o *Unit) {
	u.deps[t] = append(u.deps[t], o)
	u.dirty[t] = true
	switch set := u.sets[t]; {
	case set != nil:
		set[o] = true
	case len(u.deps[t]) >= many:
		set = make(map[*Unit]bool, 4*many)
		for _, d := range u.deps[t] {
			set[d] = true
		}
		if u.sets == nil {
			u.sets = map[DepType]map[*Unit]bool{}
		}
		u.sets[t] = set
	}
}

// Deps gives the units of one kind of dependency, sorted by name. The slice is
// the graph's own.
func (u *Unit) Deps(t DepType) []*Unit {
	if u.dirty[t] {
		slices.SortFunc(u.deps[t], byName)
		u.dirty[t] = false
	}
	return u.deps[t]
}

// describe takes what the engine needs to know out of the unit's settings.
func (u *Unit) describe() {
	f := u.File
	u.Load, u.LoadErr = unitstate.LoadState(f.State), ""
	if f.State != load.Loaded && f.State != load.NotFound && f.State != load.Masked {
		if err := f.Diags.Err(); err != nil {
			u.LoadErr = err.Error()
		}
	}
	typ := unitname.Type(u.Name)
	u.AllowIsolate = f.Bool("AllowIsolate")
	u.RefuseManualStart = f.Bool("RefuseManualStart")
	u.RefuseManualStop = f.Bool("RefuseManualStop")
	isolated := typ == "service" || typ == "target" || typ == "socket" || typ == "timer" || typ == "path"
	u.IgnoreOnIsolate = !isolated
	if f.Values("Unit", "IgnoreOnIsolate") != nil {
		u.IgnoreOnIsolate = f.Bool("IgnoreOnIsolate")
	}
	u.Perpetual = u.Name == "-.slice" || u.Name == "-.mount" || u.Name == "system.slice" || u.Name == "init.scope"
	u.NoStart = typ == "device" || typ == "scope"
	switch typ {
	case "service":
		u.CanReload = len(f.Commands["ExecReload"]) > 0 || f.String("Type") == "notify-reload"
	case "mount":
		u.CanReload = true
	}
}

// canReload also holds for a unit that only hands reloads on.
func (u *Unit) canReload() bool {
	if unitname.Type(u.Name) == "service" {
		return u.CanReload
	}
	return u.CanReload || len(u.deps[PropagatesReloadTo]) > 0
}

// Applicable reports whether a job of a type makes sense for the unit.
func (u *Unit) Applicable(t unitstate.JobType) bool {
	switch t {
	case unitstate.Stop:
		return !u.Perpetual
	case unitstate.Restart, unitstate.TryRestart:
		return !u.Perpetual && !u.NoStart
	case unitstate.Reload, unitstate.TryReload:
		return u.canReload()
	case unitstate.ReloadOrStart:
		return u.canReload() && !u.NoStart
	}
	return true
}

// Reloadable reports whether a reload job is possible.
func (u *Unit) Reloadable() bool { return u.canReload() }

package eval

import (
	"maps"
	"slices"
	"sync/atomic"

	"github.com/hashicorp/hcl/v2"
)

// A fork evaluates the directives of units beside others, on another
// goroutine. It reads the options, locals and names of the evaluator that it was
// made of, which must evaluate nothing meanwhile; what is not evaluated there it
// does not evaluate either, and says that it missed something. A unit of which a
// fork has anything to say (a miss, a diagnostic) is evaluated again by the
// evaluator itself, so that what comes out does not depend on forks.

// Settle evaluates every option that has a value and every local, so that forks
// find them; it reports whether all is well.
func (e *Evaluator) Settle() bool {
	for _, m := range e.IX.Modules {
		for _, n := range m.Names {
			o := m.Options[n]
			if o.RenamedTo == "" && o.Removed == "" && (o.Required || e.HasValue(o)) {
				e.Option(o)
			}
		}
		for _, n := range slices.Sorted(maps.Keys(m.Locals)) {
			e.Local(m.Locals[n])
		}
	}
	return len(e.Diags) == 0
}

// Fork makes n forks.
func (e *Evaluator) Fork(n int) []*Evaluator {
	out := make([]*Evaluator, n)
	for i := range out {
		f := New(e.IX.Fork(), e.o)
		f.base, f.aside, f.stop = e, e.aside, e.stop
		out[i] = f
	}
	e.forks.Store(&out)
	return out
}

// Stop ends the evaluation and its forks as soon as that can be: their
// goroutines end. What they were to give is lost.
func (e *Evaluator) Stop() { e.stop.Store(true) }

// Stopped reports whether the evaluation is to end.
func (e *Evaluator) Stopped() bool { return e.stop.Load() }

// shared gives the evaluator that holds the nodes.
func (e *Evaluator) shared() *Evaluator {
	if e.base != nil {
		return e.base
	}
	return e
}

// evaluated gives the names of the units of a type to a fork.
func (e *Evaluator) evaluated(f *Evaluator, kind string) (*kindTable, bool) {
	if e.units != nil {
		if kt := e.units.kinds[kind]; kt != nil && kt.state == done {
			return kt, !kt.failed
		}
	}
	f.missed = true
	return &kindTable{}, false
}

// Clean evaluates something by a fork and reports whether that counts: whether
// all that it read was there, and there was nothing to say.
func (e *Evaluator) Clean(f func()) bool {
	stats, later := e.Stats, len(e.later)
	e.missed = false
	f()
	if e.missed || len(e.Diags) > 0 {
		e.Stats, e.later, e.Diags = stats, e.later[:later], nil
		e.stack, e.reads = e.stack[:0], nil
		clear(e.conds)
		clear(e.linted)
		return false
	}
	return true
}

// Join takes over what a fork has counted and put off.
func (e *Evaluator) Join(f *Evaluator) {
	e.Stats.Nodes += f.Stats.Nodes
	e.Stats.Definitions += f.Stats.Definitions
	e.later = append(e.later, f.later...)
}

// Readings gives where the evaluator and its forks stand, for a watchdog.
func (e *Evaluator) Readings() []*atomic.Pointer[hcl.Range] {
	out := []*atomic.Pointer[hcl.Range]{&e.Reading}
	if forks := e.forks.Load(); forks != nil {
		for _, f := range *forks {
			out = append(out, &f.Reading)
		}
	}
	return out
}

// ReadsDirectives reports whether an expression of the host may read a
// directive of a unit, or another host.
func (e *Evaluator) ReadsDirectives() bool { return e.IX.ReadsDirectives }

// Alone gives the value of a directive that nothing reads, among the sources of
// its unit.
func (e *Evaluator) Alone(u *Unit, all []Source, f *Fact) (Value, bool) {
	var one [1]Source
	srcs := one[:0]
	for i := range all {
		if s := &all[i]; s.Fact.Section == f.Section && s.Fact.Name == f.Name {
			srcs = append(srcs, *s)
		}
	}
	name := ""
	if len(srcs) > 1 {
		name = refName(u) + "." + f.Name // for conflicts
	}
	outer := e.reads
	e.reads = nil
	e.Stats.Nodes++
	v, ok := e.Merge(name, f, srcs)
	e.reads = outer
	return v, ok
}

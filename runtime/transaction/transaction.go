package transaction

import (
	"fmt"
	"slices"

	us "github.com/unitgen/unitgen/runtime/unitstate"
)

// Request asks for one job.
type Request struct {
	Type us.JobType
	Unit string
	Mode us.JobMode
}

// Result is a transaction that can be carried out.
type Result struct {
	Anchor *Job
	Jobs   []*Job // one a unit, sorted by unit; Anchor is one of them
	// Dropped tells which jobs were considered and left out.
	Dropped []Dropped
	// Cancel are units whose queued jobs make way (isolate and flush).
	Cancel []*Unit
	// Warnings are failures that the request does not depend on, and cycles
	// that were broken.
	Warnings []string
	// Irreversible jobs may not be replaced by later requests.
	Irreversible bool
}

// Dropped is a job that was left out of a transaction, and why.
type Dropped struct {
	Unit string
	Type us.JobType
	Why  string
}

// Job is one job of a transaction.
type Job struct {
	Unit *Unit
	Type us.JobType
	// IgnoreOrder makes the job run without waiting for others.
	IgnoreOrder bool

	pulled   []*edge // what this job pulled in
	pulledBy []*edge // who pulled it in
	matters  bool
	walked   int
	trail    *Job
	dead     bool
}

type edge struct {
	subject, object *Job
	matters         bool
	conflicts       bool
}

// builder is one transaction in the making.
type builder struct {
	g       *Graph
	mode    us.JobMode
	anchor  *Job
	jobs    map[*Unit][]*Job
	queued  map[*Unit][]*Job // stand-ins for jobs of earlier transactions
	dropped []Dropped
	warn    []string
	round   int

	ignoreOrder        bool
	ignoreRequirements bool
}

// Build makes the transaction of a request. The graph is not changed.
func Build(g *Graph, r Request) (*Result, error) {
	u := g.Unit(r.Unit)
	if u == nil {
		return nil, us.NoSuchUnit(r.Unit)
	}
	if r.Mode == "" {
		r.Mode = us.Replace
	}
	typ, err := manual(u, r)
	if err != nil {
		return nil, err
	}
	b := &builder{
		g: g, mode: r.Mode, jobs: map[*Unit][]*Job{}, queued: map[*Unit][]*Job{},
		ignoreOrder:        r.Mode == us.IgnoreDependencies,
		ignoreRequirements: r.Mode == us.IgnoreDependencies || r.Mode == us.IgnoreRequirements,
	}
	if err := b.add(Collapse(typ, u.Active), u, nil, true, false, b.ignoreRequirements); err != nil {
		return nil, err
	}
	switch r.Mode {
	case us.Isolate:
		b.addIsolate()
	case us.Triggering:
		b.addTriggering(u)
	case us.RestartDependencies:
		b.addRestarts(u)
	}
	if err := b.settle(); err != nil {
		return nil, err
	}
	return b.result(r), nil
}

// manual checks what a person may ask for (systemd.unit(5),
// RefuseManualStart=, AllowIsolate=; systemctl(1), --job-mode=) and gives the
// type that a reload-or-… request comes to.
func manual(u *Unit, r Request) (us.JobType, error) {
	t := r.Type
	switch t {
	case us.ReloadOrRestart:
		t = us.Restart
		if u.canReload() {
			t = us.ReloadOrStart
		}
	case us.ReloadOrTryReload:
		t = us.TryRestart
		if u.canReload() {
			t = us.TryReload
		}
	case us.Start, us.VerifyActive, us.Stop, us.Reload, us.ReloadOrStart, us.Restart, us.TryRestart, us.TryReload, us.Nop:
	default:
		return "", us.Errorf(us.ErrInvalidArgs, "Job type %s invalid", t)
	}
	starts := t == us.Start || t == us.ReloadOrStart || t == us.Restart || t == us.TryRestart
	stops := t == us.Stop || t == us.Restart || t == us.TryRestart
	if starts && u.RefuseManualStart || stops && u.RefuseManualStop {
		return "", us.Errorf(us.ErrOnlyByDependency, "Operation refused, unit %s may be requested by dependency only (it is configured to refuse manual start/stop).", u.Name)
	}
	if t == us.Stop && u.Load != us.LoadLoaded && u.Load != us.LoadMasked && u.Active == us.Inactive {
		return "", us.NoSuchUnit(u.Name)
	}
	switch r.Mode {
	case us.Replace, us.Fail, us.ReplaceIrreversibly, us.Flush, us.IgnoreDependencies, us.IgnoreRequirements:
	case us.RestartDependencies:
		if t != us.Start {
			return "", us.Errorf(us.ErrInvalidArgs, "--job-mode=restart-dependencies is only valid for start.")
		}
	case us.Isolate:
		if t != us.Start {
			return "", us.Errorf(us.ErrInvalidArgs, "Isolate is only valid for start.")
		}
		if !u.AllowIsolate {
			return "", us.Errorf(us.ErrNoIsolation, "Operation refused, unit may not be isolated.")
		}
	case us.Triggering:
		if t != us.Stop {
			return "", us.Errorf(us.ErrInvalidArgs, "--job-mode=triggering is only valid for stop.")
		}
	default:
		return "", us.Errorf(us.ErrInvalidArgs, "Job mode %s invalid", r.Mode)
	}
	return t, nil
}

// settle turns the collected jobs into one consistent set.
func (b *builder) settle() error {
	b.findMattering()
	if b.mode == us.Fail {
		b.minimizeImpact()
	}
	b.dropRedundant()
	for {
		if b.mode != us.Isolate {
			b.collect()
		}
		again, err := b.verifyOrder()
		if err != nil {
			return err
		}
		if !again {
			break
		}
	}
	for {
		again, err := b.merge()
		if err != nil {
			return err
		}
		if !again {
			break
		}
		if b.mode != us.Isolate {
			b.collect()
		}
	}
	b.dropRedundant()
	return b.destructive()
}

func (b *builder) result(r Request) *Result {
	res := &Result{Anchor: b.anchor, Dropped: b.dropped, Warnings: b.warn, Irreversible: r.Mode == us.ReplaceIrreversibly}
	for _, l := range b.jobs {
		res.Jobs = append(res.Jobs, l[0])
	}
	slices.SortFunc(res.Jobs, func(a, c *Job) int { return byName(a.Unit, c.Unit) })
	if r.Mode == us.Isolate || r.Mode == us.Flush {
		for _, u := range b.g.Units() {
			if u.Job != nil && len(b.jobs[u]) == 0 {
				res.Cancel = append(res.Cancel, u)
			}
		}
	}
	// what was dropped and came back by another way was not dropped
	res.Dropped = slices.DeleteFunc(res.Dropped, func(d Dropped) bool {
		for _, j := range b.jobs[b.g.units[d.Unit]] {
			if j.Type == d.Type {
				return true
			}
		}
		return false
	})
	return res
}

// destructive refuses to replace queued jobs where the mode forbids it.
func (b *builder) destructive() error {
	for _, j := range b.all() {
		q := j.Unit.Job
		if q == nil || b.mode != us.Fail && !q.Irreversible || !Conflicting(q.Type, j.Type) {
			continue
		}
		return us.Errorf(us.ErrTransactionDestructive,
			"Transaction for %s/%s is destructive (%s has '%s' job queued, but '%s' is included in transaction).",
			b.anchor.Unit.Name, b.anchor.Type, j.Unit.Name, q.Type, j.Type)
	}
	return nil
}

// all gives every job, units in the order of their names.
func (b *builder) all() []*Job {
	var out []*Job
	for _, u := range b.unitsSorted() {
		out = append(out, b.jobs[u]...)
	}
	return out
}

func (b *builder) unitsSorted() []*Unit {
	out := make([]*Unit, 0, len(b.jobs))
	for u := range b.jobs {
		out = append(out, u)
	}
	slices.SortFunc(out, byName)
	return out
}

func (b *builder) drop(j *Job, format string, args ...any) {
	b.dropped = append(b.dropped, Dropped{Unit: j.Unit.Name, Type: j.Type, Why: fmt.Sprintf(format, args...)})
}

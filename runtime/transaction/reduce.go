package transaction

import (
	"slices"

	us "github.com/unitgen/unitgen/runtime/unitstate"
)

// findMattering marks the jobs that the request fails without.
func (b *builder) findMattering() {
	stack := []*Job{b.anchor}
	b.anchor.matters = true
	for len(stack) > 0 {
		j := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		for _, e := range j.pulled {
			if e.matters && !e.object.matters {
				e.object.matters = true
				stack = append(stack, e.object)
			}
		}
	}
}

// minimizeImpact leaves out what nobody insists on and what would stop a unit
// that runs or change a job that is queued (mode fail).
func (b *builder) minimizeImpact() {
	for _, j := range b.all() {
		if j.dead || j.matters {
			continue
		}
		stopsRunning := j.Type == us.Stop && j.Unit.Active.IsActiveOrActivating()
		changesQueued := j.Unit.Job != nil && Conflicting(j.Type, j.Unit.Job.Type)
		switch {
		case stopsRunning:
			b.delete(j, true, "it would stop a running unit, which mode fail forbids")
		case changesQueued:
			b.delete(j, true, "it would replace the queued "+string(j.Unit.Job.Type)+" job, which mode fail forbids")
		}
	}
}

// dropRedundant leaves out the jobs of units that are already where the jobs
// would bring them.
func (b *builder) dropRedundant() {
	for _, u := range b.unitsSorted() {
		jobs := b.jobs[u]
		keep := false
		for _, j := range jobs {
			if j == b.anchor || !Redundant(j.Type, u.Active) || u.Job != nil && Conflicting(j.Type, u.Job.Type) {
				keep = true
				break
			}
		}
		if keep {
			continue
		}
		for _, j := range slices.Clone(jobs) {
			b.delete(j, false, "redundant: the unit is "+string(u.Active))
		}
	}
}

// collect leaves out the jobs that no remaining job asked for.
func (b *builder) collect() {
	queue := b.all()
	for len(queue) > 0 {
		j := queue[0]
		queue = queue[1:]
		if j.dead || j == b.anchor || len(j.pulledBy) > 0 {
			continue
		}
		for _, e := range j.pulled {
			queue = append(queue, e.object)
		}
		b.delete(j, true, "no job that remains asks for it")
	}
}

// delete takes a job out. With its dependents, the jobs that insisted on it go
// too.
func (b *builder) delete(j *Job, dependents bool, why string) {
	if j.dead {
		return
	}
	j.dead = true
	b.drop(j, "%s", why)
	u := j.Unit
	b.jobs[u] = slices.DeleteFunc(b.jobs[u], func(x *Job) bool { return x == j })
	if len(b.jobs[u]) == 0 {
		delete(b.jobs, u)
	}
	pulled, by := j.pulled, j.pulledBy
	j.pulled, j.pulledBy = nil, nil
	for _, e := range pulled {
		e.object.pulledBy = without(e.object.pulledBy, e)
	}
	for _, e := range by {
		e.subject.pulled = without(e.subject.pulled, e)
	}
	if !dependents {
		return
	}
	for _, e := range by {
		if e.matters {
			b.delete(e.subject, true, "it needs "+u.Name+"/"+string(j.Type)+", which was left out")
		}
	}
}

func without(l []*edge, e *edge) []*edge {
	return slices.DeleteFunc(l, func(x *edge) bool { return x == e })
}

// merge makes one job of the jobs of each unit. Where they conflict, one that
// the request does not insist on is left out, and true is returned: the others
// have to be looked at again.
func (b *builder) merge() (again bool, err error) {
	units := b.unitsSorted()
	for _, u := range units {
		jobs := b.jobs[u]
		t := jobs[0].Type
		for _, k := range jobs[1:] {
			m, ok := Merge(t, k.Type)
			if ok {
				t = Collapse(m, u.Active)
				continue
			}
			d, why := b.victim(jobs)
			if d == nil {
				return false, us.Errorf(us.ErrTransactionJobsConflict,
					"Transaction contains conflicting jobs '%s' and '%s' for %s. Probably contradicting requirement dependencies configured.%s",
					t, k.Type, u.Name, b.blame(jobs))
			}
			b.delete(d, true, why)
			return true, nil
		}
	}
	for _, u := range units {
		jobs := b.jobs[u]
		if len(jobs) == 1 {
			continue
		}
		keep := jobs[0]
		if slices.Contains(jobs, b.anchor) {
			keep = b.anchor
		}
		t := jobs[0].Type
		for _, k := range jobs[1:] {
			t, _ = Merge(t, k.Type)
			t = Collapse(t, u.Active)
		}
		for _, k := range jobs {
			if k == keep {
				continue
			}
			k.dead = true
			keep.matters = keep.matters || k.matters
			keep.IgnoreOrder = keep.IgnoreOrder || k.IgnoreOrder
			for _, e := range k.pulled {
				e.subject = keep
			}
			for _, e := range k.pulledBy {
				e.object = keep
			}
			keep.pulled = append(keep.pulled, k.pulled...)
			keep.pulledBy = append(keep.pulledBy, k.pulledBy...)
		}
		keep.Type = t
		b.jobs[u] = []*Job{keep}
	}
	return false, nil
}

// victim chooses which of two conflicting jobs of one unit is left out: one
// that the request does not insist on; of two such, the stop, unless another
// unit's Conflicts= asked for it.
func (b *builder) victim(jobs []*Job) (*Job, string) {
	for i, j := range jobs {
		for _, k := range jobs[i+1:] {
			if !Conflicting(j.Type, k.Type) {
				continue
			}
			var d *Job
			switch {
			case !j.matters && !k.matters:
				stop, other := j, k
				if k.Type == us.Stop {
					stop, other = k, j
				}
				d = stop
				if stop.Type != us.Stop {
					d = j
				} else if stop.conflicted() {
					d = other
				}
			case !j.matters:
				d = j
			case !k.matters:
				d = k
			default:
				return nil, ""
			}
			other := j
			if d == j {
				other = k
			}
			return d, "it conflicts with " + other.Unit.Name + "/" + string(other.Type) + by(other)
		}
	}
	return nil, ""
}

func (j *Job) conflicted() bool {
	for _, e := range j.pulledBy {
		if e.conflicts {
			return true
		}
	}
	return false
}

func by(j *Job) string {
	if len(j.pulledBy) == 0 {
		return ""
	}
	return ", asked for by " + j.pulledBy[0].subject.Unit.Name
}

// blame names who asked for each of the conflicting jobs.
func (b *builder) blame(jobs []*Job) string {
	s := ""
	for _, j := range jobs {
		who := "the request"
		if len(j.pulledBy) > 0 {
			who = j.pulledBy[0].subject.Unit.Name
		}
		s += " The " + string(j.Type) + " comes from " + who + "."
	}
	return s
}

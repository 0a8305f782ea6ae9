package transaction

import (
	"slices"
	"strings"

	us "github.com/unitgen/unitgen/runtime/unitstate"
)

// verifyOrder looks for a cycle in the order of the jobs. One that can be
// broken is broken, by leaving out a job that the request does not insist on,
// and true is returned: look again.
//
// Of the jobs that could be left out it takes the one whose loss costs the
// fewest further jobs; of equals, the one whose unit's name comes last. So the
// outcome does not depend on the order in which files are read.
func (b *builder) verifyOrder() (again bool, err error) {
	b.round++
	for _, u := range b.unitsSorted() {
		for _, j := range b.jobs[u] {
			cycle := b.walk(j)
			if cycle == nil {
				continue
			}
			text := describeCycle(cycle)
			d := b.cheapest(cycle)
			if d == nil {
				return false, us.Errorf(us.ErrTransactionOrderIsCyclic, "Transaction order is cyclic: %s. Every job of the cycle is required, so none can be left out; remove one of these ordering dependencies.", text)
			}
			b.warn = append(b.warn, "Ordering cycle: "+text+". Job "+d.Unit.Name+"/"+string(d.Type)+" is left out to break it.")
			for _, x := range slices.Clone(b.jobs[d.Unit]) {
				b.delete(x, true, "it was left out to break the ordering cycle "+text)
			}
			return true, nil
		}
	}
	return false, nil
}

// frame is one job on the path of the walk with what it has yet to visit.
type frame struct {
	job  *Job
	next []*Job
}

// walk goes along the order of execution from a job, without recursion so that
// a long chain costs no stack, and gives the first cycle it meets.
func (b *builder) walk(start *Job) []*Job {
	if start.walked == b.round {
		return nil
	}
	path := []frame{}
	enter := func(j *Job) {
		j.walked, j.trail = b.round, j // trail set: on the path
		path = append(path, frame{j, b.successors(j)})
	}
	enter(start)
	for len(path) > 0 {
		f := &path[len(path)-1]
		if len(f.next) == 0 {
			f.job.trail = nil
			path = path[:len(path)-1]
			continue
		}
		n := f.next[0]
		f.next = f.next[1:]
		if n.walked != b.round {
			enter(n)
			continue
		}
		if n.trail == nil {
			continue // walked already, no cycle behind it
		}
		var cycle []*Job
		for _, p := range path {
			if p.job == n || len(cycle) > 0 {
				cycle = append(cycle, p.job)
			}
		}
		return cycle
	}
	return nil
}

// successors gives the jobs that have to wait for this one.
func (b *builder) successors(j *Job) []*Job {
	if j.Type == us.Nop {
		return nil
	}
	var out []*Job
	for _, o := range j.Unit.Deps(Before) {
		for _, k := range b.jobsOrQueued(o) {
			if RunsBefore(j.Type, k.Type) {
				out = append(out, k)
			}
		}
	}
	for _, o := range j.Unit.Deps(After) {
		for _, k := range b.jobsOrQueued(o) {
			// o is before j's unit: j runs first when j stops
			if RunsAfter(k.Type, j.Type) {
				out = append(out, k)
			}
		}
	}
	return out
}

// jobsOrQueued gives the unit's jobs in the transaction or, when it has none,
// the one that is queued already: a cycle through it would wait for ever.
func (b *builder) jobsOrQueued(u *Unit) []*Job {
	if l := b.jobs[u]; l != nil {
		return l
	}
	if u.Job == nil || u.Job.IgnoreOrder {
		return nil
	}
	l := b.queued[u]
	if l == nil {
		l = []*Job{{Unit: u, Type: u.Job.Type, matters: true}}
		b.queued[u] = l
	}
	return l
}

func (b *builder) cheapest(cycle []*Job) *Job {
	var best *Job
	cost := 0
	for _, j := range cycle {
		if j.matters || j == b.anchor || b.unitMatters(j.Unit) {
			continue
		}
		c := b.cost(j)
		if best == nil || c < cost || c == cost && j.Unit.Name > best.Unit.Name {
			best, cost = j, c
		}
	}
	return best
}

func (b *builder) unitMatters(u *Unit) bool {
	for _, j := range b.jobs[u] {
		if j.matters || j == b.anchor {
			return true
		}
	}
	return false
}

// cost counts the jobs that go with a job: those that insist on it.
func (b *builder) cost(j *Job) int {
	seen := map[*Job]bool{j: true}
	queue := []*Job{j}
	for len(queue) > 0 {
		x := queue[0]
		queue = queue[1:]
		for _, e := range x.pulledBy {
			if e.matters && !seen[e.subject] {
				seen[e.subject] = true
				queue = append(queue, e.subject)
			}
		}
	}
	return len(seen)
}

// describeCycle writes the cycle as "a.service → b.service → a.service", in
// the order of execution, each step with the assignment that asks for it.
func describeCycle(cycle []*Job) string {
	// begin at the first name, so that the text is the same however it was met
	at := 0
	for i, j := range cycle {
		if j.Unit.Name < cycle[at].Unit.Name {
			at = i
		}
	}
	var s strings.Builder
	for i := range cycle {
		j, k := cycle[(at+i)%len(cycle)], cycle[(at+i+1)%len(cycle)]
		if i == 0 {
			s.WriteString(j.Unit.Name + "/" + string(j.Type))
		}
		s.WriteString(" before " + k.Unit.Name + "/" + string(k.Type))
		if why := orderOrigin(j.Unit, k.Unit); why != "" {
			s.WriteString(" (" + why + ")")
		}
	}
	return s.String()
}

// orderOrigin says where an ordering between two units comes from.
func orderOrigin(a, b *Unit) string {
	for _, try := range []struct {
		owner, other *Unit
		kind         string
	}{{b, a, "After"}, {a, b, "Before"}, {a, b, "After"}, {b, a, "Before"}} {
		if try.owner.File == nil {
			continue
		}
		for _, d := range try.owner.File.Deps {
			if d.Type != try.kind || d.Unit != try.other.Name || len(d.Origins) == 0 || d.Origins[0] == "inverse" {
				continue
			}
			s := d.Type + "=" + d.Unit + " of " + try.owner.Name
			if len(d.Pos) > 0 && !d.Pos[0].IsZero() {
				return s + " at " + d.Pos[0].String()
			}
			return s + ", " + d.Origins[0]
		}
	}
	return ""
}

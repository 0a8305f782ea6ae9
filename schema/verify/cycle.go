package verify

import (
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"

	"github.com/unitgen/unitgen/schema/diag"
	"github.com/unitgen/unitgen/schema/load"
)

// pulling are the dependencies that put the other unit into the transaction of
// a start, hard those of them whose failure is the unit's own.
var (
	pulling = []string{"Requires", "Requisite", "BindsTo", "Wants", "Upholds"}
	hard    = []string{"Requires", "BindsTo"}
)

// edge is one ordering edge: from waits for to.
type edge struct {
	to  *load.Unit
	dep load.Dep
	of  *load.Unit // the unit whose file says so
}

// cycles looks for ordering cycles among units that a single start can bring
// together, and reports each as the whole chain.
func (c *checker) cycles() {
	after := map[*load.Unit][]edge{}
	for _, u := range c.all {
		for _, d := range u.Deps {
			o := c.unit(d.Unit)
			if o == nil || o.State != load.Loaded || u.State != load.Loaded {
				continue
			}
			if slices.Equal(d.Origins, []string{"inverse"}) {
				continue // the other unit's own half says it
			}
			switch d.Type {
			case "After":
				after[u] = append(after[u], edge{o, d, u})
			case "Before":
				after[o] = append(after[o], edge{u, d, u})
			}
		}
	}
	for _, comp := range components(c.all, after) {
		in := map[*load.Unit]bool{}
		for _, u := range comp {
			in[u] = true
		}
		cyc := shortest(comp, in, after)
		if cyc == nil {
			continue
		}
		if root := c.together(cyc); root != "" {
			c.add(cycleDiag(cyc, root))
		} else if c.ownCircle(cyc) {
			// Whoever starts them all by hand still gets it.
			d := cycleDiag(cyc, "them all")
			d.Severity = diag.Advice
			c.add(d)
		}
	}
}

// ownCircle reports whether a cycle that no start brings together is a mistake
// all the same: the files of the units that are checked say every edge of it,
// more than one of them does, and no two of the units exclude each other.
func (c *checker) ownCircle(cyc []edge) bool {
	in, files := map[string]bool{}, map[*load.Unit]bool{}
	for _, e := range cyc {
		in[e.to.Name], files[e.of] = true, true
	}
	return len(files) > 1 && !slices.ContainsFunc(cyc, func(e edge) bool {
		return !c.isNamed[e.to] || !fromFile(e.dep) || slices.ContainsFunc(e.to.Deps, func(d load.Dep) bool { return d.Type == "Conflicts" && in[d.Unit] })
	})
}

// together names a unit whose start pulls in every unit of a cycle, "" where
// there is none.
func (c *checker) together(cyc []edge) string {
	var pull []map[*load.Unit]bool // by unit of the cycle: what pulls it in
	for _, e := range cyc {
		pull = append(pull, c.pullers(e.to))
	}
	all := func(u *load.Unit) bool {
		return !slices.ContainsFunc(pull, func(by map[*load.Unit]bool) bool { return !by[u] })
	}
	for _, e := range cyc {
		if c.isNamed[e.to] && all(e.to) {
			return e.to.Name
		}
	}
	for _, u := range c.named {
		if all(u) {
			return u.Name
		}
	}
	for _, n := range slices.Sorted(maps.Keys(c.opt.Starts)) {
		started := func(by map[*load.Unit]bool) bool {
			return slices.ContainsFunc(c.opt.Starts[n], func(w string) bool {
				u := c.unit(w)
				return u != nil && by[u]
			})
		}
		if !slices.ContainsFunc(pull, func(by map[*load.Unit]bool) bool { return !started(by) }) {
			return n
		}
	}
	return ""
}

// pullers gives a unit and all whose start pulls it in.
func (c *checker) pullers(u *load.Unit) map[*load.Unit]bool {
	if c.pulledBy == nil {
		c.pulledBy = map[*load.Unit][]*load.Unit{}
		for _, x := range c.all {
			for _, d := range x.Deps {
				if o := c.unit(d.Unit); o != nil && slices.Contains(pulling, d.Type) {
					c.pulledBy[o] = append(c.pulledBy[o], x)
				}
			}
		}
	}
	by := map[*load.Unit]bool{u: true}
	for todo := []*load.Unit{u}; len(todo) > 0; {
		x := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, p := range c.pulledBy[x] {
			if !by[p] {
				by[p] = true
				todo = append(todo, p)
			}
		}
	}
	return by
}

func cycleDiag(cyc []edge, root string) *diag.Diagnostic {
	var chain []string
	d := &diag.Diagnostic{Severity: diag.Error, Code: CodeCycle, Summary: "Ordering cycle"}
	from := cyc[len(cyc)-1].to
	chain = append(chain, from.Name)
	for _, e := range cyc {
		chain = append(chain, e.to.Name)
		says := fmt.Sprintf("%s has %s=%s (%s)", e.of.Name, e.dep.Type, e.dep.Unit, strings.Join(e.dep.Origins, ", "))
		d.Related = append(d.Related, diag.Related{Message: says, Range: depAt(e.of, e.dep)})
		if d.Subject.IsZero() && fromFile(e.dep) {
			d.Subject = depAt(e.of, e.dep)
		}
	}
	if d.Subject.IsZero() {
		d.Subject = file(from)
	}
	d.Detail = fmt.Sprintf("These units wait for each other: %s. Starting %s would drop one of them. Take one of the orderings out.", strings.Join(chain, " after "), root)
	return d
}

// components gives the strongly connected components with an edge inside, by
// Tarjan's algorithm without recursion, in a stable order.
func components(all []*load.Unit, next map[*load.Unit][]edge) [][]*load.Unit {
	index := map[*load.Unit]int{}
	low := map[*load.Unit]int{}
	on := map[*load.Unit]bool{}
	var stack []*load.Unit
	var out [][]*load.Unit
	type frame struct {
		u *load.Unit
		i int
	}
	n := 0
	for _, root := range all {
		if _, seen := index[root]; seen {
			continue
		}
		work := []frame{{root, 0}}
		for len(work) > 0 {
			f := &work[len(work)-1]
			u := f.u
			if f.i == 0 {
				n++
				index[u], low[u] = n, n
				stack = append(stack, u)
				on[u] = true
			}
			if f.i < len(next[u]) {
				v := next[u][f.i].to
				f.i++
				if index[v] == 0 {
					work = append(work, frame{v, 0})
				} else if on[v] {
					low[u] = min(low[u], index[v])
				}
				continue
			}
			work = work[:len(work)-1]
			if len(work) > 0 {
				p := work[len(work)-1].u
				low[p] = min(low[p], low[u])
			}
			if low[u] != index[u] {
				continue
			}
			var comp []*load.Unit
			for {
				v := stack[len(stack)-1]
				stack = stack[:len(stack)-1]
				on[v] = false
				comp = append(comp, v)
				if v == u {
					break
				}
			}
			if len(comp) > 1 || slices.ContainsFunc(next[u], func(e edge) bool { return e.to == u }) {
				sort.Slice(comp, func(i, j int) bool { return comp[i].Name < comp[j].Name })
				out = append(out, comp)
			}
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i][0].Name < out[j][0].Name })
	return out
}

// shortest gives a shortest cycle through the first unit of a component that
// lies on one.
func shortest(comp []*load.Unit, in map[*load.Unit]bool, next map[*load.Unit][]edge) []edge {
	start := comp[0]
	type step struct {
		e    edge
		prev int
		u    *load.Unit
	}
	queue := []step{{u: start, prev: -1}}
	seen := map[*load.Unit]bool{}
	for i := 0; i < len(queue); i++ {
		for _, e := range next[queue[i].u] {
			if !in[e.to] || seen[e.to] {
				continue
			}
			seen[e.to] = true
			queue = append(queue, step{e, i, e.to})
			if e.to != start {
				continue
			}
			var cyc []edge
			for k := len(queue) - 1; k > 0; k = queue[k].prev {
				cyc = append(cyc, queue[k].e)
			}
			slices.Reverse(cyc)
			return cyc
		}
	}
	return nil
}

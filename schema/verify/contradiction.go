package verify

import (
	"slices"
	"sort"

	"github.com/unitgen/unitgen/schema/diag"
	"github.com/unitgen/unitgen/schema/load"
)

// contradictions looks for units that can never be up: those that require, by
// themselves or through others, two units that exclude each other.
func (c *checker) contradictions() {
	for _, u := range c.named {
		c.ordersBothWays(u)
	}
	reverse := map[*load.Unit][]*load.Unit{}
	for _, u := range c.all {
		for _, d := range u.Deps {
			if slices.Contains(hard, d.Type) {
				if o := c.unit(d.Unit); o != nil {
					reverse[o] = append(reverse[o], u)
				}
			}
		}
	}
	for _, u := range c.all {
		if u.State != load.Loaded {
			continue
		}
		for _, d := range u.Deps {
			o := c.unit(d.Unit)
			if d.Type != "Conflicts" || o == nil || !fromFile(d) {
				continue
			}
			if o == u {
				c.add(diag.Errorf(CodeContradiction, "Contradictory dependencies", depAt(u, d), "%s has Conflicts= with itself. Take it out.", u.Name))
				continue
			}
			both := common(ancestors(u, reverse), ancestors(o, reverse))
			if len(both) == 0 || !slices.ContainsFunc(both, func(x *load.Unit) bool { return c.isNamed[x] }) {
				continue
			}
			root := both[0]
			dg := diag.Errorf(CodeContradiction, "Contradictory dependencies", depAt(u, d),
				"%s has Conflicts=%s, but %s requires both, so it can never start. Take the conflict out, or use Wants= for one of them.", u.Name, o.Name, root.Name)
			for _, rd := range root.Deps {
				if slices.Contains(hard, rd.Type) && (rd.Unit == o.Name || rd.Unit == u.Name) {
					dg.Related = append(dg.Related, diag.Related{Message: root.Name + " has " + rd.Type + "=" + rd.Unit, Range: depAt(root, rd)})
				}
			}
			c.add(dg)
		}
	}
}

// ordersBothWays complains of a unit that is to start before and after the
// same other unit.
func (c *checker) ordersBothWays(u *load.Unit) {
	var before map[string]load.Dep
	for _, e := range u.Deps {
		if e.Type == "Before" && fromFile(e) {
			if before == nil {
				before = map[string]load.Dep{}
			}
			before[e.Unit] = e
		}
	}
	if before == nil {
		return
	}
	for _, d := range u.Deps {
		if d.Type == "After" && fromFile(d) {
			if e, both := before[d.Unit]; both {
				dg := diag.Warnf(CodeContradiction, "Contradictory dependencies", depAt(u, d), "%s has both After=%s and Before=%s. Keep the one that is meant.", u.Name, d.Unit, d.Unit)
				dg.Related = []diag.Related{{Message: "Before=" + e.Unit + " is here", Range: depAt(u, e)}}
				c.add(dg)
			}
		}
	}
}

// ancestors gives a unit and all units that require it.
func ancestors(u *load.Unit, reverse map[*load.Unit][]*load.Unit) map[*load.Unit]bool {
	seen := map[*load.Unit]bool{u: true}
	todo := []*load.Unit{u}
	for len(todo) > 0 {
		x := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, p := range reverse[x] {
			if !seen[p] {
				seen[p] = true
				todo = append(todo, p)
			}
		}
	}
	return seen
}

func common(a, b map[*load.Unit]bool) []*load.Unit {
	var out []*load.Unit
	for u := range a {
		if b[u] {
			out = append(out, u)
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out
}

package verify

import (
	"github.com/unitgen/unitgen/schema/diag"
	"github.com/unitgen/unitgen/schema/load"
)

// Alone checks units each by itself: it says what Run says of them but for
// what takes several units to see (missing and masked requirements, cycles,
// contradictions, requirements without an order). It is for callers that have
// ruled those out, and many units; the loader may leave default dependencies
// out.
func Alone(o Options) diag.List {
	c := newChecker(o)
	for _, n := range o.Units {
		u := o.Loader.Load(n)
		c.byName[n] = u
		if c.isNamed[u] {
			continue
		}
		c.isNamed[u] = true
		c.named = append(c.named, u)
		if u.State == load.NotFound || u.State == load.Masked {
			continue
		}
		for _, d := range u.Diags {
			c.add(d)
		}
		c.triggers(u)
		c.effects(u)
		c.shell(u)
	}
	c.claims()
	return c.sorted()
}

package compile

import (
	"context"

	"github.com/unitgen/unitgen/schema/tree"
)

// Hosts gives the names of the hosts that a directory declares, sorted, and of
// the variants of the host that the options choose. Nothing is evaluated, and
// what is wrong is not said.
func Hosts(ctx context.Context, o Options) (hosts, variants []string) {
	c := newCompilation(ctx, o)
	c.prepare(&Result{Tree: &tree.Tree{}})
	if c.set != nil {
		for _, h := range c.set.Hosts {
			hosts = append(hosts, h.Name)
		}
	}
	if c.ix != nil {
		variants = append(variants, c.ix.Variants...)
	}
	return hosts, variants
}

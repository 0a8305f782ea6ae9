// Package merge turns the definitions of one path into one value, by type.
//
// It takes definitions and values and gives values. It must not know where
// they came from, but their ranges; evaluation is the caller's.
package merge

import (
	"sort"

	"github.com/unitgen/unitgen/compile/internal/index"
)

// Strongest keeps the definitions of the strongest priority that has one that
// is not null, in list order. ok is false when a null could not be told.
func Strongest(defs []*index.Def, isNull func(*index.Def) (null, ok bool)) ([]*index.Def, bool) {
	if len(defs) == 0 {
		return nil, true
	}
	if len(defs) == 1 {
		null, ok := isNull(defs[0])
		if null || !ok {
			return nil, ok
		}
		return defs, true
	}
	prios := map[int][]*index.Def{}
	var order []int
	for _, d := range defs {
		if len(prios[d.Prio]) == 0 {
			order = append(order, d.Prio)
		}
		prios[d.Prio] = append(prios[d.Prio], d)
	}
	sort.Ints(order)
	for _, p := range order {
		var out []*index.Def
		fine := true
		for _, d := range prios[p] {
			null, ok := isNull(d)
			if !ok {
				fine = false
				continue
			}
			if !null {
				out = append(out, d)
			}
		}
		if !fine {
			return out, false
		}
		if len(out) > 0 {
			Order(out)
			return out, true
		}
	}
	return nil, true
}

// Order sorts definitions as their elements follow in a list: by order, then
// by place in list order.
func Order(defs []*index.Def) {
	sort.SliceStable(defs, func(i, j int) bool {
		a, b := defs[i], defs[j]
		if a.Order != b.Order {
			return a.Order < b.Order
		}
		if a.Block.Seq != b.Block.Seq {
			return a.Block.Seq < b.Block.Seq
		}
		return a.At.Start.Byte < b.At.Start.Byte
	})
}

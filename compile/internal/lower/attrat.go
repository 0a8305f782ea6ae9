package lower

import (
	"github.com/hashicorp/hcl/v2"

	"github.com/unitgen/unitgen/compile/internal/eval"
	"github.com/unitgen/unitgen/compile/internal/types"
)

// attrAt is the place of the definition of an attribute that won, for a report
// about its value, or of the first block where nothing defines it.
func (l *lowering) attrAt(thing, name string, t *types.Type, contribs []eval.Contrib) hcl.Range {
	if _, at, set, ok := l.e.MarkedAttr(thing, name, t, contribs); ok && set {
		return at
	}
	return labelAt(contribs[0])
}

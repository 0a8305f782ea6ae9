package eval

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/unitgen/unitgen/compile/internal/types"
)

// removable reports whether remove(…) can take something away from the value
// of a path: a list, a set, or a value of no declared shape.
func removable(p *pathNode) bool {
	if p.parent == nil && p.opt != nil && p.opt.Merge != "" && p.opt.Merge != "unite" && p.opt.Merge != "concat" {
		return false
	}
	switch p.typ.MergeKind() {
	case types.MergeList, types.MergeSet, types.MergeAny:
		return true
	}
	return false
}

// missingKey reports a traversal that an evaluation stopped at, with what its
// parent has instead; false when the fault is another.
func (e *Evaluator) missingKey(d *hcl.Diagnostic) bool {
	x, ok := d.Expression.(*hclsyntax.ScopeTraversalExpr)
	if !ok || d.EvalContext == nil || d.Summary != "Unsupported attribute" && d.Summary != "Invalid index" {
		return false
	}
	t := x.Traversal
	for i := 1; i < len(t); i++ {
		parent, hd := t[:i].TraverseAbs(d.EvalContext)
		if hd.HasErrors() || !parent.IsKnown() || parent.IsNull() || len(types.Secrets(parent)) > 0 {
			return false
		}
		parent, _ = parent.UnmarkDeep()
		if _, hd := t[:i+1].TraverseAbs(d.EvalContext); !hd.HasErrors() {
			continue
		}
		name := stepName(t[i])
		switch ty := parent.Type(); {
		case name == "":
		case ty.IsObjectType(), ty.IsMapType():
			var keys []string
			for it := parent.ElementIterator(); it.Next(); {
				k, _ := it.Element()
				keys = append(keys, k.AsString())
			}
			e.noKey(t, i, name, keys)
			return true
		}
		return false
	}
	return false
}

package eval

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/unitgen/unitgen/compile/internal/index"
	"github.com/unitgen/unitgen/compile/internal/syntax"
	"github.com/unitgen/unitgen/compile/internal/types"
	"github.com/unitgen/unitgen/schema/diag"
)

// takesRemove reports whether remove(…) can take something away from the value
// of a path: a list, a set, or a value of no declared shape.
func takesRemove(p *pathNode) bool {
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

// removable warns of an element that remove(…) takes away and that is not
// there.
func (e *Evaluator) removable(name string, d *index.Def, i int, x cty.Value, elems []cty.Value) {
	if len(types.Secrets(x)) > 0 {
		return
	}
	var texts []string
	for _, y := range elems {
		if same(x, y) {
			return
		}
		if raw, marks := y.Unmark(); len(marks) == 0 && raw.IsKnown() && !raw.IsNull() && raw.Type() == cty.String {
			texts = append(texts, raw.AsString())
		}
	}
	word, _ := x.UnmarkDeep()
	if !word.IsKnown() || word.IsNull() || word.Type() != cty.String {
		e.nothingToRemove(name, d, i, "like this one", "", nil)
		return
	}
	e.nothingToRemove(name, d, i, fmt.Sprintf("%q", word.AsString()), word.AsString(), texts)
}

// nothingToRemove warns at the i-th element of a definition.
func (e *Evaluator) nothingToRemove(name string, d *index.Def, i int, what, word string, texts []string) {
	at := d.At
	if tup, ok := d.Expr.(*hclsyntax.TupleConsExpr); ok && i < len(tup.Exprs) {
		at = tup.Exprs[i].Range()
	}
	hint := " Correct it, or leave it out."
	if near := types.Suggest(word, texts); word != "" && near != "" {
		hint = fmt.Sprintf(" Did you mean %q?", near)
	} else if d.Block != nil && d.Block.Kind == "dropin" {
		hint = " A drop-in takes nothing away from the unit file itself: write force([…]), which empties the list first."
	}
	e.Diags = append(e.Diags, diag.Warnf("W0403", "Nothing to remove", syntax.Range(at), "%s has no element %s.%s", name, what, hint))
}

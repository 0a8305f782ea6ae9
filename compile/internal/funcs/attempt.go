package funcs

import (
	"github.com/hashicorp/hcl/v2/ext/customdecode"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// attempt wraps try or can so that the result bears the marks of everything
// its expressions read: whether an expression fails tells of what it reads.
func attempt(f function.Function) function.Function {
	return function.New(&function.Spec{
		Params:   f.Params(),
		VarParam: f.VarParam(),
		Type:     func(args []cty.Value) (cty.Type, error) { return f.ReturnTypeForValues(args) },
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			v, err := f.Call(args)
			if err != nil {
				return v, err
			}
			for _, a := range args {
				c := customdecode.ExpressionClosureFromVal(a)
				for _, t := range c.Expression.Variables() {
					read, diags := t.TraverseAbs(c.EvalContext)
					if diags.HasErrors() {
						// The path is not all there: what there is of it counts.
						read, _ = t[:1].TraverseAbs(c.EvalContext)
					}
					_, marks := read.UnmarkDeep()
					v = v.WithMarks(marks)
				}
			}
			return v, nil
		},
	})
}

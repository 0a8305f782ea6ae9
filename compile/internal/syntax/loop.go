package syntax

import (
	"reflect"
	"runtime"
	"sync/atomic"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// StopName is the variable under which a scope holds what StopValue gives.
const StopName = "\x00stop"

var stopType = cty.Capsule("stop", reflect.TypeFor[atomic.Bool]())

// StopValue is for the scope of an evaluation that shall end when stop is set:
// the goroutine ends in the next turn of a for expression, running what it has
// deferred.
func StopValue(stop *atomic.Bool) cty.Value { return cty.CapsuleVal(stopType, stop) }

// turn is one turn of a for expression.
type turn struct{ hclsyntax.Expression }

// Value implements hcl.Expression.
func (t *turn) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	for c := ctx; c != nil; c = c.Parent() {
		if v, ok := c.Variables[StopName]; ok {
			if v.EncapsulatedValue().(*atomic.Bool).Load() {
				runtime.Goexit()
			}
			break
		}
	}
	return t.Expression.Value(ctx)
}

// stoppable makes the turns of a for expression ask whether to go on. hcl's
// walks look at the parentheses, and so at what stands in them.
func stoppable(x *hclsyntax.ForExpr) {
	for _, p := range []*hclsyntax.Expression{&x.ValExpr, &x.CondExpr} {
		if *p != nil {
			*p = &turn{&hclsyntax.ParenthesesExpr{Expression: *p, SrcRange: (*p).Range()}}
		}
	}
}

// stoppableIn does so for all that stand in an expression.
func stoppableIn(x hclsyntax.Expression) {
	var list []*hclsyntax.ForExpr
	_ = hclsyntax.VisitAll(x, func(n hclsyntax.Node) hcl.Diagnostics {
		if f, ok := n.(*hclsyntax.ForExpr); ok {
			list = append(list, f)
		}
		return nil
	})
	for _, f := range list {
		stoppable(f)
	}
}

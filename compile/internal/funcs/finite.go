package funcs

import (
	"errors"
	"math/big"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// maxExponent bounds numbers: 2 to this power has five thousand digits. Written
// out, a number beyond all bounds would take all memory there is.
const maxExponent = 1 << 14

// errUnbounded is what a computation says that leaves the bounds.
var errUnbounded = errors.New("the result is infinite or has more than 4900 digits")

// Bounded reports whether a number is one that can be written out.
func Bounded(f *big.Float) bool {
	if f.IsInf() {
		return false
	}
	e := f.MantExp(nil)
	return e < maxExponent && e > -maxExponent
}

// numeric are the functions that may make a number out of bounds.
var numeric = map[string]bool{"abs": true, "ceil": true, "floor": true, "int": true, "log": true, "max": true, "min": true, "parseint": true,
	"pow": true, "signum": true, "sum": true, "tonumber": true, "range": true,
	"jsondecode": true, "yamldecode": true, "tomldecode": true, "tolist": true, "toset": true, "tomap": true}

// finite makes a function refuse to give numbers out of bounds.
func finite(fn function.Function) function.Function {
	return function.New(&function.Spec{
		Description: fn.Description(),
		Params:      fn.Params(),
		VarParam:    fn.VarParam(),
		Type:        func(args []cty.Value) (cty.Type, error) { return fn.ReturnTypeForValues(args) },
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			v, err := fn.Call(args)
			if err == nil {
				err = check(v)
			}
			return v, err
		},
	})
}

func check(v cty.Value) error {
	raw, _ := v.UnmarkDeep()
	return cty.Walk(raw, func(_ cty.Path, x cty.Value) (bool, error) {
		if x.IsKnown() && !x.IsNull() && x.Type() == cty.Number && !Bounded(x.AsBigFloat()) {
			return false, errUnbounded
		}
		return true, nil
	})
}

// The operators of expressions keep the same bounds; hcl has no other way to
// tell them.
func init() {
	for _, op := range []*hclsyntax.Operation{hclsyntax.OpAdd, hclsyntax.OpSubtract, hclsyntax.OpMultiply, hclsyntax.OpDivide, hclsyntax.OpModulo, hclsyntax.OpNegate} {
		op.Impl = finite(op.Impl)
	}
}

package funcs

import (
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// Alike gives a long tuple whose elements all have one type as a list, which it
// converts to in any case: cty compares each element's type with every other
// one's where it is not told.
func Alike(v cty.Value) cty.Value {
	if v.IsMarked() || !v.IsKnown() || v.IsNull() || !v.Type().IsTupleType() || v.LengthInt() < 32 {
		return v
	}
	ty := v.Type().TupleElementType(0)
	if ty.HasDynamicTypes() || !ty.IsPrimitiveType() {
		return v
	}
	for _, t := range v.Type().TupleElementTypes() {
		if t != ty {
			return v
		}
	}
	elems := v.AsValueSlice()
	for _, e := range elems {
		if e.IsMarked() {
			return v
		}
	}
	return cty.ListVal(elems)
}

// distinct is stdlib's, which compares each element with every other one, for
// what it is quick for, and for strings its equal.
var distinct = function.New(&function.Spec{
	Params: stdlib.DistinctFunc.Params(),
	Type: func(args []cty.Value) (cty.Type, error) {
		return stdlib.DistinctFunc.ReturnTypeForValues(args)
	},
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		v := args[0]
		if !v.IsWhollyKnown() || v.Type() != cty.List(cty.String) || v.LengthInt() < 32 {
			return stdlib.DistinctFunc.Call(args)
		}
		seen := make(map[string]bool, v.LengthInt())
		var out []cty.Value
		for it := v.ElementIterator(); it.Next(); {
			_, e := it.Element()
			if e.IsNull() || e.IsMarked() {
				return stdlib.DistinctFunc.Call(args)
			}
			if s := e.AsString(); !seen[s] {
				seen[s] = true
				out = append(out, e)
			}
		}
		return cty.ListVal(out), nil
	},
})

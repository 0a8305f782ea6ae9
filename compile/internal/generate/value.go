package generate

import (
	"fmt"
	"math"
	"math/big"

	"github.com/zclconf/go-cty/cty"
)

// toValue gives decoded JSON as a value: objects and tuples.
func toValue(x any) cty.Value {
	switch x := x.(type) {
	case string:
		return cty.StringVal(x)
	case bool:
		return cty.BoolVal(x)
	case float64:
		if x == math.Trunc(x) && math.Abs(x) < 1<<53 {
			return cty.NumberIntVal(int64(x))
		}
		return cty.NumberVal(big.NewFloat(x))
	case []any:
		out := make([]cty.Value, len(x))
		for i, e := range x {
			out[i] = toValue(e)
		}
		return cty.TupleVal(out)
	case map[string]any:
		out := make(map[string]cty.Value, len(x))
		for k, e := range x {
			out[k] = toValue(e)
		}
		return cty.ObjectVal(out)
	}
	return cty.NullVal(cty.DynamicPseudoType)
}

// fromValue gives a value as Jsonnet's native functions do.
func fromValue(v cty.Value) (any, error) {
	switch t := v.Type(); {
	case v.IsNull():
		return nil, nil
	case t == cty.String:
		return v.AsString(), nil
	case t == cty.Bool:
		return v.True(), nil
	case t == cty.Number:
		f, _ := v.AsBigFloat().Float64()
		return f, nil
	}
	return nil, fmt.Errorf("this is a bug in unitgen: a native function gave a %s", v.Type().FriendlyName())
}

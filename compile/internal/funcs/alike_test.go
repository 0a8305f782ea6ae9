package funcs

import (
	"fmt"
	"testing"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

func TestAlike(t *testing.T) {
	t.Parallel()
	var texts, mixed, numbers []cty.Value
	for i := range 100 {
		texts = append(texts, cty.StringVal(fmt.Sprint(i%40)))
		numbers = append(numbers, cty.NumberIntVal(int64(i%40)))
		mixed = append(mixed, texts[i], numbers[i])
	}
	mixed = append(mixed, cty.NullVal(cty.String))
	for name, elems := range map[string][]cty.Value{"texts": texts, "numbers": numbers, "mixed": mixed, "null": append(texts[:50:50], cty.NullVal(cty.String)), "unknown": append(texts[:50:50], cty.UnknownVal(cty.String)), "marked": append(texts[:50:50], cty.StringVal("x").Mark("m")), "few": texts[:3]} {
		v := cty.TupleVal(elems)
		for _, want := range []cty.Type{cty.List(cty.DynamicPseudoType), cty.Set(cty.DynamicPseudoType), cty.List(cty.String), cty.Set(cty.String)} {
			a, e1 := convert.Convert(v, want)
			b, e2 := convert.Convert(Alike(v), want)
			if (e1 == nil) != (e2 == nil) || e1 == nil && !a.RawEquals(b) {
				t.Errorf("%s to %#v: %#v, %v and %#v, %v", name, want, a, e1, b, e2)
			}
		}
		list, err := convert.Convert(v, cty.List(cty.DynamicPseudoType))
		if err != nil {
			continue
		}
		a, e1 := stdlib.DistinctFunc.Call([]cty.Value{list})
		b, e2 := distinct.Call([]cty.Value{list})
		if (e1 == nil) != (e2 == nil) || e1 == nil && !a.RawEquals(b) {
			t.Errorf("distinct of %s: %#v, %v and %#v, %v", name, a, e1, b, e2)
		}
	}
}

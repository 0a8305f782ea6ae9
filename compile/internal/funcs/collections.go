package funcs

import (
	"fmt"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

func init() {
	const c = "Collections"
	add(c, "alltrue(list)", "Whether all elements are true; true for an empty list.", bools(true), `alltrue([true, true])`, `true`, `alltrue([])`, `true`)
	add(c, "anytrue(list)", "Whether any element is true.", bools(false), `anytrue([false, true])`, `true`)
	add(c, "chunklist(list, size)", "A list cut into lists of a size.", stdlib.ChunklistFunc, `chunklist(["a", "b", "c"], 2)`, `[["a", "b"], ["c"]]`)
	add(c, "coalesce(values…)", "The first argument that is neither null nor an empty string.", coalesce, `coalesce(null, "", "a")`, `"a"`)
	add(c, "coalescelist(lists…)", "The first list that is not empty.", stdlib.CoalesceListFunc, `coalescelist([], ["a"])`, `["a"]`)
	add(c, "compact(list)", "A list of strings without the empty ones and nulls.", stdlib.CompactFunc, `compact(["a", "", "b"])`, `["a", "b"]`)
	add(c, "concat(lists…)", "Lists one after another.", stdlib.ConcatFunc, `concat(["a"], ["b", "c"])`, `["a", "b", "c"]`)
	add(c, "contains(list, value)", "Whether a list or set has an element.", stdlib.ContainsFunc, `contains(["a", "b"], "b")`, `true`)
	add(c, "distinct(list)", "A list without repetitions; first places are kept.", distinct, `distinct(["a", "b", "a"])`, `["a", "b"]`)
	add(c, "element(list, index)", "The element at an index, which wraps around.", stdlib.ElementFunc, `element(["a", "b"], 3)`, `"b"`)
	add(c, "flatten(list)", "Nested lists as one list.", stdlib.FlattenFunc, `flatten([["a"], [["b"], "c"]])`, `["a", "b", "c"]`)
	add(c, "index(list, value)", "The index of the first element with that value; an error when there is none.", index, `index(["a", "b"], "b")`, `1`)
	add(c, "keys(map)", "The keys of a map or object, sorted.", stdlib.KeysFunc, `keys({ b = 1, a = 2 })`, `["a", "b"]`)
	add(c, "length(collection)", "The number of elements, or of characters of a string.", length, `length(["a", "b"])`, `2`, `length("abc")`, `3`)
	add(c, "lookup(map, key, default)", "The value at a key, or the default.", stdlib.LookupFunc, `lookup({ a = "x" }, "b", "y")`, `"y"`)
	add(c, "matchkeys(values, keys, wanted)", "The values whose key, at the same index, is among the wanted.", matchkeys, `matchkeys(["x", "y"], ["a", "b"], ["b"])`, `["y"]`)
	add(c, "merge(maps…)", "Maps or objects united; later ones win.", safe(stdlib.MergeFunc, "the arguments must be maps or objects"), `merge({ a = 1 }, { a = 2, b = 3 })`, `{ a = 2, b = 3 }`)
	add(c, "one(list)", "The only element of a list, null for an empty one, an error otherwise.", one, `one(["a"])`, `"a"`, `one([])`, `null`)
	add(c, "range(start, limit, step)", "Numbers from start (0) to below limit, by step (1); at most 1024.", stdlib.RangeFunc, `range(3)`, `[0, 1, 2]`, `range(1, 7, 2)`, `[1, 3, 5]`)
	add(c, "reverse(list)", "A list in reverse order.", stdlib.ReverseListFunc, `reverse(["a", "b"])`, `["b", "a"]`)
	add(c, "setintersection(sets…)", "What all sets have.", safe(stdlib.SetIntersectionFunc, "the arguments must be sets"), `setintersection(["a", "b"], ["b", "c"])`, `["b"]`)
	add(c, "setproduct(sets…)", "All combinations of one element of each.", bounded(stdlib.SetProductFunc), `setproduct(["a"], ["x", "y"])`, `[["a", "x"], ["a", "y"]]`)
	add(c, "setsubtract(a, b)", "What a has and b has not.", safe(stdlib.SetSubtractFunc, "the arguments must be sets"), `setsubtract(["a", "b"], ["b"])`, `["a"]`)
	add(c, "setunion(sets…)", "What any set has.", safe(stdlib.SetUnionFunc, "the arguments must be sets"), `setunion(["a"], ["b", "a"])`, `["a", "b"]`)
	add(c, "slice(list, start, end)", "The elements from start to before end.", stdlib.SliceFunc, `slice(["a", "b", "c"], 1, 3)`, `["b", "c"]`)
	add(c, "sort(list)", "Strings in the order of their characters.", stdlib.SortFunc, `sort(["b", "a"])`, `["a", "b"]`)
	add(c, "sum(list)", "The numbers of a list added; an empty list gives 0.", sum, `sum([1, 2, 3])`, `6`)
	add(c, "transpose(map)", "A map of lists turned inside out.", transpose, `transpose({ a = ["x", "y"], b = ["x"] })`, `{ x = ["a", "b"], y = ["a"] }`)
	add(c, "values(map)", "The values of a map or object in the order of the keys.", stdlib.ValuesFunc, `values({ b = 1, a = 2 })`, `[2, 1]`)
	add(c, "zipmap(keys, values)", "A map from a list of keys and a list of values.", stdlib.ZipmapFunc, `zipmap(["a", "b"], [1, 2])`, `{ a = 1, b = 2 }`)
}

func bools(all bool) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "list", Type: cty.List(cty.Bool)}},
		Type:   function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			for it := args[0].ElementIterator(); it.Next(); {
				_, v := it.Element()
				if v.IsNull() {
					v = cty.False
				}
				if v.True() != all {
					return cty.BoolVal(!all), nil
				}
			}
			return cty.BoolVal(all), nil
		},
	})
}

var coalesce = function.New(&function.Spec{
	VarParam: &function.Parameter{Name: "values", Type: cty.DynamicPseudoType, AllowNull: true, AllowUnknown: true, AllowDynamicType: true},
	Type: func(args []cty.Value) (cty.Type, error) {
		types := make([]cty.Type, 0, len(args))
		for _, a := range args {
			if !a.IsNull() || a.Type() != cty.DynamicPseudoType {
				types = append(types, a.Type())
			}
		}
		if len(types) == 0 {
			return cty.NilType, fmt.Errorf("no argument is other than null")
		}
		t, _ := convert.UnifyUnsafe(types)
		if t == cty.NilType {
			return cty.NilType, fmt.Errorf("the arguments must all be of one type")
		}
		return t, nil
	},
	Impl: func(args []cty.Value, t cty.Type) (cty.Value, error) {
		for _, a := range args {
			if a.IsKnown() && a.IsNull() {
				continue
			}
			v, err := convert.Convert(a, t)
			if err != nil {
				return cty.UnknownVal(t), err
			}
			if v.IsKnown() && t == cty.String && v.AsString() == "" {
				continue
			}
			return v, nil
		}
		return cty.NilVal, fmt.Errorf("every argument is null or an empty string")
	},
})

var index = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "list", Type: cty.DynamicPseudoType}, {Name: "value", Type: cty.DynamicPseudoType}},
	Type:   function.StaticReturnType(cty.Number),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		if t := args[0].Type(); !t.IsListType() && !t.IsTupleType() {
			return cty.UnknownVal(cty.Number), function.NewArgErrorf(0, "must be a list")
		}
		i := int64(0)
		for it := args[0].ElementIterator(); it.Next(); i++ {
			_, v := it.Element()
			if v.Type().Equals(args[1].Type()) && v.Equals(args[1]).True() {
				return cty.NumberIntVal(i), nil
			}
		}
		return cty.UnknownVal(cty.Number), fmt.Errorf("the list has no such element; see contains()")
	},
})

var length = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "collection", Type: cty.DynamicPseudoType}},
	Type:   function.StaticReturnType(cty.Number),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		t := args[0].Type()
		switch {
		case t == cty.String:
			return stdlib.Strlen(args[0])
		case t.IsCollectionType(), t.IsTupleType(), t.IsObjectType():
			return cty.NumberIntVal(int64(args[0].LengthInt())), nil
		}
		return cty.UnknownVal(cty.Number), function.NewArgErrorf(0, "must be a list, a set, a map, an object or a string, not a %s", t.FriendlyName())
	},
})

var matchkeys = function.New(&function.Spec{
	Params: []function.Parameter{
		{Name: "values", Type: cty.List(cty.DynamicPseudoType)},
		{Name: "keys", Type: cty.List(cty.String)},
		{Name: "wanted", Type: cty.Set(cty.String)},
	},
	Type: func(args []cty.Value) (cty.Type, error) { return args[0].Type(), nil },
	Impl: func(args []cty.Value, t cty.Type) (cty.Value, error) {
		if args[0].LengthInt() != args[1].LengthInt() {
			return cty.UnknownVal(t), fmt.Errorf("values and keys must be of one length, not %d and %d", args[0].LengthInt(), args[1].LengthInt())
		}
		keys := args[1].AsValueSlice()
		var out []cty.Value
		for i, v := range args[0].AsValueSlice() {
			if args[2].HasElement(keys[i]).True() {
				out = append(out, v)
			}
		}
		if len(out) == 0 {
			return cty.ListValEmpty(t.ElementType()), nil
		}
		return cty.ListVal(out), nil
	},
})

var one = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "list", Type: cty.DynamicPseudoType}},
	Type: func(args []cty.Value) (cty.Type, error) {
		t := args[0].Type()
		switch {
		case t.IsListType(), t.IsSetType():
			return t.ElementType(), nil
		case t.IsTupleType():
			switch e := t.TupleElementTypes(); len(e) {
			case 0:
				return cty.DynamicPseudoType, nil
			case 1:
				return e[0], nil
			default:
				return cty.NilType, function.NewArgErrorf(0, "must have no more than one element, not %d", len(e))
			}
		}
		return cty.NilType, function.NewArgErrorf(0, "must be a list or a set")
	},
	Impl: func(args []cty.Value, t cty.Type) (cty.Value, error) {
		switch n := args[0].LengthInt(); n {
		case 0:
			return cty.NullVal(t), nil
		case 1:
			it := args[0].ElementIterator()
			it.Next()
			_, v := it.Element()
			return v, nil
		default:
			return cty.UnknownVal(t), function.NewArgErrorf(0, "must have no more than one element, not %d", n)
		}
	},
})

var sum = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "list", Type: cty.DynamicPseudoType}},
	Type:   function.StaticReturnType(cty.Number),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		if !args[0].CanIterateElements() {
			return cty.UnknownVal(cty.Number), function.NewArgErrorf(0, "must be a list of numbers")
		}
		total := cty.Zero
		for it := args[0].ElementIterator(); it.Next(); {
			_, v := it.Element()
			n, err := convert.Convert(v, cty.Number)
			if err != nil || n.IsNull() {
				return cty.UnknownVal(cty.Number), function.NewArgErrorf(0, "must be a list of numbers")
			}
			total = total.Add(n)
		}
		return total, nil
	},
})

var transpose = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "map", Type: cty.Map(cty.List(cty.String))}},
	Type:   function.StaticReturnType(cty.Map(cty.List(cty.String))),
	Impl: func(args []cty.Value, t cty.Type) (cty.Value, error) {
		lists := map[string][]cty.Value{}
		for it := args[0].ElementIterator(); it.Next(); {
			k, list := it.Element()
			for el := list.ElementIterator(); el.Next(); {
				_, v := el.Element()
				if v.IsNull() {
					return cty.UnknownVal(t), function.NewArgErrorf(0, "must not hold null")
				}
				lists[v.AsString()] = append(lists[v.AsString()], k)
			}
		}
		if len(lists) == 0 {
			return cty.MapValEmpty(cty.List(cty.String)), nil
		}
		out := map[string]cty.Value{}
		for k, v := range lists {
			out[k] = cty.ListVal(v)
		}
		return cty.MapVal(out), nil
	},
})

// bounded wraps setproduct, whose result is as large as its arguments
// multiplied.
func bounded(fn function.Function) function.Function {
	const most = 100000
	return function.New(&function.Spec{
		VarParam: fn.VarParam(),
		Type: func(args []cty.Value) (cty.Type, error) {
			n := 1
			for _, a := range args {
				u, _ := a.Unmark()
				if !u.IsKnown() || u.IsNull() || !u.CanIterateElements() {
					continue
				}
				if n *= max(u.LengthInt(), 1); n > most {
					return cty.NilType, fmt.Errorf("the product has more than %d elements", most)
				}
			}
			return fn.ReturnTypeForValues(args)
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) { return fn.Call(args) },
	})
}

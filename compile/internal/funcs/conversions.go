package funcs

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/tryfunc"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"

	"github.com/unitgen/unitgen/compile/internal/types"
)

func init() {
	const c = "Types"
	add(c, "can(expression)", "Whether an expression can be evaluated without an error.", attempt(tryfunc.CanFunc), `can(regex("[0-9]", "abc"))`, `false`)
	add(c, "nonsensitive(value)", "Takes the secret mark away from what was derived from a secret and is none itself, such as a hash. What it is given then appears in the tree, readable for all.", nonsensitive, `nonsensitive(sensitive("a"))`, `"a"`)
	add(c, "sensitive(value)", "Marks a value as a secret.", sensitive, `nonsensitive(strlen(sensitive("abc")))`, `3`)
	add(c, "tobool(value)", "A bool from a bool or the strings \"true\" and \"false\".", to(cty.Bool), `tobool("true")`, `true`)
	add(c, "tolist(value)", "A list from a tuple or a set.", to(cty.List(cty.DynamicPseudoType)), `tolist(["a", 1])`, `["a", "1"]`)
	add(c, "tomap(value)", "A map from an object; its values take one type.", to(cty.Map(cty.DynamicPseudoType)), `tomap({ a = 1 })`, `{ a = 1 }`)
	add(c, "tonumber(value)", "A number from a number or a string of digits.", to(cty.Number), `tonumber("8080")`, `8080`)
	add(c, "toset(value)", "A set from a list: sorted, without repetitions.", to(cty.Set(cty.DynamicPseudoType)), `toset(["b", "a", "b"])`, `["a", "b"]`)
	add(c, "tostring(value)", "A string from a number or a bool.", to(cty.String), `tostring(8080)`, `"8080"`)
	add(c, "try(expressions…)", "The first expression that can be evaluated without an error. A key that a value does not have, an index behind the end and an option that nothing defines count as failures; a name that nothing declares is an error in `try` and `can` as everywhere.", attempt(tryfunc.TryFunc), `try(tonumber("x"), 0)`, `0`)
	add(c, "type(value)", "The type of a value as a word.", typeOf, `type(["a"])`, `"tuple"`, `type("a")`, `"string"`)
}

func to(want cty.Type) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "value", Type: cty.DynamicPseudoType, AllowNull: true, AllowMarked: true, AllowDynamicType: true}},
		Type: func(args []cty.Value) (cty.Type, error) {
			if args[0].Type().Equals(want) {
				return want, nil
			}
			if args[0].IsNull() && args[0].Type() == cty.DynamicPseudoType {
				return want, nil
			}
			v, err := convert.Convert(Alike(args[0]), want)
			if err != nil {
				return cty.NilType, function.NewArgErrorf(0, "cannot become a %s: %s", strings.TrimSuffix(want.FriendlyName(), " of dynamic"), err)
			}
			return v.Type(), nil
		},
		Impl: func(args []cty.Value, t cty.Type) (cty.Value, error) { return convert.Convert(Alike(args[0]), t) },
	})
}

var sensitive = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "value", Type: cty.DynamicPseudoType, AllowNull: true, AllowMarked: true, AllowUnknown: true, AllowDynamicType: true}},
	Type:   func(args []cty.Value) (cty.Type, error) { return args[0].Type(), nil },
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		return args[0].Mark(types.SecretMark{Option: "sensitive()", At: hcl.Range{}}), nil
	},
})

var nonsensitive = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "value", Type: cty.DynamicPseudoType, AllowNull: true, AllowMarked: true, AllowUnknown: true, AllowDynamicType: true}},
	Type:   func(args []cty.Value) (cty.Type, error) { return args[0].Type(), nil },
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		v, marks := args[0].Unmark()
		rest := cty.ValueMarks{}
		for m := range marks {
			if _, ok := m.(types.SecretMark); !ok {
				rest[m] = struct{}{}
			}
		}
		return v.WithMarks(rest), nil
	},
})

var typeOf = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "value", Type: cty.DynamicPseudoType, AllowNull: true, AllowDynamicType: true}},
	Type:   function.StaticReturnType(cty.String),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		t := args[0].Type()
		for _, w := range []struct {
			is   bool
			word string
		}{
			{args[0].IsNull(), "null"}, {t == cty.String, "string"}, {t == cty.Number, "number"}, {t == cty.Bool, "bool"},
			{t.IsListType(), "list"}, {t.IsSetType(), "set"}, {t.IsMapType(), "map"}, {t.IsTupleType(), "tuple"}, {t.IsObjectType(), "object"},
		} {
			if w.is {
				return cty.StringVal(w.word), nil
			}
		}
		return cty.StringVal("any"), nil
	},
})

package funcs

import (
	"errors"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// safe wraps a function of the library that panics on some arguments: the
// caller reads what it takes instead of a stack trace.
func safe(fn function.Function, takes string) function.Function {
	word := func(err error) error {
		if err != nil && strings.Contains(err.Error(), "panic in function") {
			return errors.New(takes)
		}
		return err
	}
	return function.New(&function.Spec{
		Params:   fn.Params(),
		VarParam: fn.VarParam(),
		Type: func(args []cty.Value) (cty.Type, error) {
			t, err := fn.ReturnTypeForValues(args)
			return t, word(err)
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			v, err := fn.Call(args)
			return v, word(err)
		},
	})
}

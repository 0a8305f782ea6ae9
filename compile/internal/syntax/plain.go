package syntax

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// Expr gives the attribute's expression. Two calls may give two of them.
func (a *Attr) Expr() hclsyntax.Expression {
	if a.expr != nil {
		return a.expr
	}
	q := a.reader()
	q.build = true
	x, ok := q.expr()
	if !ok {
		panic("an expression can be read no more: " + a.Range().String())
	}
	return x
}

// reader stands at the attribute's expression.
func (a *Attr) reader() *quick {
	return &quick{f: a.file, src: a.file.Src, i: int(a.at.byte), line: int(a.at.line), bol: int(a.at.byte - a.at.column + 1), lines: true, read: map[string]bool{}}
}

// Items gives the places of the elements of a list of strings.
func (a *Attr) Items() []hcl.Range {
	if t, ok := a.expr.(*hclsyntax.TupleConsExpr); ok && a.Lit.Kind == LitList {
		out := make([]hcl.Range, len(t.Exprs))
		for i, x := range t.Exprs {
			out[i] = x.Range()
		}
		return out
	}
	if a.Lit.Kind != LitList {
		return nil
	}
	q := a.reader()
	out := make([]hcl.Range, 0, len(a.Lit.List))
	q.strings(func(_ string, from hcl.Pos) { out = append(out, q.span(from)) })
	return out
}

// literal reads what needs no evaluation.
func (q *quick) literal() (Literal, bool) {
	switch c := q.peek(); {
	case c == '"':
		s, ok := q.quoted()
		return Literal{Kind: LitString, String: s}, ok
	case c == '[':
		list := []string{}
		ok := q.strings(func(s string, _ hcl.Pos) { list = append(list, s) })
		return Literal{Kind: LitList, List: list}, ok
	case c >= '0' && c <= '9':
		from := q.i
		for q.i < len(q.src) && q.src[q.i] >= '0' && q.src[q.i] <= '9' {
			q.i++
		}
		s := string(q.src[from:q.i])
		return Literal{Kind: LitNumber, String: s}, len(s) <= 15 && (s[0] != '0' || len(s) == 1)
	case c == '<':
		pieces, ok := q.lineText()
		var b []byte
		for _, p := range pieces {
			ok = ok && !p.interp
			b = append(b, p.text...)
		}
		return Literal{Kind: LitString, String: normal(string(b))}, ok
	case identStart(c):
		switch s, _ := q.ident(); s {
		case "true", "false":
			return Literal{Kind: LitBool, String: s}, true
		case "null":
			return Literal{Kind: LitNull}, true
		}
	}
	return Literal{}, false
}

// strings reads a list of quoted strings.
func (q *quick) strings(each func(s string, from hcl.Pos)) bool {
	q.i++
	return q.within(']', func() bool {
		for {
			if !q.space() {
				return false
			}
			if q.peek() != '"' {
				return q.peek() == ']'
			}
			from := q.at(q.i)
			s, ok := q.quoted()
			if !ok {
				return false
			}
			each(s, from)
			if !q.space() {
				return false
			}
			if q.peek() != ',' {
				return q.peek() == ']'
			}
			q.i++
		}
	})
}

// quoted reads a quoted string without ${…}.
func (q *quick) quoted() (string, bool) {
	q.i++
	from := q.i
	s, changed, ok := q.text()
	if !ok || q.peek() != '"' {
		return "", false
	}
	if !changed {
		s = string(q.src[from:q.i])
	}
	q.i++
	return s, true
}

// normal gives a text in the normal form that values have.
func normal(s string) string {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return cty.StringVal(s).AsString()
		}
	}
	return s
}

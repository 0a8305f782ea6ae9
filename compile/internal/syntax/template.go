package syntax

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// template reads a quoted string with what stands in ${…}.
func (q *quick) template(from hcl.Pos) (hclsyntax.Expression, bool) {
	q.i++
	var parts []hclsyntax.Expression
	interps := 0
	for {
		start := q.at(q.i)
		text, changed, ok := q.text()
		if !ok {
			return nil, false
		}
		if q.i > start.Byte && q.build {
			if !changed {
				text = string(q.src[start.Byte:q.i])
			}
			parts = append(parts, &hclsyntax.LiteralValueExpr{Val: cty.StringVal(text), SrcRange: q.span(start)})
		}
		if q.peek() == '"' {
			q.i++
			break
		}
		q.i += 2 // ${
		if q.peek() == '~' {
			return nil, false
		}
		var x hclsyntax.Expression
		if !q.within('}', func() (ok bool) { x, ok = q.expr(); return }) {
			return nil, false
		}
		interps++
		if q.build {
			parts = append(parts, x)
		}
	}
	if !q.build {
		return nil, true
	}
	at := q.span(from)
	switch {
	case len(parts) == 0: // as hclsyntax has it
		end := hcl.Range{Filename: q.f.Name, Start: at.End, End: at.End}
		parts = []hclsyntax.Expression{&hclsyntax.LiteralValueExpr{Val: cty.StringVal(""), SrcRange: end}}
	case len(parts) == 1 && interps == 1:
		return &hclsyntax.TemplateWrapExpr{Wrapped: parts[0], SrcRange: at}, true
	}
	return &hclsyntax.TemplateExpr{Parts: parts, SrcRange: at}, true
}

// text reads the literal part of a quoted string up to its end or the next
// ${. Where the text is not what stands in the source, it is given.
func (q *quick) text() (text string, changed, ok bool) {
	var b []byte
	from := q.i // of what is not in b yet
	put := func(s string, n int) {
		b = append(append(b, q.src[from:q.i]...), s...)
		q.i += n
		from, changed = q.i, true
	}
	for q.i < len(q.src) {
		switch c := q.src[q.i]; {
		case c == '"':
			return string(append(b, q.src[from:q.i]...)), changed, true
		case c == '\\':
			switch q.next(1) {
			case 'n':
				put("\n", 2)
			case 'r':
				put("\r", 2)
			case 't':
				put("\t", 2)
			case '"':
				put(`"`, 2)
			case '\\':
				put(`\`, 2)
			default:
				return "", false, false
			}
		case c == '$' || c == '%':
			if q.next(1) == c && q.next(2) == '{' {
				put(string(c)+"{", 3)
				continue
			}
			if q.next(1) == '{' {
				if c == '%' {
					return "", false, false
				}
				if !changed {
					return "", false, true
				}
				return string(append(b, q.src[from:q.i]...)), true, true
			}
			q.i++
		case c >= 0x80:
			if !q.letter() {
				return "", false, false
			}
		case c < 0x20 && c != '\t':
			return "", false, false
		default:
			q.i++
		}
	}
	return "", false, false
}

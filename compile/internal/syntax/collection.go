package syntax

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// isFor reports whether the keyword for comes next, and takes it.
func (q *quick) isFor() (is, ok bool) {
	lines := q.lines
	q.lines = false
	defer func() { q.lines = lines }()
	mark := q.mark()
	if !q.space() {
		return false, false
	}
	if name, named := q.ident(); named && name == "for" && q.peek() < 0x80 {
		return true, true
	}
	q.back(mark)
	return false, true
}

func (q *quick) tuple(from hcl.Pos) (hclsyntax.Expression, bool) {
	q.i++
	opened := q.span(from)
	if is, ok := q.isFor(); is || !ok {
		if !ok {
			return nil, false
		}
		return q.forExpr(from, opened, ']')
	}
	var list []hclsyntax.Expression
	ok := q.within(']', func() bool {
		for {
			if !q.space() {
				return false
			}
			if q.peek() == ']' {
				return true
			}
			x, ok := q.expr()
			if !ok || !q.space() {
				return false
			}
			if q.build {
				list = append(list, x)
			}
			if q.peek() != ',' {
				return true
			}
			q.i++
		}
	})
	if !ok || !q.build {
		return nil, ok
	}
	return &hclsyntax.TupleConsExpr{Exprs: list, SrcRange: q.span(from), OpenRange: opened}, true
}

func (q *quick) object(from hcl.Pos) (hclsyntax.Expression, bool) {
	q.i++
	opened := q.span(from)
	if is, ok := q.isFor(); is || !ok {
		if !ok {
			return nil, false
		}
		return q.forExpr(from, opened, '}')
	}
	lines := q.lines
	defer func() { q.lines = lines }()
	var items []hclsyntax.ObjectConsItem
	for {
		q.lines = false
		if !q.space() {
			return nil, false
		}
		q.lines = true
		if q.peek() == '}' {
			break
		}
		forced, start, directives := q.peek() == '(', q.i, q.directives
		key, ok := q.expr()
		if !ok {
			return nil, false
		}
		if word(q.src[start:q.i]) {
			q.directives = directives // a name, no reference
		}
		if !q.space() {
			return nil, false
		}
		if c := q.peek(); c != '=' && c != ':' || q.next(1) == '=' || q.next(1) == '>' || q.next(1) == ':' {
			return nil, false
		}
		q.i++
		v, ok := q.expr()
		if !ok || !q.space() {
			return nil, false
		}
		if q.build {
			items = append(items, hclsyntax.ObjectConsItem{KeyExpr: &hclsyntax.ObjectConsKeyExpr{Wrapped: key, ForceNonLiteral: forced}, ValueExpr: v})
		}
		switch c := q.peek(); {
		case c == ',':
			q.i++
		case c == '}', c == '\n', c == '\r', c == '#', c == '/' && q.next(1) == '/':
		default:
			return nil, false
		}
	}
	q.i++
	if !q.build {
		return nil, true
	}
	return &hclsyntax.ObjectConsExpr{Items: items, SrcRange: q.span(from), OpenRange: opened}, true
}

// word reports whether a text is a name alone.
func word(s []byte) bool {
	for i, c := range s {
		if !identStart(c) && (i == 0 || c != '-' && (c < '0' || c > '9')) {
			return false
		}
	}
	return true
}

// forExpr reads a for expression behind its keyword.
func (q *quick) forExpr(from hcl.Pos, opened hcl.Range, close byte) (hclsyntax.Expression, bool) {
	x := &hclsyntax.ForExpr{OpenRange: opened}
	vars := len(q.vars)
	defer func() { q.vars = q.vars[:vars] }()
	word := func() (string, bool) {
		if !q.space() {
			return "", false
		}
		s, ok := q.ident()
		return s, ok && q.peek() < 0x80
	}
	ok := q.within(close, func() (ok bool) {
		if x.ValVar, ok = word(); !ok || !q.space() {
			return false
		}
		if q.peek() == ',' {
			q.i++
			x.KeyVar = x.ValVar
			if x.ValVar, ok = word(); !ok {
				return false
			}
		}
		if in, ok := word(); !ok || in != "in" {
			return false
		}
		if x.CollExpr, ok = q.expr(); !ok || !q.space() || q.peek() != ':' || q.next(1) == ':' {
			return false
		}
		q.i++
		q.vars = append(q.vars, x.ValVar)
		if x.KeyVar != "" {
			q.vars = append(q.vars, x.KeyVar)
		}
		if x.ValExpr, ok = q.expr(); !ok || !q.space() {
			return false
		}
		arrow := q.peek() == '=' && q.next(1) == '>'
		if arrow != (close == '}') {
			return false
		}
		if arrow {
			q.i += 2
			x.KeyExpr = x.ValExpr
			if x.ValExpr, ok = q.expr(); !ok || !q.space() {
				return false
			}
			if q.peek() == '.' {
				if q.next(1) != '.' || q.next(2) != '.' {
					return false
				}
				q.i += 3
				x.Group = true
				if !q.space() {
					return false
				}
			}
		}
		if identStart(q.peek()) {
			if w, _ := q.ident(); w != "if" || q.peek() >= 0x80 {
				return false
			}
			x.CondExpr, ok = q.expr()
			return ok
		}
		return true
	})
	if !ok || !q.build {
		return nil, ok
	}
	x.SrcRange, x.CloseRange = q.span(from), q.span(q.at(q.i-1))
	stoppable(x)
	return x, true
}

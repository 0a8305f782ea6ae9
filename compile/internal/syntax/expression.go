package syntax

import (
	"bytes"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// The grammar of expressions. Each function reads one construct at q.i and
// leaves q.i behind it; false means that hclsyntax shall decide. With q.build
// off nothing is made: the expression is only known to be one.

// deepest is how deep expressions nest before hclsyntax takes over.
const deepest = 50

// space skips what may stand between two tokens: blanks and comments, and line
// ends where they mean nothing.
func (q *quick) space() bool {
	for q.i < len(q.src) {
		switch c := q.src[q.i]; {
		case c == ' ' || c == '\t':
			q.i++
		case c == '/' && q.next(1) == '*':
			if !q.blockComment() {
				return false
			}
		case q.lines:
			return true
		case c == '\n' || c == '\r':
			if !q.newline() {
				return false
			}
		case c == '#' || c == '/' && q.next(1) == '/':
			q.comment()
		default:
			return true
		}
	}
	return true
}

// next gives the byte n after the one at hand, 0 at the end.
func (q *quick) next(n int) byte {
	if q.i+n < len(q.src) {
		return q.src[q.i+n]
	}
	return 0
}

// within reads something in which line ends mean nothing, up to its closing
// byte.
func (q *quick) within(close byte, read func() bool) bool {
	lines := q.lines
	q.lines = false
	ok := read() && q.space() && q.peek() == close
	q.lines = lines
	if ok {
		q.i++
	}
	return ok
}

// expr reads a whole expression.
func (q *quick) expr() (x hclsyntax.Expression, ok bool) {
	if q.depth++; q.depth > deepest {
		return nil, false
	}
	defer func() { q.depth-- }()
	if !q.space() {
		return nil, false
	}
	from := q.at(q.i)
	if x, ok = q.binary(1); !ok {
		return nil, false
	}
	mark := q.mark()
	if !q.space() {
		return nil, false
	}
	if q.peek() != '?' {
		q.back(mark)
		return x, true
	}
	q.i++
	yes, ok := q.expr()
	if !ok || !q.space() || q.peek() != ':' || q.next(1) == ':' {
		return nil, false
	}
	q.i++
	no, ok := q.expr()
	if !ok || !q.build {
		return nil, ok
	}
	return &hclsyntax.ConditionalExpr{Condition: x, TrueResult: yes, FalseResult: no,
		SrcRange: hcl.Range{Filename: q.f.Name, Start: from, End: no.Range().End}}, true
}

// operator gives the binary operator at hand, its length and precedence.
func (q *quick) operator() (op *hclsyntax.Operation, n, rank int) {
	second := q.next(1)
	switch q.peek() {
	case '|':
		if second == '|' {
			return hclsyntax.OpLogicalOr, 2, 1
		}
	case '&':
		if second == '&' {
			return hclsyntax.OpLogicalAnd, 2, 2
		}
	case '=':
		if second == '=' {
			return hclsyntax.OpEqual, 2, 3
		}
	case '!':
		if second == '=' {
			return hclsyntax.OpNotEqual, 2, 3
		}
	case '>':
		if second == '=' {
			return hclsyntax.OpGreaterThanOrEqual, 2, 4
		}
		return hclsyntax.OpGreaterThan, 1, 4
	case '<':
		switch second {
		case '=':
			return hclsyntax.OpLessThanOrEqual, 2, 4
		case '<':
			return nil, 0, 0 // perhaps a heredoc
		}
		return hclsyntax.OpLessThan, 1, 4
	case '+':
		return hclsyntax.OpAdd, 1, 5
	case '-':
		return hclsyntax.OpSubtract, 1, 5
	case '*':
		return hclsyntax.OpMultiply, 1, 6
	case '/':
		if second != '/' && second != '*' {
			return hclsyntax.OpDivide, 1, 6
		}
	case '%':
		return hclsyntax.OpModulo, 1, 6
	}
	return nil, 0, 0
}

// binary reads operands joined by operators of at least a precedence.
func (q *quick) binary(least int) (hclsyntax.Expression, bool) {
	left, ok := q.operand()
	if !ok {
		return nil, false
	}
	for {
		mark := q.mark()
		if !q.space() {
			return nil, false
		}
		op, n, rank := q.operator()
		if op == nil || rank < least {
			q.back(mark)
			return left, true
		}
		q.i += n
		right, ok := q.binary(rank + 1)
		if !ok {
			return nil, false
		}
		if q.build {
			left = &hclsyntax.BinaryOpExpr{LHS: left, Op: op, RHS: right, SrcRange: hcl.RangeBetween(left.Range(), right.Range())}
		}
	}
}

// operand reads a term and the steps into it.
func (q *quick) operand() (hclsyntax.Expression, bool) {
	if q.depth++; q.depth > deepest {
		return nil, false
	}
	defer func() { q.depth-- }()
	if !q.space() {
		return nil, false
	}
	from := q.at(q.i)
	c := q.peek()
	if identStart(c) {
		return q.named(from)
	}
	var x hclsyntax.Expression
	var ok bool
	switch {
	case c == '"':
		x, ok = q.template(from)
	case c >= '0' && c <= '9':
		x, ok = q.number(from)
	case c == '(':
		q.i++
		var inner hclsyntax.Expression
		ok = q.within(')', func() (ok bool) { inner, ok = q.expr(); return })
		if q.build && ok {
			x = &hclsyntax.ParenthesesExpr{Expression: inner, SrcRange: q.span(from)}
		}
	case c == '[':
		x, ok = q.tuple(from)
	case c == '{':
		x, ok = q.object(from)
	case c == '<':
		return q.heredoc(from)
	case c == '-' || c == '!' && q.next(1) != '=':
		q.i++
		sign := q.span(from)
		inner, ok := q.operand()
		if !ok || !q.build {
			return nil, ok
		}
		op := hclsyntax.OpNegate
		if c == '!' {
			op = hclsyntax.OpLogicalNot
		}
		return &hclsyntax.UnaryOpExpr{Op: op, Val: inner, SrcRange: hcl.RangeBetween(sign, inner.Range()), SymbolRange: sign}, true
	}
	if !ok {
		return nil, false
	}
	return q.steps(x, from, "")
}

// number reads a number without exponent.
func (q *quick) number(from hcl.Pos) (hclsyntax.Expression, bool) {
	n, digits, point := int64(0), 0, false
	for ; q.i < len(q.src); q.i++ {
		c := q.src[q.i]
		if c == '.' && !point && q.next(1) >= '0' && q.next(1) <= '9' {
			point = true
			continue
		}
		if c < '0' || c > '9' {
			break
		}
		n = n*10 + int64(c-'0')
		if digits++; digits > 15 {
			return nil, false
		}
	}
	if c := q.peek(); c == '.' || c >= 0x80 || identStart(c) {
		return nil, false
	}
	if !q.build {
		return nil, true
	}
	at := q.span(from)
	if point {
		v, err := cty.ParseNumberVal(string(q.src[from.Byte:q.i]))
		return &hclsyntax.LiteralValueExpr{Val: v, SrcRange: at}, err == nil
	}
	return &hclsyntax.LiteralValueExpr{Val: cty.NumberIntVal(n), SrcRange: at}, true
}

// named reads what begins with a name: a keyword, a call or a traversal.
func (q *quick) named(from hcl.Pos) (hclsyntax.Expression, bool) {
	name, _ := q.ident()
	if q.peek() >= 0x80 {
		return nil, false
	}
	at := q.span(from)
	mark := q.mark()
	if !q.space() {
		return nil, false
	}
	switch {
	case q.peek() == '(':
		return q.call(name, at, from)
	case q.peek() == ':' && q.next(1) == ':':
		return nil, false
	}
	q.back(mark)
	var v cty.Value
	switch name {
	case "true":
		v = cty.True
	case "false":
		v = cty.False
	case "null":
		v = cty.NullVal(cty.DynamicPseudoType)
	default:
		var x hclsyntax.Expression
		if q.build {
			x = &hclsyntax.ScopeTraversalExpr{Traversal: hcl.Traversal{hcl.TraverseRoot{Name: name, SrcRange: at}}, SrcRange: at}
		}
		root := name
		for _, own := range q.vars {
			if own == name {
				root = "" // a name of a for expression
			}
		}
		return q.steps(x, from, root)
	}
	if !q.build {
		return q.steps(nil, from, "")
	}
	return q.steps(&hclsyntax.LiteralValueExpr{Val: v, SrcRange: at}, from, "")
}

// call reads the arguments of a function.
func (q *quick) call(name string, at hcl.Range, from hcl.Pos) (hclsyntax.Expression, bool) {
	open := q.at(q.i)
	q.i++
	opened := q.span(open)
	var args []hclsyntax.Expression
	final := false
	ok := q.within(')', func() bool {
		for {
			if !q.space() {
				return false
			}
			if q.peek() == ')' {
				return true
			}
			x, ok := q.expr()
			if !ok || !q.space() {
				return false
			}
			if q.build {
				args = append(args, x)
			}
			switch q.peek() {
			case ',':
				q.i++
			case '.':
				if q.next(1) != '.' || q.next(2) != '.' {
					return false
				}
				q.i += 3
				final = true
				return true
			default:
				return true
			}
		}
	})
	if !ok {
		return nil, false
	}
	if !q.build {
		return q.steps(nil, from, "")
	}
	last := q.at(q.i - 1)
	return q.steps(&hclsyntax.FunctionCallExpr{Name: name, Args: args, ExpandFinal: final, NameRange: at, OpenParenRange: opened, CloseParenRange: q.span(last)}, from, "")
}

// steps reads the steps that follow a term. root is the name of the host's that
// a traversal begins with, "" for other terms.
func (q *quick) steps(x hclsyntax.Expression, from hcl.Pos, root string) (hclsyntax.Expression, bool) {
	for n := 1; ; n++ {
		mark := q.mark()
		if !q.space() {
			return nil, false
		}
		switch q.peek() {
		case '.':
			if q.next(1) == '.' && q.next(2) == '.' {
				q.back(mark)
				q.saw(root, n, "", false)
				return x, true
			}
			dot := q.at(q.i)
			q.i++
			name, ok := q.ident()
			if !ok || q.peek() >= 0x80 {
				return nil, false
			}
			q.saw(root, n, name, true)
			if q.build {
				at := q.span(dot)
				x = extend(x, hcl.TraverseAttr{Name: name, SrcRange: at}, at)
			}
		case '[':
			open := q.at(q.i)
			q.i++
			opened := q.span(open)
			var key hclsyntax.Expression
			if !q.within(']', func() (ok bool) { key, ok = q.expr(); return }) {
				return nil, false
			}
			if text := bytes.TrimSpace(q.src[opened.End.Byte : q.i-1]); len(text) > 0 && text[0] == '"' && !bytes.Contains(text, []byte("${")) {
				q.saw(root, n, "", true)
			} else {
				q.saw(root, n, "", false)
			}
			if !q.build {
				continue
			}
			at := q.span(open)
			var fixed cty.Value
			switch k := key.(type) {
			case *hclsyntax.LiteralValueExpr:
				fixed = k.Val
			case *hclsyntax.TemplateExpr:
				if k.IsStringLiteral() {
					fixed, _ = k.Value(nil)
				}
			}
			if fixed != cty.NilVal {
				x = extend(x, hcl.TraverseIndex{Key: fixed, SrcRange: at}, at)
				continue
			}
			x = &hclsyntax.IndexExpr{Collection: x, Key: key, SrcRange: hcl.Range{Filename: q.f.Name, Start: from, End: at.End}, OpenRange: opened, BracketRange: at}
		default:
			q.back(mark)
			q.saw(root, n, "", false)
			return x, true
		}
	}
}

// saw notes what a traversal reads: its nth step, by name or by a fixed index,
// or that it ends before it or goes on with what is not fixed.
func (q *quick) saw(root string, n int, name string, fixed bool) {
	switch {
	case root == "":
	case root == "config":
		if n == 1 && name != "" {
			q.read[name] = true
		}
	case root == "hosts":
		q.directives = true
	case fixed != (n == 1) && unitKinds[root]:
		// A unit's own name is one fixed step, and the end.
		q.directives = q.directives || n < 3
	}
}

// extend adds a step to an expression as hclsyntax does.
func extend(x hclsyntax.Expression, step hcl.Traverser, at hcl.Range) hclsyntax.Expression {
	switch t := x.(type) {
	case *hclsyntax.ScopeTraversalExpr:
		t.Traversal = append(t.Traversal, step)
		t.SrcRange = hcl.RangeBetween(t.SrcRange, at)
		return t
	case *hclsyntax.RelativeTraversalExpr:
		t.Traversal = append(t.Traversal, step)
		t.SrcRange = hcl.RangeBetween(t.SrcRange, at)
		return t
	}
	return &hclsyntax.RelativeTraversalExpr{Source: x, Traversal: hcl.Traversal{step}, SrcRange: hcl.RangeBetween(x.Range(), at)}
}

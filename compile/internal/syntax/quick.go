package syntax

import (
	"bytes"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// quick reads the plain part of HCL that nearly all of a configuration is
// made of, several times faster than hclsyntax: blocks, attributes, strings
// without escapes, numbers, lists, objects, references. Expressions beyond that
// are cut out and given to hclsyntax. On anything that it does not know for
// certain (a mistake, a heredoc, text beyond ASCII) it gives up, and hclsyntax
// reads the whole file: so the language and its messages are hclsyntax's.
type quick struct {
	f    *File
	src  []byte
	i    int
	line int
	bol  int // offset of the line's first byte
	read map[string]bool
	deep int
}

func (f *File) quick(reads map[string]bool) ([]*Block, bool) {
	for _, c := range f.Src {
		if c >= 0x80 || c == '\f' || c == '\v' {
			return nil, false
		}
	}
	q := &quick{f: f, src: f.Src, line: 1, read: reads}
	blocks, attrs, ok := q.body(false)
	if !ok || q.i != len(q.src) || len(attrs) > 0 {
		return nil, false
	}
	return blocks, true
}

func (q *quick) peek() byte {
	if q.i < len(q.src) {
		return q.src[q.i]
	}
	return 0
}

func (q *quick) at(i int) hcl.Pos { return hcl.Pos{Line: q.line, Column: i - q.bol + 1, Byte: i} }

func (q *quick) span(from hcl.Pos) hcl.Range {
	return hcl.Range{Filename: q.f.Name, Start: from, End: q.at(q.i)}
}

// blanks skips blanks within a line.
func (q *quick) blanks() {
	for q.i < len(q.src) && (q.src[q.i] == ' ' || q.src[q.i] == '\t') {
		q.i++
	}
}

// newline takes a line end; the end of the file counts as one.
func (q *quick) newline() bool {
	if q.peek() == '\r' && q.i+1 < len(q.src) && q.src[q.i+1] == '\n' {
		q.i++
	}
	if q.i == len(q.src) {
		return true
	}
	if q.src[q.i] != '\n' {
		return false
	}
	q.i++
	q.line++
	q.bol = q.i
	return true
}

// comment skips a comment that goes to the end of its line.
func (q *quick) comment() {
	if q.peek() == '#' || q.peek() == '/' && q.i+1 < len(q.src) && q.src[q.i+1] == '/' {
		n := bytes.IndexByte(q.src[q.i:], '\n')
		if n < 0 {
			n = len(q.src) - q.i
		}
		q.i += n
	}
}

// endOfLine takes blanks, a comment and the line end.
func (q *quick) endOfLine() bool {
	q.blanks()
	q.comment()
	return q.newline()
}

func identStart(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_'
}

func (q *quick) ident() (string, bool) {
	from := q.i
	if !identStart(q.peek()) {
		return "", false
	}
	for q.i < len(q.src) {
		c := q.src[q.i]
		if !identStart(c) && c != '-' && (c < '0' || c > '9') {
			break
		}
		q.i++
	}
	return string(q.src[from:q.i]), true
}

// body reads items up to the end of the file, or the brace that closes it.
func (q *quick) body(inside bool) (blocks []*Block, attrs []*Attr, ok bool) {
	for {
		q.blanks()
		switch c := q.peek(); {
		case q.i == len(q.src):
			return blocks, attrs, !inside
		case c == '\n' || c == '\r':
			if !q.newline() {
				return nil, nil, false
			}
			continue
		case c == '#' || c == '/':
			was := q.i
			if q.comment(); q.i == was || !q.newline() {
				return nil, nil, false
			}
			continue
		case c == '}':
			return blocks, attrs, inside
		}
		b, a, ok := q.item()
		if !ok || !q.endOfLine() {
			return nil, nil, false
		}
		if b != nil {
			blocks = append(blocks, b)
			continue
		}
		for _, old := range attrs {
			if old.Name == a.Name {
				return nil, nil, false
			}
		}
		attrs = append(attrs, a)
	}
}

// item reads a block or an attribute.
func (q *quick) item() (*Block, *Attr, bool) {
	from := q.at(q.i)
	name, ok := q.ident()
	if !ok {
		return nil, nil, false
	}
	nameAt := q.span(from)
	q.blanks()
	if q.peek() == '=' {
		a, ok := q.attr(name, nameAt)
		return nil, a, ok
	}
	b := &Block{File: q.f, Kind: name, Byte: from.Byte, Header: nameAt}
	for q.peek() != '{' {
		at := q.at(q.i)
		label := ""
		if q.peek() == '"' {
			label, ok = q.plain()
		} else {
			label, ok = q.ident()
		}
		if !ok {
			return nil, nil, false
		}
		b.Labels = append(b.Labels, Label{label, q.span(at)})
		b.Header.End = q.at(q.i)
		q.blanks()
	}
	q.i++
	if q.deep++; q.deep > MaxNesting {
		return nil, nil, false
	}
	if name == "config" && len(b.Labels) > 0 {
		q.read[b.Labels[0].Name] = true
	}
	q.blanks()
	switch c := q.peek(); {
	case c == '\n' || c == '\r' || c == '#' || c == '/':
		if !q.endOfLine() {
			return nil, nil, false
		}
		if b.Blocks, b.Attrs, ok = q.body(true); !ok {
			return nil, nil, false
		}
	case c != '}':
		// A block on one line has one attribute.
		_, a, ok := q.item()
		if !ok || a == nil {
			return nil, nil, false
		}
		b.Attrs = []*Attr{a}
		q.blanks()
	}
	if q.peek() != '}' {
		return nil, nil, false
	}
	q.i++
	q.deep--
	return b, nil, true
}

func (q *quick) attr(name string, at hcl.Range) (*Attr, bool) {
	q.i++
	if q.peek() == '=' {
		return nil, false
	}
	q.blanks()
	from := q.i
	x, ok := q.whole()
	if !ok {
		return nil, false
	}
	a := NewAttr(q.f, name, at, x)
	a.Lit = q.f.literal(x)
	if a.Lit.Kind == LitNone && bytes.Contains(q.src[from:q.i], []byte("config")) {
		for _, t := range x.Variables() {
			if len(t) > 1 && t.RootName() == "config" {
				if s, ok := t[1].(hcl.TraverseAttr); ok {
					q.read[s.Name] = true
				}
			}
		}
	}
	return a, true
}

// whole reads a whole expression: the plain way where that ends where the
// expression does, else by hclsyntax.
func (q *quick) whole() (hclsyntax.Expression, bool) {
	i, line, bol := q.i, q.line, q.bol
	if x, ok := q.expr(0); ok {
		j := q.i
		q.blanks()
		switch c := q.peek(); {
		case q.i == len(q.src), c == '\n', c == '\r', c == '#', c == '}', c == '/' && q.i+1 < len(q.src) && q.src[q.i+1] == '/':
			q.i = j
			return x, true
		}
	}
	q.i, q.line, q.bol = i, line, bol
	start := q.at(i)
	if !q.skip() {
		return nil, false
	}
	end := q.i
	for end > i && (q.src[end-1] == ' ' || q.src[end-1] == '\t' || q.src[end-1] == '\r') {
		end--
	}
	q.i = end
	x, hd := hclsyntax.ParseExpression(q.src[i:end], q.f.Name, start)
	return x, len(hd) == 0 && end > i
}

// skip goes over an expression to the end of its line.
func (q *quick) skip() bool {
	depth := 0
	for q.i < len(q.src) {
		switch c := q.src[q.i]; c {
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			if depth == 0 {
				return c == '}'
			}
			depth--
		case '"':
			if !q.skipString(0) {
				return false
			}
			continue
		case '#':
			if depth == 0 {
				return true
			}
			q.comment()
			continue
		case '/':
			if q.i+1 < len(q.src) {
				switch q.src[q.i+1] {
				case '*':
					return false
				case '/':
					if depth == 0 {
						return true
					}
					q.comment()
					continue
				}
			}
		case '<':
			if q.i+1 < len(q.src) && q.src[q.i+1] == '<' {
				return false
			}
		case '\n':
			if depth == 0 {
				return true
			}
			q.line++
			q.bol = q.i + 1
		}
		q.i++
	}
	return depth == 0
}

// skipString goes over a quoted template.
func (q *quick) skipString(deep int) bool {
	if deep > MaxNesting {
		return false
	}
	q.i++
	for q.i < len(q.src) {
		switch c := q.src[q.i]; c {
		case '"':
			q.i++
			return true
		case '\\':
			q.i++
		case '\n', '\r':
			return false
		case '$', '%':
			if q.i+2 < len(q.src) && q.src[q.i+1] == c && q.src[q.i+2] == '{' {
				q.i += 2
			} else if q.i+1 < len(q.src) && q.src[q.i+1] == '{' {
				q.i += 2
				if !q.skipTemplate(deep + 1) {
					return false
				}
				continue
			}
		}
		q.i++
	}
	return false
}

// skipTemplate goes over what stands in ${…}, the closing brace included.
func (q *quick) skipTemplate(deep int) bool {
	depth := 0
	for q.i < len(q.src) {
		switch q.src[q.i] {
		case '{':
			depth++
		case '}':
			if depth == 0 {
				q.i++
				return true
			}
			depth--
		case '"':
			if !q.skipString(deep) {
				return false
			}
			continue
		case '\n', '\r', '#', '<':
			return false
		}
		q.i++
	}
	return false
}

// plain reads a quoted string without escapes and templates.
func (q *quick) plain() (string, bool) {
	q.i++
	from := q.i
	for q.i < len(q.src) {
		switch c := q.src[q.i]; {
		case c == '"':
			s := string(q.src[from:q.i])
			q.i++
			return s, true
		case c == '\\' || c < 0x20:
			return "", false
		case (c == '$' || c == '%') && q.i+1 < len(q.src) && q.src[q.i+1] == '{':
			return "", false
		}
		q.i++
	}
	return "", false
}

// expr reads a plain expression.
func (q *quick) expr(deep int) (hclsyntax.Expression, bool) {
	if deep > 50 {
		return nil, false
	}
	from := q.at(q.i)
	switch c := q.peek(); {
	case c == '"':
		s, ok := q.plain()
		if !ok {
			return nil, false
		}
		at := q.span(from)
		inner := at
		inner.Start.Column++
		inner.Start.Byte++
		inner.End.Column--
		inner.End.Byte--
		if s == "" {
			inner.Start, inner.End = at.End, at.End // as hclsyntax has it
		}
		return &hclsyntax.TemplateExpr{Parts: []hclsyntax.Expression{&hclsyntax.LiteralValueExpr{Val: cty.StringVal(s), SrcRange: inner}}, SrcRange: at}, true
	case c >= '0' && c <= '9':
		return q.number(from)
	case c == '[':
		return q.tuple(from, deep)
	case c == '{':
		return q.object(from, deep)
	case identStart(c):
		return q.reference(from)
	}
	return nil, false
}

func (q *quick) number(from hcl.Pos) (hclsyntax.Expression, bool) {
	n := int64(0)
	for q.i < len(q.src) && q.src[q.i] >= '0' && q.src[q.i] <= '9' {
		if n = n*10 + int64(q.src[q.i]-'0'); n > 1<<53 {
			return nil, false
		}
		q.i++
	}
	if c := q.peek(); c == '.' || identStart(c) {
		return nil, false
	}
	return &hclsyntax.LiteralValueExpr{Val: cty.NumberIntVal(n), SrcRange: q.span(from)}, true
}

// reference reads a keyword or a traversal by names.
func (q *quick) reference(from hcl.Pos) (hclsyntax.Expression, bool) {
	name, _ := q.ident()
	at := q.span(from)
	if q.peek() != '.' {
		switch name {
		case "true":
			return &hclsyntax.LiteralValueExpr{Val: cty.True, SrcRange: at}, true
		case "false":
			return &hclsyntax.LiteralValueExpr{Val: cty.False, SrcRange: at}, true
		case "null":
			return &hclsyntax.LiteralValueExpr{Val: cty.NullVal(cty.DynamicPseudoType), SrcRange: at}, true
		}
	}
	t := hcl.Traversal{hcl.TraverseRoot{Name: name, SrcRange: at}}
	for q.peek() == '.' {
		dot := q.at(q.i)
		q.i++
		step, ok := q.ident()
		if !ok {
			return nil, false
		}
		t = append(t, hcl.TraverseAttr{Name: step, SrcRange: q.span(dot)})
	}
	if c := q.peek(); c == '(' || c == '[' || c == ':' || name == "true" || name == "false" || name == "null" || name == "for" {
		return nil, false
	}
	return &hclsyntax.ScopeTraversalExpr{Traversal: t, SrcRange: q.span(from)}, true
}

// gap skips blanks, line ends and comments inside brackets.
func (q *quick) gap() {
	for {
		q.blanks()
		switch c := q.peek(); {
		case q.i == len(q.src):
			return
		case c == '\n' || c == '\r':
			if !q.newline() {
				return
			}
		case c == '#', c == '/' && q.i+1 < len(q.src) && q.src[q.i+1] == '/':
			q.comment()
		default:
			return
		}
	}
}

func (q *quick) tuple(from hcl.Pos, deep int) (hclsyntax.Expression, bool) {
	q.i++
	x := &hclsyntax.TupleConsExpr{OpenRange: q.span(from)}
	for {
		q.gap()
		if q.peek() == ']' {
			break
		}
		e, ok := q.expr(deep + 1)
		if !ok {
			return nil, false
		}
		x.Exprs = append(x.Exprs, e)
		q.gap()
		switch q.peek() {
		case ',':
			q.i++
		case ']':
		default:
			return nil, false
		}
	}
	q.i++
	x.SrcRange = q.span(from)
	return x, true
}

func (q *quick) object(from hcl.Pos, deep int) (hclsyntax.Expression, bool) {
	q.i++
	x := &hclsyntax.ObjectConsExpr{OpenRange: q.span(from)}
	for {
		q.gap()
		if q.peek() == '}' {
			break
		}
		at := q.at(q.i)
		var key hclsyntax.Expression
		ok := false
		if q.peek() == '"' {
			key, ok = q.expr(deep + 1)
		} else if name, is := q.ident(); is && name != "for" {
			r := q.span(at)
			key, ok = &hclsyntax.ScopeTraversalExpr{Traversal: hcl.Traversal{hcl.TraverseRoot{Name: name, SrcRange: r}}, SrcRange: r}, true
		}
		if !ok {
			return nil, false
		}
		q.blanks()
		if q.peek() != '=' || q.i+1 < len(q.src) && (q.src[q.i+1] == '=' || q.src[q.i+1] == '>') {
			return nil, false
		}
		q.i++
		q.blanks()
		v, ok := q.expr(deep + 1)
		if !ok {
			return nil, false
		}
		x.Items = append(x.Items, hclsyntax.ObjectConsItem{KeyExpr: &hclsyntax.ObjectConsKeyExpr{Wrapped: key}, ValueExpr: v})
		// Items end at a comma or at the end of the line.
		q.blanks()
		switch c := q.peek(); {
		case c == ',':
			q.i++
		case c == '}':
		case c == '\n' || c == '\r' || c == '#':
		default:
			return nil, false
		}
	}
	q.i++
	x.SrcRange = q.span(from)
	return x, true
}

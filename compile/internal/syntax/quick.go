package syntax

import (
	"bytes"
	"unicode"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/unitgen/unitgen/schema/unitname"
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
	bol  int // offset of the line's first byte, so that a column is i - bol + 1; later by the bytes that letters before i have beyond one

	deep  int  // of blocks
	depth int  // of expressions
	lines bool // line ends mean something
	build bool // expressions are made, not only read over
	lazy  bool // in a block of directives
	vars  []string

	read       map[string]bool // namespaces of config that are read
	directives bool            // something may read a directive of a unit
}

func (f *File) quick(reads map[string]bool) ([]*Block, bool) {
	q := &quick{f: f, src: f.Src, line: 1, read: reads, lines: true}
	blocks, attrs, ok := q.body(false)
	if !ok || q.i != len(q.src) || len(attrs) > 0 {
		return nil, false
	}
	f.ReadsDirectives = q.directives
	return blocks, true
}

// mark is a place to go back to.
type mark struct{ i, line, bol int }

func (q *quick) mark() mark { return mark{q.i, q.line, q.bol} }

func (q *quick) back(m mark) { q.i, q.line, q.bol = m.i, m.line, m.bol }

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

// blanks skips blanks and comments within a line.
func (q *quick) blanks() {
	for q.i < len(q.src) {
		switch c := q.src[q.i]; {
		case c == ' ' || c == '\t':
			q.i++
		case c == '/' && q.next(1) == '*':
			if !q.blockComment() {
				return
			}
		default:
			return
		}
	}
}

// blockComment takes a comment that has an end mark.
func (q *quick) blockComment() bool {
	n := bytes.Index(q.src[q.i+2:], []byte("*/"))
	if n < 0 {
		return false
	}
	was := q.mark()
	for end := q.i + n + 4; q.i < end; {
		switch c := q.src[q.i]; {
		case c == '\n':
			q.i++
			q.line++
			q.bol = q.i
		case c >= 0x80:
			if !q.letter() {
				q.back(was)
				return false
			}
		default:
			q.i++
		}
	}
	return true
}

// letter takes a letter beyond ASCII that counts as one column and is spelled
// in one way; of others, hclsyntax knows.
func (q *quick) letter() bool {
	r, n := utf8.DecodeRune(q.src[q.i:])
	if !unicode.Is(letters, r) {
		return false
	}
	q.i += n
	q.bol += n - 1
	return true
}

// letters are characters that never join their neighbours, and that Unicode's
// normal form C leaves as they are.
var letters = &unicode.RangeTable{R16: []unicode.Range16{
	{Lo: 0xa1, Hi: 0xac, Stride: 1}, {Lo: 0xae, Hi: 0x2ff, Stride: 1}, {Lo: 0x391, Hi: 0x3a1, Stride: 1}, {Lo: 0x3a3, Hi: 0x3ce, Stride: 1},
	{Lo: 0x400, Hi: 0x482, Stride: 1}, {Lo: 0x48a, Hi: 0x52f, Stride: 1}, {Lo: 0x2010, Hi: 0x2027, Stride: 1}, {Lo: 0x2030, Hi: 0x205e, Stride: 1},
	{Lo: 0x20a0, Hi: 0x20bf, Stride: 1}, {Lo: 0x2190, Hi: 0x2193, Stride: 1}, {Lo: 0x2500, Hi: 0x257f, Stride: 1},
	{Lo: 0x3041, Hi: 0x3096, Stride: 1}, {Lo: 0x30a1, Hi: 0x30fa, Stride: 1}, {Lo: 0x4e00, Hi: 0x9fff, Stride: 1},
}, LatinOffset: 0}

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
	defer func(was bool) { q.lazy = was }(q.lazy)
	q.lazy = directiveKinds[name] || q.lazy && name == "section"
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

// directiveKinds are the blocks that hold directives.
var directiveKinds = func() map[string]bool {
	m := map[string]bool{"dropin": true, "action": true}
	for k := range unitKinds {
		m[k] = true
	}
	return m
}()

var unitKinds = func() map[string]bool {
	m := map[string]bool{}
	for _, t := range unitname.Types {
		m[t] = true
	}
	return m
}()

// attr reads an attribute from its equals sign on.
func (q *quick) attr(name string, at hcl.Range) (*Attr, bool) {
	q.i++
	if q.peek() == '=' {
		return nil, false
	}
	q.blanks()
	start := q.mark()
	a := &Attr{Name: name, file: q.f, name: spanOf(at)}
	if q.lazy && name[0] >= 'A' && name[0] <= 'Z' {
		from := q.at(q.i)
		if lit, ok := q.literal(); ok && q.ends() {
			a.Lit, a.at = lit, spanOf(q.span(from))
			return a, true
		}
		q.back(start)
		if _, ok := q.expr(); ok && q.ends() {
			a.at = spanOf(q.span(from))
			return a, true
		}
		q.back(start)
	}
	q.build = true
	x, ok := q.expr()
	q.build = false
	if !ok || !q.ends() {
		q.back(start)
		if x, ok = q.whole(); !ok {
			return nil, false
		}
	}
	a.expr, a.at, a.Lit = x, spanOf(x.Range()), q.f.literal(x)
	return a, true
}

// ends reports whether an attribute may end here.
func (q *quick) ends() bool {
	m := q.mark()
	defer q.back(m)
	if !q.space() {
		return false
	}
	switch q.peek() {
	case '\n', '\r', '#', '}':
		return true
	case '/':
		return q.next(1) == '/'
	}
	return q.i == len(q.src)
}

// whole lets hclsyntax read an expression.
func (q *quick) whole() (hclsyntax.Expression, bool) {
	i := q.i
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
	if len(hd) > 0 || end == i {
		return nil, false
	}
	q.directives = readsOf(x, q.read) || q.directives
	stoppableIn(x)
	return x, true
}

// readsOf notes the namespaces of config that an expression reads, and reports
// whether it may read a directive of a unit.
func readsOf(x hclsyntax.Expression, config map[string]bool) (directives bool) {
	for _, t := range x.Variables() {
		root := t.RootName()
		if len(t) > 1 && root == "config" {
			if s, ok := t[1].(hcl.TraverseAttr); ok {
				config[s.Name] = true
			}
		}
		_, splat := t[len(t)-1].(hcl.TraverseSplat)
		directives = directives || splat || root == "hosts" || unitKinds[root] && len(t) != 2
	}
	return directives
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
		default:
			if c >= 0x80 {
				return false
			}
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
		default:
			if c >= 0x80 {
				if !q.letter() {
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
		default:
			if q.src[q.i] >= 0x80 {
				return false
			}
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
		case c >= 0x80:
			if !q.letter() {
				return "", false
			}
			continue
		case (c == '$' || c == '%') && q.i+1 < len(q.src) && q.src[q.i+1] == '{':
			return "", false
		}
		q.i++
	}
	return "", false
}

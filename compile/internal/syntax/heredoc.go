package syntax

import (
	"bytes"
	"unicode"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// piece is a part of a heredoc: literal text, or an expression.
type piece struct {
	text       []byte
	start, end hcl.Pos
	blanks     int // that begin its line; -1 where it begins none, or is blank as a whole
	interp     bool
	expr       hclsyntax.Expression // of an interp, when it is made
}

// heredoc reads a text of several lines.
func (q *quick) heredoc(from hcl.Pos) (hclsyntax.Expression, bool) {
	pieces, ok := q.lineText()
	if !ok {
		return nil, false
	}
	if !q.build {
		return q.steps(nil, from, "")
	}
	var parts []hclsyntax.Expression
	for i := 0; i < len(pieces); {
		p := pieces[i]
		if p.interp {
			parts = append(parts, p.expr)
			i++
			continue
		}
		var b []byte
		at := hcl.Range{Filename: q.f.Name, Start: p.start}
		for ; i < len(pieces) && !pieces[i].interp; i++ {
			b = append(b, pieces[i].text...)
			at.End = pieces[i].end
		}
		parts = append(parts, &hclsyntax.LiteralValueExpr{Val: cty.StringVal(string(b)), SrcRange: at})
	}
	return q.steps(&hclsyntax.TemplateExpr{Parts: parts, SrcRange: q.span(from)}, from, "")
}

// lineText reads a heredoc to its end mark. Indentation is taken away as
// hclsyntax does it.
func (q *quick) lineText() (list []piece, ok bool) {
	if q.next(1) != '<' {
		return nil, false
	}
	q.i += 2
	flush := q.peek() == '-'
	if flush {
		q.i++
	}
	mark, ok := q.ident()
	if c := q.peek(); !ok || c != '\n' && (c != '\r' || q.next(1) != '\n') || !q.newline() {
		return nil, false
	}
	least := -1
	for begins := true; ; {
		n := bytes.IndexByte(q.src[q.i:], '\n')
		if n < 0 {
			return nil, false
		}
		line := q.src[q.i : q.i+n+1]
		if begins && string(bytes.TrimSpace(line)) == mark {
			break
		}
		text, ok := unescape(line)
		if !ok {
			return nil, false
		}
		if text.length == 0 { // ${ at once
			if begins {
				least = 0
			}
		} else {
			p := piece{text: text.value, start: q.at(q.i), blanks: -1}
			if begins {
				if p.blanks, ok = indentation(line[:text.length]); !ok {
					return nil, false
				}
				if p.blanks >= 0 && (least < 0 || p.blanks < least) {
					least = p.blanks
				}
			}
			if !q.over(text.length) {
				return nil, false
			}
			p.end = q.at(q.i)
			list = append(list, p)
		}
		if begins = text.length == len(line); begins {
			continue
		}
		q.i += 2 // ${
		if q.peek() == '~' {
			return nil, false
		}
		p := piece{interp: true, blanks: -1}
		if !q.within('}', func() (ok bool) { p.expr, ok = q.expr(); return }) {
			return nil, false
		}
		list = append(list, p)
	}
	for c := q.peek(); c != '\n' && c != '\r'; c = q.peek() {
		if c >= 0x80 {
			return nil, false
		}
		q.i++
	}
	if flush {
		for i := range list {
			if p := &list[i]; p.blanks >= 0 {
				p.text = p.text[least:]
				p.start.Column += least
				p.start.Byte += least
			}
		}
	}
	if len(list) == 0 {
		list = append(list, piece{start: q.at(q.i), end: q.at(q.i)})
	}
	return list, true
}

// over goes over literal text of a line, perhaps to its end.
func (q *quick) over(n int) bool {
	end := q.i + n
	if q.src[end-1] == '\n' {
		q.i = end
		q.line++
		q.bol = q.i
		return true
	}
	for q.i < end {
		switch c := q.src[q.i]; {
		case c >= 0x80:
			if !q.letter() {
				return false
			}
		case c < 0x20 && c != '\t':
			return false
		default:
			q.i++
		}
	}
	return true
}

// indentation counts the blanks that begin a line, -1 for a blank line.
func indentation(line []byte) (int, bool) {
	n := 0
	for n < len(line) && (line[n] == ' ' || line[n] == '\t') {
		n++
	}
	rest := line[n:]
	switch r, _ := utf8.DecodeRune(rest); {
	case len(rest) == 0:
		return n, true
	case r == '\n', r == '\r' && len(rest) == 2:
		return -1, true
	default:
		return n, !unicode.IsSpace(r)
	}
}

// literalText is what stands in a line before the next ${.
type literalText struct {
	value  []byte // with $${ and %%{ as they are meant
	length int    // in the source
}

// unescape reads the literal text that a line begins with; false where a
// directive of the template language stands in it.
func unescape(line []byte) (literalText, bool) {
	if bytes.IndexByte(line, '{') < 0 {
		return literalText{line, len(line)}, true
	}
	var b []byte
	for i := 0; i < len(line); i++ {
		c := line[i]
		if (c == '$' || c == '%') && i+1 < len(line) {
			if line[i+1] == '{' {
				return literalText{b, i}, c == '$'
			}
			if line[i+1] == c && i+2 < len(line) && line[i+2] == '{' {
				b = append(b, c, '{')
				i += 2
				continue
			}
		}
		b = append(b, c)
	}
	return literalText{b, len(line)}, true
}

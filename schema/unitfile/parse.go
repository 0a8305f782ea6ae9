package unitfile

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/unitgen/unitgen/schema/diag"
)

// MaxLine is the longest logical line, in bytes, continuations joined. systemd
// refuses a file with a longer one.
const MaxLine = 1 << 20

// MaxLines is the largest number of logical lines. systemd has no such limit;
// it bounds the memory that a hostile file can take.
const MaxLines = 1 << 18

// Codes of the diagnostics of this package.
const (
	CodeLongLine    = "E1001"
	CodeManyLines   = "E1002"
	CodeHeader      = "E1003"
	CodeNoSection   = "E1004"
	CodeNoEquals    = "E1005"
	CodeNoKey       = "E1006"
	CodeEncoding    = "E1007"
	CodeUnreadable  = "E1008"
	CodeControlChar = "E1009"
)

const (
	whitespace = " \t\n\r"
	bom        = "\xef\xbb\xbf"
)

// Read reads at most limit bytes and parses them; more is an error. The
// placeholder of a failure is an empty file.
func Read(name string, r io.Reader, limit int64) (*File, diag.List) {
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("it is larger than %d bytes", limit)
	}
	if err != nil {
		return &File{}, diag.List{diag.Errorf(CodeUnreadable, "Unreadable unit file", diag.Range{File: name}, "%v.", err)}
	}
	return Parse(name, data)
}

// Parse takes a unit file apart as systemd does (systemd.syntax(7)). What
// systemd ignores with a warning becomes a line of kind Invalid and a warning;
// what makes it refuse the whole file is an error, and the file holds all that
// was understood before. Every byte is kept: Bytes gives data back.
func Parse(name string, data []byte) (*File, diag.List) {
	p := &parser{name: name, s: string(data), line: 1}
	p.run()
	return &File{Lines: p.out}, p.diags
}

// parser goes through the physical lines of s.
type parser struct {
	name  string
	s     string
	at    int // offset of the next physical line
	line  int // its number
	out   []Line
	diags diag.List

	section string // the section that assignments belong to
	ignored bool   // a header that was wrong came before any section
	seenBOM bool

	// The logical line under way.
	start, startLine int
	joined           []byte
	open             bool
}

// physical gives the bounds of the next physical line without its end, and the
// offset after the end. systemd takes "\n", "\r" and NUL for line ends, and a
// combination of different ones for a single end; a NUL always is the last.
func (p *parser) physical() (from, to, next int) {
	from = p.at
	i := strings.IndexAny(p.s[from:], "\n\r\x00")
	if i < 0 {
		return from, len(p.s), len(p.s)
	}
	to = from + i
	next = to
	seen := 0
	for next < len(p.s) {
		bit := 0
		switch p.s[next] {
		case 0:
			bit = 1
		case '\n':
			bit = 2
		case '\r':
			bit = 4
		}
		if bit == 0 || seen&bit != 0 || seen&1 != 0 {
			break
		}
		seen |= bit
		next++
	}
	return from, to, next
}

func (p *parser) run() {
	p.out = make([]Line, 0, min(strings.Count(p.s, "\n")+1, 1024))
	for p.at < len(p.s) {
		from, to, next := p.physical()
		line := p.line
		p.line += strings.Count(p.s[to:next], "\n")
		if p.line == line {
			p.line++ // ended by "\r" or NUL alone, or at the end of the file
		}
		p.at = next
		if len(p.out) >= MaxLines {
			p.rest(CodeManyLines, "Too many lines", from, line, fmt.Sprintf("The file has more than %d lines; what follows is not read.", MaxLines))
			return
		}
		if to-from > MaxLine {
			p.rest(CodeLongLine, "Line too long", p.from(from), line, fmt.Sprintf("A line of %d bytes stands here, and systemd reads at most %d; it refuses the whole file.", to-from, MaxLine))
			return
		}
		text := p.s[from:to]
		if i := strings.IndexByte(text, 0); i >= 0 {
			text = text[:i]
		}
		// A comment may stand anywhere, also between continuation lines.
		if t := strings.TrimLeft(text, whitespace); t != "" && (t[0] == '#' || t[0] == ';') {
			if !p.open {
				p.emit(Line{Kind: Comment, Pos: p.span(from, to, line)}, from, to, next)
			}
			continue
		}
		if !p.seenBOM {
			if rest, ok := strings.CutPrefix(text, bom); ok {
				text, p.seenBOM = rest, true
			}
		}
		if !p.open {
			p.start, p.startLine = from, line
		} else if len(p.joined)+len(text) > MaxLine {
			p.rest(CodeLongLine, "Line too long", p.start, p.startLine, fmt.Sprintf("With its continuations the line is longer than %d bytes; systemd refuses the whole file.", MaxLine))
			return
		}
		if escapedEnd(text) {
			p.joined = append(append(p.joined, text[:len(text)-1]...), ' ')
			p.open = true
			continue
		}
		if p.open {
			text = string(append(p.joined, text...))
		}
		p.logical(text, to, next)
	}
	if p.open {
		p.logical(string(p.joined), len(p.s), len(p.s))
	}
}

// escapedEnd reports whether a line ends in a backslash that is not itself
// escaped. What was joined before cannot matter: its own last backslash became
// a space.
func escapedEnd(s string) bool {
	n := 0
	for n < len(s) && s[len(s)-1-n] == '\\' {
		n++
	}
	return n%2 == 1
}

// from gives the offset at which the line under way began.
func (p *parser) from(at int) int {
	if p.open {
		return p.start
	}
	return at
}

// rest ends the reading: all that is left becomes one invalid line.
func (p *parser) rest(code, summary string, from, line int, detail string) {
	pos := p.span(from, from, line)
	p.diags = append(p.diags, &diag.Diagnostic{Severity: diag.Error, Code: code, Summary: summary, Subject: pos, Detail: detail})
	p.emit(Line{Kind: Invalid, Pos: pos}, from, len(p.s), len(p.s))
	p.at = len(p.s)
	p.open, p.joined = false, nil
}

// emit appends a line and its exact bytes; neighbouring blank lines share one
// Line, so that a file of nothing but newlines stays small.
func (p *parser) emit(l Line, from, to, next int) {
	l.Raw, l.end, l.read = p.s[from:to], p.s[to:next], true
	l.Section = p.section
	if n := len(p.out); l.Kind == Blank && n > 0 && p.out[n-1].Kind == Blank {
		b := &p.out[n-1]
		begin := from - len(b.end) - len(b.Raw)
		b.Raw, b.end = p.s[begin:to], p.s[to:next]
		b.Pos.End = l.Pos.End
		return
	}
	p.out = append(p.out, l)
}

// logical takes one joined line apart.
func (p *parser) logical(text string, to, next int) {
	from, line := p.start, p.startLine
	p.open, p.joined = false, p.joined[:0]
	pos := p.span(from, to, line)
	t := strings.Trim(text, whitespace)
	invalid := func(sev diag.Severity, code, summary, detail string, args ...any) {
		p.emit(Line{Kind: Invalid, Pos: pos}, from, to, next)
		p.diags = append(p.diags, &diag.Diagnostic{Severity: sev, Code: code, Summary: summary, Subject: pos, Detail: fmt.Sprintf(detail, args...)})
	}
	switch {
	case t == "":
		p.emit(Line{Kind: Blank, Pos: pos}, from, to, next)
	case !utf8.ValidString(t):
		invalid(diag.Warning, CodeEncoding, "Line is not UTF-8", "systemd ignores a line with invalid UTF-8. Write it in UTF-8.")
	case t[0] == '[':
		p.header(t, pos, from, to, next, invalid)
	case p.section == "":
		if !p.ignored {
			invalid(diag.Warning, CodeNoSection, "Assignment outside of a section", "systemd ignores %q: no [Section] line stands before it.", short(t))
			return
		}
		p.emit(Line{Kind: Invalid, Pos: pos}, from, to, next)
	default:
		key, val, ok := strings.Cut(t, "=")
		switch {
		case !ok:
			invalid(diag.Warning, CodeNoEquals, "Missing '='", "systemd ignores the line %q: an assignment is written Key=value.", short(t))
		case key == "":
			invalid(diag.Warning, CodeNoKey, "Missing key before '='", "systemd ignores the line %q: an assignment is written Key=value.", short(t))
		default:
			p.emit(Line{Kind: Assignment, Key: strings.Trim(key, whitespace), Value: strings.Trim(val, whitespace), Pos: pos}, from, to, next)
		}
	}
}

// header takes a "[Section]" line. A wrong one makes systemd refuse the file.
func (p *parser) header(t string, pos diag.Range, from, to, next int, invalid func(diag.Severity, string, string, string, ...any)) {
	if t[len(t)-1] != ']' || len(t) < 2 {
		invalid(diag.Error, CodeHeader, "Invalid section header", "%q does not end in \"]\"; systemd refuses the whole file.", short(t))
		p.section, p.ignored = "", true
		return
	}
	name := t[1 : len(t)-1]
	if name == "" || strings.IndexFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }) >= 0 {
		invalid(diag.Error, CodeControlChar, "Invalid section header", "The section's name is empty or holds control characters; systemd refuses the whole file.")
		p.section, p.ignored = "", true
		return
	}
	p.section = name
	p.emit(Line{Kind: Section, Pos: pos}, from, to, next)
}

// span is the range of the physical lines of [from, to), leading and trailing
// white space left out.
func (p *parser) span(from, to, line int) diag.Range {
	text := p.s[from:to]
	text = strings.TrimRight(text, whitespace)
	lead := 0
	if strings.HasPrefix(text, bom) {
		lead = len(bom)
	}
	for lead < len(text) && strings.IndexByte(whitespace, text[lead]) >= 0 {
		lead++
	}
	r := diag.Range{File: p.name}
	r.Start = diag.Pos{Line: line, Column: lead + 1, Byte: from + lead}
	r.End = diag.Pos{Line: line, Column: utf8.RuneCountInString(text) + 1, Byte: from + len(text)}
	if i := strings.LastIndexByte(text, '\n'); i >= 0 {
		r.End.Line = line + strings.Count(text, "\n")
		r.End.Column = utf8.RuneCountInString(text[i+1:]) + 1
	}
	return r
}

// short cuts a piece of user text for a message.
func short(s string) string {
	if len(s) <= 60 {
		return s
	}
	n := 57
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "..."
}

package diag

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// RenderOptions says how diagnostics are shown.
type RenderOptions struct {
	Source func(file string) []byte // the text of a file, nil when not known
	Color  bool                     // ANSI colours; the caller knows the terminal and NO_COLOR
	Width  int                      // columns to wrap details at; 0 for 78
}

// Render writes the list for people: a headline, source snippets with the
// offending text underlined, the detail, and the related places with theirs.
func Render(w io.Writer, l List, o RenderOptions) error {
	var b strings.Builder
	r := renderer{out: &b, o: o, lines: map[string][]int{}}
	for i, d := range l {
		if i > 0 {
			b.WriteByte('\n')
		}
		r.diagnostic(d)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

type renderer struct {
	out   *strings.Builder
	o     RenderOptions
	lines map[string][]int // file -> byte offset of each line's start
}

const (
	red    = "31;1"
	yellow = "33;1"
	cyan   = "36;1"
	bold   = "1"
	dim    = "2"
)

func (r *renderer) paint(style, s string) string {
	if !r.o.Color {
		return s
	}
	return "\x1b[" + style + "m" + s + "\x1b[0m"
}

func (r *renderer) diagnostic(d *Diagnostic) {
	style := map[Severity]string{Error: red, Warning: yellow, Advice: cyan}[d.Severity]
	head := d.Severity.String()
	if d.Code != "" {
		head += "[" + d.ID() + "]"
	}
	fmt.Fprintf(r.out, "%s %s\n", r.paint(style, head+":"), r.paint(bold, printable(d.Summary)))
	if !d.Subject.IsZero() {
		r.snippet(d.Subject, d.Context, style, "^", "")
	}
	for _, rel := range d.Related {
		if rel.Range.IsZero() {
			fmt.Fprintf(r.out, "  %s %s\n", r.paint(cyan, "="), printable(rel.Message))
			continue
		}
		r.snippet(rel.Range, Range{}, cyan, "-", rel.Message)
	}
	if d.Detail != "" {
		for _, line := range wrap(printable(d.Detail), r.o.width()-2) {
			fmt.Fprintf(r.out, "  %s\n", line)
		}
	}
}

func (o RenderOptions) width() int {
	if o.Width <= 20 {
		return 78
	}
	return o.Width
}

// snippetLines is how many lines of a long range are shown.
const snippetLines = 4

// snippet shows the place and, when the text of the file is known, its lines.
func (r *renderer) snippet(at, context Range, style, mark, message string) {
	place := printable(at.String())
	if message != "" {
		place += ": " + printable(message)
	}
	fmt.Fprintf(r.out, "  %s %s\n", r.paint(dim, "-->"), place)
	src, starts := r.source(at.File)
	if src == nil || at.Start.Line == 0 || at.Start.Line > len(starts) {
		return
	}
	first, last := at.Start.Line, max(at.Start.Line, at.End.Line)
	if at.End.Line > at.Start.Line && at.End.Column <= 1 {
		last--
	}
	if context.File == at.File && context.Start.Line > 0 {
		first = max(min(first, context.Start.Line), first-snippetLines)
	}
	last = min(last, len(starts))
	gutter := len(fmt.Sprint(last))
	for n := first; n <= last; n++ {
		if n-first >= snippetLines && n < last && last-first > snippetLines {
			fmt.Fprintf(r.out, "  %*s %s\n", gutter, "", r.paint(dim, "| ..."))
			n = last
		}
		text := lineOf(src, starts, n)
		from, to := 0, len(text)
		if n == at.Start.Line {
			from = min(max(at.Start.Byte-starts[n-1], 0), len(text))
		}
		if n == at.End.Line {
			to = min(max(at.End.Byte-starts[n-1], from), len(text))
		}
		shown, a, z := window(text, from, to)
		fmt.Fprintf(r.out, "  %s %s %s\n", r.paint(dim, fmt.Sprintf("%*d", gutter, n)), r.paint(dim, "|"), shown)
		if n < at.Start.Line || n > at.End.Line && at.End.Line > 0 {
			continue
		}
		if n > at.Start.Line {
			a = len(shown) - len(strings.TrimLeft(shown, " "))
		}
		fmt.Fprintf(r.out, "  %*s %s %s%s\n", gutter, "", r.paint(dim, "|"), strings.Repeat(" ", a), r.paint(style, strings.Repeat(mark, max(z-a, 1))))
	}
}

func (r *renderer) source(file string) ([]byte, []int) {
	if r.o.Source == nil {
		return nil, nil
	}
	src := r.o.Source(file)
	if src == nil {
		return nil, nil
	}
	starts, ok := r.lines[file]
	if !ok {
		starts = []int{0}
		for i, c := range src {
			if c == '\n' && i+1 < len(src) {
				starts = append(starts, i+1)
			}
		}
		r.lines[file] = starts
	}
	return src, starts
}

func lineOf(src []byte, starts []int, n int) string {
	end := len(src)
	if n < len(starts) {
		end = starts[n]
	}
	return strings.TrimRight(string(src[starts[n-1]:end]), "\r\n")
}

// maxShown is the longest stretch of one source line that is shown, in bytes.
const maxShown = 160

// window cuts a very long line around the marked bytes, makes it printable and
// gives the columns of the mark in what is shown.
func window(text string, from, to int) (shown string, a, z int) {
	lead, tail := "", ""
	if len(text) > maxShown {
		start := max(0, from-40)
		for start > 0 && !utf8.RuneStart(text[start]) {
			start--
		}
		end := min(len(text), start+maxShown)
		for end < len(text) && !utf8.RuneStart(text[end]) {
			end++
		}
		if start > 0 {
			lead = "..."
		}
		if end < len(text) {
			tail = "..."
		}
		text, from, to = text[start:end], from-start, min(to, end)-start
		to = max(to, from)
	}
	before := lead + printable(text[:from])
	marked := printable(text[from:to])
	return before + marked + printable(text[to:]) + tail, columns(before), columns(before) + columns(marked)
}

func columns(s string) int { return utf8.RuneCountInString(s) }

// printable makes text safe for a terminal: tabs become blanks, control
// characters visible.
func printable(s string) string {
	clean := true
	for i := 0; i < len(s); i++ {
		if s[i] < 0x20 && s[i] != '\n' || s[i] == 0x7f || s[i] >= 0x80 {
			clean = false
			break
		}
	}
	if clean {
		return s
	}
	var b strings.Builder
	for _, c := range s {
		switch {
		case c == '\t':
			b.WriteString("    ")
		case c == '\n':
			b.WriteRune(c)
		case c < 0x20 || c == 0x7f || c >= 0x80 && c < 0xa0 || c >= 0x202a && c <= 0x202e || c >= 0x2066 && c <= 0x2069:
			fmt.Fprintf(&b, "<%02X>", c)
		default:
			b.WriteRune(c)
		}
	}
	return b.String()
}

// wrap breaks text at blanks; lines that begin with a blank are kept as they
// are.
func wrap(s string, width int) []string {
	var out []string
	for _, para := range strings.Split(strings.TrimRight(s, "\n"), "\n") {
		if strings.HasPrefix(para, " ") || columns(para) <= width {
			out = append(out, para)
			continue
		}
		line := ""
		for _, word := range strings.Fields(para) {
			if line != "" && columns(line)+1+columns(word) > width {
				out = append(out, line)
				line = ""
			}
			if line != "" {
				line += " "
			}
			line += word
		}
		out = append(out, line)
	}
	return out
}

type jsonRange struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
}

type jsonRelated struct {
	Message string     `json:"message"`
	Range   *jsonRange `json:"range"`
}

type jsonDiagnostic struct {
	Severity string        `json:"severity"`
	Code     string        `json:"code"`
	Summary  string        `json:"summary"`
	Detail   string        `json:"detail"`
	Range    *jsonRange    `json:"range"`
	Related  []jsonRelated `json:"related"`
}

func toJSON(r Range) *jsonRange {
	if r.IsZero() {
		return nil
	}
	return &jsonRange{r.File, r.Start.Line, r.Start.Column}
}

// MarshalJSON gives the diagnostic as docs/cli.md lays it out.
func (d *Diagnostic) MarshalJSON() ([]byte, error) {
	j := jsonDiagnostic{d.Severity.String(), d.ID(), d.Summary, d.Detail, toJSON(d.Subject), []jsonRelated{}}
	for _, r := range d.Related {
		j.Related = append(j.Related, jsonRelated{r.Message, toJSON(r.Range)})
	}
	return json.Marshal(j)
}

// WriteJSON writes {"diagnostics":[…]} with a final newline.
func WriteJSON(w io.Writer, l List) error {
	if l == nil {
		l = List{}
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(struct {
		Diagnostics List `json:"diagnostics"`
	}{l})
}

package syntax

import (
	"bytes"
	"fmt"
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/unitgen/unitgen/schema/diag"
)

// MaxFile is the largest source file that is read, in bytes.
const MaxFile = 64 << 20

// MaxLine is the longest line, in bytes.
const MaxLine = 4 << 20

// Parse reads one file. With an error among the diagnostics the file holds the
// blocks before the error, if any.
func Parse(name, path string, src []byte) (*File, diag.List) {
	f := &File{Name: name, Path: path, Src: src}
	if d := f.encoding(); d != nil {
		return f, diag.List{d}
	}
	if d := f.bounds(); d != nil {
		return f, diag.List{d}
	}
	if d := f.longText(); d != nil {
		return f, diag.List{d}
	}
	reads := map[string]bool{}
	if blocks, ok := f.quick(reads); ok {
		f.Blocks = blocks
		f.setReads(reads)
		return f, nil
	}
	return f, f.slow()
}

func (f *File) setReads(reads map[string]bool) {
	f.Reads = nil
	for ns := range reads {
		f.Reads = append(f.Reads, ns)
	}
	sort.Strings(f.Reads)
}

// slow lets hclsyntax read the whole file.
func (f *File) slow() diag.List {
	if d := f.flood(); d != nil {
		return diag.List{d}
	}
	hf, hd := hclsyntax.ParseConfig(f.Src, f.Name, hcl.InitialPos)
	var out diag.List
	if hd.HasErrors() {
		out = append(out, syntaxError(f, hd))
	}
	body, ok := hf.Body.(*hclsyntax.Body)
	if !ok {
		return out
	}
	reads := map[string]bool{}
	f.Blocks = f.model(body.Blocks, reads)
	f.setReads(reads)
	if len(out) > 0 {
		return out
	}
	for _, a := range f.attrs(body.Attributes, map[string]bool{}) {
		out = append(out, diag.Errorf("E0201", "Attribute outside of a block", Range(a.NameRange()),
			"%q stands at the top of the file, where only blocks may stand. Put it into a block, such as locals { %s = … } or host \"name\" { … }.", a.Name, a.Name))
	}
	return out
}

// encoding refuses what is not clean UTF-8 text.
func (f *File) encoding() *diag.Diagnostic {
	src := f.Src
	if len(src) > MaxFile {
		return diag.Errorf("E0104", "Source file is too large", diag.Range{File: f.Name}, "The file has %d bytes; at most %d are read. Split it, or move data into a file of its own.", len(src), MaxFile)
	}
	switch {
	case bytes.HasPrefix(src, []byte("\xef\xbb\xbf")):
		return diag.Errorf("E0102", "Source file is not plain UTF-8", f.at(0, 3), "The file begins with a byte order mark. Save it as UTF-8 without one.")
	case bytes.HasPrefix(src, []byte("\xff\xfe")), bytes.HasPrefix(src, []byte("\xfe\xff")):
		return diag.Errorf("E0102", "Source file is not plain UTF-8", f.at(0, 2), "The file is UTF-16. Save it as UTF-8.")
	}
	if i := bytes.IndexByte(src, 0); i >= 0 {
		return diag.Errorf("E0102", "Source file is not plain UTF-8", f.at(i, i+1), "There is a NUL character here. Remove it; a source file is plain UTF-8 text.")
	}
	if !utf8.Valid(src) {
		i := 0
		for i < len(src) {
			r, n := utf8.DecodeRune(src[i:])
			if r == utf8.RuneError && n == 1 {
				break
			}
			i += n
		}
		return diag.Errorf("E0102", "Source file is not plain UTF-8", f.at(i, i+1), "The byte 0x%02X here is not UTF-8. Save the file as UTF-8.", src[i])
	}
	for rest, start := src, 0; len(rest) > 0; {
		i := bytes.IndexByte(rest, '\n')
		n := i
		if i < 0 {
			n = len(rest)
		}
		if n > MaxLine {
			return diag.Errorf("E0104", "Source file is too large", f.at(start, start+1), "This line has %d bytes; a line may have %d. Break it up, or move data into a file of its own.", n, MaxLine)
		}
		if i < 0 {
			break
		}
		rest, start = rest[i+1:], start+i+1
	}
	return nil
}

// at makes a range from byte offsets.
func (f *File) at(from, to int) diag.Range {
	return diag.Range{File: f.Name, Start: f.pos(from), End: f.pos(to)}
}

func (f *File) pos(i int) diag.Pos {
	i = min(i, len(f.Src))
	line := 1 + bytes.Count(f.Src[:i], []byte("\n"))
	from := bytes.LastIndexByte(f.Src[:i], '\n') + 1
	return diag.Pos{Line: line, Column: 1 + utf8.RuneCount(f.Src[from:i]), Byte: i}
}

// syntaxError gives the first error of a file, with what to do where the
// parser does not say it.
func syntaxError(f *File, hd hcl.Diagnostics) *diag.Diagnostic {
	var first *hcl.Diagnostic
	for _, d := range hd {
		if d.Severity != hcl.DiagError {
			continue
		}
		if first == nil || d.Subject != nil && first.Subject != nil && d.Subject.Start.Byte < first.Subject.Start.Byte {
			first = d
		}
	}
	if m := f.explainMistake(first); m != nil {
		return m.report(f)
	}
	at := diag.Range{File: f.Name}
	if first.Subject != nil {
		at = Range(*first.Subject)
	}
	detail := first.Detail
	line := f.lineText(at.Start.Byte)
	switch {
	case first.Summary == "Attribute redefined":
		detail = fmt.Sprintf("%s An attribute may stand once in a block: for several values write a list, or put the second definition into another block with the same label.", strings.TrimSpace(first.Detail))
	case strings.Contains(line, "=") && first.Summary == "Argument or block definition required":
		detail += " A name with a dot or a dash cannot stand before \"=\" in a block: write a map, as in settings = { \"a.b\" = 1 }."
	case first.Summary == "Unclosed template interpolation sequence", first.Summary == "Invalid expression" && strings.Contains(line, "${"):
		detail += " For an environment variable of a command line write $${NAME} or $NAME; ${…} is an expression of this language."
	case first.Summary == "Invalid expression":
		detail += " A text stands in double quotes, as in ExecStart = \"/bin/app\"."
	case strings.Contains(line, "%{"):
		detail += " A literal %{ is written %%{."
	}
	d := diag.Errorf("E0101", "Syntax error: "+strings.ToLower(first.Summary[:1])+first.Summary[1:], at, "%s", strings.TrimSpace(detail))
	if first.Context != nil {
		d.Context = Range(*first.Context)
	}
	return d
}

func (f *File) lineText(i int) string {
	i = min(max(i, 0), len(f.Src))
	from := bytes.LastIndexByte(f.Src[:i], '\n') + 1
	to := bytes.IndexByte(f.Src[i:], '\n')
	if to < 0 {
		to = len(f.Src) - i
	}
	return string(f.Src[from:min(i+to, from+1000)])
}

// Package unitfile reads and writes unit files after systemd.syntax(7).
//
// A File keeps every byte it was read from: reading then writing is the
// identity. What the assignments mean (which directives are lists, what a
// value may be, how drop-ins merge) is not known here.
package unitfile

import (
	"fmt"
	"strings"

	"github.com/unitgen/unitgen/schema/diag"
)

// Kind is what a logical line of a unit file is.
type Kind int

// Kinds of lines.
const (
	Blank Kind = iota
	Comment
	Section
	Assignment
	Invalid // systemd ignores it with a warning
)

// Line is one logical line: a physical line with its continuations.
type Line struct {
	Kind    Kind
	Raw     string // exact bytes, without the final line end; "" for made lines
	Section string // the section it stands in; a Section line's own name
	Key     string
	Value   string     // continuations joined as systemd joins them
	Pos     diag.Range // in the unit file
	Origin  diag.Range // in the source that made it, where there is one

	end  string // the line end that was read: "\n", "\r\n", "" at the end of the file …
	read bool   // from a file: Raw and end are what it said
}

// File is one unit file or drop-in.
type File struct {
	Lines []Line
}

// Add appends an assignment at the end of its section, which is made at the
// end of the file if need be. A value or key with a newline or NUL is refused:
// it would inject other directives.
func (f *File) Add(section, key, value string, origin diag.Range) error {
	for _, s := range []string{section, key, value} {
		if strings.ContainsAny(s, "\n\r\x00") {
			return fmt.Errorf("%s= would hold a newline or NUL character", key)
		}
	}
	at := -1
	for i, l := range f.Lines {
		if l.Section == section && (l.Kind == Section || l.Kind == Assignment) {
			at = i + 1
		}
	}
	add := Line{Kind: Assignment, Section: section, Key: key, Value: value, Origin: origin}
	if at >= 0 {
		f.Lines = append(f.Lines[:at], append([]Line{add}, f.Lines[at:]...)...)
		return nil
	}
	if len(f.Lines) > 0 {
		f.Lines = append(f.Lines, Line{Kind: Blank})
	}
	f.Lines = append(f.Lines, Line{Kind: Section, Section: section}, add)
	return nil
}

// Assignments gives the assignments of a section in order.
func (f *File) Assignments(section string) []Line {
	var out []Line
	for _, l := range f.Lines {
		if l.Kind == Assignment && l.Section == section {
			out = append(out, l)
		}
	}
	return out
}

// Values gives every value assigned to a key, in order, resets included.
func (f *File) Values(section, key string) []string {
	var out []string
	for _, l := range f.Lines {
		if l.Kind == Assignment && l.Section == section && l.Key == key {
			out = append(out, l.Value)
		}
	}
	return out
}

// Sections gives the names of the sections in order, each once.
func (f *File) Sections() []string {
	var out []string
	seen := map[string]bool{}
	for _, l := range f.Lines {
		if l.Kind == Section && !seen[l.Section] {
			seen[l.Section] = true
			out = append(out, l.Section)
		}
	}
	return out
}

// Bytes writes the file: lines that were read as they were, lines that were
// made in canonical form. Where a made line follows a read one that had no
// line end, one is put between them.
func (f *File) Bytes() []byte {
	n := 0
	for i := range f.Lines {
		n += len(f.Lines[i].Raw) + 2
	}
	b := make([]byte, 0, n)
	for i := range f.Lines {
		l := &f.Lines[i]
		if l.read {
			b = append(b, l.Raw...)
			b = append(b, l.end...)
			if l.end == "" && i+1 < len(f.Lines) {
				b = append(b, '\n')
			}
			continue
		}
		switch {
		case l.Raw != "":
			b = append(b, l.Raw...)
		case l.Kind == Section:
			b = append(append(append(b, '['), l.Section...), ']')
		case l.Kind == Assignment:
			b = append(append(append(b, l.Key...), '='), l.Value...)
		}
		b = append(b, '\n')
	}
	return b
}

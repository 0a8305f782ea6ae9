// Package diag holds the diagnostic model that every stage of unitgen reports
// with: what is wrong, where, why, and what to do.
//
// It knows neither HCL nor unit files. A stage that fails returns a usable
// placeholder together with its diagnostics, so that one mistake is reported
// once, where it was made.
package diag

import (
	"fmt"
	"sort"
	"strings"
)

// Severity says how much a diagnostic weighs.
type Severity int

// Severities. Advice is no complaint: it changes no exit code.
const (
	Error Severity = iota
	Warning
	Advice
)

// String gives the word that the JSON output uses.
func (s Severity) String() string {
	switch s {
	case Error:
		return "error"
	case Warning:
		return "warning"
	default:
		return "advice"
	}
}

// Pos is a place in a source file. Line and Column count from 1 (columns in
// Unicode characters), Byte from 0.
type Pos struct {
	Line, Column, Byte int
}

// Range is a stretch of a source file. File is relative to the directory that
// is being compiled, with slashes; for unit files it is the path as given.
type Range struct {
	File       string
	Start, End Pos
}

// IsZero reports whether the range names no place.
func (r Range) IsZero() bool { return r.File == "" }

// String gives "file:line:column", or "file" where no line is known.
func (r Range) String() string {
	if r.Start.Line == 0 {
		return r.File
	}
	return fmt.Sprintf("%s:%d:%d", r.File, r.Start.Line, r.Start.Column)
}

// Related is a further place that belongs to a diagnostic: the other
// definition of a conflict, a link of a cycle, the caller of a module.
type Related struct {
	Message string
	Range   Range
}

// Diagnostic is one report. Summary is fixed text without user names; Detail
// says what, why and what to do.
type Diagnostic struct {
	Severity Severity
	Code     string // E0301 and its like; ID gives it with the letter of the severity
	Summary  string
	Detail   string
	Subject  Range // what is wrong
	Context  Range // what to show around it; zero: the subject's lines
	Related  []Related
}

// Error makes a Diagnostic usable as an error.
func (d *Diagnostic) Error() string {
	var b strings.Builder
	if !d.Subject.IsZero() {
		b.WriteString(d.Subject.String())
		b.WriteString(": ")
	}
	b.WriteString(d.Summary)
	if d.Detail != "" {
		b.WriteString("; ")
		b.WriteString(d.Detail)
	}
	return b.String()
}

// List is a set of diagnostics in the order in which they were found.
type List []*Diagnostic

// HasErrors reports whether the list holds an error.
func (l List) HasErrors() bool {
	for _, d := range l {
		if d.Severity == Error {
			return true
		}
	}
	return false
}

// Err gives the list as an error, or nil when it has no error in it.
func (l List) Err() error {
	if l.HasErrors() {
		return l
	}
	return nil
}

// Error makes a List usable as an error: one diagnostic a line.
func (l List) Error() string {
	s := make([]string, 0, len(l))
	for _, d := range l {
		s = append(s, d.Error())
	}
	return strings.Join(s, "\n")
}

// Sort orders the list by file, line, column, severity, code and text, so that
// output is the same whatever order the stages ran in.
func (l List) Sort() {
	sort.SliceStable(l, func(i, j int) bool {
		a, b := l[i], l[j]
		if a.Subject.File != b.Subject.File {
			return a.Subject.File < b.Subject.File
		}
		if a.Subject.Start.Line != b.Subject.Start.Line {
			return a.Subject.Start.Line < b.Subject.Start.Line
		}
		if a.Subject.Start.Column != b.Subject.Start.Column {
			return a.Subject.Start.Column < b.Subject.Start.Column
		}
		if a.Severity != b.Severity {
			return a.Severity < b.Severity
		}
		if a.Code != b.Code {
			return a.Code < b.Code
		}
		return a.Detail < b.Detail
	})
}

// Errorf makes an error diagnostic; the format makes its detail.
func Errorf(code, summary string, at Range, format string, args ...any) *Diagnostic {
	return &Diagnostic{Severity: Error, Code: code, Summary: summary, Subject: at, Detail: fmt.Sprintf(format, args...)}
}

// Warnf makes a warning diagnostic; the format makes its detail.
func Warnf(code, summary string, at Range, format string, args ...any) *Diagnostic {
	return &Diagnostic{Severity: Warning, Code: code, Summary: summary, Subject: at, Detail: fmt.Sprintf(format, args...)}
}

package diag

import (
	_ "embed"
	"strings"
	"sync"
)

// codesText holds the page of every code: this file is the registry.
//
//go:embed codes.md
var codesText string

// Page explains one code.
type Page struct {
	Code    string
	Summary string
	Text    string // a paragraph
}

// Pages gives the pages of all codes in the order of the registry.
var Pages = sync.OnceValue(func() []Page {
	var out []Page
	for _, part := range strings.Split("\n"+codesText, "\n## ") {
		head, text, _ := strings.Cut(part, "\n")
		code, summary, ok := strings.Cut(head, " ")
		if ok {
			out = append(out, Page{code, summary, strings.TrimSpace(text)})
		}
	}
	return out
})

// PageOf gives the page of a code, nil when there is none. A code whose letter
// only says the severity of a report (W1061 for E1061) has the page of its
// number.
func PageOf(code string) *Page {
	code = strings.ToUpper(code)
	var number *Page
	for _, p := range Pages() {
		switch {
		case p.Code == code:
			return &p
		case len(code) == 5 && len(p.Code) == 5 && p.Code[1:] == code[1:] && number == nil:
			number = &Page{code, p.Summary, p.Text}
		}
	}
	return number
}

// letters are the first letters of codes by severity.
var letters = map[Severity]string{Error: "E", Warning: "W", Advice: "A"}

// registered are the codes with a page of their own.
var registered = sync.OnceValue(func() map[string]bool {
	m := map[string]bool{}
	for _, p := range Pages() {
		m[p.Code] = true
	}
	return m
})

// ID gives the code as people and programs see it: its letter is that of the
// severity, so that what is an error in one place and a warning in another is
// told apart. The number says what it is about.
func (d *Diagnostic) ID() string {
	if len(d.Code) < 2 || d.Code[:1] == letters[d.Severity] {
		return d.Code
	}
	if id := letters[d.Severity] + d.Code[1:]; !registered()[id] {
		return id
	}
	return d.Code
}

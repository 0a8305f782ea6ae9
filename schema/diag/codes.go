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

// PageOf gives the page of a code, nil when there is none.
func PageOf(code string) *Page {
	for _, p := range Pages() {
		if p.Code == strings.ToUpper(code) {
			return &p
		}
	}
	return nil
}

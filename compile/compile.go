// Package compile is the facade of the compiler: a directory of HCL in, the
// result model and the provenance of every line of it out.
//
// It takes a directory and gives a *tree.Tree with diagnostics. It must not
// know the store, generations or a running manager; it reads nothing but the
// module directories that the host names, and writes nothing but its cache.
package compile

import (
	"context"

	"github.com/unitgen/unitgen/schema/diag"
	"github.com/unitgen/unitgen/schema/tree"
)

// Options says what to compile and how.
type Options struct {
	Dir     string // the host's directory; "" is the current directory
	Host    string // the host to build where the directory holds several
	Variant string // the variant to build, "" for the main tree
	Sysroot string // where the distribution's unit files, programs and users are looked for; "" for not at all

	// Overrides are definitions that beat force(), as `unitgen test` makes them.
	Overrides []Override

	Parallelism int    // goroutines that parse and check; 0 for one a core
	Cache       string // directory of the content-hash cache; "" for none
	NoVerify    bool   // leave out the whole-tree checks

	// Paths checks the paths of a tree without errors, as package emit does
	// before it writes any; nil: they are not checked. What it says is cached.
	Paths func(*tree.Tree) diag.List

	KeepSource bool // keep syntax trees and values in memory, for callers that ask Explain for much

	// Remote gives the directory where a fetched import lies (git::…, https://…);
	// nil: none is fetched.
	Remote func(address string) (dir string, err error)

	// Files replaces the content of files (absolute paths), for editors with
	// unsaved text.
	Files map[string][]byte
}

// Override is one definition from outside the directory: Path is
// "config.app.port", Value an HCL expression.
type Override struct {
	Path  string
	Value string
	At    diag.Range // where it was written, for diagnostics
}

// Sources maps a path of the tree to its keys to where they were defined. For
// a unit the keys are "Section/Directive"; for a file built from settings they
// are the setting's path; "" is the block that declared the unit or file.
type Sources map[string]map[string][]diag.Range

// Stats counts the work that was done; goldens hold some of it.
type Stats struct {
	Files       int // source files parsed
	Modules     int
	Nodes       int // nodes evaluated
	Definitions int // definitions merged
	Units       int
	Cached      bool // the result came from the cache
}

// Result is what a compilation gives. It is never nil; with errors among the
// diagnostics its Tree is incomplete and must not be built.
type Result struct {
	Tree    *tree.Tree
	Sources Sources
	Host    string   // the host that was compiled
	Hosts   []string // every host the directory declares, sorted
	Inputs  []string // every file that was read, relative to Dir, sorted
	Stats   Stats

	c *compilation
}

// Compile compiles one host. The diagnostics are sorted; each mistake is in
// them once.
func Compile(ctx context.Context, o Options) (*Result, diag.List) {
	r, diags := compile(ctx, o)
	r.Sources = sourcesOf(r.Tree)
	return r, diags
}

// SourceBytes gives the text of a file that a range of a diagnostic names, for
// snippets, with the literals of secrets masked; nil when it is not known.
func (r *Result) SourceBytes(file string) []byte {
	if r == nil || r.c == nil {
		return nil
	}
	return r.c.sourceBytes(file)
}

// Explain says how a value came about. Path is "config.app.port",
// "option.port" (of the host's own module), "service.app",
// "service.app.ExecStart" or `etc["a/b"]`.
func (r *Result) Explain(path string) (*Explanation, diag.List) {
	if r == nil || r.c == nil {
		return nil, nil
	}
	return r.c.explain(path)
}

// Explanation is every definition of one path and what became of each.
type Explanation struct {
	Path        string        `json:"path"`
	Type        string        `json:"type,omitempty"`
	Description string        `json:"description,omitempty"`
	Declared    *diag.Range   `json:"-"`
	Value       string        `json:"value"` // the final value as HCL, "(secret)" for secrets
	Definitions []Contributor `json:"definitions"`
	Children    []string      `json:"children,omitempty"` // directives of a unit, keys of a map
}

// Contributor is one definition.
type Contributor struct {
	Range     diag.Range `json:"-"`
	Key       string     `json:"key,omitempty"` // the path below, for a definition of a part
	Value     string     `json:"value"`         // its source text
	Priority  int        `json:"priority"`
	Order     int        `json:"order"`
	Condition string     `json:"condition,omitempty"` // source text of the conditions, joined by &&
	Active    bool       `json:"active"`              // its conditions hold
	Winner    bool       `json:"winner"`              // it is part of the final value
	Why       string     `json:"why"`                 // why it won or lost, one sentence
}

// Package funcs is the table of functions that expressions may call, with the
// documentation of each.
//
// Every function is pure: no clock, no environment, no network, and no file
// outside the module's directory. The same arguments and the same module give
// the same value on every machine. The package must not know definitions,
// units or merging.
package funcs

import (
	"sort"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty/function"
)

// Example is an expression and its value, both spelled in HCL.
type Example struct {
	Expr   string
	Result string
}

// Doc is the documentation of one function. Examples are run by the tests.
type Doc struct {
	Name      string
	Signature string // "join(separator, list…)"
	Category  string
	Summary   string
	Examples  []Example
}

// entry is one function with its documentation.
type entry struct {
	Doc
	fn  function.Function
	env func(*env) function.Function // for functions that read the module's files
}

// env is what the functions of one module share.
type env struct {
	files *Files
	depth int // of templates that call templatefile
}

// table holds every entry by name; the files of this package add to it.
var table = map[string]*entry{}

// order of the categories in the documentation.
var categories = []string{"Strings", "Collections", "Numbers", "Types", "Encoding", "Files", "Hashes", "Dates", "Networks", "systemd"}

func add(category, signature, summary string, fn function.Function, examples ...string) {
	put(category, signature, summary, &entry{fn: fn}, examples)
}

func addEnv(category, signature, summary string, fn func(*env) function.Function, examples ...string) {
	put(category, signature, summary, &entry{env: fn}, examples)
}

func put(category, signature, summary string, e *entry, examples []string) {
	name := signature
	for i := range signature {
		if signature[i] == '(' {
			name = signature[:i]
			break
		}
	}
	if table[name] != nil || len(examples)%2 != 0 {
		panic("This is a bug in unitgen: the function " + name + " is declared twice or has half an example")
	}
	if numeric[name] && e.env == nil {
		e.fn = finite(e.fn)
	}
	e.Doc = Doc{Name: name, Signature: signature, Category: category, Summary: summary}
	for i := 0; i < len(examples); i += 2 {
		e.Examples = append(e.Examples, Example{examples[i], examples[i+1]})
	}
	table[name] = e
}

// Table gives the functions for expressions of the module whose directory
// files opens. The map is the caller's to keep.
func Table(files *Files) map[string]function.Function {
	return build(&env{files: files})
}

func build(e *env) map[string]function.Function {
	out := make(map[string]function.Function, len(table))
	for name, en := range table {
		if en.env != nil {
			out[name] = en.env(e)
			continue
		}
		out[name] = en.fn
	}
	return out
}

// Names gives the names of all functions, sorted.
func Names() []string {
	out := make([]string, 0, len(table))
	for n := range table {
		out = append(out, n)
	}
	sort.Strings(out)
	return out
}

// Docs gives the documentation of all functions, by category, then by name.
func Docs() []Doc {
	rank := map[string]int{}
	for i, c := range categories {
		rank[c] = i
	}
	out := make([]Doc, 0, len(table))
	for _, n := range Names() {
		out = append(out, table[n].Doc)
	}
	sort.SliceStable(out, func(i, j int) bool { return rank[out[i].Category] < rank[out[j].Category] })
	return out
}

// Context gives an evaluation context that has the functions and nothing else.
func Context(files *Files) *hcl.EvalContext {
	return &hcl.EvalContext{Functions: Table(files)}
}

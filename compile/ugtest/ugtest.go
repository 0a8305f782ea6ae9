// Package ugtest runs *.ugtest.hcl files: each run compiles a host or a module
// with definitions of its own and looks at what comes out: units, files,
// links, option values, diagnostics, the whole tree.
//
// It takes files and a function that renders a tree, and gives results. It
// must not know terminals, the store or a manager.
package ugtest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/unitgen/unitgen/compile"
	"github.com/unitgen/unitgen/compile/internal/syntax"
	"github.com/unitgen/unitgen/compile/internal/types"
	"github.com/unitgen/unitgen/internal/plainfile"
	"github.com/unitgen/unitgen/schema/diag"
	"github.com/unitgen/unitgen/schema/tree"
)

// Suffix is what the names of test files end in.
const Suffix = ".ugtest.hcl"

// Entry is one path of a rendered tree.
type Entry struct {
	Path    string
	Mode    uint32
	Owner   string
	Group   string
	Content []byte // of a file
	Target  string // of a link, "" for files
}

// Options say how tests run.
type Options struct {
	Match       *regexp.Regexp // only runs with such names; nil: all
	Update      bool           // write golden files instead of comparing
	Cache       string         // cache directory, for fetched modules
	Parallelism int            // 0: one a core
	Render      func(*tree.Tree) ([]Entry, diag.List)
}

// Result is the outcome of one run.
type Result struct {
	File     string        `json:"file"`
	Name     string        `json:"name"`
	Passed   bool          `json:"passed"`
	Failures []Failure     `json:"failures"`
	Updated  string        `json:"updated,omitempty"` // golden file that was written
	Took     time.Duration `json:"took_ns"`
}

// Failure is one reason why a run did not pass.
type Failure struct {
	At      diag.Range `json:"-"`
	Where   string     `json:"at"`
	Message string     `json:"message"`
}

// run is one run block.
type run struct {
	file    string
	src     []byte
	name    string
	header  hcl.Range
	dir     string
	host    string
	variant string
	golden  string
	over    []compile.Override
	asserts []*hclsyntax.Block
	expects []expect
}

// expect is a diagnostic that must come.
type expect struct {
	at       hcl.Range
	severity string
	code     string
	message  *regexp.Regexp
	file     string
	line     int
}

// Find lists the test files of paths: files as they are, directories with all
// below them, hidden directories left out.
func Find(paths []string) ([]string, error) {
	seen := map[string]bool{}
	for _, p := range paths {
		st, err := os.Stat(p)
		if err != nil {
			return nil, err
		}
		if !st.IsDir() {
			seen[p] = true
			continue
		}
		err = filepath.WalkDir(p, func(f string, d os.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && f != p && strings.HasPrefix(d.Name(), "."):
				return filepath.SkipDir
			case d.Type().IsRegular() && strings.HasSuffix(f, Suffix):
				seen[f] = true
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	out := make([]string, 0, len(seen))
	for f := range seen {
		out = append(out, f)
	}
	sort.Strings(out)
	return out, nil
}

// Run runs the tests of files. Diagnostics are about the test files
// themselves; with errors among them nothing was run.
func Run(ctx context.Context, files []string, o Options) ([]Result, diag.List) {
	var runs []*run
	var diags diag.List
	for _, f := range files {
		r, d := parse(f)
		runs, diags = append(runs, r...), append(diags, d...)
	}
	if diags.HasErrors() {
		return nil, diags
	}
	var chosen []*run
	for _, r := range runs {
		if o.Match == nil || o.Match.MatchString(r.name) {
			chosen = append(chosen, r)
		}
	}
	n := o.Parallelism
	if n <= 0 {
		n = runtime.GOMAXPROCS(0)
	}
	out := make([]Result, len(chosen))
	var wg sync.WaitGroup
	slots := make(chan struct{}, n)
	for i, r := range chosen {
		wg.Add(1)
		slots <- struct{}{}
		go func() {
			defer func() { <-slots; wg.Done() }()
			start := time.Now()
			out[i] = r.run(ctx, &o)
			out[i].Took = time.Since(start)
		}()
	}
	wg.Wait()
	return out, diags
}

// parse reads one test file.
func parse(file string) ([]*run, diag.List) {
	src, err := plainfile.Read(file, syntax.MaxFile)
	if err != nil {
		return nil, diag.List{diag.Errorf("E0950", "Invalid test file", diag.Range{File: file}, "%s.", err)}
	}
	if _, d := syntax.Parse(file, file, src); d.HasErrors() {
		return nil, d
	}
	hf, hd := hclsyntax.ParseConfig(src, file, hcl.InitialPos)
	if hd.HasErrors() {
		return nil, diag.List{problem(*hd[0].Subject, "%s", hd[0].Detail)}
	}
	var out []*run
	var diags diag.List
	seen := map[string]hcl.Range{}
	top := hf.Body.(*hclsyntax.Body)
	for _, name := range sortedAttrs(top.Attributes) {
		diags = append(diags, problem(top.Attributes[name].NameRange, "A test file holds run \"NAME\" { … } blocks and no attributes. Move %s into a run, or remove it.", name))
	}
	for _, b := range top.Blocks {
		if b.Type != "run" {
			diags = append(diags, problem(b.DefRange(), "A test file holds run \"NAME\" { … } blocks, not %s.%s", b.Type, hint(b.Type, "run")))
			continue
		}
		if len(b.Labels) != 1 || b.Labels[0] == "" {
			diags = append(diags, problem(b.DefRange(), "A run block has one label, the name of the run: run \"NAME\" { … }."))
			continue
		}
		if old, dup := seen[b.Labels[0]]; dup {
			d := problem(b.DefRange(), "The run %q stands in the file twice. Rename one of the two.", b.Labels[0])
			d.Related = []diag.Related{{Message: "the other run", Range: syntax.Range(old)}}
			diags = append(diags, d)
			continue
		}
		seen[b.Labels[0]] = b.DefRange()
		r := &run{file: file, src: src, name: b.Labels[0], header: b.DefRange(), dir: filepath.Dir(file)}
		diags = append(diags, r.parse(b.Body)...)
		out = append(out, r)
	}
	return out, diags
}

func problem(at hcl.Range, format string, args ...any) *diag.Diagnostic {
	return diag.Errorf("E0950", "Invalid test file", syntax.Range(at), format, args...)
}

func (r *run) parse(body *hclsyntax.Body) diag.List {
	var diags diag.List
	for _, name := range sortedAttrs(body.Attributes) {
		a := body.Attributes[name]
		dst := map[string]*string{"dir": &r.dir, "host": &r.host, "variant": &r.variant, "golden": &r.golden}[name]
		if name == "config" || name == "assert" || name == "expect" {
			diags = append(diags, problem(a.NameRange, "%s is a block: write it without =, as in %s.", name, map[string]string{"config": "config \"MODULE\" { OPTION = … }", "assert": "assert { condition = … message = … }", "expect": "expect { code = … }"}[name]))
			continue
		}
		if dst == nil {
			diags = append(diags, problem(a.NameRange, "A run has dir, host, variant and golden, not %q.%s", name, hint(name, "dir", "host", "variant", "golden")))
			continue
		}
		s, d := constant(a)
		if d != nil {
			diags = append(diags, d)
			continue
		}
		if name == "dir" || name == "golden" {
			s = filepath.Join(filepath.Dir(r.file), filepath.FromSlash(s))
		}
		*dst = s
	}
	for _, b := range body.Blocks {
		switch b.Type {
		case "config":
			diags = append(diags, r.overrides(b)...)
		case "assert":
			if b.Body.Attributes["condition"] == nil || b.Body.Attributes["message"] == nil || len(b.Body.Attributes) != 2 || len(b.Body.Blocks) > 0 || len(b.Labels) > 0 {
				diags = append(diags, problem(b.DefRange(), "An assert block has condition and message, both, and nothing else: assert { condition = … message = … }."))
				continue
			}
			r.asserts = append(r.asserts, b)
		case "expect":
			diags = append(diags, r.expect(b)...)
		default:
			diags = append(diags, problem(b.DefRange(), "A run holds config, assert and expect blocks, not %q.%s", b.Type, hint(b.Type, "config", "assert", "expect")))
		}
	}
	return diags
}

func hint(word string, words ...string) string {
	if s := types.Suggest(word, words); s != "" {
		return fmt.Sprintf(" Did you mean %q?", s)
	}
	return ""
}

func sortedAttrs(m hclsyntax.Attributes) []string {
	out := make([]string, 0, len(m))
	for n := range m {
		out = append(out, n)
	}
	sort.Slice(out, func(i, j int) bool { return m[out[i]].SrcRange.Start.Byte < m[out[j]].SrcRange.Start.Byte })
	return out
}

func constant(a *hclsyntax.Attribute) (string, *diag.Diagnostic) {
	v, d := a.Expr.Value(nil)
	if d.HasErrors() || v.IsNull() || v.Type() != cty.String {
		return "", problem(a.Expr.Range(), "%s must be a string in quotes.", a.Name)
	}
	return v.AsString(), nil
}

// overrides turns a config block into definitions that beat all others.
func (r *run) overrides(b *hclsyntax.Block) diag.List {
	if len(b.Labels) > 1 {
		return diag.List{problem(b.DefRange(), "A config block names one module, or none for the host's own options.")}
	}
	prefix := "option."
	if len(b.Labels) == 1 {
		prefix = "config." + b.Labels[0] + "."
	}
	for _, name := range sortedAttrs(b.Body.Attributes) {
		a := b.Body.Attributes[name]
		at := a.Expr.Range()
		r.over = append(r.over, compile.Override{Path: prefix + name, Value: string(r.src[at.Start.Byte:at.End.Byte]), At: syntax.Range(at)})
	}
	for _, inner := range b.Body.Blocks {
		return diag.List{problem(inner.DefRange(), "A config block holds definitions name = value, no blocks.")}
	}
	return nil
}

func (r *run) expect(b *hclsyntax.Block) diag.List {
	e := expect{at: b.DefRange(), severity: "error"}
	if len(b.Labels) > 0 || len(b.Body.Blocks) > 0 {
		return diag.List{problem(b.DefRange(), "An expect block has no label and no blocks: expect { code = … }.")}
	}
	for _, name := range sortedAttrs(b.Body.Attributes) {
		a := b.Body.Attributes[name]
		if name == "line" {
			v, d := a.Expr.Value(nil)
			if d.HasErrors() || v.IsNull() || v.Type() != cty.Number || !v.AsBigFloat().IsInt() || v.AsBigFloat().Sign() <= 0 {
				return diag.List{problem(a.Expr.Range(), "line must be the number of a line.")}
			}
			n, _ := v.AsBigFloat().Int64()
			e.line = int(n)
			continue
		}
		s, d := constant(a)
		if d != nil {
			return diag.List{d}
		}
		switch name {
		case "severity":
			e.severity = s
			if s != "error" && s != "warning" && s != "advice" {
				return diag.List{problem(a.Expr.Range(), "severity is error, warning or advice.")}
			}
		case "code":
			e.code = s
		case "file":
			e.file = s
		case "message":
			re, err := regexp.Compile(s)
			if err != nil {
				return diag.List{problem(a.Expr.Range(), "message is a regular expression: %s.", err)}
			}
			e.message = re
		default:
			return diag.List{problem(a.NameRange, "An expect block has severity, code, message, file and line, not %q.%s", name, hint(name, "severity", "code", "message", "file", "line"))}
		}
	}
	r.expects = append(r.expects, e)
	return nil
}

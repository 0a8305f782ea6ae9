package compile

import (
	"context"
	"fmt"
	"runtime/debug"
	"sort"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty/function"

	"github.com/unitgen/unitgen/compile/internal/eval"
	"github.com/unitgen/unitgen/compile/internal/funcs"
	"github.com/unitgen/unitgen/compile/internal/index"
	"github.com/unitgen/unitgen/compile/internal/load"
	"github.com/unitgen/unitgen/compile/internal/lower"
	"github.com/unitgen/unitgen/compile/internal/syntax"
	"github.com/unitgen/unitgen/compile/internal/types"
	"github.com/unitgen/unitgen/schema/diag"
	"github.com/unitgen/unitgen/schema/directive"
	"github.com/unitgen/unitgen/schema/tree"
	"github.com/unitgen/unitgen/schema/verify"
)

// compilation is the state of one run.
type compilation struct {
	o     Options
	ctx   context.Context
	set   *load.Set
	ix    *index.Index
	ev    *eval.Evaluator
	peers map[string]*compilation

	mu     *sync.Mutex
	files  map[*load.Module]*funcs.Files
	tables map[*load.Module]map[string]function.Function
	seen   []observed
	diags  diag.List
	eval   *atomic.Pointer[eval.Evaluator]                  // ev, for the watchdog
	stub   func(path, name string, src []byte) *syntax.File // see again
	tree   *tree.Tree
	keep   *inputs                // what the cache watches, after release
	lazy   bool                   // the result came from the cache; sources are read when asked for
	masks  map[string][]hcl.Range // literals of secrets, by file
	masked map[string][]byte      // texts for snippets
}

// observed is a file of a module that the result depends on.
type observed struct {
	module *load.Module
	o      funcs.Observation
}

func compile(ctx context.Context, o Options) (*Result, diag.List) {
	c := newCompilation(ctx, o)
	return c.finish()
}

// finish runs the compilation under the eyes of a watchdog.
func (c *compilation) finish() (*Result, diag.List) {
	r := &Result{Tree: &tree.Tree{}, Sources: Sources{}, c: c}
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.guard(r)
	}()
	if d := c.watch(done); d != nil {
		// The evaluation ends by itself soon; nobody reads what it still writes.
		if ev := c.eval.Load(); ev != nil {
			ev.Stop()
		}
		other := newCompilation(c.ctx, c.o)
		other.lazy, other.diags = true, diag.List{d}
		return &Result{Tree: &tree.Tree{}, Sources: Sources{}, c: other}, other.diags
	}
	if c.o.Paths != nil && c.o.NoVerify && !c.diags.HasErrors() {
		c.diags = append(c.diags, c.o.Paths(r.Tree)...)
	}
	c.diags = tidy(c.diags)
	return r, c.diags
}

func newCompilation(ctx context.Context, o Options) *compilation {
	if o.Dir == "" {
		o.Dir = "."
	}
	return &compilation{eval: &atomic.Pointer[eval.Evaluator]{}, o: o, ctx: ctx, mu: &sync.Mutex{}, peers: map[string]*compilation{}, files: map[*load.Module]*funcs.Files{}, tables: map[*load.Module]map[string]function.Function{}}
}

// run loads, indexes, evaluates and lowers.
func (c *compilation) run(r *Result) {
	if !c.prepare(r) {
		return
	}
	c.evaluate(r)
}

// prepare loads and indexes; false when there is nothing to evaluate.
func (c *compilation) prepare(r *Result) bool {
	var d diag.List
	lo := load.Options{Dir: c.o.Dir, Host: c.o.Host, Bundled: bundled, Parallelism: c.o.Parallelism, Files: c.o.Files, Remote: c.o.Remote, Stub: c.stub}
	fetched(c.o, &lo)
	overrides, od := c.overrides(&lo)
	c.diags = append(c.diags, od...)
	c.set, d = load.Load(c.ctx, lo)
	c.diags = append(c.diags, d...)
	for _, h := range c.set.Hosts {
		r.Hosts = append(r.Hosts, h.Name)
	}
	r.Inputs = c.set.Inputs
	r.Stats.Files, r.Stats.Modules = len(c.set.Inputs), len(c.set.Modules)
	if len(c.set.Modules) == 0 || c.set.Host == nil && len(c.set.Hosts) > 0 {
		return false
	}
	for _, x := range d {
		// A file that does not parse would make every reference to it wrong.
		if x.Severity == diag.Error && strings.HasPrefix(x.Code, "E010") {
			return false
		}
	}
	c.ix, d = index.Make(c.set, index.Options{Variant: c.o.Variant, Overrides: overrides, Env: c.env})
	c.diags = append(c.diags, d...)
	c.diags = append(c.diags, c.ix.Renames()...)
	return true
}

func (c *compilation) overrides(lo *load.Options) ([]index.Override, diag.List) {
	var out []index.Override
	var diags diag.List
	for i, o := range c.o.Overrides {
		name := o.At.File
		if name == "" {
			name = fmt.Sprintf("override %d", i+1)
		}
		start := hcl.InitialPos
		if o.At.Start.Line > 0 {
			start = hcl.Pos{Line: o.At.Start.Line, Column: o.At.Start.Column, Byte: o.At.Start.Byte}
		}
		src := &syntax.File{Name: name, Src: []byte(o.Value)}
		x, hd := hclsyntax.ParseExpression(src.Src, name, start)
		if hd.HasErrors() {
			diags = append(diags, diag.Errorf("E0101", "Syntax error: in an override", diag.Range{File: name}, "%s = %s: %s", o.Path, o.Value, hd[0].Detail))
			continue
		}
		if parts := strings.Split(o.Path, "."); len(parts) > 1 && parts[0] == "config" {
			lo.Demand = append(lo.Demand, parts[1])
		}
		out = append(out, index.Override{Path: o.Path, Expr: x, Src: src})
	}
	return out, diags
}

func (c *compilation) filesOf(m *load.Module) *funcs.Files {
	c.mu.Lock()
	defer c.mu.Unlock()
	f := c.files[m]
	if f == nil {
		f = newFiles(m, func(o funcs.Observation) {
			c.mu.Lock()
			c.seen = append(c.seen, observed{m, o})
			c.mu.Unlock()
		})
		c.files[m] = f
	}
	return f
}

func (c *compilation) table(m *load.Module) map[string]function.Function {
	files := c.filesOf(m)
	c.mu.Lock()
	defer c.mu.Unlock()
	if t := c.tables[m]; t != nil {
		return t
	}
	t := funcs.Table(files)
	c.tables[m] = t
	return t
}

func (c *compilation) env(m *load.Module) types.Env { return types.Env{Functions: c.table(m)} }

// newEvaluator makes the evaluator of the chosen host.
func (c *compilation) newEvaluator(r *Result) {
	host, systemd := c.host(r)
	defer func() { c.eval.Store(c.ev) }()
	c.ev = eval.New(c.ix, eval.Options{
		Context:   c.ctx,
		Functions: func(m *index.Module) map[string]function.Function { return c.table(m.Module) },
		HostName:  host,
		Systemd:   systemd,
		Variant:   c.o.Variant,
		CacheDir:  c.generatorCache(),
		Bundled:   bundled,
		Peer:      c.peer,
		Observed: func(m *index.Module, file string) {
			_, _ = c.filesOf(m.Module).Read(file)
		},
	})
}

// evaluate evaluates every declaration and makes the tree.
func (c *compilation) evaluate(r *Result) {
	c.newEvaluator(r)
	d := lower.Tree(c.ev, r.Tree, lower.Options{
		Systemd: r.Tree.Systemd, Sysroot: c.o.Sysroot, Below: c.below(), Parallelism: c.o.Parallelism,
		ReadFile: func(m *index.Module, name string) ([]byte, error) { return c.filesOf(m.Module).Read(name) },
	})
	c.everything()
	c.diags = append(c.diags, c.ev.Diags...)
	c.diags = append(c.diags, d...)
	r.Stats.Nodes, r.Stats.Definitions, r.Stats.Units = c.ev.Stats.Nodes, c.ev.Stats.Definitions, len(r.Tree.Units)
	if c.o.NoVerify || c.diags.HasErrors() {
		return
	}
	c.diags = append(c.diags, c.unknownNames(r.Tree)...)
	c.tree = r.Tree
	c.release()
	c.tree = nil
	if c.o.Paths == nil {
		c.diags = append(c.diags, c.verifyTree(r.Tree)...)
		return
	}
	// Both only read the tree.
	paths := make(chan diag.List, 1)
	go func() { paths <- c.o.Paths(r.Tree) }()
	c.diags = append(c.diags, c.verifyTree(r.Tree)...)
	if found := <-paths; !c.diags.HasErrors() {
		c.diags = append(c.diags, found...)
	}
}

// everything evaluates what nothing read: options, locals, assertions.
func (c *compilation) everything() {
	for _, m := range c.ix.Modules {
		for _, n := range m.Names {
			o := m.Options[n]
			if o.RenamedTo != "" || o.Removed != "" {
				continue
			}
			if o.Required || c.ev.HasValue(o) {
				c.ev.Option(o)
			}
			c.ev.LintCheck(o)
			if o.Example != nil {
				c.ev.Example(o)
			}
		}
		names := make([]string, 0, len(m.Locals))
		for n := range m.Locals {
			names = append(names, n)
		}
		sort.Strings(names)
		for _, n := range names {
			c.ev.Local(m.Locals[n])
		}
	}
	c.ev.Assertions()
	c.ev.LintOff()
	c.ev.LintLate()
}

// host reads the host block: name, systemd, provides.
func (c *compilation) host(r *Result) (string, int) {
	name, systemd := "host", directive.Newest
	t := r.Tree
	if h := c.set.Host; h != nil {
		name = h.Name
		if a := h.Block.Attr("systemd"); a != nil {
			n := 0
			if _, err := fmt.Sscanf(a.Lit.String, "%d", &n); a.Lit.Kind != syntax.LitNumber || err != nil {
				c.diags = append(c.diags, diag.Errorf("E0218", "Not a literal", syntax.Range(a.Expr().Range()), "systemd is the version of the oldest systemd that must load the tree, a plain number such as 252."))
			} else if n < directive.Oldest || n > 9999 {
				c.diags = append(c.diags, diag.Errorf("E0220", "systemd version is out of range", syntax.Range(a.Expr().Range()), "unitgen describes systemd from version %d to %d. Write a version in that range.", directive.Oldest, directive.Newest))
			} else {
				systemd = n
				if n > directive.Newest {
					systemd = n
					c.diags = append(c.diags, diag.Warnf("W0220", "systemd version is newer than known", syntax.Range(a.Expr().Range()), "unitgen describes systemd up to version %d. What came later is not known.", directive.Newest))
				}
			}
		}
		if !validHost(name) {
			c.diags = append(c.diags, diag.Errorf("E0217", "Invalid name", syntax.Range(h.Block.Labels[0].Range), "%q cannot be the name of a host: letters, digits, dots, _ and -, at most 64.", name))
		}
		if a := h.Block.Attr("provides"); a != nil {
			switch a.Lit.Kind {
			case syntax.LitList:
				t.Provides = append(t.Provides, a.Lit.List...)
			case syntax.LitString:
				t.Provides = append(t.Provides, a.Lit.String)
			default:
				c.diags = append(c.diags, diag.Errorf("E0218", "Not a literal", syntax.Range(a.Expr().Range()), "provides is a list of unit names, written out."))
			}
		}
	}
	t.Host, t.Systemd, t.Variant = name, systemd, c.o.Variant
	r.Host = name
	return name, systemd
}

// release lets go of syntax trees and nodes, the larger half of the memory,
// before the whole-tree checks take theirs. Who asks for sources or an
// explanation later has them made again.
func (c *compilation) release() {
	if len(c.peers) > 0 || c.o.KeepSource {
		return
	}
	c.keep = c.inputs()
	c.set, c.ix, c.ev, c.lazy = nil, nil, nil, true
	c.eval.Store(nil)
	clear(c.files)
	clear(c.tables)
}

func validHost(s string) bool {
	if s == "" || len(s) > 64 || s[0] == '.' || s[0] == '-' {
		return false
	}
	for _, c := range s {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '-' || c == '_') {
			return false
		}
	}
	return true
}

// peer compiles another host of the directory as far as its options.
func (c *compilation) peer(name string) (*eval.Evaluator, diag.List) {
	p := c.peers[name]
	if p == nil {
		o := c.o
		o.Host, o.Overrides = name, nil
		p = newCompilation(c.ctx, o)
		p.peers = c.peers // hosts that read one another share their evaluators
		c.peers[name] = p
		c.peers[c.ev.HostName()] = c
		r := &Result{Tree: &tree.Tree{}}
		if p.prepare(r) {
			p.newEvaluator(r)
		}
	}
	if p.ev == nil {
		return nil, p.diags
	}
	return p.ev, p.diags
}

func (c *compilation) generatorCache() string {
	if c.o.Cache == "" {
		return ""
	}
	return c.o.Cache + "/generate"
}

// tidy sorts the diagnostics and reports each mistake once.
func tidy(l diag.List) diag.List {
	type key struct {
		code string
		at   diag.Range
	}
	seen := map[key]bool{}
	missing := map[diag.Range]bool{} // places that the whole-tree checks complain of already
	for _, d := range l {
		if d.Code == verify.CodeMissingUnit {
			missing[d.Subject] = true
		}
	}
	out := make(diag.List, 0, len(l))
	for _, d := range l {
		if d.Code == "W0609" && missing[d.Subject] {
			continue
		}
		k := key{d.Code, d.Subject}
		if !d.Subject.IsZero() && d.Subject.Start.Line > 0 {
			if seen[k] {
				continue
			}
			seen[k] = true
		}
		out = append(out, d)
	}
	out.Sort()
	return out
}

// guard runs the compilation so that an impossible case is a report.
func (c *compilation) guard(r *Result) {
	defer func() {
		if p := recover(); p != nil {
			at := diag.Range{}
			if c.ev != nil {
				if x := c.ev.Reading.Load(); x != nil {
					at = syntax.Range(*x)
				}
			}
			c.diags = append(c.diags, diag.Errorf("E0001", "Internal error", at, "%v. This is a bug in unitgen; please report it with the configuration.\n%s", p, indent(string(debug.Stack()))))
		}
	}()
	c.run(r)
}

func indent(s string) string { return "  " + strings.ReplaceAll(strings.TrimSpace(s), "\n", "\n  ") }

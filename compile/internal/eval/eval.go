// Package eval is the lazy graph: one node an option path, local, condition,
// name set and directive, evaluated on demand and once.
//
// It takes the definition index and gives values. It must not know unit files:
// what a directive's value becomes in one is package lower's.
package eval

import (
	"context"
	"fmt"
	"io/fs"
	"runtime"
	"sync/atomic"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"github.com/unitgen/unitgen/compile/internal/generate"
	"github.com/unitgen/unitgen/compile/internal/index"
	"github.com/unitgen/unitgen/compile/internal/syntax"
	"github.com/unitgen/unitgen/schema/diag"
)

// maxDepth bounds how many nodes may be in the middle of their evaluation.
const maxDepth = 25000

// Options say how to evaluate.
type Options struct {
	Functions func(m *index.Module) map[string]function.Function
	HostName  string
	Systemd   int
	Variant   string
	CacheDir  string // of generators
	Bundled   fs.FS  // the modules that come with unitgen, a directory each
	Context   context.Context
	// Peer gives the evaluator of another host of the directory.
	Peer func(name string) (*Evaluator, diag.List)
	// Observed is told of files that a generator read.
	Observed func(m *index.Module, file string)
}

// Scope is what an expression can read beside the graph.
type Scope struct {
	Module *index.Module
	Each   *Each
	Vars   map[string]cty.Value // further roots: value, in checks
}

// Each is the instance of a for_each block.
type Each struct {
	Key   cty.Value
	Value cty.Value
}

// Stats counts work.
type Stats struct {
	Nodes       int
	Definitions int
}

// Evaluator evaluates one host. It is for one goroutine.
type Evaluator struct {
	IX    *index.Index
	Stats Stats
	Diags diag.List
	// Reading is where the evaluation stands, for a watchdog.
	Reading atomic.Pointer[hcl.Range]

	o        Options
	keyed    map[index.Key]*instanceNames
	etcPaths map[string]bool // that for_each, name and generators make

	stop   *atomic.Bool // shared with forks
	base   *Evaluator   // of a fork: the evaluator whose nodes it reads
	missed bool         // a fork came upon what it may not evaluate
	forks  atomic.Pointer[[]*Evaluator]

	stack   []frame
	options map[*index.Option]*pathNode
	locals  map[*index.Local]*node
	conds   map[*index.Block]*node
	names   map[*index.Block]*nameSet
	gens    map[*index.Block]*genNode
	units   *unitTable
	funcs   map[*index.Module]map[string]function.Function
	reads   []Read
	linted  map[hcl.Expression]bool
	later   []lateRef
	aside   bool // a variant that is not built is looked at
	facts   factTable
}

// Read is one reference from an expression to a unit.
type Read struct {
	Unit string
	At   hcl.Range
}

// New makes an evaluator.
func New(ix *index.Index, o Options) *Evaluator {
	return &Evaluator{IX: ix, o: o, stop: &atomic.Bool{}, options: map[*index.Option]*pathNode{}, locals: map[*index.Local]*node{},
		conds: map[*index.Block]*node{}, names: map[*index.Block]*nameSet{}, gens: map[*index.Block]*genNode{},
		funcs: map[*index.Module]map[string]function.Function{}, linted: map[hcl.Expression]bool{}, facts: factTable{}}
}

type state uint8

const (
	fresh state = iota
	running
	done
)

// node is one value of the graph.
type node struct {
	state  state
	failed bool
	own    bool // made by a fork, for itself
	name   string
	val    cty.Value
}

// frame is a node in the middle of its evaluation, and where it was read.
type frame struct {
	n  *node
	at hcl.Range
}

// force evaluates a node once. ok is false when its evaluation was reported as
// wrong; the value is then unknown.
func (e *Evaluator) force(n *node, at hcl.Range, f func() (cty.Value, bool)) (cty.Value, bool) {
	if e.stop.Load() {
		runtime.Goexit()
	}
	if e.base != nil && n.state != done && !n.own {
		e.missed = true
		return cty.DynamicVal, false
	}
	switch n.state {
	case done:
		return n.val, !n.failed
	case running:
		e.cycle(n, at)
		return cty.DynamicVal, false
	}
	if len(e.stack) >= maxDepth {
		e.Diags = append(e.Diags, diag.Errorf("E0307", "Chain of references is too long", syntax.Range(at), "More than %d values wait for one another here. Shorten the chain.", maxDepth))
		return cty.DynamicVal, false
	}
	e.enter(n, at)
	v, ok := f()
	e.leave(n)
	n.val, n.failed = v, n.failed || !ok
	if n.failed {
		n.val = cty.DynamicVal
	}
	return n.val, !n.failed
}

func (e *Evaluator) enter(n *node, at hcl.Range) {
	n.state = running
	e.stack = append(e.stack, frame{n, at})
	e.Stats.Nodes++
}

func (e *Evaluator) leave(n *node) {
	e.stack = e.stack[:len(e.stack)-1]
	n.state = done
}

// cycle reports the chain of reads that leads from a node back to itself.
func (e *Evaluator) cycle(n *node, at hcl.Range) {
	from := 0
	for i, f := range e.stack {
		if f.n == n {
			from = i
		}
	}
	chain := e.stack[from:]
	for _, f := range chain {
		if f.n.failed {
			return // part of a cycle that was reported
		}
	}
	// A value and the selection of its definitions are two nodes of one name;
	// people see one.
	short := chain[:0:0]
	for i, f := range chain {
		f.n.failed = true
		if i > 0 && f.n.name == chain[i-1].n.name {
			continue
		}
		short = append(short, f)
	}
	if len(short) > 1 && short[len(short)-1].n.name == n.name {
		short = short[:len(short)-1]
	}
	chain = short
	names := n.name
	d := &diag.Diagnostic{Severity: diag.Error, Code: "E0301", Summary: "Cycle", Subject: syntax.Range(at)}
	const shown = 12
	for i, f := range chain {
		next, where := n, at
		if i+1 < len(chain) {
			next, where = chain[i+1].n, chain[i+1].at
		}
		if i < shown || i == len(chain)-1 {
			names += " -> " + next.name
			d.Related = append(d.Related, diag.Related{Message: fmt.Sprintf("%s reads %s", f.n.name, next.name), Range: syntax.Range(where)})
		} else if i == shown {
			names += fmt.Sprintf(" -> … %d more …", len(chain)-shown-1)
		}
	}
	d.Detail = fmt.Sprintf("A value is needed for its own evaluation: %s. Break the chain at one of these reads.", names)
	e.Diags = append(e.Diags, d)
}

func (e *Evaluator) err(code, summary string, at hcl.Range, format string, args ...any) *diag.Diagnostic {
	d := diag.Errorf(code, summary, syntax.Range(at), format, args...)
	e.Diags = append(e.Diags, d)
	return d
}

func related(msg string, r hcl.Range) diag.Related {
	return diag.Related{Message: msg, Range: syntax.Range(r)}
}

func (e *Evaluator) functions(m *index.Module) map[string]function.Function {
	f, ok := e.funcs[m]
	if !ok {
		if e.o.Functions != nil {
			f = e.o.Functions(m)
		}
		e.funcs[m] = f
	}
	return f
}

type genNode struct {
	node
	out *generate.Output
}

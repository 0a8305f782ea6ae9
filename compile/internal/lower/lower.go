// Package lower turns merged values into the result model: unit files whose
// every line knows where it was defined, files, links, accounts.
//
// It takes the evaluator and gives a *tree.Tree. It must not know HCL syntax
// beyond ranges, nor how definitions merge.
package lower

import (
	"runtime"
	"sort"
	"sync"

	"github.com/hashicorp/hcl/v2"

	"github.com/unitgen/unitgen/compile/internal/eval"
	"github.com/unitgen/unitgen/compile/internal/index"
	"github.com/unitgen/unitgen/compile/internal/syntax"
	"github.com/unitgen/unitgen/schema/diag"
	"github.com/unitgen/unitgen/schema/tree"
)

// Options say for what to lower.
type Options struct {
	Systemd     int
	Sysroot     string
	Below       Below
	Parallelism int
	ReadFile    func(m *index.Module, name string) ([]byte, error) // a file of a module's directory
}

// Below is the systemd below the system root: its version, 0 where it is not
// known, and the file that tells it.
type Below struct {
	Version int
	From    string
}

type lowering struct {
	e     *eval.Evaluator
	o     Options
	t     *tree.Tree
	diags diag.List

	files   map[string]*tree.File
	adopted map[string]*tree.Unit // units of package blocks, by scope/name
	reads   []strongRead
	inTree  map[string]bool // scope/name of the units in the tree
	names   map[string]bool // every declared unit
	creds   map[string][]extraLine
}

// strongRead is a reference in a directive that needs the unit to be there.
type strongRead struct {
	directive string
	unit      string
	read      eval.Read
}

type extraLine struct {
	key, value string
	at         hcl.Range
	ours       bool // an X- directive of [Unit]
}

// Tree lowers the whole host into t.
func Tree(e *eval.Evaluator, t *tree.Tree, o Options) diag.List {
	l := &lowering{e: e, o: o, t: t, files: map[string]*tree.File{}, adopted: map[string]*tree.Unit{},
		inTree: map[string]bool{}, creds: map[string][]extraLine{}}
	l.etcFiles()
	l.accounts()
	l.tmpfiles()
	l.sysctls()
	l.checks()
	l.credentials()
	l.packages()
	var drafts []*draft
	for _, u := range e.Units() {
		if d := l.unit(u); d != nil {
			drafts = append(drafts, d)
		}
	}
	l.fill(drafts)
	drafts = append(drafts, l.actions()...)
	drafts = append(drafts, l.dropIns()...)
	l.finish(drafts)
	l.offBlocks()
	l.instances()
	l.distro()
	l.links()
	l.strong()
	sort.Slice(t.Units, func(i, j int) bool {
		a, b := t.Units[i], t.Units[j]
		if a.Name != b.Name {
			return a.Name < b.Name
		}
		if a.Scope != b.Scope {
			return a.Scope < b.Scope
		}
		return a.Place < b.Place
	})
	sort.Slice(t.DropIns, func(i, j int) bool {
		a, b := t.DropIns[i], t.DropIns[j]
		if a.Unit != b.Unit {
			return a.Unit < b.Unit
		}
		if a.Scope != b.Scope {
			return a.Scope < b.Scope
		}
		return a.Name < b.Name
	})
	for _, f := range l.files {
		t.Files = append(t.Files, f)
	}
	sort.Slice(t.Files, func(i, j int) bool { return t.Files[i].Path < t.Files[j].Path })
	return l.diags
}

func (l *lowering) err(code, summary string, at hcl.Range, format string, args ...any) *diag.Diagnostic {
	d := diag.Errorf(code, summary, syntax.Range(at), format, args...)
	l.diags = append(l.diags, d)
	return d
}

// lacks reports what a thing does not have, unless an attribute of one of its
// blocks was refused: that was meant then.
func (l *lowering) lacks(g *eval.Group, code, summary string, at hcl.Range, format string, args ...any) {
	for _, c := range g.Contribs {
		if c.Gen == nil && l.e.IX.Faulty[c.Block.Block] || c.Gen != nil && l.e.Refused(c) {
			return
		}
	}
	l.err(code, summary, at, format, args...)
}

func related(msg string, r hcl.Range) diag.Related {
	return diag.Related{Message: msg, Range: syntax.Range(r)}
}

// finish checks and builds the drafts in parallel; the results keep their
// order.
func (l *lowering) finish(drafts []*draft) {
	n := l.o.Parallelism
	if n <= 0 {
		n = runtime.GOMAXPROCS(0)
	}
	n = max(min(n, len(drafts)/64+1), 1)
	var wg sync.WaitGroup
	for w := range n {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := len(drafts) * w / n; i < len(drafts)*(w+1)/n; i++ {
				if drafts[i].file == nil {
					drafts[i].build(l.o)
				}
			}
		}()
	}
	wg.Wait()
	for _, d := range drafts {
		l.diags = append(l.diags, d.diags...)
		l.place(d)
	}
}

// place puts a built draft into the tree.
func (l *lowering) place(d *draft) {
	if d.dropIn != "" {
		l.t.DropIns = append(l.t.DropIns, &tree.DropIn{Unit: d.name, Name: d.dropIn, Scope: d.scope, Place: d.at, File: d.file, Origin: d.origin})
		return
	}
	u := &tree.Unit{Name: d.name, Scope: d.scope, Place: d.at, File: d.file, NoInstall: d.noInstall, Origin: d.origin}
	if d.mask {
		u.Mask, u.File = true, nil
	}
	l.t.Units = append(l.t.Units, u)
}

// strong reports references, in directives that need the unit, to units that
// are declared but not in the tree.
func (l *lowering) strong() {
	for _, u := range l.t.Units {
		l.inTree[string(u.Scope)+"/"+u.Name] = true
	}
	for _, r := range l.reads {
		if !l.declared(r.read.Unit) || l.inTree["system/"+r.read.Unit] || l.inTree["user/"+r.read.Unit] {
			continue
		}
		d := l.err("E0607", "Required unit is not in the tree", r.read.At, "%s has %s=%s, but %s is declared and switched off (enable = false, or its condition does not hold). Write when(condition, …) around this reference, or enable the unit.", r.unit, r.directive, r.read.Unit, r.read.Unit)
		d.Related = append(d.Related, l.offAt(r.read.Unit)...)
	}
}

func (l *lowering) declared(name string) bool {
	if l.names == nil {
		l.names = map[string]bool{}
		for _, u := range l.e.Units() {
			l.names[u.Name] = true
		}
	}
	return l.names[name]
}

// Package index lists every declaration and definition of the loaded modules
// with its priority, order, conditions and source range, before anything is
// evaluated.
//
// It takes modules and gives the index. It must not know values: what needs
// evaluation is kept as an expression.
package index

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/unitgen/unitgen/compile/internal/load"
	"github.com/unitgen/unitgen/compile/internal/syntax"
	"github.com/unitgen/unitgen/compile/internal/types"
	"github.com/unitgen/unitgen/schema/diag"
	"github.com/unitgen/unitgen/schema/tree"
)

// Module is one module's declarations.
type Module struct {
	*load.Module
	When    *syntax.Attr
	Options map[string]*Option
	Names   []string // of Options, in the order of the source
	Locals  map[string]*Local
}

// Block is one block that contributes to the host.
type Block struct {
	*syntax.Block
	Module  *Module
	Conds   []Cond // outermost first; the block's own last
	ForEach *syntax.Attr
	Name    *syntax.Attr
	Scope   tree.Scope // of unit blocks
	Seq     int        // place in list order
	Outer   []hcl.Range
}

// Cond is one condition of a block.
type Cond struct {
	Expr   hclsyntax.Expression
	Module *Module
	Own    bool // may read each
}

// Local is one local value.
type Local struct {
	Module *Module
	Attr   *syntax.Attr
}

// Option is one declared option.
type Option struct {
	Module      *Module
	Name        string
	Block       *syntax.Block
	Type        *types.Type
	Default     *syntax.Attr
	Check       *syntax.Attr
	Message     string // of the check
	Description string
	Example     *syntax.Attr
	Deprecated  string
	RenamedTo   string
	Alias       bool         // RenamedTo without a warning
	Apply       *syntax.Attr // what others read, made of value
	Removed     string
	Merge       string // "" for the type's own way
	Internal    bool
	ReadOnly    bool
	Required    bool
	Shared      bool // other hosts may read it
	Defs        []*Def
}

// Path spells the option as others read it.
func (o *Option) Path() string {
	if o.Module.Name == "" {
		return "option." + o.Name
	}
	return "config." + o.Module.Name + "." + o.Name
}

// Key addresses the blocks of one unit, by the label of the block.
type Key struct {
	Scope tree.Scope
	Kind  string
	Label string
}

// Refused is a definition that counts for no option, and that may hold a
// secret all the same.
type Refused struct {
	Attr  *syntax.Attr
	Block *Block
}

// Index is everything that is known before evaluation.
type Index struct {
	Faulty    map[*syntax.Block]bool // blocks with an attribute that was refused: what they lack is no further mistake
	Refused   []Refused
	Set       *load.Set
	Modules   []*Module
	ByName    map[string]*Module
	Own       *Module
	Units     map[Key][]*Block
	UnitKeys  []Key               // in list order of their first block
	Dynamic   map[string][]*Block // kind -> unit and etc blocks whose names need evaluation
	EtcLabels map[string]bool     // of all etc blocks
	Blocks    map[string][]*Block // every other kind -> blocks in list order
	Variants  []string
	Functions func(m *load.Module) types.Env

	// ReadsDirectives says that an expression may read a directive of a unit.
	ReadsDirectives bool

	Elsewhere []*Block        // blocks of variants that are not built
	elsewhere map[string]bool // labels of their units and files, as kind/label

	labels map[string][]string // kind -> unit labels
	seq    int
	diags  diag.List
}

// Override is one definition from outside the files.
type Override struct {
	Path string
	Expr hclsyntax.Expression
	Src  *syntax.File
}

// Options says what to index.
type Options struct {
	Variant   string
	Overrides []Override
	Env       func(m *load.Module) types.Env
}

// Make indexes a loaded set.
func Make(set *load.Set, o Options) (*Index, diag.List) {
	ix := &Index{Faulty: map[*syntax.Block]bool{}, Set: set, ByName: map[string]*Module{}, Units: map[Key][]*Block{},
		Dynamic: map[string][]*Block{}, EtcLabels: map[string]bool{}, Blocks: map[string][]*Block{}, Functions: o.Env, labels: map[string][]string{}}
	for _, lm := range set.Modules {
		m := &Module{Module: lm, Options: map[string]*Option{}, Locals: map[string]*Local{}}
		if lm.Header != nil {
			m.When = lm.Header.Attr("when")
		}
		ix.Modules = append(ix.Modules, m)
		if lm.Name != "" {
			ix.ByName[lm.Name] = m
		}
		if lm.Host {
			ix.Own = m
		}
	}
	for _, m := range ix.Modules {
		ix.declarations(m)
	}
	found := map[string]diag.Range{}
	for _, m := range ix.Modules {
		var conds []Cond
		if m.When != nil {
			conds = []Cond{{Expr: m.When.Expr(), Module: m}}
		}
		for _, f := range m.Files {
			ix.ReadsDirectives = ix.ReadsDirectives || f.ReadsDirectives
			for _, b := range f.Blocks {
				ix.top(m, b, conds, o, found, "")
			}
		}
	}
	for v := range found {
		ix.Variants = append(ix.Variants, v)
	}
	if o.Variant != "" {
		if _, ok := found[o.Variant]; !ok {
			what := "The configuration declares no variant at all."
			if len(ix.Variants) > 0 {
				what = "Its variants are: " + list(ix.Variants) + "."
			}
			ix.diags = append(ix.diags, diag.Errorf("E0219", "No such variant", diag.Range{File: "."}, "There is no variant %q. %s", o.Variant, what))
		}
	}
	for _, ov := range o.Overrides {
		ix.ReadsDirectives = true // for all that is known
		ix.override(ov)
	}
	return ix, ix.TakeDiags()
}

func (ix *Index) err(code, summary string, at hcl.Range, format string, args ...any) *diag.Diagnostic {
	d := diag.Errorf(code, summary, syntax.Range(at), format, args...)
	ix.diags = append(ix.diags, d)
	return d
}

// Labels gives the labels of the unit blocks of a kind.
func (ix *Index) Labels(kind string) []string { return ix.labels[kind] }

// top indexes one block; inside is the kind of the block around it.
func (ix *Index) top(m *Module, b *syntax.Block, conds []Cond, o Options, found map[string]diag.Range, inside string) {
	spec, ok := ix.shape(b, inside)
	if !ok {
		return
	}
	switch b.Kind {
	case "module", "option", "locals":
		return
	case "host":
		if ix.Set.Host != nil && b == ix.Set.Host.Block {
			for _, n := range b.Blocks {
				ix.top(m, n, conds, o, found, b.Kind)
			}
			return
		}
		for _, n := range b.Blocks {
			ix.shape(n, b.Kind)
		}
		return
	case "variant":
		found[b.Label()] = syntax.Range(b.Header)
		if b.Label() != o.Variant {
			for _, n := range b.Blocks {
				ix.aside(m, n, b.Kind)
			}
			return
		}
		inner := ix.conds(m, b, conds)
		for i := range inner {
			inner[i].Own = false
		}
		for _, n := range b.Blocks {
			ix.top(m, n, inner, o, found, b.Kind)
		}
		return
	}
	blk := &Block{Block: b, Module: m, Conds: ix.conds(m, b, conds), Seq: ix.seq}
	ix.seq++
	for _, a := range b.Attrs {
		switch a.Name {
		case "for_each":
			if word(spec.attrs, "for_each") {
				blk.ForEach = a
			}
		case "name":
			if spec.named {
				blk.Name = a
			}
		}
	}
	switch {
	case b.Kind == "config":
		ix.config(blk)
	case spec.unit:
		ix.unit(blk)
	default:
		ix.Blocks[b.Kind] = append(ix.Blocks[b.Kind], blk)
		if b.Kind == "etc" {
			ix.EtcLabels[b.Label()] = true
			if blk.ForEach != nil || blk.Name != nil {
				ix.Dynamic[b.Kind] = append(ix.Dynamic[b.Kind], blk)
			}
		}
	}
}

// aside indexes a block of a variant that is not built: what it says is checked
// as far as it can be without the variant's values.
func (ix *Index) aside(m *Module, b *syntax.Block, inside string) {
	if _, ok := ix.shape(b, inside); !ok {
		return
	}
	blk := &Block{Block: b, Module: m, Seq: ix.seq, Scope: tree.System, ForEach: b.Attr("for_each"), Name: b.Attr("name")}
	if ix.elsewhere == nil {
		ix.elsewhere = map[string]bool{}
	}
	ix.elsewhere[b.Kind+"/"+b.Label()] = true
	if blk.ForEach != nil || blk.Name != nil || b.Kind == "generate" {
		ix.elsewhere[b.Kind] = true
	}
	ix.Elsewhere = append(ix.Elsewhere, blk)
	if b.Kind != "config" {
		return
	}
	to := ix.ByName[b.Label()]
	if to == nil {
		ix.noModule(b.Label(), b.Labels[0].Range)
		return
	}
	for _, a := range b.Attrs {
		if a.Name != "when" && to.Options[a.Name] == nil {
			ix.err("E0303", "Unknown option", a.NameRange(), "%s", ix.NoOption(to, a.Name))
		}
	}
}

// DeclaredElsewhere reports whether a variant that is not built declares a unit
// or file of that label, or makes names that are not known.
func (ix *Index) DeclaredElsewhere(kind, label string) bool {
	return ix.elsewhere[kind+"/"+label] || ix.elsewhere[kind] || ix.elsewhere["generate"]
}

func (ix *Index) conds(m *Module, b *syntax.Block, outer []Cond) []Cond {
	a := b.Attr("when")
	if a == nil {
		return outer
	}
	return append(outer[:len(outer):len(outer)], Cond{Expr: a.Expr(), Module: m, Own: true})
}

func (ix *Index) unit(b *Block) {
	label := b.Label()
	if !ix.unitLabel(b) {
		return
	}
	b.Scope = tree.System
	if a := b.Attr("scope"); a != nil {
		s, ok := syntax.StringOf(a.Expr())
		if !ok || s != "system" && s != "user" {
			ix.err("E0218", "Not a literal", a.Expr().Range(), `scope is read before anything is evaluated: write scope = "system" or scope = "user".`)
		} else {
			b.Scope = tree.Scope(s)
		}
	}
	k := Key{b.Scope, b.Kind, label}
	if len(ix.Units[k]) == 0 {
		ix.UnitKeys = append(ix.UnitKeys, k)
		ix.labels[b.Kind] = append(ix.labels[b.Kind], label)
	}
	ix.Units[k] = append(ix.Units[k], b)
	if b.ForEach != nil || b.Name != nil {
		ix.Dynamic[b.Kind] = append(ix.Dynamic[b.Kind], b)
	}
}

// config indexes the definitions of a config block.
func (ix *Index) config(b *Block) {
	ns := b.Label()
	m := ix.ByName[ns]
	if m == nil {
		ix.noModule(ns, b.Labels[0].Range)
		return
	}
	for _, a := range b.Attrs {
		if a.Name == "when" {
			continue
		}
		if d := ix.define(m, a.Name, a, b); d != nil && d.Option.ReadOnly && b.Module != m {
			e := ix.err("E0405", "Option is read-only", a.NameRange(), "%s is set by its own module alone; others only read it. Remove this definition.", d.Option.Path())
			e.Related = append(e.Related, diag.Related{Message: "declared here", Range: syntax.Range(d.Option.Block.Header)})
			d.Option.Defs = d.Option.Defs[:len(d.Option.Defs)-1]
		}
	}
}

func (ix *Index) noModule(ns string, at hcl.Range) {
	if r, off := ix.Set.Off[ns]; off {
		d := ix.err("E0302", "Unknown module", at, "The module %q is left out by the host. Remove it from host.disable, or remove what uses it.", ns)
		d.Related = []diag.Related{{Message: "left out here", Range: r}}
		return
	}
	ix.err("E0302", "Unknown module", at, "%s", ix.NoModule(ns))
}

// NoModule says that there is no module of that name.
func (ix *Index) NoModule(ns string) string {
	var names []string
	for n := range ix.ByName {
		names = append(names, n)
	}
	if s := types.Suggest(ns, names); s != "" {
		return "There is no module " + quote(ns) + ". Did you mean " + quote(s) + "?"
	}
	return "There is no module " + quote(ns) + ": no import of the host has that name, and none comes with unitgen. Add its directory to imports in the host block."
}

// define indexes one definition of an option, following renames.
func (ix *Index) define(m *Module, name string, a *syntax.Attr, b *Block) *Def {
	opt := m.Options[name]
	if opt == nil {
		ix.err("E0303", "Unknown option", a.NameRange(), "%s", ix.NoOption(m, name))
		for _, o := range m.Options { // a misspelt one may be meant
			if o.Type.HasSecret() {
				ix.Refused = append(ix.Refused, Refused{a, b})
				break
			}
		}
		return nil
	}
	if opt.RenamedTo != "" {
		next := ix.Renamed(opt)
		if next == nil {
			return nil // Renames reports it
		}
		if next.Removed == "" && !opt.Alias {
			d := diag.Warnf("W0401", "Option was renamed", syntax.Range(a.NameRange()), "%s is now %s. Write the new name.", opt.Path(), next.Path())
			ix.diags = append(ix.diags, d)
		}
		opt = next
	}
	if opt.Removed != "" {
		d := ix.err("E0404", "Option was removed", a.NameRange(), "%s is gone: %s", opt.Path(), opt.Removed)
		d.Related = []diag.Related{{Message: "removed here", Range: syntax.Range(opt.Block.Header)}}
		if opt.Type.HasSecret() {
			ix.Refused = append(ix.Refused, Refused{a, b})
		}
		return nil
	}
	if opt.Deprecated != "" {
		ix.diags = append(ix.diags, diag.Warnf("W0402", "Option is deprecated", syntax.Range(a.NameRange()), "%s: %s", opt.Path(), opt.Deprecated))
	}
	d, ok := ix.Def(a, b)
	if !ok {
		return nil
	}
	d.Option = opt
	opt.Defs = append(opt.Defs, d)
	return d
}

// option finds an option by a name that may have a module in front.
func (ix *Index) option(m *Module, name string) *Option {
	for i := range name {
		if name[i] == '.' {
			if o := ix.ByName[name[:i]]; o != nil {
				return o.Options[name[i+1:]]
			}
			return nil
		}
	}
	return m.Options[name]
}

// NoOption says that a module has no option of that name.
func (ix *Index) NoOption(m *Module, name string) string {
	where := "The module " + quote(m.Name)
	if m.Name == "" {
		where = "This directory"
	}
	s := where + " has no option " + quote(name) + "."
	var other []string
	for _, o := range ix.Modules {
		if o != m && o.Name != "" && o.Options[name] != nil && !o.Options[name].Internal && len(other) < 5 {
			other = append(other, "config."+o.Name+"."+name)
		}
	}
	if len(other) > 0 {
		return s + " Did you mean " + strings.Join(other, " or ") + "?"
	}
	if near := types.Suggest(name, m.Names); near != "" {
		return s + " Did you mean " + quote(near) + "?"
	}
	if len(m.Names) == 0 {
		return s + " It declares none."
	}
	if len(m.Names) <= 20 {
		return s + " Its options are: " + list(m.Names) + "."
	}
	return s + " See unitgen options " + m.Name + "."
}

func (ix *Index) override(ov Override) {
	name, m := "", (*Module)(nil)
	tr, hd := hclsyntax.ParseTraversalAbs([]byte(ov.Path), "override", hcl.InitialPos)
	if !hd.HasErrors() {
		parts := make([]string, 0, len(tr))
		for _, s := range tr[1:] {
			if at, ok := s.(hcl.TraverseAttr); ok {
				parts = append(parts, at.Name)
			}
		}
		switch {
		case tr.RootName() == "config" && len(parts) == 2:
			m, name = ix.ByName[parts[0]], parts[1]
		case tr.RootName() == "option" && len(parts) == 1:
			m, name = ix.Own, parts[0]
		}
	}
	if m == nil || m.Options[name] == nil {
		ix.diags = append(ix.diags, diag.Errorf("E0303", "Unknown option", diag.Range{File: "override"}, "The override %q names no option; write config.MODULE.OPTION.", ov.Path))
		return
	}
	b := &Block{Block: &syntax.Block{File: ov.Src, Kind: "config"}, Module: ix.Own, Seq: ix.seq}
	ix.seq++
	a := syntax.NewAttr(ov.Src, name, ov.Expr.Range(), ov.Expr)
	if d := ix.define(m, name, a, b); d != nil && d.Prio > PrioOverride {
		d.Prio = PrioOverride
	}
}

// Value makes a definition from a value, for generated ones.
func Value(v cty.Value, at hcl.Range, prio int, b *Block) *Def {
	return &Def{Val: v, At: at, Prio: prio, Order: OrderPlain, Block: b}
}

// Fork gives an index of the same definitions that keeps diagnostics of its own.
func (ix *Index) Fork() *Index {
	other := *ix
	other.diags = nil
	return &other
}

// Option finds an option of a module by name, or of another by MODULE.NAME.
func (ix *Index) Option(m *Module, name string) *Option { return ix.option(m, name) }

// TakeDiags gives the diagnostics that were found since the last call.
func (ix *Index) TakeDiags() diag.List {
	d := ix.diags
	ix.diags = nil
	return d
}

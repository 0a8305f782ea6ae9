package eval

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/unitgen/unitgen/compile/internal/generate"
	"github.com/unitgen/unitgen/compile/internal/index"
	"github.com/unitgen/unitgen/compile/internal/types"
)

// Type parses a type expression of the compiler's own.
func Type(text string) *types.Type {
	x, hd := hclsyntax.ParseExpression([]byte(text), "", hclPos)
	if hd.HasErrors() {
		panic("This is a bug in unitgen: " + hd.Error())
	}
	t, hd := types.Parse(x, types.Env{})
	if hd.HasErrors() {
		panic("This is a bug in unitgen: " + hd.Error())
	}
	return t
}

// Attr merges an attribute of ours over the contributions to one thing. set is
// false when nothing defines it; at is the place of the definition that won. A
// secret is refused: what the attributes say is readable in the tree.
func (e *Evaluator) Attr(thing, name string, t *types.Type, contribs []Contrib) (v cty.Value, at hcl.Range, set, ok bool) {
	v, at, set, ok = e.MarkedAttr(thing, name, t, contribs)
	if ok && set {
		if marks := types.Secrets(v); len(marks) > 0 {
			e.Secret(marks, at, thing+"."+name+", which everybody can read")
			return v, at, true, false
		}
	}
	return v, at, set, ok
}

// attrDefs gives the definitions of an attribute; ok is false when one is
// reported as wrong.
func (e *Evaluator) attrDefs(name string, contribs []Contrib) (defs []*index.Def, ok bool) {
	for _, c := range contribs {
		if c.Gen != nil {
			if a := c.Gen.Attr(name); a != nil {
				d := index.Value(a.Value, a.Range, index.PrioDefault, c.Block)
				defs = append(defs, d)
			}
			continue
		}
		a := c.Block.Attr(name)
		if a == nil {
			continue
		}
		d, ok := e.IX.Def(a, c.Block)
		if !ok {
			e.takeIndexDiags()
			return nil, false
		}
		if c.Each != nil {
			d.Each = c.Each
		}
		d.Whens = append([]hclsyntax.Expression(nil), d.Whens...)
		defs = append(defs, d)
	}
	return defs, true
}

// MarkedAttr is Attr for callers that deal with secrets themselves.
func (e *Evaluator) MarkedAttr(thing, name string, t *types.Type, contribs []Contrib) (v cty.Value, at hcl.Range, set, ok bool) {
	defs, ok := e.attrDefs(name, contribs)
	if !ok {
		return cty.NilVal, hcl.Range{}, false, false
	}
	if len(defs) == 0 {
		return cty.NilVal, hcl.Range{}, false, true
	}
	first := contribs[0]
	opt := &index.Option{Module: first.Block.Module, Name: name, Block: first.Block.Block, Type: t, Defs: defs}
	p := &pathNode{opt: opt, typ: t}
	p.name = thing + "." + name
	p.sel.name = p.name
	if !e.selection(p, defs[0].At) {
		return cty.NilVal, hcl.Range{}, true, false
	}
	if len(p.defs) == 0 {
		return cty.NilVal, hcl.Range{}, false, true
	}
	v, ok = e.value(p, defs[0].At)
	return v, p.defs[0].At, true, ok
}

// Bool is Attr for a bool with a default.
func (e *Evaluator) Bool(thing, name string, contribs []Contrib, def bool) (v bool, set, ok bool) {
	val, at, set, ok := e.MarkedAttr(thing, name, boolType, contribs)
	if !ok || !set {
		return def, false, ok
	}
	if marks := types.Secrets(val); len(marks) > 0 {
		e.Secret(marks, at, name+", which decides what is in the tree")
		return def, true, false
	}
	return val.True(), true, true
}

var boolType = types.Named("bool")

// Group is one thing of a kind of block, with all its contributions.
type Group struct {
	Name     string
	Contribs []Contrib
}

// Groups gives the things that the blocks of a kind make, by final name, in
// list order; key gives the name under which instances are one thing.
func (e *Evaluator) Groups(kind string, key func(c Contrib, name string) (string, bool)) []*Group {
	by := map[string]*Group{}
	var out []*Group
	add := func(c Contrib, name string) {
		if key != nil {
			var ok bool
			if name, ok = key(c, name); !ok {
				return
			}
		}
		g := by[name]
		if g == nil {
			g = &Group{Name: name}
			by[name] = g
			out = append(out, g)
		}
		g.Contribs = append(g.Contribs, c)
	}
	for _, b := range e.IX.Blocks[kind] {
		on, ok := e.holds(b, nil, b.Header)
		if !ok {
			continue
		}
		if !on {
			continue
		}
		inst, ok := e.Instances(b, b.Header)
		if !ok {
			continue
		}
		for _, in := range inst {
			add(Contrib{Block: b, Each: in.Each}, in.Name)
		}
	}
	if kind == "etc" || kind == "dropin" {
		for _, b := range e.IX.Blocks["generate"] {
			out, _ := e.Generated(b, b.Header)
			if out == nil {
				continue
			}
			list := out.Etc
			if kind == "dropin" {
				list = out.DropIns
			}
			for i := range list {
				add(Contrib{Block: b, Gen: &list[i]}, list[i].Label)
			}
		}
	}
	return out
}

// Place gives where a contribution's output lies.
func (e *Evaluator) PlaceOf(c Contrib) string {
	if c.Gen != nil {
		return string(e.place(c.Block))
	}
	return "etc"
}

// EtcFile is kept for references to files by path.
type EtcFile struct{}

// etcExists reports whether a dynamic etc block or a generator makes a path.
func (e *Evaluator) etcExists(path string) bool {
	if e.etcPaths == nil {
		all := map[string]bool{}
		for _, b := range e.IX.Dynamic["etc"] {
			inst, ok := e.Instances(b, b.Header)
			if !ok {
				return true
			}
			for _, in := range inst {
				all[in.Name] = true
			}
		}
		for _, b := range e.IX.Blocks["generate"] {
			out, ok := e.Generated(b, b.Header)
			if !ok {
				return true
			}
			if out == nil {
				continue
			}
			for i := range out.Etc {
				all[out.Etc[i].Label] = true
			}
		}
		e.etcPaths = all
	}
	return e.etcPaths[path]
}

var _ generate.Block

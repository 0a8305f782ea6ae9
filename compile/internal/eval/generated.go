package eval

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/unitgen/unitgen/compile/internal/generate"
	"github.com/unitgen/unitgen/compile/internal/index"
	"github.com/unitgen/unitgen/compile/internal/syntax"
	"github.com/unitgen/unitgen/compile/internal/types"
	"github.com/unitgen/unitgen/schema/tree"
)

var hclPos = hcl.InitialPos

// Generated runs a generate block; nil when its condition does not hold.
func (e *Evaluator) Generated(b *index.Block, at hcl.Range) (*generate.Output, bool) {
	g := e.shared().gens[b]
	if g == nil && e.base != nil {
		e.missed = true
		return nil, false
	}
	if g == nil {
		g = &genNode{node: node{name: "generate." + b.Label()}}
		e.gens[b] = g
	}
	_, ok := e.force(&g.node, at, func() (cty.Value, bool) {
		on, ok := e.holds(b, nil, b.Header)
		if !ok || !on {
			return cty.NilVal, ok
		}
		g.out, ok = e.generate(b)
		return cty.NilVal, ok
	})
	return g.out, ok
}

func (e *Evaluator) generate(b *index.Block) (*generate.Output, bool) {
	s := &Scope{Module: b.Module}
	program, set, ok := e.blockString(s, b.Block, "program")
	if !ok || !set {
		return nil, false
	}
	input := cty.EmptyObjectVal
	if a := b.Attr("input"); a != nil {
		if input, ok = e.Eval(s, a.Expr()); !ok {
			return nil, false
		}
		if marks := types.Secrets(input); len(marks) > 0 {
			e.Secret(marks, a.Expr().Range(), "the program's output, which is stored readable")
			return nil, false
		}
		input, _ = input.UnmarkDeep()
	}
	if _, ok := e.target(b); !ok {
		return nil, false
	}
	o := e.jsonnet(b, program, input)
	if a := b.Attr("data"); a != nil {
		v, ok := e.Eval(s, a.Expr())
		if !ok {
			return nil, false
		}
		if marks := types.Secrets(v); len(marks) > 0 {
			e.Secret(marks, a.Expr().Range(), "the names of a program's data, which everybody can read")
			return nil, false
		}
		o.Data = []string{}
		v, _ = v.UnmarkDeep()
		if v.IsNull() || !v.IsKnown() || !v.CanIterateElements() {
			e.err("E0403", "Value has the wrong type", a.Expr().Range(), "data must be a list of file names, not %s.", describe(v))
			return nil, false
		}
		for it := v.ElementIterator(); it.Next(); {
			_, x := it.Element()
			if x.IsNull() || x.Type() != cty.String {
				e.err("E0403", "Value has the wrong type", a.Expr().Range(), "data must be a list of file names, not of %s.", describe(x))
				return nil, false
			}
			o.Data = append(o.Data, x.AsString())
		}
	}
	return e.run(b, o)
}

// target gives the place of a generate block's output.
func (e *Evaluator) target(b *index.Block) (tree.Place, bool) {
	v, set, ok := e.blockString(&Scope{Module: b.Module}, b.Block, "target")
	if !ok || !set {
		return tree.Etc, ok
	}
	switch p := tree.Place(v); p {
	case tree.Etc, tree.Generator, tree.GeneratorEarly, tree.GeneratorLate:
		return p, true
	}
	e.err("E0403", "Value has the wrong type", b.Attr("target").Expr().Range(), "target must be one of etc, generator, generator.early, generator.late, not %q.", v)
	return tree.Etc, false
}

func (e *Evaluator) place(b *index.Block) tree.Place {
	v, _ := syntax.StringOf(exprOf(b, "target"))
	switch p := tree.Place(v); p {
	case tree.Generator, tree.GeneratorEarly, tree.GeneratorLate:
		return p
	}
	return tree.Etc
}

func exprOf(b *index.Block, name string) hcl.Expression {
	if a := b.Attr(name); a != nil {
		return a.Expr()
	}
	return nil
}

func (e *Evaluator) genScope(b *generate.Block) tree.Scope {
	if a := b.Attr("scope"); a != nil && a.Value.Type() == cty.String && !a.Value.IsNull() && a.Value.AsString() == "user" {
		return tree.User
	}
	return tree.System
}

// blockString evaluates an attribute of one block that must be a string.
func (e *Evaluator) blockString(s *Scope, b *syntax.Block, name string) (text string, set, ok bool) {
	a := b.Attr(name)
	if a == nil {
		return "", false, true
	}
	v, ok := e.Eval(s, a.Expr())
	if !ok {
		return "", true, false
	}
	if marks := types.Secrets(v); len(marks) > 0 {
		e.Secret(marks, a.Expr().Range(), name+" of a block, which everybody can read")
		return "", true, false
	}
	raw, _ := v.Unmark()
	if raw.IsNull() {
		return "", false, true
	}
	if !raw.IsKnown() || raw.Type() != cty.String {
		e.err("E0403", "Value has the wrong type", a.Expr().Range(), "%s must be a string, not %s.", name, describe(raw))
		return "", true, false
	}
	return raw.AsString(), true, true
}

// Place gives where a generate block's output lies.
func (e *Evaluator) Place(b *index.Block) tree.Place { return e.place(b) }

// NoRange is the range of what no source text made.
var NoRange hcl.Range

package eval

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/unitgen/unitgen/compile/internal/index"
	"github.com/unitgen/unitgen/compile/internal/syntax"
	"github.com/unitgen/unitgen/compile/internal/types"
	"github.com/unitgen/unitgen/schema/diag"
)

// maxWay bounds how many steps of a secret's way are told.
const maxWay = 8

// way gives the locals and options that a secret passed through on its way to
// a place, nearest first, each where it reads the next.
func (e *Evaluator) way(at hcl.Range) []diag.Related {
	m, x := e.expressionAt(at)
	var out []diag.Related
	seen := map[any]bool{}
	for x != nil && len(out) < maxWay {
		var next hclsyntax.Expression
		var in *index.Module
		for _, tr := range x.Variables() {
			step, thing, expr, from, ok := e.secretStep(m, tr)
			if !ok || seen[thing] {
				continue
			}
			seen[thing] = true
			if expr != nil {
				out = append(out, related(fmt.Sprintf("it passes through %s", step), expr.Range()))
				next, in = expr, from
			}
			break
		}
		m, x = in, next
	}
	return out
}

// secretStep looks at what a traversal reads: whether that holds a secret, and
// the expression that made it, where that reads further values.
func (e *Evaluator) secretStep(m *index.Module, tr hcl.Traversal) (name string, thing any, x hclsyntax.Expression, in *index.Module, ok bool) {
	attr := func(i int) string {
		if i < len(tr) {
			if a, ok := tr[i].(hcl.TraverseAttr); ok {
				return a.Name
			}
		}
		return ""
	}
	var o *index.Option
	switch tr.RootName() {
	case "local":
		l := m.Locals[attr(1)]
		if l == nil {
			return "", nil, nil, nil, false
		}
		v, fine := e.Local(l)
		if !fine || len(types.Secrets(v)) == 0 {
			return "", nil, nil, nil, false
		}
		return "local." + attr(1), l, l.Attr.Expr(), m, true
	case "option":
		o = m.Options[attr(1)]
	case "config":
		if other := e.IX.ByName[attr(1)]; other != nil {
			o = other.Options[attr(2)]
		}
	}
	if o == nil {
		return "", nil, nil, nil, false
	}
	v, fine := e.Option(o)
	if !fine || len(types.Secrets(v)) == 0 {
		return "", nil, nil, nil, false
	}
	if o.Type.HasSecret() {
		return o.Path(), o, nil, nil, true // the way begins here
	}
	for _, d := range e.Selected(o) {
		if d.Expr != nil && len(d.Expr.Variables()) > 0 {
			return o.Path(), o, d.Expr, d.Block.Module, true
		}
	}
	return o.Path(), o, nil, nil, true
}

// expressionAt finds the attribute whose expression holds a place.
func (e *Evaluator) expressionAt(at hcl.Range) (*index.Module, hclsyntax.Expression) {
	for _, m := range e.IX.Modules {
		for _, f := range m.Files {
			if f.Name != at.Filename {
				continue
			}
			if x := attributeAt(f.Blocks, at); x != nil {
				return m, x
			}
		}
	}
	return nil, nil
}

func attributeAt(blocks []*syntax.Block, at hcl.Range) hclsyntax.Expression {
	for _, b := range blocks {
		for _, a := range b.Attrs {
			r := a.Expr().Range()
			if a.NameRange().Start.Byte <= at.Start.Byte && at.Start.Byte <= r.End.Byte {
				return a.Expr()
			}
		}
		if x := attributeAt(b.Blocks, at); x != nil {
			return x
		}
	}
	return nil
}

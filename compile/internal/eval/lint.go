package eval

import (
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"github.com/unitgen/unitgen/compile/internal/index"
	"github.com/unitgen/unitgen/compile/internal/syntax"
	"github.com/unitgen/unitgen/compile/internal/types"
)

// lateRef is a reference in an expression that is not evaluated, to a unit or
// file that may have a name made by for_each or a generator.
type lateRef struct {
	r ref
	t hcl.Traversal
}

// Lint checks the names in an expression that is not evaluated: those of
// values, of the fields of typed objects, and of functions.
func (e *Evaluator) Lint(s *Scope, x hcl.Expression) {
	if e.linted[x] {
		return
	}
	e.linted[x] = true
	in := e.lintCalls(s, x)
	for _, t := range x.Variables() {
		r, ok := e.find(s, t)
		switch {
		case !ok:
		case len(t) > 1 && r.kind == refEach && !in.attempts[t.SourceRange()]:
			if n := stepName(t[1]); n != "key" && n != "value" {
				e.noKey(t, 1, n, []string{"key", "value"})
			}
		case (r.kind == refUnit || r.kind == refEtc) && !r.found:
			if e.aside {
				continue
			}
			e.later = append(e.later, lateRef{r, t})
		case r.kind == refOption && !in.attempts[t.SourceRange()]:
			e.lintFields(r, t)
		}
	}
}

// LintCheck checks the names in an option's own condition and in its apply.
func (e *Evaluator) LintCheck(o *index.Option) {
	for _, a := range []*syntax.Attr{o.Check, o.Apply} {
		if a != nil {
			e.Lint(&Scope{Module: o.Module, Vars: map[string]cty.Value{"value": cty.DynamicVal}}, a.Expr())
		}
	}
}

// LintDef checks the names in a definition that does not count. Wrappers may
// stand around it and around the values of a literal object.
func (e *Evaluator) LintDef(d *index.Def) {
	if d.Expr == nil || e.linted[d.Expr] {
		return
	}
	s := e.scope(d)
	for _, w := range d.Whens {
		e.Lint(s, w)
	}
	obj, ok := d.Expr.(*hclsyntax.ObjectConsExpr)
	if !ok {
		e.Lint(s, d.Expr)
		return
	}
	e.linted[d.Expr] = true
	for _, it := range obj.Items {
		if k, is := it.KeyExpr.(*hclsyntax.ObjectConsKeyExpr); is && k.ForceNonLiteral {
			e.Lint(s, k.Wrapped)
		}
		part, ok := e.IX.Part(d, "", it.KeyExpr.Range(), it.ValueExpr)
		e.takeIndexDiags()
		if ok {
			e.LintDef(part)
		}
	}
}

// lintBlock checks the names in a block that is off.
func (e *Evaluator) lintBlock(c Contrib) {
	if c.Gen != nil {
		return
	}
	each := c.Each
	if c.Block.ForEach != nil && each == nil {
		each = &Each{Key: cty.DynamicVal, Value: cty.DynamicVal}
	}
	lint := func(b *syntax.Block) {
		for _, a := range b.Attrs {
			if a.Lit.Kind != syntax.LitNone {
				continue
			}
			d, ok := e.IX.Def(a, c.Block)
			e.takeIndexDiags()
			if ok {
				if each != nil {
					d.Each = each
				}
				e.LintDef(d)
			}
		}
	}
	lint(c.Block.Block)
	for _, n := range c.Block.Blocks {
		lint(n)
	}
}

// Off gives the blocks that are off or make no instance.
func (e *Evaluator) Off() []*index.Block {
	var out []*index.Block
	check := func(b *index.Block) {
		if b.ForEach == nil && len(b.Conds) == 0 {
			return
		}
		on, ok := e.holds(b, nil, b.Header)
		if on && ok && b.ForEach != nil {
			inst, ok := e.Instances(b, b.Header)
			on = ok && len(inst) > 0
		}
		if !on {
			out = append(out, b)
		}
	}
	for _, k := range e.IX.UnitKeys {
		for _, b := range e.IX.Units[k] {
			check(b)
		}
	}
	for _, k := range slices.Sorted(maps.Keys(e.IX.Blocks)) {
		for _, b := range e.IX.Blocks[k] {
			check(b)
		}
	}
	return out
}

// LintOff checks the names in blocks that are off or make no instance.
func (e *Evaluator) LintOff() {
	e.generatedTwice()
	for _, b := range e.Off() {
		e.lintBlock(Contrib{Block: b})
	}
	e.aside = true
	for _, b := range e.IX.Elsewhere {
		e.lintBlock(Contrib{Block: b})
	}
	e.aside = false
}

// lintFields checks the steps into an option whose type declares its fields.
func (e *Evaluator) lintFields(r ref, t hcl.Traversal) {
	ty := r.opt.Type
	for i := r.steps; i < len(t) && ty != nil; i++ {
		name := stepName(t[i])
		switch ty.MergeKind() {
		case types.MergeObject, types.MergeSubmodule:
			f := ty.Field(name)
			if name == "" || f == nil && ty.Rest() != nil {
				return
			}
			if f == nil {
				var names []string
				for _, f := range ty.Fields() {
					names = append(names, f.Name)
				}
				e.noKey(t, i, name, names)
				return
			}
			ty = f.Type
		case types.MergeMap:
			ty = ty.Elem()
		default:
			return
		}
	}
}

// lintCalls checks that the functions of an expression exist and get as many
// arguments as they take.
func (e *Evaluator) lintCalls(s *Scope, x hcl.Expression) calls {
	in := callsOf(x)
	n, ok := x.(hclsyntax.Node)
	if !ok {
		return in
	}
	_ = hclsyntax.VisitAll(n, func(n hclsyntax.Node) hcl.Diagnostics {
		call, ok := n.(*hclsyntax.FunctionCallExpr)
		if !ok {
			return nil
		}
		f, known := e.functions(s.Module)[call.Name]
		if !known {
			e.unknownFunction(s, call.Name, call.NameRange)
			return nil
		}
		e.lintArguments(call, f)
		return nil
	})
	return in
}

func (e *Evaluator) lintArguments(call *hclsyntax.FunctionCallExpr, f function.Function) {
	least, most := len(f.Params()), len(f.Params())
	if f.VarParam() != nil {
		most = -1
	}
	switch n := len(call.Args); {
	case call.ExpandFinal:
	case n < least:
		e.err("E0304", "Expression cannot be evaluated", call.Range(), "Not enough function arguments: %s takes %d, and there are %d. See docs/functions.md.", call.Name, least, n)
	case most >= 0 && n > most:
		e.err("E0304", "Expression cannot be evaluated", call.Range(), "Too many function arguments: %s takes %d, and there are %d. See docs/functions.md.", call.Name, most, n)
	}
}

// LintLate checks the references that Lint could not: every name is known now.
// What blocks that are off would be called is not, so a reference that may mean
// one of them passes.
func (e *Evaluator) LintLate() {
	for i := 0; i < len(e.later); i++ { // a name that is evaluated here may add to them
		switch l := e.later[i]; l.r.kind {
		case refEtc:
			if !e.mayBeOff(e.IX.Blocks["etc"]) && !e.etcExists(l.r.name) {
				e.noEtc(l.r.name, nil, l.t)
			}
		case refUnit:
			if !e.mayBeOff(e.IX.Dynamic[l.r.key.Kind]) && e.namesKnown(l.r.key.Kind) {
				e.unitName(l.r, l.r.key.Kind, l.t)
			}
		}
	}
	e.later = nil
}

// namesKnown reports whether all names of a type of units could be evaluated.
func (e *Evaluator) namesKnown(kind string) bool {
	_, ok := e.table(kind, hcl.Range{})
	return ok
}

// mayBeOff reports whether one of the blocks, or a generator, makes names and
// is switched off, entirely or in part.
func (e *Evaluator) mayBeOff(blocks []*index.Block) bool {
	for _, list := range [][]*index.Block{blocks, e.IX.Blocks["generate"]} {
		for _, b := range list {
			if b.ForEach == nil && b.Name == nil && b.Kind != "generate" || len(b.Conds) == 0 {
				continue
			}
			on, ok := e.holds(b, nil, b.Header)
			if !ok || !on || readsEach(b.Conds[len(b.Conds)-1].Expr) {
				return true
			}
		}
	}
	return false
}

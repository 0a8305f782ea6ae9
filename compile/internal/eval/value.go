package eval

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/unitgen/unitgen/compile/internal/index"
	"github.com/unitgen/unitgen/compile/internal/merge"
	"github.com/unitgen/unitgen/compile/internal/syntax"
	"github.com/unitgen/unitgen/compile/internal/types"
	"github.com/unitgen/unitgen/schema/diag"
)

// value evaluates a node: the selected definitions merged by its type.
func (e *Evaluator) value(p *pathNode, at hcl.Range) (cty.Value, bool) {
	return e.force(&p.node, at, func() (cty.Value, bool) {
		if !e.selection(p, at) {
			return cty.DynamicVal, false
		}
		v, ok := e.merged(p, at)
		if ok && p.parent == nil && p.opt.Check != nil {
			ok = e.check(p, v)
		}
		if ok && p.parent == nil && p.opt.Apply != nil {
			return e.Eval(&Scope{Module: p.opt.Module, Vars: map[string]cty.Value{"value": v}}, p.opt.Apply.Expr())
		}
		return v, ok
	})
}

func (e *Evaluator) merged(p *pathNode, at hcl.Range) (cty.Value, bool) {
	if len(p.defs) == 0 {
		return e.absent(p, at)
	}
	if p.parent == nil && p.opt.Merge != "" {
		return e.strategy(p)
	}
	switch p.typ.MergeKind() {
	case types.MergeList, types.MergeSet:
		return e.list(p)
	case types.MergeMap, types.MergeObject, types.MergeSubmodule:
		if p.typ.Kind() == types.Nullable {
			return e.scalar(p)
		}
		return e.object(p, at)
	case types.MergeAny:
		switch {
		case allObjects(p.defs):
			return e.object(p, at)
		case len(p.defs) > 1 || len(p.removes) > 0:
			if all, ok := e.sequences(p); !ok {
				return cty.DynamicVal, false
			} else if all {
				return e.list(p)
			}
			if all, ok := e.objects(p); !ok {
				return cty.DynamicVal, false
			} else if all {
				return e.object(p, at)
			}
		}
	}
	return e.scalar(p)
}

// objects evaluates definitions of no declared shape and says whether all are
// objects.
func (e *Evaluator) objects(p *pathNode) (all, ok bool) {
	for _, d := range p.defs {
		if _, ok := e.defValue(d); !ok {
			return false, false
		}
	}
	return allObjects(p.defs), true
}

// sequences evaluates definitions of no declared shape and says whether all
// are lists.
func (e *Evaluator) sequences(p *pathNode) (all, ok bool) {
	for _, d := range p.defs {
		v, ok := e.defValue(d)
		if !ok {
			return false, false
		}
		ty := v.Type()
		if !ty.IsTupleType() && !ty.IsListType() && !ty.IsSetType() {
			return false, true
		}
	}
	return true, true
}

// absent is the value of what nobody defines.
func (e *Evaluator) absent(p *pathNode, at hcl.Range) (cty.Value, bool) {
	if p.field != nil {
		v, problems, hd := p.field.DefaultValue(p.parent.key, types.Source{Option: p.name, At: p.opt.Block.Header})
		if hd.HasErrors() {
			e.err("E0304", "Expression cannot be evaluated", p.field.NameRange, "%s: %s", hd[0].Summary, hd[0].Detail)
			return cty.DynamicVal, false
		}
		if len(problems) > 0 {
			where := at
			if len(p.parent.defs) > 0 {
				where = p.parent.defs[0].At
			}
			hint := fmt.Sprintf("Add %s = … here.", p.key)
			if p.parent.typ.Rest() != nil {
				var others []string
				for k := range p.parent.parts {
					if p.parent.typ.Field(k) == nil {
						others = append(others, k)
					}
				}
				if near := types.Suggest(p.key, others); near != "" {
					hint = fmt.Sprintf("There is a key %q; was %q meant?", near, p.key)
				}
			}
			d := e.err("E0410", "Option has no value", where, "%s must be set, and nothing sets it. %s", p.name, hint)
			d.Related = append(d.Related, related("declared here, without a default", p.field.NameRange))
			return cty.DynamicVal, false
		}
		return v, true
	}
	if len(p.removes) > 0 && (p.typ.MergeKind() == types.MergeList || p.typ.MergeKind() == types.MergeSet) {
		return e.list(p)
	}
	d := e.err("E0410", "Option has no value", at, "%s has no default and nothing defines it%s. %s", p.name, e.whyNot(p), setHint(p.opt))
	d.Related = append(d.Related, related("declared here", p.opt.Block.Header))
	return cty.DynamicVal, false
}

func (e *Evaluator) whyNot(p *pathNode) string {
	if p.parent == nil && len(p.opt.Defs) > 0 {
		return " (the conditions of its definitions do not hold, or they are null)"
	}
	return ""
}

func setHint(o *index.Option) string {
	if o.Module.Name == "" {
		return "Give the option a default."
	}
	return fmt.Sprintf("Write config %q { %s = … } in the host's directory, or give the option a default.", o.Module.Name, o.Name)
}

// scalar wants all definitions to agree.
func (e *Evaluator) scalar(p *pathNode) (cty.Value, bool) {
	var out cty.Value
	var first *index.Def
	for i, d := range p.defs {
		v, ok := e.defValue(d)
		if !ok {
			return cty.DynamicVal, false
		}
		v, problems := p.typ.Convert(v, e.source(p, d))
		if len(problems) > 0 {
			e.problems(p, d, problems)
			return cty.DynamicVal, false
		}
		if i == 0 {
			out, first = v, d
			continue
		}
		if !same(out, v) {
			e.conflict(p.name, p.defs, first, p.typ.HasSecret())
			return cty.DynamicVal, false
		}
	}
	return out, true
}

func same(a, b cty.Value) bool {
	a, _ = a.UnmarkDeep()
	b, _ = b.UnmarkDeep()
	return a.RawEquals(b)
}

// conflict reports definitions that do not agree.
func (e *Evaluator) conflict(name string, defs []*index.Def, first *index.Def, secret bool) {
	const shown = 8
	d := diag.Errorf("E0411", "Conflicting definitions", syntax.Range(defs[len(defs)-1].At), "")
	for i, x := range defs[:len(defs)-1] {
		if i == shown {
			d.Related = append(d.Related, diag.Related{Message: fmt.Sprintf("and %d more", len(defs)-1-shown)})
			break
		}
		text := ""
		if !secret {
			text = e.text(x.At)
		}
		d.Related = append(d.Related, related("also defined here"+text, x.At))
	}
	d.Detail = fmt.Sprintf("%s has %d definitions of the same priority, and they do not agree. %s", name, len(defs), ways(defs[0].Prio))
	e.Diags = append(e.Diags, d)
}

// text gives a short source text, for messages.
func (e *Evaluator) text(r hcl.Range) string {
	src := e.IX.Set.Sources[r.Filename]
	if r.Start.Byte < 0 || r.End.Byte > len(src) || r.Start.Byte >= r.End.Byte {
		return ""
	}
	s := string(src[r.Start.Byte:r.End.Byte])
	if len(s) > 60 || strings.Contains(s, "\n") {
		return ""
	}
	return ": " + s
}

// list concatenates definitions in order, or unites them.
func (e *Evaluator) list(p *pathNode) (cty.Value, bool) {
	var elems []cty.Value
	var marks []cty.ValueMarks
	fine := true
	gather := func(d *index.Def, add func(cty.Value)) {
		v, ok := e.defValue(d)
		if !ok {
			fine = false
			return
		}
		v, problems := p.typ.ConvertPart(v, e.source(p, d))
		if len(problems) > 0 {
			e.problems(p, d, problems)
			fine = false
			return
		}
		raw, m := v.Unmark()
		if len(m) > 0 {
			marks = append(marks, m)
		}
		if !raw.IsKnown() || raw.IsNull() || !raw.CanIterateElements() {
			fine = false
			return
		}
		for it := raw.ElementIterator(); it.Next(); {
			_, x := it.Element()
			add(x)
		}
	}
	for _, d := range p.defs {
		gather(d, func(x cty.Value) { elems = append(elems, x) })
	}
	if len(p.removes) > 0 {
		var gone []cty.Value
		for _, d := range p.removes {
			i := 0
			gather(d, func(x cty.Value) {
				gone = append(gone, x)
				if !p.others {
					e.removable(p.name, d, i, x, elems)
				}
				i++
			})
		}
		elems = without(elems, gone)
	}
	if !fine {
		return cty.DynamicVal, false
	}
	if p.opt != nil && p.parent == nil && p.opt.Merge == "unite" {
		elems = types.Distinct(elems)
	}
	v := cty.EmptyTupleVal
	if len(elems) > 0 {
		v = cty.TupleVal(elems)
	}
	if len(p.defs) == 0 {
		return v, true
	}
	return e.finish(p, v.WithMarks(marks...))
}

func without(elems, gone []cty.Value) []cty.Value {
	text := map[string]bool{}
	var rest []cty.Value
	for _, g := range gone {
		if raw, _ := g.Unmark(); raw.IsKnown() && !raw.IsNull() && raw.Type() == cty.String {
			text[raw.AsString()] = true
		} else {
			rest = append(rest, g)
		}
	}
	var out []cty.Value
next:
	for _, x := range elems {
		if raw, _ := x.Unmark(); raw.IsKnown() && !raw.IsNull() && raw.Type() == cty.String && text[raw.AsString()] {
			continue
		}
		for _, g := range rest {
			if same(x, g) {
				continue next
			}
		}
		out = append(out, x)
	}
	return out
}

// object merges key by key.
func (e *Evaluator) object(p *pathNode, at hcl.Range) (cty.Value, bool) {
	if !e.split(p, at) {
		return cty.DynamicVal, false
	}
	out := make(map[string]cty.Value, len(p.names))
	fine := true
	for _, k := range p.names {
		c, ok, _ := e.child(p, k, at)
		if !ok {
			return cty.DynamicVal, false
		}
		// A key whose definitions are all null or off has no definition: it is
		// not there, unless its field is declared.
		if !e.selection(c, at) {
			fine = false
			continue
		}
		if len(c.defs) == 0 && c.field == nil {
			continue
		}
		v, ok := e.value(c, at)
		if !ok {
			fine = false
			continue
		}
		out[k] = v
	}
	for _, f := range p.typ.Fields() {
		if _, ok := p.parts[f.Name]; ok {
			continue
		}
		c, ok, _ := e.child(p, f.Name, at)
		if !ok {
			return cty.DynamicVal, false
		}
		v, ok := e.value(c, at)
		if !ok {
			fine = false
			continue
		}
		out[f.Name] = v
	}
	if !fine {
		return cty.DynamicVal, false
	}
	return e.finish(p, cty.ObjectVal(out))
}

// finish converts a merged value to its type.
func (e *Evaluator) finish(p *pathNode, v cty.Value) (cty.Value, bool) {
	d := p.defs[0]
	out, problems := p.typ.Convert(v, e.source(p, d))
	if len(problems) > 0 {
		e.problems(p, &index.Def{At: d.At, Expr: onlyExpr(p), Block: d.Block}, problems)
		return cty.DynamicVal, false
	}
	if !small(out) {
		return e.tooLarge(d.At)
	}
	return out, true
}

func onlyExpr(p *pathNode) hclExpression {
	if len(p.defs) == 1 {
		return p.defs[0].Expr
	}
	return nil
}

// strategy merges by the option's own `merge`.
func (e *Evaluator) strategy(p *pathNode) (cty.Value, bool) {
	vals := make([]cty.Value, 0, len(p.defs))
	for _, d := range p.defs {
		v, ok := e.defValue(d)
		if !ok {
			return cty.DynamicVal, false
		}
		v, problems := p.typ.Convert(v, e.source(p, d))
		if len(problems) > 0 {
			e.problems(p, d, problems)
			return cty.DynamicVal, false
		}
		vals = append(vals, v)
	}
	switch p.opt.Merge {
	case "agree":
		return e.scalar(p)
	case "concat", "unite":
		if k := p.typ.MergeKind(); k == types.MergeList || k == types.MergeSet || k == types.MergeAny {
			return e.list(p)
		}
	}
	out, err := merge.Combine(p.opt.Merge, vals)
	if err != nil {
		e.err("E0406", "Unknown merge strategy", p.opt.Block.Attr("merge").Expr().Range(), "merge = %q cannot merge values of the type %s: %s.", p.opt.Merge, p.typ, err)
		return cty.DynamicVal, false
	}
	return e.finish(p, out)
}

// check evaluates an option's own condition on its value.
func (e *Evaluator) check(p *pathNode, v cty.Value) bool {
	s := &Scope{Module: p.opt.Module, Vars: map[string]cty.Value{"value": v}}
	got, ok := e.Eval(s, p.opt.Check.Expr())
	if !ok {
		return false
	}
	raw, _ := got.Unmark()
	b, ok := e.isTrue(raw, p.opt.Check.Expr().Range(), "The check of an option")
	if !ok || b {
		return ok
	}
	at := p.opt.Block.Header
	if len(p.defs) > 0 {
		at = p.defs[len(p.defs)-1].At
	}
	msg := p.opt.Message
	if msg == "" {
		msg = "its check does not hold" + e.text(p.opt.Check.Expr().Range())
	}
	d := e.err("E0412", "Value fails the option's check", at, "%s: %s.", p.name, strings.TrimSuffix(msg, "."))
	d.Related = append(d.Related, related("the check", p.opt.Check.Expr().Range()))
	return false
}

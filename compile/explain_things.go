package compile

import (
	"fmt"
	"sort"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"github.com/unitgen/unitgen/compile/internal/eval"
	"github.com/unitgen/unitgen/compile/internal/index"
	"github.com/unitgen/unitgen/compile/internal/types"
	"github.com/unitgen/unitgen/schema/unitname"
)

// explainable says what a path may be.
const explainable = "Write config.MODULE.OPTION, option.NAME, local.NAME, service.NAME, service.NAME.DIRECTIVE, etc[\"path\"], or another block's kind and label."

// things are the kinds of blocks, beside units, that have a label and
// attributes to explain.
var things = map[string]bool{"etc": true, "user": true, "group": true, "tmpfile": true, "sysctl": true, "credential": true,
	"instance": true, "unit": true, "dropin": true, "action": true, "check": true, "package": true, "generate": true}

// explainModule lists the options of a module.
func (c *compilation) explainModule(m *index.Module) (*eval.Explained, string) {
	x := &eval.Explained{Type: "module", Text: "(a module; its parts are its options)"}
	for _, n := range m.Names {
		if o := m.Options[n]; o.RenamedTo == "" && o.Removed == "" && !o.Internal {
			x.Keys = append(x.Keys, n)
		}
	}
	if m.Header != nil {
		x.At = m.Header.Header
		if a := m.Header.Attr("description"); a != nil {
			x.Doc = a.Lit.String
		}
	}
	return x, ""
}

// explainLocal explains a local value of the host's directory, or a part of it.
func (c *compilation) explainLocal(steps []string) (*eval.Explained, string) {
	if c.ix.Own == nil || c.ix.Own.Locals[steps[0]] == nil {
		var names []string
		if c.ix.Own != nil {
			for n := range c.ix.Own.Locals {
				names = append(names, n)
			}
		}
		d := fmt.Sprintf("There is no local %q in the host's directory.", steps[0])
		if near := types.Suggest(steps[0], names); near != "" {
			d += fmt.Sprintf(" Did you mean %q?", near)
		}
		return nil, d
	}
	l := c.ix.Own.Locals[steps[0]]
	v, ok := c.ev.Local(l)
	x := &eval.Explained{Type: "local", At: l.Attr.NameRange(), Value: v, Failed: !ok, Secret: ok && len(types.Secrets(v)) > 0}
	x.Fates = []eval.Fate{{Def: &index.Def{At: l.Attr.Range(), Prio: index.PrioPlain, Order: index.OrderPlain}, Active: true, Winner: true, Why: "the only definition"}}
	if !ok {
		return x, ""
	}
	raw, _ := v.Unmark()
	for i, s := range steps[1:] {
		next, found := part(raw, s)
		if !found {
			return nil, fmt.Sprintf("local.%s has no part %q.", strings.Join(steps[:i+1], "."), s)
		}
		raw, _ = next.Unmark()
	}
	x.Value = raw
	x.Keys = keysOf(raw)
	return x, ""
}

// part gives an element of a value by its key or number.
func part(v cty.Value, key string) (cty.Value, bool) {
	if !v.IsKnown() || v.IsNull() || !v.CanIterateElements() {
		return cty.NilVal, false
	}
	for it := v.ElementIterator(); it.Next(); {
		k, x := it.Element()
		switch {
		case k.Type() == cty.String && k.AsString() == key, k.Type() == cty.Number && eval.Number(k.AsBigFloat()) == key:
			return x, true
		}
	}
	return cty.NilVal, false
}

func keysOf(v cty.Value) []string {
	if !v.IsKnown() || v.IsNull() || !v.Type().IsObjectType() && !v.Type().IsMapType() {
		return nil
	}
	var out []string
	for k := range v.AsValueMap() {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}

// explainThing explains what blocks of one kind and label make, an attribute of
// it, or a directive.
func (c *compilation) explainThing(kind string, steps []string) (*eval.Explained, string) {
	var group *eval.Group
	var names []string
	for _, g := range c.ev.Groups(kind, nil) {
		names = append(names, g.Name)
		if g.Name == steps[0] {
			group = g
		}
	}
	if group == nil {
		d := fmt.Sprintf("No %s block makes %q.", kind, steps[0])
		if near := types.Suggest(steps[0], names); near != "" {
			d += fmt.Sprintf(" Did you mean %q?", near)
		}
		return nil, d
	}
	thing := fmt.Sprintf("%s[%q]", kind, group.Name)
	attrs := c.ev.AttributeNames(group.Contribs)
	if len(steps) == 1 {
		x := &eval.Explained{Type: kind, At: group.Contribs[0].Header(), Value: cty.StringVal(group.Name), Keys: attrs}
		if kind == "etc" {
			x.Type, x.Value = "file", cty.StringVal("/etc/"+group.Name)
		}
		for _, k := range group.Contribs {
			x.Fates = append(x.Fates, contribution(k))
		}
		return x, ""
	}
	if name := steps[1]; name != "" && name[0] >= 'A' && name[0] <= 'Z' {
		unit := &eval.Unit{Name: group.Name, Kind: "service", Contribs: group.Contribs}
		if t := unitname.Type(group.Name); kind == "dropin" && t != "" {
			unit.Kind = t
		} else if kind == "dropin" && isKind(group.Name) {
			unit.Kind = group.Name
		}
		if x := c.ev.ExplainDirective(unit, name); x != nil {
			return x, ""
		}
	} else if x, ok := c.ev.ExplainAttr(thing, steps[1], group.Contribs, steps[2:]); ok {
		return x, ""
	}
	d := fmt.Sprintf("Nothing defines %s of %s.", steps[1], thing)
	if near := types.Suggest(steps[1], attrs); near != "" {
		d += fmt.Sprintf(" Did you mean %s?", near)
	} else if len(steps) > 2 {
		d = fmt.Sprintf("%s.%s has no part %q.", thing, steps[1], strings.Join(steps[2:], "."))
	}
	return nil, d
}

func contribution(k eval.Contrib) eval.Fate {
	f := eval.Fate{Def: &index.Def{Block: k.Block, At: k.Header(), Prio: index.PrioPlain, Order: index.OrderPlain}, Active: true, Winner: true, Why: "contributes"}
	for _, cond := range k.Block.Conds {
		f.Conds = append(f.Conds, cond.Expr.Range())
	}
	return f
}

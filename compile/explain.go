package compile

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/unitgen/unitgen/compile/internal/eval"
	"github.com/unitgen/unitgen/compile/internal/index"
	"github.com/unitgen/unitgen/compile/internal/syntax"
	"github.com/unitgen/unitgen/compile/internal/types"
	"github.com/unitgen/unitgen/schema/diag"
	"github.com/unitgen/unitgen/schema/tree"
	"github.com/unitgen/unitgen/schema/unitname"
)

// explain answers a query; a result from the cache is compiled for it.
func (c *compilation) explain(path string) (*Explanation, diag.List) {
	if c.ev == nil {
		o := c.o
		o.Cache, o.KeepSource, o.NoVerify = "", true, true
		fresh := newCompilation(c.ctx, o)
		fresh.guard(&Result{Tree: &tree.Tree{}, Sources: Sources{}})
		if fresh.ev == nil {
			return nil, tidy(fresh.diags)
		}
		*c = *fresh
	}
	t, steps, bad := parsePath(path)
	if bad != "" {
		return nil, diag.List{diag.Errorf("E0319", "Path cannot be explained", diag.Range{}, "%q: %s. %s", path, bad, explainable)}
	}
	before := len(c.ev.Diags)
	x, detail := c.explained(t, steps)
	c.ev.Diags = c.ev.Diags[:before]
	if x == nil {
		return nil, diag.List{diag.Errorf("E0319", "Path cannot be explained", diag.Range{}, "%s", detail)}
	}
	return c.explanation(path, x), nil
}

func parsePath(path string) (root string, steps []string, bad string) {
	tr, hd := hclsyntax.ParseTraversalAbs([]byte(path), "path", hcl.InitialPos)
	if hd.HasErrors() {
		// A full unit name is accepted as well.
		if k := unitname.Type(path); k != "" {
			return k, []string{strings.TrimSuffix(path, "."+k)}, ""
		}
		return "", nil, "it is not a path"
	}
	for _, s := range tr[1:] {
		switch s := s.(type) {
		case hcl.TraverseAttr:
			steps = append(steps, s.Name)
		case hcl.TraverseIndex:
			if s.Key.Type() == cty.String {
				steps = append(steps, s.Key.AsString())
			} else {
				steps = append(steps, eval.Number(s.Key.AsBigFloat()))
			}
		}
	}
	if len(steps) == 1 && unitname.Type(path) != "" && !isKind(tr.RootName()) && tr.RootName() != "option" && tr.RootName() != "config" {
		return steps[0], []string{tr.RootName()}, ""
	}
	return tr.RootName(), steps, ""
}

func isKind(s string) bool {
	for _, t := range unitname.Types {
		if t == s {
			return true
		}
	}
	return false
}

func (c *compilation) explained(root string, steps []string) (*eval.Explained, string) {
	switch {
	case root == "option" && len(steps) > 0:
		return c.explainOption(c.ix.Own, steps)
	case root == "config" && len(steps) > 1:
		m := c.ix.ByName[steps[0]]
		if m == nil {
			return nil, c.noModule(steps[0])
		}
		return c.explainOption(m, steps[1:])
	case root == "config" && len(steps) == 1:
		m := c.ix.ByName[steps[0]]
		if m == nil {
			return nil, c.noModule(steps[0])
		}
		return c.explainModule(m)
	case root == "option" && c.ix.Own != nil:
		return c.explainModule(c.ix.Own)
	case root == "local" && len(steps) > 0:
		return c.explainLocal(steps)
	case things[root] && len(steps) > 0:
		return c.explainThing(root, steps)
	case isKind(root) && len(steps) > 0:
		u := c.ev.FindUnit(root, steps[0])
		if u == nil {
			u = c.ev.FindUnit(root, strings.TrimSuffix(steps[0], "."+root))
		}
		if u == nil {
			d := fmt.Sprintf("No block declares the %s %q.", root, steps[0])
			if near := types.Suggest(steps[0], c.ix.Labels(root)); near != "" {
				d += fmt.Sprintf(" Did you mean %q?", near)
			}
			return nil, d
		}
		if len(steps) == 1 {
			return c.explainUnit(u)
		}
		x := c.ev.ExplainDirective(u, steps[1])
		if x == nil {
			d := fmt.Sprintf("Nothing defines %s= of %s.", steps[1], u.Name)
			if near := types.Suggest(steps[1], c.ev.UnitDirectives(u)); near != "" {
				d += fmt.Sprintf(" Did you mean %s?", near)
			}
			return nil, d
		}
		return x, ""
	}
	return nil, fmt.Sprintf("%q names nothing that can be explained.%s %s", root, c.meant(root), explainable)
}

// noModule says that the host has no module of a name, bundled or not.
func (c *compilation) noModule(name string) string {
	if slices.Contains(BundledModules(), name) {
		return fmt.Sprintf("The bundled module %s is no part of this host, for nothing names it. unitgen options %s shows what it can be told; config %q { enable = true } takes it in.", name, name, name)
	}
	return c.ix.NoModule(name)
}

func (c *compilation) explainOption(m *index.Module, steps []string) (*eval.Explained, string) {
	if m == nil {
		return nil, "The directory declares no options."
	}
	o := c.ix.Renamed(m.Options[steps[0]])
	if o == nil {
		return nil, c.ix.NoOption(m, steps[0])
	}
	x, ok := c.ev.ExplainOption(o, steps[1:])
	if !ok {
		return nil, fmt.Sprintf("%s has no part %q.", o.Path(), strings.Join(steps[1:], "."))
	}
	return x, ""
}

func (c *compilation) explainUnit(u *eval.Unit) (*eval.Explained, string) {
	x := &eval.Explained{Name: u.Name, Type: u.Kind, Keys: c.ev.UnitDirectives(u), At: u.Contribs[0].Header(), Value: cty.StringVal(u.Name)}
	for _, k := range u.Contribs {
		on, _ := c.ev.Active(&index.Def{Block: k.Block, Each: eachAny(k.Each)})
		f := eval.Fate{Def: &index.Def{Block: k.Block, At: k.Header(), Prio: index.PrioPlain, Order: index.OrderPlain}, Active: on, Winner: on, Why: "contributes"}
		for _, cond := range k.Block.Conds {
			f.Conds = append(f.Conds, cond.Expr.Range())
		}
		if !on {
			f.Why = "its condition does not hold"
		}
		x.Fates = append(x.Fates, f)
	}
	return x, ""
}

func eachAny(e *eval.Each) any {
	if e == nil {
		return nil
	}
	return e
}

// explanation spells an answer.
func (c *compilation) explanation(path string, x *eval.Explained) *Explanation {
	out := &Explanation{Path: path, Type: x.Type, Description: x.Doc, Value: "(not known)", Children: x.Keys, Definitions: []Contributor{}}
	at := syntax.Range(x.At)
	out.Declared = &at
	switch {
	case x.Text != "":
		out.Value = x.Text
	case x.Failed:
		out.Value = "(has errors; see unitgen check)"
	case x.Secret:
		out.Value = "(secret)"
	case len(x.Fates) == 0 && !x.Value.IsKnown():
		out.Value = "(nothing defines it)"
	default:
		out.Value = eval.HCL(x.Value)
	}
	for _, f := range x.Fates {
		d := Contributor{Range: syntax.Range(f.Def.At), Key: "", Priority: f.Def.Prio, Order: f.Def.Order, Active: f.Active, Winner: f.Winner, Why: f.Why}
		d.Value = c.text(f.Def.At)
		if x.Secret {
			d.Value = "(secret)"
		}
		var conds []string
		for _, r := range f.Conds {
			conds = append(conds, c.text(r))
		}
		d.Condition = strings.Join(conds, " && ")
		out.Definitions = append(out.Definitions, d)
	}
	sort.SliceStable(out.Definitions, func(i, j int) bool {
		a, b := out.Definitions[i], out.Definitions[j]
		if a.Winner != b.Winner {
			return a.Winner
		}
		return a.Priority < b.Priority
	})
	return out
}

func (c *compilation) text(r hcl.Range) string {
	src := c.sourceBytes(r.Filename) // with secrets masked
	if r.Start.Byte < 0 || r.End.Byte > len(src) || r.Start.Byte > r.End.Byte {
		return ""
	}
	return string(src[r.Start.Byte:r.End.Byte])
}

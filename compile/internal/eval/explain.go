package eval

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/unitgen/unitgen/compile/internal/index"
	"github.com/unitgen/unitgen/compile/internal/types"
	"github.com/unitgen/unitgen/schema/value"
)

// Fate is one definition and what became of it.
type Fate struct {
	Def    *index.Def
	Active bool
	Winner bool
	Conds  []hcl.Range // of its conditions, outermost first
	Why    string
}

// Explained is how a value came about.
type Explained struct {
	Name   string
	Type   string
	Doc    string
	At     hcl.Range
	Value  cty.Value
	Text   string // in place of the value
	Failed bool
	Secret bool
	Fates  []Fate
	Keys   []string
}

// ExplainOption explains an option, or a part of one below it.
func (e *Evaluator) ExplainOption(o *index.Option, path []string) (*Explained, bool) {
	p := e.optionNode(o)
	all := append([]*index.Def(nil), o.Defs...)
	if o.Default != nil {
		for _, d := range e.Selected(o) {
			if d.Prio == index.PrioOption {
				all = append(all, d)
			}
		}
		if len(all) == len(o.Defs) {
			all = append(all, &index.Def{Expr: o.Default.Expr(), At: o.Default.Expr().Range(), Prio: index.PrioOption, Order: index.OrderPlain,
				Block: &index.Block{Block: o.Block, Module: o.Module}, Option: o})
		}
	}
	for _, key := range path {
		if !e.structured(p) {
			break
		}
		c, ok, exists := e.child(p, key, o.Block.Header)
		if !ok || !exists {
			return nil, false
		}
		all = p.parts[key]
		p = c
	}
	e.selection(p, o.Block.Header)
	v, ok := cty.DynamicVal, true
	if len(p.defs) > 0 || p.field != nil {
		v, ok = e.value(p, o.Block.Header)
	}
	x := &Explained{Name: p.name, Type: p.typ.String(), Doc: o.Description, At: o.Block.Header, Value: v, Failed: !ok, Secret: p.typ.HasSecret()}
	x.Fates = e.fates(all, p.defs, p.removes)
	if e.structured(p) && e.split(p, o.Block.Header) {
		x.Keys = e.keys(p)
	}
	return x, true
}

func (e *Evaluator) fates(all, won, removes []*index.Def) []Fate {
	best := 0
	if len(won) > 0 {
		best = won[0].Prio
	}
	var out []Fate
	for _, d := range all {
		f := Fate{Def: d}
		if d.Block != nil {
			for _, c := range d.Block.Conds {
				f.Conds = append(f.Conds, c.Expr.Range())
			}
		}
		for _, w := range d.Whens {
			f.Conds = append(f.Conds, w.Range())
		}
		f.Active, _ = e.Active(d)
		is := func(list []*index.Def) bool {
			for _, x := range list {
				if x == d || x.At == d.At && x.Prio == d.Prio && x.Remove == d.Remove {
					return true
				}
			}
			return false
		}
		switch {
		case is(removes):
			f.Winner, f.Why = true, "takes elements away"
		case is(won):
			f.Winner = true
			switch {
			case len(won) > 1:
				f.Why = "merged with the others of its priority"
			case len(all) > 1:
				f.Why = "has the strongest priority"
			default:
				f.Why = "the only definition"
			}
		case !f.Active:
			f.Why = "its condition does not hold"
		case len(won) > 0 && d.Prio > best:
			f.Why = "a stronger definition wins: " + PriorityName(best) + " beats " + PriorityName(d.Prio)
		default:
			f.Why = "it is null, which is no definition"
		}
		out = append(out, f)
	}
	return out
}

// PriorityName spells a priority as the language does.
func PriorityName(n int) string {
	switch n {
	case index.PrioOverride:
		return "an override from outside"
	case index.PrioForce:
		return "force()"
	case index.PrioPlain:
		return "a plain definition"
	case index.PrioDefault:
		return "default()"
	case index.PrioOption:
		return "the option's default"
	}
	return "override(" + Number(cty.NumberIntVal(int64(n)).AsBigFloat()) + ")"
}

// FindUnit finds a unit by a reference's kind and label, or by full name.
func (e *Evaluator) FindUnit(kind, label string) *Unit {
	kt, _ := e.table(kind, hcl.Range{})
	for _, scope := range []string{"system/", "user/"} {
		if u := kt.byName[scope+label+"."+kind]; u != nil {
			return u
		}
	}
	for _, u := range kt.order {
		for _, c := range u.Contribs {
			if c.Gen == nil && c.Block.Label() == label {
				return u
			}
		}
	}
	return nil
}

// AttributeNames lists the attributes of a thing's blocks, each once, in the
// order of the source.
func (e *Evaluator) AttributeNames(contribs []Contrib) []string {
	var out []string
	add := func(name string) {
		if !slices.Contains(out, name) && name != "when" && name != "for_each" {
			out = append(out, name)
		}
	}
	for _, c := range contribs {
		if c.Gen != nil {
			for _, a := range c.Gen.Attrs {
				add(a.Name)
			}
			continue
		}
		for _, a := range c.Block.Attrs {
			add(a.Name)
		}
	}
	return out
}

// ExplainAttr explains an attribute of ours, or a part of it; false when nothing
// defines it.
func (e *Evaluator) ExplainAttr(thing, name string, contribs []Contrib, path []string) (*Explained, bool) {
	defs, ok := e.attrDefs(name, contribs)
	if !ok || len(defs) == 0 {
		return nil, false
	}
	first := contribs[0]
	o := &index.Option{Module: first.Block.Module, Name: name, Block: first.Block.Block, Type: types.Named("any"), Defs: defs}
	p := e.optionNode(o)
	p.name = thing + "." + name
	p.sel.name = p.name
	x, ok := e.ExplainOption(o, path)
	if ok {
		x.Type, x.At = "", first.Header()
		x.Secret = len(types.Secrets(x.Value)) > 0
	}
	return x, ok
}

// UnitDirectives lists the names of a unit's directives in order.
func (e *Evaluator) UnitDirectives(u *Unit) []string {
	var out []string
	seen := map[string]bool{}
	for _, c := range u.Contribs {
		for _, s := range e.Sources(u.Kind, c) {
			if !seen[s.Fact.Name] {
				seen[s.Fact.Name] = true
				out = append(out, s.Fact.Name)
			}
		}
	}
	return out
}

// ExplainDirective explains one directive of a unit.
func (e *Evaluator) ExplainDirective(u *Unit, name string) *Explained {
	x := &Explained{Name: refName(u) + "." + name}
	var all []*index.Def
	var fact *Fact
	for _, c := range u.Contribs {
		for _, s := range e.Sources(u.Kind, c) {
			if s.Fact.Name != name {
				continue
			}
			fact = s.Fact
			if d, ok := e.Def(s); ok {
				all = append(all, d)
			}
		}
	}
	if fact == nil {
		return nil
	}
	if fact.Row != nil {
		x.Type, x.Doc = kindWords(string(fact.Row.Kind)), fact.Row.Doc
		if fact.Row.List {
			x.Type = "list of " + x.Type
		}
	}
	v, ok := e.Directive(u, fact, u.Contribs[0].Header())
	x.Failed = !ok
	lines := make([]cty.Value, len(v.Values))
	for i, t := range v.Values {
		lines[i] = cty.StringVal(t.Text)
	}
	switch {
	case fact.List():
		x.Value = cty.TupleVal(lines)
	case len(lines) > 0:
		x.Value = lines[len(lines)-1]
	default:
		x.Value = cty.NullVal(cty.String)
	}
	x.At = u.Contribs[0].Header()
	best := -1
	var active []*index.Def
	for _, d := range all {
		on, _ := e.Active(d)
		null, _ := e.isNull(d, types.Named("string"))
		if on && !null && !d.Remove {
			active = append(active, d)
			if best < 0 || d.Prio < best {
				best = d.Prio
			}
		}
	}
	var won, removes []*index.Def
	for _, d := range active {
		if d.Prio == best {
			won = append(won, d)
		}
	}
	for _, d := range all {
		if on, _ := e.Active(d); on && d.Remove {
			removes = append(removes, d)
		}
	}
	x.Fates = e.fates(all, won, removes)
	return x
}

// HCL spells a value as the language does.
func HCL(v cty.Value) string {
	if types.Secrets(v) != nil {
		return "(secret)"
	}
	v, _ = v.UnmarkDeep()
	if v == cty.NilVal || !v.IsWhollyKnown() {
		return "(not known)"
	}
	return spell(v)
}

func spell(v cty.Value) string {
	if v.IsNull() {
		return "null"
	}
	ty := v.Type()
	switch {
	case ty == cty.String:
		return string(hclQuote(v.AsString()))
	case ty == cty.Number:
		return Number(v.AsBigFloat())
	case ty == cty.Bool:
		if v.True() {
			return "true"
		}
		return "false"
	case ty.IsObjectType() || ty.IsMapType():
		var parts []string
		for it := v.ElementIterator(); it.Next(); {
			k, x := it.Element()
			name := k.AsString()
			if !hclsyntax.ValidIdentifier(name) {
				name = hclQuote(name)
			}
			parts = append(parts, name+" = "+spell(x))
		}
		if len(parts) == 0 {
			return "{}"
		}
		return "{ " + strings.Join(parts, ", ") + " }"
	case v.CanIterateElements():
		var parts []string
		for it := v.ElementIterator(); it.Next(); {
			_, x := it.Element()
			parts = append(parts, spell(x))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	return "(" + ty.FriendlyName() + ")"
}

func hclQuote(s string) string {
	r := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`, "\t", `\t`, "${", "$${", "%{", "%%{")
	return `"` + r.Replace(s) + `"`
}

// kindWords says what a directive takes: the words of an enumeration, the name
// of any other kind of value.
func kindWords(kind string) string {
	name, ok := strings.CutPrefix(kind, "enum:")
	if !ok {
		return kind
	}
	words := value.Enum(name, 0)
	if len(words) == 0 || len(words) > 20 {
		return name
	}
	return "one of " + strings.Join(words, ", ")
}

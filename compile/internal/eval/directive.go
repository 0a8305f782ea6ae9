package eval

import (
	"fmt"
	"math/big"
	"slices"
	"sort"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/unitgen/unitgen/compile/internal/generate"
	"github.com/unitgen/unitgen/compile/internal/index"
	"github.com/unitgen/unitgen/compile/internal/merge"
	"github.com/unitgen/unitgen/compile/internal/syntax"
	"github.com/unitgen/unitgen/compile/internal/types"
)

// Text is one line of a directive.
type Text struct {
	Text string
	At   hcl.Range
}

// Value is the merged value of a directive.
type Value struct {
	Fact   *Fact
	Values []Text
	Forced bool   // the winner is force(…): in a drop-in the list is emptied first
	Reads  []Read // references to units
	At     hcl.Range
}

type dirNode struct {
	node
	v Value
}

// Source is one attribute that defines a directive, before conditions.
type Source struct {
	Fact  *Fact
	Attr  *syntax.Attr // nil for generated ones
	Gen   *generate.Attr
	From  Contrib
	Plain bool // written in a section block
}

// hclExpression keeps the import of hclsyntax in one place for callers.
type hclExpression = hclsyntax.Expression

// Directive evaluates one directive of a unit.
func (e *Evaluator) Directive(u *Unit, f *Fact, at hcl.Range) (Value, bool) {
	if e.base != nil {
		e.missed = true
		return Value{Fact: f}, false
	}
	key := f.Section + "/" + f.Name
	n := u.dirs[key]
	if n == nil {
		n = &dirNode{node: node{name: refName(u) + "." + f.Name}}
		if u.dirs == nil {
			u.dirs = map[string]*dirNode{}
		}
		u.dirs[key] = n
	}
	outer := e.reads
	_, ok := e.force(&n.node, at, func() (cty.Value, bool) {
		contribs, ok := e.ActiveContribs(u)
		if !ok {
			return cty.NilVal, false
		}
		var srcs []Source
		for _, c := range contribs {
			for _, s := range e.Sources(u.Kind, c) {
				if s.Fact.Section == f.Section && s.Fact.Name == f.Name {
					srcs = append(srcs, s)
				}
			}
		}
		e.reads = nil
		n.v, ok = e.Merge(n.name, f, srcs)
		return cty.NilVal, ok
	})
	e.reads = outer
	return n.v, ok
}

func refName(u *Unit) string {
	base := strings.TrimSuffix(u.Name, "."+u.Kind)
	if hclsyntax.ValidIdentifier(base) {
		return u.Kind + "." + base
	}
	return fmt.Sprintf("%s[%q]", u.Kind, base)
}

// Sources lists the directives that a contribution defines, unknown names too.
func (e *Evaluator) Sources(kind string, c Contrib) []Source {
	if c.Gen != nil {
		var out []Source
		for i := range c.Gen.Attrs {
			a := &c.Gen.Attrs[i]
			if upper(a.Name) {
				out = append(out, Source{Fact: e.Fact(kind, a.Name), Gen: a, From: c})
			}
		}
		return out
	}
	out := make([]Source, 0, len(c.Block.Attrs))
	for _, a := range c.Block.Attrs {
		if upper(a.Name) {
			out = append(out, Source{Fact: e.Fact(kind, a.Name), Attr: a, From: c})
		}
	}
	for _, b := range c.Block.Blocks {
		if b.Kind != "section" || len(b.Labels) != 1 {
			continue
		}
		for _, a := range b.Attrs {
			out = append(out, Source{Fact: e.SectionFact(kind, b.Label(), a.Name), Attr: a, From: c, Plain: true})
		}
	}
	return out
}

func upper(s string) bool { return s != "" && s[0] >= 'A' && s[0] <= 'Z' }

// Def makes the definition of a source.
func (e *Evaluator) Def(s Source) (*index.Def, bool) {
	if s.Gen != nil {
		d := index.Value(s.Gen.Value, s.Gen.Range, index.PrioDefault, s.From.Block)
		d.KeyAt = s.Gen.Range
		return d, true
	}
	d, ok := e.IX.Def(s.Attr, s.From.Block)
	if !ok {
		e.takeIndexDiags()
		return nil, false
	}
	d.Each = s.From.Each
	if s.From.Each == nil {
		d.Each = nil
	}
	return d, true
}

// Literal gives the lines of a source that is a plain literal and stands
// alone, without making a definition: nearly all of a configuration is such.
func Literal(s Source) ([]Text, bool) {
	if s.Attr == nil {
		return nil, false
	}
	at := s.Attr.Range()
	switch l := s.Attr.Lit; l.Kind {
	case syntax.LitString, syntax.LitNumber, syntax.LitBool:
		return []Text{{l.String, at}}, true
	case syntax.LitList:
		if s.Fact.Row != nil && !s.Fact.Row.List {
			return nil, false
		}
		items := s.Attr.Items()
		out := make([]Text, len(l.List))
		for i, x := range l.List {
			out[i] = Text{x, items[i]}
		}
		return out, true
	}
	return nil, false
}

// Merge merges the sources of one directive.
func (e *Evaluator) Merge(name string, f *Fact, srcs []Source) (Value, bool) {
	v := Value{Fact: f}
	fine := true
	var active, removes []*index.Def
	for _, s := range srcs {
		d, ok := e.Def(s)
		if !ok {
			fine = false
			continue
		}
		e.Stats.Definitions++
		on := true
		for _, w := range d.Whens {
			c, ok := e.Eval(e.scope(d), w)
			if !ok {
				fine, on = false, false
				break
			}
			raw, _ := c.Unmark()
			b, ok := e.isTrue(raw, w.Range(), "The condition of when()")
			fine = fine && ok
			if !b {
				on = false
				e.LintDef(d)
				break
			}
		}
		switch {
		case !on:
		case d.Remove:
			removes = append(removes, d)
		default:
			active = append(active, d)
		}
	}
	defs, ok := merge.Strongest(active, func(d *index.Def) (bool, bool) { return e.isNull(d, types.Named("string")) })
	if !fine || !ok {
		return v, false
	}
	if len(defs) == 0 {
		if len(removes) == 0 {
			return v, true
		}
	} else {
		v.At = defs[0].At
		v.Forced = defs[0].Prio <= index.PrioForce
	}
	if f.List() {
		return e.mergeList(name, v, defs, removes, len(defs)+len(removes) == len(srcs))
	}
	for _, d := range removes {
		e.err("E0413", "remove() of what is no list", d.At, "%s= has one value. Override it with force(…), or make the other definition conditional.", f.Name)
		fine = false
	}
	var first string
	for i, d := range defs {
		texts, ok := e.texts(f, d)
		if !ok {
			fine = false
			continue
		}
		joined := join(texts)
		if i == 0 {
			first = joined
			if len(texts) > 0 {
				v.Values = []Text{{joined, d.At}}
			}
			continue
		}
		if joined != first {
			e.conflict(name, defs, defs[0], false)
			return v, false
		}
	}
	v.Reads = e.takeReads()
	return v, fine
}

func join(texts []Text) string {
	if len(texts) == 1 {
		return texts[0].Text
	}
	parts := make([]string, len(texts))
	for i, t := range texts {
		parts[i] = t.Text
	}
	return strings.Join(parts, " ")
}

// mergeList concatenates. whole says that every definition counts.
func (e *Evaluator) mergeList(name string, v Value, defs, removes []*index.Def, whole bool) (Value, bool) {
	fine := true
	maps := map[string][]*index.Def{}
	var keys []string
	for _, d := range defs {
		if e.isMap(d) {
			ks, ok := e.mapParts(v.Fact, d, maps)
			fine = fine && ok
			keys = append(keys, ks...)
			continue
		}
		texts, ok := e.texts(v.Fact, d)
		if !ok {
			fine = false
			continue
		}
		v.Values = append(v.Values, texts...)
	}
	sort.Strings(keys)
	for i, k := range keys {
		if i > 0 && keys[i-1] == k {
			continue
		}
		t, ok, has := e.mapEntry(name, v.Fact, k, maps[k])
		fine = fine && ok
		if ok && has {
			v.Values = append(v.Values, t)
		}
	}
	if len(removes) > 0 {
		gone := map[string]bool{}
		var have []string
		for _, t := range v.Values {
			have = append(have, t.Text)
		}
		for _, d := range removes {
			texts, ok := e.texts(v.Fact, d)
			fine = fine && ok
			for i, t := range texts {
				gone[t.Text] = true
				if whole && !slices.Contains(have, t.Text) {
					e.nothingToRemove(name, d, i, fmt.Sprintf("%q", t.Text), t.Text, have)
				}
			}
		}
		kept := v.Values[:0:0]
		for _, t := range v.Values {
			if !gone[t.Text] {
				kept = append(kept, t)
			}
		}
		v.Values = kept
	}
	v.Reads = e.takeReads()
	return v, fine
}

// texts gives the lines of one definition.
func (e *Evaluator) texts(f *Fact, d *index.Def) ([]Text, bool) {
	val, ok := e.defValue(d)
	if !ok {
		return nil, false
	}
	if e.secret(f, val, d.At) {
		return nil, false
	}
	val, _ = val.UnmarkDeep()
	if !val.IsKnown() {
		return nil, false
	}
	if val.IsNull() {
		return nil, true
	}
	ty := val.Type()
	if !ty.IsTupleType() && !ty.IsListType() && !ty.IsSetType() {
		s, ok := e.scalarText(f, val, d.At)
		return []Text{{s, d.At}}, ok
	}
	if !f.List() && !f.Row.Words {
		if val.LengthInt() != 1 {
			e.err("E0504", "Directive takes one value", d.At, "%s= is no list (%s). Write one string, not %d.", f.Name, manual(f), val.LengthInt())
			return nil, false
		}
	}
	tup, _ := d.Expr.(*hclsyntax.TupleConsExpr)
	var out []Text
	fine := true
	i := 0
	for it := val.ElementIterator(); it.Next(); i++ {
		_, x := it.Element()
		if x.IsNull() {
			continue
		}
		at := d.At
		if tup != nil && i < len(tup.Exprs) {
			at = tup.Exprs[i].Range()
		}
		// A list in a list is taken as its elements: `After = [service.a, local.others]`.
		if xt := x.Type(); x.IsKnown() && (xt.IsTupleType() || xt.IsListType() || xt.IsSetType()) {
			for jt := x.ElementIterator(); jt.Next(); {
				_, y := jt.Element()
				s, ok := e.scalarText(f, y, at)
				fine = fine && ok
				out = append(out, Text{s, at})
			}
			continue
		}
		s, ok := e.scalarText(f, x, at)
		fine = fine && ok
		out = append(out, Text{s, at})
	}
	return out, fine
}

func manual(f *Fact) string {
	if f.Row != nil && f.Row.Man != "" {
		return f.Row.Man
	}
	return "systemd.directives(7)"
}

// scalarText spells one value as a unit file does.
func (e *Evaluator) scalarText(f *Fact, v cty.Value, at hcl.Range) (string, bool) {
	if !v.IsKnown() {
		return "", false
	}
	if !v.IsNull() {
		switch v.Type() {
		case cty.String:
			return v.AsString(), true
		case cty.Bool:
			if v.True() {
				return "true", true
			}
			return "false", true
		case cty.Number:
			return Number(v.AsBigFloat()), true
		}
	}
	hint := "Write a string, number or bool, or a list of them."
	what := describe(v)
	if v.Type().IsObjectType() || v.Type().IsMapType() {
		hint = "Only directives that assign names, such as Environment, take a map."
		if _, ok := separators[f.Name]; ok {
			what = "a list with an object in it"
			hint = "Write all of it as one map, or the map in another block of the same label."
		}
	}
	e.err("E0503", "Directive has a value of the wrong type", at, "%s= cannot be %s. %s", f.Name, what, hint)
	return "", false
}

// Number spells a number in full.
func Number(f *big.Float) string {
	if f.IsInt() {
		return f.Text('f', 0)
	}
	return f.Text('f', -1)
}

// secret reports a secret on its way into a unit file.
func (e *Evaluator) secret(f *Fact, v cty.Value, at hcl.Range) bool {
	marks := types.Secrets(v)
	if len(marks) == 0 {
		return false
	}
	e.Secret(marks, at, f.Name+"= of a unit file, which everybody can read")
	return true
}

// open refuses a condition that reads a secret: what is in the tree would tell
// of it.
func (e *Evaluator) open(v cty.Value, at hcl.Range, what string) bool {
	marks := types.Secrets(v)
	if len(marks) == 0 {
		return true
	}
	d := e.err("E0901", "Secret in a readable place", at, "The secret %s would reach %s, which decides what is in the tree. Let it depend on nothing secret; what may be known, such as whether a secret is set, is let go by nonsensitive(…).", marks[0].Option, what)
	for _, m := range marks {
		d.Related = append(d.Related, related("the secret "+m.Option+" is defined here", m.At))
	}
	return false
}

// Secret reports the way that a secret took into a readable place.
func (e *Evaluator) Secret(marks []types.SecretMark, at hcl.Range, place string) {
	d := e.err("E0901", "Secret in a readable place", at, "The secret %s would reach %s. Hand it to the service as a credential: credential \"NAME\" { unit = … }, read from $CREDENTIALS_DIRECTORY/NAME.", marks[0].Option, place)
	d.Related = append(d.Related, e.way(at)...)
	for _, m := range marks {
		d.Related = append(d.Related, related("the secret "+m.Option+" is defined here", m.At))
	}
}

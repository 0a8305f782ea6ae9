package eval

import (
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/unitgen/unitgen/compile/internal/generate"
	"github.com/unitgen/unitgen/compile/internal/index"
	"github.com/unitgen/unitgen/compile/internal/types"
	"github.com/unitgen/unitgen/schema/tree"
	"github.com/unitgen/unitgen/schema/unitname"
)

// Unit is one unit with all blocks that contribute to it.
type Unit struct {
	Name     string // full name
	Kind     string
	Scope    tree.Scope
	Place    tree.Place
	Contribs []Contrib

	dirs map[string]*dirNode
}

// Contrib is one block's contribution, in one instance of its for_each.
type Contrib struct {
	Block *index.Block
	Each  *Each
	Gen   *generate.Block // attributes of a generated block; Block is the generate block
}

// Header is where the contribution was written.
func (c Contrib) Header() hcl.Range {
	if c.Gen != nil {
		return c.Gen.Range
	}
	return c.Block.Header
}

type unitTable struct {
	kinds map[string]*kindTable
}

// kindTable holds the units of one type by scope and name.
type kindTable struct {
	node
	byName map[string]*Unit
	order  []*Unit
}

type nameSet struct {
	node
	inst []Instance
}

// Instance is one instance of a block: with for_each, one of many.
type Instance struct {
	Each *Each
	Name string // the final name, in the terms of the block's kind
}

// Instances evaluates the names of a block.
func (e *Evaluator) Instances(b *index.Block, at hcl.Range) ([]Instance, bool) {
	ns := e.shared().names[b]
	if ns == nil && e.base != nil {
		e.missed = true
		return nil, false
	}
	if ns == nil {
		ns = &nameSet{node: node{name: "names of " + blockName(b)}}
		e.names[b] = ns
	}
	_, ok := e.force(&ns.node, at, func() (cty.Value, bool) {
		var ok bool
		ns.inst, ok = e.instances(b)
		return cty.NilVal, ok
	})
	return ns.inst, ok
}

func (e *Evaluator) instances(b *index.Block) ([]Instance, bool) {
	if b.ForEach == nil {
		name, ok := e.nameOf(b, nil)
		if !ok {
			return nil, false
		}
		return []Instance{{Name: name}}, true
	}
	on, ok := e.holds(b, nil, b.Header)
	if !ok || !on {
		return nil, ok
	}
	eaches, ok := e.forEach(b)
	if !ok {
		return nil, false
	}
	var out []Instance
	seen := map[string]string{}
	for _, each := range eaches {
		on, fine := e.holds(b, each, b.Header)
		if !fine {
			ok = false
			continue
		}
		if !on {
			continue
		}
		name, fine := e.nameOf(b, each)
		if !fine {
			ok = false
			break
		}
		key := each.Key.AsString()
		if old, dup := seen[name]; dup && b.Kind != "dropin" {
			at := b.ForEach.NameRange()
			if b.Name != nil {
				at = b.Name.Expr().Range()
			}
			e.err("E0603", "Instances share a name", at, "The keys %q and %q of for_each both give the name %q. Let name depend on each.key, as in name = \"%s-${each.key}\".", old, key, name, strings.TrimSuffix(b.Label(), "@"))
			return nil, false
		}
		seen[name] = key
		out = append(out, Instance{each, name})
	}
	return out, ok
}

// forEach evaluates for_each to its instances, sorted by key.
func (e *Evaluator) forEach(b *index.Block) ([]*Each, bool) {
	s := &Scope{Module: b.Module}
	x := b.ForEach.Expr()
	v, ok := e.Eval(s, x)
	if !ok {
		return nil, false
	}
	if marks := types.Secrets(v); len(marks) > 0 {
		e.Secret(marks, x.Range(), "for_each, which makes names, and everybody can read those")
		return nil, false
	}
	v, _ = v.UnmarkDeep()
	if !v.IsKnown() {
		return nil, false
	}
	if v.IsNull() || !v.CanIterateElements() {
		e.err("E0316", "for_each is neither set nor map", x.Range(), "for_each takes a set or list of strings, or a map, not %s.", describe(v))
		return nil, false
	}
	var out []*Each
	seen := map[string]bool{}
	isMap := v.Type().IsObjectType() || v.Type().IsMapType()
	for it := v.ElementIterator(); it.Next(); {
		k, el := it.Element()
		if !isMap {
			k = el
			if !el.IsNull() && el.Type() == cty.Number {
				k = cty.StringVal(el.AsBigFloat().Text('f', -1))
			}
		}
		if k.IsNull() || !k.IsKnown() || k.Type() != cty.String {
			e.err("E0316", "for_each is neither set nor map", x.Range(), "The elements of a for_each list must be strings, not %s. For objects write a map: { name = {…} }.", describe(k))
			return nil, false
		}
		if seen[k.AsString()] {
			e.err("E0316", "for_each is neither set nor map", x.Range(), "The element %q stands twice in the list. Remove one, or write toset(…).", k.AsString())
			return nil, false
		}
		seen[k.AsString()] = true
		out = append(out, &Each{Key: k, Value: el})
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Key.AsString() < out[j].Key.AsString() })
	return out, true
}

// nameOf gives the final name of an instance of a block: a full unit name for
// units, the name itself for others.
func (e *Evaluator) nameOf(b *index.Block, each *Each) (string, bool) {
	label := b.Label()
	unit := isUnitKind(b.Kind)
	suffix := ""
	if unit {
		suffix = "." + b.Kind
	}
	if b.Kind == "dropin" {
		return label, true // each drop-in's name is its own affair
	}
	if b.Name == nil {
		if each == nil {
			return label + suffix, true
		}
		key := each.Key.AsString()
		switch {
		case key == "" && (strings.HasSuffix(label, "@") || unitname.IsTemplate(label)):
			e.err("E0602", "Invalid unit name", b.ForEach.Expr().Range(), "One key of for_each is empty, and an instance of a template has a name. Leave the empty key out, or give the block name = ….")
			return "", false
		case unit && strings.HasSuffix(label, "@"):
			return e.validUnit(label+key+suffix, b.ForEach.Expr().Range())
		case b.Kind == "instance" && strings.HasSuffix(label, "@"):
			e.err("E0602", "Invalid unit name", b.Labels[0].Range, "%q lacks the type of the unit. The label of an instance block is the full name of an instance, or with for_each that of the template: instance %q { … }.", label, label+"."+e.typeOf(label))
			return "", false
		case b.Kind == "instance" && unitname.IsTemplate(label):
			p, _, t, _ := unitname.Split(label)
			return e.validUnit(p+"@"+key+"."+t, b.ForEach.Expr().Range())
		}
		e.err("E0604", "Block with for_each needs a name", b.ForEach.NameRange(), "All instances would be called %q. Add name = \"%s-${each.key}\".", label, label)
		return "", false
	}
	v, ok := e.Eval(&Scope{Module: b.Module, Each: each}, b.Name.Expr())
	if !ok {
		return "", false
	}
	at := b.Name.Expr().Range()
	if marks := types.Secrets(v); len(marks) > 0 {
		e.Secret(marks, at, "a name, which everybody can read")
		return "", false
	}
	v, _ = v.UnmarkDeep()
	if !v.IsKnown() {
		return "", false
	}
	if v.IsNull() || v.Type() != cty.String || v.AsString() == "" {
		e.err("E0217", "Invalid name", at, "name must be a string that is not empty, not %s.", describe(v))
		return "", false
	}
	name := v.AsString()
	switch {
	case unit && unitname.Type(name) == b.Kind:
		e.err("E0601", "Label has the suffix of its type", at, "The name of a %s is without .%s. Leave the suffix out.", b.Kind, b.Kind)
		return "", false
	case each != nil && (strings.HasSuffix(label, "@") && strings.HasSuffix(name, "@") || unitname.IsTemplate(label) && unitname.IsTemplate(name)):
		e.err("E0602", "Invalid unit name", at, "For the key %q of for_each this gives %q, the template itself, not an instance. Let name end in what is not empty, or leave the key out.", each.Key.AsString(), name)
		return "", false
	case unit && strings.HasSuffix(label, "@") && each != nil && !strings.Contains(name, "@"):
		return e.validUnit(label+name+suffix, at)
	case unit:
		return e.validUnit(name+suffix, at)
	case b.Kind == "instance" && unitname.IsTemplate(label) && unitname.Type(name) == "":
		p, _, t, _ := unitname.Split(label)
		return e.validUnit(p+"@"+name+"."+t, at)
	}
	return name, true
}

// typeOf gives the type of a unit that has a label, service where none does.
func (e *Evaluator) typeOf(label string) string {
	for _, kind := range unitname.Types {
		if slices.Contains(e.IX.Labels(kind), label) {
			return kind
		}
	}
	return "service"
}

func (e *Evaluator) validUnit(name string, at hcl.Range) (string, bool) {
	if unitname.Valid(name) {
		return name, true
	}
	e.err("E0602", "Invalid unit name", at, "%s", index.BadUnitName(name))
	return "", false
}

// table gives the units of a type, with every dynamic name evaluated.
func (e *Evaluator) table(kind string, at hcl.Range) (*kindTable, bool) {
	if e.base != nil {
		return e.base.evaluated(e, kind)
	}
	if e.units == nil {
		e.units = &unitTable{kinds: map[string]*kindTable{}}
	}
	kt := e.units.kinds[kind]
	if kt == nil {
		kt = &kindTable{node: node{name: "names of all " + kind + " units"}, byName: map[string]*Unit{}}
		e.units.kinds[kind] = kt
	}
	_, ok := e.force(&kt.node, at, func() (cty.Value, bool) {
		fine := true
		for _, k := range e.IX.UnitKeys {
			if k.Kind != kind {
				continue
			}
			for _, b := range e.IX.Units[k] {
				if b.ForEach == nil && b.Name == nil {
					kt.add(b.Scope, k.Label+"."+kind, Contrib{Block: b}, tree.Etc)
					continue
				}
				inst, ok := e.Instances(b, at)
				fine = fine && ok
				for _, in := range inst {
					kt.add(b.Scope, in.Name, Contrib{Block: b, Each: in.Each}, tree.Etc)
				}
			}
		}
		for _, b := range e.IX.Blocks["generate"] {
			out, ok := e.Generated(b, at)
			fine = fine && ok
			if out == nil {
				continue
			}
			for i := range out.Units {
				u := &out.Units[i]
				if unitname.Type(u.Label) == kind {
					kt.add(e.genScope(u), u.Label, Contrib{Block: b, Gen: u}, e.place(b))
				}
			}
		}
		return cty.NilVal, fine
	})
	return kt, ok
}

func (kt *kindTable) add(scope tree.Scope, name string, c Contrib, place tree.Place) {
	key := string(scope) + "/" + name
	u := kt.byName[key]
	if u == nil {
		u = &Unit{Name: name, Kind: unitname.Type(name), Scope: scope, Place: place}
		kt.byName[key] = u
		kt.order = append(kt.order, u)
	}
	if place == tree.Etc {
		u.Place = place
	}
	u.Contribs = append(u.Contribs, c)
}

// Units gives every unit of the host, in list order by type.
func (e *Evaluator) Units() []*Unit {
	var out []*Unit
	for _, t := range unitname.Types {
		kt, _ := e.table(t, hcl.Range{})
		out = append(out, kt.order...)
	}
	return out
}

// ActiveContribs gives the contributions of a unit whose conditions hold.
func (e *Evaluator) ActiveContribs(u *Unit) ([]Contrib, bool) {
	fine := true
	all := true
	for _, c := range u.Contribs {
		if len(c.Block.Conds) > 0 {
			all = false
		}
	}
	if all {
		return u.Contribs, true
	}
	var out []Contrib
	for _, c := range u.Contribs {
		on, ok := e.holds(c.Block, c.Each, c.Block.Header)
		if !ok {
			fine = false
			continue
		}
		if on {
			out = append(out, c)
		}
	}
	return out, fine
}

// byKey reports whether a reference to the label of a block with for_each names
// its instances. Where another block declares the template itself, that takes an
// index, service["w@"]["key"]: what stands after a dot is a directive.
func (e *Evaluator) byKey(r ref, t hcl.Traversal) bool {
	if !strings.HasSuffix(r.key.Label, "@") || !slices.ContainsFunc(e.IX.Units[r.key], func(b *index.Block) bool { return b.ForEach == nil }) {
		return true
	}
	if len(t) < 3 {
		return false
	}
	_, ok := t[2].(hcl.TraverseIndex)
	return ok
}

// readUnit gives a unit's full name, or the value of one of its directives.
func (e *Evaluator) readUnit(s *Scope, r ref, t hcl.Traversal) (cty.Value, []string, bool) {
	at := t.SourceRange()
	kind := stepName(t[0])
	if r.found {
		for _, b := range e.IX.Units[r.key] {
			if b.ForEach != nil && e.byKey(r, t) {
				return e.readInstances(r, t)
			}
		}
	}
	name, ok := e.unitName(r, kind, t)
	if !ok {
		return cty.DynamicVal, nil, false
	}
	if len(t) > 2 {
		d := stepName(t[2])
		if d != "" && d[0] >= 'A' && d[0] <= 'Z' {
			v, ok := e.readDirective(r, kind, name, d, t)
			return v, e.steps(t, 3), ok
		}
		e.err("E0306", "No such key", t[2].SourceRange(), "A unit has directives, spelled as systemd does, and %q is none. %s alone is the unit's full name.", d, Spell(t[:2]))
		return cty.DynamicVal, nil, false
	}
	e.reads = append(e.reads, Read{name, at})
	return cty.StringVal(name), e.steps(t, 2), true
}

// instanceKeys gives the keys of the for_each blocks that a reference names;
// nil where there are none.
func (e *Evaluator) instanceKeys(r ref, t hcl.Traversal) (map[string]bool, bool) {
	if !r.found || !e.byKey(r, t) {
		return nil, true
	}
	var keys map[string]bool
	for _, b := range e.IX.Units[r.key] {
		if b.ForEach == nil {
			continue
		}
		inst, ok := e.Instances(b, t.SourceRange())
		if !ok {
			return nil, false
		}
		if keys == nil {
			keys = map[string]bool{}
		}
		for _, in := range inst {
			keys[in.Each.Key.AsString()] = true
		}
	}
	return keys, true
}

// instanceNames are the units of the for_each blocks of one label, by key.
type instanceNames struct {
	values map[string]cty.Value
	order  []string // of the units
	object cty.Value
}

// namesByKey gives the names of a for_each block's units by key, once.
func (e *Evaluator) namesByKey(k index.Key, at hcl.Range) (*instanceNames, bool) {
	if n := e.keyed[k]; n != nil {
		return n, true
	}
	n := &instanceNames{values: map[string]cty.Value{}}
	for _, b := range e.IX.Units[k] {
		inst, ok := e.Instances(b, at)
		if !ok {
			return nil, false
		}
		for _, in := range inst {
			if in.Each != nil {
				n.values[in.Each.Key.AsString()] = cty.StringVal(in.Name)
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(n.values)) {
		n.order = append(n.order, n.values[key].AsString())
	}
	n.object = cty.ObjectVal(n.values)
	if e.keyed == nil {
		e.keyed = map[index.Key]*instanceNames{}
	}
	e.keyed[k] = n
	return n, true
}

// readInstances gives the names of a for_each block's units by key.
func (e *Evaluator) readInstances(r ref, t hcl.Traversal) (cty.Value, []string, bool) {
	at := t.SourceRange()
	names, ok := e.namesByKey(r.key, at)
	if !ok {
		return cty.DynamicVal, nil, false
	}
	if len(t) > 2 {
		key := stepName(t[2])
		n, ok := names.values[key]
		if ok {
			e.reads = append(e.reads, Read{n.AsString(), at})
			if len(t) > 3 {
				v, ok := e.readDirective(r, r.key.Kind, n.AsString(), stepName(t[3]), t)
				return v, e.steps(t, 4), ok
			}
			return n, e.steps(t, 3), true
		}
		if key != "" {
			e.noKey(t, 2, key, slices.Collect(maps.Keys(names.values)))
			return cty.DynamicVal, nil, false
		}
	}
	for _, n := range names.order {
		e.reads = append(e.reads, Read{n, at})
	}
	return names.object, e.steps(t, 2), true
}

// unitName gives the full name of what a reference names.
func (e *Evaluator) unitName(r ref, kind string, t hcl.Traversal) (string, bool) {
	at := t.SourceRange()
	if r.found {
		for _, b := range e.IX.Units[r.key] {
			if b.Name != nil && b.ForEach == nil {
				inst, ok := e.Instances(b, at)
				if !ok || len(inst) == 0 {
					return "", false
				}
				return inst[0].Name, true
			}
		}
		return r.key.Label + "." + kind, true
	}
	full := r.name + "." + kind
	if tmpl := unitname.Template(full); tmpl != "" {
		for _, sc := range []tree.Scope{tree.System, tree.User} {
			for _, b := range e.IX.Units[index.Key{Scope: sc, Kind: kind, Label: strings.TrimSuffix(tmpl, "."+kind)}] {
				if b.ForEach == nil {
					return full, true
				}
			}
		}
	}
	if len(e.IX.Dynamic[kind]) > 0 || len(e.IX.Blocks["generate"]) > 0 {
		kt, ok := e.table(kind, at)
		if !ok {
			return "", false
		}
		for _, sc := range []string{"system/", "user/"} {
			if kt.byName[sc+full] != nil {
				return full, true
			}
		}
	}
	if kind == "target" && specialTargets[r.name] {
		return full, true
	}
	e.noUnit(kind, r.name, t)
	return "", false
}

func (e *Evaluator) readDirective(r ref, kind, unit, name string, t hcl.Traversal) (cty.Value, bool) {
	at := t.SourceRange()
	kt, ok := e.table(kind, at)
	if !ok {
		return cty.DynamicVal, false
	}
	u := kt.byName["system/"+unit]
	if u == nil {
		u = kt.byName["user/"+unit]
	}
	if u == nil {
		e.err("E0312", "Reference to a unit that does not exist", at, "No block declares %s, so its directives cannot be read.", unit)
		return cty.DynamicVal, false
	}
	f := e.Fact(kind, name)
	if f.Row == nil {
		e.err("E0501", "Unknown directive", t[len(t)-1].SourceRange(), "%s", f.unknown(kind, name))
		return cty.DynamicVal, false
	}
	d, ok := e.Directive(u, f, at)
	if !ok {
		return cty.DynamicVal, false
	}
	if f.List() {
		vals := make([]cty.Value, len(d.Values))
		for i, v := range d.Values {
			vals[i] = cty.StringVal(v.Text)
		}
		return cty.TupleVal(vals), true
	}
	if len(d.Values) == 0 {
		if f.Row.Default != "" {
			return cty.StringVal(f.Row.Default), true
		}
		return cty.NullVal(cty.String), true
	}
	return cty.StringVal(d.Values[len(d.Values)-1].Text), true
}

var _ = fmt.Sprintf

package types

import (
	"sort"

	"github.com/zclconf/go-cty/cty"
)

// This file converts lists, sets, maps, tuples and objects.

func (c *conversion) sequence(t *Type, v cty.Value) cty.Value {
	ty := v.Type()
	if !ty.IsTupleType() && !ty.IsListType() && !ty.IsSetType() {
		return c.problem(t, "", "must be a "+word(t)+", not "+describe(v)+wrapHint(t, v))
	}
	n := v.LengthInt()
	out := make([]cty.Value, 0, n)
	var marks []cty.ValueMarks
	before := len(c.problems)
	i := int64(0)
	for it := v.ElementIterator(); it.Next(); i++ {
		_, ev := it.Element()
		c.in(cty.IndexStep{Key: cty.NumberIntVal(i)}, func() {
			e := c.convert(t.elem, ev)
			if t.kind == Set {
				var m cty.ValueMarks
				if e, m = e.UnmarkDeep(); len(m) > 0 {
					marks = append(marks, m)
				}
			}
			out = append(out, e)
		})
	}
	if len(c.problems) > before {
		return placeholder(t)
	}
	if t.kind == List {
		return ListOf(t, out)
	}
	return SetOf(t, out).WithMarks(marks...)
}

// wrapHint says how a lone value becomes a list of one.
func wrapHint(t *Type, v cty.Value) string {
	if v.Type().IsPrimitiveType() {
		return "; write it in brackets: [" + literal(v) + "]"
	}
	return ""
}

// ListOf gives converted elements as a value of a list type: a cty list where
// the element type is fixed, a tuple otherwise.
func ListOf(t *Type, elems []cty.Value) cty.Value {
	et := t.Base().elem.cty
	if et.HasDynamicTypes() {
		return cty.TupleVal(elems)
	}
	if len(elems) == 0 {
		return cty.ListValEmpty(et)
	}
	return cty.ListVal(elems)
}

// SetOf gives converted elements as a value of a set type: a cty set, or,
// where the elements are of several types, a tuple without repetitions.
func SetOf(t *Type, elems []cty.Value) cty.Value {
	et := t.Base().elem.cty
	if len(elems) == 0 {
		return cty.SetValEmpty(et)
	}
	same := true
	for _, e := range elems[1:] {
		if !e.Type().Equals(elems[0].Type()) {
			same = false
		}
	}
	if same {
		return cty.SetVal(elems)
	}
	var out []cty.Value
	for _, e := range elems {
		dup := false
		for _, o := range out {
			if o.RawEquals(e) {
				dup = true
				break
			}
		}
		if !dup {
			out = append(out, e)
		}
	}
	return cty.TupleVal(out)
}

// MapOf gives converted entries as a value of a map type: a cty map where the
// element type is fixed, an object otherwise.
func MapOf(t *Type, entries map[string]cty.Value) cty.Value {
	et := t.Base().elem.cty
	if et.HasDynamicTypes() {
		return cty.ObjectVal(entries)
	}
	if len(entries) == 0 {
		return cty.MapValEmpty(et)
	}
	return cty.MapVal(entries)
}

func (c *conversion) mapping(t *Type, v cty.Value) cty.Value {
	ty := v.Type()
	if !ty.IsObjectType() && !ty.IsMapType() {
		return c.problem(t, "", "must be a map in braces, not "+describe(v))
	}
	out := map[string]cty.Value{}
	before := len(c.problems)
	for it := v.ElementIterator(); it.Next(); {
		k, ev := it.Element()
		key := k.AsString()
		if isNull(ev) && !t.elem.IsNullable() {
			continue // null is no definition
		}
		c.in(cty.IndexStep{Key: k}, func() { out[key] = c.convert(t.elem, ev) })
	}
	if len(c.problems) > before {
		return placeholder(t)
	}
	return MapOf(t, out)
}

func isNull(v cty.Value) bool {
	u, _ := v.Unmark()
	return u.IsNull()
}

func (c *conversion) tuple(t *Type, v cty.Value) cty.Value {
	ty := v.Type()
	if !ty.IsTupleType() && !ty.IsListType() {
		return c.problem(t, "", "must be a list of "+plural(len(t.elems), "element")+", not "+describe(v))
	}
	if n := v.LengthInt(); n != len(t.elems) {
		return c.problem(t, "", "must have "+plural(len(t.elems), "element")+", not "+itoa(n))
	}
	if len(t.elems) == 0 {
		return cty.EmptyTupleVal
	}
	out := make([]cty.Value, 0, len(t.elems))
	before, i := len(c.problems), 0
	for it := v.ElementIterator(); it.Next(); i++ {
		_, ev := it.Element()
		c.in(cty.IndexStep{Key: cty.NumberIntVal(int64(i))}, func() { out = append(out, c.convert(t.elems[i], ev)) })
	}
	if len(c.problems) > before {
		return placeholder(t)
	}
	return cty.TupleVal(out)
}

func (c *conversion) object(t *Type, v cty.Value) cty.Value {
	ty := v.Type()
	if !ty.IsObjectType() && !ty.IsMapType() {
		return c.problem(t, "", "must be an object in braces, not "+describe(v))
	}
	out := map[string]cty.Value{}
	before := len(c.problems)
	for it := v.ElementIterator(); it.Next(); {
		k, ev := it.Element()
		key := k.AsString()
		f := t.byName[key]
		switch {
		case f == nil && t.rest == nil:
			c.in(cty.GetAttrStep{Name: key}, func() { c.problem(t, quoteKey(Suggest(key, t.fieldNames())), unknownKey(t)) })
		case isNull(ev) && (f == nil && !t.rest.IsNullable() || f != nil && !f.Type.IsNullable()):
			// null is no definition
		case f == nil:
			c.in(cty.GetAttrStep{Name: key}, func() { out[key] = c.convert(t.rest, ev) })
		default:
			c.in(cty.GetAttrStep{Name: key}, func() { out[key] = c.convert(f.Type, ev) })
		}
	}
	if !c.part {
		key := c.entryKey()
		for _, f := range t.fields {
			if _, ok := out[f.Name]; !ok {
				c.in(cty.GetAttrStep{Name: f.Name}, func() { out[f.Name] = c.absent(f, key) })
			}
		}
	}
	if len(c.problems) > before {
		return placeholder(t)
	}
	return cty.ObjectVal(out)
}

// entryKey gives the key of the innermost map entry on the path, for `name`.
func (c *conversion) entryKey() string {
	for i := len(c.path) - 1; i >= 0; i-- {
		if s, ok := c.path[i].(cty.IndexStep); ok && s.Key.Type() == cty.String {
			return s.Key.AsString()
		}
	}
	return ""
}

func unknownKey(t *Type) string {
	names := t.fieldNames()
	if len(names) == 0 {
		return "is not declared; the object has no fields"
	}
	if len(names) > 12 {
		return "is not declared here"
	}
	return "is not declared here; the fields are " + joinWords(names)
}

func (t *Type) fieldNames() []string {
	out := make([]string, 0, len(t.fields))
	for _, f := range t.fields {
		out = append(out, f.Name)
	}
	sort.Strings(out)
	return out
}

// absent gives the value of a field that nothing sets.
func (c *conversion) absent(f *Field, key string) cty.Value {
	switch {
	case f.Default != nil:
		ctx := f.ctx
		if len(f.Default.Variables()) > 0 {
			ctx = ctx.NewChild()
			ctx.Variables = map[string]cty.Value{"name": cty.StringVal(key)}
		}
		v, diags := f.Default.Value(ctx)
		if diags.HasErrors() {
			c.diags = append(c.diags, diags...)
			return placeholder(f.Type)
		}
		if u, _ := v.Unmark(); u.IsNull() {
			return cty.NullVal(f.Type.cty)
		}
		sub := &conversion{src: c.src, path: c.path}
		out := sub.convert(f.Type, v)
		c.problems = append(c.problems, sub.problems...)
		c.diags = append(c.diags, sub.diags...)
		return out
	case f.Type.Base().kind == Submodule && (f.Optional || !f.Type.IsNullable()):
		return c.object(f.Type.Base(), cty.EmptyObjectVal)
	case f.Optional || f.Type.IsNullable():
		return cty.NullVal(f.Type.cty)
	default:
		return c.problem(f.Type, "", "is required and nothing sets it")
	}
}

package types

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// Source says where a value came from, for secret marks.
type Source struct {
	Option string    // "config.app.password"
	At     hcl.Range // the definition
}

// Problem is one reason why a value is not of a type.
type Problem struct {
	Path       cty.Path // inside the value
	Message    string   // without path: "must be a number, not a string"
	Suggestion string   // a correct spelling where one is near, "" otherwise
}

// String gives the path, the message and the suggestion in one sentence
// without a full stop.
func (p Problem) String() string {
	s := p.Message
	if path := pathString(p.Path); path != "" {
		s = path + " " + s
	}
	if p.Suggestion != "" {
		s += "; did you mean " + p.Suggestion + "?"
	}
	return s
}

// maxProblems bounds how many problems one conversion reports.
const maxProblems = 20

// Convert checks a value against the type and gives it in the type's shape:
// defaults filled in, objects with exactly the declared fields, secrets marked
// with their source. Marks survive. With problems, the value is a placeholder
// of the right type.
func (t *Type) Convert(v cty.Value, src Source) (cty.Value, []Problem) {
	c := &conversion{src: src}
	out := c.convert(t, v)
	return out, c.problems
}

// ConvertPart is Convert for one of several definitions that are yet to be
// merged: fields that are missing stay out, defaults are not filled in, and
// what nonempty, unique and check say of lists, sets, maps and objects is left
// to the Convert of the merged value.
func (t *Type) ConvertPart(v cty.Value, src Source) (cty.Value, []Problem) {
	c := &conversion{src: src, part: true}
	out := c.convert(t, v)
	return out, c.problems
}

// DefaultValue gives the value of an absent field: its default, the defaults
// of the fields of a submodule, or null for an optional field. The key is
// what `name` reads, the key of the entry that the field stands in. A field
// that must be set gives a problem.
func (f *Field) DefaultValue(key string, src Source) (cty.Value, []Problem, hcl.Diagnostics) {
	c := &conversion{src: src}
	v := c.absent(f, key)
	return v, c.problems, c.diags
}

type conversion struct {
	src      Source
	part     bool
	path     cty.Path
	hidden   bool // the value comes from a secret: no message may show it
	problems []Problem
	diags    hcl.Diagnostics // of defaults
}

func (c *conversion) problem(t *Type, suggestion, message string) cty.Value {
	if c.hidden {
		suggestion, message = "", "must be of type "+t.String()+"; what it is instead comes from a secret and is not shown"
	}
	if len(c.problems) < maxProblems {
		c.problems = append(c.problems, Problem{Path: c.path.Copy(), Message: message, Suggestion: suggestion})
	}
	return placeholder(t)
}

func placeholder(t *Type) cty.Value {
	if t.cty == cty.NilType {
		return cty.DynamicVal
	}
	return cty.UnknownVal(t.cty)
}

// in runs f with a step added to the path.
func (c *conversion) in(step cty.PathStep, f func()) {
	c.path = append(c.path, step)
	f()
	c.path = c.path[:len(c.path)-1]
}

func (c *conversion) convert(t *Type, v cty.Value) cty.Value {
	if v == cty.NilVal {
		return c.problem(t, "", "has no value")
	}
	raw, marks := v.Unmark()
	if !c.hidden && hasSecretMark(marks) {
		c.hidden = true
		defer func() { c.hidden = false }()
	}
	if t.kind == Secret {
		marks = cty.NewValueMarks(SecretMark{Option: c.src.Option, At: c.src.At}, marks)
	}
	out := c.unmarked(t, raw)
	if len(marks) > 0 {
		out = out.WithMarks(marks)
	}
	return out
}

func (c *conversion) unmarked(t *Type, v cty.Value) cty.Value {
	if !v.IsKnown() {
		return placeholder(t)
	}
	if v.IsNull() {
		if t.IsNullable() {
			if t.cty.HasDynamicTypes() {
				return cty.NullVal(cty.DynamicPseudoType)
			}
			return cty.NullVal(t.cty)
		}
		return c.problem(t, "", "must not be null; leave the definition out, or declare the type as nullable("+t.String()+")")
	}
	switch t.kind {
	case Any:
		return v
	case List, Set:
		return c.sequence(t, v)
	case Map:
		return c.mapping(t, v)
	case Tuple:
		return c.tuple(t, v)
	case Object, Submodule:
		return c.object(t, v)
	case Either:
		return c.either(t, v)
	case Nullable:
		return c.convert(t.elem, v)
	case Unique, Nonempty, Range, Match, Checked:
		before := len(c.problems)
		out := c.convert(t.elem, v)
		if len(c.problems) == before {
			c.refine(t, out)
		}
		if len(c.problems) > before {
			return placeholder(t)
		}
		return out
	case Coerce:
		return c.coerce(t, v)
	default:
		return c.scalar(t, v)
	}
}

// try converts without reporting; ok says whether there was no problem.
func (c *conversion) try(t *Type, v cty.Value) (cty.Value, []Problem) {
	sub := &conversion{src: c.src, part: c.part, path: c.path, hidden: c.hidden}
	out := sub.convert(t, v)
	return out, sub.problems
}

func (c *conversion) either(t *Type, v cty.Value) cty.Value {
	var shaped []Problem
	var like *Type
	near := 0
	for _, e := range t.elems {
		out, problems := c.try(e, v)
		if len(problems) == 0 {
			return out
		}
		// A value with the shape of one alternative alone is judged by that one.
		if sameShape(e, v) {
			near++
			shaped, like = problems, e
		}
	}
	if near == 1 && like.Base().kind == Enum {
		return c.problem(t, shaped[0].Suggestion, "must be "+t.String()+", not "+c.shown(t, v))
	}
	if near == 1 {
		c.problems = append(c.problems, shaped...)
		return placeholder(t)
	}
	return c.problem(t, "", "must be "+t.String()+", not "+describe(v))
}

// sameShape reports whether a value looks like the type from the outside.
func sameShape(t *Type, v cty.Value) bool {
	ty := v.Type()
	switch b := t.Base(); b.kind {
	case Any:
		return true
	case List, Set, Tuple:
		return ty.IsTupleType() || ty.IsListType() || ty.IsSetType()
	case Map, Object, Submodule:
		return ty.IsObjectType() || ty.IsMapType()
	case Number, Port:
		return ty == cty.Number
	case Bool:
		return ty == cty.Bool
	case Enum:
		for _, e := range b.values {
			if e.Type().Equals(ty) {
				return true
			}
		}
		return false
	case Either:
		for _, e := range b.elems {
			if sameShape(e, v) {
				return true
			}
		}
		return false
	default:
		return ty == cty.String
	}
}

func (c *conversion) coerce(t *Type, v cty.Value) cty.Value {
	out, problems := c.try(t.elem, v)
	if len(problems) == 0 {
		return out
	}
	old, oldProblems := c.try(t.from, v)
	if len(oldProblems) > 0 {
		if sameShape(t.from, v) && !sameShape(t.elem, v) {
			problems = oldProblems
		}
		c.problems = append(c.problems, problems...)
		return placeholder(t)
	}
	ctx := t.ctx.NewChild()
	ctx.Variables = map[string]cty.Value{"value": old}
	nv, diags := t.expr.Value(ctx)
	if diags.HasErrors() {
		return c.problem(t, "", "could not be brought into its new shape"+reason(diags, t.HasSecret()))
	}
	return c.convert(t.elem, nv)
}

// shown spells a value for a message, unless it may be a secret.
func (c *conversion) shown(t *Type, v cty.Value) string {
	if t.HasSecret() {
		return describe(v)
	}
	return literal(v)
}

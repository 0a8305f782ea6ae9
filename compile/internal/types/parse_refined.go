package types

import (
	"regexp"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// This file parses the types that narrow other types.

func (p *parser) constant(e hcl.Expression) (cty.Value, bool) {
	v, diags := e.Value(p.ctx)
	if diags.HasErrors() {
		if len(e.Variables()) > 0 {
			p.fail(e.Range(), "A type expression cannot read other values; write a constant here.")
		} else {
			p.diags = append(p.diags, diags...)
		}
		return cty.NilVal, false
	}
	return v, true
}

func (p *parser) enum(c *hcl.StaticCall, _ int) *Type {
	t := &Type{kind: Enum, ctx: p.ctx, cty: cty.NilType}
	for _, a := range c.Arguments {
		v, ok := p.constant(a)
		if !ok {
			continue
		}
		if v.IsNull() || !v.Type().IsPrimitiveType() || v.IsMarked() {
			p.fail(a.Range(), "A value of an enum must be a string, a number or a bool.")
			continue
		}
		for _, o := range t.values {
			if o.Type().Equals(v.Type()) && o.Equals(v).True() {
				p.fail(a.Range(), "The value %s stands twice in the enum.", literal(v))
			}
		}
		t.values = append(t.values, v)
		switch {
		case t.cty == cty.NilType:
			t.cty = v.Type()
		case !t.cty.Equals(v.Type()):
			t.cty = cty.DynamicPseudoType
		}
	}
	if t.cty == cty.NilType {
		return keywords["any"]
	}
	return t
}

func (p *parser) either(c *hcl.StaticCall, depth int) *Type {
	t := &Type{kind: Either, ctx: p.ctx}
	for i, a := range c.Arguments {
		e := p.typ(a, depth+1)
		t.elems = append(t.elems, e)
		switch {
		case i == 0:
			t.cty = e.cty
		case !t.cty.Equals(e.cty):
			t.cty = cty.DynamicPseudoType
		}
	}
	return t
}

func (p *parser) bounds(c *hcl.StaticCall, depth int) *Type {
	e := p.typ(c.Arguments[0], depth+1)
	t := &Type{kind: Range, elem: e, cty: e.cty, ctx: p.ctx}
	switch e.Base().kind {
	case Number, Port, Duration, Bytes, Any:
	default:
		return p.fail(c.Arguments[0].Range(), "range() narrows number, port, duration and bytes, not %s.", e)
	}
	for i, dst := range []*cty.Value{&t.min, &t.max} {
		v, ok := p.constant(c.Arguments[i+1])
		if !ok {
			return t.elem
		}
		if v.IsNull() {
			*dst = cty.NullVal(cty.Number)
			continue
		}
		n, err := magnitude(e.Base().kind, v)
		if err != nil {
			return p.fail(c.Arguments[i+1].Range(), "This bound of range() is no %s: %s. Write null for no bound.", e.Base(), err)
		}
		*dst = v
		if i == 1 && !t.min.IsNull() {
			if lo, err := magnitude(e.Base().kind, t.min); err == nil && lo.Cmp(n) > 0 {
				return p.fail(c.ArgsRange, "The lower bound of range() is above the upper one.")
			}
		}
	}
	return t
}

func (p *parser) match(c *hcl.StaticCall, _ int) *Type {
	v, ok := p.constant(c.Arguments[0])
	if !ok {
		return keywords["string"]
	}
	if v.IsNull() || v.Type() != cty.String || v.IsMarked() {
		return p.fail(c.Arguments[0].Range(), "match() takes a regular expression in quotes.")
	}
	pat := &pattern{src: v.AsString()}
	re, err := regexp.Compile(pat.src) // alone first: its fault is told as it was written
	if err == nil {
		re, err = regexp.Compile(`\A(?:` + pat.src + `)\z`)
	}
	if err != nil {
		return p.fail(c.Arguments[0].Range(), "This is no regular expression in RE2 syntax: %s.", err)
	}
	pat.re = re
	if len(c.Arguments) == 2 {
		m, ok := p.constant(c.Arguments[1])
		if !ok || m.IsNull() || m.Type() != cty.String {
			return p.fail(c.Arguments[1].Range(), "The second argument of match() is a message in quotes that says what the value must be.")
		}
		pat.msg = m.AsString()
	}
	return &Type{kind: Match, elem: keywords["string"], regex: pat, cty: cty.String, ctx: p.ctx}
}

// onlyValue refuses an expression that reads anything but `value`.
func (p *parser) onlyValue(e hcl.Expression, what string) bool {
	for _, v := range e.Variables() {
		if v.RootName() != "value" {
			p.fail(v.SourceRange(), "The %s may read only value, not %s. A condition over several options belongs into an assert block.", what, v.RootName())
			return false
		}
	}
	return true
}

func (p *parser) check(c *hcl.StaticCall, depth int) *Type {
	e := p.typ(c.Arguments[0], depth+1)
	m, ok := p.constant(c.Arguments[2])
	if !ok || !p.onlyValue(c.Arguments[1], "condition of a check") {
		return e
	}
	if m.IsNull() || m.Type() != cty.String || m.IsMarked() {
		return p.fail(c.Arguments[2].Range(), "The third argument of check() is a message in quotes that says what the value must be.")
	}
	return &Type{kind: Checked, elem: e, cty: e.cty, expr: c.Arguments[1], msg: m.AsString(), ctx: p.ctx}
}

func (p *parser) coerce(c *hcl.StaticCall, depth int) *Type {
	from := p.typ(c.Arguments[0], depth+1)
	to := p.typ(c.Arguments[2], depth+1)
	if !p.onlyValue(c.Arguments[1], "coercion") {
		return to
	}
	return &Type{kind: Coerce, from: from, elem: to, expr: c.Arguments[1], cty: to.cty, ctx: p.ctx}
}

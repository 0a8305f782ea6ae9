package types

import (
	"math/big"

	"github.com/zclconf/go-cty/cty"
)

// refine checks what a wrapper says of a value that is of the wrapped type.
func (c *conversion) refine(t *Type, v cty.Value) {
	raw, _ := v.Unmark()
	if !raw.IsKnown() || raw.IsNull() {
		return
	}
	whole := !c.part || t.Base().isLeaf()
	switch t.kind {
	case Unique:
		if whole && !c.part {
			c.unique(t, raw)
		}
	case Nonempty:
		if whole && isEmpty(raw) {
			c.problem(t, "", "must not be empty")
		}
	case Range:
		c.inRange(t, raw)
	case Match:
		if raw.Type() == cty.String && !t.regex.re.MatchString(raw.AsString()) {
			switch {
			case t.regex.msg != "" && t.HasSecret():
				c.problem(t, "", t.regex.msg)
			case t.regex.msg != "":
				c.problem(t, "", t.regex.msg+", not "+literal(raw))
			case t.HasSecret():
				c.problem(t, "", "must match the regular expression "+t.regex.src+" as a whole")
			default:
				c.problem(t, "", "must match the regular expression "+t.regex.src+" as a whole, not "+literal(raw))
			}
		}
	case Checked:
		if whole {
			c.check(t, v)
		}
	}
}

// isLeaf reports whether definitions of the type merge as a scalar, so that
// each is checked in full.
func (t *Type) isLeaf() bool { return t.MergeKind() == MergeScalar }

func isEmpty(v cty.Value) bool {
	ty := v.Type()
	switch {
	case ty == cty.String:
		return v.AsString() == ""
	case ty.IsCollectionType(), ty.IsTupleType(), ty.IsObjectType():
		return v.LengthInt() == 0
	}
	return false
}

func (c *conversion) unique(t *Type, v cty.Value) {
	if !v.CanIterateElements() {
		return
	}
	seen := map[string]int64{}
	i := int64(0)
	for it := v.ElementIterator(); it.Next(); i++ {
		_, e := it.Element()
		text := ""
		if len(Secrets(e)) == 0 {
			text = " (" + literal(e) + ")"
		}
		e, _ = e.UnmarkDeep()
		key := fingerprint(e)
		if first, dup := seen[key]; dup {
			c.in(cty.IndexStep{Key: cty.NumberIntVal(i)}, func() {
				c.problem(t, "", "must not repeat ["+itoa(int(first))+"]"+text)
			})
			continue
		}
		seen[key] = i
	}
}

func (c *conversion) inRange(t *Type, v cty.Value) {
	k := t.elem.Base().kind
	n, err := magnitude(k, v)
	if err != nil {
		return // the wrapped type has said so, or the value is of another alternative
	}
	lo, hi := t.min, t.max
	var low, high bool
	if !lo.IsNull() {
		m, _ := magnitude(k, lo)
		low = n.Cmp(m) < 0
	}
	if !hi.IsNull() {
		m, _ := magnitude(k, hi)
		high = n.Cmp(m) > 0
	}
	if !low && !high {
		return
	}
	switch {
	case lo.IsNull():
		c.problem(t, "", "must be at most "+literal(hi)+", not "+literal(v))
	case hi.IsNull():
		c.problem(t, "", "must be at least "+literal(lo)+", not "+literal(v))
	default:
		c.problem(t, "", "must be from "+literal(lo)+" to "+literal(hi)+", not "+literal(v))
	}
}

// magnitude gives a value of a kind that has an order as a number:
// microseconds for durations, bytes for sizes.
func magnitude(k Kind, v cty.Value) (*big.Float, error) {
	if v.Type() == cty.Number {
		f := v.AsBigFloat()
		if k == Duration { // a bare number of a duration is in seconds
			return new(big.Float).Mul(f, big.NewFloat(1e6)), nil
		}
		return f, nil
	}
	if v.Type() == cty.String {
		switch k {
		case Duration:
			us, err := parseDuration(v.AsString())
			return new(big.Float).SetUint64(us), err
		case Bytes:
			n, err := parseBytes(v.AsString())
			return new(big.Float).SetUint64(n), err
		}
	}
	return nil, errNoMagnitude
}

func (c *conversion) check(t *Type, v cty.Value) {
	ctx := t.ctx.NewChild()
	ctx.Variables = map[string]cty.Value{"value": v}
	ok, diags := t.expr.Value(ctx)
	if diags.HasErrors() {
		c.problem(t, "", "could not be checked"+reason(diags, len(Secrets(v)) > 0))
		return
	}
	ok, _ = ok.Unmark()
	switch {
	case ok.IsNull() || !ok.IsKnown() || ok.Type() != cty.Bool:
		c.problem(t, "", "could not be checked: the condition of check() must give true or false")
	case ok.False():
		c.problem(t, "", t.msg)
	}
}

package types

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// Strategy is an option's `merge`: how definitions of equal priority become
// one value.
type Strategy string

// Strategies.
const (
	ByType  Strategy = ""        // as the type's MergeKind says
	Agree   Strategy = "agree"   // all definitions must be equal
	First   Strategy = "first"   // the first in order wins
	Last    Strategy = "last"    // the last in order wins
	Single  Strategy = "single"  // at most one definition
	Concat  Strategy = "concat"  // lists one after another
	Union   Strategy = "union"   // lists and sets, each element once, first place kept
	Deep    Strategy = "deep"    // maps and objects key by key, at every depth
	Shallow Strategy = "shallow" // maps and objects key by key, one level; a later value replaces
	Lines   Strategy = "lines"   // strings joined by newlines
	Spaced  Strategy = "words"   // strings joined by spaces
	Commas  Strategy = "commas"  // strings joined by commas
	Sum     Strategy = "sum"     // numbers added
	Min     Strategy = "min"     // the smallest number
	Max     Strategy = "max"     // the largest number
	All     Strategy = "all"     // bools: true when all are
	AnyOf   Strategy = "any"     // bools: true when one is
)

type strategyRow struct {
	name  Strategy
	kinds string // the kinds it works on, for messages
	fits  func(*Type) bool
}

func base(kinds ...Kind) func(*Type) bool {
	return func(t *Type) bool {
		b := t.Base().kind
		if b == Any {
			return true
		}
		for _, k := range kinds {
			if b == k {
				return true
			}
		}
		return false
	}
}

func every(*Type) bool { return true }

var strategies = []strategyRow{
	{Agree, "every type", every},
	{First, "every type", every},
	{Last, "every type", every},
	{Single, "every type", every},
	{Concat, "lists", base(List)},
	{Union, "lists and sets", base(List, Set)},
	{Deep, "maps, objects and submodules", base(Map, Object, Submodule)},
	{Shallow, "maps, objects and submodules", base(Map, Object, Submodule)},
	{Lines, "strings", base(String, Secret)},
	{Spaced, "strings", base(String, Secret)},
	{Commas, "strings", base(String, Secret)},
	{Sum, "numbers", base(Number)},
	{Min, "numbers and ports", base(Number, Port)},
	{Max, "numbers and ports", base(Number, Port)},
	{All, "bools", base(Bool)},
	{AnyOf, "bools", base(Bool)},
}

// ParseStrategy reads an option's `merge`, a constant string that fits the
// type.
func ParseStrategy(expr hcl.Expression, t *Type) (Strategy, hcl.Diagnostics) {
	fail := func(format string, args ...any) (Strategy, hcl.Diagnostics) {
		return ByType, hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "Invalid merge strategy", Detail: fmt.Sprintf(format, args...), Subject: expr.Range().Ptr()}}
	}
	var names []string
	for _, s := range strategies {
		if s.fits(t) {
			names = append(names, string(s.name))
		}
	}
	v, diags := expr.Value(nil)
	if diags.HasErrors() || v.IsNull() || v.Type() != cty.String {
		return fail("merge is one of the words %s, in quotes.", orWords(names))
	}
	for _, s := range strategies {
		if string(s.name) != v.AsString() {
			continue
		}
		if !s.fits(t) {
			return fail("merge = %q works on %s; for %s it may be %s.", s.name, s.kinds, t, orWords(names))
		}
		return s.name, nil
	}
	if s := Suggest(v.AsString(), names); s != "" {
		return fail("There is no merge strategy %q. Did you mean %q?", v.AsString(), s)
	}
	return fail("There is no merge strategy %q; for %s it may be %s.", v.AsString(), t, orWords(names))
}

// Combine merges converted definitions of equal priority, in their order.
// Agree, Deep and ByType are the evaluator's, which knows the definitions'
// ranges and works key by key. An error says which rule was broken.
func (s Strategy) Combine(t *Type, defs []cty.Value) (cty.Value, error) {
	if len(defs) == 0 {
		return cty.NilVal, fmt.Errorf("there is no definition")
	}
	marks := make([]cty.ValueMarks, 0, len(defs))
	raw := make([]cty.Value, 0, len(defs))
	for _, d := range defs {
		u, m := d.Unmark()
		if !u.IsKnown() {
			return placeholder(t), nil
		}
		raw, marks = append(raw, u), append(marks, m)
	}
	out, err := s.combine(t, raw)
	if err != nil {
		return placeholder(t), err
	}
	return out.WithMarks(marks...), nil
}

func (s Strategy) combine(t *Type, defs []cty.Value) (cty.Value, error) {
	switch s {
	case First:
		return defs[0], nil
	case Last:
		return defs[len(defs)-1], nil
	case Single:
		if len(defs) > 1 {
			return cty.NilVal, fmt.Errorf("the option takes a single definition (merge = \"single\"), and has %d", len(defs))
		}
		return defs[0], nil
	case Concat:
		return ListOf(t, elements(defs)), nil
	case Union:
		return union(t, defs), nil
	case Shallow:
		return shallow(t, defs), nil
	case Lines, Spaced, Commas:
		sep := map[Strategy]string{Lines: "\n", Spaced: " ", Commas: ","}[s]
		words := make([]string, 0, len(defs))
		for _, d := range defs {
			if d.Type() != cty.String {
				return cty.NilVal, fmt.Errorf("merge = %q joins strings, not %s", s, describe(d))
			}
			words = append(words, strings.TrimSuffix(d.AsString(), sep))
		}
		out := strings.Join(words, sep)
		if s == Lines && out != "" {
			out += "\n"
		}
		return cty.StringVal(out), nil
	case Sum, Min, Max, All, AnyOf:
		return fold(s, defs)
	}
	return cty.NilVal, fmt.Errorf("merge = %q does not combine whole values; this is a bug in unitgen", s)
}

func elements(defs []cty.Value) []cty.Value {
	var out []cty.Value
	for _, d := range defs {
		for it := d.ElementIterator(); it.Next(); {
			_, e := it.Element()
			out = append(out, e)
		}
	}
	return out
}

func union(t *Type, defs []cty.Value) cty.Value {
	var out []cty.Value
	seen := map[string]bool{}
	for _, e := range elements(defs) {
		u, _ := e.UnmarkDeep()
		key := fingerprint(u)
		if !seen[key] {
			seen[key] = true
			out = append(out, e)
		}
	}
	if t.Base().kind == Set {
		return SetOf(t, out)
	}
	if t.Base().kind == List {
		return ListOf(t, out)
	}
	return cty.TupleVal(out)
}

func shallow(t *Type, defs []cty.Value) cty.Value {
	out := map[string]cty.Value{}
	for _, d := range defs {
		for it := d.ElementIterator(); it.Next(); {
			k, e := it.Element()
			out[k.AsString()] = e
		}
	}
	if t.Base().kind == Map {
		return MapOf(t, out)
	}
	return cty.ObjectVal(out)
}

func fold(s Strategy, defs []cty.Value) (cty.Value, error) {
	want, noun := cty.Number, "numbers"
	if s == All || s == AnyOf {
		want, noun = cty.Bool, "bools"
	}
	acc := defs[0]
	for i, d := range defs {
		if d.Type() != want {
			return cty.NilVal, fmt.Errorf("merge = %q takes %s, not %s", s, noun, describe(d))
		}
		if i == 0 {
			continue
		}
		switch {
		case s == Sum:
			acc = acc.Add(d)
		case s == All:
			acc = acc.And(d)
		case s == AnyOf:
			acc = acc.Or(d)
		case s == Min && d.LessThan(acc).True(), s == Max && d.GreaterThan(acc).True():
			acc = d
		}
	}
	return acc, nil
}

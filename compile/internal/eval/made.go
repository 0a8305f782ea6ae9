package eval

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/unitgen/unitgen/compile/internal/generate"
	"github.com/unitgen/unitgen/compile/internal/index"
	"github.com/unitgen/unitgen/compile/internal/types"
	"github.com/unitgen/unitgen/schema/unitname"
)

// perBlock are attributes that have a meaning where a block is written, not
// where a program gives its result.
var perBlock = []string{"when", "for_each"}

// made checks the names and the attributes of ours of what a program made.
// Directives are checked as those of blocks are.
func (e *Evaluator) made(out *generate.Output) bool {
	before := len(e.Diags)
	for i := range out.Units {
		b := &out.Units[i]
		if !unitname.Valid(b.Label) {
			e.err("E0602", "Invalid unit name", b.Range, "%s", index.BadUnitName(b.Label))
			continue
		}
		kind := unitname.Type(b.Label)
		e.madeAttrs(b, "a generated "+kind, index.Attributes(kind), "name")
	}
	for i := range out.DropIns {
		e.madeAttrs(&out.DropIns[i], "a generated drop-in", index.Attributes("dropin"), "unit")
	}
	for i := range out.Etc {
		e.madeAttrs(&out.Etc[i], "a generated file", index.Attributes("etc"), "name")
	}
	for i := range out.Links {
		b := &out.Links[i]
		e.madeAttrs(b, "a generated link", []string{"target"})
		if a := b.Attr("target"); a == nil && len(b.Attrs) == 0 {
			e.err("E0204", "Attribute is missing", b.Range, "A link has a target: '%s': '../x.service'.", b.Label)
		} else if a != nil && (a.Value.IsNull() || a.Value.Type() != cty.String) {
			e.err("E0403", "Value has the wrong type", a.Range, "The target of a link must be a string, not %s.", describe(a.Value))
		}
	}
	return len(e.Diags) == before
}

// Refused reports whether a generated file has an attribute that was refused.
func (e *Evaluator) Refused(c Contrib) bool {
	names := index.Attributes("etc")
	return slices.ContainsFunc(c.Gen.Attrs, func(a generate.Attr) bool { return !slices.Contains(names, a.Name) })
}

func (e *Evaluator) madeAttrs(b *generate.Block, what string, names []string, not ...string) {
	names = slices.DeleteFunc(slices.Clone(names), func(n string) bool { return slices.Contains(perBlock, n) || slices.Contains(not, n) })
	for i := range b.Attrs {
		a := &b.Attrs[i]
		if upper(a.Name) && what != "a generated file" && what != "a generated link" {
			continue
		}
		if a.Name == "scope" && slices.Contains(names, "scope") {
			e.madeScope(a)
			continue
		}
		if !slices.Contains(names, a.Name) {
			e.err("E0206", "Unknown attribute", a.Range, "%q has no attribute %q: %s", b.Label, a.Name, e.madeHint(a.Name, what, names))
		}
	}
}

func (e *Evaluator) madeHint(name, what string, names []string) string {
	if slices.Contains(perBlock, name) {
		return "the program itself decides what it makes. Leave out of its result what shall not be there."
	}
	hint := fmt.Sprintf("%s has %s", what, strings.Join(names, ", "))
	if upper(what) || strings.Contains(what, "generated file") || strings.Contains(what, "link") {
		hint += "."
	} else {
		hint += ", and the directives of systemd."
	}
	if near := types.Suggest(name, names); near != "" {
		hint = fmt.Sprintf("did you mean %q?", near)
	}
	return hint
}

func (e *Evaluator) madeScope(a *generate.Attr) {
	if !a.Value.IsNull() && a.Value.Type() == cty.String {
		if s := a.Value.AsString(); s == "system" || s == "user" {
			return
		}
	}
	e.err("E0403", "Value has the wrong type", a.Range, "scope is 'system' or 'user'.")
}

// generatedTwice reports generate blocks of one module that share a label.
func (e *Evaluator) generatedTwice() {
	type key struct {
		m     *index.Module
		label string
	}
	seen := map[key]hcl.Range{}
	for _, b := range e.IX.Blocks["generate"] {
		k := key{b.Module, b.Label()}
		if old, dup := seen[k]; dup {
			d := e.err("E0207", "Declared twice", b.Header, "The module has another generate block %q. Rename or remove one.", b.Label())
			d.Related = append(d.Related, related("the other one", old))
			continue
		}
		seen[k] = b.Header
	}
}

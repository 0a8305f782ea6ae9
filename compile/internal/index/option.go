package index

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/unitgen/unitgen/compile/internal/syntax"
	"github.com/unitgen/unitgen/compile/internal/types"
	"github.com/unitgen/unitgen/schema/diag"
)

// Merges are the strategies that `merge` names.
var Merges = []string{"agree", "all", "any", "commas", "concat", "first", "last", "lines", "max", "min", "sum", "unite", "words"}

func related(msg string, r hcl.Range) diag.Related {
	return diag.Related{Message: msg, Range: syntax.Range(r)}
}

// option1 reads one option block. What it says of itself is literal; default,
// example and check are expressions.
func (ix *Index) option1(m *Module, name string, b *syntax.Block) *Option {
	o := &Option{Module: m, Name: name, Block: b, Type: types.Named("any")}
	env := types.Env{}
	if ix.Functions != nil {
		env = ix.Functions(m.Module)
	}
	for _, a := range b.Attrs {
		switch a.Name {
		case "type":
			t, hd := types.Parse(a.Expr(), env)
			for _, d := range hd {
				at := a.Expr().Range()
				if d.Subject != nil {
					at = *d.Subject
				}
				ix.err("E0402", "Invalid type", at, "%s", d.Detail)
			}
			o.Type = t
		case "default":
			o.Default = a
		case "example":
			o.Example = a
		case "check":
			o.Check = a
		case "message":
			o.Message = ix.text(a)
		case "description":
			o.Description = ix.text(a)
		case "deprecated":
			o.Deprecated = ix.text(a)
		case "renamed_to":
			o.RenamedTo = ix.text(a)
		case "alias_of":
			o.RenamedTo, o.Alias = ix.text(a), true
		case "apply":
			o.Apply = a
		case "removed":
			o.Removed = ix.text(a)
		case "merge":
			o.Merge = ix.text(a)
			if o.Merge != "" && !word(strings.Join(Merges, " "), o.Merge) {
				hint := types.Suggest(o.Merge, Merges)
				if hint != "" {
					hint = fmt.Sprintf(" Did you mean %q?", hint)
				}
				ix.err("E0406", "Unknown merge strategy", a.Expr().Range(), "%q is no way to merge.%s The ways are: %s.", o.Merge, hint, strings.Join(Merges, ", "))
				o.Merge = ""
			}
		case "internal":
			o.Internal = ix.flag(a)
		case "read_only":
			o.ReadOnly = ix.flag(a)
		case "required":
			o.Required = ix.flag(a)
		case "shared":
			o.Shared = ix.flag(a)
		}
	}
	if at := renamedAt(b); at != nil && o.RenamedTo != "" {
		if b.Attr("renamed_to") != nil && b.Attr("alias_of") != nil {
			ix.err("E0208", "Attributes contradict each other", at.NameRange(), "renamed_to warns where the old name is written, and alias_of does not. Keep one.")
		}
		if o.Default != nil || b.Attr("type") != nil || o.Apply != nil {
			ix.err("E0208", "Attributes contradict each other", at.NameRange(), "An option that is another's name has neither type, default nor apply: those of %q count. Remove them here.", o.RenamedTo)
		}
	}
	if o.Required && o.Default != nil {
		ix.err("E0208", "Attributes contradict each other", b.Attr("required").NameRange(), "An option with a default is never missing. Remove required or default.")
	}
	return o
}

func (ix *Index) text(a *syntax.Attr) string {
	if s, ok := syntax.StringOf(a.Expr()); ok {
		return s
	}
	v, hd := a.Expr().Value(nil)
	if !hd.HasErrors() && v.IsKnown() && !v.IsNull() && v.Type() == cty.String {
		return v.AsString()
	}
	ix.err("E0218", "Not a literal", a.Expr().Range(), "%s is read before anything is evaluated: write a plain string.", a.Name)
	return ""
}

func (ix *Index) flag(a *syntax.Attr) bool {
	if a.Lit.Kind == syntax.LitBool {
		return a.Lit.String == "true"
	}
	ix.err("E0218", "Not a literal", a.Expr().Range(), "%s is read before anything is evaluated: write true or false.", a.Name)
	return false
}

// renamedAt gives the attribute that names another option, nil for none.
func renamedAt(b *syntax.Block) *syntax.Attr {
	if a := b.Attr("renamed_to"); a != nil {
		return a
	}
	return b.Attr("alias_of")
}

// Renamed gives the option that one was renamed to in the end, itself where it
// was not; nil when the names lead nowhere or in a circle.
func (ix *Index) Renamed(o *Option) *Option {
	seen := map[*Option]bool{}
	for o != nil && o.RenamedTo != "" {
		if seen[o] {
			return nil
		}
		seen[o] = true
		o = ix.option(o.Module, o.RenamedTo)
	}
	return o
}

// Renames checks that every renamed_to names an option and that they end.
func (ix *Index) Renames() diag.List {
	var out diag.List
	told := map[*Option]bool{}
	at := func(o *Option) diag.Range { return syntax.Range(renamedAt(o.Block).Expr().Range()) }
	for _, m := range ix.Modules {
		for _, n := range m.Names {
			o := m.Options[n]
			if o.RenamedTo == "" || told[o] {
				continue
			}
			next := ix.option(o.Module, o.RenamedTo)
			if next == nil {
				hint := types.Suggest(o.RenamedTo, m.Names)
				if hint != "" && hint != o.Name {
					hint = fmt.Sprintf(" Did you mean %q?", hint)
				} else {
					hint = " Write the name of an option of this module, or MODULE.OPTION."
				}
				out = append(out, diag.Errorf("E0303", "Unknown option", at(o), "%s was renamed to %q, which no option is called.%s", o.Path(), o.RenamedTo, hint))
				continue
			}
			// Only a circle that comes back to this very option is told here.
			chain, seen := []*Option{o}, map[*Option]bool{o: true}
			for next != nil && next.RenamedTo != "" && !seen[next] {
				chain, seen[next] = append(chain, next), true
				next = ix.option(next.Module, next.RenamedTo)
			}
			if next != o {
				continue
			}
			d := diag.Errorf("E0301", "Cycle", at(o), "%s is renamed in a circle. Let the last one be a real option.", o.Path())
			for _, c := range chain {
				told[c] = true
				if c != o {
					d.Related = append(d.Related, diag.Related{Message: "then renamed here", Range: at(c)})
				}
			}
			out = append(out, d)
		}
	}
	return out
}

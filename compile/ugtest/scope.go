package ugtest

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/unitgen/unitgen/compile"
	"github.com/unitgen/unitgen/compile/fetch"
	"github.com/unitgen/unitgen/compile/internal/types"
	"github.com/unitgen/unitgen/schema/diag"
	"github.com/unitgen/unitgen/schema/directive"
	"github.com/unitgen/unitgen/schema/tree"
	"github.com/unitgen/unitgen/schema/unitfile"
	"github.com/unitgen/unitgen/schema/unitname"
)

func remote(cache, dir string) func(string) (string, error) {
	if cache == "" {
		return nil
	}
	return fetch.NewStore(dir, cache).Resolve
}

// scope gives what conditions may read.
func scope(out *compile.Result, entries []Entry, diags diag.List) map[string]cty.Value {
	units, user := map[string]cty.Value{}, map[string]cty.Value{}
	dropIns := map[string]cty.Value{}
	for _, u := range out.Tree.Units {
		dst := units
		if u.Scope == tree.User {
			dst = user
		}
		dst[u.Name] = unitValue(u.Name, u.File, u.Mask)
	}
	for _, d := range out.Tree.DropIns {
		dropIns[d.Unit+".d/"+d.Name+".conf"] = unitValue(d.Unit, d.File, false)
	}
	etc, links := map[string]cty.Value{}, map[string]cty.Value{}
	for _, e := range entries {
		if e.Target != "" {
			links[e.Path] = cty.StringVal(e.Target)
			continue
		}
		p, ok := strings.CutPrefix(e.Path, "etc/")
		if !ok || strings.HasPrefix(p, "systemd/") {
			continue
		}
		etc[p] = cty.ObjectVal(map[string]cty.Value{
			"text": cty.StringVal(string(e.Content)), "mode": cty.StringVal(fmt.Sprintf("%04o", e.Mode)),
			"owner": cty.StringVal(e.Owner), "group": cty.StringVal(e.Group),
		})
	}
	list := make([]cty.Value, 0, len(diags))
	for _, d := range diags {
		list = append(list, cty.ObjectVal(map[string]cty.Value{
			"severity": cty.StringVal(d.Severity.String()), "code": cty.StringVal(d.ID()), "summary": cty.StringVal(d.Summary),
			"detail": cty.StringVal(d.Detail), "file": cty.StringVal(d.Subject.File), "line": cty.NumberIntVal(int64(d.Subject.Start.Line)),
		}))
	}
	vars := map[string]cty.Value{
		"unit": cty.ObjectVal(units), "user_unit": cty.ObjectVal(user), "dropin": cty.ObjectVal(dropIns),
		"etc": cty.ObjectVal(etc), "link": cty.ObjectVal(links), "diagnostics": cty.TupleVal(list),
	}
	if !diags.HasErrors() {
		vars["config"], vars["option"] = out.Values()
	}
	return vars
}

// unitValue gives a unit file as an object: directives that take one value as
// strings, the others as lists, those of sections by name too, and the text.
func unitValue(name string, f *unitfile.File, mask bool) cty.Value {
	attrs := map[string]cty.Value{"mask": cty.BoolVal(mask)}
	if f == nil {
		return cty.ObjectVal(attrs)
	}
	sections := map[string]cty.Value{}
	for _, s := range f.Sections() {
		inner := map[string]cty.Value{}
		for _, l := range f.Assignments(s) {
			if _, done := inner[l.Key]; done {
				continue
			}
			v := directiveValue(unitname.Type(name), s, l.Key, f.Values(s, l.Key))
			inner[l.Key] = v
			if _, taken := attrs[l.Key]; !taken {
				attrs[l.Key] = v
			}
		}
		sections[s] = cty.ObjectVal(inner)
	}
	attrs["section"] = cty.ObjectVal(sections)
	attrs["text"] = cty.StringVal(string(f.Bytes()))
	return cty.ObjectVal(attrs)
}

func directiveValue(unitType, section, key string, values []string) cty.Value {
	d, ok := directive.Lookup(unitType, section, key)
	if ok && !d.List && !d.Words {
		return cty.StringVal(values[len(values)-1])
	}
	var out []cty.Value
	for _, v := range values {
		if ok && d.Words {
			for _, w := range strings.Fields(v) {
				out = append(out, cty.StringVal(w))
			}
			continue
		}
		out = append(out, cty.StringVal(v))
	}
	return cty.TupleVal(out) // a literal list is a tuple, and == wants equal types
}

// operands shows what both sides of a failed comparison were.
func (r *run) operands(ctx *hcl.EvalContext, cond hcl.Expression) string {
	op, ok := cond.(*hclsyntax.BinaryOpExpr)
	if !ok {
		return ""
	}
	var b strings.Builder
	for _, side := range []hclsyntax.Expression{op.LHS, op.RHS} {
		if inner, ok := side.(*hclsyntax.BinaryOpExpr); ok && inner.Op.Type == cty.Bool {
			b.WriteString(r.operands(ctx, inner))
			continue
		}
		if len(side.Variables()) == 0 {
			continue
		}
		v, diags := side.Value(ctx)
		if diags.HasErrors() {
			continue
		}
		text := types.Literal(v)
		if len(text) > 300 {
			text = text[:300] + "…"
		}
		rng := side.Range()
		fmt.Fprintf(&b, "\n  %s is %s", r.src[rng.Start.Byte:rng.End.Byte], text)
	}
	return b.String()
}

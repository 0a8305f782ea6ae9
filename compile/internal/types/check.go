package types

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// Check is one condition of an option's `check` attribute, an object
// { condition = …, message = "…" } or a list of such objects. Both expressions
// may read `value`, the option's final value, and whatever else the evaluator
// gives them.
type Check struct {
	Condition hcl.Expression
	Message   hcl.Expression
	Range     hcl.Range
}

// ParseChecks reads an option's `check`.
func ParseChecks(expr hcl.Expression) ([]Check, hcl.Diagnostics) {
	items, diags := hcl.ExprList(expr)
	if diags.HasErrors() {
		items = []hcl.Expression{expr}
	}
	var out []Check
	var all hcl.Diagnostics
	for _, item := range items {
		c := Check{Range: item.Range()}
		fail := func(format string, args ...any) {
			all = append(all, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Invalid check", Detail: fmt.Sprintf(format, args...), Subject: item.Range().Ptr()})
		}
		pairs, d := hcl.ExprMap(item)
		if d.HasErrors() {
			fail("check is { condition = value > 0, message = \"must be positive\" }, or a list of such objects.")
			continue
		}
		ok := true
		for _, kv := range pairs {
			switch k := hcl.ExprAsKeyword(kv.Key); k {
			case "condition":
				c.Condition = kv.Value
			case "message":
				c.Message = kv.Value
			default:
				s := ""
				if w := Suggest(k, []string{"condition", "message"}); w != "" {
					s = fmt.Sprintf(" Did you mean %q?", w)
				}
				fail("A check has condition and message, not %q.%s", k, s)
				ok = false
			}
		}
		if ok && (c.Condition == nil || c.Message == nil) {
			fail("A check needs both condition and message.")
			ok = false
		}
		if ok {
			out = append(out, c)
		}
	}
	return out, all
}

// Run evaluates the condition in ctx, which binds `value`. It gives "" when
// the condition holds, the message when it does not, and diagnostics when
// either cannot be evaluated.
func (c Check) Run(ctx *hcl.EvalContext) (string, hcl.Diagnostics) {
	ok, diags := c.Condition.Value(ctx)
	if diags.HasErrors() {
		return "", diags
	}
	ok, _ = ok.Unmark()
	if !ok.IsKnown() {
		return "", nil
	}
	if ok.IsNull() || ok.Type() != cty.Bool {
		return "", hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "Invalid check", Detail: "The condition must be true or false, not " + describe(ok) + ".", Subject: c.Condition.Range().Ptr()}}
	}
	if ok.True() {
		return "", nil
	}
	m, diags := c.Message.Value(ctx)
	if diags.HasErrors() {
		return "", diags
	}
	if m.IsMarked() {
		return "the check failed; its message holds a secret and is not shown", nil
	}
	if !m.IsKnown() || m.IsNull() || m.Type() != cty.String {
		return "", hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "Invalid check", Detail: "The message must be a string.", Subject: c.Message.Range().Ptr()}}
	}
	return m.AsString(), nil
}

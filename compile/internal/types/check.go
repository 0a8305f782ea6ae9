package types

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// Check is a condition and what is said where it does not hold.
type Check struct {
	Condition hcl.Expression
	Message   hcl.Expression
}

// Run evaluates the condition in ctx. It gives "" when
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

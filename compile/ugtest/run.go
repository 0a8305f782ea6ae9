package ugtest

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/unitgen/unitgen/compile"
	"github.com/unitgen/unitgen/compile/internal/funcs"
	"github.com/unitgen/unitgen/compile/internal/syntax"
	"github.com/unitgen/unitgen/compile/internal/types"
	"github.com/unitgen/unitgen/schema/diag"
)

func (r *run) run(ctx context.Context, o *Options) Result {
	res := Result{File: r.file, Name: r.name, Failures: []Failure{}}
	fail := func(at hcl.Range, format string, args ...any) {
		rng := syntax.Range(at)
		res.Failures = append(res.Failures, Failure{At: rng, Where: rng.String(), Message: fmt.Sprintf(format, args...)})
	}
	out, diags := compile.Compile(ctx, compile.Options{
		Dir: r.dir, Host: r.host, Variant: r.variant, Overrides: r.over, KeepSource: true, Remote: remote(o.Cache, r.dir),
	})
	var entries []Entry
	if !diags.HasErrors() {
		var d diag.List
		entries, d = o.Render(out.Tree)
		diags = append(diags, d...)
	}
	r.diagnostics(diags, fail)
	if !diags.HasErrors() || len(r.asserts) > 0 && r.expectsErrors() {
		r.assertions(out, entries, diags, fail)
	}
	if r.golden != "" && !diags.HasErrors() {
		r.compareGolden(entries, o.Update, &res, fail)
	}
	res.Passed = len(res.Failures) == 0
	return res
}

func (r *run) expectsErrors() bool {
	for _, e := range r.expects {
		if e.severity == "error" {
			return true
		}
	}
	return false
}

// diagnostics sees to it that every expected diagnostic came, and no error
// that was not expected.
func (r *run) diagnostics(diags diag.List, fail func(hcl.Range, string, ...any)) {
	used := make([]bool, len(diags))
	for _, e := range r.expects {
		found := false
		for i, d := range diags {
			if e.matches(d) {
				used[i], found = true, true
			}
		}
		if !found {
			fail(e.at, "no %s came%s", e.describe(), says(diags))
		}
	}
	for i, d := range diags {
		if d.Severity == diag.Error && !used[i] {
			fail(r.header, "%s[%s] at %s: %s: %s", d.Severity, d.ID(), d.Subject, d.Summary, d.Detail)
		}
	}
}

func says(diags diag.List) string {
	if len(diags) == 0 {
		return "; there were no diagnostics at all"
	}
	var out []string
	for _, d := range diags {
		out = append(out, fmt.Sprintf("%s[%s] at %s: %s", d.Severity, d.ID(), d.Subject, d.Detail))
	}
	return "; there were:\n  " + strings.Join(out, "\n  ")
}

func (e *expect) describe() string {
	s := e.severity
	if e.code != "" {
		s += " " + e.code
	}
	if e.message != nil {
		s += fmt.Sprintf(" that says %q", e.message)
	}
	if e.file != "" {
		s += " at " + e.file
		if e.line > 0 {
			s += fmt.Sprintf(":%d", e.line)
		}
	}
	return s
}

func (e *expect) matches(d *diag.Diagnostic) bool {
	return d.Severity.String() == e.severity && (e.code == "" || e.code == d.Code || e.code == d.ID()) &&
		(e.message == nil || e.message.MatchString(d.Summary+": "+d.Detail)) &&
		(e.file == "" || e.file == d.Subject.File) && (e.line == 0 || e.line == d.Subject.Start.Line)
}

// assertions evaluates the assert blocks.
func (r *run) assertions(out *compile.Result, entries []Entry, diags diag.List, fail func(hcl.Range, string, ...any)) {
	if len(r.asserts) == 0 {
		return
	}
	ctx := &hcl.EvalContext{Functions: funcs.Table(funcs.NewFiles(filepath.Dir(r.file), nil)), Variables: scope(out, entries, diags)}
	for _, b := range r.asserts {
		c := types.Check{Condition: b.Body.Attributes["condition"].Expr, Message: b.Body.Attributes["message"].Expr}
		msg, hd := c.Run(ctx)
		switch {
		case hd.HasErrors():
			at := b.DefRange()
			if hd[0].Subject != nil {
				at = *hd[0].Subject
			}
			fail(at, "%s: %s", hd[0].Summary, hd[0].Detail)
		case msg != "":
			fail(c.Condition.Range(), "%s%s", msg, r.operands(ctx, c.Condition))
		}
	}
}

package eval

import (
	"context"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/unitgen/unitgen/compile/internal/generate"
	"github.com/unitgen/unitgen/compile/internal/index"
	"github.com/unitgen/unitgen/compile/internal/syntax"
	"github.com/unitgen/unitgen/schema/diag"
)

// run runs a generator's program and takes over its problems.
func (e *Evaluator) run(b *index.Block, o generate.Options) (*generate.Output, bool) {
	ctx := e.o.Context
	if ctx == nil {
		ctx = context.Background()
	}
	out, hd := generate.Run(ctx, o)
	for _, d := range hd {
		at := b.Header
		if d.Subject != nil {
			at = *d.Subject
		}
		x := diag.Errorf("E0701", "Generator failed", syntax.Range(at), "%s: %s", d.Summary, strings.TrimSpace(d.Detail))
		if d.Severity != hcl.DiagError {
			x.Severity, x.Code, x.Summary = diag.Warning, "W0701", "Generator warns"
		}
		if at != b.Header {
			x.Related = append(x.Related, related("run by this block", b.Header))
		}
		e.Diags = append(e.Diags, x)
	}
	if hd.HasErrors() {
		return nil, false
	}
	if out != nil && e.o.Observed != nil {
		for _, f := range out.Files {
			e.o.Observed(b.Module, f)
		}
	}
	return out, true
}

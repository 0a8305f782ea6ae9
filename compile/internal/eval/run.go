package eval

import (
	"context"
	"io/fs"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/unitgen/unitgen/compile/internal/generate"
	"github.com/unitgen/unitgen/compile/internal/index"
	"github.com/unitgen/unitgen/compile/internal/syntax"
	"github.com/unitgen/unitgen/schema/diag"
)

// run runs a generator's program and takes over its problems.
func (e *Evaluator) run(b *index.Block, o generate.Options) (*generate.Output, bool) {
	out, hd := generate.Run(e.ctx(), o)
	if !e.jsonnetProblems(b.Header, hd) || out == nil {
		return nil, false
	}
	e.observed(b, out.Files)
	return out, e.made(out)
}

// Jsonnet runs the program that makes a file's content, and gives its result
// with the place of the program. at is where the block names it.
func (e *Evaluator) Jsonnet(b *index.Block, program string, input cty.Value, at hcl.Range) (*generate.Document, bool) {
	o := e.jsonnet(b, program, input)
	o.At = at
	out, hd := generate.Evaluate(e.ctx(), o)
	if !e.jsonnetProblems(at, hd) || out == nil {
		return nil, false
	}
	e.observed(b, out.Files)
	return out, true
}

// jsonnet says how to run a program of a block's module.
func (e *Evaluator) jsonnet(b *index.Block, program string, input cty.Value) generate.Options {
	o := generate.Options{Dir: b.Module.Dir, Display: b.Module.Prefix, Program: program, Input: input, At: b.Header, CacheDir: e.o.CacheDir}
	if b.Module.Bundled && e.o.Bundled != nil {
		if sub, err := fs.Sub(e.o.Bundled, b.Module.Dir); err == nil {
			o.Bundled = sub
		}
	}
	return o
}

func (e *Evaluator) ctx() context.Context {
	if e.o.Context == nil {
		return context.Background()
	}
	return e.o.Context
}

func (e *Evaluator) observed(b *index.Block, files []string) {
	if e.o.Observed == nil {
		return
	}
	for _, f := range files {
		e.o.Observed(b.Module, f)
	}
}

// jsonnetProblems reports what a program was refused for; block is where it is
// run.
func (e *Evaluator) jsonnetProblems(block hcl.Range, hd hcl.Diagnostics) bool {
	for _, d := range hd {
		at := block
		if d.Subject != nil {
			at = *d.Subject
		}
		text := strings.TrimSpace(d.Detail)
		if rest, ok := strings.CutPrefix(text, "there is"); ok {
			text = "There is" + rest
		}
		x := diag.Errorf("E0701", "Jsonnet program failed", syntax.Range(at), "%s", text)
		if d.Severity != hcl.DiagError {
			x.Severity, x.Code, x.Summary = diag.Warning, "W0701", "Jsonnet program warns"
		}
		if at != block {
			x.Related = append(x.Related, related("run by this block", block))
		}
		e.Diags = append(e.Diags, x)
	}
	return !hd.HasErrors()
}

package compile

import (
	"context"

	"github.com/unitgen/unitgen/schema/diag"
	"github.com/unitgen/unitgen/schema/tree"
)

// Check is Compile for callers that want the diagnostics alone: with a cache,
// when nothing changed, the files are read and hashed, and that is all. Its
// result has no tree then.
func Check(ctx context.Context, o Options) (*Result, diag.List) {
	if !o.cacheable() {
		return compile(ctx, o)
	}
	c := newCompilation(ctx, o)
	path := c.cachePath()
	if path == "" {
		return compile(ctx, o)
	}
	rec, same := c.recall(path)
	if same {
		r := &Result{Tree: &tree.Tree{}, Sources: Sources{}, c: c}
		c.restore(r, rec)
		return r, c.diags
	}
	if r, next, ok := c.again(rec); ok {
		next.write(path)
		r.Tree, r.Stats.Cached = &tree.Tree{}, true
		return r, nil
	}
	r, diags := c.finish()
	if r.c == c {
		c.remember(path, r)
	}
	return r, diags
}

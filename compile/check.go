package compile

import (
	"context"

	"github.com/unitgen/unitgen/schema/diag"
)

// Check is Compile for callers that want the diagnostics alone: with a cache,
// nothing is read again but the files' bytes when nothing changed.
func Check(ctx context.Context, o Options) (*Result, diag.List) {
	return compile(ctx, o)
}

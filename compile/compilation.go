package compile

import (
	"context"

	"github.com/unitgen/unitgen/schema/diag"
	"github.com/unitgen/unitgen/schema/tree"
)

type compilation struct{}

func compile(ctx context.Context, o Options) (*Result, diag.List) {
	return &Result{Tree: &tree.Tree{}, c: &compilation{}}, nil
}

func (c *compilation) sourceBytes(file string) []byte { return nil }

func (c *compilation) explain(path string) (*Explanation, diag.List) { return nil, nil }

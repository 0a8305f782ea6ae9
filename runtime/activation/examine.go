package activation

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/unitgen/unitgen/runtime/generation"
	"github.com/unitgen/unitgen/runtime/plan"
)

// Examination is what a switch to a tree would find.
type Examination struct {
	Refusals []error  // what it would be refused for
	Warnings []string // what the tree asks for and the host would not give
	Repaired []string // paths that drifted from the current generation, and that it would put back
}

// Examine goes through the preflight of a switch to a tree that is no
// generation yet, and changes nothing. An error means that it cannot be known.
func Examine(ctx context.Context, o Options, treeDir string) (Examination, error) {
	var x Examination
	s := o.State
	if h, ok := s.Holder(); ok {
		x.Refusals = append(x.Refusals, &generation.LockedError{Dir: s.Dir(), Holder: h})
	}
	from, ok, err := s.Current()
	if err != nil {
		return x, err
	}
	a := &Activation{o: o, old: plan.Empty(), planned: true}
	if ok {
		if a.old, err = plan.Read(from.Tree); err != nil {
			return x, fmt.Errorf("the tree of generation %d, the current one, cannot be read: %w", from.Number, err)
		}
	}
	if a.new, err = plan.Read(treeDir); err != nil {
		return x, err
	}
	a.begin = begin{From: from.Number, To: from.Number + 1, Active: map[string][]string{}, Failed: map[string][]string{}}
	if _, err := os.Stat(s.Dir()); errors.Is(err, os.ErrNotExist) && o.Place != nil {
		o.Place.fresh = true
	}
	x.Refusals = append(x.Refusals, a.examine(ctx, from, generation.Generation{Tree: treeDir})...)
	x.Repaired, x.Warnings = a.report.Repaired, a.report.Warnings
	return x, nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/unitgen/unitgen/emit/store"
	"github.com/unitgen/unitgen/runtime/activation"
	"github.com/unitgen/unitgen/runtime/generation"
)

func newGC(a *app) *cobra.Command {
	var state string
	var keep int
	cmd := &cobra.Command{
		Use:   "gc",
		Short: "Remove trees that no generation needs",
		Long: `Remove from the store every tree that no generation needs, and what builds and
switches that were killed left behind. With --keep N, generations but for the
newest N go first. The current one, the one that boots, pinned ones and what the
running manager loaded always stay.`,
		Example: `  unitgen gc
  unitgen gc --keep 5`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if keep < -1 || keep == 0 {
				return &exitError{exitWrong, errors.New("--keep wants a number of at least 1")}
			}
			s, err := openState(state)
			if err != nil {
				return err
			}
			if _, err := os.Stat(s.Dir()); errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			lock, err := lockState(s, "gc")
			if err != nil {
				return err
			}
			defer lock.Release()
			return a.collect(cmd.Context(), s, keep)
		},
	}
	stateFlag(cmd, &state)
	cmd.Flags().IntVar(&keep, "keep", -1, "delete generations but for the newest `N`")
	return cmd
}

func (a *app) collect(ctx context.Context, s *generation.State, keep int) error {
	if from, to, found, err := activation.Interrupted(s); err != nil {
		return refusedBy(err)
	} else if found {
		return &exitError{exitRefused, fmt.Errorf("a switch from generation %d to %d was cut off; run \"unitgen recover\" first", from, to)}
	}
	if keep > 0 {
		all, err := s.List()
		if err != nil {
			return refusedBy(err)
		}
		for _, g := range all[:max(0, len(all)-keep)] {
			if g.Current || g.Boot || g.Pinned {
				continue
			}
			if err := s.Delete(g.Number); err != nil {
				return refusedBy(err)
			}
			fmt.Fprintf(a.out, "generation %d deleted\n", g.Number)
		}
	}
	roots, err := s.Roots(runningTrees(ctx, s)...)
	if err != nil {
		return refusedBy(err)
	}
	if _, err := s.Temporaries(); err != nil {
		return refusedBy(err)
	}
	removed, err := store.Open(s.Dir()).Collect(roots)
	for _, p := range removed {
		fmt.Fprintf(a.out, "%s removed\n", filepath.Base(p))
	}
	if err != nil {
		return refusedBy(err)
	}
	return nil
}

// runningTrees gives the trees that running managers have unit files from.
func runningTrees(ctx context.Context, s *generation.State) []string {
	targets, _, done, err := managers(ctx, s)
	if err != nil {
		return nil
	}
	defer done()
	var out []string
	for _, t := range targets {
		out = append(out, activation.TreesInUse(ctx, s, t)...)
	}
	return out
}

// tidy removes what interrupted commands left, where nobody is at work.
func (a *app) tidy(s *generation.State) error {
	if _, err := os.Stat(s.Dir()); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	lock, err := lockState(s, "recover")
	if err != nil {
		return err
	}
	defer lock.Release()
	if _, err := s.Temporaries(); err != nil {
		return refusedBy(err)
	}
	return nil
}

package main

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/unitgen/unitgen/runtime/generation"
)

func newRollback(a *app) *cobra.Command {
	var f switchFlags
	cmd := &cobra.Command{
		Use:   "rollback [N]",
		Short: "Activate an earlier generation",
		Long: `Activate generation N, or the one that was current when the present one was made.
Generations whose switch failed are passed over, unless they are named. It is the
same transaction as a switch: planned, watched, undone where it fails.`,
		Example: `  unitgen rollback
  unitgen rollback 12`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.check(); err != nil {
				return err
			}
			n := 0
			if len(args) == 1 {
				var err error
				if n, err = strconv.Atoi(args[0]); err != nil || n < 1 {
					return &exitError{exitWrong, fmt.Errorf("%q is no number of a generation", args[0])}
				}
			}
			s, err := openState(f.state)
			if err != nil {
				return err
			}
			if !f.bootOnly {
				if done, err := a.inUnitOfOwn(cmd.Context(), s, "rollback"); done {
					return err
				}
			}
			lock, err := lockState(s, "rollback")
			if err != nil {
				return err
			}
			defer lock.Release()
			return a.activate(cmd.Context(), s, f, func() (generation.Generation, bool, error) {
				g, err := rollbackTo(s, n)
				return g, false, err
			})
		},
	}
	f.add(cmd)
	return cmd
}

// rollbackTo gives generation n, or for 0 the one to go back to from the
// current.
func rollbackTo(s *generation.State, n int) (generation.Generation, error) {
	if n > 0 {
		return s.Get(n)
	}
	cur, ok, err := s.Current()
	if err != nil {
		return cur, err
	}
	if !ok {
		return cur, errors.New("there is no current generation to go back from")
	}
	return s.Back(cur.Number)
}

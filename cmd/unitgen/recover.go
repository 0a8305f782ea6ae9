package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/unitgen/unitgen/runtime/activation"
	"github.com/unitgen/unitgen/runtime/bus"
	"github.com/unitgen/unitgen/runtime/generation"
)

func newRecover(a *app) *cobra.Command {
	var state string
	var boot bool
	cmd := &cobra.Command{
		Use:   "recover",
		Short: "Finish or undo a switch that was cut off",
		Long: `Finish or undo a switch that was killed or lost its power in the middle. Where no
manager runs, the files alone are put right and the units come up from them. A
state directory that somebody damaged is brought to one generation: a "current"
that leads nowhere to the one that boots, files to what is current.

With nothing to recover it puts back what drifted: managed files and links that
are gone, or have another owner or mode. Paths that somebody else took meanwhile
are refused (exit code 2); "unitgen switch --adopt" takes them over.`,
		Example: `  unitgen recover`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := openState(state)
			if err != nil {
				return err
			}
			if boot {
				return a.recoverAtBoot(cmd.Context(), s)
			}
			_, _, found, err := activation.Interrupted(s)
			damaged := errors.Is(err, activation.ErrJournal) || s.Astray()
			switch {
			case err != nil && !damaged:
				return refusedBy(err)
			case !found && !damaged:
				if err := a.tidy(s); err != nil {
					return err
				}
				if placed, err := activation.Placed(s); err != nil || len(placed.Items) == 0 {
					return refusedBy(err)
				}
			}
			if done, err := a.inUnitOfOwn(cmd.Context(), s, "recover"); done {
				return err
			}
			lock, err := lockState(s, "recover")
			if err != nil {
				return err
			}
			defer lock.Release()
			ctx, stop := unhurried(cmd.Context())
			defer stop()
			targets, place, done, err := managers(ctx, s)
			switch {
			case errors.Is(err, bus.ErrNoManager):
			case err != nil:
				return refusedBy(err)
			default:
				defer done()
			}
			o := activation.Options{State: s, Targets: targets, Place: place}
			if damaged {
				return a.restore(ctx, o)
			}
			if !found {
				return a.repair(ctx, o)
			}
			r, err := activation.Recover(ctx, o)
			if err != nil {
				return &exitError{exitBroken, err}
			}
			a.sayRecovery(r)
			if len(r.Leftover) > 0 {
				return &exitError{code: exitBroken}
			}
			return nil
		},
	}
	stateFlag(cmd, &state)
	cmd.Flags().BoolVar(&boot, "boot", false, "put files alone in order, early in a boot, when no unit runs yet")
	return cmd
}

// repair puts back what drifted from the current generation.
func (a *app) repair(ctx context.Context, o activation.Options) error {
	cur, ok, err := o.State.Current()
	if err != nil {
		return refusedBy(err)
	}
	if !ok || o.Place == nil {
		return nil
	}
	o.To, o.Repair, o.NoBoot = cur.Number, true, true
	r, err := activation.Switch(ctx, o)
	if r.Outcome == activation.Done {
		for _, p := range r.Repaired {
			fmt.Fprintf(a.out, "Put back: %s\n", p)
		}
		if err != nil {
			return &exitError{exitBroken, err}
		}
		return nil
	}
	if r.Outcome == activation.Refused {
		return refusedBy(err)
	}
	return a.sayReport(r, err, switchFlags{})
}

// restore brings a host whose state directory was damaged to one generation.
func (a *app) restore(ctx context.Context, o activation.Options) error {
	r, err := activation.Restore(ctx, o)
	if err != nil {
		return &exitError{exitBroken, err}
	}
	if r.Moved {
		fmt.Fprintf(a.err, "unitgen: current led to no generation; it leads to generation %d now\n", r.Current)
	}
	if r.Journal == "" {
		return nil
	}
	return &exitError{exitBroken, fmt.Errorf("the journal of a switch could not be read and lies at %s now; the files are those of generation %d, and units that the switch had stopped or started are as it left them", r.Journal, r.Current)}
}

// recoverAtBoot undoes or finishes a switch that lost its power, and brings the
// files of /etc to the generation that boots. Units come up from it by
// themselves.
func (a *app) recoverAtBoot(ctx context.Context, s *generation.State) error {
	lock, err := lockState(s, "recover")
	if err != nil {
		return err
	}
	defer lock.Release()
	place := hostPlace()
	place.Run = nil // systemd does at boot what these programs do
	o := activation.Options{State: s, Place: place}
	if _, _, _, err := activation.Interrupted(s); errors.Is(err, activation.ErrJournal) || s.Astray() {
		return a.restore(ctx, o)
	}
	r, err := activation.Recover(ctx, o)
	if err != nil {
		return &exitError{exitBroken, err}
	}
	a.sayRecovery(r)
	if err := activation.SettleFiles(s, place); err != nil {
		return &exitError{exitBroken, err}
	}
	return nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/unitgen/unitgen/runtime/activation"
	"github.com/unitgen/unitgen/runtime/generation"
)

// switchFlags say how a generation is activated.
type switchFlags struct {
	state      string
	bootOnly   bool
	noBoot     bool
	adopt      bool
	force      bool
	json       bool
	units, etc string
	onFailure  string
	jobTimeout time.Duration
	settle     time.Duration
}

func (f *switchFlags) add(cmd *cobra.Command) {
	stateFlag(cmd, &f.state)
	cmd.Flags().BoolVar(&f.bootOnly, "boot-only", false, "activate it from the next boot on; nothing that runs is touched")
	cmd.Flags().BoolVar(&f.noBoot, "no-boot", false, "activate it now, but leave what the next boot starts")
	cmd.Flags().StringVar(&f.units, "units", "", "how units get into systemd's load path: directory, generator or links (default as before; at first directory, or generator where that is taken)")
	cmd.Flags().StringVar(&f.etc, "etc", "", "how files get into /etc: links, or overlay (the tree lies over /etc, read-only; the state is outside /etc) (default as before, links at first)")
	cmd.Flags().StringVar(&f.onFailure, "on-failure", "rollback", "when units newly fail: rollback or keep")
	cmd.Flags().BoolVar(&f.adopt, "adopt", false, "take over files in /etc that are somebody else's; a backup is kept")
	cmd.Flags().BoolVar(&f.force, "force", false, "switch in spite of inhibitors, of a tree that was modified in the store, and of little space")
	cmd.Flags().BoolVar(&f.json, "json", false, "print what was done as JSON")
	f.jobTimeout, f.settle = activation.DefaultJobTimeout, activation.DefaultSettle
	cmd.Flags().Var((*timeSpan)(&f.jobTimeout), "job-timeout", "how long the jobs of one phase may take")
	cmd.Flags().Var((*timeSpan)(&f.settle), "settle", "how long started services are watched for a failure")
}

func (f *switchFlags) check() error {
	switch {
	case f.bootOnly && f.noBoot:
		return &exitError{exitWrong, errors.New("--boot-only and --no-boot leave nothing to do")}
	case f.onFailure != "rollback" && f.onFailure != "keep":
		return &exitError{exitWrong, fmt.Errorf("--on-failure %q is neither rollback nor keep", f.onFailure)}
	case f.etc != "" && f.etc != "links" && f.etc != "overlay":
		return &exitError{exitWrong, fmt.Errorf("--etc %q is neither links nor overlay", f.etc)}
	}
	switch activation.UnitsMode(f.units) {
	case activation.UnitsAuto, activation.UnitsDirectory, activation.UnitsGenerator, activation.UnitsLinks:
		return nil
	}
	return &exitError{exitWrong, fmt.Errorf("--units %q is none of directory, generator, links", f.units)}
}

func newSwitch(a *app) *cobra.Command {
	var h hostFlags
	var f switchFlags
	cmd := &cobra.Command{
		Use:   "switch [DIR]",
		Short: "Build a host and activate it as a new generation",
		Long: `Build the host in DIR, make a generation of it where it differs from the current
one, and activate that as a transaction: what "unitgen plan" says is carried
out, started services are watched, and what fails is undone.

A switch that was cut off is undone or finished first.

Exit codes: 0 done; 1 the configuration is wrong; 2 refused (a conflict, a lock,
an inhibitor, no manager, a full disk), nothing touched; 3 failed and rolled back; 4 failed
and not rolled back completely; 5 done, with newly failed units kept.`,
		Example: `  unitgen switch
  unitgen switch ./web1 --on-failure keep
  unitgen switch --boot-only`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.check(); err != nil {
				return err
			}
			h.json = f.json
			s, err := openState(f.state)
			if err != nil {
				return err
			}
			if !f.bootOnly {
				if done, err := a.inUnitOfOwn(cmd.Context(), s, "switch"); done {
					return err
				}
			}
			img, err := a.render(cmd.Context(), dirArg(args), h)
			if err != nil {
				return err
			}
			lock, err := lockState(s, "switch")
			if err != nil {
				return err
			}
			defer lock.Release()
			return a.activate(cmd.Context(), s, f, func() (generation.Generation, bool, error) {
				stored, err := a.putWhole(s, img)
				if err != nil {
					return generation.Generation{}, false, err
				}
				return generationOf(s, stored.Path)
			})
		},
	}
	h.add(cmd)
	f.add(cmd)
	return cmd
}

// generationOf gives the generation of a tree: the current or the newest one
// where it is that tree, else a new one (true).
func generationOf(s *generation.State, treePath string) (generation.Generation, bool, error) {
	if g, ok, err := s.Current(); err != nil || ok && g.Tree == treePath {
		return g, false, err
	}
	all, err := s.List()
	if err != nil {
		return generation.Generation{}, false, err
	}
	if len(all) > 0 && all[len(all)-1].Tree == treePath {
		g := all[len(all)-1]
		return g, false, s.Reparent(g.Number)
	}
	g, err := s.Create(treePath)
	return g, err == nil, err
}

// activate finishes what was cut off, finds the managers, chooses the
// generation and switches to it. The state's lock is held.
func (a *app) activate(ctx context.Context, s *generation.State, f switchFlags, choose func() (generation.Generation, bool, error)) error {
	ctx, stop := unhurried(ctx)
	defer stop()
	targets, place, done, err := managers(ctx, s)
	if err != nil && !f.bootOnly {
		return &exitError{exitRefused, err}
	}
	if err == nil {
		defer done()
	}
	if place != nil {
		place.Units, place.Etc = activation.UnitsMode(f.units), activation.EtcMode(f.etc)
	}
	if f.etc == "overlay" && (place == nil || place.User != "") {
		return &exitError{exitRefused, errors.New("--etc overlay lays the tree over the machine's /etc, and needs root and the machine's systemd")}
	}
	if err := a.recoverFirst(ctx, s, targets, place); err != nil {
		return err
	}
	g, created, err := choose()
	if err != nil {
		return refusedBy(err)
	}
	if note := otherHost(s, g.Tree); note != "" {
		a.note(note)
	}
	a.noteTooNew(ctx, s, targets, g.Tree)
	o := activation.Options{
		State: s, To: g.Number, Targets: targets, Place: place, NoBoot: f.noBoot, Adopt: f.adopt,
		Force: f.force, KeepOnFailure: f.onFailure == "keep", JobTimeout: f.jobTimeout, Settle: f.settle,
	}
	o.Log = unitLog
	o.Unprivileged = os.Geteuid() != 0
	if place != nil && place.User == "" {
		o.Inhibitors = shutdownInhibitors
	}
	if f.bootOnly {
		if err := activation.BootOnly(o); err != nil {
			if created {
				err = errors.Join(err, s.Discard(g.Number))
			}
			return refusedBy(err)
		}
		return a.sayBootOnly(g, f.json)
	}
	if !f.json {
		o.Progress = a.progress()
	}
	report, err := activation.Switch(ctx, o)
	for _, w := range report.Warnings {
		fmt.Fprintln(a.err, "unitgen: warning: "+w)
	}
	if report.Outcome == activation.Refused {
		if created {
			err = errors.Join(err, s.Discard(g.Number))
		}
		return refusedBy(err)
	}
	return a.sayReport(report, err, f)
}

// recoverFirst undoes or finishes a switch that was cut off.
func (a *app) recoverFirst(ctx context.Context, s *generation.State, targets []activation.Target, place *activation.Place) error {
	_, _, found, err := activation.Interrupted(s)
	if err != nil {
		return refusedBy(err)
	}
	if !found && s.Astray() {
		return a.restore(ctx, activation.Options{State: s, Targets: targets, Place: place})
	}
	if !found {
		return nil
	}
	r, err := activation.Recover(ctx, activation.Options{State: s, Targets: targets, Place: place})
	if err != nil {
		return &exitError{exitBroken, err}
	}
	a.sayRecovery(r)
	return nil
}

// refusedBy gives an error exitRefused, unless it carries an exit code.
func refusedBy(err error) error {
	var ee *exitError
	if err == nil || errors.As(err, &ee) {
		return err
	}
	return &exitError{exitRefused, err}
}

// unhurried keeps a switch going when the terminal goes away. The first
// interrupt ends the context, which undoes the switch.
func unhurried(ctx context.Context) (context.Context, func()) {
	signal.Ignore(syscall.SIGHUP, syscall.SIGPIPE)
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	return ctx, func() {
		stop()
		signal.Reset(syscall.SIGHUP, syscall.SIGPIPE)
	}
}

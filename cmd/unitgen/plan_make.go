package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/unitgen/unitgen/emit"
	"github.com/unitgen/unitgen/runtime/activation"
	"github.com/unitgen/unitgen/runtime/bus"
	"github.com/unitgen/unitgen/runtime/generation"
	"github.com/unitgen/unitgen/runtime/plan"
	"github.com/unitgen/unitgen/schema/tree"
)

// planning is the output of `plan --json`: the plan, and what stands around it.
type planning struct {
	*plan.Plan
	// Refused is what a switch would be refused for, a sentence each; empty
	// where it was not asked (--from, --states, no manager).
	Refused []string `json:"refused"`
	// Notes are what somebody should know before a switch.
	Notes []string `json:"notes"`
	// Values are what directives and files were and will be, with --values.
	Values *values `json:"values,omitempty"`

	old, new *plan.Tree
}

// planFrom chooses the tree that a plan starts from.
func planFrom(s *generation.State, from string) (*plan.Tree, error) {
	if from != "" {
		return plan.Read(from)
	}
	g, ok, err := s.Current()
	if err != nil || !ok {
		return plan.Empty(), err
	}
	return plan.Read(g.Tree)
}

// planTo gives the directory of the tree that a plan leads to, built into a
// temporary one where it is a host's; done removes that.
func (a *app) planTo(ctx context.Context, args []string, f hostFlags, to string) (dir string, done func(), err error) {
	if to != "" {
		return to, func() {}, nil
	}
	img, err := a.render(ctx, dirArg(args), f)
	if err != nil {
		return "", nil, err
	}
	tmp, err := os.MkdirTemp("", "unitgen-plan-")
	if err != nil {
		return "", nil, err
	}
	done = func() { os.RemoveAll(tmp) }
	dir = filepath.Join(tmp, img.Hash+"-"+img.Name)
	if err := img.WriteDir(dir); err != nil {
		done()
		return "", nil, err
	}
	if err := os.WriteFile(dir+".sources", img.Sources, 0o600); err != nil {
		done()
		return "", nil, err
	}
	return dir, done, nil
}

// plan makes the plan that the arguments ask for.
func (a *app) plan(ctx context.Context, args []string, f hostFlags, stateDir, from, to, states string) (*planning, func(), error) {
	if to != "" && len(args) > 0 {
		return nil, nil, &exitError{exitWrong, fmt.Errorf("DIR and --to are two targets; give one")}
	}
	s, err := openState(stateDir)
	if err != nil {
		return nil, nil, err
	}
	p := &planning{Refused: []string{}, Notes: []string{}}
	if p.old, err = planFrom(s, from); err != nil {
		return nil, nil, &exitError{exitWrong, err}
	}
	dir, done, err := a.planTo(ctx, args, f, to)
	if err != nil {
		return nil, nil, err
	}
	if err := a.planUnits(ctx, s, p, dir, from == "", states); err != nil {
		done()
		return nil, nil, err
	}
	return p, done, nil
}

// planUnits fills in the plan to the tree in dir. One that goes from the current
// generation, for the units as they are, is examined as a switch would be.
func (a *app) planUnits(ctx context.Context, s *generation.State, p *planning, dir string, current bool, statesFile string) error {
	var err error
	if p.new, err = plan.Read(dir); err != nil {
		return &exitError{exitWrong, err}
	}
	var st plan.States
	if statesFile != "" {
		if st, err = a.statesOf(statesFile); err != nil {
			return err
		}
		p.Plan = plan.Make(p.old, p.new, st)
		return nil
	}
	targets, place, done, err := managers(ctx, s)
	switch {
	case errors.Is(err, bus.ErrNoManager):
		fmt.Fprintln(a.err, "unitgen: no service manager answers; this is the plan for a host where nothing runs")
	case err != nil:
		return &exitError{exitRefused, err}
	default:
		defer done()
	}
	if st, err = askStates(ctx, targets); err != nil {
		return &exitError{exitRefused, err}
	}
	if st.Links, err = place.Links(s); err != nil {
		return refusedBy(err)
	}
	p.Plan = plan.Make(p.old, p.new, st)
	p.Notes = append(p.Notes, tooNew(ctx, targets, p.old.Dir(), dir)...)
	if !current {
		return nil
	}
	if note := otherHost(s, dir); note != "" {
		p.Notes = append(p.Notes, note)
	}
	if from, to, found, err := activation.Interrupted(s); err == nil && found {
		if _, running := s.Holder(); !running {
			p.Notes = append(p.Notes, fmt.Sprintf("the switch from generation %d to %d was cut off; a switch undoes or finishes it first, and this plan is for the host as it is", from, to))
		}
	}
	if len(targets) == 0 {
		return nil
	}
	o := activation.Options{State: s, Targets: targets, Place: place, Unprivileged: os.Geteuid() != 0}
	if place != nil && place.User == "" {
		o.Inhibitors = shutdownInhibitors
	}
	x, err := activation.Examine(ctx, o, dir)
	if err != nil {
		return refusedBy(err)
	}
	p.Notes = append(p.Notes, x.Warnings...)
	for _, r := range x.Refusals {
		p.Refused = append(p.Refused, r.Error())
	}
	for _, path := range x.Repaired {
		p.Files.Repaired = append(p.Files.Repaired, strings.TrimPrefix(path, "/"))
	}
	return nil
}

// statesOf reads the FILE of --states.
func (a *app) statesOf(file string) (plan.States, error) {
	read := os.ReadFile
	if file == "-" {
		read = func(string) ([]byte, error) { return io.ReadAll(a.in) }
	}
	b, err := read(file)
	if err != nil {
		return plan.States{}, &exitError{exitWrong, err}
	}
	st, err := plan.ParseStates(b)
	if err != nil {
		return st, &exitError{exitWrong, fmt.Errorf("%s: %w", file, err)}
	}
	return st, nil
}

// askStates asks the managers for the states of their units. Without one
// nothing is up.
func askStates(ctx context.Context, targets []activation.Target) (plan.States, error) {
	st := plan.States{System: map[string]string{}, User: map[string]string{}}
	for _, t := range targets {
		m, err := activation.States(ctx, t)
		if err != nil {
			return st, err
		}
		into := st.System
		if t.Scope == tree.User {
			into = st.User
		}
		for u, state := range m {
			if into[u] == "" || into[u] == "inactive" {
				into[u] = state
			}
		}
	}
	return st, nil
}

// otherHost says that a tree is another host's than the current generation,
// "" where it is not: everything of the other one would stop.
func otherHost(s *generation.State, treeDir string) string {
	g, ok, err := s.Current()
	if err != nil || !ok || g.Tree == treeDir {
		return ""
	}
	was, err := emit.ReadManifest(g.Tree)
	if err != nil {
		return ""
	}
	is, err := emit.ReadManifest(treeDir)
	if err != nil || is.Host == was.Host {
		return ""
	}
	return fmt.Sprintf("this is the host %q, and the current generation %d is the host %q", is.Host, g.Number, was.Host)
}

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/unitgen/unitgen/runtime/manager"
	"github.com/unitgen/unitgen/runtime/transaction"
	"github.com/unitgen/unitgen/runtime/unitstate"
	"github.com/unitgen/unitgen/schema/load"
	"github.com/unitgen/unitgen/schema/tree"
	"github.com/unitgen/unitgen/schema/unitname"
)

// transactionJSON is the output of analyze transaction.
type transactionJSON struct {
	Jobs    []transactionJob     `json:"jobs"`
	Dropped []transactionDropped `json:"dropped"`
	Error   *string              `json:"error"`
}

type transactionJob struct {
	Unit string `json:"unit"`
	Type string `json:"type"`
}

type transactionDropped struct {
	Unit string `json:"unit"`
	Type string `json:"type"`
	Why  string `json:"why"`
}

func newAnalyzeTransaction(a *app) *cobra.Command {
	var root, mode, states string
	var user bool
	cmd := &cobra.Command{
		Use:   "transaction --root DIR start|stop|restart UNIT…",
		Short: "The jobs that a request would make, as JSON",
		Long: `Compute the transaction of a request on the units below DIR, as the manager
would, and print its jobs as JSON: {"jobs":[{"unit","type"}],
"dropped":[{"unit","type","why"}],"error":null}.

For start, all units are inactive; for the other requests, all units are active
but those that conflict with a named one. --states FILE says otherwise:
{"nginx.service":"active",…}, unlisted units are inactive. Several units are
requested one after another, as systemctl does it.

Types: start, stop, restart, try-restart, reload, reload-or-restart,
reload-or-try-restart, verify-active.`,
		Example: `  unitgen analyze transaction --root ./tree start multi-user.target
  unitgen analyze transaction --root ./tree --mode isolate start rescue.target`,
		Args: cobra.MinimumNArgs(2),
		RunE: func(_ *cobra.Command, args []string) error {
			return a.analyzeTransaction(root, user, mode, states, args[0], args[1:])
		},
	}
	cmd.Flags().StringVar(&root, "root", "", "the root directory that holds the units (required)")
	cmd.Flags().StringVar(&mode, "mode", "replace", "job mode: replace, fail, isolate, ignore-dependencies, ignore-requirements, flush, replace-irreversibly, triggering")
	cmd.Flags().BoolVar(&user, "user", false, "the user manager's units")
	cmd.Flags().StringVar(&states, "states", "", "active states of units, as JSON in `FILE`")
	return cmd
}

func (a *app) analyzeTransaction(root string, user bool, mode, states, verb string, names []string) error {
	if root == "" {
		return &exitError{exitWrong, errors.New("analyze transaction needs --root DIR")}
	}
	if st, err := os.Stat(root); err != nil {
		return &exitError{exitWrong, err}
	} else if !st.IsDir() {
		return &exitError{exitWrong, fmt.Errorf("%s is no directory", root)}
	}
	scope := tree.System
	if user {
		scope = tree.User
	}
	given := map[string]unitstate.ActiveState{}
	if states != "" {
		b, err := os.ReadFile(states)
		if err != nil {
			return &exitError{exitWrong, err}
		}
		if err := json.Unmarshal(b, &given); err != nil {
			return &exitError{exitWrong, fmt.Errorf("%s: %w", states, err)}
		}
	}
	for _, n := range names {
		if !unitname.Valid(n) || unitname.IsTemplate(n) {
			return &exitError{exitWrong, fmt.Errorf("%q is no name of a unit that can be started", n)}
		}
	}
	loader := load.New(load.Options{Scope: scope, Root: root, Builtin: standardUnits(root, scope)})
	g := transaction.NewGraph()
	want := slices.Clone(names)
	if verb != string(unitstate.Start) || len(given) > 0 {
		// what runs is loaded, and may be concerned
		for _, n := range loader.Names() {
			if unitname.Valid(n) && !unitname.IsTemplate(n) {
				want = append(want, n)
			}
		}
	}
	for _, f := range loader.Closure(want...) {
		g.Add(f)
	}
	assume(g, verb, names, given, states != "")

	out := transactionJSON{Jobs: []transactionJob{}, Dropped: []transactionDropped{}}
	jobs := map[*transaction.Unit]unitstate.JobType{}
	for _, n := range names {
		r, err := transaction.Build(g, transaction.Request{Type: unitstate.JobType(verb), Unit: n, Mode: unitstate.JobMode(mode)})
		if err != nil {
			s := err.Error()
			if out.Error == nil {
				out.Error = &s
			}
			continue
		}
		for _, u := range r.Cancel {
			delete(jobs, u)
			u.Job = nil
		}
		for _, j := range r.Jobs {
			t := j.Type
			if old, ok := jobs[j.Unit]; ok {
				if m, ok := transaction.Merge(old, t); ok {
					t = m
				}
			}
			jobs[j.Unit] = t
			j.Unit.Job = &transaction.Queued{ID: 1, Type: t, Irreversible: r.Irreversible}
		}
		for _, d := range r.Dropped {
			out.Dropped = append(out.Dropped, transactionDropped{d.Unit, string(d.Type), d.Why})
		}
	}
	for u, t := range jobs {
		out.Jobs = append(out.Jobs, transactionJob{u.Name, string(t)})
	}
	slices.SortFunc(out.Jobs, func(x, y transactionJob) int { return compareStrings(x.Unit, y.Unit) })
	enc := json.NewEncoder(a.out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(out); err != nil {
		return err
	}
	if out.Error != nil {
		return &exitError{code: exitWrong}
	}
	return nil
}

// standardUnits gives the manager's own targets for a root that is a tree and
// no machine: one where no distribution has put any.
func standardUnits(root string, scope tree.Scope) map[string][]byte {
	for _, d := range []string{"usr/lib/systemd", "lib/systemd", "etc/systemd/" + string(scope) + "/sysinit.target"} {
		if _, err := os.Stat(filepath.Join(root, d)); err == nil {
			return nil
		}
	}
	return manager.StandardUnits(scope)
}

// assume gives the units the states that the request starts from.
func assume(g *transaction.Graph, verb string, names []string, given map[string]unitstate.ActiveState, only bool) {
	for _, n := range []string{"-.slice", "system.slice", "init.scope", "-.mount"} {
		if u := g.Unit(n); u != nil {
			u.Active = unitstate.Active
		}
	}
	if only {
		for n, s := range given {
			if u := g.Unit(n); u != nil {
				u.Active = s
			}
		}
		return
	}
	if verb == string(unitstate.Start) || verb == string(unitstate.VerifyActive) {
		return
	}
	down := map[*transaction.Unit]bool{}
	for _, n := range names {
		if u := g.Unit(n); u != nil {
			for _, t := range []transaction.DepType{transaction.Conflicts, transaction.ConflictedBy} {
				for _, c := range u.Deps(t) {
					down[c] = true
				}
			}
		}
	}
	for _, u := range g.Units() {
		if u.Load == unitstate.LoadLoaded && !down[u] {
			u.Active = unitstate.Active
		}
	}
}

func compareStrings(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/unitgen/unitgen/runtime/activation"
	"github.com/unitgen/unitgen/runtime/bus"
	"github.com/unitgen/unitgen/runtime/plan"
	"github.com/unitgen/unitgen/schema/tree"
)

func newPlan(a *app) *cobra.Command {
	var f hostFlags
	var state, from, to, states string
	var verbose bool
	cmd := &cobra.Command{
		Use:   "plan [DIR]",
		Short: "Say what a switch would do, and why",
		Long: `Say what a switch to the host in DIR would do, and why: which units stop, start,
restart or reload, which changed units need nothing, and which files differ.
Nothing is changed.

The plan goes from the current generation, for the units as they are now. With
--from and --to it goes between any two trees (a directory with
etc/systemd/system in it is enough), and with --states for units in the states
of a file, without a manager: {"nginx.service":"active", …}; units that the file
does not list are inactive.`,
		Example: `  unitgen plan
  unitgen plan ./web1 --json
  unitgen plan --from ./old --to ./new --states states.json`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := a.plan(cmd.Context(), args, f, state, from, to, states)
			if err != nil {
				return err
			}
			if f.json {
				return writeJSON(a.out, p)
			}
			return showPlan(a.out, p, verbose)
		},
	}
	f.add(cmd)
	stateFlag(cmd, &state)
	cmd.Flags().StringVar(&from, "from", "", "plan from `TREE` instead of the current generation")
	cmd.Flags().StringVar(&to, "to", "", "plan to `TREE` instead of building DIR")
	cmd.Flags().StringVar(&states, "states", "", "take the states of the units from `FILE` (- for stdin) instead of a manager")
	cmd.Flags().BoolVar(&f.json, "json", false, "print the plan as JSON")
	cmd.Flags().BoolVarP(&verbose, "verbose", "v", false, "name every file")
	return cmd
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// plan makes the plan that the arguments ask for.
func (a *app) plan(ctx context.Context, args []string, f hostFlags, stateDir, from, to, states string) (*plan.Plan, error) {
	if to != "" && len(args) > 0 {
		return nil, &exitError{exitWrong, fmt.Errorf("DIR and --to are two targets; give one")}
	}
	s, err := openState(stateDir)
	if err != nil {
		return nil, err
	}
	old := plan.Empty()
	switch g, ok, err := s.Current(); {
	case from != "":
		if old, err = plan.Read(from); err != nil {
			return nil, &exitError{exitWrong, err}
		}
	case err != nil:
		return nil, &exitError{exitWrong, err}
	case ok:
		if old, err = plan.Read(g.Tree); err != nil {
			return nil, &exitError{exitWrong, err}
		}
	}
	dir := to
	if dir == "" {
		img, err := a.render(ctx, dirArg(args), f)
		if err != nil {
			return nil, err
		}
		tmp, err := os.MkdirTemp("", "unitgen-plan-")
		if err != nil {
			return nil, err
		}
		defer os.RemoveAll(tmp)
		dir = filepath.Join(tmp, img.Hash+"-"+img.Name)
		if err := img.WriteDir(dir); err != nil {
			return nil, err
		}
		if err := os.WriteFile(dir+".sources", img.Sources, 0o600); err != nil {
			return nil, err
		}
	}
	new, err := plan.Read(dir)
	if err != nil {
		return nil, &exitError{exitWrong, err}
	}
	st, err := a.states(ctx, s.Dir(), states, func() ([]activation.Target, func(), error) {
		t, _, done, err := managers(ctx, s)
		return t, done, err
	})
	if err != nil {
		return nil, err
	}
	return plan.Make(old, new, st), nil
}

// states reads the units' states from a file, or asks the managers. Without a
// manager nothing is up.
func (a *app) states(ctx context.Context, _ string, file string, find func() ([]activation.Target, func(), error)) (plan.States, error) {
	if file != "" {
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
	st := plan.States{System: map[string]string{}, User: map[string]string{}}
	targets, done, err := find()
	if errors.Is(err, bus.ErrNoManager) {
		fmt.Fprintln(a.err, "unitgen: no service manager answers; this is the plan for a host where nothing runs")
		return st, nil
	}
	if err != nil {
		return st, &exitError{exitRefused, err}
	}
	defer done()
	for _, t := range targets {
		m, err := activation.States(ctx, t)
		if err != nil {
			return st, &exitError{exitRefused, err}
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

// showPlan prints a plan for people.
func showPlan(w io.Writer, p *plan.Plan, verbose bool) error {
	var b strings.Builder
	if p.Empty() {
		b.WriteString("Nothing to do: the configuration is what is current.\n")
	}
	for i := 0; i < len(p.Steps); i++ {
		st := p.Steps[i]
		if st.Action == plan.Skip {
			fmt.Fprintf(&b, "%-8s %s%s: %s\n", "-", st.Unit, scopeWord(st.Scope), reasonText(st))
			continue
		}
		fmt.Fprintf(&b, "%-8s %s%s: %s\n", st.Action, st.Unit, scopeWord(st.Scope), reasonText(st))
	}
	for _, i := range p.Inhibitors {
		fmt.Fprintf(&b, "a live switch is inhibited by %s%s: %s\n", i.Unit, scopeWord(i.Scope), i.Reason)
	}
	if len(p.Inhibitors) > 0 {
		b.WriteString("activate it with the next boot (switch --boot-only), or in spite of that (--force)\n")
	}
	for _, l := range []struct {
		word  string
		paths []string
	}{{"added", p.Files.Added}, {"removed", p.Files.Removed}, {"changed", p.Files.Changed}} {
		if len(l.paths) == 0 {
			continue
		}
		const few = 12
		show := l.paths
		if !verbose && len(show) > few {
			show = show[:few]
		}
		fmt.Fprintf(&b, "files %s:\n", l.word)
		for _, f := range show {
			fmt.Fprintf(&b, "         /%s\n", f)
		}
		if n := len(l.paths) - len(show); n > 0 {
			fmt.Fprintf(&b, "         and %d more (--verbose names them)\n", n)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func scopeWord(s tree.Scope) string {
	if s == tree.User {
		return " (user)"
	}
	return ""
}

// reasonText is a step's reason with its source.
func reasonText(s plan.Step) string {
	if s.Source == nil {
		return s.Reason
	}
	return s.Reason + " at " + *s.Source
}

package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/unitgen/unitgen/runtime/generation"
	"github.com/unitgen/unitgen/runtime/plan"
)

// jsonGeneration is one row of `generations --json`.
type jsonGeneration struct {
	Number  int       `json:"number"`
	Tree    string    `json:"tree"`
	Time    time.Time `json:"time"`
	Current bool      `json:"current"`
	Boot    bool      `json:"boot"`
	Pinned  bool      `json:"pinned"`
	Failed  bool      `json:"failed"`
	Parent  int       `json:"parent"` // 0: none was current when it was made
}

func newGenerations(a *app) *cobra.Command {
	var state string
	var asJSON bool
	list := func(*cobra.Command, []string) error {
		s, err := openState(state)
		if err != nil {
			return err
		}
		return a.listGenerations(s, asJSON)
	}
	cmd := &cobra.Command{
		Use:   "generations",
		Short: "List, compare, pin and delete generations",
		Example: `  unitgen generations
  unitgen generations diff 3 5
  unitgen generations pin 3
  unitgen generations delete 1 2`,
		Args: cobra.NoArgs,
		RunE: list,
	}
	cmd.PersistentFlags().StringVar(&state, "state", "", "state directory (default /etc/unitgen for root, $XDG_STATE_HOME/unitgen otherwise)")
	cmd.PersistentFlags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.AddCommand(
		&cobra.Command{Use: "list", Short: "List generations", Example: "  unitgen generations list --json", Args: cobra.NoArgs, RunE: list},
		&cobra.Command{
			Use: "diff A B", Short: "Say which units and files differ between two generations",
			Example: "  unitgen generations diff 3 5", Args: cobra.ExactArgs(2),
			RunE: func(_ *cobra.Command, args []string) error { return a.diffGenerations(state, args, asJSON) },
		},
		a.generationVerb(&state, "pin N…", "Keep generations from being deleted and collected", "generations pin", (*generation.State).Pin),
		a.generationVerb(&state, "unpin N…", "Let pinned generations go again", "generations unpin", (*generation.State).Unpin),
		a.generationVerb(&state, "delete N…", "Delete generations; their trees go with the next gc", "generations delete", (*generation.State).Delete),
	)
	return cmd
}

func (a *app) listGenerations(s *generation.State, asJSON bool) error {
	all, err := s.List()
	if err != nil {
		return &exitError{exitRefused, err}
	}
	if asJSON {
		out := []jsonGeneration{}
		for _, g := range all {
			out = append(out, *rowOf(g))
		}
		return writeJSON(a.out, out)
	}
	w := tabwriter.NewWriter(a.out, 0, 8, 2, ' ', 0)
	for _, g := range all {
		var marks []string
		for _, m := range []struct {
			on   bool
			word string
		}{{g.Current, "current"}, {g.Boot, "boot"}, {g.Pinned, "pinned"}, {g.Failed, "failed"}} {
			if m.on {
				marks = append(marks, m.word)
			}
		}
		if _, err := os.Stat(g.Tree); err != nil {
			marks = append(marks, "its tree is gone")
		}
		line := fmt.Sprintf("%d\t%s\t%s", g.Number, g.Time.Local().Format("2006-01-02 15:04:05 MST"), shortTree(s, g.Tree))
		if len(marks) > 0 {
			line += "\t" + strings.Join(marks, ", ")
		}
		fmt.Fprintln(w, line)
	}
	return w.Flush()
}

// shortTree names a tree of the state's store by the beginning of its hash and
// its name, any other by its path.
func shortTree(s *generation.State, dir string) string {
	hash, name, ok := strings.Cut(filepath.Base(dir), "-")
	if !ok || len(hash) < 16 || filepath.Dir(dir) != filepath.Join(s.Dir(), "store") {
		return dir
	}
	return hash[:8] + "…-" + name
}

// generationVerb makes a subcommand that does one thing to each generation.
func (a *app) generationVerb(state *string, use, short, command string, do func(*generation.State, int) error) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Example: "  unitgen " + command + " 3",
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			var numbers []int
			for _, arg := range args {
				n, err := strconv.Atoi(arg)
				if err != nil || n < 1 {
					return &exitError{exitWrong, fmt.Errorf("%q is no number of a generation", arg)}
				}
				numbers = append(numbers, n)
			}
			s, err := openState(*state)
			if err != nil {
				return err
			}
			lock, err := lockState(s, command)
			if err != nil {
				return err
			}
			defer lock.Release()
			for _, n := range numbers {
				if err := do(s, n); err != nil {
					return &exitError{exitRefused, err}
				}
			}
			return nil
		},
	}
}

func (a *app) diffGenerations(state string, args []string, asJSON bool) error {
	s, err := openState(state)
	if err != nil {
		return err
	}
	var trees [2]*plan.Tree
	for i, arg := range args {
		n, err := strconv.Atoi(arg)
		if err != nil || n < 1 {
			return &exitError{exitWrong, fmt.Errorf("%q is no number of a generation", arg)}
		}
		g, err := s.Get(n)
		if err != nil {
			return &exitError{exitRefused, err}
		}
		if trees[i], err = plan.Read(g.Tree); err != nil {
			return &exitError{exitRefused, err}
		}
	}
	v := (&planning{old: trees[0], new: trees[1]}).differences()
	d := plan.Compare(trees[0], trees[1])
	if asJSON {
		return writeJSON(a.out, struct {
			Units []plan.UnitDifference `json:"units"`
			Files plan.Files            `json:"files"`
			Texts []fileText            `json:"texts"`
		}{v.Units, d.Files, v.Files})
	}
	return showDifference(a, v, d.Files)
}

func showDifference(a *app, v *values, files plan.Files) error {
	var b strings.Builder
	if len(v.Units) == 0 && len(files.Added)+len(files.Removed)+len(files.Changed) == 0 {
		b.WriteString("The two generations are alike.\n")
	}
	for _, u := range v.Units {
		fmt.Fprintf(&b, "%-8s %s%s\n", u.Change, u.Unit, scopeWord(u.Scope))
		showDirectives(&b, u, "  ")
	}
	for _, l := range []struct {
		word  string
		paths []string
	}{{"added", files.Added}, {"removed", files.Removed}, {"changed", files.Changed}} {
		for _, p := range l.paths {
			fmt.Fprintf(&b, "%-8s /%s\n", l.word, p)
		}
	}
	showTexts(&b, v.Files)
	_, err := io.WriteString(a.out, b.String())
	return err
}

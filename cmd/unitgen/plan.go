package main

import (
	"encoding/json"
	"io"

	"github.com/spf13/cobra"
)

func newPlan(a *app) *cobra.Command {
	var f hostFlags
	var state, from, to, states string
	var verbose, values bool
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
does not list are inactive.

A plan from the current generation for the units as they are also goes through
the preflight of a switch: what that would be refused for is on stderr, and in
the JSON under "refused". The exit code is 0 all the same.`,
		Example: `  unitgen plan
  unitgen plan ./web1 --json
  unitgen plan --values
  unitgen plan --from ./old --to ./new --states states.json`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, done, err := a.plan(cmd.Context(), args, f, state, from, to, states)
			if err != nil {
				return err
			}
			defer done()
			if values {
				p.Values = p.differences()
			}
			if f.json {
				return writeJSON(a.out, p)
			}
			return a.showPlan(p, verbose)
		},
	}
	f.add(cmd)
	stateFlag(cmd, &state)
	cmd.Flags().StringVar(&from, "from", "", "plan from `TREE` instead of the current generation")
	cmd.Flags().StringVar(&to, "to", "", "plan to `TREE` instead of building DIR")
	cmd.Flags().StringVar(&states, "states", "", "take the states of the units from `FILE` (- for stdin) instead of a manager")
	cmd.Flags().BoolVar(&f.json, "json", false, "print the plan as JSON")
	cmd.Flags().BoolVarP(&verbose, "verbose", "v", false, "name every file")
	cmd.Flags().BoolVar(&values, "values", false, "show what directives and text files were and will be")
	return cmd
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

package main

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/unitgen/unitgen/compile/ugtest"
	"github.com/unitgen/unitgen/emit"
	"github.com/unitgen/unitgen/schema/diag"
	"github.com/unitgen/unitgen/schema/tree"
)

func newTest(a *app) *cobra.Command {
	var asJSON, update, verbose bool
	var match string
	cmd := &cobra.Command{
		Use:   "test [PATH…]",
		Short: "Run the tests of hosts and modules",
		Long: `Run the *.ugtest.hcl files below PATH (the current directory by default). Each
run block compiles a host or a module with definitions of its own and looks at
the units, files, links, option values and diagnostics that come out, or at the
whole tree in a golden file. Nothing is activated.

Exit code 1 when a run fails.`,
		Example: `  unitgen test
  unitgen test ./modules/app --run tls
  unitgen test --update`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				args = []string{"."}
			}
			files, err := ugtest.Find(args)
			if err != nil {
				return a.notThere(err, asJSON)
			}
			if len(files) == 0 {
				return &exitError{exitWrong, fmt.Errorf("there is no *%s file in %s", ugtest.Suffix, strings.Join(args, ", "))}
			}
			o := ugtest.Options{Update: update, Cache: cacheDir(), Render: renderEntries}
			if match != "" {
				if o.Match, err = regexp.Compile(match); err != nil {
					return &exitError{exitWrong, fmt.Errorf("--run: %w", err)}
				}
			}
			results, diags := ugtest.Run(cmd.Context(), files, o)
			if err := a.showDiags(diags, func(n string) []byte { b, _ := os.ReadFile(n); return b }, asJSON && diags.HasErrors()); err != nil {
				return err
			}
			if diags.HasErrors() {
				return &exitError{code: exitWrong}
			}
			if len(results) == 0 {
				what := "the files declare no run"
				if match != "" {
					what = fmt.Sprintf("no run matches --run %q", match)
				}
				return &exitError{exitWrong, fmt.Errorf("%s; nothing was tested", what)}
			}
			return a.sayResults(results, asJSON, verbose)
		},
	}
	cmd.Flags().StringVar(&match, "run", "", "only the runs whose names match `REGEX`")
	cmd.Flags().BoolVar(&update, "update", false, "write the golden files anew")
	cmd.Flags().BoolVarP(&verbose, "verbose", "v", false, "name the runs that pass too")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func renderEntries(t *tree.Tree) ([]ugtest.Entry, diag.List) {
	entries, diags := emit.Entries(t, emit.Options{})
	var out []ugtest.Entry
	for _, e := range entries {
		if e.Kind != emit.Directory {
			out = append(out, ugtest.Entry{Path: e.Path, Mode: uint32(e.Mode.Perm()), Owner: e.Owner, Group: e.Group, Content: e.Content, Target: e.Target})
		}
	}
	return out, diags
}

func (a *app) sayResults(results []ugtest.Result, asJSON, verbose bool) error {
	failed := 0
	for _, r := range results {
		if !r.Passed {
			failed++
		}
	}
	if asJSON {
		if results == nil {
			results = []ugtest.Result{}
		}
		if err := writeJSON(a.out, map[string]any{"results": results, "passed": len(results) - failed, "failed": failed}); err != nil {
			return err
		}
	} else {
		for _, r := range results {
			switch {
			case !r.Passed:
				fmt.Fprintf(a.out, "FAIL %s: %s\n", r.File, r.Name)
				for _, f := range r.Failures {
					fmt.Fprintf(a.out, "  %s: %s\n", f.Where, strings.ReplaceAll(f.Message, "\n", "\n  "))
				}
			case r.Updated != "":
				fmt.Fprintf(a.out, "ok   %s: %s (wrote %s)\n", r.File, r.Name, r.Updated)
			case verbose:
				fmt.Fprintf(a.out, "ok   %s: %s (%s)\n", r.File, r.Name, r.Took.Round(time.Millisecond))
			}
		}
		fmt.Fprintf(a.out, "%d passed, %d failed\n", len(results)-failed, failed)
	}
	if failed > 0 {
		return &exitError{code: exitWrong}
	}
	return nil
}

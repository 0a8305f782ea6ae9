package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/unitgen/unitgen/compile/fetch"
)

func newGet(a *app) *cobra.Command {
	var asJSON, update bool
	var host string
	cmd := &cobra.Command{
		Use:   "get [DIR]",
		Short: "Fetch the modules that lie elsewhere",
		Long: `Fetch every import that names another place (git::https://…, git::ssh://…,
https://….tar.gz, file://…) and pin it in unitgen.lock.hcl, with the commit and
the hash of its files. This is the only command that uses the network; a build
uses what was fetched, and refuses it when its hash is another.

What is pinned stays: a branch that moved on is followed with --update only.`,
		Example: `  unitgen get
  unitgen get ./web1 --update`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cache := cacheDir()
			if cache == "" {
				return &exitError{exitRefused, fmt.Errorf("there is no cache directory to fetch into; set XDG_CACHE_HOME or HOME")}
			}
			dir := dirArg(args)
			got, diags, err := fetch.Get(cmd.Context(), fetch.Options{Dir: dir, Host: host, Cache: cache, Update: update})
			if err != nil {
				return &exitError{exitWrong, err}
			}
			if diags.HasErrors() {
				if err := a.showDiags(diags, fileSource(dir), asJSON); err != nil {
					return err
				}
				return &exitError{code: exitWrong}
			}
			if asJSON {
				if got == nil {
					got = []fetch.Fetched{}
				}
				return writeJSON(a.out, map[string]any{"sources": got})
			}
			if len(got) == 0 {
				fmt.Fprintln(a.out, "Nothing is imported from elsewhere.")
				return nil
			}
			for _, f := range got {
				at := strings.TrimPrefix(f.Hash, "sha256:")[:12]
				if f.Commit != "" {
					at = f.Commit[:12]
				}
				fmt.Fprintf(a.out, "%-8s %s at %s\n", f.Action, f.Source, at)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&update, "update", false, "pin anew what branches and tags name now")
	cmd.Flags().StringVar(&host, "host", "", "fetch for one host of several")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

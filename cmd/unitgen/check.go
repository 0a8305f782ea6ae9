package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/unitgen/unitgen/compile"
	"github.com/unitgen/unitgen/emit"
	"github.com/unitgen/unitgen/schema/diag"
)

func newCheck(a *app) *cobra.Command {
	var f hostFlags
	var noCache, stats, allHosts bool
	cmd := &cobra.Command{
		Use:   "check [DIR]",
		Short: "Report everything about a host that can be known before activation",
		Long: `Compile the host in DIR and report every mistake with its place in the source:
syntax, names, types, conflicts, cycles, the syntax of every directive's value,
and what no single unit shows (missing units, ordering cycles, contradictions).
Nothing is written but the cache.

The exit code is 1 when there is an error; warnings leave it 0. unitgen help
CODE explains a code such as E0301.`,
		Example: `  unitgen check
  unitgen check ./web1 --host web1 --json
  unitgen check ./fleet --all-hosts`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o := compile.Options{Dir: dirArg(args), Host: f.host, Variant: f.variant, Sysroot: f.sysroot, Cache: cacheDir(), Paths: emit.CheckPaths}
			if noCache {
				o.Cache = ""
			}
			defer tuneMemory()()
			if allHosts {
				return a.checkHosts(cmd.Context(), o, f)
			}
			r, diags := compile.Check(cmd.Context(), o)
			if stats {
				fmt.Fprintf(a.err, "%d files, %d modules, %d nodes, %d definitions, %d units, cached: %t\n",
					r.Stats.Files, r.Stats.Modules, r.Stats.Nodes, r.Stats.Definitions, r.Stats.Units, r.Stats.Cached)
			}
			if err := a.showDiags(diags, r.SourceBytes, f.json); err != nil {
				return err
			}
			if !f.json {
				summary(a.err, diags)
			}
			if diags.HasErrors() {
				return &exitError{code: exitWrong}
			}
			return nil
		},
	}
	f.add(cmd)
	cmd.Flags().BoolVar(&f.json, "json", false, "give the diagnostics as JSON on stdout")
	cmd.Flags().BoolVar(&noCache, "no-cache", false, "neither read nor write the cache")
	cmd.Flags().BoolVar(&allHosts, "all-hosts", false, "check every host that the directory declares, one after the other")
	cmd.MarkFlagsMutuallyExclusive("all-hosts", "host")
	cmd.Flags().BoolVar(&stats, "stats", false, "say how much work was done")
	return cmd
}

// checkHosts checks every host of a directory. What several have in common is
// reported once.
func (a *app) checkHosts(ctx context.Context, o compile.Options, f hostFlags) error {
	hosts, _ := compile.Hosts(ctx, o)
	if len(hosts) == 0 {
		hosts = []string{""}
	}
	type report struct {
		diag.Range
		code, detail string
	}
	said := map[report]bool{}
	var all diag.List
	var source func(string) []byte
	wrong := 0
	for _, h := range hosts {
		o.Host = h
		r, diags := compile.Check(ctx, o)
		if diags.HasErrors() {
			wrong++
		}
		var news diag.List
		for _, d := range diags {
			if k := (report{d.Subject, d.ID(), d.Detail}); !said[k] {
				said[k] = true
				news = append(news, d)
			}
		}
		all = append(all, news...)
		if source = r.SourceBytes; f.json {
			continue
		}
		if h != "" {
			verdict := "right"
			if diags.HasErrors() {
				verdict = "wrong"
			}
			fmt.Fprintf(a.err, "%s: %s\n", h, verdict)
		}
		if err := a.showDiags(news, source, false); err != nil {
			return err
		}
	}
	if f.json {
		if err := a.showDiags(all, source, true); err != nil {
			return err
		}
	} else {
		summary(a.err, all)
	}
	if wrong > 0 {
		return &exitError{code: exitWrong}
	}
	return nil
}

// summary counts the diagnostics, when there are any.
func summary(w io.Writer, diags diag.List) {
	var errors, warnings int
	for _, d := range diags {
		switch d.Severity {
		case diag.Error:
			errors++
		case diag.Warning:
			warnings++
		}
	}
	var parts []string
	if errors > 0 {
		parts = append(parts, count(errors, "error"))
	}
	if warnings > 0 {
		parts = append(parts, count(warnings, "warning"))
	}
	if len(parts) > 0 {
		fmt.Fprintf(w, "\n%s.\n", strings.Join(parts, ", "))
	}
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

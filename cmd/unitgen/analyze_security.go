package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/unitgen/unitgen/schema/exposure"
	"github.com/unitgen/unitgen/schema/load"
	"github.com/unitgen/unitgen/schema/tree"
	"github.com/unitgen/unitgen/schema/unitname"
)

func newAnalyzeSecurity(a *app) *cobra.Command {
	var root string
	var user, asJSON, offline bool
	var threshold float64
	c := &cobra.Command{
		Use:   "security [--root DIR] [--threshold N] [UNIT|FILE…]",
		Short: "Rate how far services are shut in, with advice",
		Long: `Rate services with the exposure score of systemd-analyze security, from 0.0
(shut in) to 10.0 (open), and say what to set. Without UNIT every service of the
load path is rated on one line. Exit code 1 when a named service's score is over
--threshold.`,
		Example: `  unitgen analyze security --root ./tree nginx.service
  unitgen analyze security --root ./tree`,
		RunE: func(_ *cobra.Command, args []string) error {
			reports, err := rate(args, root, user)
			if err != nil {
				return &exitError{exitWrong, err}
			}
			if asJSON {
				err = writeSecurityJSON(a, reports)
			} else {
				err = writeSecurity(a, reports, len(args) > 0)
			}
			if err != nil {
				return err
			}
			for _, r := range reports {
				if r.Overall > threshold {
					return &exitError{code: exitWrong}
				}
			}
			return nil
		},
	}
	c.Flags().StringVar(&root, "root", "", "the root file system whose units are rated")
	c.Flags().Float64Var(&threshold, "threshold", 10, "the highest score that exits with 0")
	c.Flags().BoolVar(&user, "user", false, "rate units of user managers")
	c.Flags().BoolVar(&offline, "offline", true, "units are always read from files; for systemd-analyze's command line")
	c.Flags().BoolVar(&asJSON, "json", false, "print the reports as JSON, one a line")
	return c
}

func rate(args []string, root string, user bool) ([]*exposure.Report, error) {
	o := load.Options{Scope: tree.System, Root: root, UseEnvironment: root == ""}
	if user {
		o.Scope = tree.User
	}
	var names []string
	for _, arg := range args {
		if st, err := os.Stat(arg); err == nil && st.Mode().IsRegular() && root == "" {
			abs, err := filepath.Abs(arg)
			if err != nil {
				return nil, err
			}
			o.Path = append(o.Path, filepath.Dir(abs))
			names = append(names, filepath.Base(abs))
			continue
		}
		names = append(names, arg)
	}
	if o.Path != nil {
		o.Path = append(o.Path, load.SearchPath(o.Scope, nil)...)
	}
	l := load.New(o)
	named := len(args) > 0
	if !named {
		names = l.Names()
	}
	var out []*exposure.Report
	seen := map[string]bool{}
	for _, n := range names {
		if !strings.Contains(n, ".") {
			n += ".service"
		}
		if unitname.IsTemplate(n) {
			n, _ = unitname.WithInstance(n, "test-instance")
		}
		u := l.Load(n)
		if !named && (u.Type != "service" || u.State != load.Loaded) || seen[u.Name] {
			continue
		}
		seen[u.Name] = true
		r, err := exposure.Rate(u)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

func writeSecurity(a *app, reports []*exposure.Report, full bool) error {
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	if !full {
		fmt.Fprintln(w, "UNIT\tEXPOSURE\tLEVEL")
		for _, r := range reports {
			fmt.Fprintf(w, "%s\t%.1f\t%s\n", r.Unit, r.Overall, r.Level)
		}
		return w.Flush()
	}
	for _, r := range reports {
		fmt.Fprintln(w, "  NAME\tFOUND\tEXPOSURE\tADVICE")
		list := append([]exposure.Check(nil), r.Checks...)
		sort.SliceStable(list, func(i, j int) bool { return list[i].Exposure > list[j].Exposure })
		for _, c := range list {
			mark, score := "✓", ""
			switch {
			case !c.Applies:
				mark = " "
			case c.Badness > 0:
				mark, score = "✗", fmt.Sprintf("%.1f", c.Exposure)
			}
			fmt.Fprintf(w, "%s %s\t%s\t%s\t%s\n", mark, c.Name, c.Found, score, c.Advice)
		}
		if err := w.Flush(); err != nil {
			return err
		}
		fmt.Fprintf(a.out, "\n→ Overall exposure level for %s: %.1f %s\n", r.Unit, r.Overall, r.Level)
	}
	return nil
}

func writeSecurityJSON(a *app, reports []*exposure.Report) error {
	enc := json.NewEncoder(a.out)
	enc.SetEscapeHTML(false)
	for _, r := range reports {
		type row struct {
			Name     string   `json:"name"`
			Field    string   `json:"json_field"`
			Set      *bool    `json:"set"`
			Found    string   `json:"description"`
			Exposure *float64 `json:"exposure"`
			Advice   string   `json:"advice,omitempty"`
		}
		rows := make([]row, 0, len(r.Checks))
		for _, c := range r.Checks {
			x := row{Name: c.Name, Field: c.ID, Found: c.Found, Advice: c.Advice}
			if c.Applies {
				ok := c.Badness == 0
				x.Set = &ok
				if !ok {
					e := c.Exposure
					x.Exposure = &e
				}
			}
			rows = append(rows, x)
		}
		if err := enc.Encode(map[string]any{"unit": r.Unit, "exposure": r.Overall, "level": r.Level, "checks": rows}); err != nil {
			return err
		}
	}
	return nil
}

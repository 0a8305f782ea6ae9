package main

import (
	"fmt"
	"path"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/unitgen/unitgen/schema/load"
	"github.com/unitgen/unitgen/schema/tree"
	"github.com/unitgen/unitgen/schema/unitname"
)

// dotColors are the colours of systemd-analyze dot: each stands for a
// dependency type.
var dotColors = []struct {
	typ, color string
	order      bool
}{
	{"After", "green", true},
	{"Requires", "black", false},
	{"Requisite", "darkblue", false},
	{"BindsTo", "gold", false},
	{"Wants", "grey66", false},
	{"Upholds", "grey33", false},
	{"Conflicts", "red", false},
}

func newAnalyzeDot(a *app) *cobra.Command {
	var root string
	var user, order, require bool
	var from, to []string
	cmd := &cobra.Command{
		Use:   "dot [--root DIR] [PATTERN…]",
		Short: "The dependency graph of units, for Graphviz",
		Long: `Print the dependencies between units in the language of dot(1). PATTERN keeps
the edges that touch a unit it matches; --from-pattern and --to-pattern those
that begin and end at one.`,
		Example: `  unitgen analyze dot --root ./tree 'nginx*' | dot -Tsvg > nginx.svg
  unitgen analyze dot --root ./tree --order`,
		RunE: func(_ *cobra.Command, args []string) error {
			for _, p := range slices.Concat(args, from, to) {
				if _, err := path.Match(p, ""); err != nil {
					return &exitError{exitWrong, fmt.Errorf("%q is no pattern: %w", p, err)}
				}
			}
			o := load.Options{Scope: tree.System, Root: root, UseEnvironment: root == ""}
			if user {
				o.Scope = tree.User
			}
			l := load.New(o)
			var names []string
			for _, n := range l.Names() {
				if !unitname.IsTemplate(n) {
					names = append(names, n)
				}
			}
			fmt.Fprintln(a.out, "digraph units {")
			for _, u := range l.Closure(names...) {
				for _, x := range dotColors {
					if order && !x.order || require && x.order {
						continue
					}
					for _, other := range u.DepUnits(x.typ) {
						if keepEdge(u.Name, other, args, from, to) {
							fmt.Fprintf(a.out, "\t%s->%s [color=%q];\n", strconv.Quote(u.Name), strconv.Quote(other), x.color)
						}
					}
				}
			}
			fmt.Fprintln(a.out, "}")
			return nil
		},
	}
	cmd.Flags().StringVar(&root, "root", "", "the root file system whose units are drawn")
	cmd.Flags().BoolVar(&user, "user", false, "units of user managers")
	cmd.Flags().BoolVar(&order, "order", false, "only ordering dependencies")
	cmd.Flags().BoolVar(&require, "require", false, "only requirement dependencies")
	cmd.Flags().StringArrayVar(&from, "from-pattern", nil, "only edges that begin at a unit it matches")
	cmd.Flags().StringArrayVar(&to, "to-pattern", nil, "only edges that end at a unit it matches")
	return cmd
}

func keepEdge(a, b string, any, from, to []string) bool {
	return (len(any) == 0 || matchesOne(a, any) || matchesOne(b, any)) && (len(from) == 0 || matchesOne(a, from)) && (len(to) == 0 || matchesOne(b, to))
}

func matchesOne(name string, patterns []string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { ok, _ := path.Match(p, name); return ok })
}

package main

import (
	"fmt"
	"io"
	"slices"
	"sort"
	"strings"

	"github.com/spf13/cobra"

	"github.com/unitgen/unitgen/compile"
	"github.com/unitgen/unitgen/schema/tree"
	"github.com/unitgen/unitgen/schema/unitname"
)

// graph is nodes and edges, for every output format.
type graph struct {
	Name  string      `json:"name"`
	Nodes []graphNode `json:"nodes"`
	Edges []graphEdge `json:"edges"`
}

type graphNode struct {
	ID   string `json:"id"`
	Kind string `json:"kind"` // unit type, or "module"
	In   bool   `json:"in_tree"`
}

type graphEdge struct {
	From string `json:"from"`
	To   string `json:"to"`
	Kind string `json:"kind"` // directive, or "extends", "reads"
}

func newGraph(a *app) *cobra.Command {
	var f hostFlags
	var format string
	var mods, all bool
	var only []string
	cmd := &cobra.Command{
		Use:   "graph [DIR]",
		Short: "Draw the units of a host, or its modules",
		Long: `Draw how the units of a host depend on one another, or with --modules which
module extends and reads the options of which other. Ordering that merely
repeats a requirement is left out unless --all is given.`,
		Example: `  unitgen graph | dot -Tpng > host.png
  unitgen graph --format svg > host.svg
  unitgen graph --modules --format mermaid`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			write, ok := graphFormats[format]
			if !ok {
				return &exitError{exitWrong, fmt.Errorf("--format %q is none of dot, svg, mermaid, json", format)}
			}
			var g *graph
			if mods {
				refs, diags := compile.Reference(cmd.Context(), compile.Options{Dir: dirArg(args), Host: f.host, Variant: f.variant, Cache: cacheDir()}, nil)
				if diags.HasErrors() {
					if err := a.showDiags(diags, fileSource(dirArg(args)), false); err != nil {
						return err
					}
					return &exitError{code: exitWrong}
				}
				g = moduleGraph(refs)
			} else {
				res, err := a.compileHost(cmd.Context(), dirArg(args), f)
				if err != nil {
					return err
				}
				g = unitGraph(res.Tree, all)
				g.Name = res.Host
			}
			if len(only) > 0 {
				if err := g.around(only); err != nil {
					return &exitError{exitWrong, err}
				}
			}
			return write(a.out, g)
		},
	}
	f.add(cmd)
	cmd.Flags().StringVar(&format, "format", "dot", "dot, svg, mermaid or json")
	cmd.Flags().BoolVar(&mods, "modules", false, "draw modules instead of units")
	cmd.Flags().BoolVar(&all, "all", false, "draw every ordering too")
	cmd.Flags().StringSliceVar(&only, "unit", nil, "only what touches these units or modules")
	return cmd
}

var graphFormats = map[string]func(io.Writer, *graph) error{
	"dot":     graphDot,
	"svg":     graphSVG,
	"mermaid": graphMermaid,
	"json":    func(w io.Writer, g *graph) error { return writeJSON(w, g) },
}

// drawn are the directives that make edges, the strong ones first.
var drawn = []string{"Requires", "Requisite", "BindsTo", "PartOf", "Upholds", "Wants", "Conflicts", "OnFailure", "OnSuccess", "PropagatesReloadTo", "JoinsNamespaceOf", "Before", "After"}

// reversed are the [Install] directives: the edge begins at what they name.
var reversed = map[string]string{"WantedBy": "Wants", "RequiredBy": "Requires", "UpheldBy": "Upholds"}

func unitGraph(t *tree.Tree, all bool) *graph {
	g := &graph{}
	nodes := map[string]bool{}
	edges := map[graphEdge]bool{}
	add := func(e graphEdge) {
		if e.From != e.To && e.To != "" {
			edges[e] = true
		}
	}
	for _, u := range t.Units {
		if u.Mask || u.File == nil || u.Scope == tree.User {
			continue
		}
		nodes[u.Name] = true
		for _, key := range drawn {
			for _, to := range words(u.File.Values("Unit", key)) {
				add(graphEdge{u.Name, to, key})
			}
		}
		for key, kind := range reversed {
			for _, from := range words(u.File.Values("Install", key)) {
				add(graphEdge{from, u.Name, kind})
			}
		}
		switch unitname.Type(u.Name) {
		case "timer", "path", "socket":
			add(graphEdge{u.Name, activated(u), "Triggers"})
		}
	}
	tied := map[[2]string]bool{}
	for e := range edges {
		if e.Kind != "After" && e.Kind != "Before" {
			tied[[2]string{e.From, e.To}], tied[[2]string{e.To, e.From}] = true, true
		}
	}
	seen := map[string]bool{}
	for e := range edges {
		if (e.Kind == "After" || e.Kind == "Before") && !all && tied[[2]string{e.From, e.To}] {
			continue
		}
		g.Edges = append(g.Edges, e)
		seen[e.From], seen[e.To] = true, true
	}
	for n := range nodes {
		seen[n] = true
	}
	for n := range seen {
		g.Nodes = append(g.Nodes, graphNode{n, unitname.Type(n), nodes[n]})
	}
	g.sort()
	return g
}

// words takes lists of unit names apart; an empty assignment resets.
func words(values []string) []string {
	var out []string
	for _, v := range values {
		if v == "" {
			out = nil
		}
		out = append(out, strings.Fields(v)...)
	}
	return out
}

// activated gives the unit that a timer, path or socket starts.
func activated(u *tree.Unit) string {
	section := map[string]string{"timer": "Timer", "path": "Path", "socket": "Socket"}[unitname.Type(u.Name)]
	key := "Unit"
	if section == "Socket" {
		key = "Service"
		if vals := u.File.Values(section, "Accept"); len(vals) > 0 && slices.Contains([]string{"yes", "true", "on", "1"}, vals[len(vals)-1]) {
			return strings.TrimSuffix(u.Name, ".socket") + "@.service"
		}
	}
	if vals := u.File.Values(section, key); len(vals) > 0 && vals[len(vals)-1] != "" {
		return vals[len(vals)-1]
	}
	name, err := unitname.ChangeSuffix(u.Name, "service")
	if err != nil {
		return ""
	}
	return name
}

func moduleGraph(refs []compile.ModuleReference) *graph {
	g := &graph{Name: "modules"}
	name := func(n string) string {
		if n == "" {
			return "host"
		}
		return n
	}
	have := map[string]bool{}
	for _, r := range refs {
		have[name(r.Name)] = true
		g.Nodes = append(g.Nodes, graphNode{name(r.Name), "module", true})
	}
	for _, r := range refs {
		for _, to := range r.Extends {
			if have[to] {
				g.Edges = append(g.Edges, graphEdge{name(r.Name), to, "extends"})
			}
		}
		for _, to := range r.Reads {
			if have[to] && !slices.Contains(r.Extends, to) {
				g.Edges = append(g.Edges, graphEdge{name(r.Name), to, "reads"})
			}
		}
	}
	g.sort()
	return g
}

func (g *graph) sort() {
	sort.Slice(g.Nodes, func(i, j int) bool { return g.Nodes[i].ID < g.Nodes[j].ID })
	sort.Slice(g.Edges, func(i, j int) bool {
		a, b := g.Edges[i], g.Edges[j]
		if a.From != b.From {
			return a.From < b.From
		}
		if a.To != b.To {
			return a.To < b.To
		}
		return a.Kind < b.Kind
	})
}

// around keeps the named nodes and what they have an edge with.
func (g *graph) around(names []string) error {
	known := map[string]bool{}
	var ids []string
	for _, n := range g.Nodes {
		known[n.ID] = true
		ids = append(ids, n.ID)
	}
	keep := map[string]bool{}
	for _, n := range names {
		if !known[n] && known[n+".service"] {
			n += ".service"
		}
		if !known[n] {
			return fmt.Errorf("the graph has no %q%s", n, near(n, ids))
		}
		keep[n] = true
	}
	nodes := map[string]bool{}
	g.Edges = slices.DeleteFunc(g.Edges, func(e graphEdge) bool {
		if !keep[e.From] && !keep[e.To] {
			return true
		}
		nodes[e.From], nodes[e.To] = true, true
		return false
	})
	g.Nodes = slices.DeleteFunc(g.Nodes, func(n graphNode) bool { return !nodes[n.ID] && !keep[n.ID] })
	return nil
}

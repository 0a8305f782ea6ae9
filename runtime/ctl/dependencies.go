package ctl

import (
	"slices"
	"strings"

	"github.com/unitgen/unitgen/runtime/bus"
	"github.com/unitgen/unitgen/schema/unitname"
)

// listDependencies shows a tree of units.
func (r *run) listDependencies() int {
	args := r.args
	if len(args) == 0 {
		args = []string{"default.target"}
		var s string
		if r.c.Call(r.ctx, "GetDefaultTarget", nil, &s) == nil && s != "" {
			args = []string{s}
		}
	}
	units, ok := r.names(args, "service")
	if !ok {
		return exitFailure
	}
	for i, u := range units {
		if i > 0 {
			r.print("\n")
		}
		r.print("%s\n", u)
		if err := r.tree(u, nil, 0, map[string]bool{u: true}); err != nil {
			return r.tell("list dependencies", err)
		}
	}
	return exitSuccess
}

// edgesOf gives the units one step away, in the direction of the options.
func (r *run) edgesOf(unit string) []string {
	kinds := []string{"Requires", "Requisite", "Wants", "ConsistsOf", "BindsTo", "Upholds"}
	switch {
	case r.after:
		kinds = []string{"After"}
	case r.before:
		kinds = []string{"Before"}
	case r.reverse:
		kinds = []string{"RequiredBy", "RequisiteOf", "WantedBy", "PartOf", "BoundBy", "UpheldBy"}
	}
	p, err := r.c.GetUnitProperties(r.ctx, unit)
	if err != nil {
		return nil
	}
	seen := map[string]bool{}
	var out []string
	for _, k := range kinds {
		l, _ := p[k].([]string)
		for _, u := range l {
			if !seen[u] {
				seen[u] = true
				out = append(out, u)
			}
		}
	}
	slices.SortFunc(out, func(a, b string) int {
		ta, tb := unitname.Type(a) == "target", unitname.Type(b) == "target"
		switch {
		case ta && !tb:
			return 1
		case tb && !ta:
			return -1
		}
		return strings.Compare(strings.ToLower(a), strings.ToLower(b))
	})
	return out
}

// tree prints what a unit depends on; targets are followed, other units with
// --all too.
func (r *run) tree(unit string, last []bool, level int, path map[string]bool) error {
	edges := r.edgesOf(unit)
	if len(edges) == 0 {
		return nil
	}
	us, err := r.c.ListUnitsByNames(r.ctx, edges)
	if err != nil {
		return err
	}
	states := map[string]bus.UnitStatus{}
	for _, u := range us {
		states[u.Name] = u
	}
	shown := edges[:0:0]
	for _, e := range edges {
		if len(r.states) > 0 && !slices.Contains(r.states, states[e].ActiveState) || len(r.types) > 0 && !slices.Contains(r.types, unitname.Type(e)) {
			continue
		}
		shown = append(shown, e)
	}
	for i, e := range shown {
		if !r.plain {
			st := states[e]
			r.print("%s ", r.dot(st.ActiveState, st.LoadState))
			for _, l := range last {
				r.print("%s", r.line(map[bool]string{true: "  ", false: "│ "}[l]))
			}
			r.print("%s", r.line(map[bool]string{true: "└─", false: "├─"}[i == len(shown)-1]))
		} else {
			r.print("  ")
		}
		r.print("%s\n", e)
		if (r.all || unitname.Type(e) == "target") && !path[e] {
			path[e] = true
			if err := r.tree(e, append(slices.Clone(last), i == len(shown)-1), level+1, path); err != nil {
				return err
			}
			delete(path, e)
		}
	}
	return nil
}

// line gives a piece of a tree in the characters at hand.
func (r *run) line(s string) string {
	if r.UTF8 {
		return s
	}
	return map[string]string{"├─": "|-", "└─": "`-", "│ ": "| ", "  ": "  "}[s]
}

// closure adds to units all that they depend on.
func (r *run) closure(units []string) []string {
	seen := map[string]bool{}
	var walk func(u string)
	walk = func(u string) {
		if seen[u] {
			return
		}
		seen[u] = true
		for _, e := range r.edgesOf(u) {
			walk(e)
		}
	}
	for _, u := range units {
		walk(u)
	}
	out := make([]string, 0, len(seen))
	for u := range seen {
		out = append(out, u)
	}
	slices.Sort(out)
	return out
}

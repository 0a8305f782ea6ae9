package plan

import (
	"sort"
	"strings"

	"github.com/unitgen/unitgen/schema/tree"
	"github.com/unitgen/unitgen/schema/unitname"
)

// requirement is one edge: by needs or wants unit.
type requirement struct {
	by, unit, how string
	source        string
}

// needs gives what a unit pulls in when it starts: its own directives and the
// links that others made for it.
func (t *Tree) needs(scope tree.Scope, name string) []requirement {
	var out []requirement
	u := t.unit(scope, name)
	if u != nil && !u.Masked {
		for _, key := range []string{"Requires", "BindsTo", "Wants", "Upholds"} {
			for _, v := range u.settings["Unit"][key] {
				for _, w := range strings.Fields(v.text) {
					w = instantiate(w, name)
					out = append(out, requirement{by: name, unit: t.scopes[scope].real(w), how: key,
						source: t.sources.Directive(v.path, "Unit", key, v.text)})
				}
			}
		}
	}
	for _, p := range t.scopes[scope].pulls {
		if p.by == name || t.scopes[scope].real(p.by) == name || unitname.Template(name) != "" && p.by == unitname.Template(name) {
			out = append(out, requirement{by: name, unit: t.scopes[scope].real(instantiate(p.unit, name)), how: p.how, source: t.pullSource(scope, p)})
		}
	}
	return out
}

// instantiate fills the specifiers of a unit's name into a dependency of it.
func instantiate(dep, of string) string {
	if !strings.ContainsRune(dep, '%') {
		return dep
	}
	prefix, instance, typ, _ := unitname.Split(of)
	return strings.NewReplacer("%i", instance, "%I", instance, "%p", prefix, "%n", of, "%N", strings.TrimSuffix(of, "."+typ)).Replace(dep)
}

// pullSource gives the [Install] directive that made a link, or the link's own
// source.
func (t *Tree) pullSource(scope tree.Scope, p pull) string {
	if src := t.sources.Origin(p.path); src != "" {
		return src
	}
	key := map[string]string{"Wants": "WantedBy", "Requires": "RequiredBy", "Upholds": "UpheldBy"}[p.how]
	if u := t.unit(scope, p.unit); u != nil {
		for _, v := range u.settings["Install"][key] {
			for _, w := range strings.Fields(v.text) {
				if w == p.by {
					return t.sources.Directive(v.path, "Install", key, v.text)
				}
			}
		}
	}
	return t.origin(scope, p.unit)
}

// index answers the questions that go against the direction of the files.
type index struct {
	fall    map[string][]requirement // unit -> those that stop or restart with it
	pullers map[string][]string      // unit -> those that pull it in
	trigger map[string]string        // unit -> the timer, path or socket that starts it
}

// index looks at every unit of a scope, and at the instances among names.
func (t *Tree) index(scope tree.Scope, names []string) *index {
	ix := &index{fall: map[string][]requirement{}, pullers: map[string][]string{}, trigger: map[string]string{}}
	u := t.scopes[scope]
	for _, n := range names {
		if u.real(n) != n {
			continue
		}
		for _, r := range t.needs(scope, n) {
			ix.pullers[r.unit] = append(ix.pullers[r.unit], n)
			if r.how == "Requires" || r.how == "BindsTo" {
				ix.fall[r.unit] = append(ix.fall[r.unit], r)
			}
		}
		unit := t.unit(scope, n)
		if unit == nil || unit.Masked {
			continue
		}
		for _, key := range []string{"Requisite", "PartOf"} {
			for _, w := range unit.words("Unit", key) {
				on := u.real(instantiate(w, n))
				ix.fall[on] = append(ix.fall[on], requirement{by: n, unit: on, how: key})
			}
		}
		if s := t.triggers(scope, n); s != "" && (ix.trigger[s] == "" || unitname.Type(n) == "socket") {
			ix.trigger[s] = n
		}
	}
	return ix
}

// triggers gives the unit that a timer, path, socket or automount starts.
func (t *Tree) triggers(scope tree.Scope, name string) string {
	base := strings.TrimSuffix(name, "."+unitname.Type(name))
	u := t.unit(scope, name)
	if u == nil || u.Masked || u.External {
		return ""
	}
	switch unitname.Type(name) {
	case "timer":
		return orElse(u.last("Timer", "Unit"), base+".service")
	case "path":
		return orElse(u.last("Path", "Unit"), base+".service")
	case "socket":
		if truth(u.last("Socket", "Accept"), false) {
			return ""
		}
		return orElse(u.last("Socket", "Service"), base+".service")
	case "automount":
		return base + ".mount"
	}
	return ""
}

func orElse(s, otherwise string) string {
	if s != "" {
		return s
	}
	return otherwise
}

// ordered sorts units so that one that must start before another stands before
// it (Before=, After=, sockets before their services), names deciding where
// nothing else does. Cycles are cut at the name that comes first.
func (t *Tree) ordered(scope tree.Scope, names []string) []string {
	in := map[string]bool{}
	for _, n := range names {
		in[n] = true
	}
	after := map[string]map[string]bool{}
	edge := func(later, earlier string) {
		if in[later] && in[earlier] && later != earlier {
			if after[later] == nil {
				after[later] = map[string]bool{}
			}
			after[later][earlier] = true
		}
	}
	for _, n := range names {
		u := t.unit(scope, n)
		if u == nil {
			continue
		}
		for _, w := range u.words("Unit", "After") {
			edge(n, t.scopes[scope].real(instantiate(w, n)))
		}
		for _, w := range u.words("Unit", "Before") {
			edge(t.scopes[scope].real(instantiate(w, n)), n)
		}
		if s := t.triggers(scope, n); s != "" {
			edge(s, n)
		}
	}
	sorted := append([]string(nil), names...)
	sort.Strings(sorted)
	var out []string
	state := map[string]int{}
	var visit func(string)
	visit = func(n string) {
		if state[n] != 0 {
			return
		}
		state[n] = 1
		for _, e := range sortedKeys(after[n]) {
			visit(e)
		}
		state[n] = 2
		out = append(out, n)
	}
	for _, n := range sorted {
		visit(n)
	}
	return out
}

package plan

import (
	"slices"
	"sort"
	"strings"

	"github.com/unitgen/unitgen/schema/tree"
)

// verdict is what the difference between two versions of a unit asks for.
type verdict int

const (
	equal verdict = iota
	wantsReload
	wantsRestart
)

// silent are the directives whose change alters nothing about a running unit:
// the manager knows the new value after a daemon-reload. [Install] is silent
// as a whole.
var silent = map[string]map[string]bool{
	"Unit": set("Description", "Documentation", "OnFailure", "OnSuccess", "OnFailureJobMode", "OnSuccessJobMode",
		"IgnoreOnIsolate", "StopWhenUnneeded", "RefuseManualStart", "RefuseManualStop", "AllowIsolate", "CollectMode", "SourcePath"),
}

// policies are the directives of ours that only say what a later switch does.
var policies = set("X-RestartIfChanged", "X-StopIfChanged", "X-ReloadIfChanged", "X-StopOnRemoval",
	"X-OnlyManualStart", "X-StopOnReconfiguration", "X-NotSocketActivated", inhibitSwitch)

// reloads are the directives that ask for a reload when they are added or
// changed.
var reloads = map[string]map[string]bool{
	"Unit":    set(reloadTriggers),
	"Service": set("ExecReload"),
	"Mount":   set("Options"),
}

const (
	reloadTriggers  = "X-Reload-Triggers"
	restartTriggers = "X-Restart-Triggers"
)

// unordered are the directives whose values are sets of unit names.
var unordered = set("Wants", "Requires", "Requisite", "BindsTo", "PartOf", "Upholds", "Conflicts", "Before", "After",
	"PropagatesReloadTo", "ReloadPropagatedFrom", "PropagatesStopTo", "StopPropagatedFrom", "JoinsNamespaceOf", "Sockets")

func set(names ...string) map[string]bool {
	m := map[string]bool{}
	for _, n := range names {
		m[n] = true
	}
	return m
}

// change is one directive that differs.
type change struct {
	section, key string
	how          string // "added", "removed", "changed"
	source       string
	weight       verdict
	said         bool // equal, but worth a word
}

// text names the change as reasons do.
func (c change) text() string { return c.key + "= " + c.how }

// compare finds the directives that differ, those that weigh most first.
func (s *planner) compare(old, new *Unit) (verdict, []change) {
	var out []change
	for _, section := range union(old.settings, new.settings) {
		for _, key := range union(old.settings[section], new.settings[section]) {
			a, b := old.settings[section][key], new.settings[section][key]
			c := change{section: section, key: key, how: "changed"}
			switch {
			case len(a) == 0:
				c.how = "added"
			case len(b) == 0:
				c.how = "removed"
			case sameValues(key, a, b):
				if _, changed := s.triggerFile(key, b); !changed {
					continue
				}
			}
			c.weight, c.said = weigh(section, key, c.how)
			c.source = s.sourceOf(section, key, a, b)
			if file, ok := s.triggerFile(key, b); ok && len(a) > 0 {
				c.how = "names " + file + ", which changed"
				c.source = s.new.fileSource(file, c.source)
			}
			out = append(out, c)
		}
	}
	v := equal
	for _, c := range out {
		v = max(v, c.weight)
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].weight > out[j].weight })
	return v, out
}

// weigh is the table of what a difference asks for.
func weigh(section, key, how string) (v verdict, said bool) {
	switch {
	case section == "Install":
		return equal, false
	case silent[section][key]:
		return equal, false
	case policies[key]:
		return equal, true
	case key == reloadTriggers && how == "removed":
		return equal, true
	case reloads[section][key] && how != "removed":
		return wantsReload, false
	}
	return wantsRestart, false
}

func sameValues(key string, a, b []value) bool {
	x, y := texts(a), texts(b)
	switch {
	case unordered[key]:
		x, y = asSet(x), asSet(y)
	case strings.HasPrefix(key, "Exec"):
		x, y = spacedOnce(x), spacedOnce(y)
	}
	return slices.Equal(x, y)
}

// spacedOnce puts one blank where a command line has several, which mean
// nothing outside quotes; a line with quotes or escapes is left as it is.
func spacedOnce(lines []string) []string {
	out := make([]string, 0, len(lines))
	for _, l := range lines {
		if !strings.ContainsAny(l, `"'\\`) {
			l = strings.Join(strings.Fields(l), " ")
		}
		out = append(out, l)
	}
	return out
}

func texts(v []value) []string {
	out := make([]string, 0, len(v))
	for _, e := range v {
		out = append(out, e.text)
	}
	return out
}

func asSet(v []string) []string {
	var out []string
	for _, e := range v {
		out = append(out, strings.Fields(e)...)
	}
	sort.Strings(out)
	return slices.Compact(out)
}

// triggerFile gives the file of the tree that a trigger names by its path and
// that differs between the trees.
func (s *planner) triggerFile(key string, v []value) (string, bool) {
	if key != reloadTriggers && key != restartTriggers {
		return "", false
	}
	for _, e := range v {
		for _, w := range strings.Fields(e.text) {
			p, ok := strings.CutPrefix(w, "/etc/")
			if !ok {
				continue
			}
			p = "etc/" + p
			if was, is := s.old.files[p], s.new.files[p]; was != is && was != "" && is != "" {
				return "/" + p, true
			}
		}
	}
	return "", false
}

// sourceOf gives where a difference was made: the first value that is new, or
// what was there before when the directive is gone.
func (s *planner) sourceOf(section, key string, a, b []value) string {
	t, list, other := s.new, b, a
	if len(b) == 0 {
		t, list, other = s.old, a, nil
	}
	for _, v := range list {
		if !slices.ContainsFunc(other, func(o value) bool { return o.text == v.text }) {
			return t.sources.Directive(v.path, section, key, v.text)
		}
	}
	if len(list) > 0 {
		return t.sources.Directive(list[0].path, section, key, list[0].text)
	}
	return ""
}

// fileSource gives where a file was defined, or else.
func (t *Tree) fileSource(abs, otherwise string) string {
	if src := t.sources.Origin(strings.TrimPrefix(abs, "/")); src != "" {
		return src
	}
	return otherwise
}

// origin gives where a unit was declared.
func (t *Tree) origin(scope tree.Scope, name string) string {
	u := t.scopes[scope]
	if f := u.fragmentOf(u.real(name)); f != nil {
		return t.sources.Origin(f.path)
	}
	for _, d := range u.dropIns[name] {
		return t.sources.Origin(d.path)
	}
	return ""
}

// summary words the changes that count: "ExecStart= changed, User= added". A
// change that was made elsewhere than the first one names its own place.
func summary(v verdict, changes []change) *because {
	var parts []string
	src := ""
	for _, c := range changes {
		if c.weight != v {
			continue
		}
		if src == "" {
			src = c.source
		}
		if len(parts) == 4 {
			parts = append(parts, "…")
			break
		}
		text := c.text()
		if c.source != "" && c.source != src {
			text += " (" + c.source + ")"
		}
		parts = append(parts, text)
	}
	return &because{strings.Join(parts, ", "), src}
}

func union[V any](a, b map[string]V) []string {
	seen := map[string]bool{}
	for k := range a {
		seen[k] = true
	}
	for k := range b {
		seen[k] = true
	}
	return sortedKeys(seen)
}

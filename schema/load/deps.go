package load

import (
	"sort"
	"strings"

	"github.com/unitgen/unitgen/schema/diag"
	"github.com/unitgen/unitgen/schema/unitname"
)

// Inverse gives the dependency type that the other unit has: "Before" for
// "After", "WantedBy" for "Wants"; "" for what is no dependency type.
func Inverse(typ string) string { return inverse[typ] }

var inverse = func() map[string]string {
	m := map[string]string{}
	for _, p := range [][2]string{
		{"Requires", "RequiredBy"}, {"Requisite", "RequisiteOf"}, {"Wants", "WantedBy"}, {"BindsTo", "BoundBy"}, {"PartOf", "ConsistsOf"},
		{"Upholds", "UpheldBy"}, {"Conflicts", "ConflictedBy"}, {"Before", "After"}, {"OnSuccess", "OnSuccessOf"}, {"OnFailure", "OnFailureOf"},
		{"Triggers", "TriggeredBy"}, {"PropagatesReloadTo", "ReloadPropagatedFrom"}, {"PropagatesStopTo", "StopPropagatedFrom"},
		{"JoinsNamespaceOf", "JoinsNamespaceOf"}, {"References", "ReferencedBy"}, {"InSlice", "SliceOf"},
	} {
		m[p[0]], m[p[1]] = p[1], p[0]
	}
	return m
}()

// Origins of dependencies, weightiest first.
const (
	fromFile = 1 << iota
	fromDefault
	fromImplicit
	fromPath
	fromSlice
	fromMountFile
	fromInverse
)

var originNames = []string{"file", "default", "implicit", "path", "slice-property", "mount-file", "inverse"}

func origins(mask int) []string {
	var out []string
	for i, n := range originNames {
		if mask&(1<<i) != 0 {
			out = append(out, n)
		}
	}
	return out
}

type depKey struct{ typ, unit string }

type depValue struct {
	mask int
	pos  []diag.Range
}

// mountNeed is a path whose mount units the unit needs.
type mountNeed struct {
	path   string
	origin int
	wants  bool // WantsMountsFor=
}

// template gives the unit that a name in a dependency of u means: a template
// takes u's instance, or its prefix where u is no instance.
func (u *Unit) template(name string) string {
	if !unitname.IsTemplate(name) {
		return name
	}
	prefix, instance, _, _ := unitname.Split(u.Name)
	if instance == "" {
		instance = prefix
	}
	n, err := unitname.WithInstance(name, instance)
	if err != nil {
		return name
	}
	return n
}

// canonical gives the name that a unit goes by: aliases become the real name.
func (l *Loader) canonical(name string) string {
	if u := l.units[name]; u != nil {
		return u.Name
	}
	if _, id, _ := l.ix().follow(name); id != "" {
		return id
	}
	return name
}

// add adds a dependency and, as systemd does, a reference to the other unit.
func (u *Unit) add(typ, other string, origin int, pos ...diag.Range) {
	if !unitname.Valid(other) {
		return
	}
	other = u.loader.canonical(u.template(other))
	if other == u.Name {
		if len(pos) > 0 && !quietSelf[typ] {
			u.Diags = append(u.Diags, diag.Warnf(CodeDependency, "Dependency on itself", pos[0], "%s= names the unit itself; systemd drops it.", typ))
		}
		return
	}
	switch {
	case typ == "Before" && u.Type == "device":
		return // device units cannot be delayed
	case typ == "Before" && unitname.Type(other) == "device":
		if len(pos) > 0 {
			u.Diags = append(u.Diags, diag.Warnf(CodeDependency, "Dependency without effect", pos[0], "Before=%s: device units come when the kernel finds them and cannot be delayed; systemd drops the dependency.", other))
		}
		return
	case (typ == "OnFailure" || typ == "OnSuccess") && !canFail(u.Type):
		if len(pos) > 0 {
			u.Diags = append(u.Diags, diag.Warnf(CodeDependency, "Dependency without effect", pos[0], "A %s unit cannot %s; systemd drops the dependency.", u.Type, map[string]string{"OnFailure": "fail", "OnSuccess": "succeed"}[typ]))
		}
		return
	case typ == "Triggers" && !canTrigger(u.Type):
		return
	}
	u.put(typ, other, origin, pos)
	u.put("References", other, origin, nil)
}

// quietSelf are types whose self-reference systemd drops without a word.
var quietSelf = map[string]bool{"PropagatesReloadTo": true, "ReloadPropagatedFrom": true, "JoinsNamespaceOf": true, "References": true}

func canFail(typ string) bool {
	switch typ {
	case "slice", "device":
		return false
	}
	return true
}

func canTrigger(typ string) bool {
	switch typ {
	case "automount", "path", "socket", "timer":
		return true
	}
	return false
}

func (u *Unit) put(typ, other string, origin int, pos []diag.Range) {
	k := depKey{typ, other}
	v := u.deps[k]
	if v == nil {
		v = &depValue{}
		u.deps[k] = v
	}
	v.mask |= origin
	v.pos = append(v.pos, pos...)
}

// depTypes are the dependency directives of [Unit].
var depTypes = []string{
	"Requires", "Requisite", "Wants", "BindsTo", "PartOf", "Upholds", "Conflicts", "Before", "After", "OnSuccess", "OnFailure",
	"PropagatesReloadTo", "ReloadPropagatedFrom", "PropagatesStopTo", "StopPropagatedFrom", "JoinsNamespaceOf",
}

var depDirective = func() map[string]string {
	m := map[string]string{"RequiresOverridable": "Requires", "RequisiteOverridable": "Requisite"}
	for _, t := range depTypes {
		m[t] = t
	}
	return m
}()

// ownDeps adds what the unit's own files say.
func (l *Loader) ownDeps(u *Unit) {
	for _, a := range u.Assigned {
		if a.Section != "Unit" {
			continue
		}
		if t := depDirective[a.Key]; t != "" {
			u.add(t, a.Value, fromFile, a.Pos)
			continue
		}
		switch a.Key {
		case "RequiresMountsFor":
			u.needMounts(a.Value, fromFile)
		case "WantsMountsFor":
			u.mounts = append(u.mounts, mountNeed{path: a.Value, origin: fromFile, wants: true})
		}
	}
	for _, s := range u.Settings["Service"]["Sockets"] {
		u.add("Wants", s, fromFile)
		u.add("After", s, fromFile)
		u.add("TriggeredBy", s, fromFile)
	}
	if t := u.own("Unit"); t != "" && (u.Type == "timer" || u.Type == "path") {
		u.two("Before", "Triggers", t, fromFile)
	}
	if u.broken {
		if s := u.own("Slice"); s != "" {
			u.add("InSlice", s, fromSlice)
		}
		return
	}
	for typ, list := range l.linked(u) {
		for _, n := range list {
			u.add(typ, n.name, fromFile, diag.Range{File: n.path})
		}
	}
}

// needMounts notes that the unit needs what is mounted at a path.
func (u *Unit) needMounts(path string, origin int) {
	if !strings.HasPrefix(path, "/") {
		return
	}
	for i := range u.mounts {
		if m := &u.mounts[i]; m.path == path && !m.wants {
			m.origin |= origin
			return
		}
	}
	u.mounts = append(u.mounts, mountNeed{path: path, origin: origin})
}

// finish makes Deps of what was gathered.
func (u *Unit) finish() {
	u.Deps = make([]Dep, 0, len(u.deps))
	for k, v := range u.deps {
		u.Deps = append(u.Deps, Dep{Type: k.typ, Unit: k.unit, Origins: origins(v.mask), Pos: v.pos})
	}
	sort.Slice(u.Deps, func(i, j int) bool {
		a, b := u.Deps[i], u.Deps[j]
		if a.Type != b.Type {
			return a.Type < b.Type
		}
		return a.Unit < b.Unit
	})
}

// first gives the last value that the files assign to a directive, "" where
// they assign none.
func (u *Unit) first(section, key string) string {
	v := u.Settings[section][key]
	if len(v) == 0 {
		return ""
	}
	return v[len(v)-1]
}

// own gives a directive of the type's own section as the files assign it.
func (u *Unit) own(key string) string { return u.first(u.TypeSection(), key) }

// ownBool gives a boolean of the type's own section, with its default.
func (u *Unit) ownBool(key string, def bool) bool {
	if b, ok := parseBool(u.own(key)); ok {
		return b
	}
	return def
}

// defaults reports whether DefaultDependencies= is on.
func (u *Unit) defaults() bool {
	if u.perpetual() {
		return false
	}
	b, ok := parseBool(u.first("Unit", "DefaultDependencies"))
	return b || !ok
}

// perpetual reports whether systemd keeps the unit by itself, always active.
func (u *Unit) perpetual() bool {
	switch u.Name {
	case "-.slice", "-.mount", "init.scope":
		return true
	case "system.slice":
		return u.loader.opt.Scope != "user"
	}
	return false
}

package plan

import (
	"sort"
	"strings"

	"github.com/unitgen/unitgen/schema/directive"
	"github.com/unitgen/unitgen/schema/tree"
	"github.com/unitgen/unitgen/schema/unitfile"
	"github.com/unitgen/unitgen/schema/unitname"
)

// Unit is one unit with its drop-ins applied.
type Unit struct {
	Name     string
	Masked   bool
	External bool // the unit file is not in the tree; only drop-ins are
	// settings holds section -> directive -> values that count.
	settings map[string]map[string][]value
}

type value struct {
	text string
	path string // of the file in the tree
}

// unit gives a unit of the tree, nil where the tree has nothing of it. An
// instance without a file of its own is made from its template.
func (t *Tree) unit(scope tree.Scope, name string) *Unit {
	u := t.scopes[scope]
	name = u.real(name)
	if got, ok := u.loaded[name]; ok {
		return got
	}
	var out *Unit
	if f := u.fragmentOf(name); f != nil {
		out = &Unit{Name: name, Masked: f.masked, settings: map[string]map[string][]value{}}
		out.apply(f.file, f.path)
	} else if u.hasDropIns(name) {
		out = &Unit{Name: name, External: true, settings: map[string]map[string][]value{}}
	}
	if out != nil && !out.Masked {
		for _, d := range u.dropInsOf(name, out.External) {
			out.apply(d.file, d.path)
		}
	}
	u.loaded[name] = out
	return out
}

func (u *scopeUnits) fragmentOf(name string) *fragment {
	if f := u.fragments[name]; f != nil {
		return f
	}
	if tmpl := unitname.Template(name); tmpl != "" {
		return u.fragments[u.real(tmpl)]
	}
	return nil
}

func (u *scopeUnits) hasDropIns(name string) bool {
	return len(u.dropIns[name]) > 0 || len(u.dropIns[unitname.Template(name)]) > 0
}

// dropInsOf gives the drop-ins of a unit in the order in which they apply: by
// file name over all directories, the more specific directory's file replacing
// one of the same name (systemd.unit(5)). For a unit whose file is not in the
// tree only drop-ins under its own name count.
func (u *scopeUnits) dropInsOf(name string, external bool) []dropIn {
	dirs := []string{name}
	for alias, real := range u.aliases {
		if real == name {
			dirs = append(dirs, alias)
		}
	}
	sort.Strings(dirs[1:])
	tmpl := unitname.Template(name)
	if tmpl != "" {
		dirs = append(dirs, tmpl)
	}
	if !external {
		prefix, _, typ, at := unitname.Split(name)
		for p := prefix; ; {
			i := strings.LastIndexByte(strings.TrimSuffix(p, "-"), '-')
			if i < 0 {
				break
			}
			p = p[:i+1]
			if at {
				dirs = append(dirs, p+"@."+typ)
			}
			dirs = append(dirs, p+"."+typ)
		}
		dirs = append(dirs, unitname.Type(name))
	}
	byName := map[string]dropIn{}
	for _, d := range dirs {
		for _, c := range u.dropIns[d] {
			if _, ok := byName[c.name]; !ok {
				byName[c.name] = c
			}
		}
	}
	var out []dropIn
	for _, n := range sortedKeys(byName) {
		if !byName[n].masked {
			out = append(out, byName[n])
		}
	}
	return out
}

// apply adds the assignments of a file: lists add up and an empty assignment
// resets, of everything else the last one counts.
func (u *Unit) apply(f *unitfile.File, p string) {
	for _, l := range f.Lines {
		if l.Kind != unitfile.Assignment {
			continue
		}
		m := u.settings[l.Section]
		if m == nil {
			m = map[string][]value{}
			u.settings[l.Section] = m
		}
		switch {
		case l.Value == "":
			delete(m, l.Key)
		case isList(l.Section, l.Key):
			m[l.Key] = append(m[l.Key], value{l.Value, p})
		default:
			m[l.Key] = []value{{l.Value, p}}
		}
	}
}

// isList reports whether assignments of a directive add up. Directives that
// are not known are taken for lists, so that no difference is overlooked.
func isList(section, key string) bool {
	d, ok := directive.Lookup("", section, key)
	return !ok || d.List
}

// values gives the texts assigned to a directive.
func (u *Unit) values(section, key string) []string {
	if u == nil {
		return nil
	}
	var out []string
	for _, v := range u.settings[section][key] {
		out = append(out, v.text)
	}
	return out
}

// words gives the words of a list directive.
func (u *Unit) words(section, key string) []string {
	var out []string
	for _, v := range u.values(section, key) {
		out = append(out, strings.Fields(v)...)
	}
	return out
}

// last gives the value that counts of a directive, "" for none.
func (u *Unit) last(section, key string) string {
	v := u.values(section, key)
	if len(v) == 0 {
		return ""
	}
	return v[len(v)-1]
}

// policy gives a boolean X- directive, wherever in the file it stands.
func (u *Unit) policy(key string, otherwise bool) bool {
	if u == nil {
		return otherwise
	}
	for _, section := range sortedKeys(u.settings) {
		if v := u.last(section, key); v != "" {
			return truth(v, otherwise)
		}
	}
	return otherwise
}

func truth(s string, otherwise bool) bool {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "1", "yes", "y", "true", "t", "on":
		return true
	case "0", "no", "n", "false", "f", "off":
		return false
	}
	return otherwise
}

// refuses reports whether RefuseManualStart= or RefuseManualStop= is on.
func (u *Unit) refuses(key string) bool { return u != nil && truth(u.last("Unit", key), false) }

// canReload reports whether the unit has a way to reload.
func (u *Unit) canReload() bool {
	switch unitname.Type(u.Name) {
	case "service":
		return u.External || len(u.values("Service", "ExecReload")) > 0 || u.last("Service", "Type") == "notify-reload"
	case "mount":
		return true
	}
	return false
}

package load

import (
	"path"
	"sort"

	"github.com/unitgen/unitgen/schema/diag"
	"github.com/unitgen/unitgen/schema/unitfile"
	"github.com/unitgen/unitgen/schema/unitname"
)

// stage1 gives the unit of a name with its files read and merged; its
// dependencies on others are not worked out yet.
func (l *Loader) stage1(name string) *Unit {
	if u := l.units[name]; u != nil {
		return u
	}
	ix := l.ix()
	if !unitname.Valid(name) {
		u := &Unit{Name: name, Names: []string{name}, Type: unitname.Type(name), State: Error, loader: l, resolved: true}
		u.Diags = append(u.Diags, diag.Errorf(CodeName, "Invalid unit name", diag.Range{}, "%q is not a valid unit name: it needs one of the suffixes of systemd.unit(5) and holds only letters, digits and :-_.\\@.", name))
		l.units[name] = u
		return u
	}
	e, id, names := ix.follow(name)
	if u := l.units[id]; u != nil {
		l.units[name] = u
		return u
	}
	u := &Unit{Name: id, Type: unitname.Type(id), State: Loaded, loader: l, deps: map[depKey]*depValue{}}
	u.Names = append([]string(nil), names...)
	sort.Strings(u.Names)
	for _, n := range names {
		l.units[n] = u
	}
	l.units[name] = u
	switch {
	case e == nil:
		if !fragmentOptional(u) {
			u.State = NotFound
			return u
		}
	case e.masked:
		u.State, u.Fragment = Masked, e.path
		u.DropIns = l.dropIns(names)
		return u
	default:
		if !l.readFragment(u, e) {
			switch {
			case u.State == Masked:
				u.DropIns = l.dropIns(names)
			case len(u.Files) > 0:
				// What stood before the mistake was understood, and systemd keeps
				// the dependencies among it.
				u.broken = true
				u.merge()
				u.State = Error
			}
			return u
		}
	}
	l.readDropIns(u, names)
	u.merge()
	return u
}

// fragmentOptional reports whether a unit may be without a file: devices,
// slices, and the units that systemd makes itself.
func fragmentOptional(u *Unit) bool {
	switch u.Type {
	case "slice", "device":
		return true
	}
	return u.Name == "-.mount" || u.Name == "init.scope"
}

// readFragment reads the unit file; false ends the loading of the unit.
func (l *Loader) readFragment(u *Unit, e *entry) bool {
	data := e.text
	name := "builtin:" + u.Name
	if e.file != "" {
		name = e.path
		u.Fragment = e.path
		if f := l.opt.Parsed[e.file]; f != nil {
			u.keep(f, nil)
			return true
		}
		var err error
		if data, err = l.src.readFile(e.file); err != nil {
			u.State = Error
			u.Diags = append(u.Diags, diag.Errorf(CodeUnreadable, "Unreadable unit file", diag.Range{File: e.path}, "%v.", unwrapPath(err)))
			return false
		}
		if len(data) == 0 {
			u.State = Masked
			return false
		}
	}
	f, diags := unitfile.Parse(name, data)
	u.keep(f, diags)
	if diags.HasErrors() {
		u.State = Error
		return false
	}
	return true
}

func (l *Loader) readDropIns(u *Unit, names []string) {
	u.DropIns = l.dropIns(names)
	for _, p := range u.DropIns {
		data, err := l.src.readFile(p)
		if err != nil {
			u.Diags = append(u.Diags, diag.Warnf(CodeUnreadable, "Unreadable drop-in", diag.Range{File: p}, "%v; the drop-in has no effect.", unwrapPath(err)))
			continue
		}
		// What was understood before a mistake counts, as in systemd.
		f, diags := unitfile.Parse(p, data)
		u.keep(f, diags)
	}
}

// keep notes a parsed file and where systemd stops reading it: at the first
// mistake that is an error.
func (u *Unit) keep(f *unitfile.File, diags diag.List) {
	u.Files = append(u.Files, f)
	u.Diags = append(u.Diags, diags...)
	for _, d := range diags {
		if d.Severity == diag.Error {
			if u.stops == nil {
				u.stops = map[*unitfile.File]int{}
			}
			u.stops[f] = d.Subject.Start.Byte
			return
		}
	}
}

// load gives the unit of a name with everything that it says itself: settings,
// commands, and its own half of the dependencies.
func (l *Loader) load(name string) *Unit {
	u := l.stage1(name)
	l.resolve(u)
	return u
}

// linked gives what stands in the .wants, .requires and .upholds directories
// of a unit: dependency type → unit names.
func (l *Loader) linked(u *Unit) map[string][]linkedUnit {
	out := map[string][]linkedUnit{}
	for _, k := range []struct{ suffix, typ string }{{".wants", "Wants"}, {".requires", "Requires"}, {".upholds", "Upholds"}} {
		if k.typ == "Upholds" && !l.version(254) {
			continue
		}
		for _, p := range l.extra(u.namesFirst(), k.suffix, "") {
			n := path.Base(p)
			if !unitname.Valid(n) {
				u.Diags = append(u.Diags, diag.Warnf(CodeName, "Not a unit name", diag.Range{File: p}, "%q stands in a %s directory and is no unit name; systemd ignores it.", n, k.suffix))
				continue
			}
			if l.src.empty(p) {
				continue
			}
			out[k.typ] = append(out[k.typ], linkedUnit{name: n, path: p})
		}
	}
	return out
}

type linkedUnit struct{ name, path string }

// namesFirst gives all names, the main one first.
func (u *Unit) namesFirst() []string {
	out := []string{u.Name}
	for _, n := range u.Names {
		if n != u.Name {
			out = append(out, n)
		}
	}
	return out
}

// version reports whether the systemd that is meant is at least v.
func (l *Loader) version(v int) bool { return l.opt.Version == 0 || l.opt.Version >= v }

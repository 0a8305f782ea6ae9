package compile

import (
	"path"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/unitgen/unitgen/schema/diag"
	"github.com/unitgen/unitgen/schema/install"
	"github.com/unitgen/unitgen/schema/load"
	"github.com/unitgen/unitgen/schema/tree"
	"github.com/unitgen/unitgen/schema/unitfile"
	"github.com/unitgen/unitgen/schema/unitname"
	"github.com/unitgen/unitgen/schema/verify"
)

// checkedBefore are the loader's complaints about single lines, which the
// compiler has made already, at the line of the source.
var checkedBefore = map[string]bool{
	load.CodeUnknownKey: true, load.CodeUnknownSect: true, load.CodeValue: true, load.CodeSpecifier: true,
}

// verifyTree runs the whole-tree checks and maps what they find back to the
// source.
func (c *compilation) verifyTree(t *tree.Tree) diag.List {
	var out diag.List
	for _, scope := range []tree.Scope{tree.System, tree.User} {
		out = append(out, c.verifyScope(t, scope)...)
	}
	return out
}

func (c *compilation) verifyScope(t *tree.Tree, scope tree.Scope) diag.List {
	if out, ok := c.sharded(t, scope); ok {
		return out
	}
	return c.verifyWhole(t, scope)
}

// verifyWhole loads all units of a scope together and checks them.
func (c *compilation) verifyWhole(t *tree.Tree, scope tree.Scope) diag.List {
	return c.verifyUnits(t, scope, false)
}

// verifyUnits checks the units of a scope together, or each alone.
func (c *compilation) verifyUnits(t *tree.Tree, scope tree.Scope, alone bool) diag.List {
	fsys := newTreeFS(c.o.Sysroot)
	dir := "etc/systemd/" + string(scope)
	files := map[string]*unitfile.File{}
	origins := map[string]diag.Range{}
	adopted := map[string]bool{}
	byName := map[string]*unitfile.File{}
	parsed := map[string]*unitfile.File{}
	var enable, named []string
	for _, u := range t.Units {
		if u.Scope != scope {
			continue
		}
		d := dir
		if u.Place != tree.Etc && u.Place != "" {
			d = "run/systemd/" + strings.TrimSuffix(string(u.Place), ".user")
		}
		p := path.Join(d, u.Name)
		origins["/"+p] = u.Origin
		if u.Mask || u.File == nil {
			fsys.link(p, "/dev/null")
			continue
		}
		byName[u.Name] = u.File
		if alone && !u.NoInstall && asWritten(u.File) {
			fsys.file(p, nil)
			parsed["/"+p] = u.File
		} else {
			fsys.file(p, u.File.Bytes())
			files["/"+p] = u.File
		}
		if u.NoInstall {
			adopted["/"+p] = true
		} else if d == dir {
			if n := enabledName(u.Name, u.File); n != "" {
				enable = append(enable, n)
			}
		}
		if n := verifiedName(u.Name); n != "" {
			named = append(named, n)
		}
	}
	for _, d := range t.DropIns {
		if d.Scope != scope {
			continue
		}
		p := path.Join(dir, d.Unit+".d", d.Name+".conf")
		fsys.file(p, d.File.Bytes())
		files["/"+p], origins["/"+p] = d.File, d.Origin
	}
	if len(named) == 0 {
		return nil
	}
	for _, i := range t.Instances {
		if i.Scope == scope && i.Enable && byName[unitname.Template(i.Name)] != nil {
			enable = append(enable, i.Name)
			named = append(named, i.Name)
			origins["/"+path.Join(dir, i.Name)] = i.Origin
		}
	}
	if alone {
		loader := load.New(load.Options{Scope: scope, FS: fsys, Version: t.Systemd, NoDefaults: true, Parsed: parsed})
		return c.mapped(verify.Alone(verify.Options{Loader: loader, Units: named, Provides: t.Provides}), &originMap{units: byName, files: files, origins: origins, lines: map[string][]diag.Range{}}, adopted)
	}
	links, _ := install.InstallLinks(func(n string) *unitfile.File {
		if f := byName[n]; f != nil {
			return f
		}
		return byName[unitname.Template(n)]
	}, enable, scope)
	starts := map[string][]string{}
	for _, l := range links {
		fsys.link(path.Join(dir, l.Path), l.Target)
		by, ok := puller(path.Dir(l.Path))
		if ok && byName[by] == nil {
			starts[by] = append(starts[by], path.Base(l.Path))
		}
	}
	for _, l := range t.Links {
		if strings.HasPrefix(l.Path, dir+"/") {
			fsys.link(l.Path, l.Target)
		}
	}
	provides := append([]string(nil), t.Provides...)
	for _, d := range t.Distro {
		provides = append(provides, d.Name)
	}
	loader := load.New(load.Options{Scope: scope, FS: fsys, Version: t.Systemd})
	found := verify.Run(verify.Options{Loader: loader, Units: named, Sysroot: c.o.Sysroot, Provides: provides, Starts: starts})
	return c.mapped(found, &originMap{units: byName, files: files, origins: origins, lines: map[string][]diag.Range{}}, adopted)
}

// asWritten reports whether a file that the compiler made is what a reader makes
// of its text, so that it need not be written and read.
func asWritten(f *unitfile.File) bool {
	clean := func(s string) bool {
		return strings.TrimSpace(s) == s && !strings.ContainsAny(s, "\n\r\x00") && utf8.ValidString(s) && len(s) < 1<<16
	}
	for i := range f.Lines {
		l := &f.Lines[i]
		switch l.Kind {
		case unitfile.Blank, unitfile.Comment:
		case unitfile.Section:
			if l.Raw != "" || !clean(l.Section) || l.Section == "" || strings.ContainsAny(l.Section, "[]\\") {
				return false
			}
		case unitfile.Assignment:
			if l.Raw != "" || !clean(l.Key) || !clean(l.Value) || l.Key == "" || strings.ContainsAny(l.Key, "=[]#;\\") || strings.HasSuffix(l.Value, `\`) {
				return false
			}
		default:
			return false
		}
	}
	return len(f.Lines) > 0
}

// mapped leads complaints about unit files back to the source.
func (c *compilation) mapped(found diag.List, m *originMap, adopted map[string]bool) diag.List {
	var out diag.List
	for _, d := range found {
		if checkedBefore[d.Code] && !adopted[d.Subject.File] {
			continue
		}
		x := *d
		x.Subject = m.origin(d.Subject)
		lines := m.named(d)
		if len(lines) > 0 {
			x.Subject = lines[len(lines)-1]
		}
		x.Context = diag.Range{}
		x.Related = nil
		for _, r := range d.Related {
			r.Range = m.origin(r.Range)
			x.Related = append(x.Related, r)
		}
		if len(lines) > 1 && len(x.Related) == 0 {
			for _, l := range lines[:min(len(lines)-1, 3)] {
				x.Related = append(x.Related, diag.Related{Message: "also here", Range: l})
			}
		}
		if x.Code == verify.CodeMissingUnit && c.o.Sysroot == "" && x.Severity == diag.Error {
			x.Severity = diag.Warning
		}
		if x.Code == verify.CodeCycle && x.Severity == diag.Advice {
			x.Severity = diag.Warning // nothing starts the units together yet
		}
		out = append(out, &x)
	}
	return out
}

// puller gives the unit whose start pulls in what stands in a directory of
// links, and whether it is such a directory. What a boot brings together counts
// as pulled in by multi-user.target.
func puller(dir string) (string, bool) {
	by, kind := strings.TrimSuffix(dir, path.Ext(dir)), path.Ext(dir)
	switch by {
	case "sysinit.target", "basic.target", "local-fs.target", "paths.target", "sockets.target", "swap.target", "timers.target":
		by = "multi-user.target"
	}
	return by, kind == ".wants" || kind == ".requires" || kind == ".upholds"
}

// enabledName gives the name under which a unit is enabled: for a template its
// default instance, "" when it has none.
func enabledName(name string, f *unitfile.File) string {
	if !unitname.IsTemplate(name) {
		return name
	}
	v := f.Values("Install", "DefaultInstance")
	if len(v) == 0 || v[len(v)-1] == "" {
		return ""
	}
	n, err := unitname.WithInstance(name, v[len(v)-1])
	if err != nil {
		return ""
	}
	return n
}

// verifiedName gives the name under which a unit is checked: for a template,
// one of its instances.
func verifiedName(name string) string {
	if !unitname.IsTemplate(name) {
		return name
	}
	n, err := unitname.WithInstance(name, "i")
	if err != nil {
		return ""
	}
	return n
}

// originMap leads from lines of unit files back to the source.
type originMap struct {
	units   map[string]*unitfile.File // by name
	files   map[string]*unitfile.File
	origins map[string]diag.Range
	lines   map[string][]diag.Range
}

func (m *originMap) origin(r diag.Range) diag.Range {
	if r.IsZero() {
		return r
	}
	f := m.files[r.File]
	if f == nil {
		if o, ok := m.origins[r.File]; ok {
			return o
		}
		return r
	}
	lines, ok := m.lines[r.File]
	if !ok {
		for _, l := range f.Lines {
			for range 1 + strings.Count(l.Raw, "\n") {
				lines = append(lines, l.Origin)
			}
		}
		m.lines[r.File] = lines
	}
	if n := r.Start.Line; n > 0 && n <= len(lines) && !lines[n-1].IsZero() {
		return lines[n-1]
	}
	return m.origins[r.File]
}

// assigned finds the first directive that a complaint names.
var assigned = regexp.MustCompile(`\b([A-Z][A-Za-z0-9]+)=`)

// named gives the places of the directive that the refusal of a whole unit
// begins with, where the unit's file assigns it.
func (m *originMap) named(d *diag.Diagnostic) []diag.Range {
	unit, why, ok := strings.Cut(d.Detail, ": ")
	if d.Code != load.CodeBadSetting || !ok {
		return nil
	}
	f := m.units[unit]
	if f == nil {
		f = m.units[unitname.Template(unit)]
	}
	name := assigned.FindStringSubmatch(why)
	if f == nil || name == nil {
		return nil
	}
	var out []diag.Range
	for i := range f.Lines {
		if l := &f.Lines[i]; l.Key == name[1] && !l.Origin.IsZero() {
			out = append(out, l.Origin)
		}
	}
	return out
}

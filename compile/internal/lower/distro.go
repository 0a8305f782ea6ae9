package lower

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sort"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/unitgen/unitgen/compile/internal/eval"
	"github.com/unitgen/unitgen/compile/internal/index"
	"github.com/unitgen/unitgen/compile/internal/load"
	"github.com/unitgen/unitgen/compile/internal/syntax"
	"github.com/unitgen/unitgen/compile/internal/types"
	"github.com/unitgen/unitgen/schema/diag"
	"github.com/unitgen/unitgen/schema/tree"
	"github.com/unitgen/unitgen/schema/unitfile"
	"github.com/unitgen/unitgen/schema/unitname"
)

// maxUnitFile bounds a unit file that is adopted.
const maxUnitFile = 16 << 20

// shipped are the directories in which a distribution ships units, below the
// system root.
func shipped(scope tree.Scope) []string {
	s := string(scope)
	return []string{"usr/local/lib/systemd/" + s, "usr/lib/systemd/" + s, "lib/systemd/" + s}
}

// distro makes the units of unit blocks: those that the distribution ships.
func (l *lowering) distro() {
	for _, g := range l.e.Groups("unit", func(c eval.Contrib, name string) (string, bool) {
		return string(l.scopeOf(c)) + "/" + name, true
	}) {
		s, name, _ := strings.Cut(g.Name, "/")
		scope := tree.Scope(s)
		at := labelAt(g.Contribs[0])
		thing := fmt.Sprintf("unit[%q]", name)
		if !unitname.Valid(name) {
			l.err("E0602", "Invalid unit name", at, "%s", index.BadUnitName(name))
			continue
		}
		mask, _, ok1 := l.e.Bool(thing, "mask", g.Contribs, false)
		enable, said, ok2 := l.e.Bool(thing, "enable", g.Contribs, false)
		if !ok1 || !ok2 {
			continue
		}
		if mask && enable {
			l.err("E0208", "Attributes contradict each other", l.attrAt(thing, "enable", types.Named("bool"), g.Contribs), "%s is masked, and a masked unit cannot be enabled. Remove mask or enable.", name)
			continue
		}
		target, ok := l.str(thing, "target", stringType, g.Contribs, name)
		if !ok {
			continue
		}
		before := len(l.t.Links)
		l.linked(thing, name, scope, tree.Etc, target, g.Contribs)
		linked := len(l.t.Links) > before
		if !mask && !said && linked {
			continue
		}
		if !mask && !said {
			l.lacks(g, "E0204", "Attribute is missing", g.Contribs[0].Header(), "A unit block says what to do with a unit that the distribution ships: enable = true, enable = false, mask = true, or wanted_by = [\"…\"]. To change its directives write dropin %q { … }.", name)
			continue
		}
		d := &tree.DistroUnit{Name: name, Scope: scope, Mask: mask, Enable: enable && !mask, Disable: said && !enable, Origin: syntax.Range(g.Contribs[0].Header())}
		if d.Enable {
			f, ok := l.shippedFile(thing, g, scope, name, at)
			if !ok {
				continue
			}
			d.File = f
		}
		l.t.Distro = append(l.t.Distro, d)
	}
}

// shippedFile finds the unit file whose [Install] section says what enabling
// means.
func (l *lowering) shippedFile(thing string, g *eval.Group, scope tree.Scope, name string, at hcl.Range) (*unitfile.File, bool) {
	names := []string{name}
	if t := unitname.Template(name); t != "" {
		names = append(names, t)
	}
	for _, n := range names {
		if u := l.adopted[string(scope)+"/"+n]; u != nil {
			return u.File, true
		}
	}
	from, ok := l.str(thing, "from", stringType, g.Contribs, "")
	if !ok {
		return nil, false
	}
	var dirs []string
	switch {
	case from != "":
		m := g.Contribs[0].Block.Module
		if filepath.IsAbs(from) {
			dirs = []string{from}
		} else {
			dirs = []string{filepath.Join(m.Dir, filepath.FromSlash(from))}
		}
	case l.o.Sysroot != "":
		for _, d := range shipped(scope) {
			dirs = append(dirs, filepath.Join(l.o.Sysroot, d))
		}
	default:
		l.err("E0606", "Unit file of the distribution is not known", at, "To enable %s its [Install] section must be read. Build with --sysroot DIR (/ for this machine), or write from = \"directory\".", name)
		return nil, false
	}
	for _, d := range dirs {
		for _, n := range names {
			b, err := load.ReadFile(filepath.Join(d, n), maxUnitFile)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				l.err("E0105", "Source file cannot be read", at, "%s of the distribution: %s.", n, err)
				return nil, false
			}
			f, _ := unitfile.Parse(n, b)
			return f, true
		}
	}
	where := "the system root"
	if from != "" {
		where = fmt.Sprintf("%q", from)
	}
	l.err("E0606", "Unit file of the distribution is not known", at, "There is no %s in %s. Correct the name, or give the directory that holds it with from = \"…\".", name, where)
	return nil, false
}

// packages adopts the unit files of package blocks.
func (l *lowering) packages() {
	for _, g := range l.e.Groups("package", nil) {
		for _, c := range g.Contribs {
			dir, ok := l.str(fmt.Sprintf("package[%q]", g.Name), "units", stringType, []eval.Contrib{c}, "")
			if !ok || dir == "" {
				continue
			}
			a := c.Block.Attr("units")
			full := dir
			if !filepath.IsAbs(dir) {
				full = filepath.Join(c.Block.Module.Dir, filepath.FromSlash(dir))
			}
			l.adopt(full, dir, l.scopeOf(c), a.Expr().Range(), c)
		}
	}
}

func (l *lowering) adopt(full, shown string, scope tree.Scope, at hcl.Range, c eval.Contrib) {
	entries, err := os.ReadDir(full)
	if err != nil {
		l.err("E0106", "Directory cannot be read", at, "%q: %s. Name a directory with unit files, relative to the directory of this file.", shown, reason(err))
		return
	}
	origin := syntax.Range(c.Header())
	unitDir := tree.UnitDir(tree.Etc, scope)
	n := 0
	for _, e := range entries {
		name := e.Name()
		p := filepath.Join(full, name)
		switch {
		case e.Type()&fs.ModeSymlink != 0 && unitname.Valid(name):
			l.adoptLink(p, path.Join(unitDir, name), origin)
			n++
		case e.IsDir() && strings.HasSuffix(name, ".d"):
			n += l.adoptDropIns(p, strings.TrimSuffix(name, ".d"), scope, origin, at)
		case e.IsDir() && (strings.HasSuffix(name, ".wants") || strings.HasSuffix(name, ".requires") || strings.HasSuffix(name, ".upholds")):
			links, _ := os.ReadDir(p)
			for _, x := range links {
				l.adoptLink(filepath.Join(p, x.Name()), path.Join(unitDir, name, x.Name()), origin)
				n++
			}
		case e.Type().IsRegular() && unitname.Valid(name):
			f, ok := l.unitFile(p, name, at)
			if !ok {
				continue
			}
			u := &tree.Unit{Name: name, Scope: scope, Place: tree.Etc, File: f, NoInstall: true, Origin: origin}
			l.adopted[string(scope)+"/"+name] = u
			l.t.Units = append(l.t.Units, u)
			n++
		}
	}
	if n == 0 {
		l.err("E0107", "Directory has no configuration", at, "There is no unit file in %q. Name the directory that the *.service files themselves stand in.", shown)
	}
}

func (l *lowering) unitFile(p, name string, at hcl.Range) (*unitfile.File, bool) {
	b, err := load.ReadFile(p, maxUnitFile)
	if err != nil {
		l.err("E0105", "Source file cannot be read", at, "%s: %s.", name, reason(err))
		return nil, false
	}
	f, _ := unitfile.Parse(name, b)
	return f, true
}

func (l *lowering) adoptDropIns(dir, unit string, scope tree.Scope, origin diag.Range, at hcl.Range) int {
	entries, _ := os.ReadDir(dir)
	n := 0
	for _, e := range entries {
		if !e.Type().IsRegular() || !strings.HasSuffix(e.Name(), ".conf") {
			continue
		}
		f, ok := l.unitFile(filepath.Join(dir, e.Name()), e.Name(), at)
		if !ok {
			continue
		}
		l.t.DropIns = append(l.t.DropIns, &tree.DropIn{Unit: unit, Name: strings.TrimSuffix(e.Name(), ".conf"), Scope: scope, Place: tree.Etc, File: f, Origin: origin})
		n++
	}
	return n
}

// adoptLink takes over a link that stays among the units, or a mask.
func (l *lowering) adoptLink(p, to string, origin diag.Range) {
	target, err := os.Readlink(p)
	if err != nil {
		return
	}
	if target != "/dev/null" {
		target = path.Base(filepath.ToSlash(target))
		if path.Dir(to) != path.Dir(path.Dir(to)+"/x") && strings.Contains(path.Base(path.Dir(to)), ".") {
			target = "../" + target
		}
	}
	l.t.Links = append(l.t.Links, &tree.Link{Path: to, Target: target, Origin: origin})
}

// links takes over the links that generators make.
func (l *lowering) links() {
	for _, b := range l.e.IX.Blocks["generate"] {
		out, _ := l.e.Generated(b, b.Header)
		if out == nil {
			continue
		}
		dir := tree.UnitDir(l.e.Place(b), tree.System)
		for i := range out.Links {
			x := &out.Links[i]
			a := x.Attr("target")
			if a == nil || a.Value.IsNull() || a.Value.Type() != stringType.Cty() {
				continue
			}
			target := a.Value.AsString()
			if fault := PathFault(x.Label); fault != "" {
				l.err("E0608", "Path is refused", x.Range, "The link %q %s.", x.Label, fault)
				continue
			}
			if target != "/dev/null" {
				clean := path.Join(path.Dir(path.Join("/", x.Label)), target)
				if strings.HasPrefix(target, "/") || strings.ContainsAny(target, "\n\r\x00") || target == "" || strings.Count(target, "..") > strings.Count(x.Label, "/") || clean == "/" {
					l.err("E0608", "Path is refused", a.Range, "The target %q of the link %q leads out of the directory of units. Write the unit's name, or ../NAME in a .wants directory.", target, x.Label)
					continue
				}
			}
			l.t.Links = append(l.t.Links, &tree.Link{Path: path.Join(dir, x.Label), Target: target, Origin: syntax.Range(x.Range)})
		}
	}
	sort.Slice(l.t.Links, func(i, j int) bool { return l.t.Links[i].Path < l.t.Links[j].Path })
}

func reason(err error) string {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err.Error()
	}
	return err.Error()
}

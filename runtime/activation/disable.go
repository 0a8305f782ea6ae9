package activation

import (
	"os"
	"path"
	"path/filepath"
	"sort"
	"strings"

	"github.com/unitgen/unitgen/emit"
	"github.com/unitgen/unitgen/runtime/generation"
	"github.com/unitgen/unitgen/runtime/plan"
	"github.com/unitgen/unitgen/schema/tree"
	"github.com/unitgen/unitgen/schema/unitname"
)

// pullDirs are the directories whose links pull units in (systemd.unit(5)).
var pullDirs = map[string]string{".wants": "Wants", ".requires": "Requires", ".upholds": "Upholds"}

// Links gives what enables units on the host from outside the trees: the links
// below /etc/systemd that systemctl or somebody made, as `systemctl disable`
// finds them, and those that the current generation keeps away.
func (p *Place) Links(s *generation.State) ([]plan.Link, error) {
	if p == nil || p.User != "" {
		return nil, nil
	}
	p.reach()
	var out []plan.Link
	for _, scope := range []tree.Scope{tree.System, tree.User} {
		out = append(out, p.linksIn(s, scope, unitDirOf(scope))...)
	}
	placed, err := Placed(s)
	if err != nil {
		return nil, err
	}
	for _, i := range placed.Items {
		if _, err := os.Lstat(backupPath(s, i.Path)); i.Absent == "" || err != nil {
			continue
		}
		if _, err := os.Lstat(p.host(i.Path)); err == nil {
			continue
		}
		l := linkAt(i.Path, i.Absent)
		l.Withheld = true
		out = append(out, l)
	}
	return out, nil
}

func unitDirOf(scope tree.Scope) string {
	if scope == tree.User {
		return etcUser
	}
	return etcSystem
}

// linkAt tells what a link at a path below /etc/systemd does for a unit.
func linkAt(at, unit string) plan.Link {
	l := plan.Link{Scope: tree.System, Path: at, Unit: unit}
	if strings.HasPrefix(at, etcUser+"/") {
		l.Scope = tree.User
	}
	dir := path.Base(path.Dir(at))
	if how := pullDirs[path.Ext(dir)]; how != "" {
		l.By, l.How = strings.TrimSuffix(dir, path.Ext(dir)), how
	}
	return l
}

// linksIn gives the links of one directory of units, those of ours left out.
func (p *Place) linksIn(s *generation.State, scope tree.Scope, dir string) []plan.Link {
	var out []plan.Link
	note := func(at, unit string) {
		target, err := os.Readlink(p.host(at))
		if err != nil || target == "/dev/null" || strings.HasPrefix(target, p.pivot(s)+"/") || !unitname.Valid(unit) {
			return
		}
		l := linkAt(at, unit)
		l.Scope = scope
		out = append(out, l)
	}
	names, err := os.ReadDir(p.host(dir))
	if err != nil {
		return nil // there is none, or nobody can read it
	}
	for _, n := range names {
		at := path.Join(dir, n.Name())
		switch {
		case n.IsDir() && pullDirs[path.Ext(n.Name())] != "":
			links, _ := os.ReadDir(p.host(at))
			for _, l := range links {
				note(path.Join(at, l.Name()), l.Name())
			}
		case n.Type()&os.ModeSymlink != 0:
			// An alias: the link's own name is another than the unit's.
			if target, err := os.Readlink(p.host(at)); err == nil && path.Base(target) != n.Name() {
				note(at, path.Base(target))
			}
		}
	}
	return out
}

// enables reports whether a link lies at the path of an absent item that enables
// its unit. An alias that another unit took meanwhile does not, nor does a file
// of that name.
func (p *Place) enables(i Item) bool {
	target, err := os.Readlink(p.host(i.Path))
	if err != nil || target == "/dev/null" {
		return false
	}
	return linkAt(i.Path, i.Absent).By != "" || path.Base(target) == i.Absent
}

// disabledBy reports whether a manifest disables a unit.
func disabledBy(m *emit.Manifest, scope tree.Scope, unit string) bool {
	for _, d := range m.Disabled {
		if d.Scope == scope && (d.Unit == unit || unitname.IsTemplate(d.Unit) && unitname.Template(unit) == d.Unit) {
			return true
		}
	}
	return false
}

// absent adds the links that must not be there: those of the host that enable a
// unit which the tree disables, and those that are kept away already.
func (l *layout) absent(s *generation.State, m *emit.Manifest) error {
	if len(m.Disabled) == 0 {
		return nil
	}
	links, err := l.place.Links(s)
	if err != nil {
		return err
	}
	have := map[string]bool{}
	for _, i := range l.out.Items {
		have[i.Path] = true
	}
	for _, k := range links {
		if disabledBy(m, k.Scope, k.Unit) && !have[k.Path] {
			have[k.Path] = true
			l.out.Items = append(l.out.Items, Item{Path: k.Path, Absent: k.Unit, Adopt: true})
		}
	}
	return nil
}

// vendorDirs are the directories of units that nobody but packages and
// generators write.
var vendorDirs = []string{"/usr/lib/systemd", "/lib/systemd", "/run/systemd/generator", "/run/systemd/generator.late", "/run/systemd/generator.early"}

// stillPulled says of units that a tree disables that something pulls them in
// which is no link of the administrator's: disabling does not reach that.
func (p *Place) stillPulled(m *emit.Manifest) []string {
	said := map[string]bool{}
	var out []string
	for _, dir := range vendorDirs {
		for _, scope := range []tree.Scope{tree.System, tree.User} {
			at := dir
			if strings.HasPrefix(dir, "/run") {
				if scope == tree.User {
					continue
				}
			} else {
				at = path.Join(dir, string(scope))
			}
			links, err := filepath.Glob(filepath.Join(p.host(at), "*.*", "*"))
			if err != nil {
				continue
			}
			for _, f := range links {
				unit, by := filepath.Base(f), filepath.Base(filepath.Dir(f))
				if pullDirs[filepath.Ext(by)] == "" || !disabledBy(m, scope, unit) || said[by+"/"+unit] {
					continue
				}
				said[by+"/"+unit] = true
				out = append(out, unit+" is disabled, but "+path.Join(at, by, unit)+" pulls it in all the same, and is not the administrator's to remove: write mask = true")
			}
		}
	}
	sort.Strings(out)
	return out
}

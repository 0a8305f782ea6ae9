package emit

import (
	"path"

	"github.com/unitgen/unitgen/schema/diag"
	"github.com/unitgen/unitgen/schema/install"
	"github.com/unitgen/unitgen/schema/tree"
	"github.com/unitgen/unitgen/schema/unitfile"
	"github.com/unitgen/unitgen/schema/unitname"
)

// distroDir is where distributions ship the units of a scope; links to units
// outside the tree lead there.
const distroDir = "/usr/lib/systemd"

// installLinks gives the links that `systemctl enable` would make from the
// [Install] sections of the tree's units, instances and distribution units,
// and the masks of the latter. Links to units of the tree are relative, so that
// the same tree works wherever it is mounted or linked.
func installLinks(t *tree.Tree) ([]*tree.Link, diag.List) {
	var out []*tree.Link
	var diags diag.List
	for _, scope := range []tree.Scope{tree.System, tree.User} {
		s := newEnabling(t, scope)
		links, ds := s.links(t)
		out, diags = append(out, links...), append(diags, ds...)
	}
	return out, diags
}

// enabling is what is enabled in one scope.
type enabling struct {
	scope  tree.Scope
	files  map[string]*unitfile.File
	origin map[string]diag.Range
	distro map[string]bool
	names  []string
}

func newEnabling(t *tree.Tree, scope tree.Scope) *enabling {
	s := &enabling{scope: scope, files: map[string]*unitfile.File{}, origin: map[string]diag.Range{}, distro: map[string]bool{}}
	for _, u := range t.Units {
		if u.Scope != scope || u.Mask || u.File == nil || u.Place != tree.Etc && u.Place != "" {
			continue
		}
		s.files[u.Name], s.origin[u.Name] = u.File, u.Origin
		if u.NoInstall || disables(t, scope, u.Name) || len(u.File.Assignments("Install")) == 0 {
			continue
		}
		if unitname.IsTemplate(u.Name) && len(u.File.Values("Install", "DefaultInstance")) == 0 {
			continue // its instances are enabled one by one
		}
		s.names = append(s.names, u.Name)
	}
	for _, d := range t.Distro {
		if d.Scope != scope || d.File == nil || s.files[d.Name] != nil {
			continue
		}
		s.files[d.Name], s.origin[d.Name], s.distro[d.Name] = d.File, d.Origin, true
		if d.Enable && !d.Mask {
			s.names = append(s.names, d.Name)
		}
	}
	return s
}

func (s *enabling) links(t *tree.Tree) ([]*tree.Link, diag.List) {
	var diags diag.List
	dir := tree.UnitDir(tree.Etc, s.scope)
	for _, i := range t.Instances {
		if i.Scope != s.scope || !i.Enable {
			continue
		}
		if tmpl := unitname.Template(i.Name); s.files[tmpl] == nil && s.files[i.Name] == nil {
			diags = append(diags, diag.Errorf("E0806", "Instance of a template that is not in the tree", i.Origin,
				"%s is an instance of %s, which no block declares. Declare the template, or correct the name.", i.Name, tmpl))
			continue
		}
		s.origin[i.Name] = i.Origin
		s.names = append(s.names, i.Name)
	}
	sortStrings(s.names)
	made, ds := install.InstallLinks(func(n string) *unitfile.File { return s.files[n] }, s.names, s.scope)
	diags = append(diags, ds...)
	var out []*tree.Link
	for _, l := range made {
		link := &tree.Link{Path: path.Join(dir, l.Path), Target: l.Target, Origin: s.origin[l.Unit]}
		if s.distro[l.Unit] || s.distro[unitname.Template(l.Unit)] {
			link.Target = path.Join(distroDir, string(s.scope), l.Unit)
		}
		out = append(out, link)
	}
	for _, d := range t.Distro {
		if d.Scope == s.scope && d.Mask {
			out = append(out, &tree.Link{Path: path.Join(dir, d.Name), Target: "/dev/null", Origin: d.Origin})
		}
	}
	return out, diags
}

package emit

import (
	"path"
	"strings"

	"github.com/unitgen/unitgen/schema/diag"
	"github.com/unitgen/unitgen/schema/tree"
	"github.com/unitgen/unitgen/schema/unitfile"
	"github.com/unitgen/unitgen/schema/unitname"
)

// installLinks gives the links that `systemctl enable` would make from the
// [Install] sections of the tree's units, instances and distribution units.
// Targets are relative, so that the same tree works wherever it is mounted or
// linked.
func installLinks(t *tree.Tree) ([]*tree.Link, diag.List) {
	var out []*tree.Link
	var diags diag.List
	units := map[tree.Scope]map[string]*tree.Unit{tree.System: {}, tree.User: {}}
	for _, u := range t.Units {
		if units[u.Scope] == nil || u.Mask || u.File == nil {
			continue
		}
		units[u.Scope][u.Name] = u
		if u.NoInstall || u.Place != tree.Etc && u.Place != "" {
			continue
		}
		if unitname.IsTemplate(u.Name) {
			def := last(u.File.Values("Install", "DefaultInstance"))
			if def == "" {
				continue
			}
			p, _, typ, _ := unitname.Split(u.Name)
			out = append(out, unitLinks(u.Scope, p+"@"+def+"."+typ, u.Name, u.File, u.Origin)...)
			continue
		}
		out = append(out, unitLinks(u.Scope, u.Name, u.Name, u.File, u.Origin)...)
	}
	for _, i := range t.Instances {
		if !i.Enable {
			continue
		}
		tmpl := unitname.Template(i.Name)
		u := units[i.Scope][tmpl]
		if u == nil {
			diags = append(diags, diag.Errorf("E0806", "Instance of a template that is not in the tree", i.Origin,
				"%s is an instance of %s, which no block declares. Declare the template, or correct the name.", i.Name, tmpl))
			continue
		}
		out = append(out, unitLinks(i.Scope, i.Name, u.Name, u.File, i.Origin)...)
	}
	for _, d := range t.Distro {
		dir := tree.UnitDir(tree.Etc, d.Scope)
		switch {
		case d.Mask:
			out = append(out, &tree.Link{Path: path.Join(dir, d.Name), Target: "/dev/null", Origin: d.Origin})
		case d.Enable && d.File != nil:
			out = append(out, distroLinks(d)...)
		}
	}
	return out, diags
}

// distroLinks are the links of a unit that lies outside the tree: the link's
// target is where distributions ship units.
func distroLinks(d *tree.DistroUnit) []*tree.Link {
	links := unitLinks(d.Scope, d.Name, d.Name, d.File, d.Origin)
	for _, l := range links {
		l.Target = path.Join("/usr/lib/systemd", string(d.Scope), path.Base(l.Target))
	}
	return links
}

// unitLinks are the links of one unit: name is how it is enabled, file the
// unit file that the links lead to (a template for an instance).
func unitLinks(scope tree.Scope, name, file string, f *unitfile.File, origin diag.Range) []*tree.Link {
	dir := tree.UnitDir(tree.Etc, scope)
	var out []*tree.Link
	for key, suffix := range map[string]string{"WantedBy": ".wants", "RequiredBy": ".requires", "UpheldBy": ".upholds"} {
		for _, by := range words(f.Values("Install", key)) {
			out = append(out, &tree.Link{Path: path.Join(dir, expand(by, name)+suffix, name), Target: "../" + file, Origin: origin})
		}
	}
	for _, alias := range words(f.Values("Install", "Alias")) {
		if alias = expand(alias, name); alias != name {
			out = append(out, &tree.Link{Path: path.Join(dir, alias), Target: file, Origin: origin})
		}
	}
	return out
}

func words(values []string) []string {
	var out []string
	for _, v := range values {
		if v == "" {
			out = nil
			continue
		}
		out = append(out, strings.Fields(v)...)
	}
	return out
}

func last(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[len(values)-1]
}

// expand resolves the specifiers of [Install] that depend on the unit's name.
func expand(s, name string) string {
	prefix, instance, typ, _ := unitname.Split(name)
	r := strings.NewReplacer("%i", instance, "%p", prefix, "%n", name, "%N", strings.TrimSuffix(name, "."+typ), "%%", "%")
	return r.Replace(s)
}

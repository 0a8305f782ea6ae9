// Package install is what systemctl's offline verbs do: enable, disable,
// preset, mask and the rest, on a directory that stands for a root file
// system, and the install links that a tree's own units ask for
// (systemd.unit(5), "[INSTALL] SECTION OPTIONS"; systemctl(1), "Unit File
// Commands").
//
// It takes directories or units in memory and gives links, answers and the
// words that systemctl says about them. It knows nothing of HCL or of a running
// manager.
package install

import (
	"path"
	"strings"

	"github.com/unitgen/unitgen/schema/diag"
	"github.com/unitgen/unitgen/schema/specifier"
	"github.com/unitgen/unitgen/schema/tree"
	"github.com/unitgen/unitgen/schema/unitfile"
	"github.com/unitgen/unitgen/schema/unitname"
)

// Codes of the diagnostics of this package.
const (
	CodeInstall  = "E1041" // a link that an [Install] section asks for cannot be made
	CodeConflict = "E1042" // two units ask for the same link
)

// Link is one symbolic link that enabling a unit makes. Path is relative to the
// scope's configuration directory (etc/systemd/system), such as
// "multi-user.target.wants/app.service". Target is the unit file's name for
// what stands in the same directory: "../app.service" from a .wants directory,
// "app.service" for an alias.
type Link struct {
	Path, Target string
	Unit         string // the unit whose [Install] section asks for it
}

// InstallLinks gives the links that enabling the named units makes, Also=
// followed, in the order in which systemctl makes them, each once. lookup gives
// the unit file of a name, nil where there is none; for an instance without a
// file of its own it is asked for the template. The unit files are taken to
// stand in the configuration directory itself; a caller whose files stand
// elsewhere rewrites Target by Unit. Specifiers that name facts of the machine
// the tree will run on (%H, %m …) are refused, for the build does not know
// them.
func InstallLinks(lookup func(name string) *unitfile.File, enable []string, scope tree.Scope) ([]Link, diag.List) {
	dir := "/etc/systemd/" + string(scope)
	if scope == "" {
		dir = "/etc/systemd/system"
	}
	mem := &memory{dir: dir, lookup: lookup, links: map[string]string{}}
	facts := specifier.System()
	e := &Engine{fs: mem, dirs: []string{dir}, config: dir, etc: dir, run: "/run/systemd/system", spec: &facts}
	e.opt.Version = 254 // UpheldBy= counts where it is written
	var out []Link
	var diags diag.List
	owner := map[string]string{}
	for _, n := range enable {
		at := place(lookup, n)
		if l := hostSpecifier(lookup, n); l != nil {
			diags = append(diags, diag.Errorf(CodeInstall, "Install link depends on the machine", origin(*l), "%s=%s of %s holds a specifier for a fact of the machine, which a build does not know. Write the name itself.", l.Key, l.Value, n))
			continue
		}
		e.changes = nil
		mark := len(mem.order)
		_, err := e.Enable([]string{n})
		for _, c := range e.changes {
			switch {
			case c.Kind == Exists:
				diags = append(diags, diag.Errorf(CodeConflict, "Two units claim one name", at, "%s asks for the link %s, which is %s already. Let only one of them have it.", n, strings.TrimPrefix(c.Path, dir+"/"), taken(c, owner, dir)))
			case c.Failure():
				diags = append(diags, diag.Errorf(CodeInstall, "Install link cannot be made", at, "%s", reason(n, c)))
			case c.Kind == AuxiliaryFailed:
				diags = append(diags, diag.Warnf(CodeInstall, "Also= names a unit that is not there", at, "%s names %s in Also=, which has no unit file here; no link is made for it.", n, c.Path))
			}
		}
		if err != nil && len(e.changes) == 0 {
			diags = append(diags, diag.Errorf(CodeInstall, "Install link cannot be made", at, "%s: %s.", n, Words(err)))
		}
		for _, p := range mem.order[mark:] {
			rel := strings.TrimPrefix(p, dir+"/")
			l := Link{Path: rel, Unit: path.Base(mem.links[p])}
			l.Target = strings.Repeat("../", strings.Count(rel, "/")) + l.Unit
			owner[rel] = l.Unit
			out = append(out, l)
		}
	}
	return out, diags
}

func taken(c Change, owner map[string]string, dir string) string {
	rel := strings.TrimPrefix(c.Path, dir+"/")
	if o := owner[rel]; o != "" {
		return "an alias of " + o
	}
	if c.Source != "" {
		return "linked to " + c.Source
	}
	return "a unit file of its own"
}

// file gives the unit file of a unit or of its template.
func file(lookup func(string) *unitfile.File, n string) *unitfile.File {
	f := lookup(n)
	if f == nil {
		if t := unitname.Template(n); t != "" {
			f = lookup(t)
		}
	}
	return f
}

// place gives the first place of the unit's [Install] section.
func place(lookup func(string) *unitfile.File, n string) diag.Range {
	if f := file(lookup, n); f != nil {
		for _, l := range f.Assignments("Install") {
			return origin(l)
		}
	}
	return diag.Range{}
}

func origin(l unitfile.Line) diag.Range {
	if !l.Origin.IsZero() {
		return l.Origin
	}
	return l.Pos
}

// hostSpecifier gives the assignment that needs facts of a machine.
func hostSpecifier(lookup func(string) *unitfile.File, n string) *unitfile.Line {
	f := file(lookup, n)
	if f == nil {
		return nil
	}
	for _, l := range f.Assignments("Install") {
		for i := 0; i+1 < len(l.Value); i++ {
			if l.Value[i] != '%' {
				continue
			}
			i++
			if strings.IndexByte("aAbBHlmMoqvwW", l.Value[i]) >= 0 {
				return &l
			}
		}
	}
	return nil
}

package unitimport

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/unitgen/unitgen/schema/diag"
	"github.com/unitgen/unitgen/schema/tree"
	"github.com/unitgen/unitgen/schema/unitfile"
	"github.com/unitgen/unitgen/schema/unitname"
)

// Bounds on what is read: a unit file, and the number of files below the paths
// of one import.
const (
	maxFile  = 16 << 20
	maxFiles = 200_000
)

// Codes of the diagnostics of this package.
const (
	CodeUnreadable = "E1081"
	CodeNotUnit    = "E1082"
	CodeTooMany    = "E1083"
)

// key names a unit: its name in one manager.
type key struct {
	scope tree.Scope
	name  string
}

// unit is one unit file that was found.
type unit struct {
	key
	path string
	rank int // of its directory; the highest wins
	file *unitfile.File
	mask bool
	data []byte

	aliases []alias
	deps    []depLink
	// target is the link target to keep for a unit that is only linked to.
	target string
	alone  bool // given as a file of its own, not found in a directory
	// refused says why systemd would not load the unit.
	refused string
}

// alias is a link of another name to a unit.
type alias struct {
	name string
	rank int
}

// depLink is one entry of a .wants, .requires or .upholds directory.
type depLink struct {
	kind  string // wants, requires, upholds
	owner string // the unit that wants it
	text  string // the link's target
}

// dropin is one drop-in file that was found.
type dropin struct {
	scope      tree.Scope
	owner      string // "nginx.service", "service", "a-.service"
	name       string // without ".conf"
	path       string
	rank       int
	file       *unitfile.File
	mask       bool
	data       []byte
	overridden bool
}

// set is all that the paths of an import hold.
type set struct {
	units   map[key]*unit
	dropins map[string]*dropin // scope/owner/name
	notes   []string
	files   int
}

// loadDirs ranks the directories of the load path by the words in a path
// (systemd.unit(5), "Unit File Load Path"), lowest first.
var loadDirs = []string{"/usr/lib/", "/lib/", "/usr/local/lib/", "/run/", "/etc/"}

func rankOf(path string) int {
	r := 0
	for i, d := range loadDirs {
		if strings.Contains(path, d) && (d != "/lib/" || !strings.Contains(path, "/usr/lib/") && !strings.Contains(path, "/usr/local/lib/")) {
			r = i
		}
	}
	return r
}

// scopeOf gives the manager that the files of a directory belong to, by the
// last part of the path that is "system" or "user". A user's home directory of
// that name says nothing.
func scopeOf(dir string) tree.Scope {
	parts := strings.Split(filepath.ToSlash(dir), "/")
	for i, p := range slices.Backward(parts) {
		switch {
		case p == "system":
			return tree.System
		case p == "user" && (i == 0 || parts[i-1] != "home"):
			return tree.User
		}
	}
	return tree.System
}

// scan reads the paths of an import.
func scan(paths []string) (*set, diag.List) {
	s := &set{units: map[key]*unit{}, dropins: map[string]*dropin{}}
	var ds diag.List
	for _, p := range paths {
		abs, err := filepath.Abs(p)
		if err != nil {
			abs = p
		}
		st, err := os.Stat(p)
		switch {
		case err != nil:
			ds = append(ds, unreadable(p, err))
		case st.IsDir():
			ds = append(ds, s.dir(abs, p, 0)...)
		case !unitname.Valid(filepath.Base(p)) && !strings.HasSuffix(p, ".conf"):
			ds = append(ds, diag.Errorf(CodeNotUnit, "Not a unit file", diag.Range{File: p},
				"The name %q is no unit name: it needs a suffix such as .service, .socket or .timer. Rename a copy, or name the directory that holds the unit files.", filepath.Base(p)))
		default:
			ds = append(ds, s.entry(abs, p, true)...)
		}
	}
	s.settleAliases()
	for _, u := range s.links() {
		s.attach(u)
	}
	return s, ds
}

func unreadable(path string, err error) *diag.Diagnostic {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	return diag.Errorf(CodeUnreadable, "Unreadable file", diag.Range{File: path}, "%v. Name a unit file or a directory of unit files that can be read.", err)
}

// dir reads a directory and those below it. Links to directories are not
// followed, but for the path that was given itself.
func (s *set) dir(abs, shown string, depth int) diag.List {
	if depth > 32 {
		return nil
	}
	list, err := os.ReadDir(shown)
	if err != nil {
		return diag.List{unreadable(shown, err)}
	}
	var ds diag.List
	for _, e := range list {
		if s.files++; s.files > maxFiles {
			return append(ds, diag.Errorf(CodeTooMany, "Too many files", diag.Range{File: shown}, "More than %d files stand below the paths of this import. Name the directories that hold unit files.", maxFiles))
		}
		a, sh := filepath.Join(abs, e.Name()), filepath.Join(shown, e.Name())
		switch {
		case e.IsDir():
			if kind, owner, ok := depDir(e.Name()); ok {
				ds = append(ds, s.depDir(a, sh, kind, owner)...)
				continue
			}
			ds = append(ds, s.dir(a, sh, depth+1)...)
		case e.Type().IsRegular(), e.Type()&fs.ModeSymlink != 0:
			ds = append(ds, s.entry(a, sh, false)...)
		}
	}
	return ds
}

// depDir takes the name of a .wants directory apart.
func depDir(name string) (kind, owner string, ok bool) {
	for _, k := range []string{"wants", "requires", "upholds"} {
		if o, found := strings.CutSuffix(name, "."+k); found && unitname.Valid(o) {
			return k, o, true
		}
	}
	return "", "", false
}

func (s *set) depDir(abs, shown, kind, owner string) diag.List {
	list, err := os.ReadDir(shown)
	if err != nil {
		return diag.List{unreadable(shown, err)}
	}
	for _, e := range list {
		if !unitname.Valid(e.Name()) {
			s.note("%s: no unit name, left out", filepath.Join(shown, e.Name()))
			continue
		}
		text, _ := os.Readlink(filepath.Join(shown, e.Name()))
		u := s.unit(key{scopeOf(filepath.Dir(abs)), e.Name()})
		u.deps = append(u.deps, depLink{kind, owner, text})
	}
	return nil
}

// unit gives the record of a unit, made on first use.
func (s *set) unit(k key) *unit {
	u := s.units[k]
	if u == nil {
		u = &unit{key: k, rank: -1}
		s.units[k] = u
	}
	return u
}

func (s *set) note(format string, args ...any) {
	s.notes = append(s.notes, fmt.Sprintf(format, args...))
}

// entry reads one file or link that may be a unit or a drop-in; anything else
// in a directory is passed over.
func (s *set) entry(abs, shown string, alone bool) diag.List {
	name := filepath.Base(abs)
	dir := filepath.Dir(abs)
	scope := scopeOf(dir)
	owner, inDropin := strings.CutSuffix(filepath.Base(dir), ".d")
	isDropin := inDropin && strings.HasSuffix(name, ".conf") && dropinOwner(owner)
	if !isDropin && !unitname.Valid(name) {
		if alone {
			return diag.List{diag.Errorf(CodeNotUnit, "Not a unit file", diag.Range{File: shown}, "A drop-in is named UNIT.d/NAME.conf; %q does not stand in such a directory.", shown)}
		}
		return nil
	}
	text, linkErr := os.Readlink(shown)
	isLink := linkErr == nil
	mask := isLink && text == "/dev/null"
	rank := rankOf(abs)

	if !isDropin && isLink && !mask && filepath.Base(text) != name && unitname.Valid(filepath.Base(text)) && !alone {
		t := s.unit(key{scope, filepath.Base(text)})
		t.aliases = append(t.aliases, alias{name, rank})
		if t.rank < 0 && t.target == "" {
			t.target = text
		}
		return nil
	}

	var data []byte
	if !mask {
		st, err := os.Stat(shown)
		switch {
		case err != nil && isLink && !alone:
			s.note("%s: a link to %s, which is not there, left out", shown, text)
			return nil
		case err != nil:
			return diag.List{unreadable(shown, err)}
		case !st.Mode().IsRegular():
			if alone {
				return diag.List{unreadable(shown, errors.New("it is no regular file"))}
			}
			return nil
		case st.Size() > maxFile:
			return diag.List{unreadable(shown, fmt.Errorf("it is larger than %d bytes", maxFile))}
		}
		if data, err = os.ReadFile(shown); err != nil {
			return diag.List{unreadable(shown, err)}
		}
	}
	f, ds := unitfile.Parse(shown, data)
	var bad diag.List
	refused := ""
	for _, d := range ds {
		switch {
		case d.Code == unitfile.CodeHeader && !isDropin:
			refused = "systemd refuses the file: " + d.Detail
		case d.Severity == diag.Error:
			bad = append(bad, d)
		}
	}
	if hasNUL(data) && len(bad) == 0 {
		bad = append(bad, diag.Errorf(CodeUnreadable, "NUL character in a unit file", diag.Range{File: shown}, "A NUL character ends a line for systemd and hides what follows. Take it out of the file."))
	}
	if !utf8.Valid(data) && len(bad) == 0 {
		bad = append(bad, diag.Errorf(CodeUnreadable, "Invalid UTF-8 in a unit file", diag.Range{File: shown}, "systemd ignores lines that are not UTF-8, and HCL cannot hold them. Convert the file to UTF-8, or take the line out."))
	}
	if len(bad) > 0 {
		return bad
	}
	if isDropin {
		s.addDropin(&dropin{scope: scope, owner: owner, name: strings.TrimSuffix(name, ".conf"), path: shown, rank: rank, file: f, mask: mask || len(data) == 0 && isLink, data: data})
		return nil
	}
	u := s.unit(key{scope, name})
	if u.rank >= rank {
		s.note("%s: %s takes precedence, left out", shown, u.path)
		return nil
	}
	if u.rank >= 0 {
		s.note("%s: %s takes precedence, left out", u.path, shown)
	}
	u.path, u.rank, u.file, u.data, u.alone, u.refused = shown, rank, f, data, alone, refused
	// An empty unit file masks like a link to /dev/null (systemd.unit(5)).
	u.mask = mask || len(data) == 0
	return nil
}

func hasNUL(data []byte) bool { return slices.Contains(data, 0) }

// dropinOwner reports whether the directory OWNER.d holds drop-ins of units.
func dropinOwner(owner string) bool {
	return unitname.Valid(owner) || slices.Contains(unitname.Types, owner)
}

func (s *set) addDropin(d *dropin) {
	id := string(d.scope) + "/" + d.owner + "/" + d.name
	if old := s.dropins[id]; old != nil {
		if old.rank >= d.rank {
			s.note("%s: %s takes precedence, left out", d.path, old.path)
			return
		}
		s.note("%s: %s takes precedence, left out", old.path, d.path)
		d.overridden = true
	}
	s.dropins[id] = d
}

// settleAliases decides between an alias and a unit file of the same name by
// the rank of their directories.
func (s *set) settleAliases() {
	for _, u := range s.sorted() {
		kept := u.aliases[:0]
		for _, a := range u.aliases {
			k := key{u.scope, a.name}
			if o := s.units[k]; o != nil && o.rank >= 0 {
				if o.rank >= a.rank {
					s.note("%s: the unit file %s takes precedence over the alias of %s, left out", a.name, o.path, u.name)
					continue
				}
				s.note("%s: the alias of %s takes precedence, left out", o.path, u.name)
				u.deps = append(u.deps, o.deps...)
				delete(s.units, k)
			}
			if !slices.ContainsFunc(kept, func(x alias) bool { return x.name == a.name }) {
				kept = append(kept, a)
			}
		}
		u.aliases = kept
	}
}

// sorted gives every unit in a stable order.
func (s *set) sorted() []*unit {
	out := make([]*unit, 0, len(s.units))
	for _, u := range s.units {
		out = append(out, u)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].less(out[j]) })
	return out
}

// links gives the units that are only linked to, in a stable order.
func (s *set) links() []*unit {
	return slices.DeleteFunc(s.sorted(), func(u *unit) bool { return u.rank >= 0 })
}

func (u *unit) less(o *unit) bool {
	if u.name != o.name {
		return u.name < o.name
	}
	return u.scope < o.scope
}

// attach takes the link target of a unit without a file from the links that
// name it.
func (s *set) attach(u *unit) {
	for _, d := range u.deps {
		if u.target == "" {
			u.target = d.text
		}
	}
}

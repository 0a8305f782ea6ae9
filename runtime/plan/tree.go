package plan

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sort"
	"strings"

	"github.com/unitgen/unitgen/emit"
	"github.com/unitgen/unitgen/schema/tree"
	"github.com/unitgen/unitgen/schema/unitfile"
	"github.com/unitgen/unitgen/schema/unitname"
)

// maxUnitFile is the largest unit file that is read, in bytes.
const maxUnitFile = 16 << 20

// Tree is a tree as the planner sees it.
type Tree struct {
	dir     string
	root    *os.Root // while it is being read
	sources *emit.Sources
	scopes  map[tree.Scope]*scopeUnits
	files   map[string]string // path -> what makes it differ from another

	disabled map[tree.Scope]map[string]bool // units of others that it disables
}

// scopeUnits are the units of one manager.
type scopeUnits struct {
	fragments map[string]*fragment // unit files and masks by name
	aliases   map[string]string    // alias -> name
	dropIns   map[string][]dropIn  // "app.service", "service", "a-.service" -> its drop-ins
	pulls     []pull
	loaded    map[string]*Unit
}

type fragment struct {
	path   string // relative to the tree's root
	masked bool
	file   *unitfile.File
}

type dropIn struct {
	name, path string
	masked     bool
	file       *unitfile.File
}

// pull is one link in a .wants, .requires or .upholds directory.
type pull struct {
	by, unit, path string
	how            string // "Wants", "Requires", "Upholds"
}

// Empty gives a tree with nothing in it.
func Empty() *Tree {
	t := &Tree{sources: &emit.Sources{}, scopes: map[tree.Scope]*scopeUnits{}, files: map[string]string{},
		disabled: map[tree.Scope]map[string]bool{}}
	for _, s := range []tree.Scope{tree.System, tree.User} {
		t.scopes[s] = newScopeUnits()
	}
	return t
}

func newScopeUnits() *scopeUnits {
	return &scopeUnits{
		fragments: map[string]*fragment{}, aliases: map[string]string{},
		dropIns: map[string][]dropIn{}, loaded: map[string]*Unit{},
	}
}

// Read reads a tree: the units of both scopes, the files, and the sources that
// lie beside it.
func Read(dir string) (*Tree, error) {
	st, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s is no tree: there is no such directory", dir)
	case err != nil:
		return nil, err
	case !st.IsDir():
		return nil, fmt.Errorf("%s is no tree: it is no directory", dir)
	}
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	t := Empty()
	t.dir = dir
	if t.root, err = os.OpenRoot(dir); err != nil {
		return nil, err
	}
	defer func() { t.root.Close(); t.root = nil }()
	if t.sources, err = emit.ReadSources(dir); err != nil {
		return nil, err
	}
	if err := t.readFiles(); err != nil {
		return nil, err
	}
	found := false
	for _, scope := range []tree.Scope{tree.System, tree.User} {
		for _, place := range []tree.Place{tree.GeneratorEarly, tree.Etc, tree.Generator, tree.GeneratorLate} {
			ok, err := t.readUnits(scope, tree.UnitDir(place, scope))
			if err != nil {
				return nil, err
			}
			found = found || ok
		}
	}
	if !found && !exists(filepath.Join(dir, "etc")) && !exists(filepath.Join(dir, emit.ManifestFile)) {
		return nil, fmt.Errorf("%s is no tree: it has neither etc/systemd/system nor etc", dir)
	}
	return t, nil
}

func exists(p string) bool {
	_, err := os.Stat(p)
	return err == nil
}

// Dir gives where the tree was read, "" for the empty one.
func (t *Tree) Dir() string { return t.dir }

// readUnits adds a unit directory; what an earlier one has wins.
func (t *Tree) readUnits(scope tree.Scope, rel string) (bool, error) {
	names, err := os.ReadDir(filepath.Join(t.dir, rel))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	u := t.scopes[scope]
	for _, n := range names {
		p := path.Join(rel, n.Name())
		switch {
		case n.IsDir() || n.Type()&fs.ModeSymlink != 0 && t.isDir(p):
			err = t.readUnitDir(u, n.Name(), p)
		case unitname.Type(n.Name()) == "":
			continue
		default:
			err = t.readFragment(u, n.Name(), p)
		}
		if err != nil {
			return true, err
		}
	}
	return true, nil
}

func (t *Tree) isDir(rel string) bool {
	real, err := t.resolve(rel)
	if err != nil {
		return false
	}
	st, err := os.Stat(real)
	return err == nil && st.IsDir()
}

func (t *Tree) readUnitDir(u *scopeUnits, name, rel string) error {
	real, err := t.resolve(rel)
	if err != nil {
		return nil
	}
	names, err := os.ReadDir(real)
	if err != nil {
		return err
	}
	for suffix, how := range map[string]string{".wants": "Wants", ".requires": "Requires", ".upholds": "Upholds"} {
		by, ok := strings.CutSuffix(name, suffix)
		if !ok {
			continue
		}
		for _, n := range names {
			if unitname.Type(n.Name()) != "" {
				u.pulls = append(u.pulls, pull{by: by, unit: n.Name(), path: path.Join(rel, n.Name()), how: how})
			}
		}
		return nil
	}
	of, ok := strings.CutSuffix(name, ".d")
	if !ok {
		return nil
	}
	for _, n := range names {
		if !strings.HasSuffix(n.Name(), ".conf") || strings.HasPrefix(n.Name(), ".") {
			continue
		}
		p := path.Join(rel, n.Name())
		if has(u.dropIns[of], n.Name()) {
			continue
		}
		f, masked, err := t.parse(p)
		if err != nil {
			return err
		}
		u.dropIns[of] = append(u.dropIns[of], dropIn{name: n.Name(), path: p, masked: masked, file: f})
	}
	return nil
}

func has(list []dropIn, name string) bool {
	for _, d := range list {
		if d.name == name {
			return true
		}
	}
	return false
}

func (t *Tree) readFragment(u *scopeUnits, name, rel string) error {
	if _, ok := u.fragments[name]; ok || u.aliases[name] != "" {
		return nil
	}
	if target, err := os.Readlink(filepath.Join(t.dir, rel)); err == nil && target != "/dev/null" {
		if base := path.Base(target); base != name && unitname.Type(base) != "" {
			u.aliases[name] = base
			return nil
		}
	}
	f, masked, err := t.parse(rel)
	if err != nil {
		return err
	}
	u.fragments[name] = &fragment{path: rel, masked: masked, file: f}
	return nil
}

// file gives the file behind a path of the tree: within the tree where that
// has it, else what an absolute link leads to on this host, as in the trees of
// those who keep their unit files in a store.
func (t *Tree) file(rel string) (string, error) {
	real, err := t.resolve(rel)
	if !errors.Is(err, fs.ErrNotExist) {
		return real, err
	}
	target, lerr := os.Readlink(filepath.Join(t.dir, rel))
	if lerr != nil {
		return "", err
	}
	if _, err := os.Stat(target); err == nil && path.IsAbs(target) {
		return target, nil
	}
	return "", fmt.Errorf("%s is a link to %s, which is not there", rel, target)
}

// parse reads a unit file or drop-in. An empty one, or a link to /dev/null, is
// a mask.
func (t *Tree) parse(rel string) (*unitfile.File, bool, error) {
	if target, err := os.Readlink(filepath.Join(t.dir, rel)); err == nil && target == "/dev/null" {
		return &unitfile.File{}, true, nil
	}
	real, err := t.file(rel)
	if err != nil {
		return nil, false, err
	}
	st, err := os.Stat(real)
	if err != nil {
		return nil, false, err
	}
	if !st.Mode().IsRegular() {
		return nil, false, fmt.Errorf("%s is no regular file", rel)
	}
	if st.Size() == 0 {
		return &unitfile.File{}, true, nil
	}
	r, err := os.Open(real)
	if err != nil {
		return nil, false, err
	}
	defer r.Close()
	f, diags := unitfile.Read(rel, r, maxUnitFile)
	if err := diags.Err(); err != nil {
		return f, false, err
	}
	for _, l := range f.Lines {
		if l.Kind == unitfile.Assignment {
			return f, false, nil
		}
	}
	if len(diags) > 0 { // a file without a line, or of comments alone, is a unit
		return f, false, fmt.Errorf("%s is no unit file: no line of it is an assignment in a section", rel)
	}
	return f, false, nil
}

// resolve follows links below the tree, absolute ones too, and never leaves it.
func (t *Tree) resolve(rel string) (string, error) {
	for range 40 {
		target, err := t.root.Readlink(rel)
		if err != nil {
			if _, serr := t.root.Stat(rel); serr != nil {
				return "", serr
			}
			return filepath.Join(t.dir, rel), nil
		}
		if path.IsAbs(target) {
			rel = strings.TrimPrefix(path.Clean(target), "/")
			continue
		}
		rel = path.Join(path.Dir(rel), target)
		if strings.HasPrefix(rel, "../") {
			return "", fs.ErrNotExist
		}
	}
	return "", fmt.Errorf("%s: too many links", rel)
}

// units gives the names in a scope that have a unit file, a mask or drop-ins
// of their own.
func (t *Tree) units(scope tree.Scope) map[string]bool {
	out := map[string]bool{}
	u := t.scopes[scope]
	for n := range u.fragments {
		out[n] = true
	}
	for n := range u.dropIns {
		if unitname.Valid(n) && !strings.HasSuffix(strings.TrimSuffix(n, "."+unitname.Type(n)), "-") {
			out[n] = true
		}
	}
	return out
}

// pulled gives the names that links of the scope want up, each with its links.
func (t *Tree) pulled(scope tree.Scope) map[string][]pull {
	out := map[string][]pull{}
	for _, p := range t.scopes[scope].pulls {
		out[p.unit] = append(out[p.unit], p)
	}
	return out
}

// real gives the name behind an alias.
func (u *scopeUnits) real(name string) string {
	for range 8 {
		next := u.aliases[name]
		if next == "" || unitname.IsTemplate(next) && unitname.Template(name) == next {
			break
		}
		name = next
	}
	return name
}

func isTemplate(name string) bool { return unitname.IsTemplate(name) }

func sortedKeys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}

//go:build linux

package bus

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/unitgen/unitgen/runtime/unitstate"
	"github.com/unitgen/unitgen/schema/install"
	"github.com/unitgen/unitgen/schema/load"
	"github.com/unitgen/unitgen/schema/tree"
)

// treeFiles is UnitFiles of a bundled manager. What is enabled stands in the
// tree that it runs, which nobody changes: a change is a new generation. Units
// on the load path outside of the tree are static, or masked.
type treeFiles struct {
	backend unitstate.Backend

	mu     sync.Mutex
	loader *load.Loader
	engine *install.Engine // of the tree; nil without one
	root   string
	states map[string]install.Listed // of the units that were asked for
	whole  bool                      // states has all
	asked  int                       // how many were looked for one by one
}

func newUnitFiles(b unitstate.Backend) UnitFiles { return &treeFiles{backend: b} }

func baseName(p string) string { return path.Base(p) }

func (f *treeFiles) Reload() {
	f.mu.Lock()
	f.loader, f.engine, f.states, f.whole, f.asked = nil, nil, nil, false, 0
	f.mu.Unlock()
}

// open finds the load path and the tree; f.mu is held.
func (f *treeFiles) open() *load.Loader {
	if f.loader != nil {
		return f.loader
	}
	info := f.backend.Info()
	scope, global := tree.System, install.System
	if !info.System {
		scope, global = tree.User, install.Global
	}
	f.loader = load.New(load.Options{Scope: scope, Path: info.UnitPath})
	f.states = map[string]install.Listed{}
	if info.Tree != "" {
		if root, err := filepath.EvalSymlinks(info.Tree); err == nil {
			if e, err := install.New(install.Options{Root: root, Scope: global}); err == nil {
				f.engine, f.root = e, root
			}
		}
	}
	return f.loader
}

// look notes the states of the tree's units that fit the patterns; f.mu is
// held.
func (f *treeFiles) look(patterns []string) {
	if f.engine == nil {
		return
	}
	all, err := f.engine.List(patterns, nil)
	if err != nil {
		return
	}
	for _, l := range all {
		l.Path = path.Join(f.root, l.Path)
		f.states[l.Name] = l
	}
}

// read gives the loader of the load path and the states of all of the tree's
// units.
func (f *treeFiles) read() (*load.Loader, map[string]install.Listed) {
	f.mu.Lock()
	defer f.mu.Unlock()
	l := f.open()
	if !f.whole {
		f.look(nil)
		f.whole = true
	}
	return l, f.states
}

// one gives the state of one unit of the tree, without looking at the others;
// ok is false where the tree does not have it.
func (f *treeFiles) one(unit string) (s install.Listed, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.open()
	if s, known := f.states[unit]; known || f.whole {
		return s, s.Name != ""
	}
	if f.asked++; f.asked > 16 { // by now looking once at all of them is less work
		f.look(nil)
		f.whole = true
		s, ok = f.states[unit]
		return s, ok && s.Name != ""
	}
	f.look([]string{globQuote(unit)})
	s, ok = f.states[unit]
	if !ok {
		f.states[unit] = install.Listed{} // asked for, and not there
	}
	return s, ok
}

func (f *treeFiles) List() ([]UnitFileStatus, error) {
	l, states := f.read()
	var out []UnitFileStatus
	for _, n := range l.Names() {
		if s, ok := states[n]; ok && s.Name != "" {
			out = append(out, UnitFileStatus{s.Path, s.State})
			continue
		}
		for _, dir := range l.Path() {
			p := filepath.Join(dir, n)
			st, err := os.Lstat(p)
			if err != nil || st.IsDir() {
				continue
			}
			state := "static"
			if st.Mode()&fs.ModeSymlink != 0 {
				target, _ := os.Readlink(p)
				switch {
				case target == "/dev/null":
					state = "masked"
				case path.Base(target) != n:
					state = "alias"
				}
			}
			out = append(out, UnitFileStatus{p, state})
			break
		}
	}
	return out, nil
}

func (f *treeFiles) State(unit string) (string, error) {
	if s, ok := f.one(unit); ok {
		return s.State, nil
	}
	st, err := f.backend.LoadUnit(unit)
	if err != nil {
		return "", err
	}
	switch {
	case st.Transient:
		return "transient", nil
	case st.Load == unitstate.LoadMasked:
		return "masked", nil
	case st.Load == unitstate.LoadNotFound && f.loadPath().Load(unit).State == load.NotFound:
		return "", refusal(unitstate.ErrFileNotFound, "No such file or directory")
	}
	if s, ok := f.one(path.Base(st.FragmentPath)); ok {
		if s.State == "indirect" || s.State == "disabled" {
			return instanceState(f.backend.Info().Tree, unit, s.State), nil
		}
		return s.State, nil
	}
	return "static", nil
}

// instanceState says whether an instance whose template has no link of its own
// has one: "enabled" when the tree links it.
func instanceState(root, unit, otherwise string) string {
	if root == "" {
		return otherwise
	}
	for _, scope := range []string{"system", "user"} {
		for _, kind := range []string{"wants", "requires", "upholds"} {
			found, _ := filepath.Glob(filepath.Join(root, "etc/systemd", scope, "*."+kind, globQuote(unit)))
			if len(found) > 0 {
				return "enabled"
			}
		}
	}
	return otherwise
}

func globQuote(s string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(s)
}

func (f *treeFiles) Preset(unit string) string {
	s, _ := f.one(unit)
	return s.Preset
}

func (f *treeFiles) loadPath() *load.Loader {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.open()
}

func (f *treeFiles) Change(op FileOperation) (bool, []FileChange, error) {
	return false, nil, refusal(unitstate.ErrNotSupported,
		"The running tree is immutable: say it in the configuration (WantedBy=, enable, mask) and run unitgen switch.")
}

func (f *treeFiles) DefaultTarget() (string, error) { return f.backend.Info().DefaultTarget, nil }

func (f *treeFiles) Links(unit string, runtime bool) ([]string, error) {
	out := []string{}
	if runtime {
		return out, nil
	}
	root := f.backend.Info().Tree
	if root == "" {
		return out, nil
	}
	for _, scope := range []string{"system", "user"} {
		dir := filepath.Join(root, "etc/systemd", scope)
		err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if d.Type()&fs.ModeSymlink == 0 {
				return nil
			}
			if target, err := os.Readlink(p); err == nil && (d.Name() == unit || path.Base(target) == unit) {
				out = append(out, p)
			}
			return nil
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	slices.Sort(out)
	return out, nil
}

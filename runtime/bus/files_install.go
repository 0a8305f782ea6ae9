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
	states map[string]install.Listed // of the tree's units
}

func newUnitFiles(b unitstate.Backend) UnitFiles { return &treeFiles{backend: b} }

func baseName(p string) string { return path.Base(p) }

func (f *treeFiles) Reload() {
	f.mu.Lock()
	f.loader, f.states = nil, nil
	f.mu.Unlock()
}

// read gives the loader of the load path and the states of the tree's units.
func (f *treeFiles) read() (*load.Loader, map[string]install.Listed) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.loader != nil {
		return f.loader, f.states
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
				if all, err := e.List(nil, nil); err == nil {
					for _, l := range all {
						l.Path = path.Join(root, l.Path)
						f.states[l.Name] = l
					}
				}
			}
		}
	}
	return f.loader, f.states
}

func (f *treeFiles) List() ([]UnitFileStatus, error) {
	l, states := f.read()
	var out []UnitFileStatus
	for _, n := range l.Names() {
		if s, ok := states[n]; ok {
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
	l, states := f.read()
	if s, ok := states[unit]; ok {
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
	case st.Load == unitstate.LoadNotFound && l.Load(unit).State == load.NotFound:
		return "", refusal(unitstate.ErrFileNotFound, "No such file or directory")
	}
	if s, ok := states[path.Base(st.FragmentPath)]; ok {
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
	_, states := f.read()
	return states[unit].Preset
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

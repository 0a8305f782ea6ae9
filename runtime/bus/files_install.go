package bus

import (
	"path"
	"sync"

	"github.com/unitgen/unitgen/runtime/unitstate"
	"github.com/unitgen/unitgen/schema/load"
	"github.com/unitgen/unitgen/schema/tree"
)

// installedFiles is UnitFiles on the load path of a manager.
type installedFiles struct {
	backend unitstate.Backend

	mu     sync.Mutex
	loader *load.Loader
}

func newUnitFiles(b unitstate.Backend) UnitFiles { return &installedFiles{backend: b} }

func baseName(p string) string { return path.Base(p) }

func (f *installedFiles) load() *load.Loader {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.loader == nil {
		info := f.backend.Info()
		scope := tree.System
		if !info.System {
			scope = tree.User
		}
		f.loader = load.New(load.Options{Scope: scope, Path: info.UnitPath})
	}
	return f.loader
}

func (f *installedFiles) Reload() {
	f.mu.Lock()
	f.loader = nil
	f.mu.Unlock()
}

func (f *installedFiles) List() ([]UnitFileStatus, error) {
	l := f.load()
	var out []UnitFileStatus
	for _, n := range l.Names() {
		u := l.Load(n)
		p := u.Fragment
		if p == "" {
			continue
		}
		s, err := f.State(n)
		if err != nil {
			continue
		}
		out = append(out, UnitFileStatus{path.Join(path.Dir(p), n), s})
	}
	return out, nil
}

func (f *installedFiles) State(unit string) (string, error) {
	u := f.load().Load(unit)
	switch u.State {
	case load.Masked:
		return "masked", nil
	case load.NotFound:
		return "", refusal(unitstate.ErrFileNotFound, "No such file or directory")
	}
	return "static", nil
}

func (f *installedFiles) Preset(string) string { return "" }

func (f *installedFiles) Change(op FileOperation) (bool, []FileChange, error) {
	return false, nil, refusal(unitstate.ErrNotSupported, "%s is not supported here", op.Verb)
}

func (f *installedFiles) DefaultTarget() (string, error) {
	return f.backend.Info().DefaultTarget, nil
}

func (f *installedFiles) Links(string, bool) ([]string, error) { return nil, nil }

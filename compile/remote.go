package compile

import (
	"io/fs"

	"github.com/unitgen/unitgen/compile/fetch"
	"github.com/unitgen/unitgen/compile/internal/funcs"
	"github.com/unitgen/unitgen/compile/internal/load"
	"github.com/unitgen/unitgen/modules"
)

// bundled holds the modules that come with unitgen; tests add to it.
var bundled fs.FS = modules.FS

// fetched lets imports from elsewhere resolve to what unitgen get pinned and
// fetched, offline.
func fetched(o Options, lo *load.Options) {
	if lo.Remote != nil {
		return
	}
	s := fetch.NewStore(o.Dir, o.Cache)
	lo.Remote, lo.RemoteName = s.Resolve, s.Name
}

// newFiles gives the reader of a module's files, bundled or not.
func newFiles(m *load.Module, observe func(funcs.Observation)) *funcs.Files {
	if m.Bundled {
		if sub, err := fs.Sub(bundled, m.Dir); err == nil {
			return funcs.NewBundledFiles(sub, observe)
		}
	}
	return funcs.NewFiles(m.Dir, observe)
}

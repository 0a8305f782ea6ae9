package compile

import (
	"io/fs"
	"os"

	"github.com/unitgen/unitgen/modules"
)

// The modules of testdata/bundled are loaded by the tests as those that come
// with unitgen are.
func init() { bundled = overlay{modules.FS, os.DirFS("testdata/bundled")} }

// overlay is a file system whose first part that has a name counts.
type overlay []fs.FS

func (o overlay) Open(name string) (f fs.File, err error) {
	for _, fsys := range o {
		if f, err = fsys.Open(name); err == nil {
			return f, nil
		}
	}
	return nil, err
}

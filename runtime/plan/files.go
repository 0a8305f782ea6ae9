package plan

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/unitgen/unitgen/emit"
	"github.com/unitgen/unitgen/emit/store"
)

// readFiles takes note of every file and link of a tree: from the manifest
// where there is one, else from the files themselves.
func (t *Tree) readFiles() error {
	m, err := emit.ReadManifest(t.dir)
	if err == nil {
		for _, d := range m.Disabled {
			if t.disabled[d.Scope] == nil {
				t.disabled[d.Scope] = map[string]bool{}
			}
			t.disabled[d.Scope][d.Unit] = true
		}
		for _, e := range m.Entries {
			switch e.Kind {
			case emit.File:
				t.files[e.Path] = fmt.Sprintf("file %s %s %s:%s %t", e.SHA256, e.Mode, e.Owner, e.Group, e.Real)
			case emit.Link:
				t.files[e.Path] = "link " + e.Target
			}
		}
		return nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, top := range []string{"etc", "generator", "generator.early", "generator.late"} {
		err := filepath.WalkDir(filepath.Join(t.dir, top), func(p string, d fs.DirEntry, err error) error {
			if err != nil {
				if errors.Is(err, fs.ErrNotExist) {
					return nil
				}
				return err
			}
			rel, err := filepath.Rel(t.dir, p)
			if err != nil || d.IsDir() {
				return err
			}
			what := ""
			switch {
			case d.Type()&fs.ModeSymlink != 0:
				target, err := os.Readlink(p)
				if err != nil {
					return err
				}
				what = "link " + target
			case d.Type().IsRegular():
				sum, err := store.FileSum(p)
				if err != nil {
					return err
				}
				what = "file " + sum
			default:
				return nil
			}
			t.files[filepath.ToSlash(rel)] = what
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func compareFiles(old, new *Tree) Files {
	f := Files{Added: []string{}, Removed: []string{}, Changed: []string{}}
	for p, is := range new.files {
		switch was, ok := old.files[p]; {
		case !ok:
			f.Added = append(f.Added, p)
		case !sameFile(was, is):
			f.Changed = append(f.Changed, p)
		}
	}
	for p := range old.files {
		if _, ok := new.files[p]; !ok {
			f.Removed = append(f.Removed, p)
		}
	}
	sort.Strings(f.Added)
	sort.Strings(f.Removed)
	sort.Strings(f.Changed)
	return f
}

// sameFile compares what is known of a file: of a tree without a manifest only
// the content.
func sameFile(a, b string) bool {
	if a == b {
		return true
	}
	x, y := strings.Fields(a), strings.Fields(b)
	return len(x) >= 2 && len(y) >= 2 && (len(x) == 2 || len(y) == 2) && x[0] == y[0] && x[1] == y[1] && x[0] == "file"
}

// isUnitPath reports whether a path of a tree lies in a unit directory.
func isUnitPath(p string) bool {
	return strings.HasPrefix(p, "etc/systemd/system/") || strings.HasPrefix(p, "etc/systemd/user/") || strings.HasPrefix(p, "generator")
}

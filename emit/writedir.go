package emit

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"time"
)

// Epoch is the time that every path of a copy or an archive carries: one
// second after 1970, for many tools take 0 for "no time".
var Epoch = time.Unix(1, 0).UTC()

// EmptyOrNew says why a path cannot take a copy of a tree: it is there and is
// no empty directory.
func EmptyOrNew(path string) error {
	names, err := os.ReadDir(path)
	if err != nil {
		if os.IsNotExist(err) {
			if target, lerr := os.Readlink(path); lerr == nil {
				return fmt.Errorf("%s is a link to %s, which is not there; name a new path", path, target)
			}
			return nil
		}
		if _, serr := os.Lstat(path); serr == nil {
			return fmt.Errorf("%s is there and is no directory; name a new path", path)
		}
		return err
	}
	if len(names) > 0 {
		return fmt.Errorf("%s is not empty; name a new path, or an empty directory", path)
	}
	return nil
}

// WriteDir writes a copy of a tree as plain files and links below dir, which
// is new or empty: modes as declared, every time Epoch, the manifest at the
// top. Owners are set where the caller may and the names are known.
func (img *Image) WriteDir(dir string) error {
	if err := EmptyOrNew(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	dirs := []string{dir}
	for _, e := range img.All() {
		p := filepath.Join(dir, filepath.FromSlash(e.Path))
		switch e.Kind {
		case Directory:
			if err := os.Mkdir(p, 0o755); err != nil {
				return err
			}
			dirs = append(dirs, p)
		case File:
			if err := writeFile(p, e.Content, e.Mode); err != nil {
				return err
			}
		case Link:
			if err := os.Symlink(e.Target, p); err != nil {
				return err
			}
			if err := linkTime(p); err != nil {
				return err
			}
		}
	}
	sort.Sort(sort.Reverse(sort.StringSlice(dirs)))
	for _, d := range dirs {
		if err := os.Chmod(d, 0o755); err != nil {
			return err
		}
		if err := os.Chtimes(d, Epoch, Epoch); err != nil {
			return err
		}
	}
	return nil
}

func writeFile(p string, data []byte, mode fs.FileMode) error {
	f, err := os.OpenFile(p, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Chmod(mode)
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Chtimes(p, Epoch, Epoch)
	}
	return err
}

// All gives the entries and the manifest, in path order.
func (img *Image) All() []Entry {
	out := append([]Entry{}, img.Entries...)
	out = append(out, Entry{Path: ManifestFile, Kind: File, Mode: 0o644, Content: img.Manifest})
	sort.Slice(out, func(i, j int) bool { return out[i].Path < out[j].Path })
	return out
}

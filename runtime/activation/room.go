package activation

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/unitgen/unitgen/internal/durable"
	"github.com/unitgen/unitgen/runtime/generation"
)

// leaving gives the item of before that lies where after has a directory above
// a path; "" where none does.
func leaving(before *Placement, at string) string {
	for d := path.Dir(at); d != "/"; d = path.Dir(d) {
		if _, ok := before.item(d); ok {
			return d
		}
	}
	return ""
}

// taken says why a directory above an item cannot be one, "" when it is or
// will be: a file of ours goes from there.
func (p *Place) taken(s *generation.State, dir string, before *Placement) string {
	if old, ok := before.item(dir); ok && p.isOurs(old) {
		if _, err := os.Lstat(backupPath(s, dir)); err == nil {
			return dir + " gives way to a file that was there before unitgen took it over"
		}
		return ""
	}
	st, err := os.Stat(p.host(dir))
	if err == nil && !st.IsDir() {
		return dir + " is not a directory"
	}
	t, lerr := os.Readlink(p.host(dir))
	switch {
	case lerr != nil:
		return ""
	case strings.HasPrefix(t, p.pivot(s)+"/"):
		return dir + " is a link into the generation"
	case err != nil:
		return dir + " is a link to " + t + ", which is not there"
	case slices.Contains(before.Dirs, dir):
		// Whoever set it did not ask for files of ours where it leads.
		return dir + ", a directory that unitgen made, is a link to " + t + " now"
	}
	return ""
}

// inTheWay says which of the directories above a path cannot be one, and why;
// "" when all can.
func (p *Place) inTheWay(s *generation.State, at string, before *Placement) string {
	for dir := path.Dir(at); dir != "/"; dir = path.Dir(dir) {
		if why := p.taken(s, dir, before); why != "" {
			return why
		}
	}
	return ""
}

// strangers gives what lies in a directory of ours and was not put there by
// us; it also speaks of files that come back when ours go.
func (p *Place) strangers(s *generation.State, dir string, before *Placement) string {
	found := ""
	_ = filepath.WalkDir(p.host(dir), func(at string, d fs.DirEntry, err error) error {
		rel, rerr := filepath.Rel(p.host(dir), at)
		if err != nil || rerr != nil || found != "" {
			return fs.SkipAll // what cannot be read is found when it is to go
		}
		here := path.Join(dir, filepath.ToSlash(rel))
		if d.IsDir() {
			if !slices.Contains(before.Dirs, here) {
				found = here
			}
			return nil
		}
		old, ok := before.item(here)
		if _, err := os.Lstat(backupPath(s, here)); !ok || !p.isOurs(old) || err == nil {
			found = here
		}
		return nil
	})
	return found
}

// makeRoom turns files of ours into directories where after has some, and
// takes directories of ours away where after has files. The pivot stands at
// the new generation: a link that is to be a directory leads to that directory
// already, and the links of a directory that is to go lead nowhere.
func (p *Place) makeRoom(s *generation.State, before, after *Placement) error {
	f := s.FS()
	for _, d := range after.Dirs {
		at := p.host(d)
		st, err := os.Lstat(at)
		if old, ok := before.item(d); ok && err == nil && !st.IsDir() {
			if !p.isOurs(old) {
				return fmt.Errorf("%s is to be a directory, and somebody put something else there", d)
			}
			if err := f.Remove(at); err != nil {
				return err
			}
		}
		if err := durable.MkdirAll(f, at, 0o755); err != nil {
			return err
		}
	}
	for _, i := range after.Items {
		st, err := os.Lstat(p.host(i.Path))
		if err != nil || !st.IsDir() || !slices.Contains(before.Dirs, i.Path) {
			continue
		}
		for _, old := range before.Items {
			if strings.HasPrefix(old.Path, i.Path+"/") {
				if err := p.withdraw(s, old); err != nil {
					return err
				}
			}
		}
		for _, d := range slices.Backward(before.Dirs) {
			if d != i.Path && !strings.HasPrefix(d, i.Path+"/") {
				continue
			}
			if err := f.Remove(p.host(d)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			if err := f.Sync(filepath.Dir(p.host(d))); err != nil {
				return err
			}
		}
	}
	return nil
}

package install

import (
	"io/fs"
	"os"
	"path"
)

// rooted is the file system below a root directory: the directories of a path
// are resolved inside the root, so that a link such as etc -> /etc in the tree
// cannot lead a write, or a read, out of it.
type rooted struct {
	machine
	root string
	dirs map[string]string // directory → where it is; emptied by every change
}

// at gives the real place of a path; its last component is not followed.
func (r *rooted) at(p string) string {
	if p == r.root {
		return p
	}
	dir := path.Dir(p)
	real, ok := r.dirs[dir]
	if !ok {
		e := Engine{root: r.root, fs: r.machine}
		var err error
		if real, err = e.chase(dir, true); err != nil {
			// A loop or an unreadable directory: a place that is not there.
			real = path.Join(r.root, "\x00unresolvable")
		}
		r.dirs[dir] = real
	}
	return path.Join(real, path.Base(p))
}

func (r *rooted) changed() { r.dirs = map[string]string{} }

func (r *rooted) Lstat(p string) (fs.FileInfo, error)     { return r.machine.Lstat(r.at(p)) }
func (r *rooted) Readlink(p string) (string, error)       { return r.machine.Readlink(r.at(p)) }
func (r *rooted) ReadFile(p string) ([]byte, error)       { return r.machine.ReadFile(r.follow(p)) }
func (r *rooted) ReadDir(p string) ([]fs.DirEntry, error) { return r.machine.ReadDir(r.follow(p)) }

// follow gives the real place of a path, its last component followed too.
func (r *rooted) follow(p string) string { return path.Dir(r.at(p + "/x")) }

func (r *rooted) Symlink(target, p string) error {
	defer r.changed()
	return r.machine.Symlink(target, r.at(p))
}

func (r *rooted) Remove(p string) error {
	defer r.changed()
	return r.machine.Remove(r.at(p))
}

func (r *rooted) Rename(from, to string) error {
	defer r.changed()
	return r.machine.Rename(r.at(from), r.at(to))
}

func (r *rooted) MkdirAll(p string) error {
	defer r.changed()
	return os.MkdirAll(r.follow(p), 0o755)
}

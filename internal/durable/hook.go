package durable

import "io/fs"

// Op is one operation of an FS.
type Op struct {
	Name string // "mkdir", "create", "symlink", "rename", "remove", "chmod", "lchown", "append", "sync", "synctree"
	Path string // what it is done to; the new name of a rename
	From string // the old name of a rename, the target of a link
	Data []byte // what is written
	Perm fs.FileMode
}

// Hooked calls Before ahead of each operation: an error from it is the
// operation's, and a panic in it is the power cut of a test.
type Hooked struct {
	FS     FS
	Before func(Op) error
}

func (h Hooked) run(o Op, f func() error) error {
	if err := h.Before(o); err != nil {
		return err
	}
	return f()
}

// Mkdir is FS.Mkdir.
func (h Hooked) Mkdir(path string, perm fs.FileMode) error {
	return h.run(Op{Name: "mkdir", Path: path, Perm: perm}, func() error { return h.FS.Mkdir(path, perm) })
}

// Create is FS.Create.
func (h Hooked) Create(path string, data []byte, perm fs.FileMode) error {
	return h.run(Op{Name: "create", Path: path, Data: data, Perm: perm}, func() error { return h.FS.Create(path, data, perm) })
}

// Symlink is FS.Symlink.
func (h Hooked) Symlink(target, path string) error {
	return h.run(Op{Name: "symlink", Path: path, From: target}, func() error { return h.FS.Symlink(target, path) })
}

// Rename is FS.Rename.
func (h Hooked) Rename(old, new string) error {
	return h.run(Op{Name: "rename", Path: new, From: old}, func() error { return h.FS.Rename(old, new) })
}

// Remove is FS.Remove.
func (h Hooked) Remove(path string) error {
	return h.run(Op{Name: "remove", Path: path}, func() error { return h.FS.Remove(path) })
}

// Chmod is FS.Chmod.
func (h Hooked) Chmod(path string, perm fs.FileMode) error {
	return h.run(Op{Name: "chmod", Path: path, Perm: perm}, func() error { return h.FS.Chmod(path, perm) })
}

// Lchown is FS.Lchown.
func (h Hooked) Lchown(path string, uid, gid int) error {
	return h.run(Op{Name: "lchown", Path: path}, func() error { return h.FS.Lchown(path, uid, gid) })
}

// Append is FS.Append.
func (h Hooked) Append(path string, data []byte, perm fs.FileMode) error {
	return h.run(Op{Name: "append", Path: path, Data: data, Perm: perm}, func() error { return h.FS.Append(path, data, perm) })
}

// Sync is FS.Sync.
func (h Hooked) Sync(path string) error {
	return h.run(Op{Name: "sync", Path: path}, func() error { return h.FS.Sync(path) })
}

// SyncTree is FS.SyncTree.
func (h Hooked) SyncTree(path string) (done bool, err error) {
	err = h.run(Op{Name: "synctree", Path: path}, func() error { done, err = h.FS.SyncTree(path); return err })
	return done, err
}

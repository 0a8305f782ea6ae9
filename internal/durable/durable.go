// Package durable is the file system as the store, the generations and the
// switch use it: a handful of operations that change names or bytes, each of
// which either happened or did not, and the two operations that make them
// survive a power cut.
//
// Everything that must be whole after a crash goes through an FS, so that a
// test can stop the world before any operation, or replay a prefix of the
// operations, and look at what is left.
package durable

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
)

// FS changes a file system. Paths are absolute or relative to the working
// directory, as in package os.
type FS interface {
	Mkdir(path string, perm fs.FileMode) error
	// Create makes a new file; an existing one is an error (fs.ErrExist).
	Create(path string, data []byte, perm fs.FileMode) error
	Symlink(target, path string) error
	Rename(old, new string) error
	Remove(path string) error
	// Chmod sets the permission bits exactly, whatever the umask.
	Chmod(path string, perm fs.FileMode) error
	Lchown(path string, uid, gid int) error
	// Append adds to the end of a file, making it if need be.
	Append(path string, data []byte, perm fs.FileMode) error
	// Sync makes a file's bytes, or a directory's names, survive a power cut.
	Sync(path string) error
	// SyncTree makes everything on the file system that holds path survive a
	// power cut, where the system has one call for it; false where it has not.
	SyncTree(path string) (bool, error)
}

// OS is the real file system.
var OS FS = osFS{}

type osFS struct{}

func (osFS) Mkdir(path string, perm fs.FileMode) error {
	if err := os.Mkdir(path, perm); err != nil {
		return err
	}
	return os.Chmod(path, perm)
}

func (osFS) Create(path string, data []byte, perm fs.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Chmod(perm), f.Close())
}

func (osFS) Append(path string, data []byte, perm fs.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, perm)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}

func (osFS) Symlink(target, path string) error         { return os.Symlink(target, path) }
func (osFS) Rename(old, new string) error              { return os.Rename(old, new) }
func (osFS) Remove(path string) error                  { return os.Remove(path) }
func (osFS) Chmod(path string, perm fs.FileMode) error { return os.Chmod(path, perm) }
func (osFS) Lchown(path string, uid, gid int) error    { return os.Lchown(path, uid, gid) }

func (osFS) Sync(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

func (osFS) SyncTree(path string) (bool, error) { return syncTree(path) }

// MkdirAll makes a directory and the missing ones above it, each name synced.
func MkdirAll(f FS, path string, perm fs.FileMode) error {
	if st, err := os.Stat(path); err == nil {
		if !st.IsDir() {
			return &fs.PathError{Op: "mkdir", Path: path, Err: errors.New("there is a file of that name")}
		}
		return nil
	}
	if up := filepath.Dir(path); up != path {
		if err := MkdirAll(f, up, perm); err != nil {
			return err
		}
	}
	if err := f.Mkdir(path, perm); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return nil
		}
		return err
	}
	return f.Sync(filepath.Dir(path))
}

// ReplaceLink makes path a symbolic link to target with one rename, whatever
// was there before, and syncs the directory.
func ReplaceLink(f FS, target, path string) error {
	tmp := Temporary(path)
	if err := f.Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := f.Symlink(target, tmp); err != nil {
		return err
	}
	if err := f.Rename(tmp, path); err != nil {
		return errors.Join(err, f.Remove(tmp))
	}
	return f.Sync(filepath.Dir(path))
}

// ReplaceFile puts a file in place with one rename, bytes first.
func ReplaceFile(f FS, path string, data []byte, perm fs.FileMode) error {
	return ReplaceOwned(f, path, data, perm, -1, -1)
}

// ReplaceOwned is ReplaceFile for a file of another owner; -1 leaves an
// identity as it is.
func ReplaceOwned(f FS, path string, data []byte, perm fs.FileMode, uid, gid int) error {
	return replace(f, Temporary(path), path, data, perm, uid, gid)
}

// ReplaceFileShared is ReplaceFile where several writers may put the same file
// in place at once: each writes under a name of its own, and the last one
// stays.
func ReplaceFileShared(f FS, path string, data []byte, perm fs.FileMode) error {
	own := filepath.Join(filepath.Dir(path), TemporaryPrefix+strconv.FormatUint(rand.Uint64(), 36)+"-"+filepath.Base(path))
	return replace(f, own, path, data, perm, -1, -1)
}

func replace(f FS, tmp, path string, data []byte, perm fs.FileMode, uid, gid int) error {
	if err := f.Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := f.Create(tmp, data, 0o600); err != nil {
		return errors.Join(err, ignoreMissing(f.Remove(tmp)))
	}
	var err error
	if uid >= 0 || gid >= 0 {
		err = f.Lchown(tmp, uid, gid)
	}
	if err == nil {
		err = f.Chmod(tmp, perm)
	}
	if err == nil {
		err = f.Sync(tmp)
	}
	if err == nil {
		err = f.Rename(tmp, path)
	}
	if err != nil {
		return errors.Join(err, ignoreMissing(f.Remove(tmp)))
	}
	return f.Sync(filepath.Dir(path))
}

// RemoveAll removes what is at path, read-only directories included. What is
// not there is no error.
func RemoveAll(f FS, path string) error {
	st, err := os.Lstat(path)
	if err != nil {
		return ignoreMissing(err)
	}
	if st.IsDir() {
		if st.Mode().Perm()&0o700 != 0o700 {
			if err := f.Chmod(path, st.Mode().Perm()|0o700); err != nil {
				return err
			}
		}
		names, err := os.ReadDir(path)
		if err != nil {
			return err
		}
		for _, n := range names {
			if err := RemoveAll(f, filepath.Join(path, n.Name())); err != nil {
				return err
			}
		}
	}
	return ignoreMissing(f.Remove(path))
}

// TemporaryPrefix begins the name of everything that is on its way to its
// place; what a crash leaves of them is rubbish.
const TemporaryPrefix = ".unitgen-tmp-"

// Temporary gives the name under which a path is written before it is put in
// place. A name that would be too long with the prefix is replaced by its hash.
func Temporary(path string) string {
	const nameMax = 255 // bytes, NAME_MAX of Linux's file systems
	base := filepath.Base(path)
	if len(TemporaryPrefix)+len(base) > nameMax {
		base = fmt.Sprintf("%x", sha256.Sum256([]byte(base)))
	}
	return filepath.Join(filepath.Dir(path), TemporaryPrefix+base)
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

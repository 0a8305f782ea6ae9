// Package powercut lets tests see what is left on a disk when the power goes
// after any operation: it records the operations of a durable.FS and carries
// out again what of a prefix of them is sure to have survived.
//
// The disk it imagines is worse than real ones. A name that was made, renamed
// or removed survives only when its directory was synced afterwards, and bytes
// only when their file was. It knows only the operations of package durable.
package powercut

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/unitgen/unitgen/internal/durable"
)

// Loss is what the disk loses.
type Loss int

// Losses.
const (
	Names Loss = iota // names whose directory was not synced, and bytes
	Bytes             // bytes whose file was not synced; names survive
)

// Recorder records operations while they are carried out.
type Recorder struct {
	Ops []durable.Op
}

// FS gives the file system to record.
func (r *Recorder) FS() durable.FS {
	return durable.Hooked{FS: unsynced{durable.OS}, Before: func(o durable.Op) error {
		o.Data = append([]byte(nil), o.Data...)
		r.Ops = append(r.Ops, o)
		return nil
	}}
}

// unsynced spares the disk of the machine that tests.
type unsynced struct{ durable.FS }

func (unsynced) Sync(string) error             { return nil }
func (unsynced) SyncTree(string) (bool, error) { return true, nil }

// Replay carries out what survives of the first n operations, with the paths
// below from put below to. What depends on something lost is lost too.
func Replay(ops []durable.Op, n int, loss Loss, from, to string) error {
	ops = ops[:n]
	for i, o := range ops {
		if err := replay(ops, i, o, loss, func(p string) string { return move(p, from, to) }, from); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

func move(p, from, to string) string {
	rel, err := filepath.Rel(from, p)
	if err != nil || !filepath.IsLocal(rel) {
		return p
	}
	return filepath.Join(to, rel)
}

func replay(ops []durable.Op, i int, o durable.Op, loss Loss, at func(string) string, from string) error {
	later := ops[i+1:]
	if loss == Names && isName(o.Name) && !synced(later, filepath.Dir(o.Path)) {
		return nil
	}
	data := o.Data
	if (o.Name == "create" || o.Name == "append") && !synced(later, o.Path) {
		data = nil
	}
	switch o.Name {
	case "mkdir":
		return ignoreExist(os.Mkdir(at(o.Path), 0o755))
	case "create":
		return os.WriteFile(at(o.Path), data, 0o600)
	case "append":
		f, err := os.OpenFile(at(o.Path), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
		if err != nil {
			return err
		}
		_, err = f.Write(data)
		return errors.Join(err, f.Close())
	case "symlink":
		target := o.From
		if filepath.IsAbs(target) && strings.HasPrefix(target, from+"/") {
			target = at(target)
		}
		return ignoreExist(os.Symlink(target, at(o.Path)))
	case "rename":
		return os.Rename(at(o.From), at(o.Path))
	case "remove":
		return os.Remove(at(o.Path))
	case "chmod":
		return os.Chmod(at(o.Path), o.Perm|0o700)
	}
	return nil
}

// isName reports whether an operation changes a directory. The first append to
// a file does too, but files that are appended to are made by rename here.
func isName(op string) bool {
	switch op {
	case "mkdir", "create", "symlink", "rename", "remove":
		return true
	}
	return false
}

func synced(later []durable.Op, path string) bool {
	for _, o := range later {
		if o.Name == "synctree" || o.Name == "sync" && o.Path == path {
			return true
		}
	}
	return false
}

func ignoreExist(err error) error {
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	return err
}

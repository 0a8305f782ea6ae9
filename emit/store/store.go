// Package store keeps rendered trees: immutable directories named by their
// hash, put in place by one rename after everything in them is on disk.
//
// It takes an emit.Image and gives a path. It does not know which trees are in
// use; package generation does.
package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/unitgen/unitgen/emit"
	"github.com/unitgen/unitgen/internal/durable"
)

// DirName is the store's directory below the state directory.
const DirName = "store"

// tempPrefix begins the names of trees that are being written.
const tempPrefix = durable.TemporaryPrefix + "build-"

// syncEach is the most files that are synced one by one; above it one call for
// the file system is cheaper.
const syncEach = 32

// Store is the store of one state directory.
type Store struct {
	state string
	dir   string
	fs    durable.FS
}

// Stored is a tree in the store.
type Stored struct {
	Path    string // absolute
	Hash    string
	Created bool // false: it was there already
}

// Open gives the store of a state directory, which need not exist yet.
func Open(state string) *Store { return OpenFS(state, durable.OS) }

// OpenFS is Open with the operations of another file system.
func OpenFS(state string, f durable.FS) *Store {
	if abs, err := filepath.Abs(state); err == nil {
		state = abs
	}
	return &Store{state: state, dir: filepath.Join(state, DirName), fs: f}
}

// Dir gives the store's directory.
func (s *Store) Dir() string { return s.dir }

// PathOf gives the place of an image, whether or not it is there.
func (s *Store) PathOf(img *emit.Image) string {
	return filepath.Join(s.dir, img.Hash+"-"+img.Name)
}

// Put writes a tree, unless it is there. Several builders may put the same
// tree at once. An error leaves the store as it was.
func (s *Store) Put(img *emit.Image) (Stored, error) {
	out := Stored{Path: s.PathOf(img), Hash: img.Hash}
	if s.complete(out.Path) && s.sameSources(out.Path, img.Sources) {
		return out, nil
	}
	if err := durable.MkdirAll(s.fs, s.dir, 0o755); err != nil {
		return out, fmt.Errorf("the store cannot be made: %w", err)
	}
	unlock, err := s.lock(false)
	if err != nil {
		return out, err
	}
	defer unlock()
	if s.complete(out.Path) {
		return out, s.putSources(out.Path, img.Sources)
	}
	tmp, err := s.tempDir()
	if err != nil {
		return out, fmt.Errorf("the store cannot be written: %w", err)
	}
	if err := s.write(tmp, img); err != nil {
		return out, errors.Join(fmt.Errorf("the tree cannot be written: %w", err), durable.RemoveAll(durable.OS, tmp))
	}
	if err := s.putSources(out.Path, img.Sources); err != nil {
		return out, errors.Join(fmt.Errorf("the sources cannot be written: %w", err), durable.RemoveAll(durable.OS, tmp))
	}
	if err := s.fs.Rename(tmp, out.Path); err != nil {
		if s.complete(out.Path) {
			return out, durable.RemoveAll(durable.OS, tmp)
		}
		// Somebody took the manifest away: the whole tree takes its place again.
		if xerr := durable.Exchange(tmp, out.Path); xerr == nil {
			out.Created = true
			return out, errors.Join(s.fs.Sync(s.dir), durable.RemoveAll(durable.OS, tmp))
		}
		rm := durable.RemoveAll(durable.OS, tmp)
		return out, errors.Join(fmt.Errorf("the tree cannot be put in place: %w", err), rm)
	}
	if err := s.fs.Sync(s.dir); err != nil {
		return out, fmt.Errorf("the store cannot be synced: %w", err)
	}
	out.Created = true
	return out, nil
}

// complete reports whether a tree is in place. A tree gets its name only when
// it is whole, so the manifest's presence is enough.
func (s *Store) complete(path string) bool {
	st, err := os.Lstat(filepath.Join(path, emit.ManifestFile))
	return err == nil && st.Mode().IsRegular()
}

func (s *Store) sameSources(tree string, data []byte) bool {
	old, err := os.ReadFile(tree + emit.SourcesSuffix)
	return err == nil && string(old) == string(data)
}

// putSources replaces the sources beside a tree where they differ. Other
// builders of the tree may be at it too; the caller holds the store's lock, so
// no collection is.
func (s *Store) putSources(tree string, data []byte) error {
	if s.sameSources(tree, data) {
		return nil
	}
	return durable.ReplaceFileShared(s.fs, tree+emit.SourcesSuffix, data, 0o644)
}

func (s *Store) tempDir() (string, error) {
	for i := 0; ; i++ {
		p := filepath.Join(s.dir, fmt.Sprintf("%s%d-%d", tempPrefix, os.Getpid(), i))
		err := s.fs.Mkdir(p, 0o700)
		if err == nil || !errors.Is(err, fs.ErrExist) || i > 1000 {
			return p, err
		}
	}
}

// write lays an image out below dir and makes it durable: files first, then
// the directories from the deepest up, read-only from then on.
func (s *Store) write(dir string, img *emit.Image) error {
	var files, dirs []string
	for _, e := range img.Entries {
		p := filepath.Join(dir, filepath.FromSlash(e.Path))
		switch e.Kind {
		case emit.Directory:
			if err := s.fs.Mkdir(p, 0o755); err != nil {
				return err
			}
			dirs = append(dirs, p)
		case emit.File:
			if err := s.fs.Create(p, e.Content, StoreMode(e.Mode)); err != nil {
				return err
			}
			files = append(files, p)
		case emit.Link:
			if err := s.fs.Symlink(e.Target, p); err != nil {
				return err
			}
		}
	}
	manifest := filepath.Join(dir, emit.ManifestFile)
	if err := s.fs.Create(manifest, img.Manifest, 0o444); err != nil {
		return err
	}
	files = append(files, manifest)
	sort.Sort(sort.Reverse(sort.StringSlice(dirs)))
	for _, d := range append(dirs, dir) {
		if err := s.fs.Chmod(d, 0o555); err != nil {
			return err
		}
	}
	if len(files)+len(dirs) > syncEach {
		if done, err := s.fs.SyncTree(dir); done || err != nil {
			return err
		}
	}
	for _, p := range append(append(files, dirs...), dir) {
		if err := s.fs.Sync(p); err != nil {
			return err
		}
	}
	return nil
}

// StoreMode gives the permission bits that a file has in the store: those it
// was declared with, less all write permission. Set-id bits count only in the
// copy that a switch makes.
func StoreMode(m fs.FileMode) fs.FileMode { return m.Perm() &^ 0o222 }

// List gives the trees of the store, absolute paths in name order.
func (s *Store) List() ([]string, error) {
	names, err := os.ReadDir(s.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out []string
	for _, n := range names {
		if n.IsDir() && !strings.HasPrefix(n.Name(), ".") {
			out = append(out, filepath.Join(s.dir, n.Name()))
		}
	}
	return out, nil
}

// Collect removes every tree that keep does not hold, and what builders that
// died left behind. It gives the paths it removed and waits for builders that
// are at work. The caller holds the state's lock.
func (s *Store) Collect(keep map[string]bool) ([]string, error) {
	if _, err := os.Stat(s.dir); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	unlock, err := s.lock(true)
	if err != nil {
		return nil, err
	}
	defer unlock()
	names, err := os.ReadDir(s.dir)
	if err != nil {
		return nil, err
	}
	var removed []string
	for _, n := range names {
		p := filepath.Join(s.dir, n.Name())
		base, isSources := strings.CutSuffix(p, emit.SourcesSuffix)
		switch {
		case n.Name() == lockName:
			continue
		case strings.HasPrefix(n.Name(), durable.TemporaryPrefix):
		case isSources && !n.IsDir():
			if keep[base] {
				continue
			}
			if _, err := os.Lstat(base); err == nil {
				continue // goes with its tree
			}
		case !n.IsDir() || keep[p]:
			continue
		}
		if err := s.discard(p); err != nil {
			return removed, err
		}
		removed = append(removed, p)
	}
	return removed, s.fs.Sync(s.dir)
}

// discard takes a tree out of its place first, so that a crash in the middle
// leaves rubbish and never half a tree under a tree's name.
func (s *Store) discard(p string) error {
	st, err := os.Lstat(p)
	if err != nil {
		return nil
	}
	if st.IsDir() && !strings.HasPrefix(filepath.Base(p), durable.TemporaryPrefix) {
		tmp := filepath.Join(s.dir, durable.TemporaryPrefix+"gone-"+filepath.Base(p))
		if err := durable.RemoveAll(s.fs, tmp); err != nil {
			return err
		}
		if err := s.fs.Rename(p, tmp); err != nil {
			return err
		}
		if err := s.fs.Remove(p + emit.SourcesSuffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		p = tmp
	}
	return durable.RemoveAll(s.fs, p)
}

package install

import (
	"io/fs"
	"path"
	"sort"
	"time"

	"github.com/unitgen/unitgen/schema/unitfile"
)

// memory is a tree that is not written yet: unit files come from a lookup by
// name, all in one directory, and links are kept in order.
type memory struct {
	dir    string
	lookup func(name string) *unitfile.File
	links  map[string]string
	order  []string
}

type memInfo struct {
	name string
	mode fs.FileMode
	size int64
}

func (i memInfo) Name() string       { return i.name }
func (i memInfo) Size() int64        { return i.size }
func (i memInfo) Mode() fs.FileMode  { return i.mode }
func (i memInfo) ModTime() time.Time { return time.Time{} }
func (i memInfo) IsDir() bool        { return i.mode.IsDir() }
func (i memInfo) Sys() any           { return nil }

func (m *memory) file(p string) *unitfile.File {
	if path.Dir(p) != m.dir {
		return nil
	}
	return m.lookup(path.Base(p))
}

func (m *memory) Lstat(p string) (fs.FileInfo, error) {
	if _, ok := m.links[p]; ok {
		return memInfo{name: path.Base(p), mode: fs.ModeSymlink | 0o777}, nil
	}
	if m.file(p) != nil {
		return memInfo{name: path.Base(p), mode: 0o644, size: 1}, nil
	}
	for d := m.dir; d != "/"; d = path.Dir(d) {
		if p == d {
			return memInfo{name: path.Base(p), mode: fs.ModeDir | 0o755}, nil
		}
	}
	return nil, fs.ErrNotExist
}

func (m *memory) Readlink(p string) (string, error) {
	if t, ok := m.links[p]; ok {
		return t, nil
	}
	return "", fs.ErrInvalid
}

func (m *memory) ReadDir(p string) ([]fs.DirEntry, error) {
	var out []fs.DirEntry
	for l := range m.links {
		if path.Dir(l) == p {
			out = append(out, fs.FileInfoToDirEntry(memInfo{name: path.Base(l), mode: fs.ModeSymlink}))
		}
	}
	if len(out) == 0 {
		return nil, fs.ErrNotExist
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name() < out[j].Name() })
	return out, nil
}

func (m *memory) ReadFile(p string) ([]byte, error) {
	if f := m.file(p); f != nil {
		return f.Bytes(), nil
	}
	return nil, fs.ErrNotExist
}

func (m *memory) Symlink(target, p string) error {
	if _, ok := m.links[p]; ok || m.file(p) != nil {
		return fs.ErrExist
	}
	m.links[p] = target
	m.order = append(m.order, p)
	return nil
}

func (m *memory) Remove(p string) error {
	if _, ok := m.links[p]; !ok {
		return fs.ErrNotExist
	}
	delete(m.links, p)
	return nil
}

func (m *memory) Rename(from, to string) error {
	t, ok := m.links[from]
	if !ok {
		return fs.ErrNotExist
	}
	delete(m.links, from)
	if _, had := m.links[to]; !had {
		m.order = append(m.order, to)
	}
	m.links[to] = t
	return nil
}

func (m *memory) MkdirAll(string) error { return nil }

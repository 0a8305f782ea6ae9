package unitimport

import (
	"bytes"
	"io/fs"
	"path"
	"sort"
	"strings"
	"time"

	"github.com/unitgen/unitgen/schema/load"
	"github.com/unitgen/unitgen/schema/tree"
	"github.com/unitgen/unitgen/schema/unitname"
)

// refusedDir holds the files of units that systemd refuses, below the output.
const refusedDir = "refused"

// findRefused marks the units that systemd would not load, with what it says: a
// block of HCL would be refused too, and the import is to build.
func (s *set) findRefused() {
	for _, scope := range []tree.Scope{tree.System, tree.User} {
		m := newMemory()
		var names []string
		for k, u := range s.units {
			if k.scope != scope || u.rank < 0 || u.mask || u.refused != "" {
				continue
			}
			m.add("units/"+k.name, u.data)
			names = append(names, k.name)
		}
		for _, d := range s.dropins {
			if d.scope == scope && !d.mask {
				m.add("units/"+d.owner+".d/"+d.name+".conf", d.data)
			}
		}
		sort.Strings(names)
		l := load.New(load.Options{Scope: scope, FS: m, Path: []string{"/units"}, NoDefaults: true})
		for _, n := range names {
			ask := n
			if unitname.IsTemplate(n) {
				ask, _ = unitname.WithInstance(n, "i")
			}
			u := l.Load(ask)
			if u.State != load.BadSetting && u.State != load.Error {
				continue
			}
			why := "systemd refuses the unit"
			for _, d := range u.Diags {
				if d.Code == load.CodeBadSetting {
					why += ": " + strings.TrimPrefix(d.Detail, ask+": ")
					break
				}
			}
			s.units[key{scope, n}].refused = why
		}
	}
}

// refuse keeps a unit that systemd refuses as the files it stands in: they are
// there as before, and refused as before.
func (r *renderer) refuse(u *unit) {
	r.note("%s: kept as a file: %s", u.path, u.refused)
	w := r.group(refusedDir)
	w.line("# %s", strings.Join(strings.Fields(u.refused), " "))
	r.etcFile(w, u.scope, u.name, u.data)
	for _, d := range r.sortedDropins() {
		if r.keptWhole(d) && d.owner == u.name && d.scope == u.scope {
			r.etcFile(r.group(refusedDir), d.scope, d.owner+".d/"+d.name+".conf", d.data)
		}
	}
	if len(u.aliases)+len(u.deps) > 0 {
		w := r.group(refusedDir)
		w.open("unit %s", quote(u.name))
		r.scope(w, u, u.name, false)
		w.attr("target", quote("../"+u.name))
		r.links(w, u, nil)
		w.close()
	}
}

// keptWhole reports whether a drop-in is kept as a file with the refused unit
// that it belongs to.
func (r *renderer) keptWhole(d *dropin) bool {
	u := r.units[key{d.scope, d.owner}]
	return u != nil && u.refused != "" && r.asFiles && !d.mask
}

func (r *renderer) etcFile(w *block, scope tree.Scope, name string, data []byte) {
	file := path.Join(refusedDir, string(scope), name)
	r.verbatim = append(r.verbatim, File{file, data})
	w.open("etc %s", quote(path.Join("systemd", string(scope), name)))
	w.attr("source", quote(file))
	w.close()
}

// memory is a file system of files that were read already.
type memory struct {
	files map[string][]byte
	dirs  map[string]map[string]bool
}

func newMemory() *memory {
	return &memory{files: map[string][]byte{}, dirs: map[string]map[string]bool{".": {}}}
}

func (m *memory) add(name string, data []byte) {
	m.files[name] = data
	for p := name; p != "."; p = path.Dir(p) {
		d := path.Dir(p)
		if m.dirs[d] == nil {
			m.dirs[d] = map[string]bool{}
		}
		m.dirs[d][path.Base(p)] = true
	}
}

// memInfo is what there is to say of a file in memory.
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

// Stat implements fs.StatFS.
func (m *memory) Stat(name string) (fs.FileInfo, error) {
	if m.dirs[name] != nil {
		return memInfo{name: path.Base(name), mode: fs.ModeDir | 0o755}, nil
	}
	if data, ok := m.files[name]; ok {
		return memInfo{name: path.Base(name), mode: 0o644, size: int64(len(data))}, nil
	}
	return nil, &fs.PathError{Op: "stat", Path: name, Err: fs.ErrNotExist}
}

// ReadDir implements fs.ReadDirFS.
func (m *memory) ReadDir(name string) ([]fs.DirEntry, error) {
	d := m.dirs[name]
	if d == nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	out := make([]fs.DirEntry, 0, len(d))
	for n := range d {
		fi, err := m.Stat(path.Join(name, n))
		if err != nil {
			return nil, err
		}
		out = append(out, fs.FileInfoToDirEntry(fi))
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name() < out[j].Name() })
	return out, nil
}

// Open implements fs.FS.
func (m *memory) Open(name string) (fs.File, error) {
	fi, err := m.Stat(name)
	if err != nil {
		return nil, err
	}
	return &memFile{bytes.NewReader(m.files[name]), fi}, nil
}

// memFile is an opened file.
type memFile struct {
	*bytes.Reader
	info fs.FileInfo
}

// Stat implements fs.File.
func (f *memFile) Stat() (fs.FileInfo, error) { return f.info, nil }

// Close implements fs.File.
func (f *memFile) Close() error { return nil }

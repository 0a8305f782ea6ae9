package compile

import (
	"io"
	"io/fs"
	"os"
	"path"
	"sort"
	"time"
)

// treeFS shows a tree's units as a file system, without writing them; below
// it, where there is one, lies the target's root.
type treeFS struct {
	nodes map[string]*treeNode
	below *os.Root
}

type treeNode struct {
	name string
	mode fs.FileMode
	data []byte // content, or the target of a link
	kids map[string]*treeNode
}

func newTreeFS(sysroot string) *treeFS {
	t := &treeFS{nodes: map[string]*treeNode{".": {name: ".", mode: fs.ModeDir | 0o755, kids: map[string]*treeNode{}}}}
	if sysroot != "" {
		t.below, _ = os.OpenRoot(sysroot)
	}
	return t
}

func (t *treeFS) dir(p string) *treeNode {
	if n := t.nodes[p]; n != nil {
		return n
	}
	n := &treeNode{name: path.Base(p), mode: fs.ModeDir | 0o755, kids: map[string]*treeNode{}}
	t.nodes[p] = n
	t.dir(path.Dir(p)).kids[n.name] = n
	return n
}

func (t *treeFS) put(p string, mode fs.FileMode, data []byte) {
	n := &treeNode{name: path.Base(p), mode: mode, data: data}
	t.nodes[p] = n
	d := t.dir(path.Dir(p))
	if d.kids == nil {
		d.kids = map[string]*treeNode{}
	}
	d.kids[n.name] = n
}

func (t *treeFS) file(p string, data []byte) { t.put(p, 0o644, data) }

func (t *treeFS) link(p, target string) { t.put(p, fs.ModeSymlink|0o777, []byte(target)) }

// Open implements fs.FS.
func (t *treeFS) Open(name string) (fs.File, error) {
	n := t.nodes[name]
	if n == nil || n.mode.IsDir() && name != "." && t.isBelow(name) {
		if t.below != nil {
			return t.below.FS().Open(name)
		}
		if n == nil {
			return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
		}
	}
	return &openNode{treeNode: n}, nil
}

// isBelow reports whether the target's root has the path too.
func (t *treeFS) isBelow(name string) bool {
	if t.below == nil {
		return false
	}
	_, err := t.below.Lstat(name)
	return err == nil
}

// ReadFile implements fs.ReadFileFS.
func (t *treeFS) ReadFile(name string) ([]byte, error) {
	if n := t.nodes[name]; n != nil && n.mode.IsRegular() {
		return n.data, nil
	}
	if t.below != nil {
		return fs.ReadFile(t.below.FS(), name)
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

// ReadDir implements fs.ReadDirFS: both layers, the tree's first.
func (t *treeFS) ReadDir(name string) ([]fs.DirEntry, error) {
	seen := map[string]fs.DirEntry{}
	n := t.nodes[name]
	if t.below != nil {
		list, err := fs.ReadDir(t.below.FS(), name)
		if err != nil && n == nil {
			return nil, err
		}
		for _, e := range list {
			seen[e.Name()] = e
		}
	} else if n == nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	if n != nil {
		for k, c := range n.kids {
			seen[k] = fs.FileInfoToDirEntry(c)
		}
	}
	out := make([]fs.DirEntry, 0, len(seen))
	for _, e := range seen {
		out = append(out, e)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name() < out[j].Name() })
	return out, nil
}

// Lstat implements fs.ReadLinkFS.
func (t *treeFS) Lstat(name string) (fs.FileInfo, error) {
	if n := t.nodes[name]; n != nil {
		return n, nil
	}
	if t.below != nil {
		return t.below.Lstat(name)
	}
	return nil, &fs.PathError{Op: "lstat", Path: name, Err: fs.ErrNotExist}
}

// ReadLink implements fs.ReadLinkFS.
func (t *treeFS) ReadLink(name string) (string, error) {
	if n := t.nodes[name]; n != nil {
		if n.mode&fs.ModeSymlink == 0 {
			return "", &fs.PathError{Op: "readlink", Path: name, Err: fs.ErrInvalid}
		}
		return string(n.data), nil
	}
	if t.below != nil {
		return t.below.Readlink(name)
	}
	return "", &fs.PathError{Op: "readlink", Path: name, Err: fs.ErrNotExist}
}

func (n *treeNode) Name() string       { return n.name }
func (n *treeNode) Size() int64        { return int64(len(n.data)) }
func (n *treeNode) Mode() fs.FileMode  { return n.mode }
func (n *treeNode) ModTime() time.Time { return time.Time{} }
func (n *treeNode) IsDir() bool        { return n.mode.IsDir() }
func (n *treeNode) Sys() any           { return nil }

type openNode struct {
	*treeNode
	at int
}

func (o *openNode) Stat() (fs.FileInfo, error) { return o.treeNode, nil }
func (o *openNode) Close() error               { return nil }

func (o *openNode) Read(b []byte) (int, error) {
	if o.at >= len(o.data) {
		return 0, io.EOF
	}
	n := copy(b, o.data[o.at:])
	o.at += n
	return n, nil
}

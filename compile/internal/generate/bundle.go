package generate

import (
	"bytes"
	"fmt"
	"io/fs"
	"time"
)

// bundled holds the files of a module that comes with unitgen, by name, on
// their way to the process that runs a program of it. It is a file system
// without directories.
type bundled map[string][]byte

// maxBundle bounds the files of one bundled module, in bytes.
const maxBundle = 16 << 20

// bundle gathers the files of a file system; nil where there is none.
func bundle(fsys fs.FS) (bundled, error) {
	if fsys == nil {
		return nil, nil
	}
	out := bundled{}
	size := 0
	err := fs.WalkDir(fsys, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := fs.ReadFile(fsys, p)
		out[p] = b
		if size += len(b); size > maxBundle {
			return fmt.Errorf("they have more than %d MiB", maxBundle>>20)
		}
		return err
	})
	return out, err
}

// Open opens a file (fs.FS).
func (b bundled) Open(name string) (fs.File, error) {
	text, ok := b[name]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return &bundledFile{name: name, size: len(text), Reader: bytes.NewReader(text)}, nil
}

type bundledFile struct {
	*bytes.Reader
	name string
	size int
}

func (f *bundledFile) Stat() (fs.FileInfo, error) { return f, nil }
func (f *bundledFile) Close() error               { return nil }
func (f *bundledFile) Name() string               { return f.name }
func (f *bundledFile) Size() int64                { return int64(f.size) }
func (f *bundledFile) Mode() fs.FileMode          { return 0o444 }
func (f *bundledFile) ModTime() time.Time         { return time.Time{} }
func (f *bundledFile) IsDir() bool                { return false }
func (f *bundledFile) Sys() any                   { return nil }

package funcs

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"sort"
	"strings"
	"sync"
	"syscall"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/unitgen/unitgen/internal/plainfile"
)

// MaxFile is the size of the largest file that a function reads, in bytes.
const MaxFile = 64 << 20

// Observation is one question that an evaluation asked the module's directory,
// and the answer. A cached result holds as long as Files.Same says so for all
// its observations.
type Observation struct {
	Kind   string // "file", "exists", "set"; "no file" and so on for a question that failed
	Name   string // path relative to the module's directory; for "set", directory and pattern with a NUL between
	Answer string // sha256 of the content or of the list; "true", "false"; the error of one that failed
}

// Files reads the files of one module. Nothing outside the module's directory
// is opened, through symbolic links neither; devices, FIFOs and sockets are
// refused. It is safe for concurrent use.
type Files struct {
	dir     string
	bundled fs.FS // in place of dir
	observe func(Observation)

	mu    sync.Mutex
	cache map[string][]byte
}

// NewFiles gives the reader of a module's directory. Each question is told to
// observe, which may be nil and must be safe for concurrent use.
func NewFiles(dir string, observe func(Observation)) *Files {
	return &Files{dir: dir, observe: observe, cache: map[string][]byte{}}
}

// NewBundledFiles gives the reader of a module that comes with unitgen.
func NewBundledFiles(fsys fs.FS, observe func(Observation)) *Files {
	return &Files{bundled: fsys, observe: observe, cache: map[string][]byte{}}
}

// open gives the module's directory, which refuses what leads outside.
func (f *Files) open() (dirFS, error) {
	if f.bundled != nil {
		return bundledFS{f.bundled}, nil
	}
	root, err := os.OpenRoot(f.dir)
	if err != nil {
		return nil, fmt.Errorf("the module's directory cannot be read: %w", errors.Unwrap(err))
	}
	return rootFS{root}, nil
}

// dirFS is an open directory of either kind.
type dirFS interface {
	OpenFile(name string) (fs.File, error)
	Stat(name string) (fs.FileInfo, error)
	FS() fs.FS
	Close() error
}

type rootFS struct{ *os.Root }

// OpenFile does not wait for the other end of a FIFO.
func (r rootFS) OpenFile(name string) (fs.File, error) {
	return r.Root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
}

type bundledFS struct{ fsys fs.FS }

func (b bundledFS) OpenFile(name string) (fs.File, error) { return b.fsys.Open(name) }
func (b bundledFS) Stat(name string) (fs.FileInfo, error) { return fs.Stat(b.fsys, name) }
func (b bundledFS) Close() error                          { return nil }

func (b bundledFS) FS() fs.FS { return b.fsys }

func (f *Files) tell(kind, name, answer string) {
	if f.observe != nil {
		f.observe(Observation{kind, name, answer})
	}
}

// fail tells a question that could not be answered, since it may be answered
// the next time.
func (f *Files) fail(kind, name string, err error) error {
	f.tell("no "+kind, name, err.Error())
	return err
}

// Same reports whether the directory would answer an observation as it did.
func (f *Files) Same(o Observation) bool {
	quiet := &Files{dir: f.dir, bundled: f.bundled, cache: map[string][]byte{}}
	switch o.Kind {
	case "file":
		b, err := quiet.Read(o.Name)
		return err == nil && digest(b) == o.Answer
	case "exists":
		ok, err := quiet.Exists(o.Name)
		return err == nil && fmt.Sprint(ok) == o.Answer
	case "set":
		dir, pattern, _ := strings.Cut(o.Name, "\x00")
		list, err := quiet.Glob(dir, pattern)
		return err == nil && digest([]byte(strings.Join(list, "\x00"))) == o.Answer
	case "no file":
		_, err := quiet.Read(o.Name)
		return err != nil && err.Error() == o.Answer
	case "no exists":
		_, err := quiet.Exists(o.Name)
		return err != nil && err.Error() == o.Answer
	case "no set":
		dir, pattern, _ := strings.Cut(o.Name, "\x00")
		_, err := quiet.Glob(dir, pattern)
		return err != nil && err.Error() == o.Answer
	}
	return false
}

func digest(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

// clean gives a name in the form that fs.FS takes.
func clean(name string) (string, error) {
	switch {
	case name == "":
		return "", errors.New("the file name is empty")
	case strings.ContainsRune(name, 0):
		return "", errors.New("the file name holds a NUL character")
	case path.IsAbs(name):
		return "", fmt.Errorf("%q is an absolute path; files are read from the module's own directory, by relative path", name)
	}
	c := path.Clean(name)
	if c == ".." || strings.HasPrefix(c, "../") {
		return "", fmt.Errorf("%q lies outside the module's directory; move the file into it", name)
	}
	return c, nil
}

// Read gives the content of a regular file.
func (f *Files) Read(name string) ([]byte, error) {
	c, err := clean(name)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	b, ok := f.cache[c]
	f.mu.Unlock()
	if !ok {
		if b, err = f.read(c); err != nil {
			return nil, f.fail("file", c, err)
		}
		f.mu.Lock()
		f.cache[c] = b
		f.mu.Unlock()
	}
	f.tell("file", c, digest(b))
	return b, nil
}

func (f *Files) read(name string) ([]byte, error) {
	root, err := f.open()
	if err != nil {
		return nil, err
	}
	defer root.Close()
	file, err := root.OpenFile(name)
	if err != nil {
		return nil, explain(name, err)
	}
	defer file.Close()
	if err := plainfile.Check(file); err != nil {
		return nil, fmt.Errorf("%q: %w", name, err)
	}
	b, err := plainfile.Content(file, MaxFile)
	switch {
	case errors.Is(err, plainfile.ErrTooLarge):
		return nil, fmt.Errorf("%q is larger than %d MiB", name, MaxFile>>20)
	case err != nil:
		return nil, explain(name, err)
	}
	return b, nil
}

// explain words an error without the machine's own paths.
func explain(name string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no file %q in the module's directory", name)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%q may not be read (permission denied)", name)
	case errors.Is(err, syscall.ELOOP):
		return fmt.Errorf("%q goes through too many symbolic links", name)
	case strings.Contains(err.Error(), "escapes"):
		return fmt.Errorf("%q leads outside the module's directory through a symbolic link; copy the file into the module", name)
	}
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return fmt.Errorf("%q cannot be read: %w", name, pe.Err)
	}
	return fmt.Errorf("%q cannot be read: %w", name, err)
}

// Exists reports whether a name is a regular file. A directory is an error, as
// is a name outside the module.
func (f *Files) Exists(name string) (bool, error) {
	c, err := clean(name)
	if err != nil {
		return false, err
	}
	root, err := f.open()
	if err != nil {
		return false, err
	}
	defer root.Close()
	st, err := root.Stat(c)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		f.tell("exists", c, "false")
		return false, nil
	}
	if err != nil {
		return false, f.fail("exists", c, explain(c, err))
	}
	if !st.Mode().IsRegular() {
		return false, f.fail("exists", c, fmt.Errorf("%q is no regular file", c))
	}
	f.tell("exists", c, "true")
	return true, nil
}

// Glob gives the regular files below dir that match a pattern with *, ?, […],
// {a,b} and **, relative to dir, sorted. Symbolic links to directories are not
// followed.
func (f *Files) Glob(dir, pattern string) ([]string, error) {
	c, err := clean(dir)
	if err != nil {
		return nil, err
	}
	if !doublestar.ValidatePattern(pattern) {
		return nil, fmt.Errorf("%q is no file pattern", pattern)
	}
	root, err := f.open()
	if err != nil {
		return nil, err
	}
	defer root.Close()
	out := []string{}
	n := 0
	err = fs.WalkDir(root.FS(), c, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return explain(p, err)
		}
		if n++; n > 100000 {
			return fmt.Errorf("%q holds more than 100000 files; name a directory with fewer", c)
		}
		if d.IsDir() || !d.Type().IsRegular() && d.Type()&fs.ModeSymlink == 0 {
			return nil
		}
		rel := p
		if c != "." {
			rel = strings.TrimPrefix(p, c+"/")
		}
		if ok, _ := doublestar.Match(pattern, rel); !ok {
			return nil
		}
		if d.Type()&fs.ModeSymlink != 0 {
			st, err := root.Stat(p)
			if err != nil || !st.Mode().IsRegular() {
				return nil
			}
		}
		out = append(out, rel)
		return nil
	})
	if err != nil {
		return nil, f.fail("set", c+"\x00"+pattern, err)
	}
	sort.Strings(out)
	f.tell("set", c+"\x00"+pattern, digest([]byte(strings.Join(out, "\x00"))))
	return out, nil
}

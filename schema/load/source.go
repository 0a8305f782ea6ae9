package load

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"
)

// maxLinks is how many symbolic links one path may take (systemd's
// CHASE_SYMLINKS_MAX).
const maxLinks = 32

// devNull is the path that masks a unit.
const devNull = "/dev/null"

var (
	errLoop    = errors.New("too many levels of symbolic links")
	errSpecial = errors.New("it is not a regular file")
	errLarge   = fmt.Errorf("it is larger than %d MiB", MaxFileSize>>20)
)

// source is where files come from: a directory of the machine that stands for
// the root, or an fs.FS. Paths are absolute within it. Links are followed
// inside the source and cannot lead out of it.
type source struct {
	root string // "" for the machine's own root or for fsys
	fsys fs.FS
}

func (s *source) lstat(p string) (fs.FileInfo, error) {
	if s.fsys != nil {
		return fs.Lstat(s.fsys, fsName(p))
	}
	return os.Lstat(s.root + p)
}

func (s *source) readLink(p string) (string, error) {
	if s.fsys != nil {
		return fs.ReadLink(s.fsys, fsName(p))
	}
	return os.Readlink(s.root + p)
}

// readDir lists a directory that chase gave, sorted by name.
func (s *source) readDir(p string) ([]fs.DirEntry, error) {
	if s.fsys != nil {
		return fs.ReadDir(s.fsys, fsName(p))
	}
	return os.ReadDir(s.root + p)
}

func fsName(p string) string {
	p = strings.TrimPrefix(path.Clean(p), "/")
	if p == "" {
		return "."
	}
	return p
}

// chase follows every link of an absolute path inside the source and gives the
// path it ends at. With missing set, a last component that does not exist is
// no error. A path that ends at /dev/null is given as that whether or not the
// source has the device.
func (s *source) chase(p string, missing bool) (string, error) {
	done := "/"
	todo := splitPath(p)
	links := 0
	for len(todo) > 0 {
		c := todo[0]
		todo = todo[1:]
		if c == ".." {
			done = path.Dir(done)
			continue
		}
		next := path.Join(done, c)
		if next == devNull && len(todo) == 0 {
			return devNull, nil
		}
		fi, err := s.lstat(next)
		if err != nil {
			if missing && errors.Is(err, fs.ErrNotExist) {
				for _, r := range todo {
					if r == ".." {
						return "", err
					}
				}
				return path.Join(next, strings.Join(todo, "/")), nil
			}
			return "", err
		}
		if fi.Mode()&fs.ModeSymlink == 0 {
			done = next
			continue
		}
		if links++; links > maxLinks {
			return "", &fs.PathError{Op: "open", Path: p, Err: errLoop}
		}
		target, err := s.readLink(next)
		if err != nil {
			return "", err
		}
		if target == devNull && len(todo) == 0 {
			return devNull, nil
		}
		if strings.HasPrefix(target, "/") {
			done = "/"
		}
		todo = append(splitPath(target), todo...)
	}
	return done, nil
}

// chaseParent follows the links of all but the last component.
func (s *source) chaseParent(p string) (string, error) {
	dir, err := s.chase(path.Dir(p), true)
	if err != nil {
		return "", err
	}
	return path.Join(dir, path.Base(p)), nil
}

func splitPath(p string) []string {
	var out []string
	for _, c := range strings.Split(p, "/") {
		if c != "" && c != "." {
			out = append(out, c)
		}
	}
	return out
}

// readFile reads a regular file of at most MaxFileSize bytes. Anything else is
// refused without being opened for good: a FIFO would block, a device might
// never end.
func (s *source) readFile(p string) ([]byte, error) {
	if s.fsys == nil && s.root == "" {
		return readRegular(p)
	}
	real, err := s.chase(p, false)
	if err != nil {
		return nil, err
	}
	if real == devNull {
		return nil, nil
	}
	if s.fsys == nil {
		return readRegular(s.root + real)
	}
	f, err := s.fsys.Open(fsName(real))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readOpened(f, p)
}

func readRegular(p string) ([]byte, error) {
	f, err := os.OpenFile(p, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readOpened(f, p)
}

func readOpened(f fs.File, p string) ([]byte, error) {
	fi, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !fi.Mode().IsRegular() {
		return nil, &fs.PathError{Op: "read", Path: p, Err: errSpecial}
	}
	if fi.Size() > MaxFileSize {
		return nil, &fs.PathError{Op: "read", Path: p, Err: errLarge}
	}
	buf := make([]byte, 0, fi.Size()+1)
	for len(buf) <= MaxFileSize {
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
		n, err := f.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if err == io.EOF {
			return buf, nil
		}
		if err != nil {
			return nil, err
		}
	}
	return nil, &fs.PathError{Op: "read", Path: p, Err: errLarge}
}

// empty reports whether a path masks: /dev/null or an empty regular file.
func (s *source) empty(p string) bool {
	real, err := s.chase(p, false)
	if err != nil {
		return false
	}
	if real == devNull {
		return true
	}
	fi, err := s.lstat(real)
	return err == nil && fi.Mode().IsRegular() && fi.Size() == 0
}

// ReadFile reads a file of the loader's root, such as a unit's Fragment or one
// of its DropIns, with the loader's bounds: regular files only, links followed
// inside the root, at most MaxFileSize bytes. /dev/null is empty.
func (l *Loader) ReadFile(p string) ([]byte, error) { return l.src.readFile(p) }

package install

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"
)

// maxFile is the largest unit or preset file that is read, in bytes.
const maxFile = 16 << 20

// maxLinks bounds the links that one path may take.
const maxLinks = 32

const devNull = "/dev/null"

var (
	errLoop    = errors.New("too many levels of symbolic links")
	errSpecial = errors.New("not a regular file")
	errLarge   = errors.New("file too large")
)

// files is where the engine reads and makes links: the machine, or a tree that
// is not written yet.
type files interface {
	Lstat(p string) (fs.FileInfo, error)
	Readlink(p string) (string, error)
	// ReadDir lists a directory in the order in which the file system has it,
	// as systemctl sees it.
	ReadDir(p string) ([]fs.DirEntry, error)
	ReadFile(p string) ([]byte, error)
	Symlink(target, p string) error
	Remove(p string) error
	Rename(from, to string) error
	MkdirAll(p string) error
}

// machine is the real file system.
type machine struct{}

func (machine) Lstat(p string) (fs.FileInfo, error) { return os.Lstat(p) }
func (machine) Readlink(p string) (string, error)   { return os.Readlink(p) }
func (machine) Symlink(target, p string) error      { return os.Symlink(target, p) }
func (machine) Remove(p string) error               { return os.Remove(p) }
func (machine) Rename(from, to string) error        { return os.Rename(from, to) }
func (machine) MkdirAll(p string) error             { return os.MkdirAll(p, 0o755) }

func (machine) ReadDir(p string) ([]fs.DirEntry, error) {
	d, err := os.Open(p)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	return d.ReadDir(-1)
}

func (machine) ReadFile(p string) ([]byte, error) {
	f, err := os.OpenFile(p, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !fi.Mode().IsRegular() {
		return nil, errSpecial
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(data) > maxFile {
		err = errLarge
	}
	return data, err
}

// chase follows every link of a path below root and gives the path it ends at,
// root in front. With missing, what does not exist is no error.
func (e *Engine) chase(p string, missing bool) (string, error) {
	rest, ok := e.inRoot(p)
	if !ok {
		return "", fs.ErrInvalid
	}
	done := ""
	todo := split(rest)
	links := 0
	for len(todo) > 0 {
		c := todo[0]
		todo = todo[1:]
		if c == ".." {
			done = strings.TrimSuffix(path.Dir("/"+done), "/")
			continue
		}
		next := done + "/" + c
		if next == devNull && len(todo) == 0 {
			return e.root + devNull, nil
		}
		fi, err := e.fs.Lstat(e.root + next)
		if err != nil {
			if missing && errors.Is(err, fs.ErrNotExist) {
				return e.root + path.Join(next, strings.Join(todo, "/")), nil
			}
			return "", err
		}
		if fi.Mode()&fs.ModeSymlink == 0 {
			done = next
			continue
		}
		if links++; links > maxLinks {
			return "", errLoop
		}
		target, err := e.fs.Readlink(e.root + next)
		if err != nil {
			return "", err
		}
		if target == devNull && len(todo) == 0 {
			return e.root + devNull, nil // whether or not the root has the device
		}
		if strings.HasPrefix(target, "/") {
			done = ""
		}
		todo = append(split(target), todo...)
	}
	if done == "" {
		done = "/"
	}
	return e.root + done, nil
}

// chaseParent follows the links of all but the last component.
func (e *Engine) chaseParent(p string) (string, error) {
	dir, err := e.chase(path.Dir(p), true)
	if err != nil {
		return "", err
	}
	return strings.TrimSuffix(dir, "/") + "/" + path.Base(p), nil
}

// inRoot takes the root off a path; false when it does not lie below it.
func (e *Engine) inRoot(p string) (string, bool) {
	if e.root == "" {
		return p, true
	}
	if p == e.root {
		return "/", true
	}
	r, ok := strings.CutPrefix(p, e.root+"/")
	return "/" + r, ok
}

func split(p string) []string {
	var out []string
	for _, c := range strings.Split(p, "/") {
		if c != "" && c != "." {
			out = append(out, c)
		}
	}
	return out
}

// empty reports whether a path masks: it ends at /dev/null or at an empty file.
func (e *Engine) empty(p string) (bool, error) {
	at, err := e.chase(p, false)
	if err != nil {
		return false, err
	}
	if at == e.root+devNull {
		return true, nil
	}
	fi, err := e.fs.Lstat(at)
	if err != nil {
		return false, err
	}
	return fi.Mode().IsRegular() && fi.Size() == 0 || fi.Mode()&fs.ModeDevice != 0, nil
}

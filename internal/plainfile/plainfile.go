// Package plainfile reads files whose names come from others: regular ones of a
// bounded size, and nothing that could block or never end.
//
// It takes a path or an open file and gives bytes. It must not know what they
// mean.
package plainfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// ErrTooLarge is the error of a file that is longer than the limit.
var ErrTooLarge = errors.New("the file is too large")

// Read reads a regular file of at most limit bytes. A FIFO, a socket, a device
// and a file of the kernel's own file systems (/proc, /sys) are refused at once:
// they may have no end.
func Read(path string, limit int64) ([]byte, error) {
	f, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return Content(f, limit)
}

// Open opens a regular file.
func Open(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	if err := Check(f); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// Check refuses an open file that is no regular one.
func Check(f fs.File) error {
	st, err := f.Stat()
	if err != nil {
		return err
	}
	if !st.Mode().IsRegular() {
		return fmt.Errorf("it is %s; only regular files are read", Kind(st.Mode()))
	}
	if file, ok := f.(*os.File); ok && ofKernel(file) {
		return errors.New("it lies in a file system of the kernel's own, such as /proc, where a file may have no end; only regular files are read")
	}
	return nil
}

// Content reads an open file to its end, ErrTooLarge beyond the limit.
func Content(f fs.File, limit int64) ([]byte, error) {
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if st.Size() > limit {
		return nil, ErrTooLarge
	}
	buf := make([]byte, 0, st.Size()+1)
	for int64(len(buf)) <= limit {
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
		n, err := f.Read(buf[len(buf):min(int64(cap(buf)), limit+1)])
		buf = buf[:len(buf)+n]
		if err == io.EOF {
			return buf, nil
		}
		if err != nil {
			return nil, err
		}
	}
	return nil, ErrTooLarge
}

// Kind says what a file is that is no regular one.
func Kind(m fs.FileMode) string {
	switch {
	case m.IsDir():
		return "a directory"
	case m&fs.ModeNamedPipe != 0:
		return "a FIFO"
	case m&fs.ModeSocket != 0:
		return "a socket"
	case m&fs.ModeDevice != 0:
		return "a device"
	}
	return "no regular file"
}

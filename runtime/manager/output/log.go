package output

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// MaxSize is the size in bytes at which a log is moved to its ".1"; so a unit
// never has more than twice of it.
const MaxSize = 4 << 20

// MaxLine is the longest line that is kept whole; a longer one is broken.
const MaxLine = 48 << 10

// Store is the directory that holds the logs. Only a few files are open at a
// time, however many units write.
type Store struct {
	dir string
	mu  sync.Mutex
	// open files, most recently used last
	open []*file
}

type file struct {
	unit string
	f    *os.File
	size int64
}

const maxOpen = 32

// NewStore makes the directory, readable by its owner alone: services may
// write secrets.
func NewStore(dir string) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	return &Store{dir: dir}, nil
}

// Path gives the file of a unit.
func (s *Store) Path(unit string) string {
	return filepath.Join(s.dir, strings.ReplaceAll(unit, "/", "_")+".log")
}

// Files gives the files of a unit that exist, oldest first.
func (s *Store) Files(unit string) []string {
	var out []string
	for _, p := range []string{s.Path(unit) + ".1", s.Path(unit)} {
		if _, err := os.Stat(p); err == nil {
			out = append(out, p)
		}
	}
	return out
}

// Write appends lines, each with the time before it: "<RFC 3339, µs> source:
// text". Source names who wrote it: the unit's identifier, or "unitgen" for
// words of the manager.
func (s *Store) Write(unit string, at time.Time, source string, lines []byte) {
	stamp := at.UTC().AppendFormat(make([]byte, 0, 64), "2006-01-02T15:04:05.000000Z")
	stamp = append(stamp, ' ')
	stamp = append(stamp, source...)
	stamp = append(stamp, ": "...)
	buf := make([]byte, 0, len(lines)+2*len(stamp))
	for len(lines) > 0 {
		line, rest, _ := bytes.Cut(lines, []byte{'\n'})
		buf = append(buf, stamp...)
		buf = append(buf, line...)
		buf = append(buf, '\n')
		lines = rest
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f, err := s.file(unit)
	if err != nil {
		return // a full disk must not stop services
	}
	if f.size > 0 && f.size+int64(len(buf)) > MaxSize {
		f.f.Close()
		s.forget(f)
		_ = os.Rename(s.Path(unit), s.Path(unit)+".1")
		if f, err = s.file(unit); err != nil {
			return
		}
	}
	n, _ := f.f.Write(buf)
	f.size += int64(n)
}

func (s *Store) file(unit string) (*file, error) {
	for i, f := range s.open {
		if f.unit == unit {
			copy(s.open[i:], s.open[i+1:])
			s.open[len(s.open)-1] = f
			return f, nil
		}
	}
	if len(s.open) >= maxOpen {
		s.open[0].f.Close()
		s.open = append(s.open[:0], s.open[1:]...)
	}
	f, err := os.OpenFile(s.Path(unit), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if errors.Is(err, fs.ErrNotExist) { // the directory was removed
		if err = os.MkdirAll(s.dir, 0o700); err == nil {
			f, err = os.OpenFile(s.Path(unit), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
		}
	}
	if err != nil {
		return nil, err
	}
	st, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, err
	}
	e := &file{unit: unit, f: f, size: st.Size()}
	s.open = append(s.open, e)
	return e, nil
}

func (s *Store) forget(f *file) {
	for i, o := range s.open {
		if o == f {
			s.open = append(s.open[:i], s.open[i+1:]...)
			return
		}
	}
}

// Close closes all files.
func (s *Store) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.open {
		f.f.Close()
	}
	s.open = nil
}

// Lines cuts a stream into whole lines: what Next gives may be written, the
// rest is kept for the next piece.
type Lines struct{ rest []byte }

// Next adds a piece and gives the whole lines so far, nil where there is none.
// NUL bytes are shown as blanks.
func (l *Lines) Next(piece []byte) []byte {
	for i := range piece {
		if piece[i] == 0 {
			piece[i] = ' '
		}
	}
	end := bytes.LastIndexByte(piece, '\n')
	if end < 0 {
		l.rest = append(l.rest, piece...)
		if len(l.rest) < MaxLine {
			return nil
		}
		out := l.rest
		l.rest = nil
		return append(out, '\n')
	}
	out := append(l.rest, piece[:end+1]...)
	l.rest = append([]byte(nil), piece[end+1:]...)
	return out
}

// Flush gives what is left without a final newline.
func (l *Lines) Flush() []byte {
	out := l.rest
	l.rest = nil
	return out
}

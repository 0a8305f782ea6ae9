package manager

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/unitgen/unitgen/runtime/manager/stage"
)

// stdio are the three standard descriptors of a process.
type stdio struct{ fds [3]*os.File }

func (s *stdio) files() []uintptr {
	return []uintptr{s.fds[0].Fd(), s.fds[1].Fd(), s.fds[2].Fd()}
}

func (s *stdio) close() {
	for i, f := range s.fds {
		if f != nil && (i == 0 || f != s.fds[0]) && (i < 2 || f != s.fds[1]) {
			f.Close()
		}
	}
}

// openStdio opens StandardInput=, StandardOutput= and StandardError=.
func (s *spawnRequest) openStdio(c *execConfig, a account) (*stdio, error) {
	out := &stdio{}
	in, err := s.openInput(c)
	if err != nil {
		return out, step(stage.ExitStdin, "STDIN", err)
	}
	out.fds[0] = in
	o, err := s.openOutput(c, c.stdout, in, nil, a)
	if err != nil {
		out.close()
		return out, step(stage.ExitStdout, "STDOUT", err)
	}
	out.fds[1] = o
	e, err := s.openOutput(c, c.stderr, in, o, a)
	if err != nil {
		out.close()
		return out, step(stage.ExitStderr, "STDERR", err)
	}
	out.fds[2] = e
	return out, nil
}

func (s *spawnRequest) openInput(c *execConfig) (*os.File, error) {
	if s.std[0] != nil {
		return dup(int(s.std[0].Fd()))
	}
	kind, arg, _ := strings.Cut(c.stdin, ":")
	switch kind {
	case "data":
		return memory("stdin", c.stdinData)
	case "file":
		if c.stdout == "file:"+arg || c.stderr == "file:"+arg {
			return os.OpenFile(arg, os.O_RDWR|os.O_CREATE, 0o666&^os.FileMode(c.umask))
		}
		return os.OpenFile(arg, os.O_RDONLY, 0)
	case "socket":
		if s.stdinFD >= 0 {
			return dup(s.stdinFD)
		}
		return nil, errors.New("there is no connection to read from")
	case "fd":
		return s.named(arg, "stdin")
	case "tty", "tty-force", "tty-fail":
		return os.OpenFile(c.tty, os.O_RDWR|unix.O_NOCTTY, 0)
	}
	return os.OpenFile(os.DevNull, os.O_RDONLY, 0)
}

func (s *spawnRequest) named(name, otherwise string) (*os.File, error) {
	if name == "" {
		name = otherwise
	}
	for i, n := range s.names {
		if n == name {
			return dup(s.pass[i])
		}
	}
	return nil, fmt.Errorf("no descriptor is named %q", name)
}

func dup(fd int) (*os.File, error) {
	n, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(n), "fd"), nil
}

func (s *spawnRequest) openOutput(c *execConfig, how string, in, out *os.File, a account) (*os.File, error) {
	if at := 1 + map[bool]int{true: 1}[out != nil]; s.std[at] != nil {
		return dup(int(s.std[at].Fd()))
	}
	kind, arg, _ := strings.Cut(how, ":")
	mode := 0o666 &^ os.FileMode(c.umask)
	own := func(f *os.File, err error) (*os.File, error) {
		if err == nil && a.set {
			_ = f.Chown(int(a.uid), int(a.gid))
		}
		return f, err
	}
	switch kind {
	case "inherit":
		if out != nil {
			return out, nil
		}
		if c.stdin == "null" || c.stdin == "data" || c.stdin == "" {
			return s.openOutput(c, "journal", in, nil, a)
		}
		return in, nil
	case "null":
		return os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	case "file":
		if strings.HasPrefix(c.stdin, "file:") && strings.TrimPrefix(c.stdin, "file:") == arg {
			return in, nil
		}
		return own(os.OpenFile(arg, os.O_WRONLY|os.O_CREATE, mode))
	case "append":
		return own(os.OpenFile(arg, os.O_WRONLY|os.O_CREATE|os.O_APPEND, mode))
	case "truncate":
		return own(os.OpenFile(arg, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, mode))
	case "socket":
		if s.stdinFD >= 0 {
			return dup(s.stdinFD)
		}
		return nil, errors.New("there is no connection to write to")
	case "fd":
		return s.named(arg, map[bool]string{true: "stdout", false: "stderr"}[out == nil])
	case "tty":
		return os.OpenFile(c.tty, os.O_WRONLY|unix.O_NOCTTY, 0)
	}
	// journal, kmsg, syslog and the +console forms: the unit's own log
	f, err := os.OpenFile(s.fifo, os.O_RDWR, 0)
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, os.ErrPermission) {
		return os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	}
	if err == nil && a.set {
		_ = os.Chown(s.fifo, int(a.uid), -1)
	}
	return f, err
}

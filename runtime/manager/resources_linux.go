package manager

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	us "github.com/unitgen/unitgen/runtime/unitstate"
	"github.com/unitgen/unitgen/schema/value"
)

// resourceError is a failure that comes before any process is made: there is
// no exit status then, and the result is "resources".
type resourceError struct {
	what string
	err  error
}

func (e *resourceError) Error() string { return e.what + ": " + e.err.Error() }
func (e *resourceError) Unwrap() error { return e.err }

// readEnvFiles reads EnvironmentFile= of a unit (systemd.exec(5)): each may be
// a pattern, and is read anew for each process.
func (c *execConfig) readEnvFiles() ([]string, error) {
	var env []string
	for _, f := range c.envFiles {
		list, err := f.read()
		if err != nil {
			return nil, &resourceError{"Failed to load environment files", err}
		}
		env = append(env, list...)
	}
	return env, nil
}

func (f envFile) read() ([]string, error) {
	paths := []string{f.path}
	if strings.ContainsAny(f.path, "*?[") {
		paths, _ = filepath.Glob(f.path)
		if len(paths) == 0 && !f.optional {
			return nil, &os.PathError{Op: "open", Path: f.path, Err: os.ErrNotExist}
		}
	}
	var env []string
	for _, p := range paths {
		b, err := os.ReadFile(p)
		if err != nil {
			if f.optional {
				continue
			}
			return nil, err
		}
		list, err := value.ParseEnvironmentFile(string(bytes.ToValidUTF8(b, nil)))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p, err)
		}
		for _, as := range list {
			env = append(env, as.Name+"="+as.Value)
		}
	}
	return env, nil
}

// checkInput looks whether the descriptors are there that the standard streams
// name.
func (s *spawnRequest) checkInput() error {
	c := s.cfg
	for i, how := range []string{c.stdin, c.stdout, c.stderr} {
		kind, name, _ := strings.Cut(how, ":")
		if kind != "fd" {
			continue
		}
		if name == "" {
			name = [3]string{"stdin", "stdout", "stderr"}[i]
		}
		if !contains(s.names, name) {
			return &resourceError{"Failed to load a named file descriptor", fmt.Errorf("no descriptor is named %q", name)}
		}
	}
	if c.stdin == "socket" && s.stdinFD < 0 && s.isMain {
		return &resourceError{"Got no socket", errors.New("StandardInput=socket needs exactly one")}
	}
	return nil
}

// withoutProcess goes on after a command of the service for which no process
// could be made, where the service would have entered a state with it.
func (s *service) withoutProcess(state us.SubState, err error) {
	const f = "resources"
	s.u.notice("Failed to run the %s task of %s: %v", strings.TrimPrefix(string(state), "start-"), s.u.name(), err)
	next := s.state == state // a further command of the list
	switch state {
	case "condition", "start-pre":
		if next {
			s.enterSignal("stop-sigterm", f)
		} else {
			s.enterDead(f, true)
		}
	case "start":
		if next {
			s.enterStop(f)
		} else {
			s.enterSignal("stop-sigterm", f)
		}
	case "start-post":
		if next {
			s.enterSignal("stop-sigterm", f)
		} else {
			s.enterStop(f)
		}
	case "reload":
		s.reloadResult = f
		s.u.reloadFailed = true
		if !next {
			s.set("reload") // the job wants to see it come and go
		}
		s.enterRunning("success")
	case "stop":
		s.enterSignal("stop-sigterm", f)
	case "stop-post":
		if next {
			s.enterDead(f, true)
		} else {
			s.enterSignal("final-sigterm", f)
		}
	}
}

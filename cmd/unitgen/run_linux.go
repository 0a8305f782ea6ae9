package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/unitgen/unitgen/runtime/activation"
	"github.com/unitgen/unitgen/runtime/bus"
	"github.com/unitgen/unitgen/schema/tree"
)

// The manager is a fresh process of this program: what the compiler needed of
// memory is gone. It is told what to do by this variable and argument.
const (
	bootVar = "UNITGEN_BOOT"
	bootArg = "run-manager"
)

// run prepares the generation and becomes the manager.
func (a *app) run(cmd *cobra.Command, dir string, h hostFlags, f runFlags) error {
	s, err := openState(f.State)
	if err != nil {
		return err
	}
	f.State = s.Dir()
	if f.RuntimeDir == "" {
		f.RuntimeDir = defaultRuntimeDir()
	}
	if f.RuntimeDir, err = filepath.Abs(f.RuntimeDir); err != nil {
		return &exitError{exitWrong, err}
	}
	if n := len(bus.PrivateSocket(f.RuntimeDir)); n > 100 {
		return &exitError{exitRefused, fmt.Errorf("the runtime directory %s is too long: a unix socket's path has at most 107 bytes; name a shorter one with --runtime-dir", f.RuntimeDir)}
	}
	scope := tree.System
	if f.User {
		scope = tree.User
	}
	if r := living(f.State, scope); r != nil {
		return &exitError{exitRefused, fmt.Errorf("a manager (process %d) runs this state directory already; use \"unitgen switch\" to change what it runs, or stop it first", r.PID)}
	}
	if placed, err := activation.Placed(s); err == nil && len(placed.Items) > 0 {
		if addr, err := findManager(s, scope); err == nil && !addr.Bundled {
			fmt.Fprintf(a.err, "unitgen: warning: the machine's systemd runs what %s has as current, and this manager starts all of it a second time, on the same ports; \"unitgen switch\" changes what systemd runs, and --state DIR keeps the two apart\n", s.Dir())
		}
	}
	if err := makeRuntimeDir(f.RuntimeDir); err != nil {
		return &exitError{exitRefused, err}
	}
	g, err := a.bootable(cmd, dir, h, s)
	if err != nil {
		return err
	}
	if err := layCredentials(g.Tree, scope, s.Dir(), f.RuntimeDir); err != nil {
		return &exitError{exitRefused, err}
	}
	f.Booted = fmt.Sprintf("generation %d (%s)", g.Number, filepath.Base(g.Tree))
	return a.exec(f, nil)
}

// exec replaces this process by the manager's.
func (a *app) exec(f runFlags, more []string) error {
	raw, err := json.Marshal(f)
	if err != nil {
		return err
	}
	env := append(os.Environ(), bootVar+"="+string(raw))
	env = append(env, more...)
	err = syscall.Exec("/proc/self/exe", []string{"unitgen", bootArg}, env)
	return &exitError{exitRefused, fmt.Errorf("the manager cannot be started: %w", err)}
}

// living gives the manager that runs for a state directory now.
func living(state string, scope tree.Scope) *bus.Record {
	r, err := bus.ReadRecord(state, scope)
	if err != nil || r.PID <= 0 {
		return nil
	}
	if l, err := lockRuntime(r.RuntimeDir); err == nil {
		l.Close()
		return nil
	} else if !errors.Is(err, errRuntimeBusy) {
		return nil
	}
	return r
}

func defaultRuntimeDir() string {
	if os.Geteuid() == 0 {
		if os.Getpid() == 1 {
			return "/run"
		}
		if _, err := os.Stat("/run/systemd/system"); err != nil {
			return "/run"
		}
		return "/run/unitgen"
	}
	if d := os.Getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(d) && unix.Access(d, unix.W_OK) == nil {
		return filepath.Join(d, "unitgen")
	}
	return filepath.Join(os.TempDir(), "unitgen-"+strconv.Itoa(os.Geteuid()))
}

// makeRuntimeDir makes the directory and refuses one of somebody else: what
// lies there is trusted.
func makeRuntimeDir(dir string) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	mode := os.FileMode(0o700)
	if os.Geteuid() == 0 {
		mode = 0o755
	}
	if err := os.Mkdir(dir, mode); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	st, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if !st.IsDir() {
		return fmt.Errorf("the runtime directory %s is no directory", dir)
	}
	if s, ok := st.Sys().(*syscall.Stat_t); ok && int(s.Uid) != os.Geteuid() {
		return fmt.Errorf("the runtime directory %s belongs to somebody else (uid %d); name another with --runtime-dir", dir, s.Uid)
	}
	return nil
}

var errRuntimeBusy = errors.New("another manager uses the runtime directory")

// lockRuntime takes a runtime directory for one manager; the kernel drops the
// lock with the process.
func lockRuntime(dir string) (*os.File, error) {
	if err := os.MkdirAll(filepath.Join(dir, "systemd"), 0o755); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(dir, "systemd", "unitgen.lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, errRuntimeBusy
		}
		return nil, err
	}
	return f, nil
}

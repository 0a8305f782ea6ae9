package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/unitgen/unitgen/runtime/bus"
	"github.com/unitgen/unitgen/runtime/manager"
	"github.com/unitgen/unitgen/runtime/unitstate"
	"github.com/unitgen/unitgen/schema/specifier"
	"github.com/unitgen/unitgen/schema/tree"
)

// bootManager is the life of the process that became the manager.
func bootManager(raw string) int {
	var f runFlags
	if err := json.Unmarshal([]byte(raw), &f); err != nil {
		fmt.Fprintln(os.Stderr, "unitgen:", err)
		return exitWrong
	}
	if code, done := enterPrivateEtc(&f); done {
		return code
	}
	// what our caller left open is nobody's business but ours
	_ = unix.CloseRange(3, ^uint(0), unix.CLOSE_RANGE_CLOEXEC)
	debug.SetGCPercent(50) // it lives long and does little
	if os.Getpid() == 1 {
		loopbackUp()
		if f.RuntimeDir == "/run" {
			// the sign by which systemctl and sd_booted(3) know that one may ask for
			// units here
			_ = os.MkdirAll("/run/systemd/system", 0o755)
		}
	}
	lock, err := lockRuntime(f.RuntimeDir)
	if err != nil {
		fmt.Fprintf(os.Stderr, "unitgen: %v (%s); stop it, or name another with --runtime-dir\n", err, f.RuntimeDir)
		return exitRefused
	}
	defer lock.Close()
	scope := tree.System
	if f.User {
		scope = tree.User
	}
	say := newRunTalk(os.Stdout, os.Stderr)
	etc := newEtc(&f, say.note)
	var outside *manager.Outside
	if f.OutsideFD > 0 {
		outside = manager.NewOutside(f.OutsideFD)
	}
	var prepare func() error // of the current tree: its /etc files, users, directories
	m, err := manager.New(manager.Options{
		Scope: scope, RuntimeDir: f.RuntimeDir, StateDir: f.State, UnitPath: unitPath(f.State, scope),
		Facts: facts(f), Version: version, PID1: os.Getpid() == 1, NoCgroups: f.NoCgroups,
		Notice: say.notice, OwnEtc: os.Geteuid() == 0 && (f.Etc == "private" || os.Getpid() == 1),
		OnReload: func() error { return prepare() }, Outside: outside, WatchName: bus.WatchName,
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "unitgen:", err)
		return exitRefused
	}
	prepare = func() error {
		return errors.Join(etc.update(), m.Prepare(filepath.Join(f.State, "current")))
	}
	if err := prepare(); err != nil {
		say.note(err.Error())
	}
	var code atomic.Int32
	ended := make(chan struct{})
	record := bus.Record{PID: os.Getpid(), Scope: scope, Socket: bus.PrivateSocket(f.RuntimeDir), RuntimeDir: f.RuntimeDir,
		State: f.State, LogDir: filepath.Join(f.State, "log"), Started: time.Now()}
	go func() {
		code.Store(int32(m.Run(target(f, scope))))
		close(ended)
	}()
	srv := bus.NewServer(bus.ServerOptions{Backend: m})
	if err := srv.ListenRuntime(f.RuntimeDir); err != nil {
		fmt.Fprintln(os.Stderr, "unitgen:", err)
		_ = m.Shutdown(unitstate.ShutdownExit, exitRefused)
		<-ended
		return exitRefused
	}
	if err := bus.WriteRecord(record); err != nil {
		say.note("the manager's record cannot be written: " + err.Error())
	}
	say.begin(m, f, record)
	stopOnFailure(m, f.Stop)
	go handleSignals(m, say)
	<-ended
	bus.RemoveRecord(record)
	srv.Close()
	etc.end()
	kind, failed := m.Ended()
	say.end(kind, failed)
	rc := int(code.Load())
	if rc == 0 && f.Stop && len(failed) > 0 {
		rc = exitWrong
	}
	if os.Getpid() == 1 {
		powerDown(kind)
	}
	return rc
}

// target is the unit to start.
func target(f runFlags, scope tree.Scope) string {
	if f.Target != "" {
		return f.Target
	}
	if scope == tree.User {
		return "default.target"
	}
	if _, err := os.Lstat(filepath.Join(f.State, "current", "etc", "systemd", string(scope), "default.target")); err == nil {
		return "default.target"
	}
	return "multi-user.target"
}

// unitPath gives the directories of the current tree that hold units, highest
// priority first; they go through the pivot, so that a switch is seen at the
// next reload.
func unitPath(state string, scope tree.Scope) []string {
	cur := filepath.Join(state, "current")
	out := []string{
		filepath.Join(cur, tree.UnitDir(tree.GeneratorEarly, scope)),
		filepath.Join(cur, tree.UnitDir(tree.Etc, scope)),
		filepath.Join(cur, tree.UnitDir(tree.Generator, scope)),
		filepath.Join(cur, tree.UnitDir(tree.GeneratorLate, scope)),
	}
	if more := os.Getenv("SYSTEMD_UNIT_PATH"); more != "" {
		out = append(out, filepath.SplitList(more)...)
	}
	return out
}

// facts say where the directories of units lie: in the machine's own places
// for root, below the state and runtime directories for others.
func facts(f runFlags) specifier.Context {
	c := specifier.System()
	if f.User || os.Geteuid() != 0 {
		c = specifier.User(specifier.CurrentUser(), specifier.Environ(os.Environ()), manager.SystemdVersion)
	}
	c.RuntimeDir = f.RuntimeDir
	if os.Geteuid() != 0 {
		c.StateDir = filepath.Join(f.State, "var", "lib")
		c.CacheDir = filepath.Join(f.State, "var", "cache")
		c.LogsDir = filepath.Join(f.State, "var", "log")
		c.ConfigDir = filepath.Join(f.State, "current", "etc")
	} else {
		c.StateDir, c.CacheDir, c.LogsDir = "/var/lib", "/var/cache", "/var/log"
		c.ConfigDir = "/etc"
		if f.Etc == "none" {
			c.ConfigDir = filepath.Join(f.State, "current", "etc")
		}
	}
	return c
}

// handleSignals is what the process answers to from outside.
func handleSignals(m *manager.Manager, say *runTalk) {
	ch := make(chan os.Signal, 16)
	signal.Notify(ch, unix.SIGTERM, unix.SIGINT, unix.SIGHUP, unix.SIGPWR, unix.SIGUSR1, unix.SIGUSR2,
		syscall.Signal(sigRTMin+3), syscall.Signal(sigRTMin+4), syscall.Signal(sigRTMin+5), syscall.Signal(sigRTMin+13), syscall.Signal(sigRTMin+14), syscall.Signal(sigRTMin+15), syscall.Signal(sigRTMin+24))
	var last time.Time
	for s := range ch {
		kind := unitstate.ShutdownExit
		switch s {
		case unix.SIGHUP:
			if say.terminal() && os.Getpid() != 1 && !isTerminal(os.Stdout) {
				break
			}
			if err := m.Reload(); err != nil {
				say.note(err.Error())
			}
			continue
		case unix.SIGUSR1, unix.SIGUSR2:
			continue
		case unix.SIGPWR, syscall.Signal(sigRTMin + 4), syscall.Signal(sigRTMin + 14):
			kind = unitstate.ShutdownPowerOff
		case syscall.Signal(sigRTMin + 3), syscall.Signal(sigRTMin + 13):
			kind = unitstate.ShutdownHalt
		case syscall.Signal(sigRTMin + 5), syscall.Signal(sigRTMin + 15):
			kind = unitstate.ShutdownReboot
		}
		if time.Since(last) < 500*time.Millisecond {
			continue // one wish, sent to the process and to its group
		}
		last = time.Now()
		say.stopping(s)
		_ = m.Shutdown(kind, 0)
	}
}

const sigRTMin = 34 // glibc's SIGRTMIN: two are the C library's

// stopOnFailure is --stop-on-failure.
func stopOnFailure(m *manager.Manager, on bool) {
	if !on {
		return
	}
	check := func(name string) {
		if st, err := m.Unit(name); err == nil && st.Active == unitstate.Failed {
			_ = m.Shutdown(unitstate.ShutdownExit, exitWrong)
		}
	}
	m.Subscribe(func(e unitstate.Event) {
		if e.Kind == unitstate.UnitChanged {
			check(e.Unit)
		}
	})
	for _, u := range m.Units() { // what failed before we listened
		check(u.Name)
	}
}

// powerDown ends the machine or container whose init we are.
func powerDown(kind unitstate.ShutdownKind) {
	unix.Sync()
	cmd := map[unitstate.ShutdownKind]int{
		unitstate.ShutdownPowerOff: unix.LINUX_REBOOT_CMD_POWER_OFF,
		unitstate.ShutdownReboot:   unix.LINUX_REBOOT_CMD_RESTART,
		unitstate.ShutdownHalt:     unix.LINUX_REBOOT_CMD_HALT,
		unitstate.ShutdownKexec:    unix.LINUX_REBOOT_CMD_KEXEC,
	}[kind]
	if cmd == 0 {
		return // exit: the container ends with our code
	}
	if err := unix.Reboot(cmd); err != nil && !errors.Is(err, unix.EPERM) {
		fmt.Fprintln(os.Stderr, "unitgen:", err)
	}
}

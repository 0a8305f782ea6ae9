package e2e

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/unitgen/unitgen/internal/testenv"
)

// TestManagerKilled ends the manager with SIGKILL; the next run has to have
// every service once.
func TestManagerKilled(t *testing.T) {
	t.Parallel()
	everyone(t, func(t *testing.T, w who) {
		h := newHost(t, w, "hello")
		h.boot()
		generation := h.current()
		socket := filepath.Join(h.runtime, "hello.sock")
		visit(t, socket)
		greeter := h.pids()["greeter.service"]
		seen := map[string]string{} // PID to unit
		for round := 0; round < 3; round++ {
			for unit, pid := range h.pids() {
				seen[pid] = unit
			}
			h.crash()
			h.boot()
			if h.current() != generation {
				t.Errorf("current is %d, want %d", h.current(), generation)
			}
			for _, unit := range append([]string{"heartbeat.service", "greeter.socket", "almanac.timer"}, workers...) {
				if got := h.active(unit); got != "active" {
					t.Errorf("%s is %s", unit, got)
				}
			}
			// One that was not taken over has to be gone.
			now := h.pids()
			if greeter == "" || now["greeter.service"] != greeter {
				t.Errorf("greeter.service, which holds its socket, had process %s and has %q", greeter, now["greeter.service"])
			}
			if got, want := visit(t, socket), fmt.Sprintf("Hello from hello, visitor number %d.\n", round+2); got != want {
				t.Errorf("the greeter says %q, want %q", got, want)
			}
			h.eventually("every service runs once", 10*time.Second, func() bool {
				for pid, unit := range seen {
					if now[unit] != pid && alive(pid) {
						return false
					}
				}
				return true
			})
		}
		for unit, pid := range h.pids() {
			seen[pid] = unit
		}
		h.stop()
		h.eventually("nothing is left behind", 5*time.Second, func() bool {
			for pid := range seen {
				if alive(pid) {
					return false
				}
			}
			return true
		})
	})
}

// alive tells whether a process is there and no zombie.
func alive(pid string) bool {
	b, err := os.ReadFile(filepath.Join("/proc", pid, "stat"))
	return err == nil && !strings.Contains(string(b), ") Z ")
}

// TestSwitchKilled ends a switch with SIGKILL at its first, second, third …
// system call that changes a file, until it comes through, and recovers each
// time. Whatever the moment, the host has the old or the new generation, whole.
func TestSwitchKilled(t *testing.T) {
	t.Parallel()
	testenv.Need(t, "strace")
	h := newHost(t, self, "hello")
	h.boot()
	before := h.pids()
	h.edit("host.ug.hcl", `config "greeter" {`, "etc \"extra/a.conf\" {\n  text = \"a\"\n}\n\nconfig \"greeter\" {")
	h.mustUnitgen("switch", h.dir)
	first := h.currentTree()

	h.edit(greeterUnits, heartbeatLine, changedLine)
	h.edit("host.ug.hcl", "extra/a.conf", "extra/b.conf")
	outcomes := map[string]int{}
	n := 1
	for step := 1; ; n, step = n+step, step+n/12 {
		s := h.killedAt(n, unitgen(t), "switch", "--state", h.state, h.dir)
		came := s.code == 0
		r := h.unitgen("recover")
		if r.code != 0 {
			t.Fatalf("killed at call %d: recover: exit code %d: %v\nswitch: %v", n, r.code, r, s)
		}
		outcome := h.checkWhole(t, fmt.Sprintf("killed at call %d", n), first)
		outcomes[outcome]++
		if came {
			if outcome != "new" {
				t.Errorf("the switch came through, but the %s generation is current", outcome)
			}
			break
		}
		if outcome == "new" {
			h.mustUnitgen("rollback")
		}
		if n > 5000 {
			t.Fatal("the switch does not come to an end")
		}
		if t.Failed() {
			t.FailNow()
		}
	}
	t.Logf("killed at up to %d calls: %v", n, outcomes)
	if outcomes["old"] == 0 {
		t.Error("no kill came before the switch was done: the test tests nothing")
	}
	for unit, pid := range h.pids() {
		if unit != "heartbeat.service" && before[unit] != pid {
			t.Errorf("%s had the main PID %s, and has now %s", unit, before[unit], pid)
		}
	}
}

// killedAt runs a command that gets SIGKILL instead of its n-th call that
// changes a file.
func (h *host) killedAt(n int, name string, args ...string) said {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	const calls = "rename,renameat,renameat2,symlink,symlinkat,link,linkat,unlink,unlinkat,mkdir,mkdirat,fsync,fdatasync,connect"
	argv := append([]string{"-f", "-qq", "-o", "/dev/null", "-e", "trace=" + calls,
		"-e", fmt.Sprintf("inject=%s:signal=KILL:when=%d", calls, n), "--", name}, args...)
	return run(h.command(ctx, "strace", argv...))
}

func (h *host) currentTree() string {
	h.t.Helper()
	p, err := filepath.EvalSymlinks(filepath.Join(h.state, "current"))
	if err != nil {
		h.t.Fatal(err)
	}
	return p
}

// checkWhole tells whether the old or the new generation is there, and wants
// all of it: links, files and units.
func (h *host) checkWhole(t *testing.T, when, first string) string {
	t.Helper()
	outcome := "new"
	if h.currentTree() == first {
		outcome = "old"
	}
	// No link of the state leads nowhere.
	_ = filepath.WalkDir(h.state, func(p string, d fs.DirEntry, err error) error {
		if err == nil && d.Type()&fs.ModeSymlink != 0 && !strings.HasPrefix(p, filepath.Join(h.state, "store")) {
			if _, err := os.Stat(p); err != nil {
				t.Errorf("%s: %v", when, err)
			}
		}
		return nil
	})
	want := map[string]bool{"a.conf": outcome == "old", "b.conf": outcome == "new"}
	for name, there := range want {
		if _, err := os.Stat(filepath.Join(h.state, "current/etc/extra", name)); (err == nil) != there {
			t.Errorf("%s: the %s generation has been chosen, and extra/%s: %v", when, outcome, name, err)
		}
	}
	h.eventually(when+": heartbeat.service is active", 10*time.Second, func() bool { return h.active("heartbeat.service") == "active" })
	pid := h.show("heartbeat.service", "MainPID")["MainPID"]
	b, err := os.ReadFile(filepath.Join("/proc", pid, "cmdline"))
	if err != nil {
		t.Errorf("%s: %v", when, err)
	}
	if changed := strings.Contains(string(b), "changed"); changed != (outcome == "new") {
		t.Errorf("%s: the %s generation is current, but heartbeat.service runs %q", when, outcome, b)
	}
	if got := h.show("heartbeat.service", "NeedDaemonReload")["NeedDaemonReload"]; got != "no" {
		t.Errorf("%s: NeedDaemonReload=%s", when, got)
	}
	return outcome
}

// TestSwitchAndManagerKilled ends both at once, as a power cut does; the next
// run has to bring up the old or the new generation.
func TestSwitchAndManagerKilled(t *testing.T) {
	t.Parallel()
	h := newHost(t, self, "hello")
	h.edit("host.ug.hcl", `config "greeter" {`, "etc \"extra/a.conf\" {\n  text = \"a\"\n}\n\nconfig \"greeter\" {")
	h.boot()
	first := h.currentTree()
	h.edit(greeterUnits, heartbeatLine, changedLine)
	h.edit("host.ug.hcl", "extra/a.conf", "extra/b.conf")
	for _, after := range []time.Duration{5, 20, 40, 60, 80, 110, 150, 250} {
		cmd := h.command(context.Background(), unitgen(t), "switch", "--state", h.state, h.dir)
		if cmd.SysProcAttr == nil {
			cmd.SysProcAttr = &syscall.SysProcAttr{}
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(after * time.Millisecond)
		h.crash()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		// A run of the generations as they are, not of the changed source.
		if r := h.unitgen("recover"); r.code != 0 {
			t.Fatalf("after %v ms: recover: exit code %d: %v", int(after), r.code, r)
		}
		h.bootTree(filepath.Join(h.state, "current"))
		outcome := h.checkWhole(t, fmt.Sprintf("both killed after %d ms", after), first)
		t.Logf("after %d ms: %s", after, outcome)
		if outcome == "new" {
			h.mustUnitgen("rollback")
		}
		if t.Failed() {
			t.FailNow()
		}
	}
}

// bootTree is boot on a tree instead of on the host's directory.
func (h *host) bootTree(tree string) {
	h.t.Helper()
	dir := h.dir
	h.dir = tree
	defer func() { h.dir = dir }()
	h.boot()
}

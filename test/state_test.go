package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/unitgen/unitgen/internal/testenv"
)

// TestBadStates has state directories that cannot be written: each is refused
// with exit code 2, and the generation that runs goes on.
func TestBadStates(t *testing.T) {
	t.Parallel()
	change := func(h *host) {
		h.edit(greeterUnits, heartbeatLine, changedLine)
	}
	refused := func(t *testing.T, h *host, why string) {
		t.Helper()
		s := h.unitgen("switch", h.dir)
		if s.code != 2 || !strings.Contains(s.stderr, why) {
			t.Errorf("switch: exit code %d, want 2 and %q: %v", s.code, why, s)
		}
	}

	t.Run("locked by another switch", func(t *testing.T) {
		t.Parallel()
		h := newHost(t, self, "hello")
		h.boot()
		first, pids := h.current(), h.pids()
		f, err := os.OpenFile(filepath.Join(h.state, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
			t.Fatal(err)
		}
		change(h)
		refused(t, h, "lock")
		if h.current() != first {
			t.Errorf("current is %d, want %d", h.current(), first)
		}
		checkPIDs(t, pids, h.pids())
	})

	t.Run("full", func(t *testing.T) {
		t.Parallel()
		testenv.NeedRoot(t)
		h := newHost(t, root, "hello")
		h.mountState("size=512k,nr_inodes=400")
		h.boot()
		first, pids := h.current(), h.pids()
		// What is free is taken, up to the last block.
		fill(t, filepath.Join(h.state, "filler"))
		change(h)
		h.write("modules/greeter/files/more", strings.Repeat("more than there is room for\n", 2000))
		h.edit("host.ug.hcl", `config "greeter" {`, "etc \"more\" {\n  source = \"modules/greeter/files/more\"\n}\n\nconfig \"greeter\" {")
		refused(t, h, "space")
		if h.current() != first {
			t.Errorf("current is %d, want %d", h.current(), first)
		}
		checkPIDs(t, pids, h.pids())
		if err := os.Remove(filepath.Join(h.state, "filler")); err != nil {
			t.Fatal(err)
		}
		h.mustUnitgen("switch", h.dir)
		checkPIDs(t, pids, h.pids(), "heartbeat.service")
	})

	t.Run("read-only", func(t *testing.T) {
		t.Parallel()
		testenv.NeedRoot(t)
		h := newHost(t, root, "hello")
		h.mountState("size=16m")
		h.boot()
		first, pids := h.current(), h.pids()
		change(h)
		// Read-only for the switch alone: the manager writes its logs there.
		s := h.try("unshare", "--mount", "sh", "-euc", `mount -o bind,remount,ro "$1"; shift; exec "$@"`, "sh", h.state,
			unitgen(t), "switch", "--state", h.state, h.dir)
		if s.code != 2 || !strings.Contains(s.stderr, "read-only") {
			t.Errorf("switch: exit code %d, want 2: %v", s.code, s)
		}
		if h.current() != first {
			t.Errorf("current is %d, want %d", h.current(), first)
		}
		checkPIDs(t, pids, h.pids())
	})

	t.Run("no such generation", func(t *testing.T) {
		t.Parallel()
		h := newHost(t, self, "hello")
		h.boot()
		if s := h.unitgen("rollback", "99"); s.code != 2 {
			t.Errorf("rollback 99: exit code %d, want 2: %v", s.code, s)
		}
	})

	t.Run("no manager", func(t *testing.T) {
		t.Parallel()
		h := newHost(t, self, "hello")
		if os.Geteuid() == 0 {
			h.as = ordinary
			if err := os.Chown(h.state, int(ordinary.uid), int(ordinary.uid)); err != nil {
				t.Fatal(err)
			}
			if err := os.Chown(filepath.Dir(h.state), int(ordinary.uid), int(ordinary.uid)); err != nil {
				t.Fatal(err)
			}
		}
		if s := h.unitgen("switch", h.dir); s.code != 2 {
			t.Errorf("switch: exit code %d, want 2: %v", s.code, s)
		}
	})
}

// mountState lays a tmpfs over the state directory until the test ends.
func (h *host) mountState(options string) {
	h.t.Helper()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "mode=700,"+options, "tmpfs", h.state).CombinedOutput(); err != nil {
		h.t.Fatalf("%v: %s", err, out)
	}
	h.t.Cleanup(func() {
		h.kill()
		if out, err := exec.Command("umount", "-l", h.state).CombinedOutput(); err != nil {
			h.t.Errorf("%v: %s", err, out)
		}
	})
}

// fill writes a file until nothing more fits.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, size := range []int{64 << 10, 4 << 10, 1} {
		block := make([]byte, size)
		for {
			if _, err := f.Write(block); err != nil {
				break
			}
		}
	}
}

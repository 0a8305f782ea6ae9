//go:build linux

package e2e

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/unitgen/unitgen/internal/systemdtest"
	"github.com/unitgen/unitgen/internal/testenv"
)

// TestContainer runs examples/container as its Containerfile does: the tree is
// built beforehand, and unitgen is PID 1.
func TestContainer(t *testing.T) {
	t.Parallel()
	testenv.NeedRoot(t)
	needWeb(t)
	h := newHost(t, self, "container")
	tree := filepath.Join(filepath.Dir(h.dir), "tree")
	h.mustUnitgen("build", h.dir, "--out", tree)
	m := systemdtest.Start(t, systemdtest.Options{
		Unitgen: true,
		Binds:   map[string]string{"/tree": tree},
		Init:    []string{"/usr/local/bin/unitgen", "run", "/tree"},
	})
	get := func() string {
		return m.Run("curl", "-sS", "--max-time", "5", "http://127.0.0.1:8080/").Stdout
	}
	defer func() {
		if t.Failed() {
			t.Logf("PID 1 said:\n%s", m.Console())
		}
	}()
	m.WaitFor("nginx serves the page", 30*time.Second, func() bool { return strings.Contains(get(), "Written at") })
	first := get()
	m.WaitFor("the timer writes another page", 30*time.Second, func() bool { p := get(); return strings.Contains(p, "Written at") && p != first })
	if got := strings.TrimSpace(m.MustRun("unitgen", "ctl", "is-active", "nginx.service")); got != "active" {
		t.Errorf("nginx.service is %s", got)
	}
	// An orphan becomes PID 1's child, and is reaped.
	m.MustShell("(sleep 0.2 &) ; true")
	m.WaitFor("no zombie is left", 5*time.Second, func() bool {
		return !strings.Contains(m.MustShell("cat /proc/[0-9]*/stat 2>/dev/null || true"), ") Z ")
	})
	// The container's engine stops it with SIGTERM.
	if err := syscall.Kill(m.PID(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case <-m.Ended():
	case <-time.After(30 * time.Second):
		t.Errorf("the container did not end within 30 s of SIGTERM")
	}
}

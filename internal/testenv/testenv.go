// Package testenv says what a test needs from the machine. A test that cannot
// run says why and is skipped; with CI=true it fails instead.
package testenv

import (
	"os"
	"os/exec"
	"testing"
)

// Missing skips the test with a reason, or fails it where CI=true.
func Missing(t testing.TB, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("cannot run here: "+format, args...)
	}
	t.Skipf("cannot run here: "+format, args...)
}

// Need wants every named program on PATH.
func Need(t testing.TB, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			Missing(t, "%s is not installed", p)
		}
	}
}

// NeedRoot wants the test to run as root.
func NeedRoot(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		Missing(t, "this test needs root")
	}
}

//go:build !linux

// Package systemdtest boots the machine's own systemd as PID 1 of a throw-away
// container. It runs on Linux only; elsewhere Start skips the test.
package systemdtest

import (
	"testing"
	"time"

	"github.com/unitgen/unitgen/internal/testenv"
)

// Options says what a machine has besides the host's root.
type Options struct {
	Files   map[string]string
	Binds   map[string]string
	Unitgen bool
	Init    []string
	Timeout time.Duration
}

// Result is what a command inside a machine did.
type Result struct {
	Args           []string
	Stdout, Stderr string
	Code           int
}

// Machine is a running container.
type Machine struct{}

// Start skips the test.
func Start(t testing.TB, _ Options) *Machine {
	t.Helper()
	testenv.Missing(t, "systemd runs on Linux only")
	return nil
}

package value

import (
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// TestLocalZoneOdd names a device, a pipe and a directory in TZ: none is read.
func TestLocalZoneOdd(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tz := range []string{":/dev/zero", "/dev/zero", pipe, "/", "/nonexistent"} {
		t.Setenv("TZ", tz)
		if z := LocalZone(); z != time.UTC {
			t.Errorf("TZ=%s is %v", tz, z)
		}
	}
}

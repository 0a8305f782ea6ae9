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
		if z := LocalZone(); !LikeUTC(z) || z.String() != "" {
			t.Errorf("TZ=%s is %v", tz, z)
		}
	}
}

// TestLocalZoneUnknown names zones that there are not.
func TestLocalZoneUnknown(t *testing.T) {
	for tz, name := range map[string]string{"": "UTC", "Nowhere/City": "Nowhere", "foo": "foo", "utc": "utc", "ab": "", "X3": "", "../UTC": "", "JST-9": "JST"} {
		t.Setenv("TZ", tz)
		if got, _ := time.Unix(1e9, 0).In(LocalZone()).Zone(); got != name {
			t.Errorf("TZ=%s has the name %q instead of %q", tz, got, name)
		}
	}
}

package plainfile

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	plain := filepath.Join(dir, "plain")
	if err := os.WriteFile(plain, []byte("text"), 0o644); err != nil {
		t.Fatal(err)
	}
	if b, err := Read(plain, 4); err != nil || string(b) != "text" {
		t.Fatalf("got %q, %v", b, err)
	}
	if _, err := Read(plain, 3); !errors.Is(err, ErrTooLarge) {
		t.Fatalf("a file above the limit: %v", err)
	}
	fifo := filepath.Join(dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o644); err != nil {
		t.Fatal(err)
	}
	for p, want := range map[string]string{dir: "directory", fifo: "FIFO", "/dev/zero": "device"} {
		if _, err := Read(p, 1<<20); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", p, err)
		}
	}
}

// A read of the kernel's log waits for its next line.
func TestReadKernel(t *testing.T) {
	t.Parallel()
	for _, p := range []string{"/proc/kmsg", "/proc/self/environ"} {
		if _, err := os.Stat(p); err != nil {
			continue
		}
		_, err := Read(p, 1<<20)
		if err == nil || !strings.Contains(err.Error(), "kernel's own") && !os.IsPermission(err) {
			t.Errorf("%s: %v", p, err)
		}
	}
}

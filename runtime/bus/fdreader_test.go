//go:build linux

package bus

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// pair gives both ends of a connection.
func pair(t *testing.T) (a, b *net.UnixConn) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	var out [2]*net.UnixConn
	for i, fd := range fds {
		f := os.NewFile(uintptr(fd), "socket")
		c, err := net.FileConn(f)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		out[i] = c.(*net.UnixConn)
	}
	return out[0], out[1]
}

// TestFDReader: descriptors come in their order, no more than are of use, and
// none where they were not agreed on.
func TestFDReader(t *testing.T) {
	t.Parallel()
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	for _, c := range []struct {
		name         string
		keep         bool
		sends, each  int
		kept, beyond int
	}{
		{"few", true, 2, 1, 2, 3},
		{"flood", true, 3, 100, maxPassed, maxPassed + 1},
		{"not agreed on", false, 2, 3, 0, 1},
	} {
		a, b := pair(t)
		for range c.sends {
			var fds []int
			for range c.each {
				fds = append(fds, int(null.Fd()))
			}
			if _, _, err := a.WriteMsgUnix([]byte("x"), unix.UnixRights(fds...), nil); err != nil {
				t.Fatal(err)
			}
		}
		a.Close()
		r := &fdReader{conn: b, keep: c.keep}
		text, err := io.ReadAll(r)
		if err != nil || len(text) != c.sends {
			t.Errorf("%s: read %q, %v", c.name, text, err)
		}
		if len(r.fds) != c.kept {
			t.Errorf("%s: %d descriptors are kept, not %d", c.name, len(r.fds), c.kept)
		}
		if _, err := r.take(c.beyond); !errors.Is(err, errMalformed) {
			t.Errorf("%s: taking more than came: %v", c.name, err)
		}
		if r.close(); r.fds != nil {
			t.Errorf("%s: something is left", c.name)
		}
	}
}

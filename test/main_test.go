package e2e

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/unitgen/unitgen/internal/testenv"
)

// scratch is where the test process keeps what outlives a single test.
var scratch string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "unitgen-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	// Ordinary users run the binary from here.
	if err := os.Chmod(dir, 0o755); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	scratch = dir
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

var copyBinary sync.Once

// unitgen gives the path of the binary, where every user may run it and no
// later build replaces it.
func unitgen(t testing.TB) string {
	t.Helper()
	to := filepath.Join(scratch, "unitgen")
	from := testenv.Unitgen(t)
	var err error
	copyBinary.Do(func() { err = copyFile(from, to, 0o755) })
	if err != nil {
		t.Fatal(err)
	}
	return to
}

func copyFile(from, to string, mode os.FileMode) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}

// copyTree copies a directory of plain files.
func copyTree(t testing.TB, from, to string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
}

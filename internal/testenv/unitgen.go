package testenv

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// Unitgen gives the path of the project's own binary, built from the tree that
// the test stands in. It lies in the user's cache directory and is linked anew
// only when the code changed. UNITGEN_BINARY names one that is built already.
func Unitgen(t testing.TB) string {
	t.Helper()
	if p := os.Getenv("UNITGEN_BINARY"); p != "" {
		return p
	}
	p, err := buildUnitgen()
	if err != nil {
		t.Fatalf("building unitgen: %v", err)
	}
	return p
}

type buildError struct {
	err    error
	output string
}

func (e *buildError) Error() string { return e.err.Error() + "\n" + e.output }

var buildUnitgen = sync.OnceValues(func() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	root, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return "", err
	}
	// Test processes run side by side: one at a time builds, and the next finds
	// the program up to date.
	dir := filepath.Join(cache, "unitgen-test")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	unlock, err := lockFile(filepath.Join(dir, "lock"))
	if err != nil {
		return "", err
	}
	defer unlock()
	p := filepath.Join(dir, "unitgen")
	cmd := exec.Command("go", "build", "-o", p, "./cmd/unitgen")
	cmd.Dir = strings.TrimSpace(string(root))
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", &buildError{err, string(out)}
	}
	return p, nil
})

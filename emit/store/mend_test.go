package store

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/unitgen/unitgen/emit"
	"github.com/unitgen/unitgen/internal/durable"
)

// TestMend modifies a tree in the store, in each way that Verify finds, and
// puts the image in its place.
func TestMend(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		return // Exchange is Linux's
	}
	state := filepath.Join(t.TempDir(), "s")
	clean(t, state)
	s := Open(state)
	img := image(t, 20, "a")
	st, err := s.Put(img)
	if err != nil {
		t.Fatal(err)
	}
	whole := func(when string) {
		t.Helper()
		if faults, err := Verify(st.Path); err != nil || len(faults) > 0 {
			t.Errorf("%s: %v, %v", when, faults, err)
		}
		if names, err := os.ReadDir(s.Dir()); err != nil || len(names) != 3 { // the tree, its sources, the lock
			t.Errorf("%s: %v, %v", when, names, err)
		}
	}
	for name, modify := range map[string]func(dir string) error{
		"changed": func(d string) error { return os.WriteFile(filepath.Join(d, "etc/d1/f1"), []byte("b"), 0o644) },
		"removed": func(d string) error { return durable.RemoveAll(durable.OS, filepath.Join(d, "etc/d1")) },
		"added":   func(d string) error { return os.WriteFile(filepath.Join(d, "etc/d1/more"), nil, 0o644) },
		"gone":    func(d string) error { return durable.RemoveAll(durable.OS, d) },
		"all gone": func(d string) error {
			return errors.Join(durable.RemoveAll(durable.OS, d), os.Remove(d+emit.SourcesSuffix))
		},
	} {
		for _, d := range []string{"", "etc", "etc/d1"} {
			if err := os.Chmod(filepath.Join(st.Path, d), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		for i := range 20 {
			_ = os.Chmod(filepath.Join(st.Path, "etc/d1", "f"+string(rune('0'+i%10))), 0o644)
		}
		if err := modify(st.Path); err != nil {
			t.Fatal(name, err)
		}
		if faults, err := Verify(st.Path); err == nil && len(faults) == 0 {
			t.Errorf("%s: not found", name)
		}
		if err := s.Mend(img); err != nil {
			t.Fatal(name, err)
		}
		whole(name)
	}
	if err := os.Chmod(st.Path, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(st.Path, "manifest.json")); err != nil {
		t.Fatal(err)
	}
	if again, err := s.Put(img); err != nil || !again.Created {
		t.Error(again, err)
	}
	whole("without its manifest")
}

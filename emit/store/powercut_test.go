package store

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/unitgen/unitgen/internal/powercut"
)

// TestPowerCut cuts the power after each operation of a Put: what has a tree's
// name is the whole tree.
func TestPowerCut(t *testing.T) {
	t.Parallel()
	for _, size := range []int{3, 60} { // synced one by one, and by one call
		img := image(t, size, "a")
		from := filepath.Join(t.TempDir(), "s")
		var rec powercut.Recorder
		st, err := OpenFS(from, rec.FS()).Put(img)
		if err != nil {
			t.Fatal(err)
		}
		clean(t, from)
		there := 0
		for n := range len(rec.Ops) + 1 {
			for _, loss := range []powercut.Loss{powercut.Names, powercut.Bytes} {
				to := filepath.Join(t.TempDir(), "s")
				if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := powercut.Replay(rec.Ops, n, loss, from, to); err != nil {
					t.Fatalf("after %d operations: %v", n, err)
				}
				p := filepath.Join(to, DirName, filepath.Base(st.Path))
				if _, err := os.Lstat(p); err == nil {
					there++
					if faults, err := Verify(p); err != nil || len(faults) > 0 {
						t.Fatalf("after %d operations, loss %d: %v %v", n, loss, faults, err)
					}
				} else if n == len(rec.Ops) {
					t.Fatalf("the tree is lost after the last operation")
				}
			}
		}
		t.Logf("%d operations, each cut twice; the tree was there, whole, %d times", len(rec.Ops), there)
	}
}

package activation

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/unitgen/unitgen/internal/powercut"
	"github.com/unitgen/unitgen/internal/testenv"
	"github.com/unitgen/unitgen/runtime/generation"
)

// TestPowerCut cuts the power after each operation of a switch, on a disk that
// loses all it may: after a recovery the host has the old generation or the
// new one, whole.
func TestPowerCut(t *testing.T) {
	t.Parallel()
	s := newScene(t, newServices)
	base := testenv.TempDir(t)
	snapshot(t, s.root, base)
	var rec powercut.Recorder
	s.state = generation.OpenFS(s.state.Dir(), rec.FS())
	if _, err := Switch(context.Background(), s.options(s.to)); err != nil {
		t.Fatal(err)
	}
	outcomes := map[int]int{}
	for n := range len(rec.Ops) + 1 {
		for _, loss := range []powercut.Loss{powercut.Names, powercut.Bytes} {
			root := testenv.TempDir(t)
			snapshot(t, base, root)
			if err := powercut.Replay(rec.Ops, n, loss, s.root, root); err != nil {
				t.Fatalf("after %d operations: %v", n, err)
			}
			after := &scene{t: t, w: &world{}, root: root, from: s.from, to: s.to}
			after.state = generation.OpenFS(filepath.Join(root, "etc/unitgen"), after.w.fs())
			o := Options{State: after.state, Place: &Place{Root: root}}
			if _, err := Recover(context.Background(), o); err != nil {
				t.Fatalf("after %d operations (%v), loss %d: %v", n, rec.Ops[max(0, n-1)], loss, err)
			}
			// The machine boots: everything runs from what is current.
			after.manager = newFake(after.w, filepath.Join(root, "etc/unitgen/current/etc/systemd/system"))
			for u := range after.manager.loaded {
				after.manager.start(u)
			}
			cur, _, err := after.state.Current()
			if err != nil {
				t.Fatal(err)
			}
			outcomes[cur.Number]++
			after.whole("power cut after "+rec.Ops[max(0, n-1)].Name+" "+filepath.Base(rec.Ops[max(0, n-1)].Path), cur.Number)
			if n == len(rec.Ops) && cur.Number != s.to {
				t.Errorf("the switch was done, but generation %d is current", cur.Number)
			}
			if t.Failed() {
				t.FailNow()
			}
		}
	}
	t.Logf("%d operations, each cut twice: %v", len(rec.Ops), outcomes)
}

// snapshot copies a directory with its links.
func snapshot(t *testing.T, from, to string) {
	t.Helper()
	err := filepath.WalkDir(from, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, p)
		if err != nil {
			return err
		}
		q := filepath.Join(to, rel)
		switch {
		case d.IsDir():
			return os.MkdirAll(q, 0o755)
		case d.Type()&fs.ModeSymlink != 0:
			target, err := os.Readlink(p)
			if err != nil {
				return err
			}
			return os.Symlink(target, q)
		}
		b, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		return os.WriteFile(q, b, info.Mode().Perm())
	})
	if err != nil {
		t.Fatal(err)
	}
}

package generation

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/unitgen/unitgen/internal/durable"
)

func treeIn(t *testing.T, s *State, name string) string {
	t.Helper()
	p := s.Path("store", name)
	if err := os.MkdirAll(p, 0o755); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestNumbersOnlyGrow(t *testing.T) {
	t.Parallel()
	s := Open(filepath.Join(t.TempDir(), "state"))
	for want := 1; want <= 3; want++ {
		g, err := s.Create(treeIn(t, s, "x"))
		if err != nil || g.Number != want || g.Tree != s.Path("store", "x") {
			t.Fatal(g, err)
		}
	}
	if err := s.Delete(3); err != nil {
		t.Fatal(err)
	}
	if g, err := s.Create(treeIn(t, s, "x")); err != nil || g.Number != 4 {
		t.Error(g, err)
	}
	if err := os.Remove(s.Path(fileSequence)); err != nil {
		t.Fatal(err)
	}
	if g, err := s.Create(treeIn(t, s, "x")); err != nil || g.Number != 5 {
		t.Error("without the counter", g, err)
	}
	if err := os.WriteFile(s.Path(dirGenerations, "07"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if all, err := s.List(); err != nil || len(all) != 4 {
		t.Error(all, err)
	}
}

func TestPointersAndPins(t *testing.T) {
	t.Parallel()
	s := Open(filepath.Join(t.TempDir(), "state"))
	if _, ok, err := s.Current(); ok || err != nil {
		t.Error(ok, err)
	}
	for range 3 {
		if _, err := s.Create(treeIn(t, s, "x")); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.SetCurrent(9); !errors.Is(err, ErrNone) {
		t.Error(err)
	}
	for _, err := range []error{s.SetCurrent(2), s.SetBoot(3), s.Pin(1)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for n := 1; n <= 3; n++ {
		if err := s.Delete(n); err == nil {
			t.Errorf("generation %d was deleted", n)
		}
	}
	if real, err := filepath.EvalSymlinks(s.CurrentPath()); err != nil || real != s.Path("store", "x") {
		t.Error(real, err)
	}
	if err := s.Unpin(1); err != nil {
		t.Fatal(err)
	}
	if err := s.Delete(1); err != nil {
		t.Error(err)
	}
	if err := s.SetCurrent(0); err != nil {
		t.Error(err)
	}
	if _, ok, err := s.Current(); ok || err != nil {
		t.Error(ok, err)
	}
}

func TestLock(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "state")
	l, err := Open(dir).Lock("switch")
	if err != nil {
		t.Fatal(err)
	}
	var locked *LockedError
	if _, err := Open(dir).Lock("gc"); !errors.As(err, &locked) || locked.Holder.PID != os.Getpid() || locked.Holder.Command != "switch" {
		t.Errorf("%v", err)
	}
	l.Release()
	l.Release()
	again, err := Open(dir).Lock("gc")
	if err != nil {
		t.Fatal(err)
	}
	again.Release()
}

// TestCreateFailsAnywhere has each operation fail in its turn: no generation is
// lost, no number is used twice.
func TestCreateFailsAnywhere(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for at := 1; ; at++ {
		n := 0
		dir := filepath.Join(t.TempDir(), "state")
		s := OpenFS(dir, durable.Hooked{FS: durable.OS, Before: func(durable.Op) error {
			if n++; n == at {
				return broken
			}
			return nil
		}})
		x := filepath.Join(dir, "store", "x")
		if err := os.MkdirAll(x, 0o755); err != nil {
			t.Fatal(err)
		}
		first, err1 := s.Create(x)
		second, err2 := s.Create(x)
		if err1 == nil && err2 == nil {
			if second.Number <= first.Number {
				t.Errorf("%d, then %d", first.Number, second.Number)
			}
			if at > n {
				break
			}
			continue
		}
		third, err := s.Create(x)
		if err != nil || third.Number <= first.Number || third.Number <= second.Number {
			t.Errorf("operation %d: %v %v %v %v", at, first, second, third, err)
		}
		if _, err := s.Temporaries(); err != nil {
			t.Error(err)
		}
	}
}

// TestHolder asks who holds the lock, while somebody does and after.
func TestHolder(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		return // never known there
	}
	s := Open(t.TempDir())
	if h, ok := s.Holder(); ok {
		t.Errorf("nobody locked it, but %+v", h)
	}
	l, err := s.Lock("switch")
	if err != nil {
		t.Fatal(err)
	}
	if h, ok := s.Holder(); !ok || h.PID != os.Getpid() || h.Command != "switch" {
		t.Errorf("locked, but %+v, %v", h, ok)
	}
	word, err := os.ReadFile(s.Path("lock"))
	if err != nil {
		t.Fatal(err)
	}
	l.Release()
	if h, ok := s.Holder(); ok {
		t.Errorf("released, but %+v", h)
	}
	// A process that was killed leaves its word, and no lock.
	if err := os.WriteFile(s.Path("lock"), word, 0o600); err != nil {
		t.Fatal(err)
	}
	if h, ok := s.Holder(); ok {
		t.Errorf("its holder is gone, but %+v", h)
	}
}

// TestForeignNames puts what is no generation among the generations: it is
// passed over, and no number is given out twice or runs over.
func TestForeignNames(t *testing.T) {
	t.Parallel()
	s := Open(t.TempDir())
	tree := treeIn(t, s, "a")
	if _, err := s.Create(tree); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"abc", "-3", "007", "9223372036854775807", "99999999999999999999"} {
		if err := os.Symlink("../store/a", s.Path("generations", name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(s.Path("generations", "4"), []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	all, err := s.List()
	if err != nil || len(all) != 1 || all[0].Number != 1 {
		t.Errorf("%+v, %v", all, err)
	}
	if _, err := s.Get(4); !errors.Is(err, ErrNone) {
		t.Error(err)
	}
	for i, sequence := range []string{"garbage", "9223372036854775807\n", "-4"} {
		if err := os.WriteFile(s.Path("sequence"), []byte(sequence), 0o644); err != nil {
			t.Fatal(err)
		}
		if g, err := s.Create(tree); err != nil || g.Number != 5+i {
			t.Errorf("with the sequence %q: %+v, %v", sequence, g, err)
		}
	}
	if err := os.WriteFile(s.Path("sequence"), []byte("999999999999"), 0o644); err != nil {
		t.Fatal(err)
	}
	if g, err := s.Create(tree); err == nil {
		t.Errorf("a number above the highest: %+v", g)
	}
}

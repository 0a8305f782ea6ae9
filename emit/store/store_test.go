package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/unitgen/unitgen/emit"
	"github.com/unitgen/unitgen/internal/durable"
	"github.com/unitgen/unitgen/internal/testenv"
	"github.com/unitgen/unitgen/schema/tree"
)

func image(t testing.TB, n int, text string) *emit.Image {
	t.Helper()
	tr := &tree.Tree{Host: "h", Systemd: 252}
	for i := range n {
		tr.Files = append(tr.Files, &tree.File{Path: fmt.Sprintf("etc/d%d/f%d", i%7, i), Content: []byte(text)})
	}
	tr.Files = append(tr.Files, &tree.File{Path: "etc/secret", Mode: 0o600, Content: []byte("s")})
	img, diags := emit.Render(tr, emit.Options{})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return img
}

func clean(t *testing.T, dir string) {
	t.Cleanup(func() { _ = durable.RemoveAll(durable.OS, dir) })
}

func TestPut(t *testing.T) {
	t.Parallel()
	state := filepath.Join(t.TempDir(), "s")
	clean(t, state)
	s := Open(state)
	img := image(t, 100, "a")
	st, err := s.Put(img)
	if err != nil || !st.Created {
		t.Fatal(st, err)
	}
	if again, err := s.Put(img); err != nil || again.Created || again.Path != st.Path {
		t.Error(again, err)
	}
	for p, want := range map[string]fs.FileMode{"etc/secret": 0o400, "etc/d1/f1": 0o444, "etc": 0o555 | fs.ModeDir, ".": 0o555 | fs.ModeDir} {
		if st, err := os.Lstat(filepath.Join(st.Path, p)); err != nil || st.Mode() != want {
			t.Errorf("%s has mode %v, want %v (%v)", p, st.Mode(), want, err)
		}
	}
	if faults, err := Verify(st.Path); err != nil || len(faults) > 0 {
		t.Error(faults, err)
	}
	tamper := filepath.Join(st.Path, "etc/d1/f1")
	if err := os.Chmod(tamper, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(tamper, []byte("b"), 0o644); err != nil {
		t.Fatal(err)
	}
	if faults, err := Verify(st.Path); err != nil || len(faults) != 1 || !strings.Contains(faults[0], "etc/d1/f1") {
		t.Error(faults, err)
	}
}

func TestBuildersSideBySide(t *testing.T) {
	t.Parallel()
	state := t.TempDir()
	clean(t, state)
	img := image(t, 20, "a")
	created := make([]bool, 8)
	var wg sync.WaitGroup
	for i := range created {
		wg.Add(1)
		mine := *img // the same tree, from sources of its own
		mine.Sources = fmt.Appendf(nil, "sources %d\n", i%4)
		go func() {
			defer wg.Done()
			st, err := Open(state).Put(&mine)
			if err != nil {
				t.Error(err)
			}
			created[i] = st.Created
		}()
	}
	wg.Wait()
	n := 0
	for _, c := range created {
		if c {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d builders made the tree", n)
	}
	names, err := os.ReadDir(filepath.Join(state, DirName))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range names {
		if strings.HasPrefix(e.Name(), durable.TemporaryPrefix) {
			t.Errorf("%s is left", e.Name())
		}
	}
}

// TestFailedAnywhere has each operation of a Put fail in its turn: there is
// the whole tree, or none, and the next Put works.
func TestFailedAnywhere(t *testing.T) {
	t.Parallel()
	img := image(t, 3, "a")
	full := errors.New("no space left on device")
	for at := 1; ; at++ {
		state := t.TempDir()
		clean(t, state)
		n := 0
		hooked := durable.Hooked{FS: durable.OS, Before: func(durable.Op) error {
			if n++; n == at {
				return full
			}
			return nil
		}}
		st, err := OpenFS(state, hooked).Put(img)
		if err == nil {
			if at < 20 {
				t.Errorf("only %d operations", at)
			}
			break
		}
		if !errors.Is(err, full) {
			t.Fatalf("operation %d: %v", at, err)
		}
		if _, err := os.Lstat(st.Path); err == nil {
			if faults, err := Verify(st.Path); err != nil || len(faults) > 0 {
				t.Errorf("operation %d: half a tree: %v %v", at, faults, err)
			}
		}
		if st, err := Open(state).Put(img); err != nil {
			t.Errorf("operation %d: the next put: %+v %v", at, st, err)
		}
	}
}

func TestCollect(t *testing.T) {
	t.Parallel()
	state := t.TempDir()
	clean(t, state)
	s := Open(state)
	keep, err := s.Put(image(t, 3, "keep"))
	if err != nil {
		t.Fatal(err)
	}
	drop, err := s.Put(image(t, 3, "drop"))
	if err != nil {
		t.Fatal(err)
	}
	dead := filepath.Join(s.Dir(), tempPrefix+"1-0")
	if err := os.MkdirAll(filepath.Join(dead, "etc"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dead, 0o555); err != nil {
		t.Fatal(err)
	}
	removed, err := s.Collect(map[string]bool{keep.Path: true})
	if err != nil || len(removed) < 2 {
		t.Error(removed, err)
	}
	left, err := s.List()
	if err != nil || len(left) != 1 || left[0] != keep.Path {
		t.Error(left, err)
	}
	for _, p := range []string{drop.Path, drop.Path + emit.SourcesSuffix, dead} {
		if _, err := os.Lstat(p); err == nil {
			t.Errorf("%s is still there", p)
		}
	}
	if _, err := os.Lstat(keep.Path + emit.SourcesSuffix); err != nil {
		t.Error(err)
	}
}

// TestFullAndReadOnly puts a tree onto a file system that is full, and one
// that is read-only: an error that says so, nothing lost.
func TestFullAndReadOnly(t *testing.T) {
	t.Parallel()
	testenv.NeedRoot(t)
	testenv.Need(t, "mount", "umount")
	state := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", state).CombinedOutput(); err != nil {
		testenv.Missing(t, "a tmpfs cannot be mounted: %s", out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", "-l", state).CombinedOutput(); err != nil {
			t.Errorf("%s", out)
		}
	})
	s := Open(state)
	small, err := s.Put(image(t, 1, "small"))
	if err != nil {
		t.Fatal(err)
	}
	big := image(t, 2, strings.Repeat("x", 300<<10))
	if _, err := s.Put(big); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("a full store: %v", err)
	}
	if faults, err := Verify(small.Path); err != nil || len(faults) > 0 {
		t.Error(faults, err)
	}
	if left, err := s.List(); err != nil || len(left) != 1 {
		t.Error(left, err)
	}
	if _, err := s.Put(image(t, 2, "another small one")); err != nil {
		t.Errorf("the room was not given back: %v", err)
	}
	if out, err := exec.Command("mount", "-o", "remount,ro", state).CombinedOutput(); err != nil {
		t.Fatalf("%s", out)
	}
	if _, err := s.Put(image(t, 1, "third")); !errors.Is(err, syscall.EROFS) {
		t.Errorf("a read-only store: %v", err)
	}
	if again, err := s.Put(image(t, 1, "small")); err != nil || again.Created {
		t.Errorf("what is there needs no writing: %v", err)
	}
}

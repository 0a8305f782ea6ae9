package e2e

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// lineOf gives the number of the one line of a file that contains the text.
func lineOf(t *testing.T, file, text string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Split(string(b), "\n") {
		if strings.Contains(line, text) {
			return strconv.Itoa(i + 1)
		}
	}
	t.Fatalf("%s has no %q", file, text)
	return ""
}

// fingerprint is every path of a tree with its kind, mode and content.
func fingerprint(t *testing.T, dir string) string {
	t.Helper()
	var out strings.Builder
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(dir, p)
		info, err := d.Info()
		if err != nil {
			return err
		}
		fmt.Fprintf(&out, "%s %v", rel, info.Mode())
		switch {
		case d.Type()&fs.ModeSymlink != 0:
			target, err := os.Readlink(p)
			if err != nil {
				return err
			}
			fmt.Fprintf(&out, " -> %s", target)
		case d.Type().IsRegular():
			b, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			fmt.Fprintf(&out, " %x", sha256.Sum256(b))
		}
		out.WriteByte('\n')
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// TestSameInputSameBytes builds each example in two directories, the second
// with its files made in another order and at another time.
func TestSameInputSameBytes(t *testing.T) {
	t.Parallel()
	for _, example := range examples(t) {
		t.Run(example, func(t *testing.T) {
			t.Parallel()
			a, b := newHost(t, self, example), newHost(t, self, example)
			deeper := filepath.Join(b.dir, "..", "deeper", "still", "another name")
			if err := os.MkdirAll(filepath.Dir(deeper), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(b.dir, deeper); err != nil {
				t.Fatal(err)
			}
			b.dir = deeper
			treeA := strings.TrimSpace(a.mustUnitgen("build", a.dir))
			treeB := strings.TrimSpace(b.mustUnitgen("build", b.dir))
			if filepath.Base(treeA) != filepath.Base(treeB) {
				t.Errorf("%s and %s", filepath.Base(treeA), filepath.Base(treeB))
			}
			if fa, fb := fingerprint(t, treeA), fingerprint(t, treeB); fa != fb {
				t.Errorf("the trees differ:\n%s\n%s", fa, fb)
			}
			again := strings.TrimSpace(a.mustUnitgen("build", a.dir))
			if again != treeA {
				t.Errorf("built again: %s, then %s", treeA, again)
			}
			if g, err := os.ReadDir(filepath.Join(a.state, "generations")); err == nil && len(g) > 0 {
				t.Errorf("build made %d generations", len(g))
			}
		})
	}
}

// examples names every directory below examples/.
func examples(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join("..", "examples"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() {
			names = append(names, e.Name())
		}
	}
	return names
}

// TestUnchangedMakesNoGeneration switches twice to the same input, and once to
// the same input with comments and blanks moved.
func TestUnchangedMakesNoGeneration(t *testing.T) {
	t.Parallel()
	h := newHost(t, self, "hello")
	h.boot()
	before, pids := h.generations(), h.pids()
	h.mustUnitgen("switch", h.dir)
	h.edit("host.ug.hcl", `config "greeter" {`, "# A remark.\n\n\nconfig \"greeter\"    {")
	h.mustUnitgen("switch", h.dir)
	if after := h.generations(); len(after) != len(before) {
		t.Errorf("%d generations before, %d after", len(before), len(after))
	}
	checkPIDs(t, pids, h.pids())
	h.stop()
	h.boot()
	if after := h.generations(); len(after) != len(before) {
		t.Errorf("%d generations before, %d after another run", len(before), len(after))
	}
}

// TestExamplesCheck wants nothing to complain of in any example.
func TestExamplesCheck(t *testing.T) {
	t.Parallel()
	for _, example := range examples(t) {
		t.Run(example, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, self, example)
			s := h.try(unitgen(t), "check", h.dir)
			if s.code != 0 || s.stderr != "" {
				t.Errorf("exit code %d: %v", s.code, s)
			}
		})
	}
}

// TestNewExample has the binary write each example, and the skeleton.
func TestNewExample(t *testing.T) {
	t.Parallel()
	for _, example := range append(examples(t), "") {
		dir := filepath.Join(t.TempDir(), "myhost")
		h := &host{t: t, as: self, dir: dir, state: t.TempDir(), runtime: t.TempDir()}
		args := []string{"new", dir}
		if example != "" {
			args = append(args, "--example", example)
		}
		h.must(unitgen(t), args...)
		if s := h.try(unitgen(t), "check", dir); s.code != 0 {
			t.Errorf("exit code %d: %v", s.code, s)
		}
		if example != "" && fingerprint(t, dir) != fingerprint(t, filepath.Join("..", "examples", example)) {
			t.Errorf("%s is not what stands in examples/", example)
		}
		if s := h.try(unitgen(t), "new", dir); s.code != 1 {
			t.Errorf("new in a directory that is not empty: exit code %d: %v", s.code, s)
		}
	}
	h := &host{t: t, as: self, dir: t.TempDir(), state: t.TempDir(), runtime: t.TempDir()}
	if s := h.try(unitgen(t), "new", "--example", "nowhere", filepath.Join(h.dir, "x")); s.code != 1 || !strings.Contains(s.stderr, "hello") {
		t.Errorf("exit code %d: %v", s.code, s)
	}
}

package install

import (
	"os"
	"path/filepath"
	"testing"
)

// TestNothingOutsideTheRoot enables and masks in a tree whose directories are
// links that lead out of it.
func TestNothingOutsideTheRoot(t *testing.T) {
	t.Parallel()
	outside, root := t.TempDir(), t.TempDir()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.MkdirAll(filepath.Join(root, "usr/lib/systemd/system"), 0o755))
	must(os.WriteFile(filepath.Join(root, "usr/lib/systemd/system/a.service"), []byte("[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=x.target\n"), 0o644))
	must(os.Symlink(outside, filepath.Join(root, "etc")))
	must(os.Symlink("../../../../../../../.."+outside, filepath.Join(root, "run")))
	e, err := New(Options{Root: root})
	must(err)
	if _, err := e.Enable([]string{"a.service"}); err != nil {
		t.Fatal(err, e.Changes())
	}
	must(e.Mask([]string{"b.service"}))
	r, err := New(Options{Root: root, Runtime: true})
	must(err)
	must(r.Mask([]string{"c.service"}))
	if st, err := e.State("a.service"); st != "enabled" || err != nil {
		t.Errorf("a.service is %s, %v", st, err)
	}
	list, err := os.ReadDir(outside)
	must(err)
	if len(list) > 0 {
		t.Errorf("%s was made outside of the root", list[0])
	}
	must(e.Disable([]string{"a.service"}))
	must(e.Unmask([]string{"b.service"}))
	must(r.Unmask([]string{"c.service"}))
	left, err := os.ReadDir(filepath.Join(root, outside, "systemd/system"))
	must(err)
	if len(left) > 0 {
		t.Errorf("%s is left behind", left[0])
	}
}

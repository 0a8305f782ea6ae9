//go:build linux

package manager

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/unitgen/unitgen/schema/specifier"
)

func TestPrepare(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(p, s string) {
		p = filepath.Join(dir, p)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(s), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("etc/tmpfiles.d/a.conf", "# comment\nd %t/one 0750 - - -\nf %t/one/file 0600 - - - hello\nL %t/link - - - - /target\nr %t/absent\nQ relative\n")
	m := &Manager{opt: Options{Facts: specifier.Context{RuntimeDir: filepath.Join(dir, "run")}}}
	if err := m.Prepare(dir); err == nil {
		t.Error("a relative path was no error")
	}
	if st, err := os.Stat(dir + "/run/one"); err != nil || st.Mode().Perm() != 0o750 {
		t.Error(st, err)
	}
	if b, _ := os.ReadFile(dir + "/run/one/file"); string(b) != "hello" {
		t.Errorf("%q", b)
	}
	if to, _ := os.Readlink(dir + "/run/link"); to != "/target" {
		t.Error(to)
	}
	write("x/passwd", "root:x:0:0:root:/root:/bin/sh\n")
	write("x/group", "root:x:0:\nadm:x:4:root")
	lines := []configLine{{"a:1", []string{"u", "app", "450", "The app", "/srv/app", "-"}}, {"a:2", []string{"g", "data", "-"}}, {"a:3", []string{"m", "app", "adm"}}, {"a:4", []string{"u", "root", "-"}}}
	for range 2 { // the second time nothing is added
		if err := makeUsers(filepath.Join(dir, "x"), lines); err != nil {
			t.Fatal(err)
		}
		b, _ := os.ReadFile(dir + "/x/passwd")
		if want := "root:x:0:0:root:/root:/bin/sh\napp:x:450:450:The app:/srv/app:/usr/sbin/nologin\n"; string(b) != want {
			t.Errorf("passwd:\n%s", b)
		}
		b, _ = os.ReadFile(dir + "/x/group")
		if want := "root:x:0:\nadm:x:4:root,app\napp:x:450:\ndata:x:999:\n"; string(b) != want {
			t.Errorf("group:\n%s", b)
		}
	}
}

package load_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/unitgen/unitgen/internal/corpus"
	"github.com/unitgen/unitgen/schema/load"
	"github.com/unitgen/unitgen/schema/tree"
	"github.com/unitgen/unitgen/schema/unitfile"
)

// TestPackagesReadAndWrite reads every unit file of the packages, writes it
// back byte for byte, and finds no directive that is not known.
func TestPackagesReadAndWrite(t *testing.T) {
	t.Parallel()
	root := corpus.Dir(t)
	n := 0
	for _, d := range []string{"usr/lib/systemd/system", "usr/lib/systemd/user"} {
		list, err := filepath.Glob(filepath.Join(root, d, "*"))
		if err != nil {
			t.Fatal(err)
		}
		more, _ := filepath.Glob(filepath.Join(root, d, "*.d/*.conf"))
		for _, p := range append(list, more...) {
			fi, err := os.Stat(p)
			if err != nil || !fi.Mode().IsRegular() {
				continue
			}
			data, err := os.ReadFile(p)
			if err != nil {
				t.Fatal(err)
			}
			f, diags := unitfile.Parse(p, data)
			if !bytes.Equal(f.Bytes(), data) {
				t.Errorf("%s is not written back as it was", p)
			}
			for _, x := range diags {
				t.Error(x)
			}
			n++
		}
	}
	for _, scope := range []tree.Scope{tree.System, tree.User} {
		l := load.New(load.Options{Root: root, Scope: scope})
		for _, name := range instances(l.Names()) {
			for _, x := range l.Load(name).Diags {
				if x.Code == load.CodeUnknownKey || x.Code == load.CodeUnknownSect {
					t.Errorf("%s: %v", name, x)
				}
			}
		}
	}
	t.Logf("%d files of %d packages", n, strings.Count(mustRead(t, "testdata/packages.txt"), "\n")-1)
}

func mustRead(t testing.TB, p string) string {
	data, err := os.ReadFile(p)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

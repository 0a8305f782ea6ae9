package load_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/unitgen/unitgen/schema/load"
)

// unpack writes an archive of unit files; "NAME -> TARGET" is a link.
func unpack(t testing.TB, archive, dir string) {
	t.Helper()
	a, err := txtar.ParseFile(archive)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range a.Files {
		name, target, link := strings.Cut(f.Name, " -> ")
		p := filepath.Join(dir, name)
		if !link {
			write(t, p, string(f.Data))
			continue
		}
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(target, "/lib/") {
			target = dir + target
		}
		if err := os.Symlink(target, p); err != nil {
			t.Fatal(err)
		}
	}
}

// TestOddLikeSystemd compares units that try every rule with what the installed
// systemd makes of them.
func TestOddLikeSystemd(t *testing.T) {
	dir := t.TempDir()
	unpack(t, "testdata/odd.txtar", dir)
	system := filepath.Join(openCorpus(t), "usr/lib/systemd/system")
	path := []string{filepath.Join(dir, "etc"), filepath.Join(dir, "run"), filepath.Join(dir, "lib"), system}
	_, err := os.Stat("/sys/fs/cgroup/cgroup.controllers")
	options := load.Options{Path: path, Version: installed(t), Facts: hostFacts(), NoUnifiedCgroups: err != nil, Container: true}
	if _, err := os.Stat("/.dockerenv"); err != nil {
		options.Container = false
	}
	all := load.New(load.Options{Path: path[:3]})
	names := append(instances(all.Names()), "t-u@one.service", "nothing.service", "a-b-c.slice")
	want := dump(t, names, path...)
	l := load.New(options)
	closure := l.Closure(names...)
	diffs := compare(l, want, closure)
	for _, u := range closure {
		if w := want[u.Name]; w != nil {
			diffs = append(diffs, compareSettings(u, w)...)
		}
	}
	for _, d := range diffs {
		t.Errorf("%.500s", d)
	}
}

// TestValuesLikeSystemd compares units with many settings.
func TestValuesLikeSystemd(t *testing.T) {
	dir := t.TempDir()
	unpack(t, "testdata/settings.txtar", dir)
	system := filepath.Join(openCorpus(t), "usr/lib/systemd/system")
	path := []string{dir, system}
	_, err := os.Stat("/sys/fs/cgroup/cgroup.controllers")
	l := load.New(load.Options{Path: path, Version: installed(t), Facts: hostFacts(), NoUnifiedCgroups: err != nil})
	names := load.New(load.Options{Path: path[:1]}).Names()
	want := dump(t, names, path...)
	l.Closure(names...)
	for _, n := range names {
		u := l.Load(n)
		diffs := append(compareUnit(u, want[n]), compareSettings(u, want[n])...)
		for _, d := range diffs {
			t.Errorf("%.500s", d)
		}
		if len(diffs) > 0 {
			t.Log(u.Diags)
		}
	}
}

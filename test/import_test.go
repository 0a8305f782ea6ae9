package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/unitgen/unitgen/internal/corpus"
	"github.com/unitgen/unitgen/schema/load"
	"github.com/unitgen/unitgen/schema/tree"
	"github.com/unitgen/unitgen/schema/unitname"
)

// TestImportCompilesBack imports every unit file of the distribution's packages,
// compiles the HCL, and compares what a manager would hold after loading the
// one and the other.
func TestImportCompilesBack(t *testing.T) {
	root := corpus.Dir(t)
	dir := t.TempDir()
	host, out := filepath.Join(dir, "host"), filepath.Join(dir, "tree")
	imp := exec.Command(unitgen(t), "import", filepath.Join(root, "usr/lib/systemd"), filepath.Join(root, "etc/systemd"), "--out", host)
	notes, err := imp.CombinedOutput()
	if err != nil {
		t.Fatalf("import: %v\n%s", err, notes)
	}
	build := exec.Command(unitgen(t), "build", host, "--state", filepath.Join(dir, "state"), "--out", out)
	build.Env = append(os.Environ(), "XDG_CACHE_HOME="+filepath.Join(dir, "cache"))
	if text, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, text)
	}
	for _, scope := range []tree.Scope{tree.System, tree.User} {
		compareScope(t, scope, root, out)
	}
}

func compareScope(t *testing.T, scope tree.Scope, root, out string) {
	was := load.New(load.Options{Root: root, Scope: scope})
	is := load.New(load.Options{Root: out, Scope: scope})
	var names []string
	for _, n := range was.Names() {
		if unitname.IsTemplate(n) {
			n, _ = unitname.WithInstance(n, "i")
		}
		names = append(names, n)
	}
	a, b := byName(was.Closure(names...)), byName(is.Closure(names...))
	different := 0
	for _, n := range names {
		if d := differences(a[n], b[n]); len(d) > 0 {
			different++
			if different <= 40 {
				t.Errorf("%s %s:\n  %s", scope, n, strings.Join(d, "\n  "))
			}
		}
	}
	t.Logf("%s: %d units, %d differ", scope, len(names), different)
	if want := map[tree.Scope]int{tree.System: 300, tree.User: 30}[scope]; len(names) < want {
		t.Errorf("%s: only %d units in the corpus", scope, len(names))
	}
}

func byName(units []*load.Unit) map[string]*load.Unit {
	m := map[string]*load.Unit{}
	for _, u := range units {
		for _, n := range append([]string{u.Name}, u.Names...) {
			m[n] = u
		}
	}
	return m
}

// differences compares two loaded units by state, settings, dependencies and
// commands.
func differences(a, b *load.Unit) []string {
	if a == nil || b == nil {
		if a == b {
			return nil
		}
		return []string{fmt.Sprintf("loaded: %v, %v", a != nil, b != nil)}
	}
	var out []string
	if a.State != b.State || a.Name != b.Name || !slices.Equal(a.Names, b.Names) {
		out = append(out, fmt.Sprintf("%s %s %q, then %s %s %q", a.Name, a.State, a.Names, b.Name, b.State, b.Names))
	}
	out = append(out, diffLines("setting", settings(a), settings(b))...)
	out = append(out, diffLines("dependency", deps(a), deps(b))...)
	return append(out, diffLines("command", commands(a), commands(b))...)
}

func diffLines(what string, a, b []string) []string {
	var out []string
	for _, l := range a {
		if !slices.Contains(b, l) {
			out = append(out, "lost "+what+" "+l)
		}
	}
	for _, l := range b {
		if !slices.Contains(a, l) {
			out = append(out, "new "+what+" "+l)
		}
	}
	return out
}

func settings(u *load.Unit) []string {
	var out []string
	for section, m := range u.Sections() {
		for k, v := range m {
			if !strings.HasPrefix(k, "X-") && section != "Install" {
				out = append(out, fmt.Sprintf("[%s] %s=%q", section, k, v))
			}
		}
	}
	sort.Strings(out)
	return out
}

func deps(u *load.Unit) []string {
	var out []string
	for _, d := range u.Deps {
		out = append(out, fmt.Sprintf("%s %s (%s)", d.Type, d.Unit, strings.Join(d.Origins, " ")))
	}
	return out
}

func commands(u *load.Unit) []string {
	var out []string
	for k, list := range u.Commands {
		for i, c := range list {
			out = append(out, fmt.Sprintf("%s[%d] %s%q", k, i, c.Prefix, c.Argv))
		}
	}
	sort.Strings(out)
	return out
}

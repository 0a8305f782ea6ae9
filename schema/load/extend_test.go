package load

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/unitgen/unitgen/schema/tree"
)

// TestExtendAndForget: what is known is not given again, and what was
// forgotten is not led to any more.
func TestExtendAndForget(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for n, text := range map[string]string{
		"a.service":  "[Unit]\nDefaultDependencies=no\nWants=b.service\n[Service]\nExecStart=/bin/true\n",
		"b.service":  "[Unit]\nDefaultDependencies=no\nWants=c.service\n[Service]\nExecStart=/bin/true\n",
		"c.service":  "[Unit]\nDefaultDependencies=no\n[Service]\nExecStart=/bin/true\n",
		"x@.service": "[Unit]\nDefaultDependencies=no\nWants=a.service\n[Service]\nExecStart=/bin/true\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, n), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	l := New(Options{Scope: tree.System, Path: []string{dir}})
	services := func(units []*Unit) string {
		var out []string
		for _, u := range units {
			if u.Type == "service" {
				out = append(out, u.Name)
			}
		}
		return strings.Join(out, " ")
	}
	if got := services(l.Extend(nil, "x@1.service")); got != "a.service b.service c.service x@1.service" {
		t.Errorf("nothing known: %s", got)
	}
	known := func(n string) bool { return n == "a.service" }
	if got := services(l.Extend(known, "x@2.service")); got != "x@2.service" {
		t.Errorf("a.service known: %s", got)
	}
	l.Forget("x@1.service")
	l.Forget("x@2.service")
	l.Forget("x@3.service") // never loaded
	if got := services(l.Closure("a.service")); got != "a.service b.service c.service" {
		t.Errorf("after forgetting: %s", got)
	}
	if got := services(l.Closure("x@1.service")); got != "a.service b.service c.service x@1.service" {
		t.Errorf("loaded anew: %s", got)
	}
}

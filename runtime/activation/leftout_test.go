package activation

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/unitgen/unitgen/schema/tree"
)

// TestLeftOut says what an ordinary user, and the bundled manager, leave out of
// a tree.
func TestLeftOut(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name         string
		unprivileged bool
		place        func(root string) *Place
		want         []string
	}{
		{"root under systemd", false, func(root string) *Place { return &Place{Root: root} }, nil},
		{"root under the bundled manager", false, nil, []string{"kernel settings"}},
		{"a user under the bundled manager", true, nil, []string{"users and groups", "kernel settings"}},
		{"a user under systemd", true, func(root string) *Place { return &Place{Root: root, User: "/home/u/units"} },
			[]string{"users and groups", "kernel settings", "temporary files", "units of the system scope (a.service)"}},
	} {
		s := newScene(t, newServices)
		files := map[string]string{"etc/sysctl.d/x.conf": "a=1", "etc/sysusers.d/x.conf": "u x", "etc/tmpfiles.d/x.conf": "d /run/x"}
		to := create(t, s.state, makeTree(t, s.state.Dir(), map[string]string{"a.service": "/bin/a 1"}, files))
		o := s.options(to)
		o.Unprivileged, o.Place = c.unprivileged, nil
		if c.place != nil {
			o.Place = c.place(s.root)
		}
		g, err := s.state.Get(to)
		if err != nil {
			t.Fatal(err)
		}
		x, err := Examine(context.Background(), o, g.Tree)
		if err != nil {
			t.Fatal(err)
		}
		if len(x.Warnings) != len(c.want) {
			t.Errorf("%s: %q", c.name, x.Warnings)
			continue
		}
		for i, w := range c.want {
			if !strings.HasPrefix(x.Warnings[i], w) {
				t.Errorf("%s: %q, want %q", c.name, x.Warnings[i], w)
			}
		}
	}
}

// TestChecksOfTheSystem leaves the checks of the system's services alone where
// only a user's manager follows the switch.
func TestChecksOfTheSystem(t *testing.T) {
	t.Parallel()
	for scope, want := range map[tree.Scope]Outcome{tree.System: RolledBack, tree.User: Done} {
		s := newScene(t, newServices)
		files := map[string]string{"checks.json": `{"checks":[{"name":"never","exec":"exit 7"}]}`}
		to := create(t, s.state, makeTree(t, s.state.Dir(), oldServices, files))
		o := s.options(to)
		o.Place = nil
		manager := newFake(s.w, filepath.Join(s.state.Dir(), "current/etc/systemd/system"))
		o.Targets = []Target{{Scope: scope, Manager: manager}}
		if r, _ := Switch(context.Background(), o); r.Outcome != want {
			t.Errorf("%s: %+v", scope, r)
		}
	}
}

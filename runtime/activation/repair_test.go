package activation

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func (s *scene) write(path, text string) {
	s.t.Helper()
	p := filepath.Join(s.root, path)
	if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(p, []byte(text), 0o640); err != nil {
		s.t.Fatal(err)
	}
}

func (s *scene) text(path string) string {
	s.t.Helper()
	b, err := s.read(filepath.Join(s.root, path))
	if err != nil {
		return err.Error()
	}
	return string(b)
}

func (s *scene) must(o Options) Report {
	s.t.Helper()
	r, err := Switch(context.Background(), o)
	if err != nil || r.Outcome != Done {
		s.t.Fatalf("%+v, %v", r, err)
	}
	return r
}

// TestRepair takes away what a generation laid into the host: a switch to the
// same generation, and a repair, put it back, and a plan says so. What somebody
// replaced is refused.
func TestRepair(t *testing.T) {
	t.Parallel()
	for _, repair := range []bool{false, true} {
		s := newScene(t, newServices)
		for _, p := range []string{"etc/app", "etc/sudoers.d/x", "usr/local/lib/systemd"} {
			if err := os.RemoveAll(filepath.Join(s.root, p)); err != nil {
				t.Fatal(err)
			}
		}
		o := s.options(s.from)
		o.Repair, o.NoBoot = repair, repair
		cur, _, err := s.state.Current()
		if err != nil {
			t.Fatal(err)
		}
		want := []string{"/etc/app/a.conf", "/etc/app/old.conf", "/etc/sudoers.d/x", "/usr/local/lib/systemd/system"}
		if x, err := Examine(context.Background(), o, cur.Tree); err != nil || len(x.Refusals) > 0 || !slices.Equal(x.Repaired, want) {
			t.Errorf("%+v, %v", x, err)
		}
		if r := s.must(o); !slices.Equal(r.Repaired, want) {
			t.Errorf("repaired %v", r.Repaired)
		}
		s.whole("after the repair", s.from)
		if _, err := os.Stat(filepath.Join(s.root, "usr/local/lib/systemd/system")); err != nil {
			// The link leads to the state directory as the host knows it.
			if _, err := os.Readlink(filepath.Join(s.root, "usr/local/lib/systemd/system")); err != nil {
				t.Error(err)
			}
		}
		if r := s.must(o); len(r.Repaired) > 0 {
			t.Errorf("repaired again: %v", r.Repaired)
		}

		if err := os.Remove(filepath.Join(s.root, "etc/kept")); err != nil {
			t.Fatal(err)
		}
		s.write("etc/kept", "somebody else's")
		var conflict *ConflictError
		if _, err := Switch(context.Background(), o); !errors.As(err, &conflict) || conflict.Conflicts[0].Path != "/etc/kept" {
			t.Errorf("a file of somebody else: %v", err)
		}
		drift, _, err := FindDrift(context.Background(), o)
		if err != nil || len(drift) != 1 || !strings.Contains(drift[0].Repair, "--adopt") {
			t.Errorf("%+v, %v", drift, err)
		}
		o.Adopt = true
		s.must(o)
		s.whole("after the adoption", s.from)
	}
}

// TestAdoptedAgain lets go of an adopted file and goes back: unitgen itself put
// the file there, and needs nobody's leave to take it again while it is as it
// was put.
func TestAdoptedAgain(t *testing.T) {
	t.Parallel()
	for _, touched := range []bool{false, true} {
		s := newScene(t, newServices)
		s.write("etc/deep/er/new.conf", "the administrator's")
		mode := 0o640 | fs.ModeSetgid
		if err := os.Chmod(filepath.Join(s.root, "etc/deep/er/new.conf"), mode); err != nil {
			t.Fatal(err)
		}
		o := s.options(s.to)
		var conflict *ConflictError
		if _, err := Switch(context.Background(), o); !errors.As(err, &conflict) {
			t.Fatal(err)
		}
		o.Adopt = true
		s.must(o)
		if got := s.text("etc/deep/er/new.conf"); got != "new" {
			t.Error(got)
		}
		s.must(s.options(s.from))
		if got := s.text("etc/deep/er/new.conf"); got != "the administrator's" {
			t.Error(got)
		}
		if st, err := os.Stat(filepath.Join(s.root, "etc/deep/er/new.conf")); err != nil || st.Mode() != mode {
			t.Errorf("put back with mode %v, %v", st.Mode(), err)
		}
		if touched {
			s.write("etc/deep/er/new.conf", "written since")
			if _, err := Switch(context.Background(), s.options(s.to)); !errors.As(err, &conflict) {
				t.Errorf("a file that was changed since it was put back: %v", err)
			}
			continue
		}
		s.must(s.options(s.to))
		if got := s.text("etc/deep/er/new.conf"); got != "new" {
			t.Error(got)
		}
		s.must(s.options(s.from))
		if got := s.text("etc/deep/er/new.conf"); got != "the administrator's" {
			t.Error("it does not come back the second time:", got)
		}
	}
}

// TestAdoptAtBoot makes a generation the one to boot, with the leave to adopt:
// nothing is touched before, nothing is called drift, and the boot takes over
// the file, whose backup comes back later.
func TestAdoptAtBoot(t *testing.T) {
	t.Parallel()
	for _, adopt := range []bool{false, true} {
		s := newScene(t, newServices)
		s.write("etc/deep/er/new.conf", "the administrator's")
		o := s.options(s.to)
		o.Adopt = adopt
		var conflict *ConflictError
		if err := BootOnly(o); errors.As(err, &conflict) == adopt {
			t.Fatal(err)
		}
		if !adopt {
			continue
		}
		drift, _, err := FindDrift(context.Background(), o)
		if err != nil || len(drift) > 0 {
			t.Errorf("before the reboot: %+v, %v", drift, err)
		}
		if got := s.text("etc/deep/er/new.conf"); got != "the administrator's" {
			t.Error("before the reboot:", got)
		}
		if err := s.state.SetCurrent(s.to); err != nil { // as the boot does
			t.Fatal(err)
		}
		if err := SettleFiles(s.state, &Place{Root: s.root}); err != nil {
			t.Fatal(err)
		}
		if got := s.text("etc/deep/er/new.conf"); got != "new" {
			t.Error("after the reboot:", got)
		}
		s.manager.running = map[string]string{"multi-user.target": ""}
		s.manager.load()
		for u := range s.manager.loaded {
			s.manager.start(u)
		}
		if drift, _, err := FindDrift(context.Background(), o); err != nil || len(drift) > 0 {
			t.Errorf("after the reboot: %+v, %v", drift, err)
		}
		s.must(s.options(s.from))
		if got := s.text("etc/deep/er/new.conf"); got != "the administrator's" {
			t.Error("it does not come back:", got)
		}
	}
}

// TestRepairBesideDirectory puts something else where a directory of ours was:
// nothing is written through it, nothing is begun, and the drift says so.
func TestRepairBesideDirectory(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, target string // of a link; "" for a file
		move         bool   // what lay there is where the link leads
	}{{"a file", "", false}, {"a link elsewhere", "outside", false}, {"moved", "outside", true}, {"a dangling link", "nowhere", false}} {
		s := newScene(t, newServices)
		app, outside := filepath.Join(s.root, "etc/app"), filepath.Join(s.root, "outside")
		var err error
		if c.move {
			err = os.Rename(app, outside)
		} else {
			err = errors.Join(os.RemoveAll(app), os.Mkdir(outside, 0o755))
		}
		if c.target == "" {
			s.write("etc/app", "somebody else's")
		} else {
			err = errors.Join(err, os.Symlink(filepath.Join(s.root, c.target), app))
		}
		if err != nil {
			t.Fatal(err)
		}
		before, err := os.ReadDir(outside)
		if err != nil {
			t.Fatal(err)
		}
		for _, to := range []int{s.from, s.to} {
			o := s.options(to)
			o.Adopt = true
			var conflict *ConflictError
			if r, err := Switch(context.Background(), o); !errors.As(err, &conflict) || !strings.HasPrefix(conflict.Conflicts[0].Why, "/etc/app") {
				t.Errorf("%s: %+v, %v", c.name, r, err)
			}
		}
		after, err := os.ReadDir(outside)
		if err != nil || len(after) != len(before) {
			t.Errorf("%s: outside has %v, %v", c.name, after, err)
		}
		drift, _, err := FindDrift(context.Background(), s.options(s.from))
		if err != nil || len(drift) == 0 || !strings.Contains(drift[0].Why, "/etc/app") || !strings.Contains(drift[0].Repair, "move that away") {
			t.Errorf("%s: %+v, %v", c.name, drift, err)
		}
		if err := os.Remove(app); err != nil {
			t.Fatal(err)
		}
		s.must(s.options(s.from))
		s.whole(c.name, s.from)
	}
}

// TestAliasTakenByAnother keeps away the alias of a unit that is disabled:
// another unit, or a file, that has the name meanwhile is left alone.
func TestAliasTakenByAnother(t *testing.T) {
	t.Parallel()
	s := newScene(t, newServices)
	p := &Place{Root: s.root}
	alias := Item{Path: "/etc/systemd/system/shared.service", Absent: "one.service", Adopt: true}
	wants := Item{Path: "/etc/systemd/system/multi-user.target.wants/one.service", Absent: "one.service", Adopt: true}
	for _, c := range []struct {
		item   Item
		target string // "" for a file
		want   bool
	}{
		{alias, "/lib/systemd/system/one.service", true},
		{alias, "/lib/systemd/system/two.service", false},
		{alias, "/dev/null", false},
		{alias, "", false},
		{wants, "/lib/systemd/system/one.service", true},
		{wants, "../renamed.service", true},
	} {
		at := filepath.Join(s.root, c.item.Path)
		if c.target == "" {
			s.write(c.item.Path, "[Service]\n")
		} else if err := errors.Join(os.MkdirAll(filepath.Dir(at), 0o755), os.Symlink(c.target, at)); err != nil {
			t.Fatal(err)
		}
		if got := p.enables(c.item); got != c.want || p.isOurs(c.item) == got {
			t.Errorf("%s -> %q: %v", c.item.Path, c.target, got)
		}
		if err := p.ensure(s.state, c.item); err != nil {
			t.Error(err)
		}
		_, err := os.Lstat(at)
		if gone := err != nil; gone != c.want {
			t.Errorf("%s -> %q: gone is %v", c.item.Path, c.target, gone)
		}
		if err == nil {
			// Its own comes back where nothing is, and not over what is.
			if err := p.withdraw(s.state, c.item); err != nil {
				t.Error(err)
			}
			if got, _ := os.Readlink(at); got != c.target {
				t.Errorf("%s -> %q became %q", c.item.Path, c.target, got)
			}
			if err := os.Remove(at); err != nil {
				t.Fatal(err)
			}
		}
	}
}

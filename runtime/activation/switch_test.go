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
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/unitgen/unitgen/internal/testenv"
	"github.com/unitgen/unitgen/runtime/generation"
	"github.com/unitgen/unitgen/schema/tree"
)

// scene is a host with a state, a root to lay files into and a manager, at its
// first generation.
type scene struct {
	t        *testing.T
	w        *world
	root     string
	state    *generation.State
	manager  *fakeManager
	from, to int
}

var (
	oldServices = map[string]string{"a.service": "/bin/a 1", "b.service": "/bin/b", "gone.service": "/bin/gone", "r.service": "!/bin/r 1", "l.service": "~1"}
	newServices = map[string]string{"a.service": "/bin/a 2", "b.service": "/bin/b", "fresh.service": "/bin/fresh", "r.service": "!/bin/r 2", "l.service": "~2"}
	oldFiles    = map[string]string{"etc/app/a.conf": "1", "etc/app/old.conf": "old", "etc/sudoers.d/x": "real 1", "etc/kept": "kept", "etc/flat": "real file", "etc/dir/side": "a directory"}
	newFiles    = map[string]string{"etc/app/a.conf": "2", "etc/deep/er/new.conf": "new", "etc/sudoers.d/x": "real 2", "etc/kept": "kept", "etc/flat/in/side": "in", "etc/dir": "a file"}
)

func newScene(t *testing.T, news map[string]string) *scene {
	t.Helper()
	s := &scene{t: t, w: &world{}, root: testenv.TempDir(t)}
	for _, d := range []string{"etc/systemd", "usr/local/lib", "bin"} {
		if err := os.MkdirAll(filepath.Join(s.root, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range []string{"a", "b", "r", "gone", "fresh", "reloads"} {
		if err := os.WriteFile(filepath.Join(s.root, "bin", p), nil, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	dir := filepath.Join(s.root, "etc/unitgen")
	s.state = generation.OpenFS(dir, s.w.fs())
	s.from = create(t, s.state, makeTree(t, dir, oldServices, oldFiles))
	s.manager = newFake(s.w, filepath.Join(dir, "current/etc/systemd/system"))
	if r, err := Switch(context.Background(), s.options(s.from)); err != nil || r.Outcome != Done {
		t.Fatal(r, err)
	}
	s.to = create(t, s.state, makeTree(t, dir, news, newFiles))
	s.w.n, s.w.trace = 0, nil
	return s
}

func (s *scene) options(to int) Options {
	return Options{
		State: s.state, To: to, Place: &Place{Root: s.root}, Settle: time.Millisecond,
		Targets: []Target{{Scope: tree.System, Manager: s.manager}},
	}
}

// whole wants everything of one generation and nothing of another: the pivot,
// boot, the host's files, and what runs.
func (s *scene) whole(when string, n int) {
	s.t.Helper()
	services, files := oldServices, oldFiles
	if n == s.to {
		services, files = newServices, newFiles
	}
	cur, _, err := s.state.Current()
	if err != nil || cur.Number != n {
		s.t.Errorf("%s: current is %d, want %d (%v)", when, cur.Number, n, err)
	}
	if b, _, err := s.state.Boot(); err != nil || b.Number != n {
		s.t.Errorf("%s: boot is %d, want %d (%v)", when, b.Number, n, err)
	}
	got, want := map[string]string{}, map[string]string{}
	for _, base := range []string{"etc", "usr/local/lib"} {
		err := filepath.WalkDir(filepath.Join(s.root, base), func(p string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if p == s.state.Dir() {
				return filepath.SkipDir
			}
			rel, _ := filepath.Rel(s.root, p)
			if d.IsDir() {
				if names, err := os.ReadDir(p); err != nil || len(names) == 0 && rel != "etc/systemd" {
					s.t.Errorf("%s: %s is an empty directory (%v)", when, rel, err)
				}
				return nil
			}
			if rel == "usr/local/lib/systemd/system" || rel == "etc/systemd/system-generators/unitgen-boot" {
				return nil
			}
			b, err := s.read(p)
			if err != nil {
				s.t.Errorf("%s: %v", when, err)
			}
			got[rel] = string(b)
			return nil
		})
		if err != nil {
			s.t.Errorf("%s: %v", when, err)
		}
	}
	for p, text := range files {
		want[p] = text
	}
	if d := cmp.Diff(want, got); d != "" {
		s.t.Errorf("%s: files of generation %d: -want +got\n%s", when, n, d)
	}
	runs, wantRuns := map[string]string{}, map[string]string{}
	for u, text := range s.manager.running {
		if u != "multi-user.target" {
			runs[u] = text
		}
	}
	for u := range services {
		b, err := os.ReadFile(filepath.Join(cur.Tree, "etc/systemd/system", u))
		if err != nil {
			s.t.Error(err)
		}
		wantRuns[u] = string(b)
	}
	if d := cmp.Diff(wantRuns, runs); d != "" {
		s.t.Errorf("%s: units of generation %d: -want +got\n%s", when, n, d)
	}
	if _, _, found, err := Interrupted(s.state); found || err != nil {
		s.t.Errorf("%s: a journal is left: %v", when, err)
	}
	if s.manager.starts["b.service"] > 1 {
		s.t.Errorf("%s: b.service, which did not change, was started %d times", when, s.manager.starts["b.service"])
	}
	if fresh := temporaries(s.root); len(fresh) > 0 {
		s.t.Errorf("%s: rubbish is left: %v", when, fresh)
	}
}

// read follows a link of the host as the host would, below the root.
func (s *scene) read(p string) ([]byte, error) {
	if target, err := os.Readlink(p); err == nil && filepath.IsAbs(target) {
		p = filepath.Join(s.root, target)
	}
	return os.ReadFile(p)
}

func temporaries(root string) []string {
	var out []string
	_ = filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasPrefix(d.Name(), ".unitgen-tmp-") {
			out = append(out, p)
		}
		return nil
	})
	return out
}

// attempt runs f and reports whether the world ended it.
func attempt(f func()) (cut bool) {
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(killed); !ok {
				panic(r)
			}
			cut = true
		}
	}()
	f()
	return false
}

func TestSwitchAndBack(t *testing.T) {
	t.Parallel()
	s := newScene(t, newServices)
	r, err := Switch(context.Background(), s.options(s.to))
	if err != nil || r.Outcome != Done {
		t.Fatal(r, err)
	}
	s.whole("after the switch", s.to)
	t.Logf("%d operations: %s", s.w.n, strings.Join(s.w.trace, ", "))
	if r, err = Switch(context.Background(), s.options(s.from)); err != nil || r.Outcome != Done {
		t.Fatal(r, err)
	}
	s.whole("after the rollback", s.from)
	if r, err = Switch(context.Background(), s.options(s.from)); err != nil || len(r.Plans[0].Steps) != 0 {
		t.Fatal("a switch to the current generation does something", r, err)
	}
}

// TestKilledAnywhere ends a switch before each of its operations, and then the
// recovery before each of its own.
func TestKilledAnywhere(t *testing.T) {
	t.Parallel()
	outcomes := map[int]int{}
	total := 0
	for at := 1; ; at++ {
		s := newScene(t, newServices)
		s.w.at = at
		if !attempt(func() { _, _ = Switch(context.Background(), s.options(s.to)) }) {
			total = at
			break
		}
		s.w.at = 0
		if _, err := Recover(context.Background(), s.options(0)); err != nil {
			t.Fatalf("killed before operation %d (%s): %v", at, s.w.trace[at-1], err)
		}
		cur, _, err := s.state.Current()
		if err != nil {
			t.Fatal(err)
		}
		outcomes[cur.Number]++
		s.whole("killed before operation "+s.w.trace[at-1], cur.Number)
		if t.Failed() {
			t.FailNow()
		}
	}
	t.Logf("killed before each of %d operations: %v", total-1, outcomes)
	if outcomes[1] == 0 || outcomes[2] == 0 {
		t.Error("both outcomes should occur")
	}
}

// TestRecoveryKilledAnywhere ends the recovery of a switch that was cut off
// late, before each of its operations; a second recovery ends it.
func TestRecoveryKilledAnywhere(t *testing.T) {
	t.Parallel()
	for _, phase := range []string{"start fresh.service"} {
		for at := 1; ; at++ {
			s := newScene(t, newServices)
			cutAt(s, phase)
			s.w.n, s.w.trace, s.w.at = 0, nil, at
			if !attempt(func() { _, _ = Recover(context.Background(), s.options(0)) }) {
				t.Logf("cut off before %q: recovery has %d operations", phase, at-1)
				break
			}
			s.w.at = 0
			if _, err := Recover(context.Background(), s.options(0)); err != nil {
				t.Fatalf("cut off before %q, recovery before operation %d: %v", phase, at, err)
			}
			s.whole("cut off before "+phase+", recovery before "+s.w.trace[at-1], s.from)
			if t.Failed() {
				t.FailNow()
			}
		}
	}
}

// cutAt ends a switch before the first operation of a name.
func cutAt(s *scene, name string) {
	s.t.Helper()
	probe := newScene(s.t, newServices)
	if _, err := Switch(context.Background(), probe.options(probe.to)); err != nil {
		s.t.Fatal(err)
	}
	s.w.at = slices.Index(probe.w.trace, name) + 1
	if s.w.at == 0 || !attempt(func() { _, _ = Switch(context.Background(), s.options(s.to)) }) {
		s.t.Fatalf("the switch was not cut off before %q", name)
	}
}

// TestFailingUnit has a unit fail in each kind of step: the old generation is
// whole afterwards.
func TestFailingUnit(t *testing.T) {
	t.Parallel()
	for unit, text := range map[string]string{"a.service": "/bin/a FAIL", "fresh.service": "/bin/fresh FAIL", "r.service": "!/bin/r FAIL"} {
		t.Run(unit, func(t *testing.T) {
			t.Parallel()
			news := map[string]string{}
			for k, v := range newServices {
				news[k] = v
			}
			news[unit] = text
			s := newScene(t, news)
			r, err := Switch(context.Background(), s.options(s.to))
			if r.Outcome != RolledBack || !errors.Is(err, errUnitsFailed) || len(r.Failures) != 1 || r.Failures[0].Unit != unit {
				t.Errorf("%+v, %v", r, err)
			}
			s.whole("after the rollback", s.from)
			if g, err := s.state.Get(s.to); err != nil || !g.Failed {
				t.Errorf("%+v, %v", g, err)
			}
			if len(s.manager.failed) != 0 && unit != "fresh.service" {
				t.Errorf("still failed: %v", s.manager.failed)
			}
			o := s.options(s.to)
			o.KeepOnFailure = true
			if r, _ := Switch(context.Background(), o); r.Outcome != Degraded {
				t.Errorf("with --on-failure keep: %+v", r)
			}
			if cur, _, _ := s.state.Current(); cur.Number != s.to || !cur.Failed || cur.Parent != s.from {
				t.Errorf("current is %+v", cur)
			}
			if g, err := s.state.Back(s.to); err != nil || g.Number != s.from || g.Failed {
				t.Errorf("the way back leads to %+v (%v)", g, err)
			}
		})
	}
}

func TestFailedBeforeCountsNot(t *testing.T) {
	t.Parallel()
	s := newScene(t, newServices)
	delete(s.manager.running, "b.service")
	s.manager.failed["b.service"] = true
	if r, err := Switch(context.Background(), s.options(s.to)); err != nil || r.Outcome != Done {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestInterruptedIsUndone(t *testing.T) {
	t.Parallel()
	s := newScene(t, newServices)
	ctx, cancel := context.WithCancel(context.Background())
	o := s.options(s.to)
	o.Progress = func(e Event) {
		if e.Phase == PhasePivot {
			cancel()
		}
	}
	r, err := Switch(ctx, o)
	if r.Outcome != RolledBack || !errors.Is(err, context.Canceled) {
		t.Errorf("%+v, %v", r, err)
	}
	s.whole("after the interrupt", s.from)
	if g, err := s.state.Get(s.to); err != nil || g.Failed {
		t.Errorf("an interrupt is no failure of the generation: %+v, %v", g, err)
	}
}

func TestMissingProgramsAreRefused(t *testing.T) {
	t.Parallel()
	s := newScene(t, map[string]string{"a.service": "/bin/a 1", "b.service": "/bin/b", "x.service": "/opt/x/bin/x", "y.service": "-/opt/y", "z.service": "nowhere-to-be-found --x"})
	s.w.trace = nil
	_, err := Switch(context.Background(), s.options(s.to))
	if !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "x.service: ExecStart=/opt/x/bin/x: there is no such program") || !strings.Contains(err.Error(), "z.service") || strings.Contains(err.Error(), "y.service") {
		t.Error(err)
	}
	if len(s.w.trace) != 1 || s.w.trace[0] != "ListUnits" {
		t.Errorf("a refusal did %v", s.w.trace)
	}
	if cur, _, _ := s.state.Current(); cur.Number != s.from {
		t.Error("the pivot moved")
	}
}

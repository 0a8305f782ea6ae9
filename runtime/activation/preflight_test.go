package activation

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// refused wants a switch to be refused with a sentence, with nothing done, and
// to be made with Force.
func (s *scene) refused(o Options, want string) {
	s.t.Helper()
	s.w.trace = nil
	r, err := Switch(context.Background(), o)
	if !errors.Is(err, ErrRefused) || r.Outcome != Refused || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "--force") {
		s.t.Errorf("%+v, %v; want a refusal with %q", r, err, want)
	}
	for _, op := range s.w.trace {
		if op != "ListUnits" {
			s.t.Errorf("a refusal did %v", s.w.trace)
			break
		}
	}
	o.Force = true
	if r, err := Switch(context.Background(), o); err != nil || r.Outcome != Done {
		s.t.Errorf("with Force: %+v, %v", r, err)
	}
}

func (s *scene) modify(generation int) {
	s.t.Helper()
	g, err := s.state.Get(generation)
	if err != nil {
		s.t.Fatal(err)
	}
	p := filepath.Join(g.Tree, "etc/kept")
	if err := os.Chmod(p, 0o644); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(p, []byte("somebody was here"), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

func TestModifiedTreeIsRefused(t *testing.T) {
	t.Parallel()
	s := newScene(t, newServices)
	s.modify(s.to)
	s.refused(s.options(s.to), "etc/kept has other content")

	// A current tree that was modified is no obstacle on the way to another, and
	// neither is it on the way back of a switch that fails.
	s = newScene(t, newServices)
	s.modify(s.from)
	if r, err := Switch(context.Background(), s.options(s.to)); err != nil || r.Outcome != Done {
		t.Errorf("%+v, %v", r, err)
	}
	if err := BootOnly(s.options(s.from)); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "etc/kept has other content") {
		t.Error(err)
	}
}

func TestUnreadableCurrentTree(t *testing.T) {
	t.Parallel()
	s := newScene(t, newServices)
	g, err := s.state.Get(s.from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(g.Tree, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(g.Tree, "manifest.json.new"), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(g.Tree, "manifest.json.new"), filepath.Join(g.Tree, "manifest.json")); err != nil {
		t.Fatal(err)
	}
	s.refused(s.options(s.to), "the current one, cannot be read")
}

func TestInhibitedIsRefused(t *testing.T) {
	t.Parallel()
	s := newScene(t, newServices)
	o := s.options(s.to)
	o.Inhibitors = func(context.Context) ([]string, error) {
		return []string{"backup keeps the machine from shutting down"}, nil
	}
	s.refused(o, "backup keeps the machine")

	// Without a step that does anything nobody is asked.
	o.Inhibitors = func(context.Context) ([]string, error) {
		t.Error("asked for nothing")
		return nil, nil
	}
	if r, err := Switch(context.Background(), o); err != nil || r.Outcome != Done {
		t.Errorf("%+v, %v", r, err)
	}
}

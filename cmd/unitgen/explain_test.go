package main

import (
	"strings"
	"testing"

	"github.com/unitgen/unitgen/runtime/generation"
)

func TestExplainParts(t *testing.T) {
	s := newSite(t)
	s.host("/bin/app 1")
	out, _ := s.run(0, "explain", "service.app", s.dir)
	if want := "  parts:\n    ExecStart = [\"/bin/app 1\"]\n    WantedBy = [\"multi-user.target\"]\n"; !strings.HasSuffix(out, want) {
		t.Errorf("%s\nwant at the end\n%s", out, want)
	}
	_, errs := s.run(1, "explain", "app", s.dir)
	if !strings.Contains(errs, "Did you mean service.app?") {
		t.Error(errs)
	}
	_, errs = s.run(1, "explain", "config.nginx", s.dir)
	if !strings.Contains(errs, "unitgen options nginx") {
		t.Error(errs)
	}
}

func TestGenerationsFitTheScreen(t *testing.T) {
	s := newSite(t)
	s.host("/bin/app 1")
	built, _ := s.run(0, "build", s.dir, "--state", s.state)
	if _, err := generation.Open(s.state).Create(strings.TrimSpace(built)); err != nil {
		t.Fatal(err)
	}
	out, _ := s.run(0, "generations", "--state", s.state)
	for _, l := range strings.Split(strings.TrimSuffix(out, "\n"), "\n") {
		if len(l) > 79 || strings.TrimRight(l, " ") != l || !strings.HasSuffix(l, "…-h") {
			t.Errorf("%q", l)
		}
	}
}

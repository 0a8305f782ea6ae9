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

// TestSysrootWithoutUnitgen shows where unitgen has to lie, at the credential
// that needs it at boot.
func TestSysrootWithoutUnitgen(t *testing.T) {
	s := newSite(t)
	s.host("/bin/app 1")
	writeTestFile(t, s.dir+"/db.ug.hcl", "credential \"db\" {\n  unit = service.app\n  age = \"db.age\"\n}\n")
	writeTestFile(t, s.dir+"/db.age", "age-encryption.org/v1\n")
	_, errs := s.run(1, "check", "--sysroot", t.TempDir(), s.dir)
	if !strings.Contains(errs, "--> db.ug.hcl:1:12") || !strings.Contains(strings.Join(strings.Fields(errs), " "), "to /usr/local/bin/unitgen there") {
		t.Error(errs)
	}
}

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/unitgen/unitgen/runtime/generation"
)

// generation makes a generation of the host as it is, and the current one of it.
func (s *site) generation() {
	s.t.Helper()
	path, _ := s.run(0, "build", s.dir, "--state", s.state)
	st := generation.Open(s.state)
	g, err := st.Create(strings.TrimSpace(path))
	if err == nil {
		err = st.SetCurrent(g.Number)
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) source(name, text string) {
	s.t.Helper()
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

// TestPlanValues shows what directives and files were and will be, and keeps to
// itself what not everybody may read.
func TestPlanValues(t *testing.T) {
	s := newSite(t)
	host := "host \"h\" {\n  systemd = 252\n}\nservice \"app\" {\n  ExecStart = \"/bin/app 1\"\n}\netc \"open.conf\" {\n  text = \"a\\nb\\n\"\n}\netc \"closed.conf\" {\n  text = \"password 1\\n\"\n  mode = \"0600\"\n}\n"
	s.source("host.ug.hcl", host)
	s.generation()
	s.source("host.ug.hcl", strings.NewReplacer("app 1", "app 2", `a\nb`, `a\nc`, "password 1", "password 2").Replace(host))
	out, _ := s.run(0, "plan", s.dir, "--state", s.state, "--values")
	for _, want := range []string{
		"         - [Service] ExecStart=/bin/app 1\n         + [Service] ExecStart=/bin/app 2\n",
		"--- /etc/open.conf\n+++ /etc/open.conf\n", "\n-b\n+c\n", "/etc/closed.conf: not everybody may read it",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if strings.Contains(out, "password") {
		t.Errorf("%s", out)
	}
	if plain, _ := s.run(0, "plan", s.dir, "--state", s.state); strings.Contains(plain, "[Service]") || strings.Contains(plain, "---") {
		t.Errorf("without --values:\n%s", plain)
	}
	out, _ = s.run(0, "plan", s.dir, "--state", s.state, "--values", "--json")
	var p struct {
		Refused, Notes []string
		Values         values
	}
	if err := json.Unmarshal([]byte(out), &p); err != nil || len(p.Values.Units) != 1 || len(p.Values.Files) != 2 || p.Refused == nil || p.Notes == nil || strings.Contains(out, "password") {
		t.Errorf("%v\n%s", err, out)
	}
	s.generation()
	out, _ = s.run(0, "generations", "diff", "1", "2", "--state", s.state)
	if !strings.Contains(out, "\n-b\n+c\n") || strings.Contains(out, "password") {
		t.Errorf("%s", out)
	}
}

// TestOtherHost says before all else that a plan is for another host.
func TestOtherHost(t *testing.T) {
	s := newSite(t)
	s.host("/bin/app 1")
	s.generation()
	s.source("host.ug.hcl", "host \"other\" {\n  systemd = 252\n}\n")
	if _, errs := s.run(0, "plan", s.dir, "--state", s.state); !strings.Contains(errs, `this is the host "other", and the current generation 1 is the host "h"`) {
		t.Errorf("%s", errs)
	}
}

// TestStatusWithoutManager does not call a host well of which nothing runs, or
// one that is not there.
func TestStatusWithoutManager(t *testing.T) {
	s := newSite(t)
	if _, errs := s.run(1, "status", "--state", s.state); !strings.Contains(errs, "there is no state directory") {
		t.Errorf("%s", errs)
	}
	if err := os.MkdirAll(s.state, 0o755); err != nil {
		t.Fatal(err)
	}
	s.run(0, "status", "--state", s.state)
	s.host("/bin/app 1")
	s.generation()
	if out, _ := s.run(1, "status", "--state", s.state); !strings.Contains(out, "none answers") {
		t.Errorf("%s", out)
	}
}

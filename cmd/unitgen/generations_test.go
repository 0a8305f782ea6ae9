package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/unitgen/unitgen/internal/durable"
	"github.com/unitgen/unitgen/runtime/generation"
)

// site is a host's directory and a state for commands that need no manager.
type site struct {
	t          *testing.T
	dir, state string
}

func newSite(t *testing.T) *site {
	base := t.TempDir()
	t.Setenv("XDG_RUNTIME_DIR", filepath.Join(base, "none"))
	t.Setenv("XDG_CACHE_HOME", filepath.Join(base, "cache"))
	s := &site{t: t, dir: filepath.Join(base, "h"), state: filepath.Join(base, "state")}
	t.Cleanup(func() { _ = durable.RemoveAll(durable.OS, s.state) })
	return s
}

func (s *site) host(exec string) {
	s.t.Helper()
	text := fmt.Sprintf("host \"h\" {\n  systemd = 252\n}\nservice \"app\" {\n  ExecStart = %q\n  WantedBy = [\"multi-user.target\"]\n}\n", exec)
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(s.dir, "host.ug.hcl"), []byte(text), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) run(want int, args ...string) (string, string) {
	s.t.Helper()
	var out, errs bytes.Buffer
	if code := execute(args, strings.NewReader(""), &out, &errs); code != want {
		s.t.Errorf("unitgen %s: exit code %d, want %d\n%s%s", strings.Join(args, " "), code, want, out.String(), errs.String())
	}
	return out.String(), errs.String()
}

func TestBuildPlanGenerations(t *testing.T) {
	s := newSite(t)
	s.host("/bin/app 1")
	first, _ := s.run(0, "build", s.dir, "--state", s.state)
	again, _ := s.run(0, "build", s.dir, "--state", s.state)
	if first != again {
		t.Errorf("%s, then %s", first, again)
	}
	st := generation.Open(s.state)
	if _, err := st.Create(strings.TrimSpace(first)); err != nil {
		t.Fatal(err)
	}
	if err := st.SetCurrent(1); err != nil {
		t.Fatal(err)
	}
	s.host("/bin/app 2")
	states := filepath.Join(filepath.Dir(s.dir), "states.json")
	if err := os.WriteFile(states, []byte(`{"app.service":"active","multi-user.target":"active"}`), 0o644); err != nil {
		t.Fatal(err)
	}
	out, _ := s.run(0, "plan", s.dir, "--state", s.state, "--states", states, "--json")
	var p struct {
		Steps []struct{ Action, Unit, Scope, Reason, Source string }
		Files struct{ Changed []string }
	}
	if err := json.Unmarshal([]byte(out), &p); err != nil {
		t.Fatal(err)
	}
	if len(p.Steps) != 2 || p.Steps[0].Action != "stop" || p.Steps[1].Action != "start" || p.Steps[0].Source != "host.ug.hcl:5:15" || len(p.Files.Changed) != 1 {
		t.Errorf("%+v", p)
	}
	text, _ := s.run(0, "plan", s.dir, "--state", s.state, "--states", states)
	if !strings.Contains(text, "stop     app.service: ExecStart= changed at host.ug.hcl:5:15\n") {
		t.Errorf("%s", text)
	}
	second, _ := s.run(0, "build", s.dir, "--state", s.state)
	if _, err := st.Create(strings.TrimSpace(second)); err != nil {
		t.Fatal(err)
	}
	diff, _ := s.run(0, "generations", "diff", "1", "2", "--state", s.state)
	if diff != "changed  app.service\n  - [Service] ExecStart=/bin/app 1\n  + [Service] ExecStart=/bin/app 2\n" {
		t.Errorf("%q", diff)
	}
	s.run(0, "generations", "pin", "2", "--state", s.state)
	s.run(2, "generations", "delete", "2", "--state", s.state)
	s.run(2, "generations", "delete", "1", "--state", s.state)
	s.run(2, "generations", "delete", "9", "--state", s.state)
	s.run(1, "generations", "delete", "x", "--state", s.state)
	s.run(0, "gc", "--keep", "1", "--state", s.state)
	s.run(0, "generations", "unpin", "2", "--state", s.state)
	if err := st.Delete(2); err != nil {
		t.Fatal(err)
	}
	gone, _ := s.run(0, "gc", "--state", s.state)
	if !strings.Contains(gone, filepath.Base(strings.TrimSpace(second))) || strings.Contains(gone, filepath.Base(strings.TrimSpace(first))) {
		t.Errorf("gc removed %s", gone)
	}
	s.run(0, "recover", "--state", s.state)
	s.run(0, "plan", "--from", strings.TrimSpace(first), "--to", strings.TrimSpace(first), "--states", states)
}

func TestRefusals(t *testing.T) {
	s := newSite(t)
	s.host("/bin/app 1")
	out := filepath.Join(filepath.Dir(s.dir), "out")
	s.run(0, "build", s.dir, "--out", out)
	s.run(1, "build", s.dir, "--out", out)
	s.run(1, "build", s.dir, "--format", "tar")
	s.run(1, "build", s.dir, "--format", "zip", "--out", out+"2")
	s.run(1, "build", filepath.Join(s.dir, "nowhere"), "--state", s.state)
	s.run(1, "plan", "--from", s.dir, "--to", out)
	s.run(1, "plan", "--to", filepath.Join(s.dir, "nowhere"))
	s.run(1, "plan", s.dir, "--to", out)
	s.run(1, "rollback", "x", "--state", s.state)
	s.run(1, "switch", s.dir, "--state", s.state, "--on-failure", "hope")
	s.run(1, "switch", s.dir, "--state", s.state, "--units", "magic")
	s.run(1, "switch", s.dir, "--state", s.state, "--boot-only", "--no-boot")
	s.run(1, "gc", "--keep", "0", "--state", s.state)

	if err := os.MkdirAll(s.state, 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(filepath.Join(s.state, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"switch", s.dir}, {"rollback"}, {"gc"}, {"recover"}, {"generations", "pin", "1"}} {
		_, errs := s.run(2, append(args, "--state", s.state)...)
		if !strings.Contains(errs, "lock") {
			t.Errorf("%v: %s", args, errs)
		}
	}
}

func TestNew(t *testing.T) {
	s := newSite(t)
	dir := filepath.Join(filepath.Dir(s.dir), "My Host_1")
	s.run(0, "new", dir)
	s.run(1, "new", dir)
	if _, errs := s.run(0, "check", dir); errs != "" {
		t.Errorf("a new host has something to complain of: %s", errs)
	}
	path, _ := s.run(0, "build", dir, "--state", s.state)
	if !strings.HasSuffix(strings.TrimSpace(path), "-my-host-1") {
		t.Errorf("%s", path)
	}
}

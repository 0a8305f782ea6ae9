//go:build linux

package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/unitgen/unitgen/internal/systemdtest"
)

// machine boots a real systemd with the binary and an example at /srv/host.
func machine(t *testing.T, example string) *systemdtest.Machine {
	t.Helper()
	files := map[string]string{}
	dir := filepath.Join("..", "examples", example)
	err := filepath.WalkDir(dir, func(p string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(p)
		rel, _ := filepath.Rel(dir, p)
		files[filepath.Join("/srv/host", rel)] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return systemdtest.Start(t, systemdtest.Options{Unitgen: true, Files: files})
}

func machineEdit(t *testing.T, m *systemdtest.Machine, file, old, new string) {
	t.Helper()
	p := filepath.Join("/srv/host", file)
	s := m.Read(p)
	if strings.Count(s, old) != 1 {
		t.Fatalf("%s: %q stands there %d times", file, old, strings.Count(s, old))
	}
	m.Write(p, strings.Replace(s, old, new, 1))
}

func machinePlan(t *testing.T, m *systemdtest.Machine) plan {
	t.Helper()
	var p plan
	out := m.MustRun("unitgen", "plan", "--json", "/srv/host")
	if err := json.Unmarshal([]byte(out), &p); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return p
}

// TestHelloSystemd switches a host with a real systemd.
func TestHelloSystemd(t *testing.T) {
	t.Parallel()
	m := machine(t, "hello")
	m.MustRun("unitgen", "switch", "/srv/host")
	units := append([]string{"heartbeat.service", "hello-prepare.service", "greeter.socket", "almanac.timer"}, workers...)
	pids := map[string]string{}
	for _, unit := range units {
		if got := m.Show(unit, "ActiveState"); got != "active" {
			t.Errorf("%s is %s", unit, got)
		}
		pids[unit] = m.Show(unit, "MainPID")
	}
	if got := m.MustShell(`perl -MIO::Socket::UNIX -e '$s = IO::Socket::UNIX->new(Peer => "/run/hello.sock") or die; print $s "GET / HTTP/1.0\r\n\r\n"; print <$s>'`); !strings.Contains(got, "Hello from hello, visitor number 1.") {
		t.Errorf("the greeter says %q", got)
	}
	if p := machinePlan(t, m); len(p.Steps) != 0 {
		t.Errorf("a plan with nothing changed: %+v", p.Steps)
	}

	machineEdit(t, m, greeterUnits, heartbeatLine, changedLine)
	for _, s := range machinePlan(t, m).Steps {
		if s.Unit != "heartbeat.service" || !strings.Contains(s.Reason, "ExecStart") {
			t.Errorf("the plan names %s: %s", s.Unit, s.Reason)
		}
	}
	m.MustRun("unitgen", "switch", "/srv/host")
	if got := m.Show("heartbeat.service", "ExecStart"); !strings.Contains(got, "changed") {
		t.Errorf("ExecStart is %s", got)
	}
	for _, unit := range units {
		if same := m.Show(unit, "MainPID") == pids[unit]; same == (unit == "heartbeat.service") {
			t.Errorf("%s: main PID before %s, after %s", unit, pids[unit], m.Show(unit, "MainPID"))
		}
	}
	m.MustRun("unitgen", "rollback")
	if got := m.Show("heartbeat.service", "ExecStart"); strings.Contains(got, "changed") {
		t.Errorf("ExecStart is %s after the rollback", got)
	}

	// The user unit goes to every user's own manager.
	m.StartUser("visitor")
	if r := m.User("visitor", "systemctl", "--user", "is-active", "hello-session.service"); strings.TrimSpace(r.Stdout) != "active" {
		t.Errorf("%v", r)
	}
	if got := m.Show("heartbeat.service", "NeedDaemonReload"); got != "no" {
		t.Errorf("NeedDaemonReload=%s", got)
	}
}

// TestWebSystemd is TestWeb under a real systemd, from the same files.
func TestWebSystemd(t *testing.T) {
	t.Parallel()
	needWeb(t)
	m := machine(t, "web")
	m.MustRun("unitgen", "switch", "/srv/host")
	get := func(port, want string) {
		t.Helper()
		r := m.Run("curl", "-sS", "--max-time", "20", "http://127.0.0.1:"+port+"/")
		if !strings.Contains(r.Stdout, want) {
			t.Errorf("no %q in: %v", want, r)
		}
	}
	get("8088", "PostgreSQL: Nobody has written here yet.")
	m.MustRun("curl", "-sS", "-d", "guest=Ada&message=hello", "http://127.0.0.1:8088/")
	get("8088", "Ada: hello")

	services := []string{"postgresql.service", "redis-server.service", "guestbook.service"}
	before := map[string]string{}
	for _, s := range services {
		before[s] = m.Show(s, "MainPID")
	}
	machineEdit(t, m, "host.ug.hcl", "port    = 8088", "port    = 8089")
	m.MustRun("unitgen", "switch", "/srv/host")
	m.WaitFor("nginx answers on the other port", 10*time.Second, func() bool {
		return m.Run("curl", "-sS", "http://127.0.0.1:8089/").Code == 0
	})
	get("8089", "Ada: hello")
	for _, s := range services {
		if after := m.Show(s, "MainPID"); after != before[s] || after == "0" {
			t.Errorf("%s had the main PID %s, and has now %s", s, before[s], after)
		}
	}
	machineEdit(t, m, "host.ug.hcl", "  title  =", "  backup = \"*:*:0/2\"\n  title  =")
	m.MustRun("unitgen", "switch", "/srv/host")
	m.WaitFor("there is a backup", 20*time.Second, func() bool {
		return strings.Contains(m.Shell("cat /var/lib/guestbook-backup/*.sql || true").Stdout, "hello")
	})
	if failed := strings.TrimSpace(m.MustRun("systemctl", "--failed", "--no-legend", "--plain")); failed != "" {
		t.Errorf("failed units: %s", failed)
	}
}

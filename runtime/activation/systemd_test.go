//go:build linux

package activation_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/unitgen/unitgen/internal/systemdtest"
)

const hostV1 = `host "h" {
  systemd = 247
}
etc "demo/a.conf" {
  text = "one\n"
}
etc "sudoers.d/demo" {
  text = "# real\n"
  mode = "0440"
  real = true
}
service "keeps" {
  ExecStart = "/bin/sleep infinity"
  WantedBy  = ["multi-user.target"]
}
service "changes" {
  ExecStart = "/bin/sleep 100000"
  WantedBy  = ["multi-user.target"]
  Alias     = ["other-name.service"]
}
service "goes" {
  ExecStart = "/bin/sleep infinity"
  WantedBy  = ["multi-user.target"]
}
socket "echo" {
  ListenStream = "/run/echo.sock"
  WantedBy     = ["sockets.target"]
}
service "echo" {
  ExecStart = "/bin/sleep infinity"
}
`

var hostV2 = strings.NewReplacer("one", "two", "sleep 100000", "sleep 200000", `"goes"`, `"comes"`, "demo/a.conf", "demo/b.conf",
	"service \"echo\" {\n  ExecStart = \"/bin/sleep infinity\"", "service \"echo\" {\n  ExecStart = \"/bin/sleep 300000\"").Replace(hostV1)

type machine struct {
	*systemdtest.Machine
	t *testing.T
}

func boot(t *testing.T, host string) machine {
	return machine{systemdtest.Start(t, systemdtest.Options{Unitgen: true, Files: map[string]string{"/root/h/host.ug.hcl": host}}), t}
}

func (m machine) pid(unit string) string { return m.Show(unit, "MainPID") }

func (m machine) active(unit, want string) {
	m.t.Helper()
	if got := m.Show(unit, "ActiveState"); got != want {
		m.t.Errorf("%s is %s, want %s", unit, got, want)
	}
}

func (m machine) missing(path string) {
	m.t.Helper()
	if m.Run("test", "-e", path).Code == 0 || m.Run("test", "-L", path).Code == 0 {
		m.t.Errorf("%s is there", path)
	}
}

// TestRealSystemd switches a real systemd there and back, in each of the ways
// to place units.
func TestRealSystemd(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"directory", "generator", "links"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			m := boot(t, hostV1)
			m.MustRun("unitgen", "switch", "/root/h", "--units", mode)
			for _, u := range []string{"keeps.service", "changes.service", "goes.service", "echo.socket", "other-name.service"} {
				m.active(u, "active")
			}
			m.MustShell("systemctl start echo.service")
			if got := m.Read("/etc/demo/a.conf"); got != "one\n" {
				t.Errorf("a.conf is %q", got)
			}
			if got := m.MustShell("stat -c '%a %F' /etc/sudoers.d/demo"); strings.TrimSpace(got) != "440 regular file" {
				t.Errorf("sudoers.d/demo is %s", got)
			}
			keeps, changes, echo := m.pid("keeps.service"), m.pid("changes.service"), m.pid("echo.service")
			inode := m.MustShell("stat -c %i /run/echo.sock")

			m.Write("/root/h/host.ug.hcl", hostV2)
			var p struct {
				Steps []struct{ Action, Unit, Reason, Source string }
			}
			if err := json.Unmarshal([]byte(m.MustRun("unitgen", "plan", "/root/h", "--json")), &p); err != nil {
				t.Fatal(err)
			}
			var steps []string
			for _, s := range p.Steps {
				steps = append(steps, s.Action+" "+s.Unit)
			}
			if got, want := strings.Join(steps, ", "), "stop goes.service, stop changes.service, restart echo.service, start changes.service, start comes.service"; got != want {
				t.Errorf("the plan is %s\nwant %s", got, want)
			}
			start := time.Now()
			m.MustRun("unitgen", "switch", "/root/h", "--units", mode)
			t.Logf("%s: the switch took %v", mode, time.Since(start).Round(time.Millisecond))
			if m.pid("keeps.service") != keeps || m.pid("changes.service") == changes || m.pid("echo.service") == echo {
				t.Error("the wrong services restarted")
			}
			if m.MustShell("stat -c %i /run/echo.sock") != inode {
				t.Error("the unchanged socket was closed")
			}
			m.active("goes.service", "inactive")
			m.active("comes.service", "active")
			m.missing("/etc/demo/a.conf")
			if got := m.Read("/etc/demo/b.conf"); got != "two\n" {
				t.Errorf("b.conf is %q", got)
			}
			if got := m.Show("changes.service", "NeedDaemonReload"); got != "no" {
				t.Errorf("NeedDaemonReload=%s", got)
			}
			if r := m.Run("unitgen", "status"); r.Code != 0 {
				t.Errorf("status: %v", r)
			}

			m.MustRun("unitgen", "rollback")
			m.active("goes.service", "active")
			m.missing("/etc/systemd/system/comes.service")
			m.active("comes.service", "inactive")
			m.missing("/etc/demo/b.conf")
			if m.pid("keeps.service") != keeps {
				t.Error("keeps.service restarted")
			}
			if got := m.MustShell("find /etc /usr/local/lib -xtype l -path '*unitgen*'"); got != "" {
				t.Errorf("links that lead nowhere: %s", got)
			}
		})
	}
}

// TestRealSystemdRefusals has conflicts listed, adopted, and given back; a
// failing unit undone; and drift seen.
func TestRealSystemdRefusals(t *testing.T) {
	t.Parallel()
	m := boot(t, hostV1)
	m.Write("/etc/demo/a.conf", "mine\n")
	m.Write("/etc/sudoers.d/demo", "# mine\n")
	r := m.Run("unitgen", "switch", "/root/h")
	if r.Code != 2 || !strings.Contains(r.Stderr, "/etc/demo/a.conf") || !strings.Contains(r.Stderr, "/etc/sudoers.d/demo") {
		t.Fatalf("conflicts: %v", r)
	}
	if got := m.MustRun("unitgen", "generations"); got != "" {
		t.Errorf("a refusal made a generation: %s", got)
	}
	m.missing("/usr/local/lib/systemd/system")
	m.MustRun("unitgen", "switch", "/root/h", "--adopt")
	if got := m.Read("/etc/demo/a.conf"); got != "one\n" {
		t.Errorf("a.conf is %q", got)
	}
	m.Write("/root/h/host.ug.hcl", strings.Replace(hostV2, "/bin/sleep 200000", "/bin/sh -c 'echo it is dark; exit 42'", 1))
	keeps, changes := m.pid("keeps.service"), m.pid("changes.service")
	r = m.Run("unitgen", "switch", "/root/h")
	if r.Code != 3 || !strings.Contains(r.Stderr, "changes.service: failed after its start: ExecStart= exit status 42\n    it is dark\n") {
		t.Errorf("a failing unit: %v", r)
	}
	m.active("changes.service", "active")
	m.active("goes.service", "active")
	m.active("comes.service", "inactive")
	if m.pid("keeps.service") != keeps || m.pid("changes.service") == changes {
		t.Error("the wrong services were touched")
	}
	if got := m.Read("/etc/demo/a.conf"); got != "one\n" {
		t.Errorf("after the rollback a.conf is %q", got)
	}
	m.missing("/etc/demo/b.conf")
	if r := m.Run("unitgen", "switch", "/root/h", "--on-failure", "keep"); r.Code != 5 {
		t.Errorf("--on-failure keep: %v", r)
	}
	if got := m.Read("/etc/demo/a.conf"); got != "mine\n" {
		t.Errorf("what was adopted did not come back: %q", got)
	}
	m.MustShell("systemctl reset-failed; rm /etc/demo/b.conf; echo changed >/etc/demo/b.conf; mkdir -p /etc/systemd/system/keeps.service.d; printf '[Service]\\nNice=1\\n' >/etc/systemd/system/keeps.service.d/x.conf; systemctl daemon-reload")
	r = m.Run("unitgen", "status")
	if r.Code != 1 || !strings.Contains(r.Stdout, "/etc/demo/b.conf was replaced") || !strings.Contains(r.Stdout, "keeps.service has the drop-in /etc/systemd/system/keeps.service.d/x.conf") {
		t.Errorf("drift: %v", r)
	}
}

// TestRealSystemdCallerKilled ends the one who asked for a switch with SIGKILL:
// the switch goes on in a unit of its own. Then it ends the switch itself, and
// recovers.
func TestRealSystemdCallerKilled(t *testing.T) {
	t.Parallel()
	m := boot(t, hostV1)
	m.MustRun("unitgen", "switch", "/root/h")
	m.Write("/root/h/host.ug.hcl", hostV2)
	m.MustShell("unitgen switch /root/h --settle 1s >/dev/null 2>&1 & p=$!; until systemctl -q is-active 'unitgen-switch-*'; do sleep 0.02; done; kill -KILL $p")
	m.WaitFor("the switch is done", 20*time.Second, func() bool {
		return strings.Contains(m.MustRun("unitgen", "generations"), "current, boot") && strings.TrimSpace(m.Shell("readlink /etc/unitgen/boot").Stdout) == "generations/2"
	})
	m.active("comes.service", "active")

	m.Write("/root/h/host.ug.hcl", hostV1)
	keeps := m.pid("keeps.service")
	m.MustShell("unitgen switch /root/h --settle 60s >/dev/null 2>&1 & until systemctl -q is-active goes.service; do sleep 0.02; done; systemctl kill -s KILL 'unitgen-switch-*'; wait")
	if r := m.Run("unitgen", "status"); r.Code != 1 || !strings.Contains(r.Stdout, "Cut off") {
		t.Errorf("status: %v", r)
	}
	m.MustRun("unitgen", "recover")
	m.active("comes.service", "active")
	m.active("goes.service", "inactive")
	if got := m.Read("/etc/demo/b.conf"); got != "two\n" || m.pid("keeps.service") != keeps {
		t.Errorf("b.conf is %q", got)
	}
	m.missing("/etc/demo/a.conf")
	if r := m.Run("unitgen", "status"); r.Code != 0 {
		t.Errorf("status: %v", r)
	}
}

// TestRealSystemdBootOnly has another generation than the current one boot: the
// units come from it before the root is writable, the pivot follows.
func TestRealSystemdBootOnly(t *testing.T) {
	t.Parallel()
	m := boot(t, hostV1)
	m.MustRun("unitgen", "switch", "/root/h")
	m.Write("/root/h/host.ug.hcl", strings.Replace(hostV2, "# real", "# other", 1))
	changes := m.pid("changes.service")
	m.MustRun("unitgen", "switch", "/root/h", "--boot-only")
	m.MustRun("systemctl", "daemon-reload")
	if got := m.Show("changes.service", "ExecStart"); !strings.Contains(got, "100000") || m.pid("changes.service") != changes {
		t.Errorf("--boot-only touched what runs: %s", got)
	}
	m.missing("/etc/demo/b.conf/.") // it leads nowhere yet
	// As at boot: nothing says that the machine is up.
	m.MustShell("rm /run/unitgen/booted; systemctl daemon-reload")
	if got := m.Show("changes.service", "ExecStart"); !strings.Contains(got, "200000") {
		t.Errorf("the boot would start %s", got)
	}
	if got := m.Show("goes.service", "LoadState"); got != "masked" {
		t.Errorf("goes.service is %s", got)
	}
	m.MustRun("systemctl", "start", "unitgen-boot.service")
	if got := strings.TrimSpace(m.MustShell("readlink /etc/unitgen/current")); got != "generations/2" {
		t.Errorf("current leads to %s", got)
	}
	if got := m.Read("/etc/demo/b.conf") + m.Read("/etc/sudoers.d/demo"); got != "two\n# other\n" {
		t.Errorf("files after the boot: %q", got)
	}
	m.missing("/etc/demo/a.conf")
	m.MustRun("systemctl", "daemon-reload")
	m.missing("/run/systemd/generator.early/changes.service")
	if got := m.Show("comes.service", "FragmentPath"); !strings.HasPrefix(got, "/usr/local/lib/systemd/system/") {
		t.Errorf("comes.service is loaded from %s", got)
	}
}

// TestRealSystemdUser has an ordinary user switch units of his own manager, and
// root switch those of everybody who is logged in.
func TestRealSystemdUser(t *testing.T) {
	t.Parallel()
	const user = "host \"u\" {\n  systemd = 247\n}\nservice \"agent\" {\n  scope = \"user\"\n  ExecStart = \"/bin/sleep 1000\"\n  WantedBy = [\"default.target\"]\n}\n"
	m := boot(t, strings.Replace(user, `"agent"`, `"everybody"`, 1))
	m.StartUser("ada")
	m.Write("/home/ada/h/host.ug.hcl", user)
	must := func(args ...string) string {
		t.Helper()
		r := m.User("ada", args...)
		if r.Code != 0 {
			t.Fatalf("%v", r)
		}
		return strings.TrimSpace(r.Stdout)
	}
	must("unitgen", "switch", "/home/ada/h")
	if got := must("systemctl", "--user", "is-active", "agent.service"); got != "active" {
		t.Errorf("agent.service is %s", got)
	}
	m.Write("/home/ada/h/host.ug.hcl", strings.Replace(user, "1000", "2000", 1))
	must("unitgen", "switch", "/home/ada/h")
	if got := must("systemctl", "--user", "show", "-P", "ExecStart", "agent.service"); !strings.Contains(got, "2000") {
		t.Errorf("agent.service runs %s", got)
	}
	must("unitgen", "status")
	must("unitgen", "rollback")

	m.MustRun("unitgen", "switch", "/root/h")
	if got := must("systemctl", "--user", "is-active", "everybody.service"); got != "active" {
		t.Errorf("everybody.service is %s", got)
	}
	if got := must("systemctl", "--user", "is-active", "agent.service"); got != "active" {
		t.Errorf("agent.service is %s", got)
	}
}

// TestRealSystemdChecks has a probe that does not hold undo a switch.
func TestRealSystemdChecks(t *testing.T) {
	t.Parallel()
	m := boot(t, hostV1+"check \"sock\" {\n  tcp = \"/run/echo.sock\"\n}\n")
	m.MustRun("unitgen", "switch", "/root/h")
	m.Write("/root/h/host.ug.hcl", hostV2+"check \"never\" {\n  exec = \"echo it is dark; exit 7\"\n  retries = 1\n}\n")
	r := m.Run("unitgen", "switch", "/root/h", "--json")
	if r.Code != 3 || !strings.Contains(r.Stderr, "never") || !strings.Contains(r.Stderr, "it is dark") || !strings.Contains(r.Stdout, `"rolled-back"`) {
		t.Errorf("%v", r)
	}
	m.active("goes.service", "active")
	m.active("comes.service", "inactive")
}

// TestRealSystemdOverlay lays trees over /etc, swaps them, and goes back to
// links.
func TestRealSystemdOverlay(t *testing.T) {
	t.Parallel()
	host := strings.Replace(hostV1, "etc \"sudoers.d", "user \"demo-user\" {\n}\netc \"sudoers.d", 1)
	m := boot(t, host)
	if r := m.Run("unitgen", "switch", "/root/h", "--etc", "overlay"); r.Code != 2 || !strings.Contains(r.Stderr, "outside /etc") {
		t.Errorf("a state below /etc: %v", r)
	}
	state := []string{"--state", "/usr/local/lib/unitgen"}
	run := func(args ...string) string {
		t.Helper()
		return m.MustRun(append(append([]string{"unitgen"}, args...), state...)...)
	}
	run("switch", "/root/h", "--etc", "overlay")
	if got := m.MustShell("cat /etc/demo/a.conf; id -un demo-user; echo x 2>/dev/null >/etc/new || echo read-only"); got != "one\ndemo-user\nread-only\n" {
		t.Errorf("%q", got)
	}
	keeps, changes := m.pid("keeps.service"), m.pid("changes.service")
	m.Write("/root/h/host.ug.hcl", strings.NewReplacer("one", "two", "sleep 100000", "sleep 200000", "demo-user", "other-user").Replace(host))
	// Somebody reads all the while.
	m.MustShell("(while [ ! -e /run/stop ]; do cat /etc/demo/a.conf || echo bad; done) >/run/reads 2>&1 & echo")
	run("switch", "/root/h")
	m.MustShell("touch /run/stop; sleep 0.1; sort -u /run/reads >/run/seen")
	if got := m.Read("/run/seen"); got != "one\ntwo\n" {
		t.Errorf("a reader saw %q", got)
	}
	if got := m.MustShell("cat /etc/demo/a.conf; id -un other-user; grep -c ' - overlay unitgen-' /proc/self/mountinfo"); got != "two\nother-user\n1\n" {
		t.Errorf("%q", got)
	}
	if m.pid("keeps.service") != keeps || m.pid("changes.service") == changes {
		t.Error("the wrong services restarted")
	}
	run("status")
	run("rollback")
	if got := m.Read("/etc/demo/a.conf"); got != "one\n" {
		t.Errorf("after the rollback %q", got)
	}
	// As at boot: nothing is mounted, nothing says that the machine is up.
	m.MustShell("umount /etc; umount /run/unitgen/etc-base; rm /run/unitgen/booted; systemctl daemon-reload")
	if got := m.Show("changes.service", "ExecStart"); !strings.Contains(got, "100000") {
		t.Errorf("the boot would start %s", got)
	}
	m.MustRun("systemctl", "start", "unitgen-boot.service")
	if got := m.Read("/etc/demo/a.conf"); got != "one\n" {
		t.Errorf("after the boot %q", got)
	}
	run("status")
	run("switch", "/root/h", "--etc", "links")
	if got := m.MustShell("cat /etc/demo/a.conf; touch /etc/new; grep -c ' - overlay unitgen-' /proc/self/mountinfo || true"); got != "two\n0\n" {
		t.Errorf("with links again: %q", got)
	}
	if m.pid("keeps.service") != keeps {
		t.Error("keeps.service restarted")
	}
}

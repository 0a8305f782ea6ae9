//go:build linux

package activation_test

import (
	"strings"
	"testing"
)

// TestRealSystemdDisable disables, masks and frees a unit that the host has, and
// that systemctl enabled: its links go and come back, and it stops and starts.
// What drifts is repaired, and what is adopted at a boot comes back later.
func TestRealSystemdDisable(t *testing.T) {
	t.Parallel()
	const host = "host \"h\" {\n  systemd = 247\n}\nservice \"keeps\" {\n  ExecStart = \"/bin/sleep infinity\"\n  WantedBy = [\"multi-user.target\"]\n}\n"
	m := boot(t, host)
	m.Write("/usr/lib/systemd/system/shipped.service", "[Service]\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\nAlias=ship.service\n")
	m.Write("/usr/lib/systemd/system/fixed.service", "[Service]\nExecStart=/bin/sleep infinity\n")
	m.MustShell("mkdir -p /usr/lib/systemd/system/multi-user.target.wants && ln -sf ../fixed.service /usr/lib/systemd/system/multi-user.target.wants/")
	m.MustShell("systemctl daemon-reload && systemctl enable --now shipped.service 2>&1 && systemctl start fixed.service")
	m.MustRun("unitgen", "switch", "/root/h")
	enabled := func(want string) {
		t.Helper()
		if got := strings.TrimSpace(m.Run("systemctl", "is-enabled", "shipped.service").Stdout); got != want {
			t.Errorf("shipped.service is %s, want %s", got, want)
		}
	}
	m.Write("/root/h/host.ug.hcl", host+"unit \"shipped.service\" {\n  enable = false\n}\nunit \"fixed.service\" {\n  enable = false\n}\n")
	p := m.Run("unitgen", "plan", "/root/h")
	for _, want := range []string{
		"disable  shipped.service: disabled in the configuration: /etc/systemd/system/multi-user.target.wants/shipped.service, /etc/systemd/system/ship.service go at host.ug.hcl:8:1\n",
		"stop     shipped.service: disabled in the configuration at host.ug.hcl:8:1\n",
	} {
		if !strings.Contains(p.Stdout, want) {
			t.Errorf("the plan is %v\nwant %s", p, want)
		}
	}
	if r := m.Run("unitgen", "switch", "/root/h"); r.Code != 0 || !strings.Contains(r.Stderr, "fixed.service is disabled, but /usr/lib/systemd/system/multi-user.target.wants/fixed.service") || !strings.Contains(r.Stderr, "mask = true") {
		t.Errorf("%v", r)
	}
	m.active("shipped.service", "inactive")
	enabled("disabled")
	m.MustRun("unitgen", "status")

	// Somebody enables it again; and something else goes.
	m.MustShell("systemctl enable shipped.service 2>&1; rm -r /usr/local/lib/systemd")
	if r := m.Run("unitgen", "status"); r.Code != 1 || !strings.Contains(r.Stdout, "unitgen recover") {
		t.Errorf("%v", r)
	}
	if r := m.Run("unitgen", "recover"); r.Code != 0 || !strings.Contains(r.Stdout, "/usr/local/lib/systemd/system") {
		t.Errorf("%v", r)
	}
	enabled("disabled")
	m.MustRun("unitgen", "status")

	keeps := m.pid("keeps.service")
	m.Write("/root/h/host.ug.hcl", host)
	m.MustRun("unitgen", "switch", "/root/h")
	m.active("shipped.service", "active")
	enabled("enabled")
	m.Write("/root/h/host.ug.hcl", host+"unit \"shipped.service\" {\n  mask = true\n}\n")
	m.MustRun("unitgen", "switch", "/root/h")
	m.active("shipped.service", "inactive")
	m.MustRun("unitgen", "rollback")
	m.active("shipped.service", "active")
	if m.pid("keeps.service") != keeps {
		t.Error("keeps.service restarted")
	}

	// A oneshot that was down is stopped on its way up: it is down again, and not
	// failed.
	oneshot := "service \"slow\" {\n  Type = \"oneshot\"\n  ExecStart = \"/bin/true\"\n  WantedBy = [\"multi-user.target\"]\n}\n"
	m.Write("/root/h/host.ug.hcl", host+oneshot)
	m.MustRun("unitgen", "switch", "/root/h")
	m.Write("/root/h/host.ug.hcl", host+strings.Replace(oneshot, "/bin/true", "/bin/sleep infinity", 1))
	m.MustShell("unitgen switch /root/h >/run/out 2>&1 & p=$!; until [ \"$(systemctl is-active slow.service)\" = activating ]; do sleep 0.02; done; systemctl kill --kill-who=main -s INT 'unitgen-switch-*'; wait $p || echo $? >/run/code")
	if got := m.Read("/run/code"); got != "3\n" {
		t.Errorf("exit code %s%s", got, m.Read("/run/out"))
	}
	m.active("slow.service", "inactive")
	m.MustRun("unitgen", "status")

	// A file of the administrator's that the next boot takes over.
	m.Write("/etc/foo.conf", "mine\n")
	m.Write("/root/h/host.ug.hcl", host+"etc \"foo.conf\" {\n  text = \"ours\\n\"\n}\n")
	if r := m.Run("unitgen", "plan", "/root/h"); r.Code != 0 || !strings.Contains(r.Stderr, "would be refused") || !strings.Contains(r.Stderr, "/etc/foo.conf") {
		t.Errorf("%v", r)
	}
	if r := m.Run("unitgen", "switch", "/root/h", "--boot-only"); r.Code != 2 {
		t.Errorf("%v", r)
	}
	m.MustRun("unitgen", "switch", "/root/h", "--boot-only", "--adopt")
	m.MustRun("unitgen", "status")
	if got := m.Read("/etc/foo.conf"); got != "mine\n" {
		t.Errorf("before the boot: %q", got)
	}
	m.MustShell("rm /run/unitgen/booted; systemctl daemon-reload; systemctl start unitgen-boot.service")
	if got := m.Read("/etc/foo.conf"); got != "ours\n" {
		t.Errorf("after the boot: %q", got)
	}
	m.MustRun("unitgen", "rollback")
	if got := m.Read("/etc/foo.conf"); got != "mine\n" {
		t.Errorf("after the rollback: %q", got)
	}
}

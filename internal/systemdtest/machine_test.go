//go:build linux

package systemdtest

import (
	"os"
	"strings"
	"testing"
)

func TestMachine(t *testing.T) {
	t.Parallel()
	m := Start(t, Options{
		Files: map[string]string{
			"/etc/systemd/system/hello.service": "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/opt/hello\nLoadCredential=x:/etc/hostname\n",
			"/opt/hello":                        "#!/bin/sh\nhostname >/tmp/said\n",
		},
		Binds: map[string]string{"/opt/source": "."},
	})
	t.Run("PID 1 is systemd", func(t *testing.T) {
		if got := strings.TrimSpace(m.Read("/proc/1/comm")); got != "systemd" {
			t.Errorf("PID 1 is %q", got)
		}
	})
	t.Run("nothing of the host's services runs", func(t *testing.T) {
		out := m.MustRun("systemctl", "list-units", "--type=service", "--state=running", "--no-legend", "--plain")
		for _, line := range strings.Split(strings.TrimSpace(out), "\n") {
			switch name, _, _ := strings.Cut(line, " "); name {
			case "dbus.service", "systemd-journald.service", "systemd-logind.service":
			default:
				t.Errorf("runs: %q", line)
			}
		}
	})
	t.Run("seeded service runs", func(t *testing.T) {
		m.MustRun("systemctl", "start", "hello.service")
		if got := strings.TrimSpace(m.Read("/tmp/said")); got != "machine" {
			t.Errorf("the service said %q", got)
		}
	})
	t.Run("binds", func(t *testing.T) {
		if !strings.Contains(m.Read("/opt/source/boot.sh"), "pivot_root") {
			t.Error("the bound directory is not there")
		}
	})
	t.Run("files written later", func(t *testing.T) {
		m.Write("/etc/systemd/system/late.target", "[Unit]\n")
		m.MustRun("systemctl", "start", "late.target")
		if got := m.Show("late.target", "ActiveState"); got != "active" {
			t.Errorf("late.target is %s", got)
		}
		if _, err := os.Stat("/etc/systemd/system/late.target"); err == nil {
			t.Error("the file was written to the host")
		}
	})
	t.Run("user manager", func(t *testing.T) {
		m.StartUser("visitor")
		r := m.User("visitor", "systemctl", "--user", "is-system-running", "--wait")
		if got := strings.TrimSpace(r.Stdout); got != "running" {
			t.Errorf("the user's manager: %v", r)
		}
	})
}

func TestInit(t *testing.T) {
	t.Parallel()
	m := Start(t, Options{
		Files: map[string]string{"/opt/init": "#!/bin/sh\necho \"I am $$ with $1\"\nsleep 0.1\n"},
		Init:  []string{"/opt/init", "an argument"},
	})
	<-m.Ended()
	if got := m.Console(); got != "I am 1 with an argument\n" {
		t.Errorf("the console has %q", got)
	}
}

// TestTeardown looks at the host before and after two machines in parallel,
// one of which is killed.
func TestTeardown(t *testing.T) {
	before, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	var scratch, cgroups []string
	t.Run("machines", func(t *testing.T) {
		for _, name := range []string{"ends", "is killed"} {
			m := Start(t, Options{})
			scratch = append(scratch, m.scratch)
			cgroups = append(cgroups, m.cgroups.dirs()...)
			if name == "is killed" {
				m.Kill()
			}
		}
	})
	after, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	if string(before) != string(after) {
		t.Errorf("mounts before:\n%s\nafter:\n%s", before, after)
	}
	for _, p := range append(scratch, cgroups...) {
		if _, err := os.Lstat(p); err == nil {
			t.Errorf("%s is still there", p)
		}
	}
}

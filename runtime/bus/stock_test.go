//go:build linux

package bus_test

import (
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/unitgen/unitgen/internal/testenv"
)

// TestStockTools runs programs that were written for systemd against the
// server. Want is a line of what they print, calls what the manager is to be
// asked.
func TestStockTools(t *testing.T) {
	testenv.Need(t, "systemctl", "busctl", "systemd-run", "systemd-analyze")
	for _, c := range []struct {
		command string
		code    int
		want    string
		calls   string
	}{
		{"systemctl start b", 0, "", "Enqueue start b.service replace"},
		{"systemctl start fail", 1, "Job for fail.service failed because the control process exited with error code.", ""},
		{"systemctl start nix", 5, "Failed to start nix.service: Unit nix.service not found.", ""},
		{"systemctl start --no-block stuck", 0, "", "Enqueue start stuck.service replace"},
		{"systemctl start slow", 0, "", ""},
		{"systemctl stop a", 0, "Warning: Stopping a.service, but it can still be activated by:", "Enqueue stop a.service replace"},
		{"systemctl restart a", 0, "", "Enqueue restart a.service replace"},
		{"systemctl reload a", 0, "", "Enqueue reload a.service replace"},
		{"systemctl try-restart a", 0, "", "Enqueue try-restart a.service replace"},
		{"systemctl reload-or-restart a", 0, "", "Enqueue reload-or-restart a.service replace"},
		{"systemctl try-reload-or-restart a", 0, "", "Enqueue reload-or-try-restart a.service replace"},
		{"systemctl isolate multi-user.target", 0, "", "Enqueue start multi-user.target isolate"},
		{"systemctl kill -s HUP --kill-whom=main a", 0, "", "Kill main 1 a.service"},
		{"systemctl reset-failed broken", 0, "", "ResetFailed broken.service"},
		{"systemctl clean --what=cache b", 0, "", "Clean cache b.service"},
		{"systemctl freeze a", 0, "", "Freeze a.service"},
		{"systemctl thaw a", 0, "", "Thaw a.service"},
		{"systemctl daemon-reload", 0, "", "Reload"},
		{"systemctl daemon-reexec", 0, "", "Reexecute"},
		{"systemctl set-property a MemoryMax=1G CPUQuota=20% IPAddressDeny=any", 0, "", "SetProperties false [{MemoryMax [1073741824]} {CPUQuota [20.00%]}"},
		{"systemctl set-environment A=b", 0, "", ""},
		{"systemctl log-level", 0, "info", ""},
		{"systemctl status a", 0, "CGroup: /system.slice/a.service", ""},
		{"systemctl status b", 3, "Active: inactive (dead)", ""},
		{"systemctl is-active a", 0, "active", ""},
		{"systemctl is-failed broken", 0, "failed", ""},
		{"systemctl list-timers", 0, "1 timers listed.", ""},
		{"systemctl list-sockets", 0, "/run/a.sock", ""},
		{"systemctl list-automounts", 0, "1 automounts listed.", ""},
		{"systemctl list-dependencies multi-user.target", 0, "basic.target", ""},
		{"systemctl show a -p MemoryMax --value", 0, "1073741824", ""},
		{"systemctl bind a /x /y", 1, "cannot add mounts to a running unit", ""},
		{"systemd-run --unit=tr -p MemoryMax=100M -p Environment=X=1 /bin/echo a%b", 0, "Running as unit: tr.service", `{ExecStart [/bin/echo a%%b]}`},
		{"systemd-run --on-active=5m --unit=later /bin/true", 0, "Will run service as unit: later.service", "{OnActiveSec [300000000us]}"},
		{"systemd-run --unit=fail-tr /bin/false", 1, "Job for fail-tr.service failed", ""},
		{"systemd-analyze dump", 0, "-> Unit a.service:", ""},
		{"busctl tree", 0, "/org/freedesktop/systemd1/unit/a_2eservice", ""},
		{"busctl introspect org.freedesktop.systemd1 /org/freedesktop/systemd1/unit/a_2eservice", 0, "org.freedesktop.systemd1.Service", ""},
		{"busctl call org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager StartUnit ss b.service replace", 0, `o "/org/freedesktop/systemd1/job/1"`, ""},
		{"busctl call org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager Nonsense", 1, "Unknown method", ""},
		{"busctl call org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager StartUnit s b.service", 1, "Invalid arguments", ""},
		{"busctl get-property org.freedesktop.systemd1 /nowhere org.freedesktop.systemd1.Manager Version", 1, "Unknown object", ""},
		{"busctl list", 0, "org.freedesktop.systemd1", ""},
		{"busctl status org.freedesktop.systemd1", 0, "PID=", ""},
	} {
		t.Run(c.command, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			args := strings.Fields(c.command)
			switch args[0] {
			case "busctl":
				args = append([]string{"busctl", "--no-pager", "--address=unix:path=" + w.socket}, args[1:]...)
			default:
				args = append([]string{args[0], "--user"}, args[1:]...)
			}
			out, errs, code := w.tool(append([]string{"env", "-u", "DBUS_SESSION_BUS_ADDRESS"}, args...)...)
			if code != c.code || !strings.Contains(out+errs, c.want) {
				t.Errorf("exit code %d, want %d; it printed\n%s%swant %s", code, c.code, out, errs, c.want)
			}
			if calls := strings.Join(w.fake.Log(), "\n"); !strings.Contains(calls, c.calls) {
				t.Errorf("the manager was asked\n%s\nnot %s", calls, c.calls)
			}
		})
	}
}

// TestMonitor watches a call with busctl monitor.
func TestMonitor(t *testing.T) {
	testenv.Need(t, "busctl", "systemctl", "timeout")
	t.Parallel()
	w := newWorld(t)
	cmd := exec.Command("timeout", "2", "busctl", "--address=unix:path="+w.socket, "monitor")
	var out strings.Builder
	cmd.Stdout = &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(500 * time.Millisecond)
	w.systemctl("start", "b")
	cmd.Wait()
	for _, want := range []string{"Member=StartUnit", "Member=JobNew", "Member=JobRemoved", "Member=PropertiesChanged"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the monitor saw no %s:\n%s", want, out.String())
		}
	}
}

// TestSystemMode is the stock systemctl in system mode: as root, in a mount
// namespace where /run/systemd is the server's.
func TestSystemMode(t *testing.T) {
	testenv.NeedRoot(t)
	testenv.Need(t, "systemctl", "unshare", "mount")
	t.Parallel()
	w := newWorld(t)
	in := func(command string) (string, string, int) {
		script := `set -e
mount --make-rprivate /
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/system /run/dbus
touch /run/systemd/private /run/dbus/system_bus_socket
mount --bind "$1" /run/systemd/private
mount --bind "$2" /run/dbus/system_bus_socket
shift 2
exec "$@"`
		return w.tool(append([]string{"unshare", "-m", "sh", "-c", script, "sh", w.socket, w.dir + "/bus"}, strings.Fields(command)...)...)
	}
	for _, c := range []struct {
		command string
		code    int
		want    string
	}{
		{"systemctl --no-pager list-units", 0, "12 loaded units listed."},
		{"systemctl --no-pager status a", 0, "The service A"},
		{"systemctl is-system-running", 1, "degraded"},
		{"systemctl start b slow", 0, ""},
		{"systemctl start fail", 1, "Job for fail.service failed"},
		{"systemctl stop b", 0, ""},
		{"systemctl daemon-reload", 0, ""},
		{"systemctl is-enabled nix", 1, "No such file or directory"},
		{"systemctl enable --no-reload a", 1, "immutable"},
		{"systemd-run --unit=x /bin/true", 0, "Running as unit: x.service"},
		{"systemctl freeze a", 0, ""},
	} {
		out, errs, code := in(c.command)
		if code != c.code || !strings.Contains(out+errs, c.want) {
			t.Errorf("%s: exit code %d, want %d; it printed\n%s%swant %s", c.command, code, c.code, out, errs, c.want)
		}
	}
}

//go:build linux

package ctl_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/unitgen/unitgen/internal/testenv"
	"github.com/unitgen/unitgen/runtime/bus"
	"github.com/unitgen/unitgen/runtime/bus/bustest"
	"github.com/unitgen/unitgen/runtime/ctl"
	"github.com/unitgen/unitgen/runtime/unitstate"
)

// next is when the fixture's timer elapses: not near to where its spelling
// changes.
var next = uint64(time.Now().Add(50*time.Hour + 30*time.Minute).UnixMicro())

// fixture makes a manager in memory with units in many states.
func fixture() *bustest.Fake {
	f := bustest.New(
		bustest.Unit("a.service", "The service A", unitstate.Active, "running", bustest.Settings{"Service": {
			"ExecStart": {"/bin/sleep 1000"}, "ExecReload": {"/bin/true"}, "Environment": {"A=b", "C=d e"}, "MemoryMax": {"1G"},
			"Restart": {"on-failure"}, "CPUQuota": {"20%"}, "UMask": {"0077"}, "SuccessExitStatus": {"3 SIGHUP"}, "KillSignal": {"SIGINT"},
			"CapabilityBoundingSet": {"CAP_CHOWN CAP_KILL"}, "RestrictNamespaces": {"yes"}, "IPAddressDeny": {"10.0.0.0/8"},
			"EnvironmentFile": {"-/etc/default/a"}, "DeviceAllow": {"/dev/null rw"}, "LimitNOFILE": {"100:200"}, "CPUAffinity": {"0-1 3"}}}),
		bustest.Unit("b.service", "The service B", unitstate.Inactive, "dead", nil),
		bustest.Unit("slow.service", "Takes its time", unitstate.Inactive, "dead", nil),
		bustest.Unit("fail.service", "Fails", unitstate.Inactive, "dead", nil),
		bustest.Unit("broken.service", "Has failed", unitstate.Failed, "failed", nil),
		bustest.Unit("stuck.service", "Never ends", unitstate.Inactive, "dead", nil),
		bustest.Unit("multi-user.target", "Multi-User System", unitstate.Active, "active", nil),
		bustest.Unit("basic.target", "Basic System", unitstate.Active, "active", nil),
		bustest.Unit("a.socket", "A's socket", unitstate.Active, "listening", bustest.Settings{"Socket": {"ListenStream": {"/run/a.sock"}}}),
		bustest.Unit("a.timer", "A's timer", unitstate.Active, "waiting", nil),
		bustest.Unit("mnt.mount", "/mnt", unitstate.Active, "mounted", nil),
		bustest.Unit("mnt.automount", "/mnt", unitstate.Active, "waiting", nil),
		bustest.Unit("-.slice", "Root Slice", unitstate.Active, "active", nil),
	)
	a, _ := f.Unit("a.service")
	a.ControlGroup, a.Slice = "/system.slice/a.service", "system.slice"
	a.Service.StatusText = "Serving"
	a.DropIns = []string{"/etc/systemd/system/a.service.d/10-x.conf", "/etc/systemd/system/a.service.d/20-y.conf"}
	f.Add(a)
	tm, _ := f.Unit("a.timer")
	tm.Timer = &unitstate.Timer{Unit: "a.service", Result: "success", NextElapseRealtime: next,
		LastTrigger: bustest.Epoch}
	f.Add(tm)
	so, _ := f.Unit("a.socket")
	so.Socket.Listen = []unitstate.Listen{{Kind: "Stream", Address: "/run/a.sock"}, {Kind: "Datagram", Address: "[::]:53"}}
	f.Add(so)
	f.SetProcesses("a.service", unitstate.Process{ControlGroup: "/system.slice/a.service", PID: 99999, Command: "/bin/sleep 1000"},
		unitstate.Process{ControlGroup: "/system.slice/a.service", PID: 123, Command: "child"})
	f.Depend("multi-user.target", "Wants", "a.service")
	f.Depend("multi-user.target", "Requires", "basic.target")
	f.Depend("basic.target", "Wants", "a.socket")
	f.Depend("a.socket", "Triggers", "a.service")
	f.Depend("a.timer", "Triggers", "a.service")
	return f
}

// TestSameAsSystemctl runs command lines with the stock systemctl and with
// Main, each against a manager of its own, and wants the same words and exit
// codes.
func TestSameAsSystemctl(t *testing.T) {
	testenv.Need(t, "systemctl")
	for _, line := range strings.Split(strings.TrimSpace(`
list-units
list-units --all
list-units --failed
list-units --plain --no-legend
list-units --type=target,timer --all
list-units -o json
list-units a*
list-units --state=inactive
list-units nothing*
list-timers
list-timers --all -o json
list-sockets
list-sockets --show-types
list-automounts
list-jobs
list-dependencies multi-user.target
list-dependencies --plain multi-user.target
list-dependencies --reverse a.service
list-dependencies --all a.socket
is-active a
is-active a b
is-active b nix
is-failed broken a
is-failed b
show a.service
show --all a.service
show a.service -p ExecStart,MemoryMax,Environment,Nope
show a.service -p MainPID --value
show a.socket
show a.timer --timestamp=unix
show mnt.mount
show -- -.slice
show nix.service
show
show -p Version --value
show a.service b.service -P ActiveState
status a.service
status b
status broken
status nix
status a.timer a.socket
status
start b
start nix
start fail
start slow b
start
stop b
stop nix
restart a b
reload a
reload b
try-restart b
reload-or-restart a
isolate multi-user.target
isolate nix
isolate
kill a
kill -s NOPE a
kill --kill-whom=main -s HUP a
kill nix
reset-failed broken
reset-failed nix
reset-failed
daemon-reload
set-environment A=b "B=c d"
show-environment
unset-environment A
log-level
log-level debug
log-target
log-level nope
service-watchdogs
service-watchdogs no
set-property a.service MemoryMax=1G CPUQuota=20%
cancel 77
cancel
start --no-block stuck
list-jobs
nonsense
freeze a
thaw nix
start "a b"
`), "\n") {
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			args := words(line)
			var before []string
			if line == "list-jobs" {
				before = []string{"start", "--no-block", "stuck"}
			}
			want := stock(t, before, args)
			got := own(t, before, args)
			if want != got {
				t.Errorf("systemctl:\n%s\nunitgen ctl:\n%s\ndifference:\n%s", want, got, differ(want, got))
			}
		})
	}
}

func words(line string) []string {
	var out []string
	for i, part := range strings.Split(line, `"`) {
		if i%2 == 1 {
			out = append(out, part)
		} else {
			out = append(out, strings.Fields(part)...)
		}
	}
	return out
}

func differ(a, b string) string {
	la, lb := strings.Split(a, "\n"), strings.Split(b, "\n")
	var out []string
	for i := 0; i < max(len(la), len(lb)); i++ {
		x, y := "", ""
		if i < len(la) {
			x = la[i]
		}
		if i < len(lb) {
			y = lb[i]
		}
		if x != y {
			out = append(out, "- "+x, "+ "+y)
		}
		if len(out) > 24 {
			break
		}
	}
	return strings.Join(out, "\n")
}

func serve(t *testing.T) (dir string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "ctl")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	f := fixture()
	f.User = true
	s := bus.NewServer(bus.ServerOptions{Backend: f, Logf: t.Logf})
	if err := s.ListenRuntime(dir); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return dir
}

func stock(t *testing.T, before, args []string) string {
	dir := serve(t)
	run := func(args []string) string {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		cmd := exec.CommandContext(ctx, "systemctl", append([]string{"--user", "--no-pager"}, args...)...)
		cmd.WaitDelay = time.Second
		cmd.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+dir, "LC_ALL=C.UTF-8", "SYSTEMD_COLORS=0", "DBUS_SESSION_BUS_ADDRESS=unix:path="+dir+"/bus", "SYSTEMD_LOG_LEVEL=info")
		var o, e bytes.Buffer
		cmd.Stdout, cmd.Stderr = &o, &e
		cmd.Run()
		if ctx.Err() != nil {
			t.Errorf("systemctl %v does not end", args)
		}
		return report(o.String(), e.String(), cmd.ProcessState.ExitCode())
	}
	if before != nil {
		run(before)
	}
	return run(args)
}

func own(t *testing.T, before, args []string) string {
	dir := serve(t)
	run := func(args []string) string {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		c, err := bus.Dial(ctx, bus.Address{Socket: bus.PrivateSocket(dir)})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		var o, e bytes.Buffer
		code := ctl.Main(ctx, args, ctl.Options{Client: c, User: true, Out: &o, Err: &e, UTF8: true})
		return report(o.String(), e.String(), code)
	}
	if before != nil {
		run(before)
	}
	return run(args)
}

func report(out, errs string, code int) string {
	return out + "-- stderr\n" + errs + "-- exit code " + string(rune('0'+code%10)) + "\n"
}

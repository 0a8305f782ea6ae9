//go:build linux

package bus_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/unitgen/unitgen/internal/testenv"
	"github.com/unitgen/unitgen/runtime/bus"
	"github.com/unitgen/unitgen/runtime/bus/bustest"
	"github.com/unitgen/unitgen/runtime/unitstate"
)

// world is a server with a fake manager behind it.
type world struct {
	t      *testing.T
	fake   *bustest.Fake
	dir    string // XDG_RUNTIME_DIR
	socket string
	srv    *bus.Server
}

func newWorld(t *testing.T) *world {
	t.Helper()
	dir, err := os.MkdirTemp("", "bus")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	f := bustest.New(
		bustest.Unit("a.service", "The service A", unitstate.Active, "running", bustest.Settings{"Service": {
			"ExecStart": {"/bin/sleep 1000"}, "ExecReload": {"/bin/true"}, "Environment": {"A=b", "C=d e"}, "MemoryMax": {"1G"}, "Restart": {"on-failure"}}}),
		bustest.Unit("b.service", "The service B", unitstate.Inactive, "dead", nil),
		bustest.Unit("slow.service", "Takes its time", unitstate.Inactive, "dead", nil),
		bustest.Unit("fail.service", "Fails", unitstate.Inactive, "dead", nil),
		bustest.Unit("broken.service", "Has failed", unitstate.Failed, "failed", nil),
		bustest.Unit("stuck.service", "Never ends", unitstate.Inactive, "dead", nil),
		bustest.Unit("multi-user.target", "Multi-User System", unitstate.Active, "active", nil),
		bustest.Unit("basic.target", "Basic System", unitstate.Active, "active", nil),
		bustest.Unit("a.socket", "A's socket", unitstate.Active, "listening", bustest.Settings{"Socket": {"ListenStream": {"/run/a.sock"}}}),
		bustest.Unit("a.timer", "A's timer", unitstate.Active, "waiting", nil),
		bustest.Unit("a.path", "A's path", unitstate.Active, "waiting", nil),
		bustest.Unit("mnt.mount", "/mnt", unitstate.Active, "mounted", nil),
		bustest.Unit("mnt.automount", "/mnt", unitstate.Active, "waiting", nil),
		bustest.Unit("x.swap", "swap", unitstate.Inactive, "dead", nil),
		bustest.Unit("-.slice", "Root Slice", unitstate.Active, "active", nil),
		bustest.Unit("system.slice", "System Slice", unitstate.Active, "active", nil),
		bustest.Unit("init.scope", "System and Service Manager", unitstate.Active, "running", nil),
		bustest.Unit("dev-null.device", "/dev/null", unitstate.Inactive, "dead", nil),
	)
	a, _ := f.Unit("a.service")
	a.Service.MainPID = os.Getpid()
	a.ControlGroup, a.Slice = "/system.slice/a.service", "system.slice"
	a.Service.StatusText = "Serving"
	f.Add(a)
	tm, _ := f.Unit("a.timer")
	tm.Timer = &unitstate.Timer{Unit: "a.service", Result: "success", NextElapseRealtime: uint64(time.Now().Add(time.Hour).UnixMicro()),
		Calendar: []unitstate.TimerCalendar{{Spec: "*-*-* 00:00:00", Next: 1}}, LastTrigger: bustest.Epoch}
	f.Add(tm)
	so, _ := f.Unit("a.socket")
	so.Socket.Listen = []unitstate.Listen{{Kind: "Stream", Address: "/run/a.sock"}}
	f.Add(so)
	f.SetProcesses("a.service", unitstate.Process{ControlGroup: "/system.slice/a.service", PID: os.Getpid(), Command: "/bin/sleep 1000"})
	f.Depend("multi-user.target", "Wants", "a.service")
	f.Depend("multi-user.target", "Requires", "basic.target")
	f.Depend("multi-user.target", "After", "basic.target")
	f.Depend("a.socket", "Triggers", "a.service")
	f.Depend("a.timer", "Triggers", "a.service")
	w := &world{t: t, fake: f, dir: dir, socket: bus.PrivateSocket(dir)}
	w.srv = bus.NewServer(bus.ServerOptions{Backend: f, Logf: t.Logf})
	if err := w.srv.ListenRuntime(w.dir); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.srv.Close)
	return w
}

func (w *world) client() bus.Client {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	c, err := bus.Dial(ctx, bus.Address{Socket: w.socket})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { c.Close() })
	return c
}

// tool runs a stock program against the server.
func (w *world) tool(args ...string) (out, errs string, code int) {
	w.t.Helper()
	testenv.Need(w.t, args[0])
	ctx, cancel := context.WithTimeout(context.Background(), 8*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+w.dir, "LC_ALL=C.UTF-8", "SYSTEMD_COLORS=0", "SYSTEMD_PAGER=", "COLUMNS=200")
	var o, e bytes.Buffer
	cmd.Stdout, cmd.Stderr = &o, &e
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	if ctx.Err() != nil {
		w.t.Fatalf("%v does not end; so far:\n%s%s", args, &o, &e)
	}
	if err != nil && cmd.ProcessState == nil {
		w.t.Fatal(err)
	}
	return o.String(), e.String(), cmd.ProcessState.ExitCode()
}

func (w *world) systemctl(args ...string) (string, string, int) {
	w.t.Helper()
	return w.tool(append([]string{"systemctl", "--user", "--no-pager"}, args...)...)
}

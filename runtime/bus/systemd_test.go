//go:build linux

package bus_test

import (
	"bytes"
	"context"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/unitgen/unitgen/internal/systemdtest"
	"github.com/unitgen/unitgen/internal/testenv"
	"github.com/unitgen/unitgen/runtime/bus"
	"github.com/unitgen/unitgen/runtime/ctl"
)

// TestClientOfSystemd is the client with the machine's systemd as manager,
// through the message bus.
func TestClientOfSystemd(t *testing.T) {
	testenv.NeedRoot(t)
	testenv.Need(t, "systemctl", "busctl")
	m := systemdtest.Start(t, systemdtest.Options{Files: map[string]string{
		"/etc/systemd/system/ok.service":    "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/sleep 0.3\n",
		"/etc/systemd/system/bad.service":   "[Service]\nType=oneshot\nExecStart=/bin/false\n",
		"/etc/systemd/system/needs.service": "[Unit]\nRequires=bad.service\nAfter=bad.service\n[Service]\nType=oneshot\nExecStart=/bin/true\n",
	}})
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	c, err := bus.Dial(ctx, bus.Address{Socket: m.Path("/run/dbus/system_bus_socket"), Bus: true, Scope: "system"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var jobs []bus.Job
	for _, u := range []string{"ok.service", "needs.service"} {
		j, err := c.StartUnit(ctx, u, "replace")
		if err != nil {
			t.Fatal(err)
		}
		jobs = append(jobs, j)
	}
	rs, err := c.WaitJobs(ctx, jobs...)
	if err != nil || rs[0].Result != "done" || rs[1].Result != "dependency" {
		t.Errorf("%v, %v", rs, err)
	}
	if p, err := c.GetUnitProperties(ctx, "ok.service"); err != nil || p["ActiveState"] != "active" || p["Type"] != "oneshot" {
		t.Errorf("%v %v, %v", p["ActiveState"], p["Type"], err)
	}
	if s, err := c.GetUnitFileState(ctx, "ok.service"); err != nil || s != "static" {
		t.Errorf("%s, %v", s, err)
	}
	if _, err := c.StartUnit(ctx, "nix.service", "replace"); !bus.IsError(err, "NoSuchUnit") {
		t.Errorf("an unknown unit: %v", err)
	}
	var seen atomic.Int32
	stop, err := c.Subscribe(ctx, func(bus.Signal) { seen.Add(1) })
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Reload(ctx); err != nil {
		t.Error(err)
	}
	if err := c.ResetFailed(ctx, "bad.service"); err != nil {
		t.Error(err)
	}
	if seen.Load() == 0 {
		t.Error("no signal came of a reload")
	}
	stop()
	if err := c.Reexecute(ctx); err != nil {
		t.Error(err)
	}
	j, err := c.RestartUnit(ctx, "ok.service", "replace")
	if err != nil {
		t.Fatal(err)
	}
	if rs, err := c.WaitJobs(ctx, j); err != nil || rs[0].Result != "done" {
		t.Errorf("after a reexec: %v, %v", rs, err)
	}
	// The same words as the stock systemctl about the same manager.
	for _, args := range [][]string{{"list-units"}, {"show", "ok.service"}, {"list-sockets"}, {"list-timers", "--all"},
		{"list-dependencies", "multi-user.target"}, {"show", "dbus.service"}, {"show", "-.mount"},
		{"is-enabled", "ok"}, {"cat", "nix"}} {
		want := m.Run(append([]string{"env", "LC_ALL=C.UTF-8", "SYSTEMD_COLORS=0", "systemctl", "--no-pager"}, args...)...)
		var out, errs bytes.Buffer
		code := ctl.Main(ctx, args, ctl.Options{Client: c, Out: &out, Err: &errs, UTF8: true})
		got, stock := metered.ReplaceAllString(out.String(), "$1"), metered.ReplaceAllString(want.Stdout, "$1")
		if code != want.Code || got != stock {
			t.Errorf("%v: exit code %d, want %d\n%s\nsystemctl:\n%s", args, code, want.Code, differing(got, stock), differing(stock, got))
		}
	}
}

// metered are the properties that change by themselves between two questions;
// that there is a number counts, not which.
var metered = regexp.MustCompile(`(?m)^((?:Memory|Tasks)\w+=|CPUUsageNSec=|I[OP]\w+=)\d+$`)

// differing gives the lines of a that are not in b.
func differing(a, b string) string {
	have := map[string]bool{}
	for _, l := range strings.Split(b, "\n") {
		have[l] = true
	}
	var out []string
	for _, l := range strings.Split(a, "\n") {
		if !have[l] {
			out = append(out, l)
		}
	}
	return strings.Join(out, "\n")
}

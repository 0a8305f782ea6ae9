package e2e

import (
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const greeterUnits = "modules/greeter/units.ug.hcl"

// heartbeatLine is what the tests change, to changedLine.
const (
	heartbeatLine = `"/usr/bin/perl %E/hello/heartbeat.pl"`
	changedLine   = `"/usr/bin/perl %E/hello/heartbeat.pl changed"`
)

// TestHelloSwitch changes one ExecStart and goes there and back.
func TestHelloSwitch(t *testing.T) {
	t.Parallel()
	everyone(t, func(t *testing.T, w who) {
		h := newHost(t, w, "hello")
		h.boot()
		if p := h.plan(); len(p.Steps) != 0 {
			t.Errorf("a plan with nothing changed: %+v", p.Steps)
		}
		first, before := h.current(), h.pids()

		h.edit(greeterUnits, heartbeatLine, changedLine)
		line := lineOf(t, filepath.Join(h.dir, greeterUnits), "heartbeat.pl changed")
		p := h.plan()
		if len(p.Steps) == 0 {
			t.Fatal("the plan has no steps")
		}
		for _, s := range p.Steps {
			if s.Unit != "heartbeat.service" {
				t.Errorf("the plan names %s: %s", s.Unit, s.Reason)
			}
			if !strings.Contains(s.Reason, "ExecStart") {
				t.Errorf("the reason does not name the directive: %q", s.Reason)
			}
			if want := greeterUnits + ":" + line + ":"; s.Source == nil || !strings.HasPrefix(*s.Source, want) {
				t.Errorf("the source is %v, want %s", deref(s.Source), want)
			}
		}
		text := h.mustUnitgen("plan", h.dir)
		for _, want := range []string{"heartbeat.service", "ExecStart", greeterUnits + ":" + line} {
			if !strings.Contains(text, want) {
				t.Errorf("plan does not say %q:\n%s", want, text)
			}
		}

		h.mustUnitgen("switch", h.dir)
		second := h.current()
		if second == first {
			t.Fatalf("still generation %d", first)
		}
		after := h.pids()
		checkPIDs(t, before, after, "heartbeat.service")
		if got := h.show("heartbeat.service", "ExecStart")["ExecStart"]; !strings.Contains(got, "heartbeat.pl changed") {
			t.Errorf("ExecStart is %s", got)
		}

		h.mustUnitgen("rollback")
		if h.current() != first {
			t.Errorf("current is %d after the rollback, want %d", h.current(), first)
		}
		back := h.pids()
		checkPIDs(t, after, back, "heartbeat.service")
		if got := h.show("heartbeat.service", "ExecStart")["ExecStart"]; strings.Contains(got, "changed") {
			t.Errorf("ExecStart is %s after the rollback", got)
		}
	})
}

// TestHelloAddsAndRemoves adds a unit and an instance, then takes them away.
func TestHelloAddsAndRemoves(t *testing.T) {
	t.Parallel()
	everyone(t, func(t *testing.T, w who) {
		h := newHost(t, w, "hello")
		h.boot()
		before := h.pids()
		h.write("guest.ug.hcl", `service "guest" {
  Description = "Somebody new"
  ExecStart   = "/bin/sleep infinity"
  WantedBy    = ["multi-user.target"]
}
`)
		h.edit("host.ug.hcl", `["ada", "brian", "grace"]`, `["ada", "brian", "dennis", "grace"]`)
		started := map[string]bool{}
		for _, s := range h.plan().Steps {
			if s.Action == "start" {
				started[s.Unit] = true
			}
		}
		if !started["guest.service"] || !started["worker@dennis.service"] || len(started) != 2 {
			t.Errorf("the plan starts %v", started)
		}
		h.mustUnitgen("switch", h.dir)
		for _, unit := range []string{"guest.service", "worker@dennis.service"} {
			if got := h.active(unit); got != "active" {
				t.Errorf("%s is %s", unit, got)
			}
		}
		checkPIDs(t, before, h.pids(), "guest.service", "worker@dennis.service")

		h.remove("guest.ug.hcl")
		h.edit("host.ug.hcl", `["ada", "brian", "dennis", "grace"]`, `["ada", "brian", "grace"]`)
		h.mustUnitgen("switch", h.dir)
		for _, unit := range []string{"guest.service", "worker@dennis.service"} {
			if got := h.active(unit); got != "inactive" {
				t.Errorf("%s is %s after it was removed", unit, got)
			}
		}
		checkPIDs(t, before, h.pids())
	})
}

// TestHelloFailedSwitch has a change that does not work undone.
func TestHelloFailedSwitch(t *testing.T) {
	t.Parallel()
	everyone(t, func(t *testing.T, w who) {
		h := newHost(t, w, "hello")
		h.boot()
		first, before := h.current(), h.pids()
		h.edit(greeterUnits, heartbeatLine, `"/bin/sh -c 'echo it is dark; exit 42'"`)
		s := h.unitgen("switch", h.dir)
		if !strings.Contains(s.stderr, "exit status 42") || !strings.Contains(s.stderr, "    it is dark\n") {
			t.Errorf("the cause is not said: %s", s.stderr)
		}
		if s.code != 3 {
			t.Errorf("exit code %d, want 3: %v", s.code, s)
		}
		if !strings.Contains(s.stderr, "heartbeat.service") {
			t.Errorf("it is not said which unit failed: %s", s.stderr)
		}
		if h.current() != first {
			t.Errorf("current is %d, want %d", h.current(), first)
		}
		h.eventually("the old heartbeat is back", 10*time.Second, func() bool { return h.active("heartbeat.service") == "active" })
		checkPIDs(t, before, h.pids(), "heartbeat.service")
	})
}

// checkPIDs wants the same main PIDs but for the units that are named, which
// must have changed.
func checkPIDs(t *testing.T, before, after map[string]string, changed ...string) {
	t.Helper()
	is := map[string]bool{}
	for _, u := range changed {
		is[u] = true
		if after[u] == before[u] {
			t.Errorf("%s has the same main PID %q as before", u, after[u])
		}
	}
	for u, pid := range before {
		if !is[u] && after[u] != pid {
			t.Errorf("%s had the main PID %s, and has now %q", u, pid, after[u])
		}
	}
	for u, pid := range after {
		if _, ok := before[u]; !ok && !is[u] {
			t.Errorf("%s runs now, with PID %s", u, pid)
		}
	}
}

func deref(s *string) string {
	if s == nil {
		return "null"
	}
	return *s
}

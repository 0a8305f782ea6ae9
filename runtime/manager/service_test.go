//go:build linux

package manager_test

import (
	"os"
	"strings"
	"testing"
	"time"

	us "github.com/unitgen/unitgen/runtime/unitstate"
)

func TestServiceTypes(t *testing.T) {
	t.Parallel()
	m := boot(t, map[string]string{
		"simple.service":   "[Service]\nExecStart=/bin/sleep 1000\n",
		"exec.service":     "[Service]\nType=exec\nExecStart=/bin/sleep 1000\n",
		"noexec.service":   "[Service]\nType=exec\nExecStart=/nonexistent/program\n",
		"oneshot.service":  "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/echo one\nExecStart=-/bin/false\nExecStart=/bin/echo two\n",
		"failing.service":  "[Service]\nType=oneshot\nExecStart=/bin/sh -c 'exit 7'\n",
		"notify.service":   "[Service]\nType=notify\nExecStart=@SELF@ notify-helper sleep=100ms 'STATUS=half way' sleep=50ms 'READY=1;STATUS=ready' sleep=1000s\n",
		"silent.service":   "[Service]\nType=notify\nExecStart=/bin/true\n",
		"late.service":     "[Service]\nType=notify\nTimeoutStartSec=200ms\nExecStart=/bin/sleep 1000\n",
		"reload.service":   "[Service]\nType=notify-reload\nExecStart=@SELF@ notify-helper READY=1 wait-hup RELOADING=1 sleep=50ms 'READY=1;STATUS=again' sleep=1000s\n",
		"pidfile.service":  "[Service]\nType=forking\nPIDFile=%t/pidfile\nExecStart=/bin/sh -c 'sleep 1000 & echo $$! > %t/pidfile'\n",
		"guess.service":    "[Service]\nType=forking\nExecStart=/bin/sh -c 'setsid sleep 1000 & sleep 0.1'\n",
		"cond.service":     "[Unit]\nConditionPathExists=/nonexistent\n[Service]\nExecStart=/bin/sleep 1000\n",
		"assert.service":   "[Unit]\nAssertPathExists=/nonexistent\n[Service]\nExecStart=/bin/sleep 1000\n",
		"execcond.service": "[Service]\nExecCondition=/bin/sh -c 'exit 3'\nExecStart=/bin/sleep 1000\n",
		"pre.service":      "[Service]\nExecStartPre=/bin/false\nExecStart=/bin/sleep 1000\nExecStopPost=/bin/sh -c 'echo $SERVICE_RESULT $EXIT_STATUS'\n",
	})
	for _, c := range []struct {
		unit, job string
		active    us.ActiveState
		sub       us.SubState
		result    string
	}{
		{"simple.service", "done", us.Active, "running", "success"},
		{"exec.service", "done", us.Active, "running", "success"},
		{"noexec.service", "failed", us.Failed, "failed", "exit-code"},
		{"oneshot.service", "done", us.Active, "exited", "success"},
		{"failing.service", "failed", us.Failed, "failed", "exit-code"},
		{"notify.service", "done", us.Active, "running", "success"},
		{"silent.service", "failed", us.Failed, "failed", "protocol"},
		{"late.service", "failed", us.Failed, "failed", "timeout"},
		{"reload.service", "done", us.Active, "running", "success"},
		{"pidfile.service", "done", us.Active, "running", "success"},
		{"guess.service", "done", us.Active, "running", "success"},
		{"cond.service", "done", us.Inactive, "dead", "success"},
		{"assert.service", "assert", us.Inactive, "dead", "success"},
		{"execcond.service", "done", us.Inactive, "dead", "exec-condition"},
		{"pre.service", "failed", us.Failed, "failed", "exit-code"},
	} {
		if got := m.job("start", c.unit); got != c.job {
			t.Errorf("%s: the job ended %q, not %q", c.unit, got, c.job)
		}
		st := m.show(c.unit)
		if st.Active != c.active || st.Sub != c.sub || st.Service.Result != c.result {
			t.Errorf("%s is %s (%s) with result %s, not %s (%s) %s", c.unit, st.Active, st.Sub, st.Service.Result, c.active, c.sub, c.result)
		}
		if st.Sub == "running" && !alive(st.Service.MainPID) {
			t.Errorf("%s has no living main process (%d)", c.unit, st.Service.MainPID)
		}
	}
	if got := m.show("notify.service").Service.StatusText; got != "ready" {
		t.Errorf("notify.service says %q", got)
	}
	m.logged("oneshot.service", "one\ntwo")
	if got := m.job("reload", "reload.service"); got != "done" {
		t.Errorf("the reload ended %q", got)
	}
	if got := m.show("reload.service").Service.StatusText; got != "again" {
		t.Errorf("reload.service says %q", got)
	}
	for _, u := range []string{"simple.service", "notify.service", "pidfile.service", "guess.service"} {
		pid := m.show(u).Service.MainPID
		if got := m.job("stop", u); got != "done" {
			t.Errorf("the stop of %s ended %q", u, got)
		}
		if alive(pid) {
			t.Errorf("%s: process %d is still there", u, pid)
		}
	}
}

func TestRestart(t *testing.T) {
	t.Parallel()
	m := boot(t, map[string]string{
		"limit.service":   "[Unit]\nStartLimitBurst=3\n[Service]\nRestart=on-failure\nRestartSec=10ms\nExecStart=/bin/sh -c 'echo run; exit 1'\n",
		"always.service":  "[Unit]\nStartLimitIntervalSec=0\n[Service]\nRestart=always\nRestartSec=10ms\nExecStart=/bin/sh -c 'echo run >> @DIR@/always; sleep 0.05'\n",
		"no.service":      "[Service]\nExecStart=/bin/sh -c 'sleep 0.05; exit 1'\n",
		"prevent.service": "[Service]\nRestart=always\nRestartPreventExitStatus=42\nExecStart=/bin/sh -c 'sleep 0.05; exit 42'\n",
		"abort.service":   "[Service]\nRestart=on-abort\nRestartSec=10ms\nExecStart=/bin/sh -c 'sleep 0.05; echo run; kill -ABRT $$$$'\n",
		"alarm.service":   "[Unit]\nOnFailure=helper.service\n[Service]\nExecStart=/bin/sh -c 'sleep 0.05; exit 1'\n",
		"helper.service":  "[Service]\nType=oneshot\nExecStart=/bin/touch @DIR@/helped\n",
		"dog.service":     "[Service]\nType=notify\nWatchdogSec=200ms\nExecStart=@SELF@ notify-helper READY=1 sleep=100ms WATCHDOG=1 sleep=1000s\n",
	})
	for _, u := range []string{"limit", "always", "no", "prevent", "abort", "alarm", "dog"} {
		m.do(request{Verb: "queue", A: "start", B: u + ".service"})
	}
	if st := m.until("limit.service", "failed"); strings.Count(m.log("limit.service"), "run") > 3 {
		t.Errorf("it ran more often than StartLimitBurst=3 (%d restarts):\n%s", st.Service.NRestarts, m.log("limit.service"))
	}
	m.until("no.service", "failed")
	m.until("prevent.service", "failed")
	if st := m.until("abort.service", "failed"); st.Service.NRestarts < 4 {
		t.Errorf("abort.service restarted %d times", st.Service.NRestarts)
	}
	if st := m.until("dog.service", "failed"); st.Service.Result != "watchdog" {
		t.Errorf("dog.service ended with %s", st.Service.Result)
	}
	m.until("alarm.service", "failed")
	for i := 0; ; i++ {
		if _, err := os.Stat(m.dir + "/helped"); err == nil {
			break
		}
		if i > 300 {
			t.Fatal("OnFailure= did not start")
		}
		time.Sleep(10 * time.Millisecond)
	}
	if b, _ := os.ReadFile(m.dir + "/always"); strings.Count(string(b), "run") < 3 {
		t.Errorf("always.service ran only:\n%s", b)
	}
	if got := m.job("stop", "always.service"); got != "done" {
		t.Errorf("the stop ended %q", got)
	}
	if st := m.show("always.service"); st.Active != us.Inactive {
		t.Errorf("always.service is %s after its stop", st.Active)
	}
	if a := m.do(request{Verb: "reset"}); a.Err != "" {
		t.Error(a.Err)
	}
	if st := m.show("limit.service"); st.Active != us.Inactive {
		t.Errorf("limit.service is %s after reset-failed", st.Active)
	}
}

// Stop always ends: deaf services, daemons that fork twice, and ones that
// fork without end.
func TestStop(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		"deaf.service":   "[Service]\nTimeoutStopSec=200ms\nExecStart=/bin/sh -c 'trap \"\" TERM; while :; do sleep 1; done'\n",
		"fork.service":   "[Service]\nType=oneshot\nRemainAfterExit=yes\nTimeoutStopSec=300ms\nExecStart=/bin/sh -c '(setsid sh -c \"trap \\\\\"\\\\\" TERM; sleep 1000 & sleep 1000\" &) ; sleep 0.1'\n",
		"bomb.service":   "[Service]\nTimeoutStopSec=200ms\nExecStart=/bin/sh -c 'trap \"\" TERM; while :; do setsid sleep 1000 & sleep 0.01; done'\n",
		"mixed.service":  "[Service]\nKillMode=mixed\nTimeoutStopSec=5s\nExecStart=/bin/sh -c 'sleep 1000 & trap \"echo bye; exit 0\" TERM; wait'\n",
		"stop.service":   "[Service]\nExecStart=/bin/sh -c 'sleep 1000 & wait'\nExecStop=/bin/sh -c 'echo stopping $MAINPID; kill -9 $MAINPID'\nSuccessExitStatus=SIGKILL\nExecStopPost=/bin/echo post $EXIT_CODE $EXIT_STATUS\n",
		"sigint.service": "[Service]\nKillSignal=SIGINT\nExecStart=/bin/sh -c 'trap \"echo interrupted; exit 0\" INT; while :; do sleep 0.05; done'\n",
	}
	for _, cgroups := range []bool{true, false} {
		dir, err := os.MkdirTemp("", "ugm")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.RemoveAll(dir) })
		units(t, dir, files)
		m := launch(t, options{Dir: dir, NoCgroups: !cgroups})
		m.do(request{Verb: "up"})
		for _, c := range []struct{ unit, result, log string }{
			{"deaf.service", "timeout", ""},
			{"fork.service", "timeout", ""},
			{"bomb.service", "", ""},
			{"mixed.service", "success", "bye"},
			{"stop.service", "success", "post killed KILL"},
			{"sigint.service", "success", "interrupted"},
		} {
			if got := m.job("start", c.unit); got != "done" {
				t.Fatalf("%s: start %q", c.unit, got)
			}
			time.Sleep(150 * time.Millisecond)
			before := m.do(request{Verb: "procs", A: c.unit}).Procs
			if len(before) == 0 {
				t.Errorf("%s has no processes (cgroups %v)", c.unit, cgroups)
			}
			start := time.Now()
			if got := m.job("stop", c.unit); got != "done" {
				t.Errorf("%s: stop %q", c.unit, got)
			}
			if d := time.Since(start); d > 3*time.Second {
				t.Errorf("%s: the stop took %s", c.unit, d)
			}
			for _, p := range before {
				if alive(p.PID) {
					t.Errorf("%s: process %d (%s) survived its stop (cgroups %v)", c.unit, p.PID, p.Command, cgroups)
				}
			}
			if after := m.do(request{Verb: "procs", A: c.unit}).Procs; len(after) > 0 {
				t.Errorf("%s: still has %v (cgroups %v)", c.unit, after, cgroups)
			}
			if st := m.show(c.unit); c.result != "" && st.Service.Result != c.result {
				t.Errorf("%s: result %s, not %s (cgroups %v)", c.unit, st.Service.Result, c.result, cgroups)
			}
			if c.log != "" {
				m.logged(c.unit, c.log)
			}
		}
	}
}

// FailureAction= and the exit targets end the manager with their status.
func TestExit(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, unit, start string
		code              int
	}{
		{"failure action", "[Unit]\nFailureAction=exit\n[Service]\nExecStart=/bin/sh -c 'sleep 0.05; exit 7'\n", "x.service", 7},
		{"own status", "[Unit]\nSuccessAction=exit\nSuccessActionExitStatus=9\n[Service]\nExecStart=/bin/sleep 0.05\n", "x.service", 9},
		{"exit.target", "[Service]\nExecStart=/bin/true\n", "exit.target", 0},
	} {
		m := boot(t, map[string]string{"x.service": c.unit, "wants:y.service": "[Service]\nExecStart=/bin/sleep 1000\n"})
		pid := m.show("y.service").Service.MainPID
		m.do(request{Verb: "queue", A: "start", B: c.start})
		select {
		case <-m.done:
		case <-time.After(10 * time.Second):
			t.Fatalf("%s: the manager goes on", c.name)
		}
		if got := m.cmd.ProcessState.ExitCode(); got != c.code {
			t.Errorf("%s: exit code %d, not %d", c.name, got, c.code)
		}
		if alive(pid) {
			t.Errorf("%s: process %d is left", c.name, pid)
		}
	}
}

func TestOrderAndDependencies(t *testing.T) {
	t.Parallel()
	say := func(n, deps string) string {
		return "[Unit]\n" + deps + "\n[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/sh -c 'sleep 0.05; echo up-" + n + " >> @DIR@/order'\nExecStop=/bin/sh -c 'echo down-" + n + " >> @DIR@/order'\n"
	}
	m := boot(t, map[string]string{
		"wants:a.service": say("a", "Requires=b.service\nAfter=b.service"),
		"b.service":       say("b", "Wants=c.service\nAfter=c.service"),
		"c.service":       say("c", ""),
		"x.service":       say("x", "Requires=broken.service\nAfter=broken.service"),
		"broken.service":  "[Service]\nType=oneshot\nExecStart=/bin/false\n",
		"bound.service":   "[Unit]\nBindsTo=short.service\nAfter=short.service\n[Service]\nExecStart=/bin/sleep 1000\n",
		"short.service":   "[Service]\nExecStart=/bin/sleep 0.3\n",
		"tpl@.service":    "[Service]\nType=oneshot\nExecStart=/bin/echo instance %i\n",
	})
	if got := m.job("start", "x.service"); got != "dependency" {
		t.Errorf("the start of x.service ended %q", got)
	}
	if got := m.job("start", "bound.service"); got != "done" {
		t.Errorf("bound.service: %q", got)
	}
	m.until("bound.service", "dead")
	if got := m.job("start", "tpl@one.service"); got != "done" {
		t.Errorf("tpl@one.service: %q", got)
	}
	m.logged("tpl@one.service", "instance one")
	if got := m.job("stop", "c.service"); got != "done" {
		t.Error(got)
	}
	if st := m.show("a.service"); st.Active != us.Active {
		t.Errorf("a.service went down with what is only wanted: %s", st.Active)
	}
	if got := m.job("restart", "b.service"); got != "done" {
		t.Error(got)
	}
	m.until("a.service", "exited")
	m.do(request{Verb: "exit"})
	<-m.done
	b, _ := os.ReadFile(m.dir + "/order")
	want := "up-c up-b up-a down-c down-a down-b up-c up-b up-a down-a down-b down-c"
	if got := strings.Join(strings.Fields(string(b)), " "); got != want {
		t.Errorf("order\n%s\nwant\n%s", got, want)
	}
	if m.cmd.ProcessState.ExitCode() != 0 {
		t.Errorf("exit code %d", m.cmd.ProcessState.ExitCode())
	}
}

// OnFailure= and OnSuccess= tell the units that they start what has ended.
func TestMonitorVariables(t *testing.T) {
	t.Parallel()
	m := boot(t, map[string]string{
		"bad.service":  "[Unit]\nOnFailure=told.service\n[Service]\nType=oneshot\nExecStart=/bin/sh -c 'exit 3'\n",
		"told.service": "[Service]\nType=oneshot\nExecStart=/bin/sh -c 'echo $MONITOR_UNIT $MONITOR_SERVICE_RESULT $MONITOR_EXIT_CODE $MONITOR_EXIT_STATUS $${#MONITOR_INVOCATION_ID}'\n",
	})
	if got := m.job("start", "bad.service"); got != "failed" {
		t.Errorf("the start ended %q", got)
	}
	m.logged("told.service", "bad.service exit-code exited 3 32")
}

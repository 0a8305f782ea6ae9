//go:build linux

package manager

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	us "github.com/unitgen/unitgen/runtime/unitstate"
	"github.com/unitgen/unitgen/schema/load"
	"github.com/unitgen/unitgen/schema/specifier"
)

// fake is a machine without processes: time goes on and processes die when the
// test says so.
type fake struct {
	t     *testing.T
	m     *Manager
	usec  uint64
	next  int
	procs map[int]*process
	dead  map[int]syscall.WaitStatus
	kills []string
	ran   []string
	fail  map[string]bool // programs that cannot be started
}

func (f *fake) Now() us.Stamp { return us.Stamp{Realtime: 1e15 + f.usec, Monotonic: f.usec} }
func (f *fake) Begin()        {}
func (f *fake) End()          {}
func (f *fake) Spawn(p *process, s *spawnRequest) {
	s.close()
	f.ran = append(f.ran, strings.Join(s.cmd.argv, " "))
	if f.fail[s.cmd.path] {
		f.m.post(func() { f.m.spawned(p, 0, step(203, "EXEC", os.ErrNotExist)) })
		return
	}
	f.next++
	pid := f.next
	f.procs[pid] = p
	f.m.post(func() { f.m.spawned(p, pid, nil) })
}

func (f *fake) Kill(pid int, sig syscall.Signal) error {
	p := f.procs[pid]
	if p == nil {
		return syscall.ESRCH
	}
	f.kills = append(f.kills, sig.String())
	if sig == syscall.SIGKILL || sig == syscall.SIGTERM && !strings.Contains(strings.Join(p.rec.Argv, " "), "deaf") {
		f.die(pid, syscall.WaitStatus(sig))
	}
	return nil
}

func (f *fake) die(pid int, w syscall.WaitStatus) {
	f.dead[pid] = w
	delete(f.procs, pid)
	f.m.post(func() { f.m.childDied(pid) })
}

func (f *fake) Reap(pid int) (syscall.WaitStatus, bool) {
	w, ok := f.dead[pid]
	delete(f.dead, pid)
	return w, ok
}
func (f *fake) NextDead() int                { return 0 }
func (f *fake) Reaped()                      {}
func (f *fake) Children() []int              { return nil }
func (f *fake) ChildrenOf(int) []int         { return nil }
func (f *fake) Session(int) int              { return 0 }
func (f *fake) Environ(int, string) string   { return "" }
func (f *fake) Holds(int) (string, []string) { return "", nil }
func (f *fake) Alive(pid int) bool           { return f.procs[pid] != nil }
func (f *fake) Watch(int, func()) error      { return nil }
func (f *fake) Rearm(int)                    {}
func (f *fake) Unwatch(int)                  {}
func (f *fake) Output(*unit) error           { return nil }
func (f *fake) Drain(string)                 {}

// run works until nothing is left to do now.
func (f *fake) run() {
	for range 10000 {
		if f.m.receive() {
			continue
		}
		if len(f.m.timers) > 0 && f.m.timers[0].at <= f.usec {
			f.m.dispatch(f.m.runTimers)
			continue
		}
		return
	}
	f.t.Fatal("it never comes to rest")
}

// pass lets time go by, timer after timer.
func (f *fake) pass(d time.Duration) {
	end := f.usec + uint64(d/time.Microsecond)
	for {
		f.run()
		if len(f.m.timers) == 0 || f.m.timers[0].at > end {
			break
		}
		f.usec = f.m.timers[0].at
	}
	f.usec = end
	f.run()
}

func newFake(t *testing.T, files map[string]string) *fake {
	t.Helper()
	dir := t.TempDir()
	for n, text := range files {
		if err := os.WriteFile(filepath.Join(dir, n), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	f := &fake{t: t, usec: 1e6, next: 100, procs: map[int]*process{}, dead: map[int]syscall.WaitStatus{}, fail: map[string]bool{}}
	facts := specifier.System()
	facts.RuntimeDir = dir + "/r"
	m, err := New(Options{RuntimeDir: dir + "/r", StateDir: dir + "/s", UnitPath: []string{dir}, Facts: facts, Edge: f})
	if err != nil {
		t.Fatal(err)
	}
	f.m = m
	m.target = "basic.target"
	m.dispatch(func() { m.boot("basic.target") })
	f.run()
	return f
}

func (f *fake) job(t us.JobType, name string) {
	f.t.Helper()
	f.m.dispatch(func() {
		u, err := f.m.load(name)
		if err == nil {
			_, _, err = f.m.enqueue(t, u, us.Replace)
		}
		if err != nil {
			f.t.Error(err)
		}
	})
	f.run()
}

func (f *fake) is(name, want string) {
	f.t.Helper()
	u := f.m.unit(name)
	got := string(u.sub)
	if s, ok := u.kind.(*service); ok {
		got += " " + s.result
	}
	if got != want {
		f.t.Errorf("%s is %q, not %q (ran %q, kills %q)", name, got, want, f.ran, f.kills)
	}
}

func (f *fake) exit(name string, status int) {
	s := f.m.unit(name).kind.(*service)
	p := s.main
	if !p.alive() {
		p = s.control
	}
	f.die(p.pid, syscall.WaitStatus(status<<8))
	f.run()
}

// The way of a service through its states, with commands of every kind.
func TestServiceMachine(t *testing.T) {
	t.Parallel()
	f := newFake(t, map[string]string{
		"full.service": "[Service]\nExecCondition=/c\nExecStartPre=/p1\nExecStartPre=-/p2\nExecStart=/main\nExecStartPost=/post\nExecReload=/reload\nExecStop=/stop\nExecStopPost=/stoppost\n",
		"deaf.service": "[Service]\nTimeoutStopSec=5s\nExecStart=/deaf\n",
		"back.service": "[Service]\nRestart=on-failure\nRestartSec=2s\nRestartSteps=2\nRestartMaxDelaySec=8s\nExecStart=/main\n[Unit]\nStartLimitBurst=4\nStartLimitIntervalSec=1h\n",
		"life.service": "[Service]\nRuntimeMaxSec=10s\nExecStart=/main\n",
		"gone.service": "[Service]\nExecStart=/missing\n",
	})
	f.job(us.Start, "full.service")
	for _, s := range []string{"condition", "start-pre", "start-pre"} {
		f.is("full.service", s+" success")
		f.exit("full.service", map[bool]int{true: 1, false: 0}[f.ran[len(f.ran)-1] == "/p2"])
	}
	f.is("full.service", "start-post success")
	f.die(f.m.unit("full.service").kind.(*service).control.pid, 0)
	f.run()
	f.is("full.service", "running success")
	f.job(us.Reload, "full.service")
	f.is("full.service", "reload success")
	f.die(f.m.unit("full.service").kind.(*service).control.pid, 0)
	f.run()
	f.is("full.service", "running success")
	f.job(us.Stop, "full.service")
	f.is("full.service", "stop success")
	f.die(f.m.unit("full.service").kind.(*service).control.pid, 0)
	f.run()
	f.is("full.service", "stop-post success")
	f.exit("full.service", 0)
	f.is("full.service", "dead success")
	if want := []string{"/c", "/p1", "/p2", "/main", "/post", "/reload", "/stop", "/stoppost"}; !slices.Equal(f.ran, want) {
		t.Errorf("ran %q", f.ran)
	}

	f.kills = nil
	f.job(us.Start, "deaf.service")
	f.job(us.Stop, "deaf.service")
	f.is("deaf.service", "stop-sigterm success")
	f.pass(4 * time.Second)
	f.is("deaf.service", "stop-sigterm success")
	f.pass(2 * time.Second)
	f.is("deaf.service", "failed timeout")
	if want := []string{"terminated", "killed"}; !slices.Equal(f.kills, want) {
		t.Errorf("kills %q", f.kills)
	}

	f.job(us.Start, "back.service")
	for _, delay := range []time.Duration{2 * time.Second, 4 * time.Second, 8 * time.Second} {
		f.exit("back.service", 1)
		f.is("back.service", "auto-restart exit-code")
		f.pass(delay - time.Millisecond)
		f.is("back.service", "auto-restart exit-code")
		f.pass(2 * time.Millisecond)
		f.is("back.service", "running success")
	}
	f.exit("back.service", 1)
	f.pass(time.Minute)
	f.is("back.service", "failed exit-code")
	if !f.m.unit("back.service").startHit {
		t.Error("the start limit was not hit")
	}

	f.job(us.Start, "life.service")
	f.pass(9 * time.Second)
	f.is("life.service", "running success")
	f.pass(2 * time.Second)
	f.is("life.service", "failed timeout")

	f.fail["/missing"] = true
	f.job(us.Start, "gone.service")
	f.is("gone.service", "failed exit-code")
}

// Every Restart= with every way to end, as the table of systemd.service(5)
// has it.
func TestRestartTable(t *testing.T) {
	t.Parallel()
	results := []string{"success", "exit-code", "signal", "core-dump", "timeout", "watchdog", "exec-condition"}
	for restart, want := range map[string]string{
		"no":          ".......",
		"always":      "RRRRRR.",
		"on-success":  "R......",
		"on-failure":  ".RRRRR.",
		"on-abnormal": "..RRRR.",
		"on-abort":    "..RR...",
		"on-watchdog": ".....R.",
	} {
		got := ""
		for _, r := range results {
			c := &serviceConfig{restart: restart, noRestart: newStatusSet(nil), doRestart: newStatusSet(nil)}
			if c.wantsRestart(r, waitResult{cldExited, 1}, true) {
				got += "R"
			} else {
				got += "."
			}
		}
		if got != want {
			t.Errorf("Restart=%s: %s, not %s", restart, got, want)
		}
	}
	c := &serviceConfig{restart: "no", noRestart: newStatusSet(nil), doRestart: newStatusSet([]string{"3 SIGUSR1"})}
	if !c.wantsRestart("exit-code", waitResult{cldExited, 3}, true) || !c.wantsRestart("signal", waitResult{cldKilled, int(syscall.SIGUSR1)}, true) {
		t.Error("RestartForceExitStatus= is not heeded")
	}
	if d := (&serviceConfig{restartSec: time.Second, restartMax: load.Infinity}).delay(7); d != time.Second {
		t.Error(d)
	}
}

func TestExpandArgv(t *testing.T) {
	t.Parallel()
	env := []string{"A=one", "B=two words", "E="}
	for _, c := range []struct{ in, want string }{
		{"$A", "one"}, {"$B", "two|words"}, {"${B}", "two words"}, {"x${A}y", "xoney"}, {"x$A", "x$A"},
		{"$$A", "$A"}, {"$E", ""}, {"${E}", "|"}, {"${unset}", "|"}, {"$unset", ""}, {"${bad-name}", "${bad-name}"}, {"$", "$"},
	} {
		got := expandArgv([]string{"prog", c.in}, env)[1:]
		want := strings.Split(c.want, "|")
		if c.want == "" {
			want = nil
		} else if c.want == "|" {
			want = []string{""}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q gives %q, not %q", c.in, got, want)
		}
	}
}

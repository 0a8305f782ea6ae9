package manager

import (
	"slices"
	"strings"
	"syscall"
	"time"

	us "github.com/unitgen/unitgen/runtime/unitstate"
)

// Edge is where the manager meets the machine. The state machines know only
// this; tests put a fake in its place.
type Edge interface {
	Now() us.Stamp
	// Begin starts and End stops what the edge runs beside the loop.
	Begin()
	End()
	// Spawn starts a process; Manager.spawned is posted when it is there or
	// could not be started.
	Spawn(p *process, s *spawnRequest)
	Kill(pid int, sig syscall.Signal) error
	// Reap collects a dead child; ok is false while it is alive.
	Reap(pid int) (w syscall.WaitStatus, ok bool)
	// NextDead gives a further dead child, 0 where there is none.
	NextDead() int
	// Reaped lets the edge wait for the next dead child.
	Reaped()
	// Children gives the direct children of the manager.
	Children() []int
	// ChildrenOf gives the direct children of a process.
	ChildrenOf(pid int) []int
	// Session gives the session of a process.
	Session(pid int) int
	// Environ gives one variable of a process's initial environment.
	Environ(pid int, name string) string
	// Holds gives the program that a process runs and the files it has open.
	Holds(pid int) (program string, files []string)
	// Alive reports whether a process exists and is no zombie.
	Alive(pid int) bool
	// Watch calls f in the loop when fd is readable, once until Rearm.
	Watch(fd int, f func()) error
	Rearm(fd int)
	Unwatch(fd int)
	// Output opens the place where a unit's output goes.
	Output(u *unit) error
	// Drain brings the unit's log up to its end.
	Drain(unit string)
}

// process is one process that the manager started or took over.
type process struct {
	m       *Manager
	u       *unit
	pid     int // 0 until it is started
	rec     us.Exec
	pending []syscall.Signal
	started func(error)        // it runs, or could not be started
	execed  func(error)        // the program itself runs, where that comes later
	exited  func(w waitResult) // it ended
	adopted bool               // not our child: watched by pidfd
	pidfd   int
	start   uint64 // start time in the kernel's words, to know it again
	ended   bool
	control bool
}

// waitResult is how a process ended, in the words of waitid(2).
type waitResult struct {
	code   int // 1 exited, 2 killed, 3 dumped
	status int // exit status, or signal
}

const (
	cldExited = 1
	cldKilled = 2
	cldDumped = 3
)

func resultOf(w syscall.WaitStatus) waitResult {
	switch {
	case w.Exited():
		return waitResult{cldExited, w.ExitStatus()}
	case w.Signaled() && w.CoreDump():
		return waitResult{cldDumped, int(w.Signal())}
	default:
		return waitResult{cldKilled, int(w.Signal())}
	}
}

// alive reports whether the process has been asked for and has not ended.
func (p *process) alive() bool { return p != nil && !p.ended }

// kill signals the process, later if it is not there yet.
func (p *process) kill(sig syscall.Signal) bool {
	if !p.alive() {
		return false
	}
	if p.pid == 0 {
		p.pending = append(p.pending, sig)
		return true
	}
	return p.m.edge.Kill(p.pid, sig) == nil
}

// spawn starts a process for a unit.
func (m *Manager) spawn(u *unit, s *spawnRequest, p *process) {
	p.m, p.u, p.pidfd = m, u, -1
	p.rec.Start = m.now()
	m.inflight++
	m.edge.Spawn(p, s)
}

// spawned is posted by the edge.
func (m *Manager) spawned(p *process, pid int, err error) {
	m.inflight--
	if err == nil {
		p.pid = pid
		p.rec.PID = pid
		m.procs[pid] = p
		m.touched(p.u)
		m.saver.touch(p.u)
		for _, s := range p.pending {
			_ = m.edge.Kill(pid, s)
		}
		p.pending = nil
	} else {
		p.ended = true
	}
	if p.started != nil {
		p.started(err)
	}
	for pid, again := range m.strange {
		if m.procs[pid] != nil || m.inflight == 0 {
			delete(m.strange, pid)
			again()
		}
	}
	early := m.early
	m.early = nil
	for _, again := range early {
		again()
	}
}

// childDied is posted by the edge for a dead child that waits to be reaped.
// Whoever else has died by now is reaped too, before anybody is told: they are
// one event.
func (m *Manager) childDied(pid int) {
	type death struct {
		p       *process
		pid     int
		session int
		w       waitResult
	}
	var dead []death
	held := false
	for ; pid != 0; pid = m.edge.NextDead() {
		p := m.procs[pid]
		if p == nil && m.inflight > 0 {
			held = true // whose it is will be known when the start is reported
			break
		}
		d := death{p: p, pid: pid}
		if p == nil {
			d.session = m.edge.Session(pid)
		}
		w, ok := m.edge.Reap(pid)
		if !ok {
			break
		}
		d.w = resultOf(w)
		if p != nil {
			delete(m.procs, pid)
			p.ended = true
		}
		dead = append(dead, d)
	}
	m.epoch++
	// a main process that died with its helper is dealt with first: what comes
	// after the helper wants to know how the main process ended
	slices.SortStableFunc(dead, func(a, b death) int {
		rank := func(d death) int {
			switch {
			case d.p == nil:
				return 2
			case d.p.control:
				return 1
			}
			return 0
		}
		return rank(a) - rank(b)
	})
	for _, d := range dead {
		if d.p != nil {
			m.processEnded(d.p, d.w)
			continue
		}
		u := m.orphans[d.pid]
		delete(m.orphans, d.pid)
		if u == nil && d.session != 0 {
			u = m.leaders[d.session]
		}
		m.lookForEmpty(u)
	}
	if held {
		m.strange[pid] = func() { m.childDied(pid) }
		return
	}
	m.edge.Reaped()
}

// processEnded tells the owner of a process that it ended.
func (m *Manager) processEnded(p *process, w waitResult) {
	delete(m.procs, p.pid)
	if len(m.leaders) > 4096 {
		for s, u := range m.leaders {
			if u.active().IsInactiveOrFailed() {
				delete(m.leaders, s)
			}
		}
	}
	m.leaders[p.pid] = p.u
	p.ended = true
	p.rec.Exit, p.rec.Code, p.rec.Status = m.now(), w.code, w.status
	m.touched(p.u)
	m.saver.touch(p.u)
	if p.exited != nil {
		p.exited(w)
	}
}

// groupWatcher is a unit type that cares when its last process is gone.
type groupWatcher interface{ groupEmpty() }

// lookForEmpty tells units that wait for it that none of their processes is
// left; u is the unit whose process just ended, where that is known.
func (m *Manager) lookForEmpty(u *unit) {
	check := func(u *unit) {
		if w, ok := u.kind.(groupWatcher); ok && len(u.processes()) == 0 {
			delete(m.waiting, u)
			w.groupEmpty()
		}
	}
	if u != nil {
		if m.waiting[u] {
			check(u)
		}
		return
	}
	for u := range m.waiting {
		check(u)
	}
}

// wait registers a unit for groupEmpty. The end of our own descendants is
// reported to us; that of processes which were taken over, or which have a
// reaper of their own, has to be looked for.
func (m *Manager) wait(u *unit) {
	m.waiting[u] = true
	if m.poll == nil && (u.foreign || u.group.dir != "") {
		m.poll = m.after(50*time.Millisecond, m.pollEmpty)
	}
}

func (m *Manager) pollEmpty() {
	m.poll = nil
	again, hurry := false, false
	for u := range m.waiting {
		if !u.foreign && u.group.dir == "" {
			continue
		}
		m.lookForEmpty(u)
		if m.waiting[u] {
			again = true
			hurry = hurry || u.active() == us.Deactivating
		}
	}
	if m.poll != nil || !again {
		return
	}
	d := 2 * time.Second
	if hurry {
		d = 100 * time.Millisecond
	}
	m.poll = m.after(d, m.pollEmpty)
}

// processes gives the processes of a unit that live, the main and control
// processes among them.
func (u *unit) processes() []int {
	m := u.m
	seen := map[int]bool{}
	var out []int
	add := func(pid int) bool {
		if pid <= 0 || seen[pid] {
			return false
		}
		seen[pid] = true
		out = append(out, pid)
		return true
	}
	if pids, ok := u.group.processes(); ok {
		for _, p := range pids {
			add(p)
		}
		return out
	}
	var roots []int
	if o, ok := u.kind.(interface{ ownProcesses() []*process }); ok {
		for _, p := range o.ownProcesses() {
			if p.alive() && p.pid > 0 {
				roots = append(roots, p.pid)
			}
		}
	}
	roots = append(roots, m.orphansOf(u)...)
	if k, ok := m.edge.(*kernel); ok && u.foreign {
		roots = append(roots, k.byInvocation(u.invocation.String())...)
	}
	for len(roots) > 0 {
		pid := roots[0]
		roots = roots[1:]
		if add(pid) {
			roots = append(roots, m.edge.ChildrenOf(pid)...)
		}
	}
	return out
}

// orphansOf gives the processes of a unit whose parents are gone: the kernel
// gave them to us, as the reaper of our descendants.
func (m *Manager) orphansOf(u *unit) []int {
	var out []int
	for _, pid := range m.edge.Children() {
		if m.procs[pid] != nil {
			continue
		}
		o, known := m.orphans[pid]
		if !known {
			o = m.attribute(pid)
			m.orphans[pid] = o
		}
		if o == u && m.edge.Alive(pid) {
			out = append(out, pid)
		}
	}
	return out
}

// attribute finds the unit of a process that left its parent: by its session,
// by the invocation id in its environment, by the unit's output it still holds
// open, and at last, for a daemon that has given all that up, by its program,
// where one unit alone runs that.
func (m *Manager) attribute(pid int) *unit {
	if s := m.edge.Session(pid); s != 0 {
		if p := m.procs[s]; p != nil {
			return p.u
		}
		if u := m.leaders[s]; u != nil {
			return u
		}
	}
	if id := m.edge.Environ(pid, "INVOCATION_ID"); id != "" {
		for _, u := range m.units {
			if !u.invocation.IsZero() && u.invocation.String() == id {
				return u
			}
		}
	}
	program, files := m.edge.Holds(pid)
	for _, f := range files {
		if name, ok := strings.CutPrefix(f, m.fifoPath("")+"/"); ok {
			if u := m.units[name]; u != nil {
				return u
			}
		}
	}
	var only *unit
	for _, u := range m.units {
		s, ok := u.kind.(*service)
		if !ok || u.active().IsInactiveOrFailed() || s.c.typ != "forking" || program == "" || s.program() != program {
			continue
		}
		if only != nil {
			return nil
		}
		only = u
	}
	return only
}

// strays gives the processes that were given to us and belong to no unit that
// could be found.
func (m *Manager) strays() []int {
	var out []int
	for _, pid := range m.edge.Children() {
		if m.procs[pid] == nil && m.orphans[pid] == nil && !contains2(m.keep, pid) && m.edge.Alive(pid) {
			out = append(out, pid)
		}
	}
	return out
}

// killMode carries out KillMode= for a unit whose main and control processes
// are given, and reports whether something was signalled whose end is worth
// waiting for.
func (u *unit) killMode(mode string, sig syscall.Signal, final, hup bool, main, control *process) bool {
	if mode == "none" {
		return false
	}
	hit := false
	send := func(p *process) {
		if p.kill(sig) {
			hit = true
			if hup && sig != syscall.SIGHUP && sig != syscall.SIGKILL {
				p.kill(syscall.SIGHUP)
			}
		}
	}
	send(main)
	send(control)
	all := mode == "control-group" || mode == "mixed" && final
	if !all {
		return hit
	}
	for round := 0; round < 8; round++ {
		n := 0
		if round > 0 {
			u.m.epoch++
		}
		for _, pid := range u.processes() {
			if main != nil && pid == main.pid || control != nil && pid == control.pid {
				continue
			}
			if u.m.edge.Kill(pid, sig) == nil {
				hit = true
				n++
				if hup && sig != syscall.SIGHUP && sig != syscall.SIGKILL {
					_ = u.m.edge.Kill(pid, syscall.SIGHUP)
				}
			}
		}
		// a SIGKILL may race with a fork; look again until nothing is found
		if n == 0 || sig != syscall.SIGKILL || !u.group.killAll() && round > 2 {
			break
		}
	}
	return hit
}

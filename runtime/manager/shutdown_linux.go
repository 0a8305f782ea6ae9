package manager

import (
	"fmt"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/unitgen/unitgen/runtime/transaction"
	us "github.com/unitgen/unitgen/runtime/unitstate"
)

// ShutdownDeadline is how long everything may take to stop before what is left
// is killed; a second request shortens it to nothing.
const ShutdownDeadline = 90 * time.Second

// shutdown is the end of a manager: all units stop in reverse order, what does
// not is killed at the deadline, so it always ends.
type shutdown struct {
	kind     us.ShutdownKind
	complete bool
	internal bool // jobs of the shutdown itself are being queued
	deadline *alarm
	killing  bool
	last     *alarm
}

// beginShutdown starts to stop everything; asked again, it kills.
func (m *Manager) beginShutdown(kind us.ShutdownKind, code int) {
	if m.down != nil {
		m.down.hurry(m)
		return
	}
	if code != 0 {
		m.exitCode = code
	}
	m.stopping = m.now()
	m.down = &shutdown{kind: kind}
	m.booting = false
	d := m.down
	d.deadline = m.after(ShutdownDeadline, func() {
		m.notice("", "not everything stopped within %s; killing the rest", ShutdownDeadline)
		d.hurry(m)
	})
	d.internal = true
	m.nested++
	for _, j := range m.jobs {
		if j.typ != us.Stop {
			m.finish(j, us.JobCanceled, false)
		}
	}
	for _, u := range m.sorted() {
		m.cancelRestart(u)
		if u.active().IsInactiveOrFailed() || u.node.Perpetual {
			continue
		}
		if u.job != nil && u.job.typ == us.Stop {
			continue
		}
		m.install(u, us.Stop, true, false)
	}
	m.nested--
	d.internal = false
	m.breakCycles()
}

// cancelRestart ends the wait of a service that is about to start again.
func (m *Manager) cancelRestart(u *unit) {
	if s, ok := u.kind.(*service); ok && s.state == "auto-restart" {
		s.forbidRestart = true
		m.cancel(s.timer)
		s.set("dead")
	}
}

// breakCycles lets go of the order where stop jobs wait for each other in a
// circle: a shutdown must not stand still.
func (m *Manager) breakCycles() {
	const white, grey, black = 0, 1, 2
	color := map[*unit]int{}
	var visit func(u *unit)
	visit = func(u *unit) {
		color[u] = grey
		for _, d := range u.node.Deps(transaction.Before) {
			o := m.units[d.Name]
			if o == nil || o.job == nil {
				continue
			}
			// u stops after o when u is before o
			switch color[o] {
			case white:
				visit(o)
			case grey:
				u.job.ignoreOrder = true
				u.job.mirror()
			}
		}
		color[u] = black
	}
	for _, u := range m.sorted() {
		if u.job != nil && color[u] == white {
			visit(u)
		}
	}
}

// hurry kills everything that is left.
func (d *shutdown) hurry(m *Manager) {
	m.cancel(d.deadline)
	d.killing = true
	for _, u := range m.sorted() {
		if u.active().IsInactiveOrFailed() {
			continue
		}
		if u.job != nil {
			u.job.ignoreOrder = true
			u.job.mirror()
			m.wake(u.job)
		}
		var main, control *process
		if o, ok := u.kind.(interface{ ownProcesses() []*process }); ok {
			for _, p := range o.ownProcesses() {
				if p.alive() {
					if main == nil {
						main = p
					} else {
						control = p
					}
				}
			}
		}
		u.group.killAll()
		u.killMode("control-group", unix.SIGKILL, true, false, main, control)
	}
	// even a process that cannot be killed must not hold us for ever
	if d.last == nil {
		d.last = m.after(10*time.Second, func() {
			m.notice("", "some processes survive SIGKILL; leaving them behind")
			d.complete = true
		})
	}
}

// advance looks whether everything is down.
func (d *shutdown) advance(m *Manager) {
	if d.complete || len(m.jobs) > 0 || m.inflight > 0 {
		return
	}
	for _, u := range m.units {
		if u.typ == "device" || u.typ == "automount" || u.node.Perpetual {
			continue
		}
		if !u.active().IsInactiveOrFailed() && u.job == nil {
			if u.active() == us.Deactivating || u.active() == us.Activating {
				return
			}
			d.internal = true
			m.install(u, us.Stop, true, false)
			d.internal = false
			return
		}
	}
	m.cancel(d.deadline)
	d.complete = true
	m.killStrays()
	m.fsRoot.end()
}

// killStrays ends what is left of our descendants: processes that no unit
// owns, or that KillMode= left behind – but those only under PID 1, where
// nothing survives; an ordinary manager leaves what it was told to leave.
func (m *Manager) killStrays() {
	if m.opt.Edge != nil {
		return
	}
	for round := range 20 {
		m.epoch++
		left := 0
		for _, pid := range m.edge.Children() {
			if u := m.orphans[pid]; contains2(m.keep, pid) || !m.opt.PID1 && u != nil && (u.file.String("KillMode") == "none" || u.file.String("KillMode") == "process") {
				continue
			}
			left++
			_ = m.edge.Kill(pid, unix.SIGKILL)
			_, _ = m.edge.Reap(pid)
		}
		if left == 0 {
			return
		}
		// the children of those that were killed are given to us next
		time.Sleep(time.Duration(round+1) * time.Millisecond)
	}
}

// emergency carries out an action of a unit: exit, reboot and so on
// (systemd.unit(5), FailureAction=).
func (m *Manager) emergency(u *unit, action, codeKey string, otherwise int) {
	code := otherwise
	if codeKey != "" {
		if s := u.file.String(codeKey); s != "" {
			code = atoi(s, otherwise)
		}
	}
	kind := us.ShutdownExit
	switch action {
	case "reboot", "reboot-force", "reboot-immediate", "soft-reboot":
		kind = us.ShutdownReboot
	case "poweroff", "poweroff-force", "poweroff-immediate":
		kind = us.ShutdownPowerOff
	case "halt", "halt-force":
		kind = us.ShutdownHalt
	}
	u.notice("%s asks for %s.", u.name(), action)
	m.post(func() { m.beginShutdown(kind, code) })
}

// How a manager ended, for the caller of Run.
func (m *Manager) shutdownKind() us.ShutdownKind {
	if m.down == nil {
		return us.ShutdownExit
	}
	return m.down.kind
}

// Ended gives the way in which Run came to its end, and whether any unit is
// left failed.
func (m *Manager) Ended() (kind us.ShutdownKind, failed []string) {
	<-m.ended
	for _, u := range m.sorted() {
		if u.active() == us.Failed {
			failed = append(failed, u.name())
		}
	}
	return m.shutdownKind(), failed
}

func itoa(n int) string { return strconv.Itoa(n) }

// SystemdVersion is the systemd release whose behaviour and D-Bus interface
// the manager follows.
const SystemdVersion = 252

func versionString(v string) string {
	return fmt.Sprintf("%d (unitgen %s)", SystemdVersion, v)
}

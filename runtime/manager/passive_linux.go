package manager

import (
	us "github.com/unitgen/unitgen/runtime/unitstate"
)

// passive is a unit without anything to do: a target, or a slice.
type passive struct{ u *unit }

func (p *passive) configure() {}

// coldplug makes the slices active that are there by nature.
func (p *passive) coldplug() { p.u.setState(us.Active, "active") }

func (p *passive) start() error {
	p.u.group.enterSlice(p.u)
	p.u.setState(us.Active, "active")
	return nil
}

func (p *passive) stop() error {
	p.u.setState(us.Inactive, "dead")
	return nil
}

func (p *passive) reload() error {
	p.u.setState(us.Reloading, "active")
	p.u.setState(us.Active, "active")
	return nil
}

func (p *passive) resetFailed() {
	if p.u.active() == us.Failed {
		p.u.setState(us.Inactive, "dead")
	}
}
func (p *passive) status(*us.Status) {}

// unsupported is a unit type that this manager does not have: automount, which
// would need its own end of the kernel's autofs.
type unsupported struct{ u *unit }

func (p *unsupported) configure()    {}
func (p *unsupported) coldplug()     {}
func (p *unsupported) start() error  { return errUnsupported }
func (p *unsupported) stop() error   { return errAlready }
func (p *unsupported) reload() error { return errInapplic }
func (p *unsupported) resetFailed() {
	if p.u.active() == us.Failed {
		p.u.setState(us.Inactive, "dead")
	}
}

func (p *unsupported) status(st *us.Status) {
	st.Automount = &us.Automount{Where: p.u.file.String("Where"), Result: "success"}
}

// scope groups processes that others have started.
type scope struct {
	u      *unit
	result string
	pids   []int
	timer  *alarm
}

func newScope(u *unit) *scope { return &scope{u: u, result: "success"} }

func (s *scope) configure() {}

// coldplug: init.scope holds the manager itself.
func (s *scope) coldplug() { s.u.setState(us.Active, "running") }

func (s *scope) start() error {
	if len(s.pids) == 0 {
		return us.Errorf(us.ErrInvalidArgs, "%s has no processes; a scope is made by those who start them.", s.u.name())
	}
	for _, pid := range s.pids {
		if !s.u.m.edge.Alive(pid) {
			continue
		}
		s.u.group.attach(s.u, pid)
		s.u.m.orphans[pid] = s.u
		p := &process{m: s.u.m, u: s.u, pid: pid, pidfd: -1}
		p.exited = func(waitResult) { s.groupEmpty() }
		s.u.m.procs[pid] = p
		s.u.m.watchForeign(p)
	}
	s.u.foreign = true
	s.u.setState(us.Active, "running")
	s.u.m.wait(s.u)
	return nil
}

func (s *scope) ownProcesses() []*process {
	var out []*process
	for _, pid := range s.pids {
		if p := s.u.m.procs[pid]; p != nil && p.u == s.u {
			out = append(out, p)
		}
	}
	return out
}

func (s *scope) stop() error {
	k := newKillConfig(s.u.file)
	if s.u.killMode(k.mode, k.signal, false, k.sendSIGHUP, nil, nil) {
		s.u.setState(us.Deactivating, "stop-sigterm")
		s.timer = s.u.m.after(span(s.u.file, "TimeoutStopSec", defaultTimeout, true), func() {
			s.u.killMode(k.mode, k.final, true, false, nil, nil)
			s.u.setState(us.Deactivating, "stop-sigkill")
		})
		s.u.m.wait(s.u)
		return nil
	}
	s.u.setState(us.Inactive, "dead")
	return nil
}

func (s *scope) groupEmpty() {
	if len(s.u.processes()) > 0 {
		s.u.m.wait(s.u)
		return
	}
	s.u.m.cancel(s.timer)
	s.u.setState(us.Inactive, "dead")
}

func (s *scope) reload() error { return errInapplic }
func (s *scope) resetFailed() {
	if s.u.active() == us.Failed {
		s.u.setState(us.Inactive, "dead")
	}
}

func (s *scope) status(st *us.Status) {
	st.Scope = &us.Scope{Result: s.result, RuntimeMax: us.Unknown}
}

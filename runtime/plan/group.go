package plan

import "github.com/unitgen/unitgen/schema/unitname"

// sockets treats a socket and its service as one group. An unchanged socket
// stays open while its service restarts, and keeps its queue; a changed socket
// cannot listen again before its service has let go of it.
func (s *planner) sockets() {
	for _, name := range sortedKeys(s.doing) {
		switch d := s.doing[name]; {
		case unitname.Type(name) == "service" && d.stop != nil && d.start != nil:
			s.keepSocketOpen(name, d)
		case unitname.Type(name) == "socket" && d.restart != nil:
			s.restartSocket(name, d)
		}
	}
}

// keepSocketOpen makes one restart of a stop and a start. Between the two the
// socket would start the service from its old file, at the first connection.
func (s *planner) keepSocketOpen(name string, d *decision) {
	sock := s.newIx.trigger[name]
	if unitname.Type(sock) != "socket" || !s.isActive(sock) || s.old.unit(s.scope, sock) == nil {
		return
	}
	if k := s.doing[sock]; k != nil && k.acts() || s.new.unit(s.scope, name).policy("X-NotSocketActivated", false) {
		return
	}
	d.restart = &because{d.stop.reason + "; " + sock + " stays open", d.stop.source}
	d.stop, d.start = nil, nil
}

func (s *planner) restartSocket(sock string, d *decision) {
	name := s.new.triggers(s.scope, sock)
	service := s.new.unit(s.scope, name)
	if name == "" || !s.isActive(name) || service == nil || service.policy("X-NotSocketActivated", false) {
		return
	}
	sd := s.decide(name)
	if sd.stop != nil && sd.start == nil {
		d.stop, d.start, d.restart = d.restart, d.restart, nil
		return
	}
	if !sd.acts() && (!service.policy("X-RestartIfChanged", true) || service.refuses("RefuseManualStop") || service.policy("X-OnlyManualStart", false)) {
		d.skip = &because{d.restart.reason + ", but " + name + " holds the socket and is to be left running", d.restart.source}
		d.restart = nil
		return
	}
	why := &because{sock + " changes and cannot listen again while its service runs", d.restart.source}
	for _, own := range []*because{sd.stop, sd.restart, sd.reload} {
		if own != nil {
			why = own
			break
		}
	}
	sd.stop, sd.start, sd.restart, sd.reload = why, why, nil, nil
	d.stop, d.start, d.restart = d.restart, d.restart, nil
	if !s.wantedByActive(name) {
		sd.start = nil
		d.start = &because{d.start.reason + "; " + name + " starts with its next connection", d.start.source}
	}
}

// wantedByActive reports whether anything that is up pulls the unit in.
func (s *planner) wantedByActive(name string) bool {
	for _, by := range s.newIx.pullers[name] {
		if s.willBeActive(by) {
			return true
		}
	}
	return false
}

// newSockets lets a socket that is to be started take its address from a
// service that runs already.
func (s *planner) newSockets() {
	for _, sock := range sortedKeys(s.doing) {
		d := s.doing[sock]
		if unitname.Type(sock) != "socket" || d.start == nil || d.stop != nil || s.isActive(sock) {
			continue
		}
		name := s.new.triggers(s.scope, sock)
		if name == "" || !s.isActive(name) || s.new.unit(s.scope, name) == nil {
			continue
		}
		sd := s.decide(name)
		if sd.stop != nil {
			continue
		}
		why := &because{sock + " is started and must listen before its service runs", d.start.source}
		if sd.restart != nil {
			why = sd.restart
		}
		sd.stop, sd.start, sd.restart, sd.reload = why, why, nil, nil
	}
}

package manager

import (
	"context"
	"path/filepath"
	"strings"
)

// busAddress gives the message bus that services of this manager are on, ""
// where none is to be seen: the one that the environment names, the one that
// the tree's own dbus.socket listens for, or the machine's.
func (m *Manager) busAddress() string {
	variable := "DBUS_SYSTEM_BUS_ADDRESS"
	if !m.isSystem() {
		variable = "DBUS_SESSION_BUS_ADDRESS"
	}
	for _, e := range m.env {
		if v, ok := strings.CutPrefix(e, variable+"="); ok && v != "" {
			return v
		}
	}
	if u := m.unit("dbus.socket"); u != nil {
		if s, ok := u.kind.(*socket); ok {
			for _, l := range s.listeners {
				if l.Kind == "Stream" && strings.HasPrefix(l.Address, "/") {
					return "unix:path=" + l.Address
				}
			}
		}
	}
	if !m.isSystem() {
		return "" // what is at <runtime dir>/bus may be the manager itself, where nobody else owns names
	}
	for _, p := range []string{filepath.Join(m.opt.RuntimeDir, "dbus/system_bus_socket"), "/run/dbus/system_bus_socket"} {
		if exists(p) {
			return "unix:path=" + p
		}
	}
	return ""
}

// waitsForName reports whether the start of the service is done when its name
// is on the bus (systemd.service(5), Type=dbus).
func (s *service) waitsForName() bool { return s.c.typ == "dbus" && s.nameEnd != nil }

// followName begins to follow BusName= of a service that is being started or
// was taken over.
func (s *service) followName() {
	m := s.u.m
	if s.c.typ != "dbus" || s.c.busName == "" || m.opt.WatchName == nil || s.nameEnd != nil {
		return
	}
	address := m.busAddress()
	if address == "" {
		s.u.notice("There is no message bus that BusName=%s could be on; the service counts as up with its process.", s.c.busName)
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.nameEnd, s.nameOwned = cancel, false
	go m.opt.WatchName(ctx, address, s.c.busName, func(owned bool) {
		m.post(func() {
			if ctx.Err() == nil {
				s.nameChanged(owned)
			}
		})
	})
}

func (s *service) leaveName() {
	if s.nameEnd != nil {
		s.nameEnd()
		s.nameEnd, s.nameOwned, s.nameLost = nil, false, false
	}
}

// nameChanged: the service's name has come or gone.
func (s *service) nameChanged(owned bool) {
	had := s.nameOwned
	s.nameOwned, s.nameLost = owned, had && !owned
	switch {
	case owned && s.state == "start" && s.main.alive() && s.main.pid != 0:
		s.enterStartPost()
	case had && !owned && s.state == "running":
		s.u.notice("%s is gone from the bus.", s.c.busName)
		s.enterRunning("success")
	}
}

//go:build linux

package bus

import (
	"github.com/godbus/dbus/v5"

	"github.com/unitgen/unitgen/runtime/unitstate"
)

// event turns a manager's event into signals. It runs on the goroutine of the
// subscription and never waits for a client.
func (s *Server) event(e unitstate.Event) {
	switch e.Kind {
	case unitstate.JobNew:
		s.emit(managerPath, ifaceManage, "JobNew", "uos", e.Job.ID, JobPath(e.Job.ID), e.Job.Unit)
	case unitstate.JobRemoved:
		s.emit(managerPath, ifaceManage, "JobRemoved", "uoss", e.Job.ID, JobPath(e.Job.ID), e.Job.Unit, string(e.Result))
	case unitstate.JobChanged:
		if s.wanted(JobPath(e.Job.ID), ifaceProps, "PropertiesChanged", nil) {
			s.emit(JobPath(e.Job.ID), ifaceProps, "PropertiesChanged", "sa{sv}as", ifaceBase+"Job",
				[]entry{{"State", dbus.MakeVariant(string(e.Job.State))}}, []string{})
		}
	case unitstate.UnitNew:
		s.emit(managerPath, ifaceManage, "UnitNew", "so", e.Unit, UnitPath(e.Unit))
	case unitstate.UnitRemoved:
		s.emit(managerPath, ifaceManage, "UnitRemoved", "so", e.Unit, UnitPath(e.Unit))
	case unitstate.UnitChanged:
		s.unitChanged(e.Unit)
	case unitstate.UnitFiles:
		s.emit(managerPath, ifaceManage, "UnitFilesChanged", "")
	case unitstate.ReloadBegin:
		s.emit(managerPath, ifaceManage, "Reloading", "b", true)
	case unitstate.ReloadEnd:
		s.files.Reload()
		s.emit(managerPath, ifaceManage, "Reloading", "b", false)
	case unitstate.StartupDone:
		t := e.Startup
		s.emit(managerPath, ifaceManage, "StartupFinished", "tttttt", t.Firmware, t.Loader, t.Kernel, t.InitRD, t.Userspace, t.Total)
	}
}

// unitChanged tells the new values of the properties that announce their
// changes, of the unit's own type first.
func (s *Server) unitChanged(name string) {
	path := UnitPath(name)
	if !s.wanted(path, ifaceProps, "PropertiesChanged", nil) {
		return
	}
	st, err := s.backend.Unit(name)
	if err != nil {
		return
	}
	v := &view{s: s}
	v.setUnit(st)
	for _, ifn := range unitInterfaces(st.Type) {
		changed, invalid := []entry{}, []string{}
		for _, p := range interfaces()[ifn].properties {
			switch p.changes {
			case "true":
				changed = append(changed, entry{p.name, v.get(ifn, p)})
			case "invalidates":
				invalid = append(invalid, p.name)
			}
		}
		if len(changed)+len(invalid) > 0 {
			s.emit(path, ifaceProps, "PropertiesChanged", "sa{sv}as", ifn, changed, invalid)
		}
	}
}

// wants reports whether a signal is for a peer. One on the small bus says so
// with match rules. Another gets the manager object's signals always, as from
// systemd's private socket (systemctl waits for JobRemoved without
// subscribing), those of units and jobs after Subscribe.
func (p *peer) wants(path dbus.ObjectPath, ifn, member string, body []any) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.closed:
		return false
	case p.monitor:
		return true
	case p.name == "":
		return p.subscribed || path == managerPath
	}
	for i := range p.matches {
		if p.matches[i].matches(path, ifn, member, body) {
			return true
		}
	}
	return false
}

func (s *Server) wanted(path dbus.ObjectPath, ifn, member string, body []any) bool {
	for _, p := range s.all() {
		if p.wants(path, ifn, member, body) {
			return true
		}
	}
	return false
}

// emit sends a signal to everybody who wants it. It is encoded once for those
// who talk to the manager alone and once for those on the small bus.
func (s *Server) emit(path dbus.ObjectPath, ifn, member, sig string, body ...any) {
	var plain, bus []byte
	for _, p := range s.all() {
		if !p.wants(path, ifn, member, body) {
			continue
		}
		p.mu.Lock()
		onBus := p.name != "" || p.monitor
		p.mu.Unlock()
		raw := &plain
		if onBus {
			raw = &bus
		}
		if *raw == nil {
			h := headers(dbus.FieldPath, path, dbus.FieldInterface, ifn, dbus.FieldMember, member)
			if sig != "" {
				h[dbus.FieldSignature] = dbus.MakeVariant(dbus.ParseSignatureMust(sig))
			}
			if onBus {
				h[dbus.FieldSender] = dbus.MakeVariant(managerName)
			}
			// A signal has no reply, so its serial need only be some number.
			b, _, err := encode(&dbus.Message{Type: dbus.TypeSignal, Flags: dbus.FlagNoReplyExpected, Headers: h, Body: body}, p.nextSerial())
			if err != nil {
				s.logf("signal %s of %s: %v", member, path, err)
				return
			}
			*raw = b
		}
		p.push(outgoing{*raw, nil}, true)
	}
}

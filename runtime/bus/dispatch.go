//go:build linux

package bus

import (
	"errors"
	"fmt"
	"strings"

	"github.com/godbus/dbus/v5"

	"github.com/unitgen/unitgen/runtime/unitstate"
)

// call is one method call under way.
type call struct {
	s    *Server
	p    *peer
	m    *dbus.Message
	in   []any
	path dbus.ObjectPath
	unit string         // the unit whose object was called, by any of its names
	job  *unitstate.Job // the job whose object was called

	after func() // done once the reply is queued
}

// handler carries out a method. The values it gives have the method's out
// signature.
type handler func(*call) ([]any, error)

// Names of the errors of the D-Bus specification.
const (
	errUnknownMethod    = "org.freedesktop.DBus.Error.UnknownMethod"
	errUnknownObject    = "org.freedesktop.DBus.Error.UnknownObject"
	errUnknownInterface = "org.freedesktop.DBus.Error.UnknownInterface"
	errUnknownProperty  = "org.freedesktop.DBus.Error.UnknownProperty"
)

// refusal makes the error of a call.
func refusal(name, format string, args ...any) error {
	return &unitstate.Error{Name: name, Message: fmt.Sprintf(format, args...)}
}

// readers are the methods that change nothing: everybody may call them.
// Everything of org.freedesktop.DBus.* is open too, but Properties.Set.
func readers(name string) bool {
	switch {
	case strings.HasPrefix(name, "Get"), strings.HasPrefix(name, "List"), strings.HasPrefix(name, "Lookup"), strings.HasPrefix(name, "Dump"):
		return true
	case name == "LoadUnit", name == "Subscribe", name == "Unsubscribe":
		return true
	}
	return false
}

// handle answers one message of a peer.
func (s *Server) handle(p *peer, m *dbus.Message) {
	if m.Type != dbus.TypeMethodCall {
		return // replies to nothing, and signals, which nobody here asked for
	}
	c := &call{s: s, p: p, m: m, in: m.Body, path: dbus.ObjectPath(field(m, dbus.FieldPath))}
	ifn, member := field(m, dbus.FieldInterface), field(m, dbus.FieldMember)
	spec, out, err := c.dispatch(ifn, member)
	if err != nil {
		var e *unitstate.Error
		if !errors.As(err, &e) {
			e = &unitstate.Error{Name: "org.freedesktop.DBus.Error.Failed", Message: err.Error()}
		}
		p.refuse(m, e.Name, e.Message)
		return
	}
	if spec.noReply {
		return
	}
	p.reply(m, spec.outSig, out)
	if c.after != nil {
		c.after()
	}
}

// dispatch finds the object and the method and calls it.
func (c *call) dispatch(ifn, member string) (*method, []any, error) {
	dest := field(c.m, dbus.FieldDestination)
	if dest == "org.freedesktop.DBus" || ifn == "org.freedesktop.DBus" || ifn == "org.freedesktop.DBus.Monitoring" {
		return c.broker(ifn, member)
	}
	if dest != "" && dest != busName && dest != managerName {
		return nil, nil, refusal("org.freedesktop.DBus.Error.ServiceUnknown", "The name %s was not provided by any .service files", dest)
	}
	ifaces, err := c.object()
	if err != nil {
		return nil, nil, err
	}
	for _, name := range append(ifaces, standardNames...) {
		if ifn != "" && ifn != name {
			continue
		}
		spec := interfaces()[name].method[member]
		if spec == nil {
			continue
		}
		if sig := field(c.m, dbus.FieldSignature); sig != spec.inSig {
			return nil, nil, refusal("org.freedesktop.DBus.Error.InvalidArgs",
				"Invalid arguments '%s' to call %s.%s(), expecting '%s'.", sig, name, member, spec.inSig)
		}
		if !c.p.owner && (name == ifaceProps && member == "Set" || strings.HasPrefix(name, ifaceBase) && !readers(member)) {
			return nil, nil, refusal("org.freedesktop.DBus.Error.AccessDenied", "Only root and the manager's own user may do this; uid %d may look.", c.p.uid)
		}
		h := handlers()[strings.TrimPrefix(name, ifaceBase)+"."+member]
		if h == nil {
			return nil, nil, refusal("org.freedesktop.DBus.Error.NotSupported", "%s.%s() is not supported by the bundled manager.", name, member)
		}
		out, err := h(c)
		return spec, out, err
	}
	if ifn != "" && interfaces()[ifn] == nil {
		return nil, nil, refusal(errUnknownInterface, "Unknown interface %s.", ifn)
	}
	return nil, nil, refusal(errUnknownMethod, "Unknown method %s or interface %s.", member, ifn)
}

var standardNames = []string{"org.freedesktop.DBus.Peer", "org.freedesktop.DBus.Introspectable", ifaceProps}

// object finds what the called path is: its interfaces, the type's own first
// (the order in which systemd lists properties), and c.unit or c.job.
func (c *call) object() ([]string, error) {
	path := string(c.path)
	switch {
	case c.path == managerPath:
		return []string{ifaceManage}, nil
	case c.path == logControlPath:
		return []string{ifaceLog}, nil
	case strings.HasPrefix(path, unitPrefix):
		name, ok := unescapeLabel(path[len(unitPrefix):])
		if !ok {
			break
		}
		st, err := c.s.unitByLabel(c, name)
		if err != nil {
			return nil, err
		}
		c.unit = st.Name
		return unitInterfaces(st.Type), nil
	case strings.HasPrefix(path, jobPrefix):
		var id uint32
		if _, err := fmt.Sscanf(path[len(jobPrefix):], "%d", &id); err != nil || JobPath(id) != c.path {
			break
		}
		j, err := c.s.backend.Job(id)
		if err != nil {
			return nil, refusal(errUnknownObject, "Unknown object '%s'.", path)
		}
		c.job = &j
		return []string{ifaceBase + "Job"}, nil
	}
	return nil, nil
}

// unitByLabel finds the unit that an object path names. As in systemd, looking
// at an object loads its unit. "self" stands for the unit of the caller.
func (s *Server) unitByLabel(c *call, name string) (*unitstate.Status, error) {
	if name == "self" {
		return s.backend.UnitByPID(c.p.pid)
	}
	if len(name) == 32 {
		var id unitstate.InvocationID
		if n, err := fmt.Sscanf(name, "%32x", (*hexID)(&id)); err == nil && n == 1 {
			return s.backend.UnitByInvocation(id)
		}
	}
	return s.backend.LoadUnit(name)
}

// unitInterfaces gives the interfaces of a unit of a type.
func unitInterfaces(typ string) []string {
	if typ == "" {
		return []string{ifaceBase + "Unit"}
	}
	return []string{typeInterface(typ), ifaceBase + "Unit"}
}

// typeInterface gives the interface of a unit type: "service" to
// "org.freedesktop.systemd1.Service".
func typeInterface(typ string) string {
	return ifaceBase + strings.ToUpper(typ[:1]) + typ[1:]
}

// broker answers what a message bus answers, so that clients which begin with
// Hello find one.
func (c *call) broker(ifn, member string) (*method, []any, error) {
	var spec *method
	for _, name := range []string{"org.freedesktop.DBus", "org.freedesktop.DBus.Monitoring", "org.freedesktop.DBus.Peer", "org.freedesktop.DBus.Introspectable", ifaceProps} {
		if ifn == "" || ifn == name {
			if spec = interfaces()[name].method[member]; spec != nil {
				ifn = name
				break
			}
		}
	}
	if spec == nil {
		return nil, nil, refusal(errUnknownMethod, "org.freedesktop.DBus does not understand message %s", member)
	}
	if sig := field(c.m, dbus.FieldSignature); sig != spec.inSig {
		return nil, nil, refusal("org.freedesktop.DBus.Error.InvalidArgs", "Call to %s has wrong args (%s, expected %s)", member, sig, spec.inSig)
	}
	out, err := c.brokerCall(ifn, member)
	return spec, out, err
}

func (c *call) brokerCall(ifn, member string) ([]any, error) {
	known := func() (*peer, error) {
		name := c.in[0].(string)
		if name == managerName || name == busName || name == "org.freedesktop.DBus" {
			return nil, nil
		}
		for _, p := range c.s.all() {
			p.mu.Lock()
			n := p.name
			p.mu.Unlock()
			if n != "" && n == name {
				return p, nil
			}
		}
		return nil, refusal("org.freedesktop.DBus.Error.NameHasNoOwner", "Could not get owner of name '%s': no such name", name)
	}
	who := func() (uint32, uint32, error) {
		p, err := known()
		if err != nil {
			return 0, 0, err
		}
		if p == nil {
			return c.s.uid, uint32(c.s.backend.Info().PID), nil
		}
		return p.uid, uint32(p.pid), nil
	}
	switch member {
	case "Hello":
		c.p.mu.Lock()
		defer c.p.mu.Unlock()
		if c.p.name != "" {
			return nil, refusal("org.freedesktop.DBus.Error.Failed", "Already handled an Hello message")
		}
		c.p.name = fmt.Sprintf(":1.%d", c.p.num)
		c.after = func() { c.p.nameSignal("NameAcquired") }
		return []any{c.p.name}, nil
	case "RequestName", "StartServiceByName":
		if member == "StartServiceByName" && c.in[0] == busName {
			return []any{uint32(2)}, nil // already running
		}
		return nil, refusal("org.freedesktop.DBus.Error.AccessDenied", "This socket serves %s alone; no other name can be owned.", busName)
	case "ReleaseName":
		return []any{uint32(2)}, nil // no such name
	case "ListNames", "ListActivatableNames":
		names := []string{"org.freedesktop.DBus", busName}
		if member == "ListNames" {
			names = append(names, managerName)
			for _, p := range c.s.all() {
				p.mu.Lock()
				if p.name != "" {
					names = append(names, p.name)
				}
				p.mu.Unlock()
			}
		}
		return []any{names}, nil
	case "NameHasOwner":
		_, err := known()
		return []any{err == nil}, nil
	case "GetNameOwner", "ListQueuedOwners":
		p, err := known()
		if err != nil {
			return nil, err
		}
		owner := managerName
		if c.in[0] == "org.freedesktop.DBus" {
			owner = "org.freedesktop.DBus"
		} else if p != nil {
			owner = c.in[0].(string)
		}
		if member == "ListQueuedOwners" {
			return []any{[]string{owner}}, nil
		}
		return []any{owner}, nil
	case "GetConnectionUnixUser":
		uid, _, err := who()
		return []any{uid}, err
	case "GetConnectionUnixProcessID":
		_, pid, err := who()
		return []any{pid}, err
	case "GetConnectionCredentials":
		uid, pid, err := who()
		return []any{map[string]dbus.Variant{"UnixUserID": dbus.MakeVariant(uid), "ProcessID": dbus.MakeVariant(pid)}}, err
	case "AddMatch":
		r, err := parseMatch(c.in[0].(string))
		if err != nil {
			return nil, err
		}
		c.p.mu.Lock()
		defer c.p.mu.Unlock()
		if len(c.p.matches) >= 4096 {
			return nil, refusal("org.freedesktop.DBus.Error.LimitsExceeded", "Connection has too many match rules.")
		}
		c.p.matches = append(c.p.matches, r)
		return nil, nil
	case "RemoveMatch":
		c.p.mu.Lock()
		defer c.p.mu.Unlock()
		for i, r := range c.p.matches {
			if r.text == c.in[0] {
				c.p.matches = append(c.p.matches[:i:i], c.p.matches[i+1:]...)
				return nil, nil
			}
		}
		return nil, refusal("org.freedesktop.DBus.Error.MatchRuleNotFound", "The given match rule wasn't found and can't be removed")
	case "GetId":
		return []any{c.s.guid}, nil
	case "ReloadConfig", "UpdateActivationEnvironment", "Ping":
		return nil, nil
	case "GetMachineId":
		return []any{c.s.machine}, nil
	case "BecomeMonitor":
		if !c.p.owner {
			return nil, refusal("org.freedesktop.DBus.Error.AccessDenied", "Only root and the manager's own user may monitor.")
		}
		c.after = func() {
			// Losing its name is how a monitor learns that it is one.
			c.p.mu.Lock()
			if !c.p.closed && !c.p.monitor {
				c.p.monitor = true
				c.s.monitors.Add(1)
			}
			c.p.mu.Unlock()
			c.p.nameSignal("NameLost")
		}
		return nil, nil
	case "Introspect":
		var b strings.Builder
		b.WriteString(introspectHead)
		for _, n := range []string{"org.freedesktop.DBus", "org.freedesktop.DBus.Monitoring", "org.freedesktop.DBus.Peer", "org.freedesktop.DBus.Introspectable", ifaceProps} {
			b.WriteString(interfaces()[n].xml)
		}
		b.WriteString("</node>\n")
		return []any{b.String()}, nil
	case "GetAll":
		return []any{map[string]dbus.Variant{"Features": dbus.MakeVariant([]string{}), "Interfaces": dbus.MakeVariant([]string{"org.freedesktop.DBus.Monitoring"})}}, nil
	}
	return nil, refusal("org.freedesktop.DBus.Error.NotSupported", "%s.%s is not supported here", ifn, member)
}

// hexID scans an invocation id.
type hexID unitstate.InvocationID

// Scan implements fmt.Scanner.
func (h *hexID) Scan(st fmt.ScanState, verb rune) error {
	tok, err := st.Token(false, func(r rune) bool { return unhex(byte(r)) >= 0 && r < 128 })
	if err != nil {
		return err
	}
	if len(tok) != 32 {
		return errors.New("not an id")
	}
	for i := range h {
		h[i] = byte(unhex(tok[2*i])<<4 | unhex(tok[2*i+1]))
	}
	return nil
}

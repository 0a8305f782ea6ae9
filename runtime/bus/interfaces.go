package bus

import (
	_ "embed"
	"fmt"
	"strings"
	"sync"

	"github.com/godbus/dbus/v5"
)

//go:generate sh -c "MANWIDTH=200 man -P cat org.freedesktop.systemd1 2>/dev/null | go run ./gen > interfaces.txt"

//go:embed interfaces.txt
var manInterfaces string

// laterInterfaces are members that systemd gained after the page that
// interfaces.txt was made from, and that clients of today call.
const laterInterfaces = `
interface org.freedesktop.systemd1.Manager
method QueueSignalUnit s:name s:whom i:signal i:value >
method SoftReboot s:new_root > privileged
method GetUnitByPIDFD h:pidfd > o:unit s:unit_id ay:invocation_id
interface org.freedesktop.systemd1.Unit
method QueueSignal s:whom i:signal i:value >
`

// logControl is org.freedesktop.LogControl1(5), which systemctl log-level and
// log-target speak.
const logControl = `
interface org.freedesktop.LogControl1
property LogLevel s readwrite false
property LogTarget s readwrite false
property SyslogIdentifier s readonly const
`

// standardInterfaces are those that every object has.
const standardInterfaces = `
interface org.freedesktop.DBus.Peer
method Ping >
method GetMachineId > s:machine_uuid
interface org.freedesktop.DBus.Introspectable
method Introspect > s:xml_data
interface org.freedesktop.DBus.Properties
method Get s:interface_name s:property_name > v:value
method GetAll s:interface_name > a{sv}:props
method Set s:interface_name s:property_name v:value >
signal PropertiesChanged s:interface_name a{sv}:changed_properties as:invalidated_properties
interface org.freedesktop.DBus
method Hello > s:name
method RequestName s:name u:flags > u:result
method ReleaseName s:name > u:result
method ListNames > as:names
method ListActivatableNames > as:names
method NameHasOwner s:name > b:has
method GetNameOwner s:name > s:owner
method ListQueuedOwners s:name > as:owners
method StartServiceByName s:name u:flags > u:result
method UpdateActivationEnvironment a{ss}:environment >
method GetConnectionUnixUser s:name > u:uid
method GetConnectionUnixProcessID s:name > u:pid
method GetConnectionCredentials s:name > a{sv}:credentials
method GetAdtAuditSessionData s:name > ay:data
method GetConnectionSELinuxSecurityContext s:name > ay:context
method AddMatch s:rule >
method RemoveMatch s:rule >
method GetId > s:id
method ReloadConfig >
signal NameOwnerChanged s:name s:old_owner s:new_owner
signal NameLost s:name
signal NameAcquired s:name
interface org.freedesktop.DBus.Monitoring
method BecomeMonitor as:rules u:flags >
`

// argument is one argument of a method or signal.
type argument struct{ sig, name string }

// method is one method of an interface.
type method struct {
	name       string
	in, out    []argument
	inSig      string
	outSig     string
	noReply    bool
	privileged bool
}

// signalSpec is one signal of an interface.
type signalSpec struct {
	name string
	args []argument
}

// property is one property of an interface. changes is the value of
// org.freedesktop.DBus.Property.EmitsChangedSignal.
type property struct {
	name     string
	sig      dbus.Signature
	writable bool
	changes  string
}

// iface is an interface with its members in order.
type iface struct {
	name       string
	methods    []*method
	signals    []*signalSpec
	properties []*property
	method     map[string]*method
	property   map[string]*property
	xml        string // its part of the introspection, made once
}

// interfaces gives all interfaces by name, parsed on first use.
var interfaces = sync.OnceValue(func() map[string]*iface {
	t := map[string]*iface{}
	for _, text := range []string{manInterfaces, laterInterfaces, logControl, standardInterfaces} {
		if err := parseInterfaces(t, text); err != nil {
			panic("This is a bug in unitgen: " + err.Error())
		}
	}
	for _, i := range t {
		i.xml = i.introspect()
	}
	return t
})

func parseInterfaces(t map[string]*iface, text string) error {
	var cur *iface
	for _, line := range strings.Split(text, "\n") {
		w := strings.Fields(line)
		if len(w) < 2 {
			continue
		}
		if w[0] == "interface" {
			if cur = t[w[1]]; cur == nil {
				cur = &iface{name: w[1], method: map[string]*method{}, property: map[string]*property{}}
				t[w[1]] = cur
			}
			continue
		}
		if cur == nil {
			return fmt.Errorf("a member without interface: %s", line)
		}
		switch w[0] {
		case "method":
			m := &method{name: w[1]}
			out := false
			for _, x := range w[2:] {
				sig, name, isArg := strings.Cut(x, ":")
				switch {
				case x == ">":
					out = true
				case x == "noreply":
					m.noReply = true
				case x == "privileged":
					m.privileged = true
				case !isArg:
					return fmt.Errorf("cannot read %s", line)
				case out:
					m.out = append(m.out, argument{sig, name})
					m.outSig += sig
				default:
					m.in = append(m.in, argument{sig, name})
					m.inSig += sig
				}
			}
			cur.methods = append(cur.methods, m)
			cur.method[m.name] = m
		case "signal":
			s := &signalSpec{name: w[1]}
			for _, x := range w[2:] {
				sig, name, _ := strings.Cut(x, ":")
				s.args = append(s.args, argument{sig, name})
			}
			cur.signals = append(cur.signals, s)
		case "property":
			if len(w) < 5 {
				return fmt.Errorf("cannot read %s", line)
			}
			sig, err := dbus.ParseSignature(w[2])
			if err != nil {
				return err
			}
			p := &property{name: w[1], sig: sig, writable: w[3] == "readwrite", changes: w[4]}
			cur.properties = append(cur.properties, p)
			cur.property[p.name] = p
		default:
			return fmt.Errorf("cannot read %s", line)
		}
	}
	return nil
}

// introspect gives the interface's element of the introspection format of the
// D-Bus specification.
func (i *iface) introspect() string {
	var b strings.Builder
	fmt.Fprintf(&b, " <interface name=\"%s\">\n", i.name)
	for _, m := range i.methods {
		fmt.Fprintf(&b, "  <method name=\"%s\">\n", m.name)
		for _, a := range m.in {
			fmt.Fprintf(&b, "   <arg type=\"%s\" name=\"%s\" direction=\"in\"/>\n", a.sig, a.name)
		}
		for _, a := range m.out {
			fmt.Fprintf(&b, "   <arg type=\"%s\" name=\"%s\" direction=\"out\"/>\n", a.sig, a.name)
		}
		if m.privileged {
			b.WriteString("   <annotation name=\"org.freedesktop.systemd1.Privileged\" value=\"true\"/>\n")
		}
		if m.noReply {
			b.WriteString("   <annotation name=\"org.freedesktop.DBus.Method.NoReply\" value=\"true\"/>\n")
		}
		b.WriteString("  </method>\n")
	}
	for _, s := range i.signals {
		fmt.Fprintf(&b, "  <signal name=\"%s\">\n", s.name)
		for _, a := range s.args {
			fmt.Fprintf(&b, "   <arg type=\"%s\" name=\"%s\"/>\n", a.sig, a.name)
		}
		b.WriteString("  </signal>\n")
	}
	for _, p := range i.properties {
		access := "read"
		if p.writable {
			access = "readwrite"
		}
		fmt.Fprintf(&b, "  <property name=\"%s\" type=\"%s\" access=\"%s\">\n", p.name, p.sig.String(), access)
		if p.changes != "true" {
			fmt.Fprintf(&b, "   <annotation name=\"org.freedesktop.DBus.Property.EmitsChangedSignal\" value=\"%s\"/>\n", p.changes)
		}
		b.WriteString("  </property>\n")
	}
	b.WriteString(" </interface>\n")
	return b.String()
}

// PropertyNames gives the properties of an interface in the order in which
// they are listed; nil for an unknown interface.
func PropertyNames(ifn string) []string {
	i := interfaces()[ifn]
	if i == nil {
		return nil
	}
	names := make([]string, len(i.properties))
	for k, p := range i.properties {
		names[k] = p.name
	}
	return names
}

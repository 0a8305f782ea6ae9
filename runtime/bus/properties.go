//go:build linux

package bus

import (
	"reflect"
	"strings"
	"sync"

	"github.com/godbus/dbus/v5"

	"github.com/unitgen/unitgen/runtime/unitstate"
)

// view is one object while its properties are read. What needs a call to the
// backend is asked for at most once.
type view struct {
	s    *Server
	info unitstate.Info
	job  *unitstate.Job

	st      *unitstate.Status
	section string // of the unit's own type: "Service"

	deps      map[string][]string
	resources *unitstate.Resources
}

// getter computes a property. Its value has exactly the property's signature.
type getter func(*view) any

// getters gives the properties that are computed from the state, by
// "Interface.Property" without the interface's prefix, or by the property's
// name alone where all interfaces mean the same. Every other property is a
// setting of the unit file; see setting.go.
var getters = sync.OnceValue(func() map[string]getter {
	m := map[string]getter{}
	managerGetters(m)
	unitGetters(m)
	typeGetters(m)
	resourceGetters(m)
	settingGetters(m)
	logGetters(m)
	m["Job.Id"] = func(v *view) any { return v.job.ID }
	m["Job.Unit"] = func(v *view) any {
		return struct {
			Name string
			Path dbus.ObjectPath
		}{v.job.Unit, UnitPath(v.job.Unit)}
	}
	m["Job.JobType"] = func(v *view) any { return string(v.job.Type) }
	m["Job.State"] = func(v *view) any { return string(v.job.State) }
	m["Job.ActivationDetails"] = func(v *view) any { return []pair2{} }
	return m
})

// pair2 is a structure of two strings.
type pair2 struct{ A, B string }

// get gives the value of a property of an interface.
func (v *view) get(ifn string, p *property) dbus.Variant {
	short := strings.TrimPrefix(ifn, ifaceBase)
	f := getters()[short+"."+p.name]
	if f == nil {
		f = getters()[p.name]
	}
	var val any
	if f != nil {
		val = f(v)
	} else {
		val = v.setting(short, p)
	}
	if val == nil {
		val = zero(p.sig.String())
	}
	return dbus.MakeVariantWithSignature(val, p.sig)
}

// zero gives the empty value of a signature.
func zero(sig string) any {
	zerosMu.Lock()
	defer zerosMu.Unlock()
	if v, ok := zeros[sig]; ok {
		return v
	}
	t, rest := typeOf(sig)
	var v any
	if rest == "" && t != nil {
		v = reflect.Zero(t).Interface()
	}
	zeros[sig] = v
	return v
}

var (
	zerosMu sync.Mutex
	zeros   = map[string]any{"o": dbus.ObjectPath("/")}
)

var basicTypes = map[byte]reflect.Type{
	'y': reflect.TypeFor[byte](), 'b': reflect.TypeFor[bool](), 'n': reflect.TypeFor[int16](), 'q': reflect.TypeFor[uint16](),
	'i': reflect.TypeFor[int32](), 'u': reflect.TypeFor[uint32](), 'x': reflect.TypeFor[int64](), 't': reflect.TypeFor[uint64](),
	'd': reflect.TypeFor[float64](), 's': reflect.TypeFor[string](), 'o': reflect.TypeFor[dbus.ObjectPath](),
	'g': reflect.TypeFor[dbus.Signature](), 'v': reflect.TypeFor[dbus.Variant](), 'h': reflect.TypeFor[dbus.UnixFD](),
}

// typeOf makes the Go type of the first complete type of a signature.
func typeOf(sig string) (reflect.Type, string) {
	if sig == "" {
		return nil, ""
	}
	if t := basicTypes[sig[0]]; t != nil {
		return t, sig[1:]
	}
	switch sig[0] {
	case 'a':
		if t, rest := typeOf(sig[1:]); t != nil {
			return reflect.SliceOf(t), rest
		}
	case '(':
		var fs []reflect.StructField
		rest := sig[1:]
		for rest != "" && rest[0] != ')' {
			var t reflect.Type
			if t, rest = typeOf(rest); t == nil {
				return nil, ""
			}
			fs = append(fs, reflect.StructField{Name: "F" + string(rune('A'+len(fs))), Type: t})
		}
		if rest != "" {
			return reflect.StructOf(fs), rest[1:]
		}
	}
	return nil, ""
}

// view makes the view of the called object.
func (c *call) view() (*view, error) {
	v := &view{s: c.s}
	switch {
	case c.unit != "":
		st, err := c.s.backend.LoadUnit(c.unit)
		if err != nil {
			return nil, err
		}
		v.setUnit(st)
	case c.job != nil:
		v.job = c.job
	}
	return v, nil
}

func (v *view) setUnit(st *unitstate.Status) {
	v.st = st
	if st.Type != "" {
		v.section = strings.ToUpper(st.Type[:1]) + st.Type[1:]
	}
}

// own gives the interfaces of the called object that a Properties call asks
// for: all of them for "".
func (c *call) own(ifn string) ([]string, error) {
	have, err := c.object()
	if err != nil {
		return nil, err
	}
	if have == nil {
		return nil, refusal(errUnknownObject, "Unknown object '%s'.", c.path)
	}
	if ifn == "" {
		return have, nil
	}
	for _, h := range have {
		if h == ifn {
			return []string{h}, nil
		}
	}
	for _, h := range standardNames {
		if h == ifn {
			return nil, nil
		}
	}
	return nil, refusal(errUnknownInterface, "Unknown interface %s.", text8(ifn))
}

func propertiesGet(c *call) ([]any, error) {
	ifaces, err := c.own(c.str(0))
	if err != nil {
		return nil, err
	}
	for _, ifn := range ifaces {
		if p := interfaces()[ifn].property[c.str(1)]; p != nil {
			v, err := c.view()
			if err != nil {
				return nil, err
			}
			if ifn == ifaceManage {
				v.info = c.s.backend.Info()
			}
			return []any{v.get(ifn, p)}, nil
		}
	}
	return nil, refusal(errUnknownProperty, "Unknown property or interface.")
}

// entry is an element of a{sv}, encoded as a structure to keep the order.
type entry struct {
	Key   string
	Value dbus.Variant
}

func propertiesGetAll(c *call) ([]any, error) {
	ifaces, err := c.own(c.str(0))
	if err != nil {
		return nil, err
	}
	v, err := c.view()
	if err != nil {
		return nil, err
	}
	out := []entry{}
	for _, ifn := range ifaces {
		if ifn == ifaceManage {
			v.info = c.s.backend.Info()
		}
		for _, p := range interfaces()[ifn].properties {
			out = append(out, entry{p.name, v.get(ifn, p)})
		}
	}
	return []any{out}, nil
}

func propertiesSet(c *call) ([]any, error) {
	ifaces, err := c.own(c.str(0))
	if err != nil {
		return nil, err
	}
	for _, ifn := range ifaces {
		p := interfaces()[ifn].property[c.str(1)]
		if p == nil {
			continue
		}
		if !p.writable {
			return nil, refusal(unitstate.ErrPropertyReadOnly, "Property '%s' is not writable.", p.name)
		}
		val, _ := c.in[2].(dbus.Variant)
		if val.Signature() != p.sig {
			return nil, refusal("org.freedesktop.DBus.Error.InvalidArgs", "Incorrect parameters for property '%s', expected '%s', got '%s'.",
				p.name, p.sig.String(), val.Signature().String())
		}
		return nil, c.s.settings.set(p.name, val.Value())
	}
	return nil, refusal(errUnknownProperty, "Unknown property or interface.")
}

//go:build linux

package bus

import (
	"encoding/base64"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/godbus/dbus/v5"

	"github.com/unitgen/unitgen/runtime/unitstate"
	"github.com/unitgen/unitgen/schema/unitname"
	"github.com/unitgen/unitgen/schema/value"
)

// namedValue is an element of a(sv).
type namedValue struct {
	name  string
	value dbus.Variant
}

// pairsOf reads a(sv).
func pairsOf(v any) ([]namedValue, error) {
	rows, ok := v.([][]any)
	if !ok {
		return nil, refusal("org.freedesktop.DBus.Error.InvalidArgs", "The properties are not a(sv).")
	}
	out := make([]namedValue, 0, len(rows))
	for _, r := range rows {
		if len(r) != 2 {
			return nil, refusal("org.freedesktop.DBus.Error.InvalidArgs", "The properties are not a(sv).")
		}
		name, ok1 := r[0].(string)
		val, ok2 := r[1].(dbus.Variant)
		if !ok1 || !ok2 {
			return nil, refusal("org.freedesktop.DBus.Error.InvalidArgs", "The properties are not a(sv).")
		}
		out = append(out, namedValue{name, val})
	}
	return out, nil
}

func unitType(name string) string { return unitname.Type(name) }

// translate spells properties as the directives of a unit file. Markers, which
// are no directive, come apart.
func translate(typ string, in []namedValue) (out []unitstate.Property, marks *[]string, err error) {
	for _, nv := range in {
		if nv.name == "Markers" {
			if m, ok := nv.value.Value().([]string); ok {
				marks = &m
				continue
			}
		}
		ps, ok := spell(typ, nv.name, nv.value)
		if !ok {
			return nil, nil, refusal("org.freedesktop.DBus.Error.InvalidArgs",
				"Cannot set property %s of type '%s' on a %s unit here.", text8(nv.name), nv.value.Signature().String(), typ)
		}
		for _, p := range ps {
			for _, s := range p.Values {
				if strings.ContainsAny(s, "\n\x00") {
					return nil, nil, refusal("org.freedesktop.DBus.Error.InvalidArgs", "The value of %s holds a newline or NUL character.", p.Name)
				}
			}
			// Several properties of one name add to one list.
			if n := len(out); n > 0 && out[n-1].Name == p.Name && p.Name != "" {
				out[n-1].Values = append(out[n-1].Values, p.Values...)
				continue
			}
			out = append(out, p)
		}
	}
	return out, marks, nil
}

func one(name string, values ...string) ([]unitstate.Property, bool) {
	if values == nil {
		values = []string{""}
	}
	return []unitstate.Property{{Name: name, Values: values}}, true
}

// spell gives the directives of one property.
func spell(typ, name string, v dbus.Variant) ([]unitstate.Property, bool) {
	switch x := v.Value().(type) {
	case dbus.UnixFD:
		// a descriptor of this process for as long as the request lasts
		if !strings.HasPrefix(name, "Standard") || !strings.HasSuffix(name, "FileDescriptor") {
			return nil, false
		}
		return one(name, strconv.Itoa(int(x)))
	case string:
		return one(name, escapeSpecifiers(x))
	case bool:
		if x {
			return one(name, "yes")
		}
		return one(name, "no")
	case []string:
		return spellList(name, x)
	case uint64:
		return spellWide(name, x)
	case int64:
		return one(name, strconv.FormatInt(x, 10))
	case uint32:
		switch {
		case strings.HasSuffix(name, "Scale"):
			return one(strings.TrimSuffix(name, "Scale"), fmt.Sprintf("%.2f%%", float64(x)*100/float64(^uint32(0))))
		case strings.HasSuffix(name, "Mode"), name == "UMask":
			return one(name, fmt.Sprintf("%04o", x))
		}
		return one(name, strconv.FormatUint(uint64(x), 10))
	case int32:
		if strings.HasSuffix(name, "Signal") {
			return one(name, value.SignalName(int(x)))
		}
		for word, n := range numberNames[name] {
			if n == x && name != "IPTOS" {
				return one(name, word)
			}
		}
		return one(name, strconv.FormatInt(int64(x), 10))
	case uint16:
		return one(name, strconv.FormatUint(uint64(x), 10))
	case []uint32:
		if name != "PIDs" {
			return nil, false
		}
		var pids []string
		for _, p := range x {
			pids = append(pids, strconv.FormatUint(uint64(p), 10))
		}
		return one(name, pids...)
	case []byte:
		return spellBytes(name, x)
	case [][]byte:
		var out []string
		for _, b := range x {
			out = append(out, escapeSpecifiers(string(b)))
		}
		return one(name, out...)
	case [][]any:
		return spellRows(typ, name, v.Signature().String(), x)
	case []any:
		return spellStruct(name, v.Signature().String(), x)
	}
	return nil, false
}

// escapeSpecifiers keeps a percent sign what it is: values that come over the
// bus are literal.
func escapeSpecifiers(s string) string { return strings.ReplaceAll(s, "%", "%%") }

func spellWide(name string, n uint64) ([]unitstate.Property, bool) {
	switch {
	case name == "CPUQuotaPerSecUSec":
		if n == unitstate.Unknown {
			return one("CPUQuota")
		}
		return one("CPUQuota", fmt.Sprintf("%d.%02d%%", n/10000, n%10000/100))
	case strings.HasSuffix(name, "USec"):
		if n == unitstate.Unknown {
			return one(directiveOf(name), "infinity")
		}
		return one(directiveOf(name), strconv.FormatUint(n, 10)+"us")
	case strings.HasSuffix(name, "NSec"):
		return one(name, strconv.FormatUint(n, 10)+"ns")
	case name == "CapabilityBoundingSet" || name == "AmbientCapabilities":
		return one(name, value.FormatCapabilities(n))
	case name == "RestrictNamespaces":
		return spellNamespaces(n)
	}
	if base, soft := strings.CutSuffix(name, "Soft"); soft && strings.HasPrefix(name, "Limit") {
		return one(base, limitText(n)) // the hard limit, which follows, repeats it
	}
	if n == unitstate.Unknown {
		return one(name, "infinity")
	}
	return one(name, strconv.FormatUint(n, 10))
}

func limitText(n uint64) string {
	if n == unitstate.Unknown {
		return "infinity"
	}
	return strconv.FormatUint(n, 10)
}

func spellNamespaces(n uint64) ([]unitstate.Property, bool) {
	switch n {
	case 0:
		return one("RestrictNamespaces", "yes")
	case unitstate.Unknown:
		return one("RestrictNamespaces", "no")
	}
	var ws []string
	for _, f := range []struct {
		bit  uint64
		name string
	}{{0x02000000, "cgroup"}, {0x08000000, "ipc"}, {0x40000000, "net"}, {0x00020000, "mnt"}, {0x20000000, "pid"},
		{0x10000000, "user"}, {0x04000000, "uts"}, {0x80, "time"}} {
		if n&f.bit != 0 {
			ws = append(ws, f.name)
		}
	}
	return one("RestrictNamespaces", strings.Join(ws, " "))
}

// spellList gives a list directive: quoted where its values are words.
func spellList(name string, list []string) ([]unitstate.Property, bool) {
	if len(list) == 0 {
		return one(name)
	}
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = escapeSpecifiers(s)
		if name == "Environment" || strings.ContainsAny(s, " \t\"'\\") {
			out[i] = value.QuoteWord(out[i])
		}
	}
	return one(name, out...)
}

func spellBytes(name string, b []byte) ([]unitstate.Property, bool) {
	switch name {
	case "CPUAffinity", "NUMAMask", "AllowedCPUs", "StartupAllowedCPUs", "AllowedMemoryNodes", "StartupAllowedMemoryNodes":
		var ns []string
		for i, x := range b {
			for bit := range 8 {
				if x&(1<<bit) != 0 {
					ns = append(ns, strconv.Itoa(i*8+bit))
				}
			}
		}
		return one(name, strings.Join(ns, " "))
	case "StandardInputData":
		return one(name, base64.StdEncoding.EncodeToString(b))
	}
	return nil, false
}

// spellStruct reads (bas), (bs) and (aiai).
func spellStruct(name, sig string, x []any) ([]unitstate.Property, bool) {
	if len(x) != 2 {
		return nil, false
	}
	switch sig {
	case "(bas)":
		allowed, _ := x[0].(bool)
		list, _ := x[1].([]string)
		s := strings.Join(list, " ")
		if !allowed {
			s = "~" + s
		}
		return one(name, s)
	case "(bs)":
		ignore, _ := x[0].(bool)
		s, _ := x[1].(string)
		if ignore {
			s = "-" + s
		}
		return one(name, escapeSpecifiers(s))
	case "(aiai)":
		var ws []string
		codes, _ := x[0].([]int32)
		for _, n := range codes {
			ws = append(ws, strconv.Itoa(int(n)))
		}
		sigs, _ := x[1].([]int32)
		for _, n := range sigs {
			ws = append(ws, value.SignalName(int(n)))
		}
		return one(name, strings.Join(ws, " "))
	}
	return nil, false
}

// spellRows reads arrays of structures.
func spellRows(typ, name, sig string, rows [][]any) ([]unitstate.Property, bool) {
	if len(rows) == 0 {
		return one(strings.TrimSuffix(name, "Ex"))
	}
	var out []unitstate.Property
	add := func(name, s string) {
		if n := len(out); n > 0 && out[n-1].Name == name {
			out[n-1].Values = append(out[n-1].Values, s)
			return
		}
		out = append(out, unitstate.Property{Name: name, Values: []string{s}})
	}
	for _, r := range rows {
		s := func(i int) string { t, _ := r[i].(string); return escapeSpecifiers(t) }
		switch sig {
		case "a(sasb)", "a(sasas)":
			line, ok := commandLine(r)
			if !ok {
				return nil, false
			}
			add(strings.TrimSuffix(name, "Ex"), line)
		case "a(ss)":
			switch name {
			case "Listen":
				add("Listen"+s(0), s(1))
			case "Paths", "TimersCalendar":
				add(s(0), s(1))
			case "DeviceAllow":
				add(name, s(0)+" "+s(1))
			default:
				a := s(0)
				if b := s(1); b != "" {
					a += ":" + b
				}
				add(name, a)
			}
		case "a(st)":
			n, _ := r[1].(uint64)
			switch {
			case name == "TimersMonotonic":
				add(directiveOf(s(0)), strconv.FormatUint(n, 10)+"us")
			case strings.HasSuffix(name, "USec"):
				add(directiveOf(name), s(0)+" "+strconv.FormatUint(n, 10)+"us")
			default:
				add(name, s(0)+" "+limitText(n))
			}
		case "a(sb)":
			path := s(0)
			if ignore, _ := r[1].(bool); ignore {
				path = "-" + path
			}
			add(strings.TrimSuffix(name, "s"), path)
		case "a(ssbt)":
			b := s(0) + ":" + s(1)
			if ignore, _ := r[2].(bool); ignore {
				b = "-" + b
			}
			if flags, _ := r[3].(uint64); flags == 0 {
				b += ":norbind"
			}
			add(name, b)
		case "a(say)":
			data, _ := r[1].([]byte)
			if name == "SetCredentialEncrypted" {
				add(name, s(0)+":"+base64.StdEncoding.EncodeToString(data))
				continue
			}
			var b strings.Builder
			for _, c := range data {
				if c >= 0x20 && c < 0x7f && c != '\\' && c != '%' {
					b.WriteByte(c)
				} else {
					fmt.Fprintf(&b, "\\x%02x", c)
				}
			}
			add(name, s(0)+":"+b.String())
		case "a(iayu)":
			raw, _ := r[1].([]byte)
			bits, _ := r[2].(uint32)
			a, ok := netip.AddrFromSlice(raw)
			if !ok || int(bits) > a.BitLen() {
				return nil, false
			}
			add(name, netip.PrefixFrom(a, int(bits)).String())
		default:
			return nil, false
		}
	}
	return out, true
}

// commandLine writes (path, argv, ignore or flags) as a command line.
func commandLine(r []any) (string, bool) {
	path, _ := r[0].(string)
	argv, ok := r[1].([]string)
	if !ok || len(argv) == 0 || path == "" {
		return "", false
	}
	prefix := ""
	switch x := r[2].(type) {
	case bool:
		if x {
			prefix = "-"
		}
	case []string:
		for _, f := range x {
			p, known := map[string]string{"ignore-failure": "-", "privileged": "+", "no-setuid": "!", "ambient": "!!", "no-env-expand": ":"}[f]
			if !known {
				return "", false
			}
			prefix += p
		}
	}
	words := []string{}
	if argv[0] != path {
		prefix += "@"
		words = append(words, path)
	} else {
		argv = append([]string{path}, argv[1:]...)
	}
	words = append(words, argv...)
	for i, w := range words {
		w = strings.ReplaceAll(w, "$", "$$")
		if strings.HasPrefix(prefix, ":") || strings.Contains(prefix, ":") {
			w = strings.ReplaceAll(w, "$$", "$")
		}
		words[i] = quoteArgument(escapeSpecifiers(w))
	}
	return prefix + strings.Join(words, " "), true
}

// quoteArgument quotes a word of a command line so that it is read back as it
// was, newlines included.
func quoteArgument(w string) string {
	plain := w != "" && w != ";"
	for i := 0; i < len(w) && plain; i++ {
		c := w[i]
		plain = c > ' ' && c != '"' && c != '\'' && c != '\\' && c != 0x7f
	}
	if plain {
		return w
	}
	var b strings.Builder
	b.WriteByte('"')
	for i := 0; i < len(w); i++ {
		switch c := w[i]; {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\t':
			b.WriteString(`\t`)
		case c < ' ' || c == 0x7f:
			fmt.Fprintf(&b, `\x%02x`, c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

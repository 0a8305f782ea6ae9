//go:build linux

package bus

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/godbus/dbus/v5"
)

func TestAuthenticate(t *testing.T) {
	own := hex.EncodeToString([]byte("1000"))
	other := hex.EncodeToString([]byte("0"))
	for _, c := range []struct {
		name, in, out string
		ok, fds       bool
	}{
		{"initial response", "\x00AUTH EXTERNAL " + own + "\r\nBEGIN\r\n", "OK G", true, false},
		{"no initial response", "\x00AUTH EXTERNAL\r\nDATA\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n", "DATA|OK G|AGREE_UNIX_FD", true, true},
		{"data names the uid", "\x00AUTH EXTERNAL\r\nDATA " + own + "\r\nBEGIN\r\n", "DATA|OK G", true, false},
		{"bare AUTH asks for mechanisms", "\x00AUTH\r\nAUTH EXTERNAL " + own + "\r\nBEGIN\r\n", "REJECTED EXTERNAL|OK G", true, false},
		{"another uid", "\x00AUTH EXTERNAL " + other + "\r\nBEGIN\r\n", "REJECTED EXTERNAL", false, false},
		{"anonymous", "\x00AUTH ANONYMOUS\r\nBEGIN\r\n", "REJECTED EXTERNAL", false, false},
		{"cookie", "\x00AUTH DBUS_COOKIE_SHA1 00\r\nBEGIN\r\n", "REJECTED EXTERNAL", false, false},
		{"begin at once", "\x00BEGIN\r\n", "", false, false},
		{"no NUL", "AUTH EXTERNAL\r\n", "", false, false},
		{"descriptors before OK", "\x00NEGOTIATE_UNIX_FD\r\nAUTH EXTERNAL " + own + "\r\nBEGIN\r\n", "ERROR|OK G", true, false},
		{"cancel", "\x00AUTH EXTERNAL\r\nCANCEL\r\nBEGIN\r\n", "DATA|REJECTED EXTERNAL", false, false},
		{"rejected after OK", "\x00AUTH EXTERNAL " + own + "\r\nAUTH EXTERNAL " + other + "\r\nBEGIN\r\n", "OK G|REJECTED EXTERNAL", false, false},
		{"garbage", "\x00\xff\xfe\r\n", "", false, false},
		{"a line without end", "\x00" + strings.Repeat("A", maxAuthLine+10), "", false, false},
		{"lines without end", "\x00" + strings.Repeat("NOPE\r\n", maxAuthLines+10), strings.TrimSuffix(strings.Repeat("ERROR|", maxAuthLines), "|"), false, false},
	} {
		var out bytes.Buffer
		fds, err := authenticate(bufio.NewReader(strings.NewReader(c.in)), &out, 1000, "G")
		got := strings.ReplaceAll(strings.TrimSuffix(out.String(), "\r\n"), "\r\n", "|")
		if (err == nil) != c.ok || fds != c.fds || got != c.out {
			t.Errorf("%s: err %v, fds %v, said %q; want ok %v, fds %v, %q", c.name, err, fds, got, c.ok, c.fds, c.out)
		}
	}
}

func sampleMessages() [][]byte {
	var out [][]byte
	for _, body := range [][]any{nil, {"a.service", "replace"}, {"x.service", true, []struct {
		A string
		B dbus.Variant
	}{{"MemoryMax", dbus.MakeVariant(uint64(1))}}}, {[]string{"a", "b"}, uint64(7)}} {
		m := &dbus.Message{Type: dbus.TypeMethodCall, Headers: headers(dbus.FieldPath, managerPath, dbus.FieldMember, "StartUnit", dbus.FieldInterface, ifaceManage)}
		if body != nil {
			m.Body = body
			m.Headers[dbus.FieldSignature] = dbus.MakeVariant(dbus.SignatureOf(body...))
		}
		raw, _, err := encode(m, 3)
		if err != nil {
			panic(err)
		}
		out = append(out, raw)
	}
	return out
}

// FuzzRead gives the reader any bytes: it answers with a message or an error,
// without reading or allocating more than it was given.
func FuzzRead(f *testing.F) {
	for _, m := range sampleMessages() {
		f.Add(m)
		f.Add(append(append([]byte{}, m...), m...))
	}
	f.Add([]byte("l\x01\x00\x01\xff\xff\xff\xff\x01\x00\x00\x00\xff\xff\xff\xff"))
	f.Add([]byte("B\x01\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x08"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r := bytes.NewReader(data)
		for {
			raw, err := readRaw(r)
			if err != nil {
				return
			}
			m, err := decode(raw, nil)
			if err != nil {
				continue
			}
			field(m, dbus.FieldPath)
			field(m, dbus.FieldSignature)
			if m.Type == dbus.TypeMethodCall && len(m.Body) > 0 {
				if ps, err := pairsOf(m.Body[len(m.Body)-1]); err == nil {
					translate("service", ps)
				}
			}
		}
	})
}

// FuzzMatch reads any match rule.
func FuzzMatch(f *testing.F) {
	f.Add("type='signal',sender='org.freedesktop.systemd1',arg0='x'")
	f.Add("path_namespace='/org',")
	f.Fuzz(func(t *testing.T, s string) {
		r, err := parseMatch(s)
		if err == nil {
			r.matches(managerPath, ifaceManage, "JobRemoved", []any{"x"})
		}
	})
}

//go:build linux

package bus

import (
	"bytes"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"testing"

	"github.com/godbus/dbus/v5"

	"github.com/unitgen/unitgen/internal/testenv"
	"github.com/unitgen/unitgen/runtime/bus/bustest"
	"github.com/unitgen/unitgen/runtime/unitstate"
)

// TestInterfacesAreTheManPages makes the list of members again from the
// installed page.
func TestInterfacesAreTheManPages(t *testing.T) {
	testenv.Need(t, "man", "go")
	page := exec.Command("man", "-P", "cat", "org.freedesktop.systemd1")
	page.Env = append(os.Environ(), "MANWIDTH=200", "LC_ALL=C.UTF-8")
	text, err := page.Output()
	if err != nil || len(text) == 0 {
		testenv.Missing(t, "the man page org.freedesktop.systemd1(5) is not installed")
	}
	gen := exec.Command("go", "run", "./gen")
	gen.Stdin = bytes.NewReader(text)
	gen.Stderr = os.Stderr
	out, err := gen.Output()
	if err != nil {
		t.Fatal(err)
	}
	if string(out) != manInterfaces {
		t.Error("interfaces.txt is not what gen makes of the installed page: run go generate")
	}
}

// TestEveryProperty asks for each property of each interface and wants its Go
// value to have exactly the signature of the man page.
func TestEveryProperty(t *testing.T) {
	settings := func(section string) bustest.Settings {
		return bustest.Settings{section: {
			"ExecStart": {"-/bin/sh -c 'exit 0'"}, "Environment": {"A=b"}, "EnvironmentFile": {"-/x"}, "SystemCallFilter": {"~@clock"},
			"RestrictAddressFamilies": {"AF_UNIX AF_INET"}, "RestrictNamespaces": {"net"}, "SuccessExitStatus": {"3 SIGHUP"},
			"BindPaths": {"/a:/b:norbind"}, "TemporaryFileSystem": {"/x:ro"}, "LoadCredential": {"a:/b"}, "SetCredential": {"a:b"},
			"DeviceAllow": {"/dev/null rw"}, "IODeviceWeight": {"/dev/sda 100"}, "IPAddressAllow": {"10.0.0.0/8 ::1/128"},
			"SocketBindAllow": {"ipv4:tcp:80-90"}, "CPUAffinity": {"0-3"}, "LimitNOFILE": {"10:20"}, "MemoryMax": {"50%"}, "TasksMax": {"10%"},
			"CPUQuota": {"20%"}, "UMask": {"0077"}, "KillSignal": {"SIGINT"}, "LogExtraFields": {"A=b"}, "RuntimeDirectory": {"a b:c"},
			"MountImages": {"/a:/b"}, "ExtensionImages": {"/a"}, "BPFProgram": {"egress:/x"}, "SELinuxContext": {"-a"}, "Delegate": {"cpu io"},
			"CapabilityBoundingSet": {"CAP_KILL"}, "RootHash": {"00ff"}, "StandardInputText": {"x"}, "TimeoutStartSec": {"infinity"},
			"ListenStream": {"/a"}, "CPUSchedulingPolicy": {"batch"}, "IOSchedulingClass": {"idle"}, "Nice": {"5"}, "TTYRows": {"5"},
			"SecureBits": {"noroot"}, "MountFlags": {"slave"}, "SyslogLevel": {"err"}, "CoredumpFilter": {"0x33"}, "ManagedOOMMemoryPressureLimit": {"50%"},
		}}
	}
	f := bustest.New(bustest.Unit("a.service", "A", unitstate.Active, "running", settings("Service")))
	s := NewServer(ServerOptions{Backend: f})
	defer s.Close()
	seen := 0
	for name, i := range interfaces() {
		typ := strings.ToLower(strings.TrimPrefix(name, ifaceBase))
		v := &view{s: s, job: &unitstate.Job{ID: 1, Unit: "a.service", Type: "start", State: "running"}, info: f.Info()}
		var units []*unitstate.Status
		switch typ {
		case "manager", "job", "org.freedesktop.logcontrol1":
			units = append(units, nil)
		case "unit":
			typ = "service"
			fallthrough
		default:
			bare := bustest.Unit("x."+typ, "", unitstate.Inactive, "dead", nil)
			bare.Service, bare.Socket, bare.Timer, bare.Path, bare.Mount, bare.Automount, bare.Swap, bare.Scope, bare.Device = nil, nil, nil, nil, nil, nil, nil, nil, nil
			full := bustest.Unit("x."+typ, "X", unitstate.Active, "running", settings(strings.ToUpper(typ[:1])+typ[1:]))
			units = append(units, bare, full)
		}
		for _, u := range units {
			if u != nil {
				v.setUnit(u)
			}
			for _, p := range i.properties {
				got := v.get(name, p)
				if got.Signature() != p.sig {
					t.Errorf("%s.%s is sent as %s, not %s", name, p.name, got.Signature(), p.sig)
				}
				if have := goSignature(reflect.TypeOf(got.Value())); have != p.sig.String() {
					t.Errorf("%s.%s has a value of %s, not %s", name, p.name, have, p.sig)
				}
				if getters()[strings.TrimPrefix(name, ifaceBase)+"."+p.name] == nil && typ == "manager" {
					t.Errorf("the manager's property %s has no value", p.name)
				}
				m := &dbus.Message{Type: dbus.TypeMethodReply, Headers: headers(dbus.FieldReplySerial, uint32(1), dbus.FieldSignature, dbus.SignatureOf(dbus.Variant{})), Body: []any{got}}
				raw, _, err := encode(m, 1)
				if err != nil {
					t.Errorf("%s.%s cannot be encoded: %v", name, p.name, err)
				} else if _, err := decode(raw, nil); err != nil {
					t.Errorf("%s.%s cannot be decoded: %v", name, p.name, err)
				}
				seen++
			}
		}
	}
	if seen < 1500 {
		t.Errorf("only %d properties were looked at", seen)
	}
	for _, name := range []string{"Manager", "Unit", "Service", "Socket", "Mount", "Swap", "Slice", "Scope", "Job"} {
		for _, m := range interfaces()[ifaceBase+name].methods {
			if handlers()[name+"."+m.name] == nil && m.name != "GetUnitByPIDFD" {
				t.Errorf("%s.%s has no handler", name, m.name)
			}
		}
	}
}

// goSignature is the signature of a Go type, a slice of two-field structures
// with a variant being no dictionary here.
func goSignature(t reflect.Type) string {
	if t == nil {
		return "nothing"
	}
	return dbus.SignatureOfType(t).String()
}

func TestLabels(t *testing.T) {
	for _, n := range []string{"a.service", "", "_", "0a.b", "-.slice", `x\x2d.mount`, "ü.service", "foo@bar:baz.socket"} {
		l := escapeLabel(n)
		if !dbus.ObjectPath("/x/" + l).IsValid() {
			t.Errorf("%q becomes %q, which is no label", n, l)
		}
		if back, ok := unescapeLabel(l); !ok || back != n {
			t.Errorf("%q becomes %q and that %q", n, l, back)
		}
	}
}

func TestTranslate(t *testing.T) {
	type prop struct {
		name string
		val  any
		sig  string
		want string
	}
	for _, c := range []prop{
		{"Description", "50% done", "s", "Description=50%% done"},
		{"RemainAfterExit", true, "b", "RemainAfterExit=yes"},
		{"MemoryMax", uint64(1 << 20), "t", "MemoryMax=1048576"},
		{"MemoryMax", uint64(unitstate.Unknown), "t", "MemoryMax=infinity"},
		{"CPUQuotaPerSecUSec", uint64(205000), "t", "CPUQuota=20.50%"},
		{"TimeoutStopUSec", uint64(5), "t", "TimeoutStopSec=5us"},
		{"UMask", uint32(0o22), "u", "UMask=0022"},
		{"KillSignal", int32(15), "i", "KillSignal=SIGTERM"},
		{"Environment", []string{"A=b c", "B=%"}, "as", `Environment="A=b c"|B=%%`},
		{"PIDs", []uint32{1, 2}, "au", "PIDs=1|2"},
		{"ExecStart", [][]any{{"/bin/sh", []string{"/bin/sh", "-c", "echo $X; exit 1"}, true}}, "a(sasb)", `ExecStart=-/bin/sh -c "echo $$X; exit 1"`},
		{"ExecStart", [][]any{{"/bin/sh", []string{"-sh"}, false}}, "a(sasb)", `ExecStart=@/bin/sh -sh`},
		{"ExecStartEx", [][]any{{"/bin/x", []string{"/bin/x", "$Y"}, []string{"no-env-expand"}}}, "a(sasas)", `ExecStart=:/bin/x $Y`},
		{"TimersMonotonic", [][]any{{"OnActiveUSec", uint64(7)}}, "a(st)", "OnActiveSec=7us"},
		{"TimersCalendar", [][]any{{"OnCalendar", "daily"}}, "a(ss)", "OnCalendar=daily"},
		{"Listen", [][]any{{"Stream", "/x"}}, "a(ss)", "ListenStream=/x"},
	} {
		v := dbus.MakeVariantWithSignature(c.val, dbus.ParseSignatureMust(c.sig))
		got, _, err := translate("service", []namedValue{{c.name, v}})
		if err != nil || len(got) != 1 {
			t.Errorf("%s %v: %v %v", c.name, c.val, got, err)
			continue
		}
		if s := got[0].Name + "=" + strings.Join(got[0].Values, "|"); s != c.want {
			t.Errorf("%s %v becomes %s, not %s", c.name, c.val, s, c.want)
		}
	}
	if _, _, err := translate("service", []namedValue{{"Description", dbus.MakeVariant("a\nExecStart=/bin/evil")}}); err == nil {
		t.Error("a newline was let through")
	}
}

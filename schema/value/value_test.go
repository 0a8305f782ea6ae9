package value

import (
	"strings"
	"testing"

	"github.com/unitgen/unitgen/schema/directive"
)

// TestEveryKindHasAChecker covers what the directive table asks for.
func TestEveryKindHasAChecker(t *testing.T) {
	t.Parallel()
	used := map[directive.Kind]bool{}
	for _, d := range directive.All() {
		used[d.Kind] = true
		if !Knows(d.Kind) {
			t.Errorf("[%s] %s=: no checker for kind %q", d.Section, d.Name, d.Kind)
		}
	}
	for k := range checkers {
		if !used[k] {
			t.Errorf("no directive is of kind %q", k)
		}
	}
	for _, e := range Enums() {
		if !used[directive.Kind("enum:"+e)] {
			t.Errorf("no directive takes the words of %q", e)
		}
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, value string // of services
		ctx         Context
		want        string // canonical form, or
		err         string // a part of the message
	}{
		{name: "RemainAfterExit", value: "TRUE", want: "yes"},
		{name: "RemainAfterExit", value: "maybe", err: "is no boolean; use yes"},
		{name: "RestartSec", value: "90", want: "1min 30s"},
		{name: "RestartSec", value: "1.5 hours", want: "1h 30min"},
		{name: "TimeoutStartSec", value: "0", want: "infinity"},
		{name: "RestartSec", value: "", err: "cannot be reset"},
		{name: "ExecStart", value: "", want: ""},
		{name: "UMask", value: "22", want: "0022"},
		{name: "UMask", value: "088", err: "no access mode"},
		{name: "KillSignal", value: "term", err: "is no signal"},
		{name: "KillSignal", value: "15", want: "SIGTERM"},
		{name: "KillSignal", value: "RTMIN+3", want: "SIGRTMIN+3"},
		{name: "KillMode", value: "none", err: "unsafe"},
		{name: "KillMode", value: "Mixed", err: "case matters"},
		{name: "Type", value: "notify-reload", ctx: Context{Systemd: 252}, err: "only from systemd 253 on"},
		{name: "Type", value: "notify-reload", ctx: Context{Systemd: 253}, want: "notify-reload"},
		{name: "FailureAction", value: "reboot", ctx: Context{User: true}, err: "user manager"},
		{name: "FailureAction", value: "exit", ctx: Context{User: true}, want: "exit"},
		{name: "MemoryMax", value: "50%", want: "50%"},
		{name: "MemoryMax", value: "0", err: "nothing would be left"},
		{name: "CPUQuota", value: "250%", want: "250%"},
		{name: "CPUQuota", value: "0%", err: "percentage above 0"},
		{name: "LimitNOFILE", value: "1024:524288", want: "1024:524288"},
		{name: "LimitNOFILE", value: "5:1", err: "soft limit above"},
		{name: "LimitNICE", value: "+5", want: "15"},
		{name: "LimitCPU", value: "1min", want: "60"},
		{name: "Environment", value: `A=b "C=d e"`, want: `A=b "C=d e"`},
		{name: "Environment", value: "1A=b", err: "no assignment"},
		{name: "ExecStart", value: "bin/true", err: "neither an absolute path nor a plain name"},
		{name: "ExecStart", value: "|/bin/true", ctx: Context{Systemd: 257}, err: "neither"},
		{name: "ExecStart", value: "|/bin/true", ctx: Context{Systemd: 258}, want: "|/bin/true"},
		{name: "ExecStart", value: `/bin/sh -c "x`, err: "not closed"},
		{name: "ExecStart", value: `/bin/sh \q`, err: "unknown escape"},
		{name: "ExecStart", value: "%h/bin/x %i", want: "%h/bin/x %i"},
		{name: "After", value: "nginx", err: "is no unit name"},
		{name: "After", value: "a.service  b@%i.service", want: "a.service b@%i.service"},
		{name: "WorkingDirectory", value: "~", want: "~"},
		{name: "WorkingDirectory", value: "a/b", err: "working directory"},
		{name: "SystemCallFilter", value: "@system-service ~open", err: `"~open" is no system call`},
		{name: "SystemCallFilter", value: "~@clock open:EPERM", want: "~@clock open:EPERM"},
		{name: "SystemCallFilter", value: "@nonsense", err: "is no group of system calls"},
		{name: "RestrictNamespaces", value: "~mnt foo", err: "is no type of namespace"},
		{name: "RestrictAddressFamilies", value: "AF_FOO", err: "is no address family"},
		{name: "IPAddressAllow", value: "10.0.0.0/33", err: "prefix length"},
		{name: "CPUAffinity", value: "0,2-3 1", want: "0-3"},
		{name: "CPUAffinity", value: "3-1", err: "empty range"},
		{name: "StandardOutput", value: "file:relative", err: "no absolute path"},
		{name: "RuntimeDirectory", value: "/run/x", err: "absolute path"},
		{name: "RuntimeDirectory", value: "../x", err: "climbs"},
		{name: "LoadCredential", value: "a/b:/x", err: "is no name of a credential"},
		{name: "Documentation", value: "foo", err: "is no URI"},
		{name: "User", value: "a:b", err: "which no user or group name may"},
		{name: "Description", value: "a\nb", err: "newline"},
		{name: "Description", value: "a\xff", err: "UTF-8"},
		{name: "MountFlags", value: "rshared", err: "none of the words"},
		{name: "ConditionPathExists", value: "|!/x", want: "|!/x"},
		{name: "ConditionPathExists", value: "x", err: "no absolute path"},
	} {
		ds := directive.Find("service", c.name)
		if len(ds) == 0 {
			t.Errorf("%s= is unknown", c.name)
			continue
		}
		got, err := CheckDirective(ds[0], c.value, c.ctx)
		switch {
		case c.err == "" && (err != nil || got != c.want):
			t.Errorf("%s=%s: %q, %v; want %q", c.name, c.value, got, err, c.want)
		case c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)):
			t.Errorf("%s=%s: %q, %v; want an error with %q", c.name, c.value, got, err, c.err)
		}
	}
}

func TestParseCommandLine(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in   string
		want string // path(argv|argv) flags; …
	}{
		{"/bin/a b", "/bin/a(/bin/a|b)"},
		{"-/bin/a", "/bin/a(/bin/a)-"},
		{"@/bin/a b c", "/bin/a(b|c)@"},
		{"-@+/bin/a b", "/bin/a(b)-@+"},
		{"!!:/bin/a", "/bin/a(/bin/a):!!"},
		{"!/bin/a", "/bin/a(/bin/a)!"},
		{"/bin/a ; /bin/b", "/bin/a(/bin/a); /bin/b(/bin/b)"},
		{`/bin/a \; b`, "/bin/a(/bin/a|;|b)"},
		{`/bin/a ";" b`, "/bin/a(/bin/a|;|b)"},
		{`/bin/a "b c" 'd e' f\x20g \x41`, "/bin/a(/bin/a|b c|d e|f g|A)"},
		{`/bin/a "b"c`, "/bin/a(/bin/a|bc)"},
		{`/bin/a ""`, "/bin/a(/bin/a|)"},
		{`/bin//a/./b $FOO ${BAR} %%`, "/bin/a/b(/bin//a/./b|$FOO|${BAR}|%%)"},
		{"true", "true(true)"},
		{"; ;", ""},
		{"", ""},
	} {
		cmds, err := ParseCommandLine(c.in, 252)
		if err != nil {
			t.Errorf("%q: %v", c.in, err)
			continue
		}
		var got []string
		for _, cmd := range cmds {
			s := cmd.Path + "(" + strings.Join(cmd.Argv, "|") + ")"
			for _, f := range []struct {
				on bool
				as string
			}{{cmd.IgnoreFailure, "-"}, {cmd.OwnArgv0, "@"}, {cmd.NoExpand, ":"}, {cmd.FullPrivileges, "+"}, {cmd.SetUser, "!"}, {cmd.AmbientMagic, "!!"}, {cmd.Shell, "|"}} {
				if f.on {
					s += f.as
				}
			}
			got = append(got, s)
		}
		if g := strings.Join(got, "; "); g != c.want {
			t.Errorf("%q: %s, want %s", c.in, g, c.want)
		}
	}
	for _, bad := range []string{"-", "@/bin/a", "/bin/", "./a", `/bin/a "b`, `/bin/a b\`, "..", "a/b"} {
		if cmds, err := ParseCommandLine(bad, 252); err == nil {
			t.Errorf("%q is accepted: %+v", bad, cmds)
		}
	}
}

func TestParseEnvironmentFile(t *testing.T) {
	t.Parallel()
	in := "# comment\n;other\nA=b\n  B = c d  \nC='x y' \nD=\"a\\\"b\\$c\\n\" # no comment\nE=a\\\nb\nnonsense\n1X=y\nF=\nG=a'b'c\n# carried \\\nH=hidden\nI=end"
	as, err := ParseEnvironmentFile(in)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, a := range as {
		got = append(got, a.Name+"=["+a.Value+"]")
	}
	want := `A=[b] B=[c d] C=[x y] D=[a"b$c\n # no comment] E=[ab] F=[] G=[abc] I=[end]`
	if g := strings.Join(got, " "); g != want {
		t.Errorf("got  %s\nwant %s", g, want)
	}
}

func TestParseListen(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"80": "[::]:80", "127.0.0.1:80": "127.0.0.1:80", "[::1]:80": "[::1]:80", "/run//x.sock": "/run/x.sock", "@abc": "@abc",
		"vsock::1234": "vsock::1234", "vsock:2:5": "vsock:2:5",
	} {
		if l, err := ParseListen(in); err != nil || l.String() != want {
			t.Errorf("%q: %v, %v; want %s", in, l, err, want)
		}
	}
	for _, bad := range []string{"", "0", "65536", "localhost:80", "[::1]", "@", "1.2.3:4", "vsock:x:1", "/" + strings.Repeat("a", 108)} {
		if l, err := ParseListen(bad); err == nil {
			t.Errorf("%q is accepted: %v", bad, l)
		}
	}
}

func TestQuoteWord(t *testing.T) {
	t.Parallel()
	for _, w := range []string{"a", "", "a b", `a"b`, `a\b`, "a\nb", "a\tb", ";", "'", "\x01", "äöü", "a;b"} {
		got, err := UnescapeWords(QuoteWord(w))
		if err != nil || len(got) != 1 || got[0] != w {
			t.Errorf("%q quotes to %s, which reads as %q, %v", w, QuoteWord(w), got, err)
		}
	}
}

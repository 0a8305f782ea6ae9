package unitname

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"

	"github.com/unitgen/unitgen/internal/testenv"
)

var samples = []string{
	"", "a", "a b", "/", "//", "/var/log", "var/log/", "a-b", "-a", ".hidden", "/.hidden", "/a/./b//c/", "a\\b", "x:y_z.w",
	"ä", "/dev/sda", "/tmp//..//x", "..", "a..b", "@", "a@b", "foo.service", "100%", "~", "\x01", "/mnt/my data/", "-", "--",
	strings.Repeat("a", 255), strings.Repeat("a", 256) + "/b", strings.Repeat("abcdef/", 585), strings.Repeat("abcdef-", 584), strings.Repeat("/", 5000) + "a",
}

func run(t *testing.T, args ...string) (string, bool) {
	t.Helper()
	var out bytes.Buffer
	c := exec.Command("systemd-escape", args...)
	c.Stdout = &out
	err := c.Run()
	return strings.TrimSuffix(out.String(), "\n"), err == nil
}

func TestEscapeLikeSystemdEscape(t *testing.T) {
	t.Parallel()
	testenv.Need(t, "systemd-escape")
	for _, s := range samples {
		if s == "" {
			continue
		}
		if want, ok := run(t, "--", s); ok && Escape(s) != want {
			t.Errorf("Escape(%q) = %q, systemd-escape says %q", s, Escape(s), want)
		}
		want, ok := run(t, "--path", "--", s)
		got, err := EscapePath(s)
		if ok != (err == nil) || ok && got != want {
			t.Errorf("EscapePath(%q) = %q, %v; systemd-escape says %q, %v", s, got, err, want, ok)
		}
		want, ok = run(t, "--unescape", "--", s)
		got, err = Unescape(s)
		if ok != (err == nil) || ok && got != want {
			t.Errorf("Unescape(%q) = %q, %v; systemd-escape says %q, %v", s, got, err, want, ok)
		}
		want, ok = run(t, "--unescape", "--path", "--", s)
		got, err = UnescapePath(s)
		if ok != (err == nil) || ok && got != want {
			t.Errorf("UnescapePath(%q) = %q, %v; systemd-escape says %q, %v", s, got, err, want, ok)
		}
		want, ok = run(t, "--mangle", "--", s)
		got, _, err = Mangle(s, "service")
		if ok != (err == nil) || ok && got != want {
			t.Errorf("Mangle(%q) = %q, %v; systemd-escape says %q, %v", s, got, err, want, ok)
		}
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name                      string
		valid, template, instance bool
		typ                       string
	}{
		{"a.service", true, false, false, "service"},
		{"a@.service", true, true, false, "service"},
		{"a@b.service", true, false, true, "service"},
		{"a@b@c.service", true, false, true, "service"},
		{"@b.service", false, false, true, "service"},
		{".service", false, false, false, "service"},
		{"a", false, false, false, ""},
		{"a.foo", false, false, false, ""},
		{"a b.service", false, false, false, "service"},
		{"-.mount", true, false, false, "mount"},
		{"a/b.service", false, false, false, "service"},
		{strings.Repeat("a", 247) + ".service", true, false, false, "service"},
		{strings.Repeat("a", 248) + ".service", false, false, false, "service"},
	} {
		if Valid(c.name) != c.valid {
			t.Errorf("Valid(%q) = %v", c.name, !c.valid)
		}
		if Type(c.name) != c.typ {
			t.Errorf("Type(%q) = %q", c.name, Type(c.name))
		}
		if c.valid && (IsTemplate(c.name) != c.template || IsInstance(c.name) != c.instance) {
			t.Errorf("%q: template %v, instance %v", c.name, IsTemplate(c.name), IsInstance(c.name))
		}
	}
	if n, err := WithInstance("a@.service", "x@y"); n != "a@x@y.service" || err != nil {
		t.Errorf("WithInstance = %q, %v", n, err)
	}
	if _, err := Build("a@b", "c", "service", true); err == nil {
		t.Error("Build accepts an @ in the prefix")
	}
	if n, err := FromPath("/var/lib", "mount"); n != "var-lib.mount" || err != nil {
		t.Errorf("FromPath = %q, %v", n, err)
	}
}

func FuzzEscape(f *testing.F) {
	for _, s := range samples {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		e := Escape(s)
		if back, err := Unescape(e); err != nil || back != s {
			t.Fatalf("Unescape(Escape(%q)) = %q, %v", s, back, err)
		}
		if p, err := EscapePath(s); err == nil {
			if _, err := UnescapePath(p); err != nil {
				t.Fatalf("UnescapePath(EscapePath(%q)): %v", s, err)
			}
		}
		if m, _, err := Mangle(s, "service"); err == nil && !Valid(m) {
			t.Fatalf("Mangle(%q) = %q is not valid", s, m)
		}
		Valid(s)
		Split(s)
		Template(s)
		_, _ = ToPath(s)
	})
}

package specifier

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/unitgen/unitgen/internal/testenv"
	"github.com/unitgen/unitgen/schema/directive"
)

// TestSpecifiersLikeSystemd lets systemd-analyze verify complain of a path that
// is not absolute: it names the path with its specifiers expanded.
func TestSpecifiersLikeSystemd(t *testing.T) {
	testenv.Need(t, "systemd-analyze")
	testenv.NeedRoot(t) // else systemd-analyze stands for the user's manager
	letters := "aAbBCdEfgGhHiIjJlLmMnNopPqsStTuUvVwWyYzZxX0%-"
	for _, unit := range []string{"plain.service", "a-b-c.service", `x\x20y-z.service`, "foo@bar.service", `a-b@c-d.service`, `q-w@\x2fx.service`, "t@.timer", "my.dot-ted.socket"} {
		t.Run(unit, func(t *testing.T) {
			t.Parallel()
			dir, err := filepath.EvalSymlinks(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(dir, unit)
			text := "[Unit]\n"
			for _, c := range letters {
				text += "ConditionPathExists=<%" + string(c) + ">\n"
			}
			if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			c := exec.Command("systemd-analyze", "verify", "--man=no", file)
			// Without $SHELL, as process 1 is.
			c.Env = []string{"LC_ALL=C.UTF-8", "SYSTEMD_LOG_LEVEL=warning", "PATH=" + os.Getenv("PATH")}
			var errs bytes.Buffer
			c.Stderr = &errs
			_ = c.Run()
			said := map[int]string{}
			for _, m := range regexp.MustCompile(`(?m)^.*:(\d+): (.*)$`).FindAllStringSubmatch(errs.String(), -1) {
				n, _ := strconv.Atoi(m[1])
				said[n-2] = m[2]
			}
			ctx := System()
			ctx.Unit, ctx.Fragment, ctx.Host = unit, file, ReadHost("/")
			if IsTemplate(unit) {
				// A template is verified as an instance.
				ctx.Unit = strings.Replace(unit, "@.", "@i.", 1)
			}
			for i, r := range letters {
				got, err := Expand("<%"+string(r)+">", directive.SpecifiersUnit, &ctx)
				want, ok := strings.CutPrefix(said[i], "ConditionPathExists= path is not absolute, ignoring: ")
				switch {
				case !ok && err == nil:
					t.Errorf("%%%c: %q, systemd says %q", r, got, said[i])
				case ok && err != nil:
					t.Errorf("%%%c: %v, systemd expands to %q", r, err, want)
				case ok && got != want:
					t.Errorf("%%%c: %q, systemd expands to %q", r, got, want)
				}
			}
		})
	}
}

// IsTemplate reports whether a test's unit is a template.
func IsTemplate(unit string) bool { return strings.Contains(unit, "@.") }

func TestExpand(t *testing.T) {
	t.Parallel()
	c := System()
	c.Unit = "a@b.service"
	for _, x := range []struct {
		in   string
		set  directive.Specifiers
		want string
	}{
		{"%i", directive.SpecifiersUnit, "b"},
		{"%i", directive.SpecifiersNone, "%i"},
		{"100%", directive.SpecifiersUnit, "100%"},
		{"100%%", directive.SpecifiersUnit, "100%"},
		{"%%i", directive.SpecifiersUnit, "%i"},
		{"%-x", directive.SpecifiersUnit, "%-x"},
		{"%t/%n", directive.SpecifiersUnit, "/run/a@b.service"},
		{"%p@%i", directive.SpecifiersName, "a@b"},
		{"%d", directive.SpecifiersUnit, "/run/credentials/a@b.service"},
	} {
		if got, err := Expand(x.in, x.set, &c); err != nil || got != x.want {
			t.Errorf("%q: %q, %v; want %q", x.in, got, err, x.want)
		}
	}
	for _, bad := range []struct {
		in  string
		set directive.Specifiers
	}{{"%Z", directive.SpecifiersUnit}, {"%t", directive.SpecifiersName}, {"%I", directive.SpecifiersInstall}, {"%h", directive.SpecifiersInstall}} {
		if got, err := Expand(bad.in, bad.set, &c); err == nil {
			t.Errorf("%q expands to %q", bad.in, got)
		}
	}
	if _, err := Expand("%y", directive.SpecifiersUnit, &c); !errors.Is(err, ErrNoFragment) {
		t.Errorf("%%y without a fragment: %v", err)
	}
	if _, err := Expand("%n", directive.SpecifiersUnit, &Context{}); !errors.Is(err, ErrNoUnit) {
		t.Errorf("%%n without a unit: %v", err)
	}
	if _, err := Expand(strings.Repeat("%n", 1<<20), directive.SpecifiersUnit, &c); err == nil {
		t.Error("an expansion without bound is accepted")
	}
}

func TestUserDirectories(t *testing.T) {
	t.Parallel()
	m := Manager{Name: "ann", Group: "staff", UID: 1000, GID: 50, Home: "/home/ann", Shell: "/bin/zsh"}
	for _, x := range []struct {
		env     map[string]string
		version int
		want    string
	}{
		{nil, 0, "/run/user/1000 /home/ann/.local/state /home/ann/.cache /home/ann/.local/state/log /home/ann/.config /tmp /var/tmp ann 1000 staff 50 /bin/zsh"},
		{nil, 252, "/run/user/1000 /home/ann/.config /home/ann/.cache /home/ann/.config/log /home/ann/.config /tmp /var/tmp ann 1000 staff 50 /bin/zsh"},
		{map[string]string{"XDG_RUNTIME_DIR": "/r", "XDG_STATE_HOME": "/s", "XDG_CACHE_HOME": "rel", "XDG_CONFIG_HOME": "/c", "TMPDIR": "/t", "TEMP": "/u"}, 0,
			"/r /s /home/ann/.cache /s/log /c /t /t ann 1000 staff 50 /bin/zsh"},
	} {
		c := User(m, x.env, x.version)
		c.Unit = "a.service"
		if got, err := Expand("%t %S %C %L %E %T %V %u %U %g %G %s", directive.SpecifiersUnit, &c); err != nil || got != x.want {
			t.Errorf("%v in %d:\n got %s, %v\nwant %s", x.env, x.version, got, err, x.want)
		}
	}
}

func TestUnknown(t *testing.T) {
	t.Parallel()
	if u := Unknown("%Z %i %% %D %t %Z %- %", directive.SpecifiersName, 252); strings.Join(u, ",") != "%Z,%D,%t" {
		t.Errorf("unknown in names: %v", u)
	}
	if u := Unknown("%D %y", directive.SpecifiersUnit, 250); strings.Join(u, ",") != "%D,%y" {
		t.Errorf("unknown in 250: %v", u)
	}
	if u := Unknown("%Z", directive.SpecifiersNone, 0); u != nil {
		t.Errorf("unknown where none are expanded: %v", u)
	}
}

func FuzzExpand(f *testing.F) {
	f.Add("%i-%%-%Z", "a@b.service")
	f.Fuzz(func(t *testing.T, s, unit string) {
		c := System()
		c.Unit, c.Fragment = unit, "/x"
		out, err := Expand(s, directive.SpecifiersUnit, &c)
		if err == nil && len(out) > maxExpanded {
			t.Fatalf("%d bytes", len(out))
		}
		if out, err := Expand(Escape(s), directive.SpecifiersUnit, &c); err == nil && out != s {
			t.Fatalf("%q escaped expands to %q", s, out)
		}
	})
}

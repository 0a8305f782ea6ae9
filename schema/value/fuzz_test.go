package value

import (
	"strings"
	"testing"
	"time"

	"github.com/unitgen/unitgen/schema/directive"
	"github.com/unitgen/unitgen/schema/specifier"
)

// kinds gives every kind of the table, once.
func kinds() []directive.Kind {
	seen := map[directive.Kind]bool{}
	var out []directive.Kind
	for _, d := range directive.All() {
		if !seen[d.Kind] {
			seen[d.Kind] = true
			out = append(out, d.Kind)
		}
	}
	return out
}

// FuzzCheck gives any text to every kind: nothing panics, and what is canonical
// stays so.
func FuzzCheck(f *testing.F) {
	for i, s := range samples {
		f.Add(uint8(i), s)
	}
	all := kinds()
	names := specifier.System()
	names.Unit, names.Fragment = "a@b.service", "/etc/systemd/system/a@.service"
	f.Fuzz(func(t *testing.T, which uint8, s string) {
		for i := range 4 {
			k := all[(int(which)*4+i)%len(all)]
			for _, ctx := range []Context{{Specifiers: directive.SpecifiersUnit}, {Systemd: 252, User: true, Specifiers: directive.SpecifiersUnit, Names: &names}} {
				c, err := Check(k, s, ctx)
				if err != nil || c == "" {
					continue
				}
				again, err := Check(k, c, ctx)
				if err != nil || again != c {
					t.Fatalf("%s: %q is canonical as %q, which is canonical as %q, %v", k, s, c, again, err)
				}
			}
		}
	})
}

// TestCanonicalWords: a list means the same in its canonical form.
func TestCanonicalWords(t *testing.T) {
	t.Parallel()
	for kind, flags := range map[directive.Kind]Flags{
		directive.UnitList: Unquote | RetainEscape, directive.PathList: Unquote, directive.Environment: Unquote | CUnescape, "namespace-paths": Unquote,
	} {
		for _, s := range append(samples, `a\x2db.service c.service`, `"/a b" '/c"d' /e\ f`, "\"A=a\tb\" B=c", `A=\x41\n "B=\"c\""`, "\"/a\tb\"") {
			c, err := Check(kind, s, Context{})
			if err != nil {
				continue
			}
			want, _ := Split(s, "", flags)
			got, err := Split(c, "", flags)
			if err != nil || strings.Join(got, "\x00") != strings.Join(want, "\x00") {
				t.Errorf("%s: %q is %q, its canonical form %q is %q (%v)", kind, s, want, c, got, err)
			}
		}
	}
}

func FuzzWord(f *testing.F) {
	for _, s := range samples {
		f.Add(s, uint(Unquote|CUnescape))
	}
	f.Fuzz(func(t *testing.T, s string, flags uint) {
		rest := s
		for range len(s) + 1 {
			_, after, ok, err := Word(rest, "", Flags(flags))
			if err != nil || !ok || after == "" {
				break
			}
			if len(after) >= len(rest) {
				t.Fatalf("%q: no progress from %q to %q", s, rest, after)
			}
			rest = after
		}
		if strings.Contains(s, "\x00") {
			return // no value can hold it
		}
		if ws, err := UnescapeWords(s); err == nil {
			again, err := UnescapeWords(JoinWords(ws))
			if err != nil || strings.Join(again, "\x00") != strings.Join(ws, "\x00") {
				t.Fatalf("%q: %q, joined %q: %v", ws, again, JoinWords(ws), err)
			}
		}
	})
}

func FuzzTimeSpan(f *testing.F) {
	f.Add("1h 30min 1.5s")
	f.Fuzz(func(t *testing.T, s string) {
		v, err := ParseTimeSpan(s)
		if err != nil {
			return
		}
		again, err := ParseTimeSpan(FormatTimeSpan(v, 1))
		if err != nil || again != v {
			t.Fatalf("%q is %d, written %q, which is %d, %v", s, v, FormatTimeSpan(v, 1), again, err)
		}
	})
}

func FuzzTimestamp(f *testing.F) {
	for _, s := range []string{"2026-01-31 12:00:00.5 UTC", "tomorrow Europe/Berlin", "+5min", "@1.5", "Sat 26-1-31 1:2", "3 days ago"} {
		f.Add(s)
	}
	now := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, s string) {
		if at, err := ParseTimestampAt(s, now, time.UTC); err == nil {
			FormatTimestamp(at, time.UTC)
			FormatRelative(at, now)
		}
	})
}

func FuzzEnvironmentFile(f *testing.F) {
	f.Add("A=b\n# c\\\nd\nE='f\n'\nG=\"h\\\ni\"")
	f.Fuzz(func(t *testing.T, s string) {
		as, _ := ParseEnvironmentFile(s)
		for _, a := range as {
			if !ValidEnvName(a.Name) {
				t.Fatalf("%q gives the name %q", s, a.Name)
			}
		}
	})
}

func FuzzCompareVersions(f *testing.F) {
	f.Add("1.2~rc1", "1.2")
	f.Fuzz(func(t *testing.T, a, b string) {
		if CompareVersions(a, b) != -CompareVersions(b, a) || CompareVersions(a, a) != 0 {
			t.Fatalf("%q and %q have no order", a, b)
		}
	})
}

// TestHugeValues gives long lines of everything to every kind, and ten megabytes
// to the parsers: bounded time.
func TestHugeValues(t *testing.T) {
	t.Parallel()
	const size = 1 << 18
	huge := []string{
		strings.Repeat("a", size), strings.Repeat("a ", size/2), strings.Repeat("\\", size), strings.Repeat("\"", size), strings.Repeat("1,", size/2),
		strings.Repeat("%i", size/2), strings.Repeat("/", size), strings.Repeat("9", size), strings.Repeat("1h ", size/3), strings.Repeat("a:", size/2),
		strings.Repeat("; ", size/2), strings.Repeat("Mon,", size/4),
	}
	names := specifier.System()
	names.Unit = "a@b.service"
	start := time.Now()
	for i, k := range kinds() {
		s := huge[i%len(huge)]
		before := time.Now()
		_, _ = Check(k, s, Context{Specifiers: directive.SpecifiersUnit, Names: &names})
		if d := time.Since(before); d > 10*time.Second {
			t.Errorf("%s takes %v for %d bytes of %q", k, d, len(s), s[:4])
		}
	}
	parsers := map[string]func(string) error{
		"command":     func(s string) error { _, err := ParseCommandLine(s, 0); return err },
		"environment": func(s string) error { _, err := ParseEnvironment(s); return err },
		"file":        func(s string) error { _, err := ParseEnvironmentFile(s); return err },
		"calendar":    func(s string) error { _, err := ParseCalendarIn(s, time.UTC); return err },
		"timestamp":   func(s string) error { _, err := ParseTimestampAt(s, start, time.UTC); return err },
		"timespan":    func(s string) error { _, err := ParseTimeSpan(s); return err },
		"size":        func(s string) error { _, err := ParseSize(s); return err },
		"cpus":        func(s string) error { _, err := ParseCPUSet(s); return err },
		"syscalls":    func(s string) error { _, _, err := ParseSyscallFilter(s); return err },
		"bind":        func(s string) error { _, err := ParseBindPaths(s, nil); return err },
		"versions":    func(s string) error { CompareVersions(s, s+"1"); return nil },
		"listen":      func(s string) error { _, err := ParseListen(s); return err },
	}
	for name, parse := range parsers {
		for _, i := range []int{len(name), len(name) + 5} {
			s := strings.Repeat(huge[i%len(huge)], 40)
			before := time.Now()
			_ = parse(s)
			if d := time.Since(before); d > 10*time.Second {
				t.Errorf("%s takes %v for %d bytes of %q", name, d, len(s), s[:4])
			}
		}
	}
	t.Logf("%v in all", time.Since(start))
}

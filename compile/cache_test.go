package compile

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/unitgen/unitgen/schema/diag"
)

// TestCacheIsNeverWrong changes every kind of input after a check and sees the
// change in the next one.
func TestCacheIsNeverWrong(t *testing.T) {
	setup := map[string]string{
		"host.ug.hcl": `host "h" { imports = ["./m", "./link"] }
host "other" {}
service "a" {
  ExecStart = "/bin/a ${config.m.x} ${file("data.txt")} ${config.n.y}"
}
etc "f" { source = "f.txt" }
warn {
  condition = trimspace(file("data.txt")) == "1" && !fileexists("extra.txt")
  message   = "data is ${file("data.txt")}"
}
`,
		"data.txt":   "1",
		"f.txt":      "f",
		"m/m.ug.hcl": "option \"x\" { default = 1 }\n",
		"n1/n.ug.hcl": `module "n" {}
option "y" { default = 1 }
`,
		"n2/n.ug.hcl": `module "n" {}
`,
	}
	changes := []struct {
		name   string
		change func(t *testing.T, dir string)
		code   string // of the diagnostic that must come; "" for none
	}{
		{"nothing", func(*testing.T, string) {}, ""},
		{"a source file", func(t *testing.T, dir string) { put(t, dir, "m/m.ug.hcl", "option \"y\" { default = 1 }\n") }, "E0303"},
		{"same size and time", func(t *testing.T, dir string) {
			p := filepath.Join(dir, "m/m.ug.hcl")
			st, _ := os.Stat(p)
			put(t, dir, "m/m.ug.hcl", "option \"z\" { default = 1 }\n")
			if err := os.Chtimes(p, st.ModTime(), st.ModTime()); err != nil {
				t.Fatal(err)
			}
		}, "E0303"},
		{"a new source file", func(t *testing.T, dir string) { put(t, dir, "m/b.ug.hcl", "optin \"y\" {}\n") }, "E0202"},
		{"a source file gone", func(t *testing.T, dir string) { _ = os.Remove(filepath.Join(dir, "m/m.ug.hcl")) }, "E0107"},
		{"a file that a function read", func(t *testing.T, dir string) { put(t, dir, "data.txt", "2") }, "W0317"},
		{"a file that a function asked for", func(t *testing.T, dir string) { put(t, dir, "extra.txt", "") }, "W0317"},
		{"a file that a function read gone", func(t *testing.T, dir string) { _ = os.Remove(filepath.Join(dir, "data.txt")) }, "E0304"},
		{"a source of an etc block gone", func(t *testing.T, dir string) { _ = os.Remove(filepath.Join(dir, "f.txt")) }, "E0105"},
		{"a link to a module", func(t *testing.T, dir string) {
			_ = os.Remove(filepath.Join(dir, "link"))
			if err := os.Symlink("n2", filepath.Join(dir, "link")); err != nil {
				t.Fatal(err)
			}
		}, "E0303"},
	}
	for _, c := range changes {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for name, text := range setup {
				put(t, dir, name, text)
			}
			if err := os.Symlink("n1", filepath.Join(dir, "link")); err != nil {
				t.Fatal(err)
			}
			o := Options{Dir: dir, Host: "h", Cache: t.TempDir()}
			if r, d := Check(context.Background(), o); len(d) > 0 || r.Stats.Cached {
				t.Fatalf("first check: cached %t, %v", r.Stats.Cached, d)
			}
			if r, d := Check(context.Background(), o); len(d) > 0 || !r.Stats.Cached {
				t.Fatalf("second check: cached %t, %v", r.Stats.Cached, d)
			}
			c.change(t, dir)
			r, d := Check(context.Background(), o)
			if c.code == "" {
				if len(d) > 0 || !r.Stats.Cached {
					t.Errorf("cached %t, %v", r.Stats.Cached, d)
				}
				return
			}
			if !has(d, c.code) {
				t.Errorf("no %s, but %v", c.code, d)
			}
			want, _ := render(Compile(context.Background(), Options{Dir: dir, Host: "h"}))
			for range 2 { // once found, once from the cache
				got, _ := render(Check(context.Background(), o))
				if got != want {
					t.Errorf("got:\n%s\nwant:\n%s", got, want)
				}
			}
		})
	}
	t.Run("the choice of host", func(t *testing.T) {
		dir, cache := t.TempDir(), t.TempDir()
		put(t, dir, "host.ug.hcl", "host \"a\" {}\nhost \"b\" {}\nassert {\n  condition = host.name == \"a\"\n  message = \"no\"\n}\n")
		for range 2 {
			for host, want := range map[string]bool{"a": false, "b": true} {
				if _, d := Check(context.Background(), Options{Dir: dir, Host: host, Cache: cache}); d.HasErrors() != want {
					t.Errorf("host %s: %v", host, d)
				}
			}
		}
	})
	t.Run("what was missing comes", func(t *testing.T) {
		for name, text := range map[string]string{
			"data.txt": `etc "a" { text = file("data.txt") }`,
			"t.tmpl":   `etc "a" { text = templatefile("t.tmpl", {}) }`,
			"s.txt":    `etc "a" { source = "s.txt" }`,
			"x.age":    "service \"a\" {\n  ExecStart = \"/bin/a\"\n}\ncredential \"x\" {\n  unit = service.a\n  age = \"x.age\"\n}",
		} {
			dir, cache := t.TempDir(), t.TempDir()
			put(t, dir, "host.ug.hcl", text+"\n")
			o := Options{Dir: dir, Cache: cache}
			for range 2 {
				if _, d := Check(context.Background(), o); !d.HasErrors() {
					t.Errorf("%s: no error while it is missing", name)
				}
			}
			put(t, dir, name, "age-encryption.org/v1\n")
			for range 2 {
				if _, d := Check(context.Background(), o); d.HasErrors() {
					t.Errorf("%s: there now, and still %v", name, d)
				}
			}
		}
	})
	t.Run("a program that failed", func(t *testing.T) {
		dir, cache := t.TempDir(), t.TempDir()
		put(t, dir, "host.ug.hcl", "generate \"g\" { program = \"p.jsonnet\" }\netc \"x\" { jsonnet = \"x.jsonnet\" }\n")
		put(t, dir, "p.jsonnet", "error 'not yet'")
		put(t, dir, "x.jsonnet", "import 'lib.libsonnet'")
		o := Options{Dir: dir, Cache: cache}
		for range 2 {
			if _, d := Check(context.Background(), o); !has(d, "E0701") {
				t.Errorf("no error: %v", d)
			}
		}
		put(t, dir, "p.jsonnet", "{}")
		put(t, dir, "lib.libsonnet", "{ a: 1 }")
		for range 2 {
			if _, d := Check(context.Background(), o); d.HasErrors() {
				t.Errorf("mended, and still %v", d)
			}
		}
		put(t, dir, "lib.libsonnet", "{ a: error 'again' }")
		if _, d := Check(context.Background(), o); !has(d, "E0701") {
			t.Errorf("no error: %v", d)
		}
	})
	t.Run("a damaged record", func(t *testing.T) {
		dir, cache := t.TempDir(), t.TempDir()
		put(t, dir, "host.ug.hcl", "service \"a\" {\n  ExecStart = \"/bin/a\"\n}\n")
		o := Options{Dir: dir, Cache: cache}
		Check(context.Background(), o)
		records, _ := filepath.Glob(filepath.Join(cache, "check", "*"))
		if len(records) != 1 {
			t.Fatal(records)
		}
		b, _ := os.ReadFile(records[0])
		for _, bad := range [][]byte{nil, b[:len(b)/2], append([]byte("x"), b...), []byte(strings.Repeat("\x00", len(b)))} {
			if err := os.WriteFile(records[0], bad, 0o600); err != nil {
				t.Fatal(err)
			}
			if r, d := Check(context.Background(), o); len(d) > 0 || r.Stats.Cached {
				t.Errorf("cached %t, %v", r.Stats.Cached, d)
			}
		}
	})
	t.Run("a cache that cannot be written", func(t *testing.T) {
		dir := t.TempDir()
		put(t, dir, "host.ug.hcl", "service \"a\" {\n  ExecStart = \"/bin/a\"\n}\n")
		put(t, dir, "file", "")
		if _, d := Check(context.Background(), Options{Dir: dir, Cache: filepath.Join(dir, "file", "x")}); len(d) > 0 {
			t.Error(d)
		}
	})
}

func put(t testing.TB, dir, name, text string) {
	t.Helper()
	p := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func has(l diag.List, code string) bool {
	for _, d := range l {
		if d.Code == code {
			return true
		}
	}
	return false
}

func render(r *Result, d diag.List) (string, error) {
	var b strings.Builder
	err := diag.Render(&b, d, diag.RenderOptions{Source: r.SourceBytes})
	return b.String(), err
}

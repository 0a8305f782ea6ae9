package compile

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestHostileInput gives the compiler what no person writes: each is an error
// within seconds and bounded memory.
func TestHostileInput(t *testing.T) {
	nest := func(open, shut string, n int) string {
		return "locals {\n  a = " + strings.Repeat(open, n) + "1" + strings.Repeat(shut, n) + "\n}\n"
	}
	blocks := func(n int) string { return strings.Repeat("service \"a\" {\n", n) + strings.Repeat("}\n", n) }
	var doubling strings.Builder
	doubling.WriteString("locals {\n  a0 = \"0123456789\"\n")
	for i := 1; i < 60; i++ {
		fmt.Fprintf(&doubling, "  a%d = \"${local.a%d}${local.a%d}\"\n", i, i-1, i-1)
	}
	doubling.WriteString("}\n")
	var lists strings.Builder
	lists.WriteString("locals {\n  a0 = [1]\n")
	for i := 1; i < 60; i++ {
		fmt.Fprintf(&lists, "  a%d = concat(local.a%d, local.a%d)\n", i, i-1, i-1)
	}
	lists.WriteString("}\n")
	cases := []struct {
		name, text, code string
	}{
		{"parentheses", nest("(", ")", 100000), "E0103"},
		{"brackets", nest("[", "]", 100000), "E0103"},
		{"braces", nest("{ a = ", "}", 100000), "E0103"},
		{"not", nest("!", "", 100000), "E0103"},
		{"minus", nest("-", "", 100000), "E0103"},
		{"plus", nest("1 + ", "", 100000), "E0103"},
		{"plus in parentheses over lines", "locals {\n  a = (" + strings.Repeat("1 +\n", 100000) + "1)\n}\n", "E0103"},
		{"conditionals", nest("true ? 1 : ", "", 100000), "E0103"},
		{"templates", nest("\"${", "}\"", 100000), "E0103"},
		{"template directives", "locals {\n  a = \"" + strings.Repeat("%{if true}", 100000) + "\"\n}\n", "E0103"},
		{"index", nest("", "[0]", 100000), "E0103"},
		{"blocks", blocks(100000), "E0103"},
		{"open braces", strings.Repeat("{", 1000000), "E0103"},
		{"long line", "locals {\n  a = \"" + strings.Repeat("x", 10<<20) + "\"\n}\n", "E0104"},
		{"invalid UTF-8", "locals {\n  a = \"\xff\"\n}\n", "E0102"},
		{"byte order mark", "\xef\xbb\xbflocals {}\n", "E0102"},
		{"UTF-16", "\xff\xfel\x00", "E0102"},
		{"NUL", "locals {\n  a = \"\x00\"\n}\n", "E0102"},
		{"doubling templates", doubling.String(), "E0310"},
		{"doubling lists", lists.String(), "E0310"},
		{"nested for", "locals {\n  a = length([for a in range(1000) : [for b in range(1000) : [for c in range(1000) : \"${a}${b}${c}\"]]])\n}\n", "E0110"},
		{"injected newline", "service \"a\" {\n  ExecStart = \"/bin/a\"\n  Description = \"x\\n[Service]\\nExecStart=/bin/evil\"\n}\n", "E0506"},
		{"injected section", "service \"a\" {\n  ExecStart = \"/bin/a\"\n  section \"X]\\n[Service\" {\n    A = 1\n  }\n}\n", "E0217"},
		{"injected key", "service \"a\" {\n  ExecStart = \"/bin/a\"\n  Environment = { \"A\\nB\" = 1 }\n}\n", "E0505"},
		{"injected account", "user \"a\" { description = \"x\\nu root 0\" }\n", "E0506"},
		{"injected sysctl", "sysctl \"a\\nb\" { value = 1 }\n", "E0217"},
		{"injected tmpfile", "tmpfile \"/a\\nb\" {}\n", "E0608"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			put(t, dir, "host.ug.hcl", c.text)
			bounded(t, dir, c.code)
		})
	}
	t.Run("CRLF", func(t *testing.T) {
		dir := t.TempDir()
		put(t, dir, "host.ug.hcl", "service \"a\" {\r\n  ExecStart = \"/bin/a\"\r\n}\r\n")
		if _, d := Compile(context.Background(), Options{Dir: dir}); len(d) > 0 {
			t.Error(d)
		}
	})
	t.Run("the kernel's log", func(t *testing.T) {
		dir := t.TempDir()
		put(t, dir, "host.ug.hcl", "host \"h\" {}\n")
		if err := os.Symlink("/proc/kmsg", filepath.Join(dir, "log.ug.hcl")); err != nil {
			t.Fatal(err)
		}
		bounded(t, dir, "E0105")
	})
	t.Run("100,000 definitions", func(t *testing.T) {
		dir := t.TempDir()
		put(t, dir, "host.ug.hcl", "module \"m\" {}\noption \"a\" { type = number }\n"+strings.Repeat("config \"m\" { a = 1 }\n", 99999)+"config \"m\" { a = 2 }\n")
		bounded(t, dir, "E0411")
	})
	t.Run("chain of 100,000", func(t *testing.T) {
		dir := t.TempDir()
		chain(t, dir, 100000)
		bounded(t, dir, "E0307")
	})
	t.Run("special files", func(t *testing.T) {
		for name, make := range map[string]func(p string) error{
			"FIFO":        func(p string) error { return syscall.Mkfifo(p, 0o644) },
			"link loop":   func(p string) error { return os.Symlink(filepath.Base(p), p) },
			"device":      func(p string) error { return os.Symlink("/dev/zero", p) },
			"directory":   func(p string) error { return os.Mkdir(p, 0o755) },
			"broken link": func(p string) error { return os.Symlink("nowhere", p) },
		} {
			dir := t.TempDir()
			if err := make(filepath.Join(dir, "host.ug.hcl")); err != nil {
				t.Fatal(err)
			}
			t.Run(name, func(t *testing.T) { bounded(t, dir, "E0105") })
		}
	})
	t.Run("import loop", func(t *testing.T) {
		dir := t.TempDir()
		put(t, dir, "host.ug.hcl", "host \"h\" { imports = [\"./a\", \"./loop\"] }\n")
		put(t, dir, "a/a.ug.hcl", "module \"a\" { imports = [\"../b\"] }\n")
		put(t, dir, "b/b.ug.hcl", "module \"b\" { imports = [\"../a\"] }\n")
		if err := os.Symlink("loop", filepath.Join(dir, "loop")); err != nil {
			t.Fatal(err)
		}
		bounded(t, dir, "E0106")
	})
	t.Run("a file for the directory", func(t *testing.T) {
		f := filepath.Join(t.TempDir(), "host.ug.hcl")
		if err := os.WriteFile(f, []byte("host \"h\" {}\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		bounded(t, f, "E0106")
	})
	t.Run("missing directory", func(t *testing.T) { bounded(t, filepath.Join(t.TempDir(), "x"), "E0106") })
	t.Run("empty directory", func(t *testing.T) { bounded(t, t.TempDir(), "E0107") })
}

// bounded wants the code among the diagnostics, in bounded time and memory.
func bounded(t *testing.T, dir, code string) {
	t.Helper()
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	r, d := Compile(context.Background(), Options{Dir: dir})
	took := time.Since(start)
	runtime.ReadMemStats(&after)
	if !has(d, code) {
		text, _ := render(r, d)
		t.Errorf("no %s, but\n%s", code, text[:min(len(text), 2000)])
	}
	if len(d) > 5 {
		t.Errorf("%d diagnostics for one mistake", len(d))
	}
	if took > 30*time.Second {
		t.Errorf("it took %s", took)
	}
	if grew := int64(after.Sys) - int64(before.Sys); grew > 3<<30 {
		t.Errorf("it took %d MiB", grew>>20)
	}
	if text, err := render(r, d); err != nil || len(text) > 100000 {
		t.Errorf("the report has %d bytes: %v", len(text), err)
	}
}

// FuzzCompile compiles any text: it must not panic.
func FuzzCompile(f *testing.F) {
	seeds, _ := filepath.Glob("testdata/*.txtar")
	for _, s := range seeds {
		b, err := os.ReadFile(s)
		if err != nil {
			f.Fatal(err)
		}
		for _, part := range strings.Split(string(b), "\n-- ") {
			if name, text, ok := strings.Cut(part, " --\n"); ok && strings.HasSuffix(name, ".ug.hcl") {
				f.Add(text)
			}
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		dir := t.TempDir()
		put(t, dir, "host.ug.hcl", text)
		start := time.Now()
		r, d := Compile(context.Background(), Options{Dir: dir, Host: ""})
		if took := time.Since(start); took > 20*time.Second {
			t.Fatalf("it took %s", took)
		}
		if has(d, "E0001") {
			out, _ := render(r, d)
			t.Fatalf("%s", out)
		}
		if _, err := render(r, d); err != nil {
			t.Fatal(err)
		}
	})
}

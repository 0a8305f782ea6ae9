package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

type diagnostic struct {
	Severity, Code, Summary, Detail string
	Range                           struct {
		File         string
		Line, Column int
	}
	Related []struct {
		Message string
		Range   struct {
			File string
			Line int
		}
	}
}

// TestBadHosts goes through testdata/bad. The file "want" of each has, on one
// line, the exit code, "file" or "file:line" of the one error there is, and
// texts that it has to contain, with " | " between them.
func TestBadHosts(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/bad/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no test files: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			h := emptyHost(t)
			var want string
			for _, f := range a.Files {
				if f.Name == "want" {
					want = strings.TrimSpace(string(f.Data))
					continue
				}
				p := filepath.Join(h.dir, f.Name)
				if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(p, f.Data, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			checkRefused(t, h, want)
		})
	}
}

func emptyHost(t *testing.T) *host {
	t.Helper()
	base := t.TempDir()
	h := &host{t: t, as: self, dir: filepath.Join(base, "a", "b", "host"), state: filepath.Join(base, "a", "b", "state"), runtime: filepath.Join(base, "r")}
	if err := os.MkdirAll(h.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return h
}

func checkRefused(t *testing.T, h *host, want string) {
	t.Helper()
	codeText, rest, _ := strings.Cut(want, " ")
	where, texts, _ := strings.Cut(rest, " ")
	code, err := strconv.Atoi(codeText)
	if err != nil {
		t.Fatalf("want: %v", err)
	}
	s := h.try(unitgen(t), "check", "--json", h.dir)
	if s.code != code {
		t.Errorf("check: exit code %d, want %d: %v", s.code, code, s)
	}
	var report struct{ Diagnostics []diagnostic }
	if err := json.Unmarshal([]byte(s.stdout), &report); err != nil {
		t.Fatalf("check --json: %v: %v", err, s)
	}
	var all []diagnostic
	for _, d := range report.Diagnostics {
		if d.Severity == "error" {
			all = append(all, d)
		}
	}
	if len(all) != 1 {
		t.Fatalf("%d errors, want 1: %+v", len(all), all)
	}
	d := all[0]
	at := d.Range.File
	if strings.Contains(where, ":") {
		at += fmt.Sprintf(":%d", d.Range.Line)
	}
	if at != where {
		t.Errorf("it is reported at %s, want %s", at, where)
	}
	var related strings.Builder
	for _, r := range d.Related {
		fmt.Fprintf(&related, "%s %s:%d\n", r.Message, r.Range.File, r.Range.Line)
	}
	said := d.Summary + "\n" + d.Detail + "\n" + related.String()
	for _, text := range strings.Split(texts, " | ") {
		if !strings.Contains(said, text) {
			t.Errorf("it does not say %q:\n%s", text, said)
		}
	}
	if d.Detail == "" {
		t.Errorf("%q has no detail that says why, and what to do", d.Summary)
	}
	// The others refuse it just so, and write nothing at all.
	for _, command := range []string{"build", "switch"} {
		s := h.unitgen(command, h.dir)
		if s.code != code {
			t.Errorf("%s: exit code %d, want %d: %v", command, s.code, code, s)
		}
		if !strings.Contains(s.stderr, d.Summary) {
			t.Errorf("%s does not say %q: %s", command, d.Summary, s.stderr)
		}
	}
	checkNothingBuilt(t, h)
}

// checkNothingBuilt wants no tree, no generation, and no file outside of the
// host and the state directory.
func checkNothingBuilt(t *testing.T, h *host) {
	t.Helper()
	for _, d := range []string{"store", "generations"} {
		if entries, err := os.ReadDir(filepath.Join(h.state, d)); err == nil && len(entries) > 0 {
			t.Errorf("%s is not empty: %v", d, entries)
		}
	}
	base := filepath.Dir(h.dir)
	for dir, known := range map[string][]string{base: {"host", "state", ".cache"}, filepath.Dir(base): {"b"}, filepath.Dir(filepath.Dir(base)): {"a", "r"}} {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			ok := false
			for _, k := range known {
				ok = ok || e.Name() == k
			}
			if !ok {
				t.Errorf("%s was written", filepath.Join(dir, e.Name()))
			}
		}
	}
}

// TestBadFiles has input that txtar cannot hold.
func TestBadFiles(t *testing.T) {
	t.Parallel()
	const good = "host \"h\" {\n}\nservice \"a\" {\n  ExecStart = \"/bin/true\"\n}\n"
	for _, c := range []struct {
		name, want string
		files      map[string]string
		prepare    func(t *testing.T, dir string)
	}{
		{"NUL", "1 bad.ug.hcl ", map[string]string{"host.ug.hcl": good, "bad.ug.hcl": "locals {\n  a = \"\x00\"\n}\n"}, nil},
		{"not UTF-8", "1 bad.ug.hcl UTF-8", map[string]string{"host.ug.hcl": good, "bad.ug.hcl": "locals {\n  a = \"\xff\xfe\"\n}\n"}, nil},
		{"deep nesting", "1 bad.ug.hcl ", map[string]string{"host.ug.hcl": good, "bad.ug.hcl": "locals {\n  a = " + strings.Repeat("[", 100_000) + "\n}\n"}, nil},
		{"a directory of that name", "1 bad.ug.hcl ", map[string]string{"host.ug.hcl": good}, func(t *testing.T, dir string) {
			if err := os.Mkdir(filepath.Join(dir, "bad.ug.hcl"), 0o755); err != nil {
				t.Fatal(err)
			}
		}},
		{"a link that leads nowhere", "1 bad.ug.hcl ", map[string]string{"host.ug.hcl": good}, func(t *testing.T, dir string) {
			if err := os.Symlink("nowhere", filepath.Join(dir, "bad.ug.hcl")); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := emptyHost(t)
			for name, content := range c.files {
				h.write(name, content)
			}
			if c.prepare != nil {
				c.prepare(t, h.dir)
			}
			checkRefused(t, h, c.want)
		})
	}
}

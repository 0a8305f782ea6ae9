package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCheckKnowsWhatBuildRefuses collides paths and names of links: check says
// so, with the cache and without, and build refuses.
func TestCheckKnowsWhatBuildRefuses(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	const unit = "service \"a\" {\n  ExecStart = \"/bin/true\"\n%s}\n"
	with := func(line string) string { return strings.Replace(unit, "%s", line, 1) }
	for code, text := range map[string]string{
		"E0803": with("") + "etc \"systemd/system/a.service\" { text = \"x\" }\n",
		"E0804": "etc \"A\" { text = \"x\" }\netc \"a\" { text = \"x\" }\n",
		"E0805": "etc \"a\" { text = \"x\" }\netc \"a/b\" { text = \"x\" }\n",
		"E1041": with("  Alias = [\"a.socket\"]\n"),
		"E1042": with("  Alias = [\"c.service\"]\n") + strings.Replace(with("  Alias = [\"c.service\"]\n"), "\"a\"", "\"b\"", 1),
	} {
		t.Run(code, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "host.ug.hcl"), []byte("host \"h\" {}\n"+text), 0o644); err != nil {
				t.Fatal(err)
			}
			for _, args := range [][]string{{"check", dir}, {"check", dir}, {"check", "--no-cache", dir}, {"build", dir, "--out", filepath.Join(t.TempDir(), "out")}} {
				c, _, errOut := unitgenRun(t, "", args...)
				if c != exitWrong || !strings.Contains(errOut, "error["+code+"]") {
					t.Errorf("%s: exit code %d\n%s", args[0], c, errOut)
				}
			}
		})
	}
}

// TestVerifyOddFiles gives analyze verify what is no unit file: it answers in
// JSON, and reads neither devices nor pipes.
func TestVerifyOddFiles(t *testing.T) {
	dir := t.TempDir()
	for name, target := range map[string]string{"zero.service": "/dev/zero", "loop.service": "loop.service", "dir.service": "."} {
		p := filepath.Join(dir, name)
		if err := os.Symlink(target, p); err != nil {
			t.Fatal(err)
		}
		for _, args := range [][]string{{"analyze", "verify", p}, {"analyze", "verify", "--json", p}} {
			c, out, _ := unitgenRun(t, "", args...)
			if c != exitWrong {
				t.Errorf("%s: exit code %d", name, c)
			}
			if len(args) == 4 && !json.Valid([]byte(out)) {
				t.Errorf("%s: no JSON: %s", name, out)
			}
		}
	}
}

// TestRefusalsInJSON gives commands what they refuse: their JSON is JSON.
func TestRefusalsInJSON(t *testing.T) {
	for _, args := range [][]string{
		{"options", "--json", "nope"},
		{"analyze", "condition", "--json", "Foo=1"},
		{"analyze", "security", "--json", "--root", t.TempDir(), "nope.service"},
		{"test", "--json", t.TempDir()},
		{"plan", "--json", "--from", "/nonexistent", "--to", "/nonexistent"},
		{"check", "--json", "/nonexistent"},
	} {
		c, out, _ := unitgenRun(t, "", args...)
		if c != exitWrong || !json.Valid([]byte(out)) {
			t.Errorf("%v: exit code %d, %q", args, c, out)
		}
	}
}

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var fence = regexp.MustCompile("(?ms)^```hcl\n(.*?)^```$")

// named is the first line of a block that is a file: its path, which may begin
// with "~/", and perhaps a remark.
var named = regexp.MustCompile(`^# (?:~/)?([\w./-]+\.ug\.hcl)\b`)

// TestDocsCompile checks what the pages show. A block of HCL whose first line
// is a comment with a file's name is that file, together with the page's other
// files; any other with a host block is a host of its own.
func TestDocsCompile(t *testing.T) {
	t.Parallel()
	pages, err := filepath.Glob("../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range append(pages, "../README.md") {
		t.Run(strings.TrimPrefix(p, "../"), func(t *testing.T) {
			t.Parallel()
			b, err := os.ReadFile(p)
			if err != nil {
				t.Fatal(err)
			}
			home := t.TempDir()
			hosts := map[string]bool{}
			check := func() {
				for dir := range hosts {
					h := &host{t: t, as: self, dir: dir, state: filepath.Join(home, "state"), runtime: home}
					if s := h.try(unitgen(t), "check", dir); s.code != 0 {
						t.Errorf("exit code %d: %v", s.code, s)
					}
				}
				clear(hosts)
			}
			for i, m := range fence.FindAllStringSubmatch(string(b), -1) {
				text := m[1]
				isHost := strings.Contains("\n"+text, "\nhost \"")
				file := fmt.Sprintf("block%d/host.ug.hcl", i+1)
				if n := named.FindStringSubmatch(text); n != nil {
					file = "page/" + n[1]
				} else if !isHost {
					continue
				}
				file = filepath.Join(home, file)
				if _, err := os.Stat(file); err == nil {
					check() // a later edition of the file follows
				}
				if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
				if isHost {
					hosts[filepath.Dir(file)] = true
				}
			}
			check()
		})
	}
}

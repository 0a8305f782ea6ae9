package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var fence = regexp.MustCompile("(?ms)^```hcl\n(.*?)^```$")

// TestDocsCompile checks what the pages show. A block of HCL that begins with
// "# ~/some/file" is that file; any other with a host block is a host of its
// own.
func TestDocsCompile(t *testing.T) {
	t.Parallel()
	pages, err := filepath.Glob("../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range append(pages, "../README.md") {
		t.Run(filepath.Base(p), func(t *testing.T) {
			t.Parallel()
			b, err := os.ReadFile(p)
			if err != nil {
				t.Fatal(err)
			}
			home := t.TempDir()
			for i, m := range fence.FindAllStringSubmatch(string(b), -1) {
				text := m[1]
				dir, name := filepath.Join(home, "block"+string(rune('a'+i%26))+string(rune('a'+i/26))), "host.ug.hcl"
				first, _, _ := strings.Cut(text, "\n")
				if file, ok := strings.CutPrefix(first, "# ~/"); ok {
					dir, name = filepath.Join(home, filepath.Dir(file)), filepath.Base(file)
				} else if !strings.Contains("\n"+text, "\nhost \"") {
					continue
				}
				if err := os.MkdirAll(dir, 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
				if !strings.Contains("\n"+text, "\nhost \"") {
					continue
				}
				h := &host{t: t, as: self, dir: dir, state: filepath.Join(home, "state"), runtime: home}
				if s := h.try(unitgen(t), "check", dir); s.code != 0 {
					t.Errorf("block %d: exit code %d: %v\n%s", i+1, s.code, s, text)
				}
			}
		})
	}
}

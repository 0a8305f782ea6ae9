package archtest

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

// TestDocs wants every link to lead somewhere, and docs/README.md to name
// every page.
func TestDocs(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..")
	linked := map[string]bool{}
	var pages []string
	walk(t, func(p string, content []byte) {
		if !strings.HasSuffix(p, ".md") || strings.Contains(p, "/testdata/") {
			return
		}
		if strings.HasPrefix(p, "docs/") && p != "docs/README.md" {
			pages = append(pages, p)
		}
		for _, m := range link.FindAllStringSubmatch(string(content), -1) {
			to, _, _ := strings.Cut(m[1], "#")
			if to == "" || strings.Contains(to, "://") || strings.HasPrefix(to, "mailto:") {
				continue
			}
			target := path.Join(path.Dir(p), to)
			if _, err := os.Stat(filepath.Join(root, target)); err != nil {
				t.Errorf("%s: the link %s leads nowhere", p, m[1])
			}
			if p == "docs/README.md" {
				linked[target] = true
			}
		}
	})
	for _, p := range pages {
		if !linked[p] {
			t.Errorf("docs/README.md does not name %s", p)
		}
	}
}

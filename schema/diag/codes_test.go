package diag

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestEveryCodeHasAPage finds the codes in the sources and their pages.
func TestEveryCodeHasAPage(t *testing.T) {
	code := regexp.MustCompile(`"([EWA]\d{4})"`)
	used := map[string]bool{}
	for _, dir := range []string{"compile", "schema", "emit", "runtime"} {
		err := filepath.WalkDir(filepath.Join("..", "..", dir), func(p string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(p, ".go") || strings.HasSuffix(p, "_test.go") {
				return err
			}
			src, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			for _, m := range code.FindAllStringSubmatch(string(src), -1) {
				if PageOf(m[1]) == nil {
					t.Errorf("%s: the code %s has no page in codes.md", p, m[1])
				}
				used[m[1]] = true
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	seen := map[string]bool{}
	for _, p := range Pages() {
		if seen[p.Code] {
			t.Errorf("%s has two pages", p.Code)
		}
		seen[p.Code] = true
		if p.Summary == "" || len(p.Text) < 20 {
			t.Errorf("the page of %s says nothing", p.Code)
		}
		if !used[p.Code] {
			t.Errorf("%s has a page, but nothing uses it", p.Code)
		}
	}
}

// TestDocumentation keeps docs/diagnostics.md equal to the registry; UPDATE=1
// rewrites it.
func TestDocumentation(t *testing.T) {
	name := filepath.Join("..", "..", "docs", "diagnostics.md")
	const mark = "\n# The codes\n\n"
	doc, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	head, _, ok := strings.Cut(string(doc), mark)
	if !ok {
		t.Fatalf("%s has no heading %q", name, strings.TrimSpace(mark))
	}
	want := head + mark + codesText
	if string(doc) == want {
		return
	}
	if os.Getenv("UPDATE") != "1" {
		t.Fatalf("%s is not as schema/diag/codes.md; run the test with UPDATE=1", name)
	}
	if err := os.WriteFile(name, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

package funcs

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// page writes docs/functions.md from the records.
func page() string {
	var b strings.Builder
	b.WriteString(`# Functions

Expressions may call these functions. All are pure: none knows the time, the environment, the network or a file outside the module, so the same configuration gives the same bytes on every machine. Their names and meanings are those of the functions of the same names in HCL's other users, where those have them. Every example on this page is run by the tests; the page itself is written from the functions' own records.

What a function makes of a secret is a secret too; see [secrets.md](secrets.md).
`)
	category := ""
	for _, d := range Docs() {
		if d.Category != category {
			category = d.Category
			fmt.Fprintf(&b, "\n## %s\n\n| function | |\n|---|---|\n", category)
		}
		var ex []string
		for _, e := range d.Examples {
			ex = append(ex, fmt.Sprintf("`%s` is `%s`", cell(e.Expr), cell(e.Result)))
		}
		fmt.Fprintf(&b, "| `%s` | %s %s. |\n", cell(d.Signature), cell(d.Summary), strings.Join(ex, "; "))
	}
	return b.String()
}

func cell(s string) string { return strings.ReplaceAll(s, "|", "\\|") }

func TestPage(t *testing.T) {
	const file = "../../../docs/functions.md"
	want := page()
	got, err := os.ReadFile(file)
	if err == nil && string(got) == want {
		return
	}
	if os.Getenv("UPDATE") == "1" {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Errorf("docs/functions.md is not what the records say (%v); write it anew with UPDATE=1 go test ./compile/internal/funcs", err)
}

package syntax

import (
	"strings"
	"testing"
	"time"
)

// TestLongTexts gives the parser what it needs quadratic time or memory for.
func TestLongTexts(t *testing.T) {
	t.Parallel()
	for name, src := range map[string]string{
		"heredoc":       "locals {\n  a = <<A\n" + strings.Repeat("x\n", 1_000_000) + "A\n}\n",
		"open heredoc":  "locals {\n  a = <<A\n" + strings.Repeat("x\n", 1_000_000),
		"indented":      "locals {\n  a = <<-A\n" + strings.Repeat("  "+strings.Repeat("x", 80)+"\n", 50_000) + "A\n}\n",
		"escapes":       "locals {\n  a = \"" + strings.Repeat("$${x}", 500_000) + "\"\n}\n",
		"no assignment": strings.Repeat("a\n", 2_000_000),
		"open strings":  strings.Repeat("a = \"\n", 1_000_000),
		"brackets":      strings.Repeat("]\n", 1_000_000),
	} {
		begin := time.Now()
		_, diags := Parse("a.ug.hcl", "", []byte(src))
		if len(diags) != 1 || diags[0].Subject.Start.Line == 0 || diags[0].Detail == "" {
			t.Errorf("%s: %v", name, diags)
		}
		if took := time.Since(begin); took > 10*time.Second {
			t.Errorf("%s: took %v", name, took)
		}
	}
	ok := "locals {\n  a = <<A\n" + strings.Repeat(strings.Repeat("x", 79)+"\n", 5_000) + "A\n}\n"
	if _, diags := Parse("a.ug.hcl", "", []byte(ok)); len(diags) > 0 {
		t.Error(diags)
	}
}

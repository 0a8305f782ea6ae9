package syntax

import (
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// FuzzMistakes gives broken lines to the words for them: every diagnostic of
// the parser must be taken, and the place must lie within the file.
func FuzzMistakes(f *testing.F) {
	for _, s := range []string{
		"", "=", "a =", "a = 2s", "a = \"", "a = 'x", "a: b", "a := ${", "x \"y\" =", "“", "}", "/*", "--", "a = [\"b\" \"c\"", "a = [::]:80", "a = #", "a = \"\\q\"", "a = { b = 2s }", "[Install]", "import", "é = ü s",
		"\r\r", "Nice = 3 \r\r", "a = [" + strings.Repeat(`"b", `, 300) + "'c']", "a = [" + strings.Repeat(`"b", `, 300) + "c d]", "a = \"" + strings.Repeat("b", 1200) + "\\q\"", "a = " + strings.Repeat("b", 1200) + " 2s",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, src := range []string{s, "service \"a\" {\n  " + s + "\n}\n", "a \"b\" { c = " + s + " }"} {
			file := &File{Name: "x.ug.hcl", Src: []byte(src)}
			if file.encoding() != nil || file.bounds() != nil || len(src) > 4096 {
				return
			}
			_, hd := hclsyntax.ParseConfig(file.Src, file.Name, hcl.InitialPos)
			for _, d := range hd {
				m := file.explainMistake(d)
				if m == nil {
					continue
				}
				if m.from < 0 || m.from > len(src)+1 || m.summary == "" || strings.TrimSpace(m.detail) == "" {
					t.Fatalf("%q: %+v", src, m)
				}
				m.report(file)
			}
		}
	})
}

// TestNoSecretRepeated shows that what may be a secret is in no message.
func TestNoSecretRepeated(t *testing.T) {
	for _, line := range []string{`key = hunter two`, `key: hunter two`, `key "hunter two"`, `key hunter`, `key = 'hunter'`, `key = "hunter`, `key = /hunter/two`, `x key = hunter`, `key = hunter;`, `keys = [hunter two]`, `keys = { a = hunter two }`, `key += hunter`, `key = #hunter`} {
		_, ds := Parse("x.ug.hcl", "", []byte("config \"m\" {\n  "+line+"\n}\n"))
		if len(ds) == 0 {
			t.Errorf("%s: taken", line)
		}
		for _, d := range ds {
			if strings.Contains(d.Detail+d.Summary, "hunter") {
				t.Errorf("%s: %s", line, d.Detail)
			}
		}
	}
}

package compile

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

func TestFormat(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                                  "",
		"locals {\na=1\n  bcd =   [1,2]\n}": "locals {\n  a   = 1\n  bcd = [1, 2]\n}\n",
		"locals {\n  a = <<-EOT\n    %{~ for x in y }\n   ${ x }\n    %{~ endfor }\n  EOT\n}\n": "locals {\n  a = <<-EOT\n    %{~ for x in y }\n   ${x}\n    %{~ endfor }\n  EOT\n}\n",
		"locals {\n  a = \"%{ if   x }y%{ else }z%{ endif }\"\n}\n":                             "locals {\n  a = \"%{ if   x }y%{ else }z%{ endif }\"\n}\n",
	} {
		out, diags := Format("t.ug.hcl", []byte(in))
		if diags.HasErrors() || string(out) != want {
			t.Errorf("%q gives %q (%v), want %q", in, out, diags, want)
		}
	}
	if out, diags := Format("t.ug.hcl", []byte("locals {")); !diags.HasErrors() || string(out) != "locals {" {
		t.Errorf("%q %v", out, diags)
	}
}

// FuzzFormat sees to it that a formatted file parses and is not formatted
// differently the second time.
func FuzzFormat(f *testing.F) {
	f.Add("a \"b\" {\n c=1 # x\n dd = {\n e= \"${f}%{if g}h%{endif}\"\n }\n}\n")
	f.Add("a {\n b = <<EOT\n %{ for x in y ~}\n ${x}\n %{ endfor ~}\nEOT\n}\n")
	f.Add("a { b = c ? d : [for e in f : g if h] }")
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) > 2000 {
			return
		}
		out, diags := Format("t", []byte(s))
		if diags.HasErrors() {
			return
		}
		if _, hd := hclsyntax.ParseConfig(out, "t", hcl.InitialPos); hd.HasErrors() {
			t.Fatalf("%q becomes %q, which does not parse: %v", s, out, hd)
		}
		if a, b := tokens(s), tokens(string(out)); a != b {
			t.Fatalf("%q becomes %q, which holds other words:\n%s\n%s", s, out, a, b)
		}
		again, _ := Format("t", out)
		if string(again) != string(out) {
			t.Errorf("%q becomes %q, then %q", s, out, again)
		}
	})
}

// tokens spells the words of a text without the spaces between them.
func tokens(s string) string {
	list, _ := hclsyntax.LexConfig([]byte(s), "t", hcl.InitialPos)
	var b strings.Builder
	for _, t := range list {
		if t.Type == hclsyntax.TokenNewline || t.Type == hclsyntax.TokenEOF {
			continue
		}
		fmt.Fprintf(&b, "%c %q\n", t.Type, strings.TrimRight(string(t.Bytes), "\r\n"))
	}
	return b.String()
}

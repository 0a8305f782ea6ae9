package compile

import (
	"bytes"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"

	"github.com/unitgen/unitgen/compile/internal/syntax"
	"github.com/unitgen/unitgen/schema/diag"
)

// Format gives a source file in the canonical layout. A file with a syntax
// error is given back as it is, with diagnostics. The result parses to the
// same values, and formatting it again changes nothing.
func Format(name string, src []byte) ([]byte, diag.List) {
	if _, diags := syntax.Parse(name, "", src); diags.HasErrors() {
		return src, diags
	}
	out := src
	if n := len(out); n > 0 && out[n-1] != '\n' {
		out = append(out[:n:n], '\n')
	}
	for range 4 { // the layout of one pass may move what the next one aligns
		next := keepDirectives(out, hclwrite.Format(out))
		if bytes.Equal(next, out) {
			break
		}
		out = next
	}
	return out, nil
}

// keepDirectives gives the formatted text with the template directives %{ … }
// spaced as they were: the formatter would close them up, which nobody writes.
func keepDirectives(old, formatted []byte) []byte {
	if !bytes.Contains(old, []byte("%{")) {
		return formatted
	}
	a, _ := hclsyntax.LexConfig(old, "", hcl.InitialPos)
	b, _ := hclsyntax.LexConfig(formatted, "", hcl.InitialPos)
	if len(a) != len(b) {
		return formatted
	}
	var out bytes.Buffer
	depth, atOld, atNew := 0, 0, 0
	for i := range a {
		if a[i].Type != b[i].Type {
			return formatted
		}
		if depth > 0 {
			out.Write(old[atOld:a[i].Range.Start.Byte])
		} else {
			out.Write(formatted[atNew:b[i].Range.Start.Byte])
		}
		out.Write(b[i].Bytes)
		atOld, atNew = a[i].Range.End.Byte, b[i].Range.End.Byte
		switch {
		case a[i].Type == hclsyntax.TokenTemplateControl:
			depth++
		case depth > 0 && a[i].Type == hclsyntax.TokenTemplateInterp:
			depth++
		case depth > 0 && a[i].Type == hclsyntax.TokenTemplateSeqEnd:
			depth--
		}
	}
	return out.Bytes()
}

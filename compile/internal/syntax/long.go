package syntax

import (
	"bytes"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/unitgen/unitgen/schema/diag"
)

// maxJoin bounds the bytes that the parser copies while it joins the lines of
// one text: it joins them two by two.
const maxJoin = 6e9

// LongTemplate reports whether a text with ${…} and %{…} has too many lines
// for the parser, whose time grows with their square.
func LongTemplate(src []byte) bool {
	if len(src) < 64<<10 {
		return false
	}
	tokens, _ := hclsyntax.LexTemplate(src, "", hcl.InitialPos)
	return tooLong(tokens) != nil
}

// longText refuses a text in the source that has too many lines.
func (f *File) longText() *diag.Diagnostic {
	if !mayBeLong(f.Src) {
		return nil
	}
	tokens, _ := hclsyntax.LexConfig(f.Src, f.Name, hcl.InitialPos)
	t := tooLong(tokens)
	if t == nil {
		return nil
	}
	return diag.Errorf("E0104", "Source file is too large", Range(t.Range), "This text has too many lines to stand in a source file; about a megabyte may. Move it into a file of its own, and read that with source = \"…\" or file(\"…\").")
}

// mayBeLong looks at the source without cutting it into tokens, on the safe
// side: every text that tooLong finds makes it true.
func mayBeLong(src []byte) bool {
	cost := func(text []byte, lines int) float64 {
		pieces := float64(lines + 2*bytes.Count(text, []byte("$")) + 2*bytes.Count(text, []byte("%")) + 1)
		return pieces * (float64(len(text)) + 16*pieces)
	}
	if len(src) < 64<<10 || cost(src, bytes.Count(src, []byte("\n"))) < maxJoin {
		return false
	}
	text, mark, lines := []byte(nil), []byte(nil), 0 // of the heredoc at hand, to its end
	for len(src) > 0 {
		n := bytes.IndexByte(src, '\n') + 1
		if n == 0 {
			n = len(src)
		}
		line := src[:n]
		if cost(line, 0) > maxJoin {
			return true
		}
		opens := bytes.Index(line, []byte("<<"))
		if mark == nil {
			if opens >= 0 {
				mark, text, lines = bytes.Trim(line[opens:], "<- \t\r\n"), src[n:], 0
				if len(mark) == 0 || bytes.ContainsAny(mark, "<") {
					return true
				}
			}
		} else if lines++; opens >= 0 {
			return true // a heredoc within a heredoc, or what looks like one
		} else if bytes.Equal(bytes.TrimSpace(line), mark) {
			if cost(text[:len(text)-len(src)], lines) > maxJoin {
				return true
			}
			mark = nil
		}
		src = src[n:]
	}
	return mark != nil
}

// tooLong gives the token at which a text's lines are too many to be joined.
func tooLong(tokens hclsyntax.Tokens) *hclsyntax.Token {
	pieces, size := 0.0, 0.0 // of the text up to here
	cost := 0.0
	for i := range tokens {
		t := &tokens[i]
		switch t.Type {
		case hclsyntax.TokenStringLit, hclsyntax.TokenQuotedLit:
			pieces++
			size += float64(len(t.Bytes))
			cost += size + 16*pieces
			if cost > maxJoin {
				return t
			}
		case hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl, hclsyntax.TokenTemplateSeqEnd:
			pieces, size = 0, 0
		default:
			pieces, size, cost = 0, 0, 0
		}
	}
	return nil
}

// flood finds the first error of a large file that has errors without number,
// so that not all of them are gathered: it reads ever longer beginnings.
func (f *File) flood() *diag.Diagnostic {
	for n := 256 << 10; n < len(f.Src)/2; n *= 4 {
		end := bytes.LastIndexByte(f.Src[:n], '\n') + 1
		if end == 0 {
			continue
		}
		_, hd := hclsyntax.ParseConfig(f.Src[:end], f.Name, hcl.InitialPos)
		if len(hd) < 1000 {
			continue
		}
		// What is cut off makes no thousand errors, and only unclosed ones.
		for _, d := range hd {
			if d.Severity == hcl.DiagError && !strings.HasPrefix(d.Summary, "Un") && !strings.HasPrefix(d.Summary, "Missing") {
				return syntaxError(f, hcl.Diagnostics{d})
			}
		}
	}
	return nil
}

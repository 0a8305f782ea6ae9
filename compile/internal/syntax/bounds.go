package syntax

import (
	"bytes"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/unitgen/unitgen/schema/diag"
)

// MaxNesting is how deep brackets and template sequences may nest.
const MaxNesting = 200

// MaxOperators is how many operators and index steps may stand in one
// expression at one level of nesting: each is a level of recursion for the
// parser or the evaluator.
const MaxOperators = 2000

// maxDigits is how many characters a number may have.
const maxDigits = 1000

// hugeExponent reports whether a number, or what begins with its exponent, has
// an exponent of more than three digits.
func hugeExponent(b []byte) bool {
	i := bytes.IndexAny(b, "eE")
	if i < 0 {
		return false
	}
	b = bytes.TrimLeft(b[i+1:], "+-")
	b = bytes.TrimLeft(b, "0")
	n := 0
	for n < len(b) && b[n] >= '0' && b[n] <= '9' {
		n++
	}
	return n > 3
}

// bounds refuses nesting that would overflow the stack of the recursive
// parser. A quick look at the bytes clears nearly every file; only suspicious
// ones are cut into tokens first.
func (f *File) bounds() *diag.Diagnostic {
	if !f.suspicious() {
		return nil
	}
	tokens, _ := hclsyntax.LexConfig(f.Src, f.Name, hcl.InitialPos)
	var ops []int // operators so far at each level outside
	var kinds []hclsyntax.TokenType
	depth, top, controls := 0, 0, 0
	for i := range tokens {
		t := &tokens[i]
		switch t.Type {
		case hclsyntax.TokenOBrace, hclsyntax.TokenOBrack, hclsyntax.TokenOParen, hclsyntax.TokenTemplateInterp,
			hclsyntax.TokenTemplateControl, hclsyntax.TokenOQuote, hclsyntax.TokenOHeredoc:
			if t.Type == hclsyntax.TokenOBrack {
				top++
			}
			ops = append(ops, top)
			kinds = append(kinds, t.Type)
			top = 0
			depth++
			if depth > MaxNesting {
				return diag.Errorf("E0103", "Expression or block is nested too deeply", Range(t.Range), "Brackets and templates may nest %d levels deep. Split the expression with locals.", MaxNesting)
			}
		case hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenCParen, hclsyntax.TokenTemplateSeqEnd,
			hclsyntax.TokenCQuote, hclsyntax.TokenCHeredoc:
			if depth > 0 {
				depth--
				top = ops[len(ops)-1]
				ops = ops[:len(ops)-1]
				kinds = kinds[:len(kinds)-1]
			}
		case hclsyntax.TokenIdent:
			if i == 0 || tokens[i-1].Type != hclsyntax.TokenTemplateControl {
				break
			}
			switch string(t.Bytes) {
			case "if", "for":
				controls++
			case "endif", "endfor":
				controls = max(controls-1, 0)
			}
			if controls > MaxNesting {
				return diag.Errorf("E0103", "Expression or block is nested too deeply", Range(t.Range), "Template directives may nest %d levels deep. Split the template with locals.", MaxNesting)
			}
		case hclsyntax.TokenNewline:
			if depth == 0 || kinds[len(kinds)-1] == hclsyntax.TokenOBrace {
				top = 0
			}
		case hclsyntax.TokenComma:
			top = 0
		case hclsyntax.TokenNumberLit:
			if len(t.Bytes) > maxDigits || hugeExponent(t.Bytes) {
				return diag.Errorf("E0111", "Number is out of bounds", Range(t.Range), "A number has at most %d digits and an exponent of at most three. Write it in quotes if it is meant as text.", maxDigits)
			}
		case hclsyntax.TokenBang, hclsyntax.TokenMinus, hclsyntax.TokenPlus, hclsyntax.TokenStar, hclsyntax.TokenSlash,
			hclsyntax.TokenPercent, hclsyntax.TokenQuestion, hclsyntax.TokenAnd, hclsyntax.TokenOr, hclsyntax.TokenEqualOp,
			hclsyntax.TokenNotEqual, hclsyntax.TokenLessThan, hclsyntax.TokenLessThanEq, hclsyntax.TokenGreaterThan, hclsyntax.TokenGreaterThanEq:
			top++
		}
		if top > MaxOperators {
			return diag.Errorf("E0103", "Expression or block is nested too deeply", Range(t.Range), "One expression may have %d operators. Split it with locals, or use a function such as sum() or join().", MaxOperators)
		}
	}
	return nil
}

// suspicious counts brackets and operators without regard to strings, which
// can only count too many within one stretch between plain lines.
func (f *File) suspicious() bool {
	depth, deepest, run, controls, digits := 0, 0, 0, 0, 0
	for i, c := range f.Src {
		if c >= '0' && c <= '9' {
			if digits++; digits > maxDigits {
				return true
			}
			continue
		}
		digits = 0
		switch c {
		case '{', '[', '(':
			depth++
			if c == '[' {
				run++
			}
			if c == '{' && i > 0 && f.Src[i-1] == '%' {
				controls++
			}
			if depth > deepest {
				deepest = depth
			}
		case '}', ']', ')':
			if depth > 0 {
				depth--
			}
		case 'e', 'E':
			if i > 0 && f.Src[i-1] >= '0' && f.Src[i-1] <= '9' && hugeExponent(f.Src[i:min(len(f.Src), i+8)]) {
				return true
			}
		case '!', '-', '+', '*', '/', '%', '?', '&', '|', '<', '>':
			run++
		case '\n':
			if depth <= 1 {
				run = 0
			}
		}
		if deepest > MaxNesting/3 || run > MaxOperators || controls > MaxNesting {
			return true
		}
	}
	return false
}

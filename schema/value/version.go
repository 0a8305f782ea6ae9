package value

import (
	"path"
	"strings"
)

// CompareVersions orders two version strings as systemd does (the version format
// of the UAPI group): -1, 0 or 1. "~" sorts before everything, then the end,
// "-", "^" and "."; numbers sort by value and after letters.
func CompareVersions(a, b string) int {
	for {
		a, b = skipVersion(a), skipVersion(b)
		if d, done := versionMark(&a, &b, '~'); done {
			return d
		}
		if a == "" || b == "" {
			return order(front(a), front(b))
		}
		for _, mark := range []byte("-^.") {
			if d, done := versionMark(&a, &b, mark); done {
				return d
			}
		}
		if a != "" && isDigit(a[0]) || b != "" && isDigit(b[0]) {
			n, m := digits(a), digits(b)
			if n == 0 || m == 0 {
				return order(n, m)
			}
			x, y := strings.TrimLeft(a[:n], "0"), strings.TrimLeft(b[:m], "0")
			if len(x) != len(y) {
				return order(len(x), len(y))
			}
			if d := strings.Compare(x, y); d != 0 {
				return d
			}
			a, b = a[n:], b[m:]
			continue
		}
		n, m := letters(a), letters(b)
		if d := strings.Compare(a[:n], b[:m]); d != 0 {
			return d
		}
		a, b = a[n:], b[m:]
	}
}

// versionMark compares the presence of a mark at the front of both strings, and
// takes it off where both have it.
func versionMark(a, b *string, mark byte) (d int, done bool) {
	x, y := strings.HasPrefix(*a, string(mark)), strings.HasPrefix(*b, string(mark))
	switch {
	case x && y:
		*a, *b = (*a)[1:], (*b)[1:]
	case x:
		return -1, true
	case y:
		return 1, true
	}
	return 0, false
}

// front gives what a string begins with as a C character: 0 at its end, below it
// outside ASCII.
func front(s string) int {
	if s == "" {
		return 0
	}
	return int(int8(s[0]))
}

func order(a, b int) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func letters(s string) int {
	n := 0
	for n < len(s) && isAlnum(s[n]) && !isDigit(s[n]) {
		n++
	}
	return n
}

// skipVersion drops characters that have no place in a version.
func skipVersion(s string) string {
	i := 0
	for i < len(s) && !isAlnum(s[i]) && strings.IndexByte("~-^.", s[i]) < 0 {
		i++
	}
	return s[i:]
}

// Operator is a comparison of conditions and of compare-versions.
type Operator string

// Operators. Equal and Unequal compare versions or numbers, the String ones
// compare texts, the Glob ones match a shell-style pattern.
const (
	Lower         Operator = "<"
	LowerEqual    Operator = "<="
	Equal         Operator = "=="
	Unequal       Operator = "<>"
	GreaterEqual  Operator = ">="
	Greater       Operator = ">"
	StringEqual   Operator = "="
	StringUnequal Operator = "!="
	Glob          Operator = "$="
	NotGlob       Operator = "!$="
)

// operatorOrder finds the longest operator first.
var operatorOrder = []Operator{NotGlob, Glob, Unequal, LowerEqual, Lower, GreaterEqual, Greater, Equal, StringUnequal, StringEqual}

// CutOperator takes an operator off the front of a string; "" where there is
// none. texts: "=" and "!=" compare texts and patterns are known, as in
// ConditionKernelVersion=; else "=" and "!=" are Equal and Unequal.
func CutOperator(s string, texts bool) (Operator, string) {
	for _, o := range operatorOrder {
		rest, ok := strings.CutPrefix(s, string(o))
		if !ok {
			continue
		}
		if !texts {
			switch o {
			case NotGlob, Glob:
				continue
			case StringEqual:
				o = Equal
			case StringUnequal:
				o = Unequal
			}
		}
		return o, rest
	}
	return "", s
}

// Holds reports whether an order (-1, 0, 1 for less, equal, greater) satisfies
// the operator.
func (o Operator) Holds(order int) bool {
	switch o {
	case Lower:
		return order < 0
	case LowerEqual:
		return order <= 0
	case Equal, StringEqual:
		return order == 0
	case Unequal, StringUnequal:
		return order != 0
	case GreaterEqual:
		return order >= 0
	case Greater:
		return order > 0
	}
	return false
}

// Compare compares two texts: by version, as they are, or against a pattern.
func (o Operator) Compare(a, b string) bool {
	switch o {
	case StringEqual:
		return a == b
	case StringUnequal:
		return a != b
	case Glob, NotGlob:
		return GlobMatch(b, a) == (o == Glob)
	}
	return o.Holds(CompareVersions(a, b))
}

// GlobMatch matches a shell-style pattern in which "*" and "?" also match a
// slash.
func GlobMatch(pattern, s string) bool {
	const slash = "\x01"
	ok, err := path.Match(strings.ReplaceAll(strings.ReplaceAll(pattern, "/", slash), "[!", "[^"), strings.ReplaceAll(s, "/", slash))
	return ok && err == nil
}

package types

import (
	"unicode/utf8"

	"github.com/agext/levenshtein"

	"github.com/unitgen/unitgen/schema/directive"
)

// Suggest gives the candidate that is spelled most like the word, or "" when
// none is near. Of several that are as near, it is the one that begins most
// like it.
func Suggest(word string, candidates []string) string {
	if len(word) > 256 {
		return ""
	}
	for _, c := range candidates {
		if c != word && directive.Same(c, word) {
			return c
		}
	}
	limit := min(len(word)/3+1, 4)
	best, bestD := "", 1<<30
	for _, c := range candidates {
		if len(c) > 256 || apart(c, word) > limit {
			continue
		}
		d := levenshtein.Distance(word, c, nil)
		if d > bestD {
			continue
		}
		if d == bestD {
			if a, b := commonPrefix(word, c), commonPrefix(word, best); a < b || a == b && c >= best {
				continue
			}
		}
		best, bestD = c, d
	}
	if best == "" || bestD > limit || bestD >= len(word) && len(word) > 1 {
		return ""
	}
	return best
}

// apart gives by how many characters two words differ in length: no distance is
// less.
func apart(a, b string) int {
	n := utf8.RuneCountInString(a) - utf8.RuneCountInString(b)
	return max(n, -n)
}

func commonPrefix(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

package types

import (
	"sort"

	"github.com/agext/levenshtein"
)

// Suggest gives the candidate that is spelled most like the word, or "" when
// none is near. Of several that are as near, it is the one that begins most
// like it.
func Suggest(word string, candidates []string) string {
	if len(word) > 256 {
		return ""
	}
	sorted := append([]string(nil), candidates...)
	sort.Strings(sorted)
	best, bestD := "", 1<<30
	for _, c := range sorted {
		if len(c) > 256 {
			continue
		}
		d := levenshtein.Distance(word, c, nil)
		if d < bestD || d == bestD && commonPrefix(word, c) > commonPrefix(word, best) {
			best, bestD = c, d
		}
	}
	limit := len(word)/3 + 1
	if limit > 4 {
		limit = 4
	}
	if best == "" || bestD > limit || bestD >= len(word) && len(word) > 1 {
		return ""
	}
	return best
}

func commonPrefix(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

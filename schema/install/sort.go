package install

import (
	"sort"
	"strings"
)

// sortListed sorts rows by unit type and then by name, upper and lower case
// alike.
func sortListed(l []Listed) {
	sort.SliceStable(l, func(i, j int) bool {
		a, b := suffix(l[i].Name), suffix(l[j].Name)
		if a != b {
			return strings.ToLower(a) < strings.ToLower(b)
		}
		return strings.ToLower(l[i].Name) < strings.ToLower(l[j].Name)
	})
}

package syntax

import "strings"

// unitHeader reports whether a line is the header of a section of a unit file.
func unitHeader(line string) bool {
	s := strings.TrimSpace(line)
	if len(s) < 3 || s[0] != '[' || s[len(s)-1] != ']' {
		return false
	}
	for _, c := range s[1 : len(s)-1] {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '-' {
			return false
		}
	}
	return true
}

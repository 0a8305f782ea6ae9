package value

import "strings"

// blanks are the characters that separate words (systemd's WHITESPACE).
const blanks = " \t\n\r"

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isAlnum(c byte) bool {
	return isDigit(c) || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func trimBlank(s string) string { return strings.Trim(s, blanks) }

func trimLeftBlank(s string) string { return strings.TrimLeft(s, blanks) }

// digits counts the decimal digits at the front of a string.
func digits(s string) int {
	n := 0
	for n < len(s) && isDigit(s[n]) {
		n++
	}
	return n
}

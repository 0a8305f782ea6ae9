package value

import "strings"

// wantBool is the advice for booleans (systemd.syntax(7)).
const wantBool = "yes, true, on or 1, or no, false, off or 0"

// ParseBool reads a boolean of systemd.syntax(7): 1 yes y true t on, or
// 0 no n false f off, in any case.
func ParseBool(s string) (bool, error) {
	switch strings.ToLower(s) {
	case "1", "yes", "y", "true", "t", "on":
		return true, nil
	case "0", "no", "n", "false", "f", "off":
		return false, nil
	}
	return false, wrong(s, "is no boolean", wantBool)
}

// FormatBool gives "yes" or "no".
func FormatBool(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

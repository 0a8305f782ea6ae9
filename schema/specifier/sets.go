package specifier

import (
	"strings"

	"github.com/unitgen/unitgen/schema/directive"
)

// The letters of each set. Facts of the machine are in all of them.
const (
	hostLetters    = "aAbBHlmMoqvwW"
	userLetters    = "gGuU"
	nameLetters    = "ijnNp" + hostLetters + userLetters
	installLetters = nameLetters
	unitLetters    = nameLetters + "IJPfyYtSCLEDdTVhs" // all of systemd.unit(5)
)

func letters(set directive.Specifiers) string {
	switch set {
	case directive.SpecifiersUnit:
		return unitLetters
	case directive.SpecifiersName:
		return nameLetters
	case directive.SpecifiersInstall:
		return installLetters
	}
	return ""
}

// since tells in which version of systemd a specifier came, where the oldest
// known version did not have it.
var since = map[byte]int{
	'a': 248, 'A': 247, 'B': 245, 'M': 247, 'w': 245, 'W': 245, 'o': 245,
	'd': 250, 'y': 251, 'Y': 251, 'q': 252, 'D': 255, 'l': 247,
}

// Known reports whether a set has the specifier in a version of systemd; 0 is
// the newest.
func Known(letter byte, set directive.Specifiers, version int) bool {
	if letter == '%' {
		return set != directive.SpecifiersNone
	}
	return strings.IndexByte(letters(set), letter) >= 0 && (version == 0 || version >= since[letter])
}

// Unknown gives the specifiers in a string that the set does not have in a
// version of systemd, each once, in order: "%Z", "%D". systemd ignores such a
// value; a percent sign that means itself is written "%%".
func Unknown(s string, set directive.Specifiers, version int) []string {
	if set == directive.SpecifiersNone {
		return nil
	}
	var out []string
	var seen [256]bool
	for i := 0; i+1 < len(s); i++ {
		if s[i] != '%' {
			continue
		}
		i++
		if c := s[i]; letterOrDigit(c) && !Known(c, set, version) && !seen[c] {
			seen[c] = true
			out = append(out, "%"+string(rune(c)))
		}
	}
	return out
}

// Uses reports whether a string has one of the given specifiers of a set,
// "ijI" for example.
func Uses(s string, set directive.Specifiers, wanted string) bool {
	for i := 0; i+1 < len(s); i++ {
		if s[i] != '%' {
			continue
		}
		i++
		if strings.IndexByte(wanted, s[i]) >= 0 && strings.IndexByte(letters(set), s[i]) >= 0 {
			return true
		}
	}
	return false
}

// Escape doubles the percent signs of a string, so that it expands to itself.
func Escape(s string) string { return strings.ReplaceAll(s, "%", "%%") }

package value

import (
	"strings"
	"unicode/utf8"

	"github.com/unitgen/unitgen/schema/directive"
)

const wantEnvironment = `NAME=value, the whole quoted where the value has blanks; names are letters, digits and "_"`

var _ = register(map[directive.Kind]checker{
	directive.Environment: words(Unquote|CUnescape, func(_ *Context, w string) error {
		_, err := parseAssignment(w)
		return err
	}),
	"environment-names": words(Unquote, func(_ *Context, w string) error {
		if !ValidEnvName(w) {
			return wrong(w, "is no name of an environment variable", `letters, digits and "_", not starting with a digit`)
		}
		return nil
	}),
	"environment-unset": words(Unquote|CUnescape, func(_ *Context, w string) error {
		if ValidEnvName(w) {
			return nil
		}
		_, err := parseAssignment(w)
		return err
	}),
	"log-fields": words(Unquote|CUnescape, func(_ *Context, w string) error {
		name, _, ok := strings.Cut(w, "=")
		if !ok || !journalField(name) {
			return wrong(w, "is no field of the journal", "NAME=value; names are capital letters, digits and \"_\", starting with a letter")
		}
		return nil
	}),
})

// journalField reports whether a field name is one that services may set.
func journalField(s string) bool {
	if s == "" || len(s) > 64 || s[0] == '_' || isDigit(s[0]) {
		return false
	}
	for i := 0; i < len(s); i++ {
		if c := s[i]; !(c == '_' || isDigit(c) || c >= 'A' && c <= 'Z') {
			return false
		}
	}
	return true
}

// ValidEnvName reports whether systemd takes a name for an environment
// variable: letters, digits and "_", not starting with a digit.
func ValidEnvName(s string) bool {
	if s == "" || isDigit(s[0]) {
		return false
	}
	for i := 0; i < len(s); i++ {
		if s[i] != '_' && !isAlnum(s[i]) {
			return false
		}
	}
	return true
}

// Assignment is one environment variable.
type Assignment struct{ Name, Value string }

// parseAssignment reads NAME=value.
func parseAssignment(w string) (Assignment, error) {
	name, v, ok := strings.Cut(w, "=")
	if !ok || !ValidEnvName(name) {
		return Assignment{}, wrong(w, "is no assignment of an environment variable", wantEnvironment)
	}
	if !utf8.ValidString(v) {
		return Assignment{}, wrong(name, "has a value that is not valid UTF-8", wantEnvironment)
	}
	return Assignment{name, v}, nil
}

// ParseEnvironment reads one value of Environment= (systemd.exec(5)), its
// specifiers expanded or kept.
func ParseEnvironment(s string) ([]Assignment, error) {
	ws, err := Split(s, "", Unquote|CUnescape)
	if err != nil {
		return nil, err
	}
	out := make([]Assignment, 0, len(ws))
	for _, w := range ws {
		a, err := parseAssignment(w)
		if err != nil {
			return out, err
		}
		out = append(out, a)
	}
	return out, nil
}

// ParseEnvironmentFile reads a file of EnvironmentFile= (systemd.exec(5)):
// assignments in a shell's manner, without expansion; comments begin with "#"
// or ";". Lines that are no assignments are left out.
func ParseEnvironmentFile(data string) ([]Assignment, error) {
	var out []Assignment
	for i := 0; i < len(data); {
		// Blank before a name.
		if isBlank(data[i]) {
			i++
			continue
		}
		if data[i] == '#' || data[i] == ';' {
			// A backslash carries a comment over the end of its line.
			for i < len(data) && data[i] != '\n' {
				if data[i] == '\\' {
					i++
				}
				i++
			}
			continue
		}
		start := i
		for i < len(data) && data[i] != '=' && data[i] != '\n' {
			i++
		}
		if i == len(data) || data[i] == '\n' {
			continue // a line without an assignment
		}
		name := strings.TrimRight(data[start:i], blanks)
		v, n := envFileValue(data[i+1:])
		i += 1 + n
		if !utf8.ValidString(name) || !utf8.ValidString(v) {
			return out, wrong(strings.ToValidUTF8(name, "\ufffd"), "has a name or value that is not valid UTF-8", "")
		}
		if ValidEnvName(name) {
			out = append(out, Assignment{name, v})
		}
	}
	return out, nil
}

// envFileValue reads one value up to the end of its line, quotes and escapes
// taken off, and gives the bytes it took.
func envFileValue(s string) (string, int) {
	var b strings.Builder
	keep := 0 // length of the value without trailing blanks that are not quoted
	i := 0
	for i < len(s) && s[i] != '\n' && isBlank(s[i]) {
		i++
	}
	for i < len(s) && s[i] != '\n' && s[i] != '\r' {
		switch c := s[i]; c {
		case '\'':
			for i++; i < len(s) && s[i] != '\''; i++ {
				b.WriteByte(s[i])
			}
			keep = b.Len()
		case '"':
			for i++; i < len(s) && s[i] != '"'; i++ {
				if s[i] == '\\' && i+1 < len(s) {
					i++
					switch {
					case s[i] == '\n':
						continue
					case strings.IndexByte("\"\\`$", s[i]) < 0:
						b.WriteByte('\\')
					}
				}
				b.WriteByte(s[i])
			}
			keep = b.Len()
		case '\\':
			if i+1 < len(s) {
				i++
				if s[i] != '\n' {
					b.WriteByte(s[i])
				}
			}
			keep = b.Len()
		default:
			b.WriteByte(c)
			if !isBlank(c) {
				keep = b.Len()
			}
		}
		i++
	}
	return b.String()[:keep], min(i, len(s))
}

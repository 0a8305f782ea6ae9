package unitname

import (
	"errors"
	"fmt"
	"strings"
)

// Reasons why a string cannot be escaped, unescaped or made a unit name.
var (
	ErrEmpty    = errors.New("the name is empty")
	ErrPath     = errors.New("the path is not normalized (it has a \"..\" component)")
	ErrEscape   = errors.New("the name has a backslash that begins no \\xNN escape")
	ErrSuffix   = errors.New("the suffix is no unit type")
	ErrTooLong  = fmt.Errorf("the name is longer than %d bytes", MaxLen)
	ErrName     = errors.New("not a valid unit name")
	ErrLongPath = errors.New("the path, or a component of it, is longer than the kernel takes (4095 and 255 bytes)")
	ErrUnPath   = errors.New("the name does not stand for a path")
)

const hexDigits = "0123456789abcdef"

// plain reports whether a byte may stand in a unit name outside of escapes.
func plain(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == ':' || c == '_' || c == '.'
}

func appendHex(b []byte, c byte) []byte {
	return append(b, '\\', 'x', hexDigits[c>>4], hexDigits[c&15])
}

// Escape escapes a string for inclusion in a unit name: "/" becomes "-", and
// all but letters, digits, ":", "_" and "." (unless it comes first) become
// \xNN.
func Escape(s string) string {
	b := make([]byte, 0, len(s)+8)
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '/':
			b = append(b, '-')
		case c == '.' && i == 0, !plain(c):
			b = appendHex(b, c)
		default:
			b = append(b, c)
		}
	}
	return string(b)
}

// Unescape undoes Escape: "-" becomes "/", \xNN the byte. A backslash that
// begins no such escape is an error.
func Unescape(s string) (string, error) {
	if strings.IndexByte(s, '\\') < 0 {
		return strings.ReplaceAll(s, "-", "/"), nil
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '-':
			b = append(b, '/')
		case '\\':
			if i+3 >= len(s) || s[i+1] != 'x' {
				return "", ErrEscape
			}
			hi, lo := unhex(s[i+2]), unhex(s[i+3])
			if hi < 0 || lo < 0 {
				return "", ErrEscape
			}
			b = append(b, byte(hi<<4|lo))
			i += 3
		default:
			b = append(b, s[i])
		}
	}
	return string(b), nil
}

func unhex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// simplify drops empty and "." components and slashes at the end. A relative
// path stays one.
func simplify(p string) string {
	abs := strings.HasPrefix(p, "/")
	var parts []string
	for _, c := range strings.Split(p, "/") {
		if c != "" && c != "." {
			parts = append(parts, c)
		}
	}
	out := strings.Join(parts, "/")
	if abs {
		return "/" + out
	}
	return out
}

// EscapePath escapes a file system path: slashes at both ends go, doubled ones
// are one, the root is "-". A path with ".." is refused.
func EscapePath(p string) (string, error) {
	p = simplify(p)
	for c := range strings.SplitSeq(p, "/") {
		if c == ".." {
			return "", ErrPath
		}
	}
	if tooLong(p) {
		return "", ErrLongPath
	}
	p = strings.Trim(p, "/")
	if p == "" {
		return "-", nil
	}
	return Escape(p), nil
}

// UnescapePath undoes EscapePath; the result is absolute.
func UnescapePath(s string) (string, error) {
	if s == "" {
		return "", ErrEmpty
	}
	if s == "-" {
		return "/", nil
	}
	p, err := Unescape(s)
	if err != nil {
		return "", err
	}
	if strings.HasPrefix(p, "/") || strings.HasSuffix(p, "/") || simplify("/"+p) != "/"+p {
		return "", ErrUnPath
	}
	for c := range strings.SplitSeq(p, "/") {
		if c == ".." {
			return "", ErrUnPath
		}
	}
	if tooLong("/" + p) {
		return "", ErrLongPath
	}
	return "/" + p, nil
}

// tooLong reports whether the kernel would refuse a path for its length or that
// of a component, NUL counted (PATH_MAX and NAME_MAX in limits.h).
func tooLong(p string) bool {
	if len(p) >= 4096 {
		return true
	}
	for c := range strings.SplitSeq(p, "/") {
		if len(c) > 255 {
			return true
		}
	}
	return false
}

// FromPath gives the unit of a path: "/var/log" with "mount" is
// "var-log.mount".
func FromPath(p, typ string) (string, error) {
	if !isType(typ) {
		return "", ErrSuffix
	}
	e, err := EscapePath(p)
	if err != nil {
		return "", err
	}
	if len(e)+1+len(typ) > MaxLen {
		return "", ErrTooLong
	}
	return e + "." + typ, nil
}

// ToPath gives the path that a unit stands for: "var-log.mount" is "/var/log".
func ToPath(name string) (string, error) {
	prefix, _, typ, at := Split(name)
	if typ == "" || at {
		return "", ErrName
	}
	return UnescapePath(prefix)
}

// Build puts a name together: "a", "b", "service" is "a@b.service"; at without
// an instance makes a template.
func Build(prefix, instance, typ string, at bool) (string, error) {
	if !isType(typ) {
		return "", ErrSuffix
	}
	name := prefix
	if at {
		name += "@" + instance
	}
	name += "." + typ
	if len(name) > MaxLen {
		return "", ErrTooLong
	}
	if !Valid(name) || !ValidPrefix(prefix) || (instance != "" && !ValidInstance(instance)) {
		return "", ErrName
	}
	return name, nil
}

// WithInstance gives the instance of a template, or another instance of an
// instance: "a@.service" with "b" is "a@b.service".
func WithInstance(name, instance string) (string, error) {
	prefix, _, typ, at := Split(name)
	if !at || !Valid(name) {
		return "", ErrName
	}
	return Build(prefix, instance, typ, true)
}

// ChangeSuffix gives the name with another type: "a@b.socket" with "service"
// is "a@b.service".
func ChangeSuffix(name, typ string) (string, error) {
	t := Type(name)
	if t == "" || !isType(typ) {
		return "", ErrName
	}
	out := strings.TrimSuffix(name, t) + typ
	if len(out) > MaxLen {
		return "", ErrTooLong
	}
	return out, nil
}

// ValidPrefix reports whether a string may stand before the "@" or the dot.
func ValidPrefix(s string) bool {
	return s != "" && strings.IndexByte(s, '@') < 0 && validChars(s)
}

// ValidInstance reports whether a string may stand between "@" and the dot;
// it may itself hold further "@".
func ValidInstance(s string) bool { return s != "" && validChars(s) }

func validChars(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; !plain(c) && c != '-' && c != '\\' && c != '@' {
			return false
		}
	}
	return true
}

// IsInstance reports whether the name is an instance, "a@b.service".
func IsInstance(name string) bool {
	_, i, _, at := Split(name)
	return at && i != ""
}

func isType(t string) bool {
	for _, k := range Types {
		if k == t {
			return true
		}
	}
	return false
}

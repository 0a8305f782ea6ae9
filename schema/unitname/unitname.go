// Package unitname knows unit names: validity, types, templates and instances,
// and the escaping of systemd-escape(1) (systemd.unit(5), "String Escaping for
// Inclusion in Unit Names").
package unitname

import "strings"

// MaxLen is the longest unit name systemd accepts, in bytes (UNIT_NAME_MAX
// counts a terminating NUL, so 255 characters stand).
const MaxLen = 255

// Types are the eleven unit types of systemd.unit(5), in its order.
var Types = []string{"service", "socket", "device", "mount", "automount", "swap", "target", "path", "timer", "slice", "scope"}

// Type gives the type of a unit name, its suffix without the dot, or "".
func Type(name string) string {
	i := strings.LastIndexByte(name, '.')
	if i < 0 {
		return ""
	}
	for _, t := range Types {
		if name[i+1:] == t {
			return t
		}
	}
	return ""
}

// Split takes a name apart: "a@b.service" is "a", "b", "service", true;
// a template has an empty instance and true.
func Split(name string) (prefix, instance, typ string, at bool) {
	typ = Type(name)
	base := strings.TrimSuffix(name, "."+typ)
	if i := strings.IndexByte(base, '@'); i >= 0 {
		return base[:i], base[i+1:], typ, true
	}
	return base, "", typ, false
}

// Template gives the template of an instance ("a@.service" for
// "a@b.service"), or "" when the name is not an instance.
func Template(name string) string {
	p, i, t, at := Split(name)
	if !at || i == "" {
		return ""
	}
	return p + "@." + t
}

// IsTemplate reports whether the name is a template, "a@.service".
func IsTemplate(name string) bool {
	_, i, _, at := Split(name)
	return at && i == ""
}

// Valid reports whether systemd accepts the name (unit_name_is_valid: plain,
// instance or template).
func Valid(name string) bool {
	if name == "" || len(name) > MaxLen || Type(name) == "" {
		return false
	}
	base := strings.TrimSuffix(name, "."+Type(name))
	if base == "" || base[0] == '@' {
		return false
	}
	for i := 0; i < len(base); i++ {
		c := base[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		case strings.IndexByte(":-_.\\@", c) >= 0:
		default:
			return false
		}
	}
	return true
}

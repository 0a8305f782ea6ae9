package unitname

import "strings"

// Mangle makes a unit name of what a user typed, as systemctl does: a valid
// name stays, a path below /dev becomes a device unit, another absolute path a
// mount unit, anything else is escaped where it must be and gets suffix
// ("service", without the dot) when it ends in no unit type. escaped reports
// that characters had to be replaced, which systemctl warns of.
func Mangle(name, suffix string) (mangled string, escaped bool, err error) {
	return mangle(name, suffix, false)
}

// MangleGlob is Mangle where a shell pattern is welcome: it stays as it is.
func MangleGlob(name, suffix string) (mangled string, escaped bool, err error) {
	return mangle(name, suffix, true)
}

// IsGlob reports whether a string has a character of shell patterns in it.
func IsGlob(s string) bool { return strings.ContainsAny(s, "*?[") }

func mangle(name, suffix string, glob bool) (string, bool, error) {
	if name == "" {
		return "", false, ErrEmpty
	}
	if !isType(suffix) {
		return "", false, ErrSuffix
	}
	if Valid(name) {
		return name, false, nil
	}
	if glob && IsGlob(name) && globChars(name) {
		return name, false, nil
	}
	if strings.HasPrefix(name, "/") {
		typ := "mount"
		if isDevicePath(name) {
			typ = "device"
		}
		// A path with ".." is not one that a unit could stand for; it is escaped
		// like any other text.
		if n, err := FromPath(name, typ); err != ErrPath {
			return n, false, err
		}
	}
	b := make([]byte, 0, len(name)+len(suffix)+1)
	escaped := false
	for i := 0; i < len(name); i++ {
		c := name[i]
		switch {
		case c == '/':
			b = append(b, '-')
			escaped = true
		case !plain(c) && c != '@' && c != '-' && c != '\\':
			b = appendHex(b, c)
			escaped = true
		default:
			b = append(b, c)
		}
	}
	out := string(b)
	// A name that is not valid has no type either: ".mount" becomes
	// ".mount.service".
	if !(glob && IsGlob(out)) && (Type(out) == "" || !Valid(out)) {
		out += "." + suffix
	}
	if !glob && !Valid(out) {
		return "", escaped, ErrName
	}
	return out, escaped, nil
}

func globChars(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if !plain(c) && strings.IndexByte("@-\\[]!*?", c) < 0 {
			return false
		}
	}
	return true
}

func isDevicePath(p string) bool {
	for _, d := range []string{"/dev/", "/sys/"} {
		if rest, ok := strings.CutPrefix(p, d); ok && strings.Trim(rest, "/") != "" {
			return true
		}
	}
	return false
}

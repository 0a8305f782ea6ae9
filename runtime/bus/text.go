package bus

import (
	"path"
	"strings"
)

// text8 makes a string that D-Bus can carry: valid UTF-8 without NUL.
func text8(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if strings.IndexByte(s, 0) >= 0 {
		s = strings.ReplaceAll(s, "\x00", "")
	}
	return s
}

// texts is text8 for a list, never nil.
func texts(in []string) []string {
	out := make([]string, len(in))
	for i, s := range in {
		out[i] = text8(s)
	}
	return out
}

// glob reports whether a name fits a pattern of fnmatch(3); a pattern that is
// none fits nothing.
func glob(pattern, name string) bool {
	if !strings.ContainsAny(pattern, "*?[") {
		return pattern == name
	}
	// path.Match lets * stop at slashes, which unit names do not have, and
	// knows [^…] where fnmatch has [!…] too.
	ok, err := path.Match(strings.ReplaceAll(pattern, "[!", "[^"), name)
	return err == nil && ok
}

// anyGlob reports whether a name fits one of the patterns, or there are none.
func anyGlob(patterns []string, name string) bool {
	if len(patterns) == 0 {
		return true
	}
	for _, p := range patterns {
		if glob(p, name) {
			return true
		}
	}
	return false
}

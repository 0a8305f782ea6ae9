package emit

import (
	"path"
	"sort"
	"strings"
	"unicode/utf8"
)

// roots are the top-level names that a tree may have.
var roots = map[string]bool{
	"etc":       true,
	"generator": true, "generator.early": true, "generator.late": true,
	"generator.user": true, "generator.early.user": true, "generator.late.user": true,
	ChecksFile: true, SecretsFile: true,
	"secrets": true,
}

const (
	maxPath = 3800 // PATH_MAX less room for the state directory
	maxName = 255  // NAME_MAX
)

// pathFault says why a path may not stand in a tree, or "".
func pathFault(p string) string {
	switch {
	case p == "":
		return "is empty"
	case !utf8.ValidString(p):
		return "is not valid UTF-8"
	case strings.HasPrefix(p, "/"):
		return "is absolute"
	case len(p) > maxPath:
		return "is too long"
	}
	if why := controlFault(p); why != "" {
		return why
	}
	segments := strings.Split(p, "/")
	for _, s := range segments {
		switch {
		case s == "":
			return "has an empty segment"
		case s == "..":
			return "climbs out of its directory"
		case s == ".":
			return "has a segment \".\""
		case len(s) > maxName:
			return "has a segment of more than 255 bytes"
		}
	}
	if !roots[segments[0]] {
		return "begins with " + segments[0] + ", which is no directory of a tree"
	}
	if len(segments) == 1 && p != ChecksFile && p != SecretsFile {
		return "names a whole top-level directory"
	}
	return ""
}

// nameFault says why a string cannot be one file name, or "".
func nameFault(n string) string {
	switch {
	case n == "":
		return "is empty"
	case n == "." || n == "..":
		return "is no file name"
	case strings.Contains(n, "/"):
		return "has a slash"
	case !utf8.ValidString(n):
		return "is not valid UTF-8"
	case len(n) > maxName:
		return "has more than 255 bytes"
	}
	return controlFault(n)
}

func controlFault(s string) string {
	for _, r := range s {
		switch {
		case r == '\n' || r == '\r':
			return "holds a newline"
		case r == 0:
			return "holds a NUL character"
		case r < 0x20 || r == 0x7f:
			return "holds a control character"
		}
	}
	return ""
}

// targetFault says why a link may not point where it does, or "". Absolute
// targets are the host's; relative ones stay within the tree, because the tree
// is read through more than one path.
func targetFault(at, target string) string {
	switch {
	case target == "":
		return "has no target"
	case !utf8.ValidString(target):
		return "is not valid UTF-8"
	case len(target) > maxPath:
		return "is too long"
	}
	if why := controlFault(target); why != "" {
		return why
	}
	if path.IsAbs(target) {
		return ""
	}
	if in := path.Join(path.Dir(at), target); in == ".." || strings.HasPrefix(in, "../") || !roots[strings.SplitN(in, "/", 2)[0]] {
		return "leads out of the tree; give an absolute target instead"
	}
	return ""
}

func sortStrings(s []string) { sort.Strings(s) }

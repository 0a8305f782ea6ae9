// Package specifier expands the %-specifiers of systemd.unit(5), "SPECIFIERS".
//
// It takes a string and a Context that the caller filled and gives the string
// expanded. It must not know where the facts of a Context come from, except in
// ReadHost, which reads them from a root directory; nor which directive a
// string belongs to, beyond the set of specifiers that it expands.
package specifier

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/unitgen/unitgen/schema/directive"
	"github.com/unitgen/unitgen/schema/unitname"
)

// Context is all that specifiers can name.
type Context struct {
	Unit     string // full unit name, "app@one.service"
	Fragment string // path of the unit file, for %y and %Y; "" where there is none

	// Directories, absolute.
	RuntimeDir     string // %t
	StateDir       string // %S
	CacheDir       string // %C
	LogsDir        string // %L
	ConfigDir      string // %E
	SharedDir      string // %D
	TempDir        string // %T
	VarTempDir     string // %V
	Home           string // %h
	CredentialsDir string // %d; "" for <RuntimeDir>/credentials/<unit>

	// The user that the manager runs as.
	User, Group string // %u %g
	UID, GID    string // %U %G
	Shell       string // %s

	Host Host
}

// ErrNoFragment is the error of %y and %Y in a unit without a unit file.
var ErrNoFragment = errors.New("%y and %Y need a unit that has a unit file")

// ErrNoUnit is the error of specifiers that name the unit where there is none.
var ErrNoUnit = errors.New("no unit name to expand specifiers of")

// lookup gives the value of one specifier. ok is false for a letter that the
// set does not know.
func (c *Context) lookup(letter byte, set directive.Specifiers) (v string, ok bool, err error) {
	if letter == '%' {
		return "%", true, nil
	}
	if strings.IndexByte(letters(set), letter) < 0 {
		return "", false, nil
	}
	switch letter {
	case 'n', 'N', 'p', 'P', 'i', 'I', 'j', 'J', 'f':
		v, err = c.unit(letter)
	case 'y':
		if v = c.Fragment; v == "" {
			err = ErrNoFragment
		}
	case 'Y':
		if v = path.Dir(c.Fragment); c.Fragment == "" {
			err = ErrNoFragment
		}
	case 't':
		v = c.RuntimeDir
	case 'S':
		v = c.StateDir
	case 'C':
		v = c.CacheDir
	case 'L':
		v = c.LogsDir
	case 'E':
		v = c.ConfigDir
	case 'D':
		v = c.SharedDir
	case 'd':
		if v = c.CredentialsDir; v == "" {
			v = path.Join(c.RuntimeDir, "credentials", c.Unit)
		}
	case 'T':
		v = c.TempDir
	case 'V':
		v = c.VarTempDir
	case 'h':
		v = c.Home
	case 's':
		v = c.Shell
	case 'u':
		v = c.User
	case 'U':
		v = c.UID
	case 'g':
		v = c.Group
	case 'G':
		v = c.GID
	default:
		v = c.Host.lookup(letter)
	}
	return v, true, err
}

// unit gives the specifiers that are made of the unit's name.
func (c *Context) unit(letter byte) (string, error) {
	if c.Unit == "" {
		return "", ErrNoUnit
	}
	prefix, instance, typ, at := unitname.Split(c.Unit)
	last := prefix[strings.LastIndexByte(prefix, '-')+1:]
	switch letter {
	case 'n':
		return c.Unit, nil
	case 'N':
		return strings.TrimSuffix(c.Unit, "."+typ), nil
	case 'p':
		return prefix, nil
	case 'i':
		return instance, nil
	case 'j':
		return last, nil
	case 'P':
		return unitname.Unescape(prefix)
	case 'I':
		return unitname.Unescape(instance)
	case 'J':
		return unitname.Unescape(last)
	}
	// %f: the instance as a path, else the prefix with a slash before it.
	if at && instance != "" {
		return unitname.UnescapePath(instance)
	}
	return unitname.UnescapePath(prefix)
}

// maxExpanded bounds what Expand gives, in bytes (systemd's longest line).
const maxExpanded = 1 << 20

// Expand replaces the specifiers of a set in a string. "%%" gives a percent
// sign. A letter or digit that the set does not know is an error, as in systemd;
// before any other character, or at the end, a percent sign stands for itself.
func Expand(s string, set directive.Specifiers, c *Context) (string, error) {
	if set == directive.SpecifiersNone || strings.IndexByte(s, '%') < 0 {
		return s, nil
	}
	var b strings.Builder
	b.Grow(len(s) + 32)
	for i := 0; i < len(s); i++ {
		if s[i] != '%' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		v, ok, err := c.lookup(s[i], set)
		if err != nil {
			return "", fmt.Errorf("%%%c cannot be expanded: %w", s[i], err)
		}
		if !ok {
			if letterOrDigit(s[i]) {
				return "", &UnknownError{s[i]}
			}
			b.WriteByte('%')
			v = s[i : i+1]
		}
		b.WriteString(v)
		if b.Len() > maxExpanded {
			return "", fmt.Errorf("the expanded value is longer than %d bytes", maxExpanded)
		}
	}
	return b.String(), nil
}

// UnknownError says that a letter stands for nothing in a directive.
type UnknownError struct{ Letter byte }

// Error says what to write instead.
func (e *UnknownError) Error() string {
	return fmt.Sprintf("%%%c is no specifier here; a percent sign is written %%%%", e.Letter)
}

func letterOrDigit(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

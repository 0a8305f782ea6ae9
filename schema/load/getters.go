package load

import (
	"strings"
	"time"

	"github.com/unitgen/unitgen/schema/directive"
	"github.com/unitgen/unitgen/schema/unitname"
)

// Sections gives every directive that has a value after loading: section →
// directive → values. Defaults are filled in, resets applied, specifiers
// expanded, implied effects included; values are spelled as in a unit file,
// lists have one string an element. The caller must not change it.
func (u *Unit) Sections() map[string]map[string][]string {
	return u.effective()
}

// Values gives the values of a directive as in Sections, nil where it has none.
func (u *Unit) Values(section, directive string) []string {
	return u.effective()[section][directive]
}

// TypeSection gives the name of the unit type's own section, "Service" for a
// service, "" for targets and devices.
func (u *Unit) TypeSection() string { return typeSection(u.Type) }

// find looks a directive up in the unit type's own section and then in Unit.
func (u *Unit) find(directive string) []string {
	if v := u.Values(u.TypeSection(), directive); v != nil {
		return v
	}
	return u.Values("Unit", directive)
}

// String gives the last value of a directive of the type's own section or of
// [Unit], "" where it has none.
func (u *Unit) String(directive string) string {
	v := u.find(directive)
	if len(v) == 0 {
		return ""
	}
	return v[len(v)-1]
}

// Strings gives the elements of a list directive.
func (u *Unit) Strings(directive string) []string { return u.find(directive) }

// Bool gives the value of a boolean directive, false where it has none or is
// not a boolean.
func (u *Unit) Bool(directive string) bool {
	b, _ := parseBool(u.String(directive))
	return b
}

// Duration gives the value of a time span directive; Infinity for "infinity",
// 0 where it has none.
func (u *Unit) Duration(directive string) time.Duration {
	d, _ := parseSpan(u.String(directive))
	return d
}

// Infinity is what Duration gives for "infinity".
const Infinity = time.Duration(1<<63 - 1)

// Has reports whether the unit has a dependency of a type on another unit.
func (u *Unit) Has(depType, other string) bool {
	for _, d := range u.Deps {
		if d.Type == depType && d.Unit == other {
			return true
		}
	}
	return false
}

// DepUnits gives the units that the unit has a dependency of a type on.
func (u *Unit) DepUnits(depType string) []string {
	var out []string
	for _, d := range u.Deps {
		if d.Type == depType {
			out = append(out, d.Unit)
		}
	}
	return out
}

// Instance gives the instance of the unit's name, "" when it is none.
func (u *Unit) Instance() string {
	_, i, _, _ := unitname.Split(u.Name)
	return i
}

func typeSection(typ string) string { return directive.TypeSection(typ) }

func parseBool(s string) (value, ok bool) {
	switch strings.ToLower(s) {
	case "1", "yes", "y", "true", "t", "on":
		return true, true
	case "0", "no", "n", "false", "f", "off":
		return false, true
	}
	return false, false
}

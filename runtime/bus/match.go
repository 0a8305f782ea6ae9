//go:build linux

package bus

import (
	"strings"

	"github.com/godbus/dbus/v5"
)

// matchRule is a match rule of the D-Bus specification, as far as it can tell
// the manager's messages apart.
type matchRule struct {
	text   string
	typ    string
	sender string
	iface  string
	member string
	path   string
	under  string // path_namespace
	args   map[string]string
}

// parseMatch reads key='value',… pairs.
func parseMatch(s string) (matchRule, error) {
	r := matchRule{text: s, args: map[string]string{}}
	bad := refusal("org.freedesktop.DBus.Error.MatchRuleInvalid", "The match rule cannot be read: %s", text8(s))
	rest := s
	for rest != "" {
		key, after, ok := strings.Cut(rest, "=")
		if !ok {
			return r, bad
		}
		var val strings.Builder
		quoted := false
		i := 0
		for ; i < len(after); i++ {
			c := after[i]
			if c == '\'' {
				quoted = !quoted
			} else if c == ',' && !quoted {
				break
			} else if c == '\\' && !quoted && i+1 < len(after) && after[i+1] == '\'' {
				val.WriteByte('\'')
				i++
			} else {
				val.WriteByte(c)
			}
		}
		if quoted {
			return r, bad
		}
		rest = strings.TrimPrefix(after[i:], ",")
		v := val.String()
		switch key = strings.TrimSpace(key); key {
		case "type":
			r.typ = v
		case "sender":
			r.sender = v
		case "interface":
			r.iface = v
		case "member":
			r.member = v
		case "path":
			r.path = v
		case "path_namespace":
			r.under = v
		case "eavesdrop", "destination":
		default:
			if !strings.HasPrefix(key, "arg") {
				return r, bad
			}
			r.args[key] = v
		}
	}
	return r, nil
}

// matches reports whether a signal of the manager is wanted.
func (r *matchRule) matches(path dbus.ObjectPath, ifn, member string, body []any) bool {
	switch {
	case r.typ != "" && r.typ != "signal",
		r.sender != "" && r.sender != busName && r.sender != managerName,
		r.iface != "" && r.iface != ifn,
		r.member != "" && r.member != member,
		r.path != "" && r.path != string(path):
		return false
	}
	if r.under != "" && r.under != "/" && string(path) != r.under && !strings.HasPrefix(string(path), r.under+"/") {
		return false
	}
	for key, want := range r.args {
		if key != "arg0" {
			continue // the manager's clients tell by the first argument, if at all
		}
		if len(body) == 0 || body[0] != want {
			return false
		}
	}
	return true
}

package plan

import (
	"encoding/json"
	"fmt"
	"sort"

	"github.com/unitgen/unitgen/schema/tree"
	"github.com/unitgen/unitgen/schema/unitname"
)

// States are the active states of units; what is not in them is inactive. The
// system map also speaks for user units where User is nil and the name is one
// of the user scope alone.
type States struct {
	System map[string]string
	User   map[string]string
	// Links are what enables units on the machine from outside the trees.
	Links []Link
}

// Link is a link below /etc/systemd that enables a unit, made by systemctl or by
// hand.
type Link struct {
	Scope tree.Scope
	Path  string // absolute
	Unit  string
	By    string // the unit that pulls it in; "" for an alias
	How   string // "Wants", "Requires", "Upholds"; "" for an alias
	// Withheld says that a generation that disables the unit has taken it away,
	// and that it comes back.
	Withheld bool
}

func (st States) linksOf(scope tree.Scope) []Link {
	var out []Link
	for _, l := range st.Links {
		if l.Scope == scope {
			out = append(out, l)
		}
	}
	return out
}

// activeStates are systemd's words for them.
var activeStates = set("active", "reloading", "inactive", "failed", "activating", "deactivating", "maintenance", "refreshing")

// ParseStates reads the FILE of `plan --states`: {"nginx.service":"active",…}.
// An object under "user" holds those of the user scope.
func ParseStates(data []byte) (States, error) {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		return States{}, fmt.Errorf("the states are not a JSON object of unit names and states: %w", err)
	}
	out := States{System: map[string]string{}}
	for _, name := range sortedKeys(raw) {
		into, v := &out.System, raw[name]
		if name == "user" || name == "system" {
			var m map[string]string
			if err := json.Unmarshal(v, &m); err != nil {
				return States{}, fmt.Errorf("states of %q: %w", name, err)
			}
			if name == "user" {
				out.User = map[string]string{}
				into = &out.User
			}
			for u, st := range m {
				if err := checkState(u, st); err != nil {
					return States{}, err
				}
				(*into)[u] = st
			}
			continue
		}
		var st string
		if err := json.Unmarshal(v, &st); err != nil {
			return States{}, fmt.Errorf("the state of %q is no string", name)
		}
		if err := checkState(name, st); err != nil {
			return States{}, err
		}
		out.System[name] = st
	}
	return out, nil
}

func checkState(unit, state string) error {
	if !unitname.Valid(unit) {
		return fmt.Errorf("%q is no unit name", unit)
	}
	if !activeStates[state] {
		return fmt.Errorf("%q is no active state of %s; states are active, inactive, failed, activating, deactivating, reloading", state, unit)
	}
	return nil
}

// of gives the states of one scope, aliases resolved.
func (st States) of(scope tree.Scope, old, new *Tree) map[string]string {
	from := st.System
	if scope == tree.User {
		from = st.User
		if from == nil {
			from = map[string]string{}
			for n, s := range st.System {
				if (old.Has(tree.User, n) || new.Has(tree.User, n)) && !old.Has(tree.System, n) && !new.Has(tree.System, n) {
					from[n] = s
				}
			}
		}
	}
	out := map[string]string{}
	for n, s := range from {
		if s == "inactive" {
			continue
		}
		if old.scopes[scope].fragments[n] == nil && new.scopes[scope].fragments[n] == nil {
			if real := old.scopes[scope].real(n); real != n {
				n = real
			} else {
				n = new.scopes[scope].real(n)
			}
		}
		out[n] = s
	}
	return out
}

// Has reports whether the tree has a unit file, template or drop-ins of its own
// for a unit.
func (t *Tree) Has(scope tree.Scope, name string) bool {
	u := t.scopes[scope]
	return u.fragmentOf(u.real(name)) != nil || u.hasDropIns(name)
}

// UnitNames gives every unit of a scope that the tree has a file for, sorted;
// templates by their own name.
func (t *Tree) UnitNames(scope tree.Scope) []string {
	out := sortedKeys(t.units(scope))
	sort.Strings(out)
	return out
}

// Fragment reports whether the tree has the unit's own file, or its template's.
func (t *Tree) Fragment(scope tree.Scope, name string) bool {
	u := t.scopes[scope]
	f := u.fragmentOf(u.real(name))
	return f != nil && !f.masked
}

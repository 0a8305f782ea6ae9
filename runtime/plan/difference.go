package plan

import (
	"slices"

	"github.com/unitgen/unitgen/schema/tree"
)

// Difference is what differs between two trees, whatever runs.
type Difference struct {
	Units []UnitDifference `json:"units"`
	Files Files            `json:"files"`
}

// UnitDifference is one unit that differs.
type UnitDifference struct {
	Unit       string                `json:"unit"`
	Scope      tree.Scope            `json:"scope"`
	Change     string                `json:"change"` // "added", "removed", "changed", "masked", "unmasked"
	Directives []DirectiveDifference `json:"directives,omitempty"`
}

// DirectiveDifference is one directive of a changed unit, with the values that
// only one side has.
type DirectiveDifference struct {
	Section   string   `json:"section"`
	Directive string   `json:"directive"`
	Old       []string `json:"old"`
	New       []string `json:"new"`
}

// Compare tells two trees apart: units with their drop-ins applied, and files
// that are no units.
func Compare(old, new *Tree) *Difference {
	d := &Difference{Units: []UnitDifference{}}
	for _, scope := range []tree.Scope{tree.System, tree.User} {
		for _, name := range union(old.units(scope), new.units(scope)) {
			a, b := old.unit(scope, name), new.unit(scope, name)
			u := UnitDifference{Unit: name, Scope: scope}
			switch {
			case a == nil && b == nil:
				continue
			case a == nil:
				u.Change = "added"
			case b == nil:
				u.Change = "removed"
			case a.Masked != b.Masked && b.Masked:
				u.Change = "masked"
			case a.Masked != b.Masked:
				u.Change = "unmasked"
			default:
				if u.Directives = directiveDifferences(a, b); len(u.Directives) == 0 {
					continue
				}
				u.Change = "changed"
			}
			d.Units = append(d.Units, u)
		}
	}
	all := compareFiles(old, new)
	others := func(paths []string) []string {
		out := []string{}
		for _, p := range paths {
			if !isUnitPath(p) {
				out = append(out, p)
			}
		}
		return out
	}
	d.Files = Files{Added: others(all.Added), Removed: others(all.Removed), Changed: others(all.Changed)}
	return d
}

func directiveDifferences(a, b *Unit) []DirectiveDifference {
	var out []DirectiveDifference
	for _, section := range union(a.settings, b.settings) {
		for _, key := range union(a.settings[section], b.settings[section]) {
			x, y := a.settings[section][key], b.settings[section][key]
			if sameValues(key, x, y) {
				continue
			}
			out = append(out, DirectiveDifference{section, key, without(texts(x), texts(y)), without(texts(y), texts(x))})
		}
	}
	return out
}

// without gives the strings of a that b has not; all of a where only the order
// differs.
func without(a, b []string) []string {
	out := []string{}
	for _, s := range a {
		if !slices.Contains(b, s) {
			out = append(out, s)
		}
	}
	if len(out) == 0 && len(a) == len(b) {
		return a
	}
	return out
}

package directive

import (
	"sort"
	"strings"
	"sync"

	"github.com/agext/levenshtein"
	"github.com/unitgen/unitgen/schema/unitname"
)

// typeSections maps a unit type to the section of its own. Targets and devices
// have none.
var typeSections = map[string]string{
	"service":   "Service",
	"socket":    "Socket",
	"mount":     "Mount",
	"automount": "Automount",
	"swap":      "Swap",
	"timer":     "Timer",
	"path":      "Path",
	"slice":     "Slice",
	"scope":     "Scope",
}

// TypeSection gives the section of its own that a unit type has ("Service"
// for "service"), or "" for target, device and what is no unit type.
func TypeSection(unitType string) string { return typeSections[unitType] }

// SectionTypes gives the unit types whose files may hold a section.
func SectionTypes(section string) []string {
	if section == "Unit" || section == "Install" {
		return unitname.Types
	}
	for t, s := range typeSections {
		if s == section {
			return []string{t}
		}
	}
	return nil
}

// Sections gives the sections of a unit type's files in the order for writing:
// Unit, the type's own, Install. An unknown type has none.
func Sections(unitType string) []string {
	if s, ok := typeSections[unitType]; ok {
		return []string{"Unit", s, "Install"}
	}
	for _, t := range unitname.Types {
		if t == unitType {
			return []string{"Unit", "Install"}
		}
	}
	return nil
}

type tableIndex struct {
	all       []*Directive
	bySection map[string]map[string]*Directive
}

var index = sync.OnceValue(func() *tableIndex {
	ix := &tableIndex{bySection: map[string]map[string]*Directive{}}
	for i := range table {
		d := &table[i]
		ix.all = append(ix.all, d)
		m := ix.bySection[d.Section]
		if m == nil {
			m = map[string]*Directive{}
			ix.bySection[d.Section] = m
		}
		m[d.Name] = d
	}
	return ix
})

// All gives every row, ordered by section (Unit, Service, Socket, Mount,
// Automount, Swap, Timer, Path, Slice, Scope, Install) and by the order of the
// facts. The rows are shared: do not change them.
func All() []*Directive { return index().all }

// Lookup finds a directive by section and name. The unit type says whether the
// section may stand in the file at all; "" allows every section.
func Lookup(unitType, section, name string) (*Directive, bool) {
	if unitType != "" && !hasSection(unitType, section) {
		return nil, false
	}
	d, ok := index().bySection[section][name]
	return d, ok
}

func hasSection(unitType, section string) bool {
	for _, s := range Sections(unitType) {
		if s == section {
			return true
		}
	}
	return false
}

// Find gives the directive of every section of a unit type that has the name,
// in the order of Sections: none for an unknown name, two for the few names
// that exist in two sections.
func Find(unitType, name string) []*Directive {
	var out []*Directive
	for _, s := range Sections(unitType) {
		if d, ok := index().bySection[s][name]; ok {
			out = append(out, d)
		}
	}
	return out
}

// Suggest gives the name of the unit type's directive that is nearest to a
// misspelt one, or "" when none is near. A difference in case, underscores and
// dashes alone is always near.
func Suggest(unitType, name string) string {
	var best string
	limit := 2
	if len(name) > 9 {
		limit = 3
	}
	if len(name) < 5 {
		limit = 1
	}
	low := strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(name))
	if len(name) > 200 {
		return ""
	}
	var names []string
	for _, s := range Sections(unitType) {
		for n, d := range index().bySection[s] {
			if d.Kind != Obsolete && d.Replaced == "" {
				names = append(names, n)
			}
		}
	}
	sort.Strings(names)
	bestDist := limit + 1
	for _, n := range names {
		ln := strings.ToLower(n)
		if ln == low {
			return n
		}
		if d := len(n) - len(name); d > limit || -d > limit {
			continue
		}
		if dist := levenshtein.Distance(low, ln, nil); dist < bestDist {
			best, bestDist = n, dist
		}
	}
	return best
}

// Same reports whether two names differ in case, underscores and dashes alone.
func Same(a, b string) bool {
	i, j := 0, 0
	for {
		for i < len(a) && (a[i] == '_' || a[i] == '-') {
			i++
		}
		for j < len(b) && (b[j] == '_' || b[j] == '-') {
			j++
		}
		if i == len(a) || j == len(b) {
			return i == len(a) && j == len(b)
		}
		if lower(a[i]) != lower(b[j]) {
			return false
		}
		i, j = i+1, j+1
	}
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

//go:build linux

package bus

import (
	"slices"
	"strings"

	"github.com/unitgen/unitgen/runtime/unitstate"
)

// systemctl shows the processes of a unit only where the unit has a control
// group. Under a manager that has none to give, the place where the unit's
// would lie stands for it: ControlGroup is then a name for people, and
// ControlGroupId is 0.

// placeOf gives the control group of a unit, or the place it would have.
func placeOf(st *unitstate.Status) string {
	if st.ControlGroup != "" {
		return st.ControlGroup
	}
	if st.Type == "slice" {
		return slicePath(st.Name)
	}
	slice := st.Slice
	if slice == "" {
		slice = "system.slice"
	}
	return strings.TrimSuffix(slicePath(slice), "/") + "/" + st.Name
}

// slicePath gives the path of a slice: every dash is a level
// (systemd.slice(5)).
func slicePath(name string) string {
	base := strings.TrimSuffix(name, ".slice")
	if base == "-" || base == "" {
		return "/"
	}
	path := ""
	for i := range len(base) {
		if base[i] == '-' {
			path += "/" + base[:i] + ".slice"
		}
	}
	return path + "/" + base + ".slice"
}

// processesOf gives the processes of a unit, of a slice with those of the
// units in it, each with a control group.
func (s *Server) processesOf(st *unitstate.Status) ([]processRow, error) {
	ps, err := s.backend.Processes(st.Name)
	if err != nil {
		return nil, err
	}
	rows := make([]processRow, 0, len(ps))
	add := func(st *unitstate.Status, ps []unitstate.Process) {
		for _, p := range ps {
			group := p.ControlGroup
			if group == "" {
				group = placeOf(st)
			}
			r := processRow{text8(group), uint32(p.PID), text8(p.Command)}
			if !slices.ContainsFunc(rows, func(x processRow) bool { return x.PID == r.PID }) {
				rows = append(rows, r)
			}
		}
	}
	add(st, ps)
	if st.Type != "slice" || len(ps) > 0 {
		return rows, nil
	}
	root := strings.TrimSuffix(placeOf(st), "/") + "/"
	for _, u := range s.backend.Units() {
		if u.Type == "slice" || u.Active.IsInactiveOrFailed() || !strings.HasPrefix(placeOf(u), root) {
			continue
		}
		if ps, err := s.backend.Processes(u.Name); err == nil {
			add(u, ps)
		}
	}
	return rows, nil
}

// group gives the property ControlGroup.
func (v *view) group() string {
	st := v.st
	if st.ControlGroup != "" || st.Active.IsInactiveOrFailed() {
		return st.ControlGroup
	}
	switch st.Type {
	case "slice":
		return placeOf(st)
	case "service", "scope", "socket", "mount", "swap":
		if ps, err := v.s.backend.Processes(st.Name); err == nil && len(ps) > 0 {
			return placeOf(st)
		}
	}
	return ""
}

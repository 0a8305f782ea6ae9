package ctl

import (
	"path"
	"slices"
	"sort"
	"strings"

	"github.com/unitgen/unitgen/runtime/bus"
	"github.com/unitgen/unitgen/schema/unitname"
)

// mangleGlobs makes unit names or patterns of the arguments of list verbs.
func (r *run) mangleGlobs(suffix string) ([]string, bool) {
	var out []string
	for _, a := range r.args {
		if isGlob(a) {
			if unitname.Type(a) == "" && suffix != "service" {
				a += "." + suffix
			}
			out = append(out, a)
			continue
		}
		n, ok := r.mangle(a, suffix)
		if !ok {
			return nil, false
		}
		out = append(out, n)
	}
	return out, true
}

// units gives the units that the options choose, sorted by type and name.
func (r *run) units(patterns []string) ([]bus.UnitStatus, error) {
	us, err := r.c.ListUnitsByPatterns(r.ctx, r.states, patterns)
	if bus.IsError(err, "org.freedesktop.DBus.Error.UnknownMethod") {
		us, err = r.c.ListUnits(r.ctx)
	}
	if err != nil {
		return nil, err
	}
	us = slices.DeleteFunc(us, func(u bus.UnitStatus) bool {
		typ := unitname.Type(u.Name)
		return len(r.types) > 0 && !slices.Contains(r.types, typ) || !fits(patterns, u.Name)
	})
	sort.SliceStable(us, func(i, j int) bool { return unitLess(us[i].Name, us[j].Name) })
	return us, nil
}

// unitLess orders units by type, then by name, without regard to case.
func unitLess(a, b string) bool {
	ta, tb := strings.ToLower(unitname.Type(a)), strings.ToLower(unitname.Type(b))
	if ta != tb {
		return ta < tb
	}
	return strings.ToLower(a) < strings.ToLower(b)
}

func (r *run) listUnits() int {
	patterns, ok := r.mangleGlobs("service")
	if !ok {
		return exitFailure
	}
	if r.withDependencies && len(patterns) > 0 {
		patterns = r.closure(patterns)
	}
	us, err := r.units(patterns)
	if err != nil {
		return r.tell("list units", err)
	}
	t := &table{columns: []column{{" ", false}, {"UNIT", false}, {"LOAD", false}, {"ACTIVE", false}, {"SUB", false}, {"JOB", false}, {"DESCRIPTION", false}}}
	jobs := 0
	for _, u := range us {
		if u.Followed != "" && !r.all || len(r.states) == 0 && !r.all && u.ActiveState == "inactive" && u.JobID == 0 {
			continue
		}
		dot := " "
		if u.LoadState == "error" || u.LoadState == "not-found" || u.LoadState == "bad-setting" || u.LoadState == "masked" || u.ActiveState == "failed" {
			if dot = "*"; r.UTF8 {
				dot = "●"
			}
		}
		if u.JobID != 0 {
			jobs++
		}
		t.add(dot, u.Name, u.LoadState, u.ActiveState, u.SubState, u.JobType, u.Description)
	}
	drop := func(i int) {
		t.columns = slices.Delete(t.columns, i, i+1)
		for k := range t.rows {
			t.rows[k] = slices.Delete(t.rows[k], i, i+1)
		}
	}
	if jobs == 0 {
		drop(5)
	}
	if r.plain || r.output == "json" {
		drop(0)
	}
	if r.output == "json" {
		return t.json(r)
	}
	t.print(r, r.legend)
	if !r.legend || r.quiet {
		return exitSuccess
	}
	if len(t.rows) > 0 {
		r.print("\nLOAD   = Reflects whether the unit definition was properly loaded.\n" +
			"ACTIVE = The high-level unit activation state, i.e. generalization of SUB.\n" +
			"SUB    = The low-level unit activation state, values depend on unit type.\n")
		if jobs > 0 {
			r.print("JOB    = Pending job for the unit.\n\n")
		}
	}
	hint := "To show all installed unit files use 'systemctl list-unit-files'.\n"
	switch {
	case r.all || slices.Contains(r.states, "inactive"):
		r.print("%d loaded units listed.\n%s", len(t.rows), hint)
	case len(r.states) == 0:
		r.print("%d loaded units listed. Pass --all to see loaded but inactive units, too.\n%s", len(t.rows), hint)
	default:
		r.print("%d loaded units listed.\n", len(t.rows))
	}
	return exitSuccess
}

// dot is the mark before a unit, in the color of its state on a terminal.
func (r *run) dot(active, load string) string {
	mark := r.mark(active)
	if !r.Color {
		return mark
	}
	color := map[string]string{"active": "32", "reloading": "32", "activating": "32", "failed": "31"}[active]
	if load == "not-found" || load == "error" || load == "bad-setting" {
		color = "31"
	}
	if color == "" {
		return mark
	}
	return "\x1b[0;1;" + color + "m" + mark + "\x1b[0m"
}

// mark is a dot without color.
func (r *run) mark(active string) string {
	if !r.UTF8 {
		return map[string]string{"failed": "x", "inactive": "*"}[active] + map[bool]string{true: "*"}[active != "failed" && active != "inactive"]
	}
	switch active {
	case "inactive", "maintenance":
		return "○"
	case "failed":
		return "×"
	case "reloading":
		return "↻"
	}
	return "●"
}

func (r *run) listUnitFiles() int {
	patterns, ok := r.mangleGlobs("service")
	if !ok {
		return exitFailure
	}
	var all []bus.UnitFileStatus
	if err := r.c.Call(r.ctx, "ListUnitFilesByPatterns", []any{append([]string{}, r.states...), append([]string{}, patterns...)}, &all); err != nil {
		return r.tell("list unit files", err)
	}
	t := &table{columns: []column{{"UNIT FILE", false}, {"STATE", false}, {"PRESET", false}}}
	sort.SliceStable(all, func(i, j int) bool { return unitLess(path.Base(all[i].Path), path.Base(all[j].Path)) })
	for _, f := range all {
		name := path.Base(f.Path)
		if len(r.types) > 0 && !slices.Contains(r.types, unitname.Type(name)) {
			continue
		}
		preset := "-"
		if v, err := r.c.GetUnitProperty(r.ctx, name, "UnitFilePreset"); err == nil && v != "" && slices.Contains([]string{"enabled", "disabled", "enabled-runtime", "disabled-runtime", "indirect", "linked", "masked", "masked-runtime"}, f.State) {
			preset = v.(string)
		}
		t.add(name, f.State, preset)
	}
	if r.output == "json" {
		for i := range t.columns {
			t.columns[i].title = map[string]string{"UNIT FILE": "unit_file", "STATE": "state", "PRESET": "preset"}[t.columns[i].title]
		}
		return t.json(r)
	}
	t.print(r, r.legend)
	if r.legend && !r.quiet {
		r.print("\n%d unit files listed.\n", len(t.rows))
	}
	return exitSuccess
}

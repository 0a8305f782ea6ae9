package install

import (
	"io/fs"
	"path"
	"strings"

	"github.com/unitgen/unitgen/schema/unitname"
)

// PresetMode says which half of a preset counts.
type PresetMode string

// Modes of presets, as --preset-mode= spells them.
const (
	PresetFull        PresetMode = "full"
	PresetEnableOnly  PresetMode = "enable-only"
	PresetDisableOnly PresetMode = "disable-only"
)

// rule is one line of a preset file (systemd.preset(5)).
type rule struct {
	pattern   string
	enable    bool
	instances []string
}

// presets reads the preset files.
func (e *Engine) presets() []rule {
	sub := "system-preset"
	dirs := []string{"/etc/systemd/" + sub, "/run/systemd/" + sub, "/usr/local/lib/systemd/" + sub, "/usr/lib/systemd/" + sub, "/lib/systemd/" + sub}
	if e.opt.Scope != System {
		sub = "user-preset"
		dirs = []string{"/etc/systemd/" + sub, "/run/systemd/" + sub, "/usr/local/lib/systemd/" + sub, "/usr/lib/systemd/" + sub}
	}
	for i := range dirs {
		dirs[i] = e.root + dirs[i]
	}
	var out []rule
	for _, p := range e.confFiles(dirs, ".preset") {
		data, err := e.fs.ReadFile(p)
		if err != nil {
			continue
		}
		for _, l := range strings.FieldsFunc(string(data), func(r rune) bool { return r == '\n' || r == '\r' || r == 0 }) {
			l = strings.TrimSpace(l)
			if l == "" || l[0] == '#' || l[0] == ';' {
				continue
			}
			if r, ok := parseRule(l); ok {
				out = append(out, r)
			}
		}
	}
	return out
}

func parseRule(l string) (rule, bool) {
	w := strings.Fields(l)
	if len(w) < 2 || w[0] != "enable" && w[0] != "disable" {
		return rule{}, false
	}
	r := rule{pattern: w[1], enable: w[0] == "enable"}
	if r.enable && len(w) > 2 {
		// Instances are for templates only; systemd ignores the line otherwise.
		if !unitname.IsTemplate(w[1]) {
			return rule{}, false
		}
		r.instances = w[2:]
	} else if len(w) > 2 {
		r.pattern = strings.Join(w[1:], " ")
	}
	return r, true
}

// query says what the presets want for a unit: without a rule it is enabled.
// For a template whose rule names instances those are given. Listings pass
// rules with instances over, as systemctl's do.
func query(rules []rule, name string, listing bool) (enable bool, instances []string) {
	for _, r := range rules {
		if len(r.instances) > 0 && !listing {
			if unitname.IsTemplate(name) && fnmatch(r.pattern, name) {
				for _, i := range r.instances {
					if n, err := unitname.WithInstance(name, i); err == nil {
						instances = append(instances, n)
					}
				}
				return r.enable, instances
			}
			if t := unitname.Template(name); t != "" && t == r.pattern {
				_, instance, _, _ := unitname.Split(name)
				for _, i := range r.instances {
					if i == instance {
						return r.enable, nil
					}
				}
			}
		}
		if fnmatch(r.pattern, name) {
			return r.enable, nil
		}
	}
	return true, nil
}

// fnmatch matches a shell pattern; a pattern that is broken matches only
// itself.
func fnmatch(pattern, name string) bool {
	if pattern == name {
		return true
	}
	ok, err := path.Match(strings.ReplaceAll(strings.ReplaceAll(pattern, `\`, `\\`), "[!", "[^"), name)
	return err == nil && ok
}

// Preset enables and disables units as the preset files say.
func (e *Engine) Preset(units []string, mode PresetMode) (carries bool, err error) {
	plus, minus := newSet(), newSet()
	rules := e.presets()
	for _, n := range units {
		if err := e.prepare(plus, minus, rules, n); err != nil {
			return true, err
		}
	}
	return e.carryOut(plus, minus, mode)
}

// PresetAll is Preset for every unit that has a file.
func (e *Engine) PresetAll(mode PresetMode) error {
	plus, minus := newSet(), newSet()
	rules := e.presets()
	for _, d := range e.dirs {
		list, err := e.fs.ReadDir(d)
		if err != nil {
			if missing(err) {
				continue
			}
			return &failure{kind: Failed, err: err}
		}
		for _, f := range list {
			if !unitname.Valid(f.Name()) || hidden(f.Name()) || !f.Type().IsRegular() && f.Type()&fs.ModeSymlink == 0 {
				continue
			}
			err := e.prepare(plus, minus, rules, f.Name())
			if err == nil {
				continue
			}
			switch kindOf(err) {
			case Masked, Exists, Generated, BadSpecifier, BadName, Linked, BadAlias, NotFound, NotTemplate, Unresolvable:
				// It is told of, and the others are gone on with; what is masked is
				// told of again when the others are enabled.
			default:
				return err
			}
		}
	}
	_, err := e.carryOut(plus, minus, mode)
	return err
}

func (e *Engine) prepare(plus, minus *set, rules []rule, name string) error {
	if plus.names[name] != nil || minus.names[name] != nil {
		return nil
	}
	u, err := e.discover(newSet(), name, false)
	if err != nil {
		return err
	}
	if u.name != name {
		return nil // an alias: the unit itself decides
	}
	enable, instances := query(rules, name, false)
	switch {
	case enable && len(instances) > 0:
		for _, i := range instances {
			if _, err := e.discoverUsable(plus, i, true); err != nil {
				return err
			}
		}
	case enable:
		_, err = e.discoverUsable(plus, name, true)
	default:
		_, err = e.discover(minus, name, false)
	}
	return err
}

func (e *Engine) carryOut(plus, minus *set, mode PresetMode) (carries bool, err error) {
	if mode != PresetEnableOnly {
		err = e.removeMarked(e.markForRemoval(minus))
	}
	if mode != PresetDisableOnly {
		c, aerr := e.apply(plus, true, true)
		carries = c
		if err == nil {
			err = aerr
		}
	}
	return carries, err
}

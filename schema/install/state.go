package install

import (
	"io/fs"
	"path"
	"strings"

	"github.com/unitgen/unitgen/schema/unitname"
)

// State answers is-enabled in systemctl's words: enabled, enabled-runtime,
// linked, linked-runtime, alias, masked, masked-runtime, static, indirect,
// disabled, generated, transient.
func (e *Engine) State(name string) (string, error) {
	if !unitname.Valid(name) {
		return "", errInvalid
	}
	s := newSet()
	u, err := s.add(name, "", false)
	if err != nil {
		return "", err
	}
	if u, err = e.traverse(s, u, true); err != nil {
		return "", err
	}
	if u.typ == masked {
		if e.isRuntime(u.path, true) {
			return "masked-runtime", nil
		}
		return "masked", nil
	}
	switch {
	case name != path.Base(u.path) && !unitname.IsInstance(u.name):
		return "alias", nil
	case e.isGenerated(u.path):
		return "generated", nil
	case e.isTransient(u.path):
		return "transient", nil
	}
	if st := e.findLinks(u, true); st != "" {
		return st, nil
	}
	switch st := e.findLinks(u, false); {
	case st != "":
		return "indirect", nil
	case len(u.aliases)+len(u.wantedBy)+len(u.requiredBy)+len(u.upheldBy) > 0:
		return "disabled", nil
	case len(u.also) > 0:
		return "indirect", nil
	}
	return "static", nil
}

// Known reports whether a unit has a file. What stands in the way of telling is
// an error, but for links and masks, which are for the verbs to judge.
func (e *Engine) Known(name string) (bool, error) {
	s := newSet()
	u, err := s.add(name, "", false)
	if err == nil {
		_, err = e.traverse(s, u, false)
	}
	switch {
	case err == nil:
		return true, nil
	case kindOf(err) == NotFound:
		return false, nil
	case kindOf(err) == Linked, kindOf(err) == Masked, kindOf(err) == Generated:
		return true, nil
	}
	return false, err
}

// isRuntime reports whether a path goes away at the next boot.
func (e *Engine) isRuntime(p string, parent bool) bool {
	if parent {
		p = path.Dir(p)
	}
	if p == e.run || e.transient != "" && p == e.transient {
		return true
	}
	for _, d := range e.generated {
		if p == d {
			return true
		}
	}
	return below(p, e.root+"/run")
}

// findLinks looks for links to the unit in every directory of the load path.
// With known, only links count that enabling the unit would make.
func (e *Engine) findLinks(u *unit, known bool) string {
	var runtime, somewhere, sameConfig, sameRuntime bool
	lower := false
	for _, d := range e.dirs {
		same := false
		if e.findLinksIn(d, u, known, lower, &same) {
			if d == e.etc || e.opt.Scope != System && d == e.root+"/etc/systemd/user" {
				return "enabled"
			}
			if e.isRuntime(d, false) {
				runtime = true
			} else {
				somewhere = true
			}
		} else if same {
			if d == e.etc {
				sameConfig = true
			} else if e.isRuntime(d, false) {
				sameRuntime = true
			}
		}
		// Links of the same name below the unit file's own directory are hidden
		// by it.
		if below(u.path, d) {
			lower = true
		}
	}
	switch {
	case runtime:
		return "enabled-runtime"
	case somewhere && unitname.IsInstance(u.name):
		return "static"
	case sameConfig:
		return "linked"
	case sameRuntime:
		return "linked-runtime"
	}
	return ""
}

func (e *Engine) findLinksIn(config string, u *unit, known, lower bool, same *bool) bool {
	list, err := e.fs.ReadDir(config)
	if err != nil {
		return false
	}
	for _, f := range list {
		if !f.IsDir() || hidden(f.Name()) {
			continue
		}
		switch path.Ext(f.Name()) {
		case ".wants", ".requires":
		case ".upholds":
			if !e.version(254) {
				continue
			}
		default:
			continue
		}
		dir := config + "/" + f.Name()
		sub, err := e.fs.ReadDir(dir)
		if err == nil && e.matchLinks(sub, dir, config, u, known, lower, same) {
			return true
		}
	}
	return e.matchLinks(list, config, config, u, known, lower, same)
}

func (e *Engine) matchLinks(list []fs.DirEntry, dir, config string, u *unit, known, lower bool, same *bool) bool {
	for _, f := range list {
		n := f.Name()
		if f.Type()&fs.ModeSymlink == 0 || hidden(n) {
			continue
		}
		foundPath := !lower && n == u.name
		p := dir + "/" + n
		target, err := e.fs.Readlink(p)
		if err != nil {
			continue
		}
		foundDest := path.Base(target) == u.name
		if foundPath && foundDest && p == config+"/"+u.name {
			*same = true
			continue
		}
		if foundPath || foundDest {
			if !known || u.knownLink(n) {
				return true
			}
		}
	}
	return false
}

// knownLink reports whether enabling the unit makes a link of the name.
func (u *unit) knownLink(name string) bool {
	if name == u.name {
		return true
	}
	for _, a := range u.aliases {
		if a == name {
			return true
		}
	}
	if u.defaultInstance != "" && unitname.IsTemplate(u.name) {
		n, err := unitname.WithInstance(u.name, u.defaultInstance)
		return err == nil && n == name
	}
	return false
}

// Listed is one row of list-unit-files.
type Listed struct {
	Name, Path, State string
	Preset            string // "enabled", "disabled", "" where presets mean nothing
}

// List gives every unit that has a file, whose name matches one of the
// patterns and whose state is one of the states; no patterns or states mean
// all. The order is by type and name, as systemctl sorts.
func (e *Engine) List(patterns, states []string) ([]Listed, error) {
	var out []Listed
	seen := map[string]bool{}
	rules := e.presets()
	for _, d := range e.dirs {
		list, err := e.fs.ReadDir(d)
		if err != nil {
			continue
		}
		for _, f := range list {
			n := f.Name()
			if seen[n] || !unitname.Valid(n) || hidden(n) || !f.Type().IsRegular() && f.Type()&fs.ModeSymlink == 0 || !matches(patterns, n) {
				continue
			}
			st, err := e.State(n)
			if err != nil {
				st = "bad"
			}
			if len(states) > 0 && !contains(states, st) {
				continue
			}
			seen[n] = true
			l := Listed{Name: n, Path: d + "/" + n, State: st}
			switch st {
			case "alias", "static", "generated", "transient":
			default:
				l.Preset = "disabled"
				if on, _ := query(rules, n, true); on {
					l.Preset = "enabled"
				}
			}
			out = append(out, l)
		}
	}
	sortListed(out)
	return out, nil
}

func matches(patterns []string, name string) bool {
	if len(patterns) == 0 {
		return true
	}
	for _, p := range patterns {
		if fnmatch(p, name) {
			return true
		}
	}
	return false
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// suffix gives what stands from the last dot on.
func suffix(n string) string { return n[strings.LastIndexByte(n, '.'):] }

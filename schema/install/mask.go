package install

import (
	"errors"
	"io/fs"

	"github.com/unitgen/unitgen/schema/unitname"
)

// Mask links units to /dev/null, so that they cannot be started.
func (e *Engine) Mask(units []string) error {
	var err error
	for _, n := range units {
		merr := errInvalid
		if unitname.Valid(n) {
			merr = e.link(e.root+devNull, e.config+"/"+n, e.opt.Force)
		}
		if err == nil {
			err = merr
		}
	}
	return err
}

// Unmask takes masks away, and links that lead to masked names.
func (e *Engine) Unmask(units []string) error {
	marked := map[string]bool{}
	var todo []string
	seen := map[string]bool{}
	for _, n := range units {
		if !unitname.Valid(n) {
			return errInvalid
		}
		null, err := e.empty(e.config + "/" + n)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return &failure{kind: Failed, err: err}
		}
		if null && !seen[n] {
			seen[n] = true
			todo = append(todo, n)
		}
	}
	var first error
	for _, n := range todo {
		p := e.config + "/" + n
		if !e.opt.DryRun {
			if err := e.fs.Remove(p); err != nil {
				if first == nil {
					first = e.noteSystem(err, p)
				}
				continue
			}
			e.removeEmptyParents(p)
		}
		e.note(Removed, p, "")
		if own, ok := e.inRoot(p); ok {
			marked[own] = true
		}
	}
	if err := e.removeMarked(marked); err != nil && first == nil {
		first = err
	}
	return first
}

// SetDefault makes a target the one that the machine boots into.
func (e *Engine) SetDefault(target string) error {
	if unitname.Type(target) != "target" || target == "default.target" {
		return errInvalid
	}
	u, err := e.discoverUsable(newSet(), target, false)
	if err != nil {
		return err
	}
	return e.link(u.path, e.etc+"/default.target", true)
}

// Default gives the target that the machine boots into.
func (e *Engine) Default() (string, error) {
	s := newSet()
	u, err := s.add("default.target", "", false)
	if err == nil {
		u, err = e.traverse(s, u, false)
	}
	if err != nil {
		return "", err
	}
	return u.name, nil
}

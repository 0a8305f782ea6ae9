package install

import (
	"path"

	"github.com/unitgen/unitgen/schema/unitname"
)

// maxFollow bounds how many aliases are followed for one unit.
const maxFollow = 64

// traverse finds a unit and follows aliases and links to the file itself. It
// gives the unit that the file belongs to.
func (e *Engine) traverse(s *set, u *unit, loading bool) (*unit, error) {
	if err := e.search(s, u, loading); err != nil {
		return nil, err
	}
	for k := 0; u.typ == symlink || u.typ == linked; k++ {
		if k > maxFollow {
			return nil, fail(Linked)
		}
		if u.typ == symlink && e.noAliases && e.inConfig(u.path) {
			return nil, fail(Linked)
		}
		if u.typ == linked || path.Base(u.target) == u.name {
			if err := e.followLink(s, u, loading); err != nil {
				return nil, err
			}
			continue
		}
		base := path.Base(u.target)
		if unitname.IsInstance(u.name) && unitname.IsTemplate(base) {
			_, instance, _, _ := unitname.Split(u.name)
			n, err := unitname.WithInstance(base, instance)
			if err != nil {
				return nil, errInvalid
			}
			if n == u.name {
				if err := e.followLink(s, u, loading); err != nil {
					return nil, err
				}
				continue
			}
			base = n
		}
		next, err := s.add(base, "", false)
		if err != nil {
			return nil, err
		}
		if err := e.search(s, next, loading); err != nil {
			if kindOf(err) == NotFound {
				return nil, fail(Dangling)
			}
			return nil, err
		}
		u = next
	}
	return u, nil
}

// followLink goes on with the target of a link under the same name.
func (e *Engine) followLink(s *set, u *unit, loading bool) error {
	u.path, u.typ = u.target, unknown
	return e.read(s, u, u.path, loading)
}

// discover notes a unit by name or absolute path and finds its file.
func (e *Engine) discover(s *set, nameOrPath string, loading bool) (*unit, error) {
	var u *unit
	var err error
	if path.IsAbs(nameOrPath) {
		u, err = s.add("", e.root+nameOrPath, false)
	} else {
		u, err = s.add(nameOrPath, "", false)
	}
	if err == nil {
		u, err = e.traverse(s, u, loading)
	}
	if err != nil {
		return nil, e.noteError(err, nameOrPath, "")
	}
	return u, nil
}

// discoverUsable is discover that refuses what is masked or generated.
func (e *Engine) discoverUsable(s *set, nameOrPath string, loading bool) (*unit, error) {
	u, err := e.discover(s, nameOrPath, loading)
	if err != nil {
		return nil, err
	}
	if u.typ == masked {
		return nil, e.noteError(fail(Masked), u.path, "")
	}
	if e.isGenerated(u.path) || e.isTransient(u.path) {
		return nil, e.noteError(fail(Generated), u.path, "")
	}
	return u, nil
}

func (e *Engine) isGenerated(p string) bool {
	for _, d := range e.generated {
		if below(p, d) {
			return true
		}
	}
	return false
}

func (e *Engine) isTransient(p string) bool { return e.transient != "" && below(p, e.transient) }

// inConfig reports whether a file stands in a directory of configuration.
func (e *Engine) inConfig(p string) bool {
	d := path.Dir(p)
	return d == e.etc || d == e.run
}

package install

import (
	"errors"
	"io/fs"
	"path"
	"strings"
	"syscall"

	"github.com/unitgen/unitgen/schema/unitname"
)

// Enable makes the links that the [Install] sections of the units ask for.
// carries tells whether any unit asked for something.
func (e *Engine) Enable(units []string) (carries bool, err error) {
	s := newSet()
	for _, n := range units {
		if _, err := e.discoverUsable(s, n, true); err != nil {
			return true, err
		}
	}
	return e.apply(s, true, false)
}

// apply makes the links of every unit of a set. Under presets a template that
// cannot be wanted without an instance is passed over.
func (e *Engine) apply(s *set, loading, preset bool) (carries bool, err error) {
	e.noAliases = loading
	defer func() { e.noAliases = false }()
	for u := s.next(); u != nil; u = s.next() {
		name := u.name
		auxiliary := u.auxiliary
		_, terr := e.traverse(s, u, loading)
		if terr != nil {
			if auxiliary {
				e.note(AuxiliaryFailed, name, "")
				continue
			}
			return true, e.noteError(terr, name, "")
		}
		if u.typ == masked {
			e.note(IsMasked, u.path, "")
			carries = true
			continue
		}
		if u.typ != regular {
			continue
		}
		n, aerr := e.applyUnit(u, preset)
		if n > 0 || aerr != nil {
			carries = true
		}
		if err == nil {
			err = aerr
		}
	}
	return carries, err
}

// applyUnit makes the links of one unit and counts those that were asked for.
// As in systemctl, the first of aliases, .wants, .requires and .upholds that
// asked for anything says how it went; what the others met is told of, and
// does not fail the command.
func (e *Engine) applyUnit(u *unit, preset bool) (int, error) {
	var lerr error
	if !e.inSearchPath(u.path) {
		lerr = e.link(u.path, e.config+"/"+u.name, e.opt.Force)
	}
	n, err := e.linkAliases(u)
	for _, w := range []struct {
		list   []string
		suffix string
	}{{u.wantedBy, ".wants/"}, {u.requiredBy, ".requires/"}, {u.upheldBy, ".upholds/"}} {
		k, werr := e.linkWants(u, w.list, w.suffix, preset)
		if n == 0 && err == nil {
			n, err = k, werr
		}
	}
	if err == nil && n == 0 {
		err = lerr
	}
	return n, err
}

func (e *Engine) linkAliases(u *unit) (n int, err error) {
	for _, a := range u.aliases {
		n++
		dst, aerr := e.expand(u, a)
		if aerr != nil {
			e.note(kindOf(aerr), a, "")
		} else if dst, aerr = e.checkAlias(u, dst); aerr == nil {
			if dst == "" {
				continue
			}
			aerr = e.link(u.path, e.config+"/"+dst, e.opt.Force)
		}
		if err == nil {
			err = aerr
		}
	}
	return n, err
}

// checkAlias says whether a name may be an alias of the unit, and gives it
// with the unit's instance filled in where it is a template. A name that is
// the unit's own gives "".
func (e *Engine) checkAlias(u *unit, dst string) (string, error) {
	if i := strings.LastIndexByte(dst, '/'); i >= 0 {
		return e.checkAliasPath(u, dst, i)
	}
	if unitname.IsTemplate(dst) && unitname.IsInstance(u.name) {
		_, instance, _, _ := unitname.Split(u.name)
		if n, err := unitname.WithInstance(dst, instance); err == nil {
			dst = n
		}
	}
	if dst == u.name {
		return "", nil
	}
	if !aliasAllowed(dst, u.name) {
		return "", e.noteError(fail(BadAlias), dst, u.name)
	}
	return dst, nil
}

// checkAliasPath handles the old way of asking for a .wants link by Alias=.
func (e *Engine) checkAliasPath(u *unit, dst string, slash int) (string, error) {
	bad := func() (string, error) { return "", e.noteError(fail(BadAlias), dst, "") }
	dir := dst[:slash]
	of, ok := strings.CutSuffix(dir, ".wants")
	if !ok {
		of, ok = strings.CutSuffix(dir, ".requires")
	}
	if !ok || !unitname.Valid(of) {
		return bad()
	}
	link := dst[slash+1:]
	if !nameCompatible(link, u.name, unitname.IsTemplate(of)) {
		return bad()
	}
	return dst, nil
}

// nameCompatible reports whether a link in a .wants directory may stand for a
// unit: the same name, an instance of it, or with propagation its template.
func nameCompatible(link, target string, propagation bool) bool {
	if link == target {
		return true
	}
	if unitname.IsTemplate(target) && unitname.Template(link) == target {
		return true
	}
	return propagation && unitname.IsInstance(target) && link == unitname.Template(target)
}

// aliasAllowed reports whether one name may be an alias of another.
func aliasAllowed(alias, target string) bool {
	if !unitname.Valid(alias) {
		return false
	}
	_, ai, at, aat := unitname.Split(alias)
	_, ti, tt, tat := unitname.Split(target)
	switch {
	case at != tt, aat != tat:
		return false
	case !aat:
		return true
	case ai == "":
		return ti == ""
	}
	return ti == "" || ai == ti
}

func (e *Engine) linkWants(u *unit, list []string, suffix string, preset bool) (n int, err error) {
	if len(list) == 0 {
		return 0, nil
	}
	name := u.name
	template := unitname.IsTemplate(u.name)
	if template && u.defaultInstance != "" {
		if name, err = unitname.WithInstance(u.name, u.defaultInstance); err != nil {
			return 0, errInvalid
		}
		template = false
		i := &unit{name: name}
		if err := e.search(nil, i, false); err != nil {
			return 0, err
		}
		if i.typ == masked {
			return 0, e.noteError(fail(Masked), i.path, "")
		}
	}
	for _, w := range list {
		dst, werr := e.expand(u, w)
		if werr != nil {
			e.note(kindOf(werr), w, "")
			if err == nil {
				err = werr
			}
			continue
		}
		if !unitname.Valid(dst) || template && !strings.Contains(dst, "@") {
			if preset {
				continue
			}
			k := BadName
			if unitname.Valid(dst) {
				e.note(NotTemplate, dst, name)
				k = NotTemplate
			} else {
				e.note(BadName, dst, "")
			}
			err = fail(k)
			continue
		}
		n++
		if lerr := e.link(u.path, e.config+"/"+dst+suffix+name, true); lerr != nil && err == nil {
			err = lerr
		}
		if !e.exists(dst) {
			e.note(NoDestination, dst, u.path)
		}
	}
	return n, err
}

// exists reports whether a unit, or the template of an instance, has a file.
func (e *Engine) exists(name string) bool {
	return e.search(nil, &unit{name: name}, false) == nil
}

// link makes a symbolic link unless it is there already. Without force another
// link in its place is an error; a file always is.
func (e *Engine) link(target, p string, force bool) error {
	if rest, ok := e.inRoot(target); ok {
		target = rest
	}
	if e.opt.DryRun {
		e.note(Symlinked, p, target)
		return nil
	}
	if err := e.fs.MkdirAll(path.Dir(p)); err != nil {
		return e.noteSystem(err, p)
	}
	err := e.fs.Symlink(target, p)
	if err == nil {
		e.note(Symlinked, p, target)
		return nil
	}
	if !errors.Is(err, fs.ErrExist) {
		return e.noteSystem(err, p)
	}
	old, err := e.fs.Readlink(p)
	if err != nil {
		return e.noteError(fail(Exists), p, "")
	}
	if e.equivalent(p, old, target) {
		return nil
	}
	if !force {
		return e.noteError(fail(Exists), p, old)
	}
	tmp := p + ".unitgen-tmp"
	_ = e.fs.Remove(tmp)
	if err = e.fs.Symlink(target, tmp); err == nil {
		err = e.fs.Rename(tmp, p)
	}
	if err != nil {
		return e.noteSystem(err, p)
	}
	e.note(Removed, p, "")
	e.note(Symlinked, p, target)
	return nil
}

// equivalent reports whether two targets of a link at p lead to the same file.
func (e *Engine) equivalent(p, a, b string) bool {
	if a == b {
		return true
	}
	abs := func(t string) string {
		if path.IsAbs(t) {
			return e.root + path.Clean(t)
		}
		return path.Join(path.Dir(p), t)
	}
	x, errx := e.chase(abs(a), false)
	y, erry := e.chase(abs(b), false)
	return errx == nil && erry == nil && x == y || abs(a) == abs(b)
}

// noteSystem notes an error of the file system.
func (e *Engine) noteSystem(err error, p string) error {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		err = errno
	}
	err = &failure{kind: Failed, err: err}
	e.changes = append(e.changes, Change{Kind: Failed, Path: p, Err: err})
	return err
}

// Link makes unit files that stand outside of the load path known: paths are
// absolute, below the root.
func (e *Engine) Link(paths []string) error {
	var todo []string
	for _, p := range paths {
		if !path.IsAbs(p) {
			return errInvalid
		}
		if !unitname.Valid(path.Base(p)) {
			return e.noteError(fail(BadName), p, "")
		}
		full := e.root + path.Clean(p)
		fi, err := e.fs.Lstat(full)
		switch {
		case err != nil:
			return e.noteError(plain(err), p, "")
		case fi.Mode()&fs.ModeSymlink != 0:
			return e.noteError(fail(Linked), p, "")
		case fi.IsDir():
			return e.noteError(&failure{kind: Failed, err: errIsDir}, p, "")
		case !fi.Mode().IsRegular():
			return e.noteError(&failure{kind: Failed, err: errBadFd}, p, "")
		}
		if e.inSearchPath(full) {
			continue
		}
		todo = append(todo, p)
	}
	var err error
	for _, p := range todo {
		if lerr := e.link(e.root+p, e.config+"/"+path.Base(p), e.opt.Force); lerr != nil && err == nil {
			err = lerr
		}
	}
	return err
}

// plain turns "does not exist" into the kind of change that says so.
func plain(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fail(NotFound)
	}
	return &failure{kind: Failed, err: err}
}

// AddDependency makes a target want (or with requires, require) units, whatever
// their [Install] sections say.
func (e *Engine) AddDependency(units []string, target string, requires bool) error {
	if !unitname.Valid(target) {
		return errInvalid
	}
	s := newSet()
	t, err := e.discoverUsable(s, target, false)
	if err != nil {
		return err
	}
	for _, n := range units {
		u, err := e.discoverUsable(s, n, false)
		if err != nil {
			return err
		}
		u.wantedBy, u.requiredBy = nil, nil
		if requires {
			u.requiredBy = []string{t.name}
		} else {
			u.wantedBy = []string{t.name}
		}
	}
	_, err = e.apply(s, false, false)
	return err
}

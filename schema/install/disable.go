package install

import (
	"io/fs"
	"path"

	"github.com/unitgen/unitgen/schema/unitname"
)

// Disable takes away every link of the units, those that Also= names
// included.
func (e *Engine) Disable(units []string) error {
	s := newSet()
	for _, n := range units {
		if !unitname.Valid(n) {
			return e.noteError(fail(BadName), n, "")
		}
		if _, err := s.add(n, "", false); err != nil {
			return e.noteError(err, n, "")
		}
	}
	return e.removeMarked(e.markForRemoval(s))
}

// Reenable disables and enables again, so that the links are those that the
// [Install] sections ask for now. Below a root systemctl goes by the unit files
// that it found, so that an instance becomes its template: so does this.
func (e *Engine) Reenable(units []string) (carries bool, err error) {
	names, files := make([]string, len(units)), make([]string, len(units))
	s := newSet()
	for i, n := range units {
		names[i], files[i] = path.Base(n), n
		if path.IsAbs(n) || e.root == "" {
			continue
		}
		u, err := s.add(n, "", false)
		if err == nil {
			u, err = e.traverse(s, u, true)
		}
		if err == nil && u.path != "" {
			if p, ok := e.inRoot(u.path); ok {
				files[i] = p
			}
		}
	}
	if err := e.Disable(names); err != nil {
		return true, err
	}
	return e.Enable(files)
}

// markForRemoval gives the names whose links are to go. What cannot be found is
// told of and goes too.
func (e *Engine) markForRemoval(s *set) map[string]bool {
	marked := map[string]bool{}
	for u := s.next(); u != nil; u = s.next() {
		at := func(u *unit) string {
			if u.path != "" {
				return u.path
			}
			return u.name
		}
		found, err := e.traverse(s, u, true)
		switch {
		case err != nil && kindOf(err) == Dangling:
			e.note(IsDangling, at(u), "")
			marked[u.name] = true
			continue
		case err != nil:
			marked[u.name] = true
			if kindOf(err) == NotFound && u.auxiliary {
				continue
			}
			_ = e.noteError(err, at(u), "")
			continue
		case found.typ == masked:
			e.note(IsMasked, at(found), "")
			continue
		case found.typ != regular:
			continue
		}
		marked[u.name] = true
		marked[found.name] = true
	}
	return marked
}

// removeMarked takes away the links in the configuration directory that carry
// a marked name or lead to a marked name or path (below the root), until nothing
// more is found: the path of an alias that goes is marked.
func (e *Engine) removeMarked(marked map[string]bool) error {
	if len(marked) == 0 {
		return nil
	}
	if fi, err := e.fs.Lstat(e.config); err != nil || !fi.IsDir() {
		return nil
	}
	gone := map[string]bool{}
	for again := true; again; {
		again = false
		if err := e.removeIn(e.config, marked, gone, &again, 0); err != nil {
			return err
		}
	}
	return nil
}

func (e *Engine) removeIn(dir string, marked, gone map[string]bool, again *bool, depth int) error {
	list, err := e.fs.ReadDir(dir)
	if err != nil {
		return err
	}
	var first error
	for _, f := range list {
		n := f.Name()
		p := dir + "/" + n
		switch {
		case hidden(n):
		case f.IsDir():
			if depth < 8 {
				if err := e.removeIn(p, marked, gone, again, depth+1); err != nil && first == nil {
					first = err
				}
			}
		case f.Type()&fs.ModeSymlink != 0 && unitname.Valid(n) && !gone[p]:
			dest, err := e.chase(p, true)
			if err != nil {
				_ = e.noteError(err, p, "")
			}
			rest, _ := e.inRoot(dest)
			if !marked[n] && !(dest != "" && (marked[path.Base(dest)] || marked[rest])) && !marked[unitname.Template(n)] {
				continue
			}
			gone[p] = true
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
			*again = !e.opt.DryRun
		}
	}
	return first
}

// hidden reports whether systemd passes a file over: hidden files and the
// backups that editors and package managers leave.
func hidden(n string) bool {
	if n == "" || n[0] == '.' || n == "lost+found" || n == "aquota.user" || n == "aquota.group" || n[len(n)-1] == '~' {
		return true
	}
	switch path.Ext(n) {
	case ".rpmnew", ".rpmsave", ".rpmorig", ".dpkg-old", ".dpkg-new", ".dpkg-tmp", ".dpkg-dist", ".dpkg-bak", ".dpkg-backup", ".dpkg-remove", ".ucf-new", ".ucf-old", ".ucf-dist", ".swp", ".bak", ".old", ".new":
		return true
	}
	return false
}

// removeEmptyParents removes the directories of a path that are empty now, up
// to the configuration directory.
func (e *Engine) removeEmptyParents(p string) {
	for d := path.Dir(p); below(d, e.config); d = path.Dir(d) {
		if e.fs.Remove(d) != nil {
			return
		}
	}
}

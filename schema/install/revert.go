package install

import (
	"io/fs"
	"strings"

	"github.com/unitgen/unitgen/schema/unitname"
)

// Revert takes a unit back to what its vendor ships: overriding files, drop-ins
// and masks in the configuration directories go, where the vendor has a file.
func (e *Engine) Revert(units []string) error {
	var todo []string
	seen := map[string]bool{}
	add := func(p string) {
		if !seen[p] {
			seen[p] = true
			todo = append(todo, p)
		}
	}
	for _, n := range units {
		if !unitname.Valid(n) {
			return errInvalid
		}
		vendor := false
		for _, d := range e.dirs {
			p := d + "/" + n
			fi, err := e.fs.Lstat(p)
			if err == nil && (fi.Mode().IsRegular() || fi.Mode()&fs.ModeSymlink != 0) && !e.isConfig(d) && !e.isRuntime(d, false) {
				vendor = true
			}
			dropin := d + "/" + n + ".d"
			if fi, err := e.fs.Lstat(dropin); err == nil && fi.IsDir() && (e.isConfig(d) || e.isRuntime(d, false)) && !contains(e.generated, d) {
				if list, err := e.fs.ReadDir(dropin); err == nil {
					for _, f := range list {
						if strings.HasSuffix(f.Name(), ".conf") {
							add(dropin + "/" + f.Name())
						}
					}
				}
				add(dropin)
			}
		}
		if !vendor {
			continue
		}
		for _, d := range e.dirs {
			p := d + "/" + n
			fi, err := e.fs.Lstat(p)
			if err == nil && (fi.Mode().IsRegular() || fi.Mode()&fs.ModeSymlink != 0) && (e.isConfig(d) || e.isRuntime(d, false)) && !contains(e.generated, d) {
				add(p)
			}
		}
	}
	marked := map[string]bool{}
	for _, p := range todo {
		if err := e.removeAll(p); err != nil {
			return e.noteSystem(err, p)
		}
		e.note(Removed, p, "")
		if own, ok := e.inRoot(p); ok {
			marked[own] = true
		}
	}
	for _, c := range []string{e.run, e.etc} {
		sub := *e
		sub.config, sub.changes = c, nil
		err := sub.removeMarked(marked)
		e.changes = append(e.changes, sub.changes...)
		if err != nil {
			return err
		}
	}
	return nil
}

// isConfig reports whether a directory of the load path is configuration.
func (e *Engine) isConfig(d string) bool {
	return d == e.etc || strings.HasPrefix(d, e.root+"/etc/")
}

func (e *Engine) removeAll(p string) error {
	if e.opt.DryRun {
		return nil
	}
	fi, err := e.fs.Lstat(p)
	if err != nil {
		return err
	}
	if fi.IsDir() {
		list, err := e.fs.ReadDir(p)
		if err != nil {
			return err
		}
		for _, f := range list {
			if err := e.removeAll(p + "/" + f.Name()); err != nil {
				return err
			}
		}
	}
	return e.fs.Remove(p)
}

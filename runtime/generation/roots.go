package generation

import (
	"os"
	"path/filepath"

	"github.com/unitgen/unitgen/internal/durable"
)

// Roots gives the store trees that must not be collected: those of all
// generations, of current and boot, and those that further paths (the running
// manager's, the journal's) name.
func (s *State) Roots(more ...string) (map[string]bool, error) {
	keep := map[string]bool{}
	all, err := s.List()
	if err != nil {
		return nil, err
	}
	for _, g := range all {
		keep[g.Tree] = true
	}
	for _, name := range []string{LinkCurrent, LinkBoot} {
		if t, err := filepath.EvalSymlinks(s.Path(name)); err == nil {
			keep[t] = true
		}
	}
	for _, p := range more {
		keep[filepath.Clean(p)] = true
		if t, err := filepath.EvalSymlinks(p); err == nil {
			keep[t] = true
		}
	}
	// The state directory itself may be reached through a link.
	if real, err := filepath.EvalSymlinks(s.dir); err == nil && real != s.dir {
		for p := range keep {
			if rel, err := filepath.Rel(real, p); err == nil && filepath.IsLocal(rel) {
				keep[filepath.Join(s.dir, rel)] = true
			}
		}
	}
	return keep, nil
}

// Temporaries removes what interrupted commands left in the state directory.
// The caller holds the lock.
func (s *State) Temporaries() ([]string, error) {
	var removed []string
	for _, p := range s.orphans() {
		if err := s.fs.Remove(p); err != nil {
			return removed, err
		}
		removed = append(removed, p)
	}
	for _, dir := range []string{s.dir, s.Path(dirGenerations), s.Path(dirPins), s.Path(dirRecords), s.Path(DirJournal), s.Path(DirBackup)} {
		names, err := os.ReadDir(dir)
		if err != nil {
			continue
		}
		for _, n := range names {
			if !isTemporary(n.Name()) {
				continue
			}
			p := filepath.Join(dir, n.Name())
			if err := durable.RemoveAll(s.fs, p); err != nil {
				return removed, err
			}
			removed = append(removed, p)
		}
	}
	return removed, nil
}

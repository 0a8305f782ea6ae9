package store

import (
	"errors"
	"fmt"
	"os"

	"github.com/unitgen/unitgen/emit"
	"github.com/unitgen/unitgen/internal/durable"
)

// Mend puts an image in the place of a tree that was modified in the store. The
// two are swapped in one step, so that whoever reads the tree finds the one or
// the other. The caller holds the state's lock.
func (s *Store) Mend(img *emit.Image) error {
	path := s.PathOf(img)
	unlock, err := s.lock(false)
	if err != nil {
		return err
	}
	defer unlock()
	tmp, err := s.tempDir()
	if err != nil {
		return fmt.Errorf("the store cannot be written: %w", err)
	}
	if err := s.write(tmp, img); err != nil {
		return errors.Join(fmt.Errorf("the tree cannot be written: %w", err), durable.RemoveAll(durable.OS, tmp))
	}
	place := durable.Exchange
	if _, err := os.Lstat(path); err != nil {
		place = s.fs.Rename
	}
	if err := place(tmp, path); err != nil {
		return errors.Join(fmt.Errorf("%s was modified since it was built, and cannot be replaced: %w", path, err), durable.RemoveAll(durable.OS, tmp))
	}
	if err := s.fs.Sync(s.dir); err != nil {
		return err
	}
	if err := s.putSources(path, img.Sources); err != nil {
		return err
	}
	return durable.RemoveAll(s.fs, tmp)
}

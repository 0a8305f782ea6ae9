package activation

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/unitgen/unitgen/runtime/generation"
)

// ErrJournal is wrapped by errors about a journal that cannot be read: no
// switch leaves one like that, whenever it is cut off.
var ErrJournal = errors.New("the journal cannot be read")

// unreadableName is where a journal that cannot be read is kept.
const unreadableName = "switch.unreadable"

// Restoration says what Restore did.
type Restoration struct {
	Current int    // the generation that the host was brought to
	Journal string // where a journal that could not be read lies now; "" for none
	Moved   bool   // current led nowhere, and was set
}

// Restore brings a host to one generation whose state directory somebody
// damaged: a current that leads nowhere is set to the generation that boots,
// a journal that cannot be read is put aside, the files are brought to the
// current generation and the managers read them. What units were stopped or
// started by a switch whose journal is lost cannot be known. The caller holds
// the state's lock.
func Restore(ctx context.Context, o Options) (Restoration, error) {
	var r Restoration
	s := o.State
	if _, _, err := readJournal(s); errors.Is(err, ErrJournal) {
		r.Journal = s.Path(generation.DirJournal, unreadableName)
		if err := s.FS().Rename(journalPath(s), r.Journal); err != nil {
			return r, err
		}
		if err := s.FS().Sync(filepath.Dir(r.Journal)); err != nil {
			return r, err
		}
	}
	if s.Astray() {
		g, ok, err := s.Repair()
		if err != nil {
			return r, err
		}
		if !ok {
			return r, errors.New("no generation is left to go to; make one with \"unitgen switch\"")
		}
		r.Current, r.Moved = g.Number, true
	} else if g, ok, err := s.Current(); err != nil {
		return r, err
	} else if ok {
		r.Current = g.Number
	}
	if _, err := s.Temporaries(); err != nil {
		return r, err
	}
	if o.Place != nil {
		placed, err := Placed(s)
		if err != nil {
			return r, err
		}
		if err := o.Place.temporaries(s, placed); err != nil {
			return r, err
		}
		if err := SettleFiles(s, o.Place); err != nil {
			return r, err
		}
	}
	for _, t := range o.Targets {
		if err := t.Manager.Reload(ctx); err != nil {
			return r, fmt.Errorf("the %s manager did not reload: %w", t.name(), err)
		}
	}
	return r, nil
}

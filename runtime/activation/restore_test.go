package activation

import (
	"bytes"
	"context"
	"errors"
	"os"
	"testing"
)

// TestJournalDamaged cuts the journal of a switch off at bytes of its beginning
// and of its phases, and fills it with rubbish: a recovery, or where the
// beginning is lost a restoration, leaves the files of one generation.
func TestJournalDamaged(t *testing.T) {
	t.Parallel()
	cut := func(at int, rubbish []byte) (length int) {
		s := newScene(t, newServices)
		cutAt(s, "start fresh.service")
		s.w.at = 0
		text, err := os.ReadFile(journalPath(s.state))
		if err != nil {
			t.Fatal(err)
		}
		left := rubbish
		if rubbish == nil {
			if at < 0 { // from the end
				at += len(text) + 1
			}
			left = text[:min(at, len(text))]
		}
		if err := os.WriteFile(journalPath(s.state), left, 0o600); err != nil {
			t.Fatal(err)
		}
		o := s.options(s.to)
		want := s.from
		if _, err = Recover(context.Background(), o); errors.Is(err, ErrJournal) {
			if _, err := Switch(context.Background(), o); !errors.Is(err, ErrRefused) {
				t.Errorf("cut at %d: a switch is not refused: %v", at, err)
			}
			want = s.to // the pivot had moved
			r, err := Restore(context.Background(), o)
			if err != nil || r.Journal == "" || r.Moved || r.Current != want {
				t.Errorf("cut at %d: %+v, %v", at, r, err)
			}
			// The machine boots: what was up is not known.
			if err := s.state.SetBoot(want); err != nil {
				t.Fatal(err)
			}
			s.manager = newFake(s.w, s.manager.dir)
			for u := range s.manager.loaded {
				s.manager.start(u)
			}
		} else if err != nil {
			t.Errorf("cut at %d: %v", at, err)
		} else if rubbish != nil {
			t.Error("rubbish is taken for a journal")
		}
		if rubbish == nil && at > bytes.IndexByte(text, '\n') && want == s.to {
			t.Errorf("cut at %d: the beginning is whole, but not heeded", at)
		}
		// Where the record of a phase is lost that had begun, units may have gone
		// on; that takes a disk that lost what was synced.
		if rubbish != nil || at < bytes.IndexByte(text, '\n') || at >= len(text)-1 {
			s.whole("after the journal was damaged", want)
		}
		return len(text)
	}
	cut(0, []byte("\x00\xff{]garbage\nmore\n"))
	n := cut(0, nil)
	for _, at := range []int{1, n / 4, n / 2, -1, -2, -3, -10, -20, -31, -60, -90, -120} {
		cut(at, nil)
		if t.Failed() {
			t.Fatalf("cut at %d of %d", at, n)
		}
	}
}

// TestCurrentAstray leads current to what is not there: Restore leads it to the
// generation that boots.
func TestCurrentAstray(t *testing.T) {
	t.Parallel()
	s := newScene(t, newServices)
	link := s.state.CurrentPath()
	for _, target := range []string{"generations/77", "generations/-1", "nowhere", "/etc/passwd"} {
		if err := os.Remove(link); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(target, link); err != nil {
			t.Fatal(err)
		}
		if !s.state.Astray() {
			t.Errorf("%s is taken for a generation", target)
		}
		if r, err := Restore(context.Background(), s.options(s.to)); err != nil || !r.Moved || r.Current != s.from {
			t.Errorf("%s: %+v, %v", target, r, err)
		}
		s.whole("after current led to "+target, s.from)
	}
	if s.state.Astray() {
		t.Error("still astray")
	}
}

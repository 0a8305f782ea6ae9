package generation

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"github.com/unitgen/unitgen/internal/durable"
	"github.com/unitgen/unitgen/internal/plainfile"
)

// record is what is remembered of a generation beside its tree. A generation
// without one, from before there were records, counts as good.
type record struct {
	// Parent is the generation that was current when this one was made, 0 for
	// none.
	Parent int `json:"parent"`
	// Good says that a switch to it was committed, or that the machine ran it
	// when another switch began.
	Good bool `json:"good,omitempty"`
	// Failed says that the last switch to it failed. It means nothing once the
	// generation is good.
	Failed bool `json:"failed,omitempty"`

	assumed bool // nothing is remembered
}

func (s *State) recordPath(n int) string { return s.Path(dirRecords, strconv.Itoa(n)+".json") }

// record gives what is remembered of a generation. One whose record is not
// there, or was damaged, was made after the one before it and is taken for
// good.
func (s *State) record(n int) record {
	var r record
	b, err := plainfile.Read(s.recordPath(n), maxRecord)
	if err == nil && json.Unmarshal(b, &r) == nil && r.Parent >= 0 && r.Parent < n {
		return r
	}
	return record{Parent: s.before(n), Good: true, assumed: true}
}

// maxRecord is how large a record can be, in bytes.
const maxRecord = 4 << 10

// before gives the highest number below n that a generation has, 0 for none.
func (s *State) before(n int) int {
	all, err := s.numbers()
	if err != nil {
		return 0
	}
	for i := len(all) - 1; i >= 0; i-- {
		if all[i] < n {
			return all[i]
		}
	}
	return 0
}

func (s *State) writeRecord(n int, r record) error {
	b, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if err := durable.MkdirAll(s.fs, s.Path(dirRecords), 0o755); err != nil {
		return err
	}
	return durable.ReplaceFile(s.fs, s.recordPath(n), append(b, '\n'), 0o644)
}

// forget removes the record of a generation that goes.
func (s *State) forget(n int) error {
	err := s.fs.Remove(s.recordPath(n))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return s.fs.Sync(s.Path(dirRecords))
}

// orphans gives the records of generations that are not there: their making was
// cut off.
func (s *State) orphans() []string {
	names, err := os.ReadDir(s.Path(dirRecords))
	if err != nil {
		return nil
	}
	var out []string
	for _, e := range names {
		n, err := strconv.Atoi(strings.TrimSuffix(e.Name(), ".json"))
		if err != nil {
			continue
		}
		if _, err := os.Lstat(s.link(n)); errors.Is(err, fs.ErrNotExist) {
			out = append(out, s.recordPath(n))
		}
	}
	return out
}

// MarkGood remembers that a switch to a generation was committed, or that it
// was in force. The caller holds the lock.
func (s *State) MarkGood(n int) error {
	r := s.record(n)
	if r.Good && !r.Failed && !r.assumed {
		return nil
	}
	return s.writeRecord(n, record{Parent: r.Parent, Good: true})
}

// MarkFailed remembers that a switch to a generation failed. One that had been
// good stays good; of one that was only taken for good it is the first that is
// known, so that rollback does not lead there again and again. The caller holds
// the lock.
func (s *State) MarkFailed(n int) error {
	r := s.record(n)
	if r.Good && !r.assumed || r.Failed {
		return nil
	}
	r.Good, r.Failed = false, true
	return s.writeRecord(n, r)
}

// Reparent says of a generation that never was good, and is to be switched to
// again, that the current one is its parent now. The caller holds the lock.
func (s *State) Reparent(n int) error {
	cur, r := s.pointer(LinkCurrent), s.record(n)
	if r.Good || r.Parent == cur || cur >= n {
		return nil
	}
	r.Parent = cur
	return s.writeRecord(n, r)
}

// Back gives the generation to go back to from n: its parent, and past those
// that are gone, whose tree is gone, or that never were good, the next older
// one. An error wraps ErrNone.
func (s *State) Back(n int) (Generation, error) {
	for at := n; ; {
		next := s.before(at)
		if p := s.record(at).Parent; p > 0 && p < at {
			if _, err := s.Get(p); err == nil {
				next = p
			} else {
				next = s.before(p)
			}
		}
		if next == 0 {
			return Generation{}, fmt.Errorf("%w: none before %d was ever good; name one with \"unitgen rollback N\"", ErrNone, n)
		}
		at = next
		if !s.record(at).Good {
			continue
		}
		g, err := s.Get(at)
		if err != nil {
			continue
		}
		if st, err := os.Stat(g.Tree); err == nil && st.IsDir() {
			return g, nil
		}
	}
}

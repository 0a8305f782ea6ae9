package activation

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/unitgen/unitgen/internal/durable"
	"github.com/unitgen/unitgen/runtime/generation"
)

// Phase is how far a switch has come. A phase is in the journal, on disk,
// before its first action.
type Phase string

// Phases in their order.
const (
	PhaseBegin   Phase = "begin"
	PhaseFiles   Phase = "files" // new links, which lead nowhere yet
	PhaseStop    Phase = "stop"
	PhasePivot   Phase = "pivot"
	PhaseReread  Phase = "daemon-reload"
	PhaseReload  Phase = "reload"
	PhaseRestart Phase = "restart"
	PhaseStart   Phase = "start"
	PhaseGate    Phase = "health"
	PhaseCommit  Phase = "commit"
	PhaseUndo    Phase = "undo"
)

var phaseOrder = map[Phase]int{
	PhaseBegin: 0, PhaseFiles: 1, PhaseStop: 2, PhasePivot: 3, PhaseReread: 4, PhaseReload: 5,
	PhaseRestart: 6, PhaseStart: 7, PhaseGate: 8, PhaseCommit: 9,
}

// begin is the journal's first record: all that is needed to finish or undo.
type begin struct {
	From     int          `json:"from"` // 0: nothing was current
	To       int          `json:"to"`
	BootFrom int          `json:"boot_from"`
	NoBoot   bool         `json:"no_boot,omitempty"`
	Plans    []TargetPlan `json:"plans"`
	// Active are the units of the plans that were up before.
	Active map[string][]string `json:"active"`
	// Failed are those that had failed before.
	Failed map[string][]string `json:"failed,omitempty"`
	// Before and After are what lies in the host's /etc for the two
	// generations; Root and Units say how.
	Before *Placement `json:"before,omitempty"`
	After  *Placement `json:"after,omitempty"`
	Since  time.Time  `json:"since"`
}

// record is one line of the journal.
type record struct {
	Phase  Phase  `json:"phase"`
	Begin  *begin `json:"begin,omitempty"`
	Failed bool   `json:"failed,omitempty"` // of a commit: with units that failed
}

// journal is the running switch on disk.
type journal struct {
	state *generation.State
	path  string
	phase Phase
	undo  bool

	failed bool // what is committed has units that failed
}

const (
	journalName = "switch"
	reserveName = "reserve"
	reserveSize = 64 << 10
)

func journalPath(s *generation.State) string { return s.Path(generation.DirJournal, journalName) }

// newJournal writes the first record, and takes some room on the disk that is
// given back when the disk turns out to be full halfway.
func newJournal(s *generation.State, b begin) (*journal, error) {
	if err := durable.MkdirAll(s.FS(), s.Path(generation.DirJournal), 0o700); err != nil {
		return nil, err
	}
	reserve := s.Path(generation.DirJournal, reserveName)
	if _, err := os.Lstat(reserve); err != nil {
		if err := s.FS().Create(reserve, make([]byte, reserveSize), 0o600); err != nil {
			return nil, errors.Join(err, ignoreMissing(s.FS().Remove(reserve)))
		}
	}
	line, err := json.Marshal(record{Phase: PhaseBegin, Begin: &b})
	if err != nil {
		return nil, err
	}
	j := &journal{state: s, path: journalPath(s), phase: PhaseBegin}
	if err := durable.ReplaceFile(s.FS(), j.path, append(line, '\n'), 0o600); err != nil {
		return nil, errors.Join(err, ignoreMissing(s.FS().Remove(reserve)))
	}
	return j, nil
}

// enter puts a phase on disk.
func (j *journal) enter(p Phase) error {
	line, err := json.Marshal(record{Phase: p, Failed: p == PhaseCommit && j.failed})
	if err != nil {
		return err
	}
	line = append(line, '\n')
	err = j.state.FS().Append(j.path, line, 0o600)
	if err != nil {
		// Give the reserve back and try once more, on a line of its own.
		if ignoreMissing(j.state.FS().Remove(j.state.Path(generation.DirJournal, reserveName))) == nil {
			err = j.state.FS().Append(j.path, append([]byte{'\n'}, line...), 0o600)
		}
	}
	if err == nil {
		err = j.state.FS().Sync(j.path)
	}
	if err != nil {
		return fmt.Errorf("the journal cannot be written: %w", err)
	}
	if p == PhaseUndo {
		j.undo = true
	} else {
		j.phase = p
	}
	return nil
}

// reached reports whether a phase had begun.
func (j *journal) reached(p Phase) bool { return phaseOrder[j.phase] >= phaseOrder[p] }

// close ends the switch: from here on there is nothing to recover.
func (j *journal) close() error {
	f := j.state.FS()
	if err := f.Remove(j.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := f.Sync(j.state.Path(generation.DirJournal)); err != nil {
		return err
	}
	return ignoreMissing(f.Remove(j.state.Path(generation.DirJournal, reserveName)))
}

// readJournal reads what a switch that was cut off left; nil for none. A last
// line that was cut off counts as not written.
func readJournal(s *generation.State) (*journal, *begin, error) {
	data, err := os.ReadFile(journalPath(s))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	j := &journal{state: s, path: journalPath(s)}
	var b *begin
	sc := bufio.NewScanner(bytes.NewReader(data))
	sc.Buffer(nil, len(data)+1)
	for sc.Scan() {
		var r record
		if len(bytes.TrimSpace(sc.Bytes())) == 0 || json.Unmarshal(sc.Bytes(), &r) != nil {
			continue
		}
		switch {
		case r.Begin != nil:
			b, j.phase = r.Begin, PhaseBegin
		case r.Phase == PhaseUndo:
			j.undo = true
		default:
			j.phase, j.failed = r.Phase, r.Failed
		}
	}
	if err := sc.Err(); err != nil {
		return nil, nil, err
	}
	if b == nil {
		return nil, nil, fmt.Errorf("%w: %s has no beginning; \"unitgen recover\" puts it aside and brings the files to the current generation", ErrJournal, j.path)
	}
	return j, b, nil
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Interrupted tells whether a switch was cut off and waits to be recovered,
// and between which generations.
func Interrupted(s *generation.State) (from, to int, found bool, err error) {
	j, b, err := readJournal(s)
	if err != nil || j == nil {
		return 0, 0, false, err
	}
	return b.From, b.To, true, nil
}

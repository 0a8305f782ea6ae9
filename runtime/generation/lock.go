package generation

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Holder says who holds the lock of a state directory.
type Holder struct {
	PID     int       `json:"pid"`
	Command string    `json:"command"` // "switch", "gc", …
	Since   time.Time `json:"since"`
}

// LockedError is the refusal to work beside another switch.
type LockedError struct {
	Dir    string
	Holder Holder // zero when the holder left no word
}

func (e *LockedError) Error() string {
	if e.Holder.PID == 0 {
		return fmt.Sprintf("%s is locked by another unitgen; try again when it is done", e.Dir)
	}
	return fmt.Sprintf("%s is locked by unitgen %s (process %d, since %s); try again when it is done",
		e.Dir, e.Holder.Command, e.Holder.PID, e.Holder.Since.Format(time.RFC3339))
}

// Lock is a held lock.
type Lock struct {
	f *os.File
}

// Lock takes the state directory for a command that changes generations,
// without waiting: a second one gets a *LockedError. The kernel drops the lock
// with the process, however it ends.
func (s *State) Lock(command string) (*Lock, error) {
	if err := s.Prepare(); err != nil {
		return nil, err
	}
	p := s.Path("lock")
	// Nobody else may open it: who can read a file can lock it.
	f, err := os.OpenFile(p, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("the state directory cannot be locked: %w", err)
	}
	for {
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	if err != nil {
		e := &LockedError{Dir: s.dir}
		if b, rerr := os.ReadFile(p); rerr == nil {
			_ = json.Unmarshal(b, &e.Holder)
		}
		f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, e
		}
		return nil, fmt.Errorf("the state directory cannot be locked: %w", err)
	}
	b, err := json.Marshal(Holder{PID: os.Getpid(), Command: command, Since: time.Now().UTC().Truncate(time.Second)})
	if err == nil {
		// The word about the holder is a courtesy; a full disk does not
		// stop the lock.
		if f.Truncate(0) == nil {
			_, _ = f.WriteAt(append(b, '\n'), 0)
		}
	}
	return &Lock{f: f}, nil
}

// Release gives the lock back. A nil lock has nothing to give back.
func (l *Lock) Release() {
	if l == nil || l.f == nil {
		return
	}
	_ = l.f.Truncate(0)
	l.f.Close()
	l.f = nil
}

// File gives the open file of the lock, so that a child may inherit it.
func (l *Lock) File() *os.File { return l.f }

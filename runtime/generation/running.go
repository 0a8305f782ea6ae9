package generation

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"github.com/unitgen/unitgen/internal/durable"
	"github.com/unitgen/unitgen/schema/tree"
)

// Running is the word that `unitgen run` leaves in the state directory, so that
// switch, plan, rollback and status find the bundled manager.
type Running struct {
	PID        int        `json:"pid"`
	RuntimeDir string     `json:"runtime_dir"`
	Bus        string     `json:"bus"` // path of the socket, <runtime dir>/systemd/private
	Scope      tree.Scope `json:"scope"`
}

const fileRunning = "manager.json"

// SetRunning leaves the word that a bundled manager serves this state.
func (s *State) SetRunning(r Running) error {
	if err := s.Prepare(); err != nil {
		return err
	}
	b, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return durable.ReplaceFile(s.fs, s.Path(fileRunning), append(b, '\n'), 0o644)
}

// ClearRunning takes the word back when the manager ends.
func (s *State) ClearRunning() error {
	if err := s.fs.Remove(s.Path(fileRunning)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Running gives the bundled manager that serves this state. The word of a
// manager whose process is gone, or whose socket is, counts as none.
func (s *State) Running() (Running, bool, error) {
	b, err := os.ReadFile(s.Path(fileRunning))
	if errors.Is(err, fs.ErrNotExist) {
		return Running{}, false, nil
	}
	if err != nil {
		return Running{}, false, err
	}
	var r Running
	if err := json.Unmarshal(b, &r); err != nil {
		return Running{}, false, fmt.Errorf("%s: %w", s.Path(fileRunning), err)
	}
	if r.PID > 0 {
		if err := syscall.Kill(r.PID, 0); errors.Is(err, syscall.ESRCH) {
			return Running{}, false, nil
		}
	}
	if _, err := os.Stat(r.Bus); err != nil {
		return Running{}, false, nil
	}
	return r, true, nil
}

// Package generation numbers the trees that a host has had: generations that
// only grow, the `current` and `boot` links, pins, the lock of a state
// directory, and what the garbage collector must keep.
//
// It takes a state directory and store paths. It does not know what is in a
// tree, how one is activated, or what a plan is.
package generation

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/unitgen/unitgen/internal/durable"
)

// Names in a state directory.
const (
	dirGenerations = "generations"
	dirPins        = "pins"
	dirRecords     = "records"
	fileSequence   = "sequence"
	LinkCurrent    = "current"
	LinkBoot       = "boot"
	DirJournal     = "journal"
	DirBackup      = "backup"
)

// maxNumber is the highest number of a generation. What is above it in a state
// directory was not put there by unitgen.
const maxNumber = 999_999_999_999

// ErrNone says that there is no such generation.
var ErrNone = errors.New("there is no such generation")

// State is a state directory.
type State struct {
	dir string
	fs  durable.FS
}

// Generation is one numbered tree.
type Generation struct {
	Number  int
	Tree    string    // absolute path of the tree
	Time    time.Time // when it was made
	Current bool
	Boot    bool
	Pinned  bool
	Parent  int  // the generation that was current when it was made, 0 for none
	Failed  bool // its switch failed, and it never was good
}

// DefaultDir gives the state directory of who runs unitgen: /etc/unitgen for
// root, $XDG_STATE_HOME/unitgen (~/.local/state/unitgen) for everybody else.
func DefaultDir() (string, error) {
	if os.Geteuid() == 0 {
		return "/etc/unitgen", nil
	}
	if d := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(d) {
		return filepath.Join(d, "unitgen"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("no state directory: neither XDG_STATE_HOME nor HOME is set; name one with --state")
	}
	return filepath.Join(home, ".local", "state", "unitgen"), nil
}

// Open gives a state directory, which need not exist yet.
func Open(dir string) *State { return OpenFS(dir, durable.OS) }

// OpenFS is Open with the operations of another file system.
func OpenFS(dir string, f durable.FS) *State {
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	return &State{dir: dir, fs: f}
}

// Dir gives the state directory, absolute.
func (s *State) Dir() string { return s.dir }

// FS gives the file system operations that the state is changed with.
func (s *State) FS() durable.FS { return s.fs }

// Path gives a path below the state directory.
func (s *State) Path(elem ...string) string {
	return filepath.Join(append([]string{s.dir}, elem...)...)
}

// Prepare makes the directories of the state.
func (s *State) Prepare() error {
	for _, d := range []string{s.dir, s.Path("store"), s.Path(dirGenerations)} {
		if err := durable.MkdirAll(s.fs, d, 0o755); err != nil {
			return fmt.Errorf("the state directory cannot be made: %w", err)
		}
	}
	return nil
}

// Create makes the next generation, for a tree in the store. It changes
// neither current nor boot. The caller holds the lock.
func (s *State) Create(tree string) (Generation, error) {
	if err := s.Prepare(); err != nil {
		return Generation{}, err
	}
	st, err := os.Stat(tree)
	if err != nil {
		return Generation{}, err
	}
	if !st.IsDir() {
		return Generation{}, fmt.Errorf("%s is no tree", tree)
	}
	n, err := s.next()
	if err != nil {
		return Generation{}, err
	}
	if err := durable.ReplaceFile(s.fs, s.Path(fileSequence), []byte(strconv.Itoa(n)+"\n"), 0o644); err != nil {
		return Generation{}, fmt.Errorf("generation %d cannot be made: %w", n, err)
	}
	if err := s.writeRecord(n, record{Parent: s.pointer(LinkCurrent)}); err != nil {
		return Generation{}, fmt.Errorf("generation %d cannot be made: %w", n, err)
	}
	target := tree
	if rel, err := filepath.Rel(s.Path(dirGenerations), tree); err == nil && strings.HasPrefix(rel, "../store/") {
		target = rel
	}
	if err := s.fs.Symlink(target, s.link(n)); err != nil {
		return Generation{}, fmt.Errorf("generation %d cannot be made: %w", n, err)
	}
	if err := s.fs.Sync(s.Path(dirGenerations)); err != nil {
		return Generation{}, fmt.Errorf("generation %d cannot be made: %w", n, err)
	}
	return s.Get(n)
}

// next gives the number of the next generation: above every one that is there
// or ever was.
func (s *State) next() (int, error) {
	all, err := s.numbers()
	if err != nil {
		return 0, err
	}
	n := 0
	if len(all) > 0 {
		n = all[len(all)-1]
	}
	b, err := os.ReadFile(s.Path(fileSequence))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, err
	}
	if last, err := strconv.Atoi(strings.TrimSpace(string(b))); err == nil && last > n && last <= maxNumber {
		n = last
	}
	if n == maxNumber {
		return 0, fmt.Errorf("there is no number above %d", n)
	}
	return n + 1, nil
}

func (s *State) link(n int) string { return s.Path(dirGenerations, strconv.Itoa(n)) }

// numbers gives the numbers that are taken, by generations or by what somebody
// else put in their place, ascending.
func (s *State) numbers() ([]int, error) {
	names, err := os.ReadDir(s.Path(dirGenerations))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out []int
	for _, e := range names {
		if n, err := strconv.Atoi(e.Name()); err == nil && n > 0 && n <= maxNumber && e.Name() == strconv.Itoa(n) {
			out = append(out, n)
		}
	}
	sort.Ints(out)
	return out, nil
}

// Get gives one generation, or an error that wraps ErrNone.
func (s *State) Get(n int) (Generation, error) {
	p := s.link(n)
	st, err := os.Lstat(p)
	if err != nil {
		return Generation{}, fmt.Errorf("generation %d: %w", n, ErrNone)
	}
	t, err := os.Readlink(p)
	if err != nil {
		return Generation{}, fmt.Errorf("generation %d: %w: %s is no link", n, ErrNone, p)
	}
	if !filepath.IsAbs(t) {
		t = filepath.Join(s.Path(dirGenerations), t)
	}
	g := Generation{Number: n, Tree: filepath.Clean(t), Time: st.ModTime()}
	g.Current = s.pointer(LinkCurrent) == n
	g.Boot = s.pointer(LinkBoot) == n
	_, err = os.Lstat(s.Path(dirPins, strconv.Itoa(n)))
	g.Pinned = err == nil
	r := s.record(n)
	g.Parent, g.Failed = r.Parent, r.Failed && !r.Good
	return g, nil
}

// List gives all generations, oldest first.
func (s *State) List() ([]Generation, error) {
	all, err := s.numbers()
	if err != nil {
		return nil, err
	}
	out := make([]Generation, 0, len(all))
	for _, n := range all {
		g, err := s.Get(n)
		if errors.Is(err, ErrNone) {
			continue // somebody else's, or gone meanwhile
		}
		if err != nil {
			return nil, err
		}
		out = append(out, g)
	}
	return out, nil
}

// pointer gives the number that current or boot stands at, 0 for none.
func (s *State) pointer(name string) int {
	t, err := os.Readlink(s.Path(name))
	if err != nil {
		return 0
	}
	n, err := strconv.Atoi(filepath.Base(t))
	if err != nil || n < 1 || n > maxNumber {
		return 0
	}
	return n
}

// Astray reports whether current leads to no generation: somebody removed that
// generation, or set the link by hand. A current that is not there at all is
// none; no generation is current then.
func (s *State) Astray() bool {
	if _, err := os.Lstat(s.Path(LinkCurrent)); err != nil {
		return false
	}
	g, err := s.Get(s.pointer(LinkCurrent))
	if err != nil {
		return true
	}
	st, err := os.Stat(g.Tree)
	return err != nil || !st.IsDir()
}

// Repair leads a current that is astray to the generation that boots, or else
// to the newest one whose tree is there. The caller holds the lock. It gives
// the generation, and false when there is none to lead to.
func (s *State) Repair() (Generation, bool, error) {
	all, err := s.List()
	if err != nil {
		return Generation{}, false, err
	}
	if b, ok, err := s.Boot(); err == nil && ok {
		all = append(all, b)
	}
	for i := len(all) - 1; i >= 0; i-- {
		if st, err := os.Stat(all[i].Tree); err == nil && st.IsDir() {
			return all[i], true, s.SetCurrent(all[i].Number)
		}
	}
	return Generation{}, false, nil
}

// Current gives the active generation; false when there is none yet.
func (s *State) Current() (Generation, bool, error) { return s.pointed(LinkCurrent) }

// Boot gives the generation that the next boot starts; false when none is set.
func (s *State) Boot() (Generation, bool, error) { return s.pointed(LinkBoot) }

func (s *State) pointed(name string) (Generation, bool, error) {
	n := s.pointer(name)
	if n == 0 {
		return Generation{}, false, nil
	}
	g, err := s.Get(n)
	if err != nil {
		err = fmt.Errorf("%s leads to %w; \"unitgen recover\" leads it to one that is there", s.Path(name), err)
	}
	return g, err == nil, err
}

// CurrentPath is the pivot: the link that everything of the running system
// goes through.
func (s *State) CurrentPath() string { return s.Path(LinkCurrent) }

// SetCurrent moves the pivot with one rename. 0 removes it.
func (s *State) SetCurrent(n int) error { return s.point(LinkCurrent, n) }

// SetBoot chooses what the next boot starts. 0 removes the choice.
func (s *State) SetBoot(n int) error { return s.point(LinkBoot, n) }

func (s *State) point(name string, n int) error {
	if n == 0 {
		if err := s.fs.Remove(s.Path(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return s.fs.Sync(s.dir)
	}
	if _, err := s.Get(n); err != nil {
		return err
	}
	if err := durable.ReplaceLink(s.fs, filepath.Join(dirGenerations, strconv.Itoa(n)), s.Path(name)); err != nil {
		return fmt.Errorf("%s cannot be moved to generation %d: %w", name, n, err)
	}
	return nil
}

// Pin keeps a generation from being deleted or collected.
func (s *State) Pin(n int) error {
	if _, err := s.Get(n); err != nil {
		return err
	}
	if err := durable.MkdirAll(s.fs, s.Path(dirPins), 0o755); err != nil {
		return err
	}
	if err := s.fs.Append(s.Path(dirPins, strconv.Itoa(n)), nil, 0o644); err != nil {
		return err
	}
	return s.fs.Sync(s.Path(dirPins))
}

// Unpin takes a pin away; a generation without one is left as it is.
func (s *State) Unpin(n int) error {
	if _, err := s.Get(n); err != nil {
		return err
	}
	if err := s.fs.Remove(s.Path(dirPins, strconv.Itoa(n))); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	return s.fs.Sync(s.Path(dirPins))
}

// Delete removes a generation; its tree goes with the next collection. The
// current one, the one that boots and pinned ones are refused.
func (s *State) Delete(n int) error {
	g, err := s.Get(n)
	if err != nil {
		return err
	}
	switch {
	case g.Current:
		return fmt.Errorf("generation %d is the current one and stays", n)
	case g.Boot:
		return fmt.Errorf("generation %d is the one that boots and stays", n)
	case g.Pinned:
		return fmt.Errorf("generation %d is pinned; unpin it first", n)
	}
	return s.remove(n)
}

// Discard removes a generation that was made for a switch which was refused,
// and gives its number back: nothing ever went by it. It is left alone if
// anything points at it. The caller holds the lock since before Create.
func (s *State) Discard(n int) error {
	g, err := s.Get(n)
	if err != nil || g.Current || g.Boot || g.Pinned {
		return nil
	}
	if err := s.remove(n); err != nil {
		return err
	}
	last, err := os.ReadFile(s.Path(fileSequence))
	if err != nil || strings.TrimSpace(string(last)) != strconv.Itoa(n) {
		return nil
	}
	return durable.ReplaceFile(s.fs, s.Path(fileSequence), []byte(strconv.Itoa(n-1)+"\n"), 0o644)
}

func (s *State) remove(n int) error {
	if err := s.fs.Remove(s.link(n)); err != nil {
		return err
	}
	if err := s.fs.Sync(s.Path(dirGenerations)); err != nil {
		return err
	}
	return s.forget(n)
}

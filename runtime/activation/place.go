package activation

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"

	"github.com/unitgen/unitgen/internal/durable"
	"github.com/unitgen/unitgen/runtime/generation"
)

// UnitsMode is how a tree's units get into systemd's load path.
type UnitsMode string

// Modes; see docs/switch.md.
const (
	UnitsAuto      UnitsMode = ""          // directory, or generator where that is taken
	UnitsDirectory UnitsMode = "directory" // one link in the load path
	UnitsGenerator UnitsMode = "generator" // copied at every daemon-reload
	UnitsLinks     UnitsMode = "links"     // one link for each unit in /etc/systemd/system
)

// Place is the host that a tree is laid into. The bundled manager needs none:
// its load path goes through <state>/current by itself.
type Place struct {
	Root  string // "/" or "": the machine's own
	Units UnitsMode
	Etc   EtcMode
	// User is the directory of unit files of an ordinary user's own manager
	// ($XDG_DATA_HOME/systemd/user). Where it is set, the user units of the tree
	// are linked there and nothing else is laid into the host.
	User string
	// Unitgen is where the program itself lies, for the boot; it may be gone by
	// then.
	Unitgen string
	// Run runs a program that has to follow new files (systemd-sysusers,
	// systemd-tmpfiles); nil leaves them out.
	Run func(argv ...string) error

	base  string // the host's own /etc, where an overlay lies over it
	fresh bool   // there is no state directory yet, and none is to be made
}

// Placement is what lies in the host's directories for one generation.
type Placement struct {
	Root  string    `json:"root,omitempty"`
	User  string    `json:"user,omitempty"` // see Place.User
	Units UnitsMode `json:"units"`
	Etc   EtcMode   `json:"etc,omitempty"`
	Tree  string    `json:"tree,omitempty"`  // what lies over /etc, in overlay mode
	Items []Item    `json:"items"`           // by path
	Dirs  []string  `json:"dirs,omitempty"`  // directories made for the items
	Hooks []string  `json:"hooks,omitempty"` // "sysusers", "tmpfiles", "sysctl": files of these lie in the tree

	Released []Released `json:"released,omitempty"` // by path: what was put back
	Boot     *Consent   `json:"boot,omitempty"`     // what the boot may take over
}

// Item is one path of ours.
type Item struct {
	Path    string `json:"path"`             // absolute on the host
	Target  string `json:"target,omitempty"` // of a link
	Source  string `json:"source,omitempty"` // of a copy: the file in the store
	Content string `json:"content,omitempty"`
	Mode    uint32 `json:"mode,omitempty"`
	Owner   string `json:"owner,omitempty"`
	Group   string `json:"group,omitempty"`
	SHA256  string `json:"sha256,omitempty"`
	Adopt   bool   `json:"adopt,omitempty"`  // what was there before is kept as a backup
	Absent  string `json:"absent,omitempty"` // nothing lies there: a link that would enable this unit
}

func (i Item) isLink() bool { return i.Target != "" }

func (p *Placement) item(path string) (Item, bool) {
	if p == nil {
		return Item{}, false
	}
	n, ok := slices.BinarySearchFunc(p.Items, path, func(i Item, s string) int { return strings.Compare(i.Path, s) })
	if !ok {
		return Item{}, false
	}
	return p.Items[n], true
}

// same reports whether two placements are alike.
func (p *Placement) same(q *Placement) bool {
	if p == nil || q == nil {
		return p == q
	}
	return p.Units == q.Units && p.Etc == q.Etc && p.Tree == q.Tree && slices.Equal(p.Items, q.Items)
}

const placedName = "placed.json"

// Placed gives what was last laid into the host.
func Placed(s *generation.State) (*Placement, error) {
	b, err := os.ReadFile(s.Path(placedName))
	if errors.Is(err, fs.ErrNotExist) {
		return &Placement{}, nil
	}
	if err != nil {
		return nil, err
	}
	p := new(Placement)
	if err := json.Unmarshal(b, p); err != nil {
		return nil, fmt.Errorf("%s, the list of what lies in the host, was damaged (%w); remove it to have it made anew with the next switch, which then takes away nothing that earlier generations put there", s.Path(placedName), err)
	}
	return p, nil
}

func savePlaced(s *generation.State, p *Placement) error {
	b, err := json.MarshalIndent(p, "", " ")
	if err != nil {
		return err
	}
	return durable.ReplaceFile(s.FS(), s.Path(placedName), append(b, '\n'), 0o644)
}

// host gives the path of a host path below Root.
func (p *Place) host(path string) string {
	if rest, ok := strings.CutPrefix(path, "/etc/"); ok && p.base != "" {
		return filepath.Join(p.base, rest)
	}
	return p.under(path)
}

// pivot gives the path of the pivot as the host knows it.
func (p *Place) pivot(s *generation.State) string {
	cur := s.CurrentPath()
	if p.Root != "" && p.Root != "/" {
		if rel, err := filepath.Rel(p.Root, cur); err == nil && filepath.IsLocal(rel) {
			return "/" + rel
		}
	}
	return cur
}

// prepare makes the links that the new generation adds. They lead nowhere, so
// they are absent to every reader, until the pivot moves.
func (p *Place) prepare(s *generation.State, before, after *Placement) error {
	f := s.FS()
	p.reach()
	if p.User == "" {
		if err := p.markBooted(); err != nil {
			return err
		}
	}
	dirty := map[string]bool{}
	for _, d := range after.Dirs {
		if leaving(before, d) != "" {
			continue // makeRoom makes it
		}
		err := f.Mkdir(p.host(d), 0o755)
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
		if err == nil {
			dirty[filepath.Dir(p.host(d))] = true
		}
	}
	for _, i := range after.Items {
		if !i.isLink() || leaving(before, i.Path) != "" {
			continue
		}
		at := p.host(i.Path)
		if _, err := os.Lstat(at); err == nil {
			continue
		}
		if err := f.Symlink(i.Target, at); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
		dirty[filepath.Dir(at)] = true
	}
	for _, d := range sortedNames(dirty) {
		if err := f.Sync(d); err != nil {
			return err
		}
	}
	return nil
}

// finish brings the host to what after says, once the pivot stands there.
// Whatever of it was done before is not done again.
func (p *Place) finish(s *generation.State, before, after *Placement) error {
	p.reach()
	if after.Etc == EtcOverlay {
		if err := p.hooks(before, after); err != nil {
			return err
		}
	}
	if before.Etc == EtcOverlay || after.Etc == EtcOverlay {
		if err := p.mountEtc(after.Tree); err != nil {
			return err
		}
		p.reach()
	}
	if err := p.makeRoom(s, before, after); err != nil {
		return err
	}
	for _, i := range after.Items {
		if i.isLink() || !i.needsUsers() {
			if err := p.ensure(s, i); err != nil {
				return err
			}
		}
	}
	for _, i := range before.Items {
		if _, stays := after.item(i.Path); stays {
			continue
		}
		if err := p.withdraw(s, i); err != nil {
			return err
		}
	}
	p.removeDirs(s, before, after)
	if after.Etc != EtcOverlay {
		if err := p.hooks(before, after); err != nil {
			return err
		}
	}
	for _, i := range after.Items {
		if !i.isLink() && i.needsUsers() {
			if err := p.ensure(s, i); err != nil {
				return err
			}
		}
	}
	return savePlaced(s, after)
}

func (i Item) needsUsers() bool { return i.Owner != "" || i.Group != "" }

// ensure puts one item in place, if it is not.
func (p *Place) ensure(s *generation.State, i Item) error {
	at := p.host(i.Path)
	if i.Absent != "" {
		if p.isOurs(i) {
			return nil
		}
		if err := p.backup(s, i); err != nil {
			return err
		}
		if err := s.FS().Remove(at); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return s.FS().Sync(filepath.Dir(at))
	}
	if i.isLink() {
		if t, err := os.Readlink(at); err == nil && t == i.Target {
			return nil
		}
		if err := p.backup(s, i); err != nil {
			return err
		}
		return durable.ReplaceLink(s.FS(), i.Target, at)
	}
	uid, gid, err := i.ids()
	if err != nil {
		return fmt.Errorf("%s: %w", i.Path, err)
	}
	if i.inPlace(at, uid, gid) {
		return nil
	}
	data := []byte(i.Content)
	if i.Source != "" {
		if data, err = os.ReadFile(i.Source); err != nil {
			return err
		}
	}
	if err := p.backup(s, i); err != nil {
		return err
	}
	return durable.ReplaceOwned(s.FS(), at, data, i.fileMode(), uid, gid)
}

// withdraw takes an item away, and gives back what it had replaced. A path
// that somebody replaced meanwhile is theirs and stays.
func (p *Place) withdraw(s *generation.State, i Item) error {
	at := p.host(i.Path)
	if i.Absent != "" || !p.isOurs(i) {
		if _, err := os.Lstat(at); err == nil {
			return p.abandon(s, i)
		}
	}
	if restored, err := p.restore(s, i); restored || err != nil {
		return err
	}
	if _, err := os.Lstat(at); err != nil {
		return nil
	}
	if err := s.FS().Remove(at); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return s.FS().Sync(filepath.Dir(at))
}

// isOurs reports whether what lies at an item's path is what we put there.
func (p *Place) isOurs(i Item) bool {
	at := p.host(i.Path)
	if i.Absent != "" {
		return !p.enables(i)
	}
	if i.isLink() {
		t, err := os.Readlink(at)
		return err == nil && t == i.Target
	}
	st, err := os.Lstat(at)
	if err != nil || !st.Mode().IsRegular() {
		return false
	}
	sum, err := fileSum(at)
	return err == nil && sum == i.SHA256
}

// asLaid reports whether an item lies there as it was put, a copy with its owner
// and mode.
func (p *Place) asLaid(i Item) bool {
	if !p.isOurs(i) || i.isLink() || i.Absent != "" {
		return p.isOurs(i)
	}
	uid, gid, err := i.ids()
	return err != nil || i.inPlace(p.host(i.Path), uid, gid)
}

// removeDirs removes the directories that were made for items that are gone,
// deepest first; one that somebody uses stays.
func (p *Place) removeDirs(s *generation.State, before, after *Placement) {
	dirs := slices.Clone(before.Dirs)
	sort.Sort(sort.Reverse(sort.StringSlice(dirs)))
	for _, d := range dirs {
		if _, is := after.item(d); is || slices.Contains(after.Dirs, d) {
			continue
		}
		if s.FS().Remove(p.host(d)) == nil {
			_ = s.FS().Sync(filepath.Dir(p.host(d)))
		}
	}
}

// temporaries removes what a switch that was cut off left beside its items.
func (p *Place) temporaries(s *generation.State, placements ...*Placement) error {
	for _, pl := range placements {
		if pl == nil {
			continue
		}
		for _, i := range pl.Items {
			tmp := durable.Temporary(p.host(i.Path))
			if _, err := os.Lstat(tmp); err != nil {
				continue
			}
			if err := s.FS().Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}

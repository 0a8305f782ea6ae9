package activation

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/unitgen/unitgen/emit/store"
	"github.com/unitgen/unitgen/internal/durable"
	"github.com/unitgen/unitgen/runtime/generation"
)

func fileSum(p string) (string, error) { return store.FileSum(p) }

// saved is what was at a path before it was adopted.
type saved struct {
	Path   string `json:"path"`
	Target string `json:"target,omitempty"` // of a link
	Data   []byte `json:"data,omitempty"`
	Mode   uint32 `json:"mode"` // fs.FileMode: permissions, set-id and sticky bits
	UID    int    `json:"uid"`
	GID    int    `json:"gid"`
}

// maxBackup is the largest file that is adopted, in bytes.
const maxBackup = 64 << 20

func backupPath(s *generation.State, path string) string {
	return s.Path(generation.DirBackup, strings.NewReplacer("%", "%25", "/", "%2F").Replace(strings.TrimPrefix(path, "/"))+".json")
}

// backup keeps what somebody else has at an adopted item's path.
func (p *Place) backup(s *generation.State, i Item) error {
	if !i.Adopt {
		return nil
	}
	at := p.host(i.Path)
	st, err := os.Lstat(at)
	if errors.Is(err, fs.ErrNotExist) || err == nil && p.isOurs(i) {
		return nil
	}
	if err != nil {
		return err
	}
	if t, err := os.Readlink(at); err == nil && strings.HasPrefix(t, p.pivot(s)+"/") {
		return nil
	}
	b := saved{Path: i.Path, Mode: uint32(st.Mode() & (fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky)), UID: -1, GID: -1}
	if sys, ok := st.Sys().(*syscall.Stat_t); ok {
		b.UID, b.GID = int(sys.Uid), int(sys.Gid)
	}
	switch {
	case st.Mode()&fs.ModeSymlink != 0:
		if b.Target, err = os.Readlink(at); err != nil {
			return err
		}
	case !st.Mode().IsRegular():
		return fmt.Errorf("%s is neither a file nor a link and cannot be taken over", i.Path)
	case st.Size() > maxBackup:
		return fmt.Errorf("%s is larger than %d MiB and is not taken over", i.Path, maxBackup>>20)
	default:
		if b.Data, err = os.ReadFile(at); err != nil {
			return err
		}
	}
	line, err := json.Marshal(b)
	if err != nil {
		return err
	}
	to := backupPath(s, i.Path)
	for n := 1; ; n++ {
		st, err := os.Lstat(to)
		if err != nil {
			break
		}
		if st.Size() == int64(len(line)) {
			if kept, err := os.ReadFile(to); err == nil && bytes.Equal(kept, line) {
				return nil // enabled again by hand, say: one of a kind will do
			}
		}
		// What was there first is what comes back; this is kept beside it.
		to = backupPath(s, i.Path) + "." + strconv.Itoa(n)
	}
	if err := durable.MkdirAll(s.FS(), s.Path(generation.DirBackup), 0o700); err != nil {
		return err
	}
	return durable.ReplaceFile(s.FS(), to, line, 0o600)
}

// restore puts back what an item had replaced; false when there was nothing.
func (p *Place) restore(s *generation.State, i Item) (bool, error) {
	from := backupPath(s, i.Path)
	line, err := os.ReadFile(from)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	var b saved
	if err := json.Unmarshal(line, &b); err != nil {
		return false, fmt.Errorf("%s: %w", from, err)
	}
	at := p.host(i.Path)
	if b.Target != "" {
		err = durable.ReplaceLink(s.FS(), b.Target, at)
	} else {
		err = durable.ReplaceOwned(s.FS(), at, b.Data, fs.FileMode(b.Mode), b.UID, b.GID)
	}
	if err != nil {
		return false, err
	}
	if err := s.FS().Remove(from); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return true, err
	}
	return true, s.FS().Sync(filepath.Dir(from))
}

// abandon puts aside the backup of a path that somebody took back meanwhile: it
// is not what would have to come back another time.
func (p *Place) abandon(s *generation.State, i Item) error {
	from := backupPath(s, i.Path)
	if _, err := os.Lstat(from); err != nil {
		return nil
	}
	for n := 1; ; n++ {
		to := from + "." + strconv.Itoa(n)
		if _, err := os.Lstat(to); err == nil {
			continue
		}
		if err := s.FS().Rename(from, to); err != nil {
			return err
		}
		return s.FS().Sync(filepath.Dir(from))
	}
}

// ids resolves the owner of a copy, -1 for "as it comes".
func (i Item) ids() (uid, gid int, err error) {
	if os.Geteuid() != 0 {
		return -1, -1, nil
	}
	if i.Owner != "" {
		if uid, err = strconv.Atoi(i.Owner); err != nil {
			u, err := user.Lookup(i.Owner)
			if err != nil {
				return 0, 0, err
			}
			if uid, err = strconv.Atoi(u.Uid); err != nil {
				return 0, 0, err
			}
		}
	}
	if i.Group != "" {
		if gid, err = strconv.Atoi(i.Group); err != nil {
			g, err := user.LookupGroup(i.Group)
			if err != nil {
				return 0, 0, err
			}
			if gid, err = strconv.Atoi(g.Gid); err != nil {
				return 0, 0, err
			}
		}
	}
	return uid, gid, nil
}

func (i Item) fileMode() fs.FileMode {
	m := fs.FileMode(i.Mode & 0o777)
	for bit, flag := range map[uint32]fs.FileMode{0o4000: fs.ModeSetuid, 0o2000: fs.ModeSetgid, 0o1000: fs.ModeSticky} {
		if i.Mode&bit != 0 {
			m |= flag
		}
	}
	return m
}

// inPlace reports whether a copy lies there as it should.
func (i Item) inPlace(at string, uid, gid int) bool {
	st, err := os.Lstat(at)
	if err != nil || !st.Mode().IsRegular() || st.Mode()&(fs.ModePerm|fs.ModeSetuid|fs.ModeSetgid|fs.ModeSticky) != i.fileMode() {
		return false
	}
	if sys, ok := st.Sys().(*syscall.Stat_t); ok && (uid >= 0 && int(sys.Uid) != uid || gid >= 0 && int(sys.Gid) != gid) {
		return false
	}
	sum, err := fileSum(at)
	return err == nil && sum == i.SHA256
}

package activation

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"os"
	"slices"
	"strings"
	"syscall"

	"github.com/unitgen/unitgen/runtime/generation"
)

// Released is a path that was adopted once and that unitgen put back. As long
// as it lies there as it was put back, a generation that has the path takes it
// over again, without being asked to.
type Released struct {
	Path   string `json:"path"`
	Target string `json:"target,omitempty"` // of a link
	SHA256 string `json:"sha256,omitempty"` // of a file
	Mode   uint32 `json:"mode"`
	UID    int    `json:"uid"`
	GID    int    `json:"gid"`
}

// Consent is what somebody said who made a generation the one to boot: these
// paths of others may be taken over, with a backup, when it boots.
type Consent struct {
	Generation int      `json:"generation"`
	Adopt      []string `json:"adopt"` // paths, sorted
}

// adopts reports whether a path may be taken over when a generation boots.
func (c *Consent) adopts(generation int, path string) bool {
	return c != nil && c.Generation == generation && slices.Contains(c.Adopt, path)
}

// release gives what will have been put back when after is laid in the place of
// before: what was released earlier and is still as it was, and the backups of
// what after has no more. It is known, and in the journal, before anything is
// put back, so that a cut does not lose it.
func (p *Place) release(s *generation.State, before, after *Placement) []Released {
	byPath := map[string]Released{}
	for _, r := range before.Released {
		if p.asReleased(r) {
			byPath[r.Path] = r
		}
	}
	for _, i := range before.Items {
		line, err := os.ReadFile(backupPath(s, i.Path))
		var b saved
		if err != nil || i.Absent != "" || json.Unmarshal(line, &b) != nil {
			continue
		}
		r := Released{Path: i.Path, Target: b.Target, Mode: b.Mode, UID: b.UID, GID: b.GID}
		if b.Target == "" {
			sum := sha256.Sum256(b.Data)
			r.SHA256 = hex.EncodeToString(sum[:])
		}
		byPath[i.Path] = r
	}
	for _, i := range after.Items {
		delete(byPath, i.Path)
	}
	var out []Released
	for _, path := range sortedNames(byPath) {
		out = append(out, byPath[path])
	}
	return out
}

// wasReleased reports whether what lies at a path is what unitgen put back
// there.
func (p *Place) wasReleased(path string, before *Placement) bool {
	n, ok := slices.BinarySearchFunc(before.Released, path, func(r Released, s string) int { return strings.Compare(r.Path, s) })
	return ok && p.asReleased(before.Released[n])
}

func (p *Place) asReleased(r Released) bool {
	at := p.host(r.Path)
	if r.Target != "" {
		t, err := os.Readlink(at)
		return err == nil && t == r.Target
	}
	st, err := os.Lstat(at)
	if err != nil || !st.Mode().IsRegular() || st.Mode()&(fs.ModePerm|fs.ModeSetuid|fs.ModeSetgid|fs.ModeSticky) != fs.FileMode(r.Mode) {
		return false
	}
	if sys, ok := st.Sys().(*syscall.Stat_t); ok && (r.UID >= 0 && int(sys.Uid) != r.UID || r.GID >= 0 && int(sys.Gid) != r.GID) {
		return false
	}
	sum, err := fileSum(at)
	return err == nil && sum == r.SHA256
}

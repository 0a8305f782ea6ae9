package activation

import (
	"errors"
	"os"
	"os/user"
	"path/filepath"

	"github.com/unitgen/unitgen/runtime/generation"
)

// writeMarker makes an empty file below a directory that need not outlive the
// machine's power.
func writeMarker(p string) error {
	if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(p, os.O_WRONLY|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	return f.Close()
}

// SettleFiles brings the host's files to what the current generation says,
// after the boot moved the pivot. Paths that somebody else took meanwhile, unless
// the generation was made the one to boot with the leave to adopt them, and files
// of users that do not exist yet, are left as they are. The caller holds
// the state's lock.
func SettleFiles(s *generation.State, p *Place) error {
	cur, ok, err := s.Current()
	if err != nil || !ok {
		return err
	}
	before, err := Placed(s)
	if err != nil {
		return err
	}
	if len(before.Items) == 0 {
		return nil
	}
	p.reach()
	p.keepModes(before)
	after, err := p.Layout(s, cur)
	if err != nil || before.same(after) && before.Boot == nil {
		return err
	}
	free := after.Items[:0:0]
	for _, i := range after.Items {
		old, had := before.item(i.Path)
		i.Adopt = had && old.Adopt
		if c := p.conflict(s, i, before); c != nil {
			if !c.Adoptable || !before.Boot.adopts(cur.Number, i.Path) && !p.wasReleased(i.Path, before) {
				continue
			}
			i.Adopt = true
		}
		if _, _, err := i.ids(); err != nil {
			var noUser user.UnknownUserError
			var noGroup user.UnknownGroupError
			if errors.As(err, &noUser) || errors.As(err, &noGroup) {
				continue
			}
			return err
		}
		free = append(free, i)
	}
	after.Items = free
	after.Dirs = p.newDirs(before, after)
	after.Released = p.release(s, before, after)
	if err := p.prepare(s, before, after); err != nil {
		return err
	}
	return p.finish(s, before, after)
}

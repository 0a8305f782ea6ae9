package manager

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/unitgen/unitgen/runtime/manager/stage"
)

var dirStatus = [5]int{stage.ExitRuntimeDir, stage.ExitStateDir, stage.ExitCacheDir, stage.ExitLogsDir, stage.ExitConfigDir}

// prepareDirs makes RuntimeDirectory= and its like and gives the variables
// that name them.
func (s *spawnRequest) prepareDirs(a account) ([]string, error) {
	var env []string
	for i, d := range s.cfg.dirs {
		var paths []string
		for _, n := range d.names {
			p := filepath.Join(d.base, n.name)
			if err := makeDir(p, d.mode, a, i == 4); err != nil {
				return nil, step(dirStatus[i], strings.ToUpper(dirKinds[i].setting), err)
			}
			if n.link != "" {
				l := filepath.Join(d.base, n.link)
				_ = os.MkdirAll(filepath.Dir(l), 0o755)
				if err := os.Symlink(p, l); err != nil && !errors.Is(err, os.ErrExist) {
					return nil, step(dirStatus[i], strings.ToUpper(dirKinds[i].setting), err)
				}
			}
			paths = append(paths, p)
		}
		if len(paths) > 0 {
			env = append(env, d.env+"="+strings.Join(paths, ":"))
		}
	}
	return env, nil
}

// makeDir makes a directory with its mode and owner; a configuration directory
// is left as it is.
func makeDir(p string, mode os.FileMode, a account, keep bool) error {
	if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
		return err
	}
	err := os.Mkdir(p, mode)
	if err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	st, err := os.Stat(p)
	if err != nil {
		return err
	}
	if !st.IsDir() {
		return fmt.Errorf("%s is there and is no directory", p)
	}
	if keep {
		return nil
	}
	if a.set {
		if owner(st) != a.uid {
			if err := chownTree(p, a); err != nil {
				return err
			}
		}
	}
	if st.Mode().Perm() != mode.Perm() || mode&(os.ModeSticky|os.ModeSetgid|os.ModeSetuid) != 0 {
		return os.Chmod(p, mode)
	}
	return nil
}

// chownTree hands a directory and what is in it to the unit's user.
func chownTree(root string, a account) error {
	return filepath.WalkDir(root, func(p string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(p, int(a.uid), int(a.gid))
	})
}

// writeCredentials fills $CREDENTIALS_DIRECTORY, readable by the unit's user
// alone.
func (s *spawnRequest) writeCredentials(a account) error {
	if err := os.MkdirAll(filepath.Dir(s.credDir), 0o755); err != nil {
		return err
	}
	if _, err := os.Stat(s.credDir); err == nil {
		return nil // made for an earlier command of this activation
	}
	tmp := s.credDir + ".new"
	_ = os.RemoveAll(tmp)
	if err := os.Mkdir(tmp, 0o700); err != nil {
		return err
	}
	seen := map[string]bool{}
	put := func(id string, data []byte) error {
		p := filepath.Join(tmp, id)
		if err := os.WriteFile(p, data, 0o400); err != nil {
			return err
		}
		if a.set {
			return os.Chown(p, int(a.uid), int(a.gid))
		}
		return nil
	}
	for _, c := range s.cfg.creds {
		if c.literal || seen[c.id] {
			continue
		}
		b, err := os.ReadFile(c.path)
		if err != nil {
			if errors.Is(err, os.ErrNotExist) && (c.optional || s.hasLiteral(c.id)) {
				continue
			}
			return err
		}
		if len(b) > 1<<20 {
			return fmt.Errorf("%s is larger than the 1 MiB a credential may have", c.path)
		}
		seen[c.id] = true
		if err := put(c.id, b); err != nil {
			return err
		}
	}
	for _, c := range s.cfg.creds {
		if !c.literal || seen[c.id] {
			continue
		}
		seen[c.id] = true
		if err := put(c.id, c.data); err != nil {
			return err
		}
	}
	if a.set {
		if err := os.Chown(tmp, int(a.uid), int(a.gid)); err != nil {
			return err
		}
	}
	if err := os.Chmod(tmp, 0o500); err != nil {
		return err
	}
	return os.Rename(tmp, s.credDir)
}

func (s *spawnRequest) hasLiteral(id string) bool {
	for _, c := range s.cfg.creds {
		if c.literal && c.id == id {
			return true
		}
	}
	return false
}

// removeRuntime removes RuntimeDirectory= and credentials of a unit that is
// down.
func (m *Manager) removeRuntime(u *unit, c *execConfig, restarting bool) {
	_ = os.Chmod(m.credentialDir(u.name()), 0o700)
	_ = os.RemoveAll(m.credentialDir(u.name()))
	if c == nil || c.runtimeKeep == "yes" || c.runtimeKeep == "restart" && restarting {
		return
	}
	for _, n := range c.dirs[0].names {
		_ = os.RemoveAll(filepath.Join(c.dirs[0].base, n.name))
	}
}

func (m *Manager) credentialDir(unit string) string {
	return filepath.Join(m.opt.RuntimeDir, "credentials", unit)
}

func (m *Manager) credentialStore() string { return filepath.Join(m.opt.RuntimeDir, "credstore") }

// dirsToClean gives the directories that systemctl clean removes.
func (c *execConfig) dirsToClean(what []string) []string {
	var out []string
	for i, k := range dirKinds {
		for _, w := range what {
			if w == k.clean || w == "all" {
				for _, n := range c.dirs[i].names {
					out = append(out, filepath.Join(c.dirs[i].base, n.name))
				}
				break
			}
		}
	}
	return out
}

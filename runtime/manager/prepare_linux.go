package manager

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/unitgen/unitgen/schema/value"
)

// Prepare makes what the tree in dir declares beside units: the users of
// sysusers.d(5), as root, and the files and directories of tmpfiles.d(5). Of
// the latter it knows the types d, D, e, f, F, w, L, p, r, R, z and Z; what it
// cannot make is reported in one error, and the rest is made.
func (m *Manager) Prepare(dir string) error {
	var errs []error
	if lines := configLines(filepath.Join(dir, "etc", "sysusers.d")); len(lines) > 0 {
		if !m.opt.OwnEtc {
			errs = append(errs, fmt.Errorf("the users of the tree (sysusers.d) are not made: that needs root and an /etc of its own"))
		} else if err := makeUsers("/etc", lines); err != nil {
			errs = append(errs, err)
		}
	}
	for _, l := range configLines(filepath.Join(dir, "etc", "tmpfiles.d")) {
		if err := m.makeFile(l); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", l.at, err))
		}
	}
	return errors.Join(errs...)
}

type configLine struct {
	at    string // directory/file:line
	words []string
}

// configLines reads the *.conf files of a directory in the order of their
// names.
func configLines(dir string) []configLine {
	files, _ := filepath.Glob(filepath.Join(dir, "*.conf"))
	sort.Strings(files)
	var out []configLine
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			continue
		}
		n := 0
		for line := range strings.Lines(string(b)) {
			n++
			line = strings.TrimSpace(line)
			if line == "" || line[0] == '#' {
				continue
			}
			w, err := value.Split(line, "", value.Unquote|value.CUnescape)
			if err != nil {
				w = strings.Fields(line)
			}
			out = append(out, configLine{at: fmt.Sprintf("%s/%s:%d", filepath.Base(dir), filepath.Base(f), n), words: w})
		}
	}
	return out
}

func (l configLine) word(i int) string {
	if i >= len(l.words) || l.words[i] == "-" {
		return ""
	}
	return l.words[i]
}

// expand replaces specifiers by the manager's directories.
func (m *Manager) expand(s string) string {
	ctx := m.opt.Facts
	rep := strings.NewReplacer("%%", "%", "%t", ctx.RuntimeDir, "%S", ctx.StateDir, "%C", ctx.CacheDir, "%L", ctx.LogsDir,
		"%E", ctx.ConfigDir, "%h", ctx.Home, "%u", ctx.User, "%U", ctx.UID, "%g", ctx.Group, "%G", ctx.GID, "%T", ctx.TempDir, "%V", ctx.VarTempDir,
		"%H", ctx.Host.Hostname, "%m", ctx.Host.MachineID)
	return rep.Replace(s)
}

// makeFile carries out one line of tmpfiles.d(5).
func (m *Manager) makeFile(l configLine) error {
	typ, path := l.word(0), filepath.Clean(m.expand(l.word(1)))
	if !filepath.IsAbs(path) {
		return fmt.Errorf("%q is no absolute path", path)
	}
	typ = strings.TrimRight(typ, "!-=~^$")
	force := strings.HasSuffix(typ, "+")
	typ = strings.TrimSuffix(typ, "+")
	mode, hasMode := os.FileMode(0), false
	if s := strings.TrimLeft(l.word(2), "~:"); s != "" {
		if v, err := value.ParseMode(s); err == nil {
			mode, hasMode = v, true
		}
	}
	arg := ""
	if len(l.words) > 6 {
		arg = m.expand(strings.Join(l.words[6:], " "))
	}
	finish := func(fallback os.FileMode) error {
		if !hasMode {
			mode = fallback
		}
		if mode != 0 {
			if err := os.Chmod(path, mode); err != nil {
				return err
			}
		}
		return chownNames(path, l.word(3), l.word(4))
	}
	switch typ {
	case "d", "D", "v", "q", "Q":
		if err := os.MkdirAll(path, 0o755); err != nil {
			return err
		}
		return finish(0o755)
	case "e":
		if _, err := os.Stat(path); err != nil {
			return nil
		}
		return finish(0)
	case "f", "F":
		flags := os.O_WRONLY | os.O_CREATE | unix.O_NOFOLLOW
		_, err := os.Lstat(path)
		if typ == "F" || force {
			flags |= os.O_TRUNC
		} else if err == nil {
			return finish(0)
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		f, err := os.OpenFile(path, flags, 0o644)
		if err != nil {
			return err
		}
		_, err = f.WriteString(arg)
		if e := f.Close(); err == nil {
			err = e
		}
		if err != nil {
			return err
		}
		return finish(0o644)
	case "w":
		f, err := os.OpenFile(path, os.O_WRONLY|map[bool]int{true: os.O_APPEND}[force], 0)
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		_, err = f.WriteString(arg)
		f.Close()
		return err
	case "L":
		if to, err := os.Readlink(path); err == nil && to == arg {
			return nil
		}
		if _, err := os.Lstat(path); err == nil {
			if !force {
				return nil
			}
			if err := os.RemoveAll(path); err != nil {
				return err
			}
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		return os.Symlink(arg, path)
	case "p":
		if err := unix.Mkfifo(path, 0o644); err != nil && err != unix.EEXIST {
			return err
		}
		return finish(0o644)
	case "r":
		err := os.Remove(path)
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		return err
	case "R":
		if path == "/" {
			return errors.New("the root directory is not removed")
		}
		return os.RemoveAll(path)
	case "z", "Z":
		list, _ := filepath.Glob(path)
		for _, p := range list {
			path = p
			if err := finish(0); err != nil {
				return err
			}
		}
		return nil
	case "x", "X":
		return nil // spares paths from cleaning, which is not done here
	}
	return fmt.Errorf("lines of type %q are not applied here", typ)
}

func chownNames(path, user, group string) error {
	user, group = strings.TrimPrefix(user, ":"), strings.TrimPrefix(group, ":")
	if user == "" && group == "" || os.Geteuid() != 0 {
		return nil
	}
	uid, gid := -1, -1
	if user != "" {
		a, err := lookupUser(user)
		if err != nil {
			return err
		}
		uid = int(a.uid)
	}
	if group != "" {
		g, err := lookupGroup(group)
		if err != nil {
			return err
		}
		gid = int(g)
	}
	return os.Lchown(path, uid, gid)
}

// makeUsers adds users and groups that are not there yet to the files below
// etc.
func makeUsers(etc string, lines []configLine) error {
	read := func(name string) (string, map[string]string) {
		b, _ := os.ReadFile(filepath.Join(etc, name))
		ids := map[string]string{}
		for line := range strings.Lines(string(b)) {
			if f := strings.Split(strings.TrimSpace(line), ":"); len(f) > 2 {
				ids[f[0]] = f[2]
			}
		}
		return string(b), ids
	}
	passwd, users := read("passwd")
	group, groups := read("group")
	free := func(want string) string {
		used := map[string]bool{}
		for _, ids := range []map[string]string{users, groups} {
			for _, id := range ids {
				used[id] = true
			}
		}
		if _, err := strconv.Atoi(want); err == nil && !used[want] {
			return want
		}
		for id := 999; id > 100; id-- {
			if s := strconv.Itoa(id); !used[s] {
				return s
			}
		}
		return "998"
	}
	ensureNL := func(s string) string {
		if s != "" && !strings.HasSuffix(s, "\n") {
			return s + "\n"
		}
		return s
	}
	passwd, group = ensureNL(passwd), ensureNL(group)
	addGroup := func(name, id string) string {
		if gid, ok := groups[name]; ok {
			return gid
		}
		gid := free(id)
		groups[name] = gid
		group += name + ":x:" + gid + ":\n"
		return gid
	}
	var members [][2]string
	before := passwd + "\x00" + group
	for _, l := range lines {
		name := l.word(1)
		if strings.ContainsAny(name, ":\n/") || name == "" {
			return fmt.Errorf("%s: %q is no name of a user or group", l.at, name)
		}
		uid, gname, _ := strings.Cut(l.word(2), ":")
		switch strings.TrimRight(l.word(0), "!") {
		case "g":
			addGroup(name, uid)
		case "u":
			if _, ok := users[name]; ok {
				break
			}
			gid := ""
			if gname != "" {
				if _, err := strconv.Atoi(gname); err == nil {
					gid = gname
				} else {
					gid = addGroup(gname, "")
				}
			} else {
				gid = addGroup(name, uid)
			}
			id := uid
			if _, err := strconv.Atoi(id); err != nil {
				id = free(gid)
				if !hasValue(users, gid) {
					id = gid
				}
			}
			home, shell := l.word(4), l.word(5)
			if home == "" {
				home = "/"
			}
			if shell == "" {
				shell = "/usr/sbin/nologin"
			}
			users[name] = id
			passwd += strings.Join([]string{name, "x", id, gid, strings.ReplaceAll(l.word(3), ":", " "), home, shell}, ":") + "\n"
		case "m":
			addGroup(l.word(2), "")
			members = append(members, [2]string{name, l.word(2)})
		}
	}
	for _, mb := range members {
		group = addMember(group, mb[1], mb[0])
	}
	if passwd+"\x00"+group == before {
		return nil
	}
	for name, text := range map[string]string{"passwd": passwd, "group": group} {
		p := filepath.Join(etc, name)
		if err := os.WriteFile(p+".unitgen", []byte(text), 0o644); err != nil {
			return fmt.Errorf("the users of the tree cannot be made: %w", err)
		}
		if err := os.Rename(p+".unitgen", p); err != nil {
			return fmt.Errorf("the users of the tree cannot be made: %w", err)
		}
	}
	return nil
}

func hasValue(m map[string]string, v string) bool {
	for _, x := range m {
		if x == v {
			return true
		}
	}
	return false
}

func addMember(group, name, user string) string {
	lines := strings.SplitAfter(group, "\n")
	for i, line := range lines {
		f := strings.Split(strings.TrimRight(line, "\n"), ":")
		if len(f) != 4 || f[0] != name {
			continue
		}
		var list []string
		if f[3] != "" {
			list = strings.Split(f[3], ",")
		}
		if !contains(list, user) {
			f[3] = strings.Join(append(list, user), ",")
			lines[i] = strings.Join(f, ":") + "\n"
		}
	}
	return strings.Join(lines, "")
}

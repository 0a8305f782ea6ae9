package stage

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

func (s *Spec) network() error {
	for _, ns := range []struct {
		path string
		flag int
	}{{s.NetNS, unix.CLONE_NEWNET}, {s.IPCNS, unix.CLONE_NEWIPC}} {
		if ns.path == "" {
			continue
		}
		fd, err := unix.Open(ns.path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return fmt.Errorf("%s: %w", ns.path, err)
		}
		err = unix.Setns(fd, ns.flag)
		unix.Close(fd)
		if err != nil {
			return fmt.Errorf("%s: %w", ns.path, err)
		}
	}
	if flags := s.Unshare & (unix.CLONE_NEWNET | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS); flags != 0 {
		return unix.Unshare(int(flags))
	}
	return nil
}

// rank orders changes of one path: the first is carried out, the others are
// dropped. Rights to execute are a matter of their own.
var rank = map[string]int{"inaccessible": 1, "bind": 2, "bind-ro": 2, "private-tmp": 3, "private-dev": 4, "cover": 5, "proc": 6, "mqueue": 6, "ro": 7, "rw": 8, "tmpfs": 9, "leave": 10}

func (m Mount) forExec() bool { return m.Kind == "exec" || m.Kind == "noexec" }

// marks reports whether the change only says how what is there may be used.
func (m Mount) marks() bool {
	return m.Kind == "ro" || m.Kind == "rw" || m.Kind == "leave" || m.forExec()
}

// readOnly reports whether what is mounted there may only be read.
func (m Mount) readOnly() bool {
	return m.Kind == "ro" || m.Kind == "bind-ro" || m.Kind == "inaccessible" || m.Kind == "cover"
}

// plan resolves, orders and thins out the changes: parents come before what
// lies in them, and what lies in an inaccessible place is left out.
func (s *Spec) plan() ([]Mount, error) {
	var list []Mount
	for _, m := range s.Mounts {
		target, err := chase(s.Root, m.Target)
		if err != nil {
			return nil, err
		}
		m.Target = target
		if m.marks() || m.Kind == "inaccessible" {
			if _, err := os.Lstat(target); err != nil {
				if m.Optional && (errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.EACCES)) {
					continue
				}
				return nil, fmt.Errorf("%s %s: %w", m.Kind, m.Target, err)
			}
		}
		list = append(list, m)
	}
	slices.SortStableFunc(list, func(a, b Mount) int {
		if c := strings.Compare(sortKey(a.Target), sortKey(b.Target)); c != 0 {
			return c
		}
		return rank[a.Kind] - rank[b.Kind]
	})
	var out []Mount
	hidden := "\x00"
	taken := map[string]bool{}
	for _, m := range list {
		key := m.Target
		if m.forExec() {
			key += "\x00exec"
		}
		if taken[key] || below(m.Target, hidden) && m.Target != hidden {
			continue
		}
		taken[key] = true
		if m.Kind == "inaccessible" {
			hidden = m.Target
		}
		out = append(out, m)
	}
	return out, nil
}

// chase follows the symbolic links of a path below a root, which none of them
// leaves; what does not exist stays as it is.
func chase(root, path string) (string, error) {
	rest := strings.Split(filepath.Clean("/"+path), "/")
	done := "/"
	for links := 0; len(rest) > 0; {
		name := rest[0]
		rest = rest[1:]
		switch name {
		case "", ".":
			continue
		case "..":
			done = filepath.Dir(done)
			continue
		}
		to, err := os.Readlink(filepath.Join(root, done, name))
		if err != nil {
			done = filepath.Join(done, name)
			continue
		}
		if links++; links > 40 {
			return "", &os.PathError{Op: "readlink", Path: path, Err: unix.ELOOP}
		}
		if filepath.IsAbs(to) {
			done = "/"
		}
		rest = append(strings.Split(to, "/"), rest...)
	}
	return filepath.Join("/", root, done), nil
}

// sortKey makes "/a/b" come before "/a-b".
func sortKey(p string) string { return strings.ReplaceAll(p, "/", "\x00") }

// below reports whether a path is a directory or lies in it.
func below(p, dir string) bool {
	return p == dir || strings.HasPrefix(p, strings.TrimSuffix(dir, "/")+"/")
}

// mounts makes the private mount namespace: first everything that is mounted,
// then what may be written, set user IDs or executed, for each mount by the
// nearest change above it.
func (s *Spec) mounts() error {
	if s.Unshare&unix.CLONE_NEWNS == 0 {
		return nil
	}
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return err
	}
	// To begin with nothing goes back to the machine.
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_SLAVE, ""); err != nil {
		return fmt.Errorf("making / a slave: %w", err)
	}
	table, err := os.Open("/proc/thread-self/mountinfo")
	if err != nil {
		return err
	}
	defer table.Close()
	list, err := s.plan()
	if err != nil {
		return err
	}
	points, err := mountPoints(table)
	if err != nil {
		return err
	}
	taken := list[:0]
	for _, m := range list {
		if err := m.take(); err != nil {
			if m.Optional && (errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR)) {
				continue
			}
			return fmt.Errorf("%s %s: %w", m.Kind, m.Source, err)
		}
		taken = append(taken, m)
	}
	list = taken
	for _, m := range list {
		back := s.hold(m)
		if m.marks() {
			if slices.Contains(points, m.Target) {
				continue
			}
			err = unix.Mount(m.Target, m.Target, "", unix.MS_BIND|unix.MS_REC, "")
			points = append(points, m.Target)
		} else {
			err = m.apply()
		}
		if err != nil {
			if m.Optional && (errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR)) {
				continue
			}
			return fmt.Errorf("%s %s: %w", m.Kind, m.Target, err)
		}
		for path, fd := range back {
			if err := os.MkdirAll(path, 0o755); err != nil {
				return err
			}
			if err := unix.MoveMount(fd, "", unix.AT_FDCWD, path, unix.MOVE_MOUNT_F_EMPTY_PATH); err != nil {
				return fmt.Errorf("%s below %s: %w", path, m.Target, err)
			}
			unix.Close(fd)
		}
	}
	if err := s.restrict(table, list); err != nil {
		return err
	}
	if s.MountFlags != 0 && s.MountFlags != unix.MS_SLAVE {
		if err := unix.Mount("", "/", "", unix.MS_REC|s.MountFlags, ""); err != nil {
			return fmt.Errorf("setting the propagation of /: %w", err)
		}
	}
	return nil
}

// restrict sets the attributes of each mount by the nearest change above it.
func (s *Spec) restrict(table *os.File, list []Mount) error {
	points, err := mountPoints(table)
	if err != nil {
		return err
	}
	root := s.Root
	if root == "" {
		root = "/"
	}
	for _, p := range points {
		if !below(p, root) {
			continue
		}
		var attr unix.MountAttr
		var use, exec *Mount
		for i := range list { // parents first: the last that fits is the nearest
			if m := &list[i]; below(p, m.Target) {
				if m.forExec() {
					exec = m
				} else {
					use = m
				}
			}
		}
		if use != nil && use.readOnly() {
			attr.Attr_set |= unix.MOUNT_ATTR_RDONLY
		}
		if exec != nil && exec.Kind == "noexec" {
			attr.Attr_set |= unix.MOUNT_ATTR_NOEXEC
		} else if exec != nil {
			attr.Attr_clr |= unix.MOUNT_ATTR_NOEXEC
		}
		if s.NoSUID {
			attr.Attr_set |= unix.MOUNT_ATTR_NOSUID
		}
		if attr == (unix.MountAttr{}) {
			continue
		}
		err := unix.MountSetattr(unix.AT_FDCWD, p, unix.AT_SYMLINK_NOFOLLOW, &attr)
		switch {
		case err == nil:
		case errors.Is(err, unix.ENOENT), errors.Is(err, unix.EACCES), errors.Is(err, unix.EINVAL), errors.Is(err, unix.ENOTDIR):
			// covered by another mount: nobody gets there
		default:
			return fmt.Errorf("attributes of %s: %w", p, err)
		}
	}
	return nil
}

// mountPoints reads a table of mounts from its begin.
func mountPoints(table *os.File) ([]string, error) {
	var text []byte
	buf := make([]byte, 64<<10)
	for off := int64(0); ; {
		n, err := table.ReadAt(buf, off)
		text = append(text, buf[:n]...)
		off += int64(n)
		if n == 0 || err != nil {
			break
		}
	}
	if len(text) == 0 {
		return nil, errors.New("the table of mounts cannot be read")
	}
	octal := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)
	var out []string
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) > 4 {
			if p := octal.Replace(f[4]); !slices.Contains(out, p) {
				out = append(out, p)
			}
		}
	}
	return out, nil
}

// hold takes hold of the directories that something new is about to cover.
func (s *Spec) hold(m Mount) map[string]int {
	if m.Kind != "tmpfs" && m.Kind != "private-tmp" || s.Root != "" {
		return nil
	}
	out := map[string]int{}
	for _, k := range s.Keep {
		if !strings.HasPrefix(k, m.Target+"/") {
			continue
		}
		fd, err := unix.OpenTree(unix.AT_FDCWD, k, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_RECURSIVE)
		if err == nil {
			out[k] = fd
		}
	}
	return out
}

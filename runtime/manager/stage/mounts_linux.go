package stage

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

func (s *Spec) network() error {
	flags := s.Unshare & (unix.CLONE_NEWNET | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS)
	if flags == 0 {
		return nil
	}
	if err := unix.Unshare(int(flags)); err != nil {
		return err
	}
	if !s.NetUp {
		return nil
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	req, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	req.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, req)
}

// mounts makes the private mount namespace. Changes are made in the order of
// the list: writable places are listed after the read-only ones around them.
func (s *Spec) mounts() error {
	if s.Unshare&unix.CLONE_NEWNS == 0 {
		return nil
	}
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return err
	}
	flags := s.MountFlags
	if flags == 0 {
		flags = unix.MS_SLAVE
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|flags, ""); err != nil {
		return fmt.Errorf("making / a slave: %w", err)
	}
	for _, m := range s.Mounts {
		back := s.hold(m)
		if err := m.apply(s.Root); err != nil {
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
	return nil
}

// hold takes hold of the directories that a tmpfs is about to cover.
func (s *Spec) hold(m Mount) map[string]int {
	if m.Kind != "tmpfs" || s.Root != "" {
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

func (m Mount) apply(root string) error {
	target := m.Target
	if root != "" {
		target = filepath.Join(root, target)
	}
	switch m.Kind {
	case "ro", "rw", "noexec", "exec":
		return remount(target, m.Kind)
	case "bind", "bind-ro":
		if err := makeTarget(m.Source, target); err != nil {
			return err
		}
		flags := uintptr(unix.MS_BIND)
		if m.Recurse {
			flags |= unix.MS_REC
		}
		if err := unix.Mount(m.Source, target, "", flags, ""); err != nil {
			return err
		}
		if m.Kind == "bind-ro" {
			return setAttr(target, unix.MOUNT_ATTR_RDONLY, 0)
		}
		return nil
	case "tmpfs", "empty":
		opts := m.Options
		if m.Kind == "empty" {
			opts = "mode=0755,size=4k,nr_inodes=64"
		}
		flags, data := splitOptions(opts)
		if _, err := os.Stat(target); err != nil {
			if err := os.MkdirAll(target, 0o755); err != nil {
				return err
			}
		}
		if m.Kind == "empty" {
			flags |= unix.MS_RDONLY
		}
		return unix.Mount("tmpfs", target, "tmpfs", flags|unix.MS_NOSUID|unix.MS_NODEV|unix.MS_STRICTATIME, data)
	case "inaccessible":
		return inaccessible(target)
	case "private-dev":
		return privateDev(target)
	case "proc":
		return unix.Mount("proc", target, "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, m.Options)
	}
	return fmt.Errorf("unknown change of mounts %q", m.Kind)
}

func makeTarget(source, target string) error {
	st, err := os.Stat(source)
	if err != nil {
		return err
	}
	if _, err := os.Stat(target); err == nil {
		return nil
	}
	if st.IsDir() {
		return os.MkdirAll(target, 0o755)
	}
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(target, os.O_CREATE|os.O_RDONLY, 0o644)
	if err != nil {
		return err
	}
	return f.Close()
}

// remount makes a path a mount of its own and changes its attributes, with all
// below it.
func remount(target, kind string) error {
	if err := unix.Mount(target, target, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return err
	}
	switch kind {
	case "ro":
		return setAttr(target, unix.MOUNT_ATTR_RDONLY, 0)
	case "rw":
		return setAttr(target, 0, unix.MOUNT_ATTR_RDONLY)
	case "noexec":
		return setAttr(target, unix.MOUNT_ATTR_NOEXEC, 0)
	default:
		return setAttr(target, 0, unix.MOUNT_ATTR_NOEXEC)
	}
}

func setAttr(target string, set, clear uint64) error {
	return unix.MountSetattr(unix.AT_FDCWD, target, unix.AT_RECURSIVE, &unix.MountAttr{Attr_set: set, Attr_clr: clear})
}

// inaccessible covers a path with something empty that nobody may open.
func inaccessible(target string) error {
	st, err := os.Stat(target)
	if err != nil {
		return err
	}
	if st.IsDir() {
		return unix.Mount("tmpfs", target, "tmpfs", unix.MS_RDONLY|unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "mode=000,size=4k,nr_inodes=16")
	}
	return unix.Mount("/dev/null", target, "", unix.MS_BIND, "")
}

// privateDev gives a /dev with the harmless devices only.
func privateDev(target string) error {
	stage, err := os.MkdirTemp("/tmp", "unitgen-dev-")
	if err != nil {
		return err
	}
	defer os.Remove(stage)
	if err := unix.Mount("tmpfs", stage, "tmpfs", unix.MS_NOSUID|unix.MS_STRICTATIME, "mode=0755,size=64k,nr_inodes=1024"); err != nil {
		return err
	}
	defer func() { _ = unix.Unmount(stage, unix.MNT_DETACH) }()
	for _, d := range []string{"null", "zero", "full", "random", "urandom", "tty"} {
		f, err := os.Create(filepath.Join(stage, d))
		if err != nil {
			return err
		}
		f.Close()
		if err := unix.Mount("/dev/"+d, filepath.Join(stage, d), "", unix.MS_BIND, ""); err != nil && !errors.Is(err, unix.ENOENT) {
			return err
		}
	}
	for _, d := range []string{"pts", "shm", "mqueue", "hugepages"} {
		if _, err := os.Stat("/dev/" + d); err != nil {
			continue
		}
		p := filepath.Join(stage, d)
		if err := os.Mkdir(p, 0o755); err != nil {
			return err
		}
		if err := unix.Mount("/dev/"+d, p, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
			return err
		}
	}
	for name, to := range map[string]string{"ptmx": "pts/ptmx", "fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2"} {
		if err := os.Symlink(to, filepath.Join(stage, name)); err != nil {
			return err
		}
	}
	if st, err := os.Stat("/dev/log"); err == nil && st.Mode()&os.ModeSocket != 0 {
		_ = os.Symlink("/run/systemd/journal/dev-log", filepath.Join(stage, "log"))
	}
	return unix.Mount(stage, target, "", unix.MS_MOVE, "")
}

func splitOptions(s string) (flags uintptr, data string) {
	var rest []string
	for _, o := range strings.Split(s, ",") {
		switch o {
		case "":
		case "ro":
			flags |= unix.MS_RDONLY
		case "rw":
		case "nosuid":
			flags |= unix.MS_NOSUID
		case "nodev":
			flags |= unix.MS_NODEV
		case "noexec":
			flags |= unix.MS_NOEXEC
		default:
			rest = append(rest, o)
		}
	}
	return flags, strings.Join(rest, ",")
}

package stage

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// apply mounts what the change asks for.
func (m Mount) apply() error {
	target := m.Target
	switch m.Kind {
	case "bind", "bind-ro", "private-tmp":
		if err := makeTarget(m.dir, target); err != nil {
			return err
		}
		return unix.MoveMount(m.tree, "", unix.AT_FDCWD, target, unix.MOVE_MOUNT_F_EMPTY_PATH)
	case "tmpfs", "cover":
		opts := m.Options
		if m.Kind == "cover" {
			opts = "nosuid,nodev,noexec,mode=0755,size=4k,nr_inodes=64"
		}
		flags, data := splitOptions(opts)
		if _, err := os.Stat(target); err != nil {
			if err := os.MkdirAll(target, 0o755); err != nil {
				return err
			}
		}
		return unix.Mount("tmpfs", target, "tmpfs", flags|unix.MS_STRICTATIME, data)
	case "inaccessible":
		return inaccessible(target)
	case "private-dev":
		return privateDev(target)
	case "proc":
		if err := makeTarget(true, target); err != nil {
			return err
		}
		err := unix.Mount("proc", target, "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, m.Options)
		if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EINVAL) {
			return nil // not to be had in this container; as systemd does, go on with the one that is there
		}
		return err
	case "mqueue":
		return unix.Mount("mqueue", target, "mqueue", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "")
	}
	return fmt.Errorf("unknown change of mounts %q", m.Kind)
}

// take takes hold of what a bind mount is to show, before anything covers it.
func (m *Mount) take() error {
	if m.Kind != "bind" && m.Kind != "bind-ro" && m.Kind != "private-tmp" {
		return nil
	}
	st, err := os.Stat(m.Source)
	if err != nil {
		return err
	}
	m.dir = st.IsDir()
	flags := uint(unix.OPEN_TREE_CLONE | unix.OPEN_TREE_CLOEXEC)
	if m.Recurse {
		flags |= unix.AT_RECURSIVE
	}
	m.tree, err = unix.OpenTree(unix.AT_FDCWD, m.Source, flags)
	return err
}

// makeTarget makes a place for a bind mount where there is none.
func makeTarget(dir bool, target string) error {
	if _, err := os.Stat(target); err == nil {
		return nil
	}
	if dir {
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

// inaccessible covers a path with something empty that nobody may open, root
// neither: devices cannot be opened where the mount forbids them.
func inaccessible(target string) error {
	st, err := os.Stat(target)
	if err != nil {
		return err
	}
	const sealed = unix.MS_RDONLY | unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC
	if st.IsDir() {
		return unix.Mount("tmpfs", target, "tmpfs", sealed, "mode=000,size=4k,nr_inodes=16")
	}
	if err := unix.Mount("/dev/null", target, "", unix.MS_BIND, ""); err != nil {
		return err
	}
	return unix.MountSetattr(unix.AT_FDCWD, target, 0, &unix.MountAttr{
		Attr_set: unix.MOUNT_ATTR_RDONLY | unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV | unix.MOUNT_ATTR_NOEXEC})
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
	// its own nodes are bind mounts and stay devices; nothing is made beside them
	if err := unix.MountSetattr(unix.AT_FDCWD, stage, 0, &unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY | unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NOEXEC}); err != nil {
		return err
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

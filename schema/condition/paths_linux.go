package condition

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/unitgen/unitgen/schema/value"
)

func (s *System) pathExists(p string) (bool, error) {
	_, err := os.Stat(s.path(p))
	return err == nil, nil
}

func (s *System) pathExistsGlob(p string) (bool, error) {
	m, err := filepath.Glob(strings.ReplaceAll(s.path(p), "[!", "[^"))
	return err == nil && len(m) > 0, nil
}

func (s *System) pathIsDirectory(p string) (bool, error) {
	fi, err := os.Stat(s.path(p))
	return err == nil && fi.IsDir(), nil
}

func (s *System) pathIsSymbolicLink(p string) (bool, error) {
	fi, err := os.Lstat(s.path(p))
	return err == nil && fi.Mode()&os.ModeSymlink != 0, nil
}

// pathIsMountPoint compares the mount IDs of the path and of its parent.
func (s *System) pathIsMountPoint(p string) (bool, error) {
	real, err := filepath.EvalSymlinks(s.path(p))
	if err != nil {
		return false, nil
	}
	if real == "/" {
		return true, nil
	}
	var a, b unix.Statx_t
	if unix.Statx(unix.AT_FDCWD, real, unix.AT_SYMLINK_NOFOLLOW|unix.AT_NO_AUTOMOUNT, unix.STATX_MNT_ID, &a) != nil ||
		unix.Statx(unix.AT_FDCWD, filepath.Dir(real), unix.AT_NO_AUTOMOUNT, unix.STATX_MNT_ID, &b) != nil {
		return false, nil
	}
	return a.Mnt_id != b.Mnt_id || a.Dev_major != b.Dev_major || a.Dev_minor != b.Dev_minor, nil
}

func (s *System) pathIsReadWrite(p string) (bool, error) {
	var st unix.Statfs_t
	if unix.Statfs(s.path(p), &st) != nil {
		return false, nil
	}
	return st.Flags&unix.ST_RDONLY == 0, nil
}

// pathIsEncrypted looks at the block device below the path: device-mapper names
// LUKS and plain dm-crypt devices in their UUID.
func (s *System) pathIsEncrypted(p string) (bool, error) {
	var st unix.Stat_t
	if unix.Stat(s.path(p), &st) != nil {
		return false, nil
	}
	dev := st.Dev
	if st.Mode&unix.S_IFMT == unix.S_IFBLK {
		dev = st.Rdev
	}
	dir := "/sys/dev/block/" + strconv.Itoa(int(unix.Major(dev))) + ":" + strconv.Itoa(int(unix.Minor(dev)))
	return encryptedDevice(dir, 8), nil
}

func encryptedDevice(dir string, depth int) bool {
	if strings.HasPrefix(firstWord(dir+"/dm/uuid"), "CRYPT-") {
		return true
	}
	slaves, _ := os.ReadDir(dir + "/slaves")
	if depth == 0 || len(slaves) == 0 {
		return false
	}
	for _, sl := range slaves {
		if !encryptedDevice(dir+"/slaves/"+sl.Name(), depth-1) {
			return false
		}
	}
	return true
}

func (s *System) directoryNotEmpty(p string) (bool, error) {
	d, err := os.Open(s.path(p))
	if err != nil {
		return false, nil
	}
	defer d.Close()
	names, _ := d.Readdirnames(1)
	return len(names) > 0, nil
}

func (s *System) fileNotEmpty(p string) (bool, error) {
	fi, err := os.Stat(s.path(p))
	return err == nil && fi.Mode().IsRegular() && fi.Size() > 0, nil
}

func (s *System) fileIsExecutable(p string) (bool, error) {
	fi, err := os.Stat(s.path(p))
	return err == nil && fi.Mode().IsRegular() && fi.Mode()&0o111 != 0, nil
}

// needsUpdate compares /usr's time with the stamp file in /etc or /var.
func (s *System) needsUpdate(p string) (bool, error) {
	if v, ok := commandLineValue("systemd.condition-needs-update"); ok {
		if v == "" {
			return true, nil
		}
		if b, err := value.ParseBool(v); err == nil {
			return b, nil
		}
	}
	var st unix.Statfs_t
	if unix.Statfs(s.path(p), &st) == nil && st.Flags&unix.ST_RDONLY != 0 {
		return false, nil
	}
	usr, err := os.Lstat(s.path("/usr"))
	if err != nil {
		return true, nil
	}
	stamp := filepath.Join(s.path(p), ".updated")
	fi, err := os.Lstat(stamp)
	if err != nil {
		return true, nil
	}
	a, b := usr.ModTime(), fi.ModTime()
	if a.Unix() != b.Unix() {
		return a.After(b), nil
	}
	if b.Nanosecond() > 0 {
		return a.After(b), nil
	}
	// A stamp without parts of a second: the file says the exact time.
	for _, l := range strings.Split(firstWord(stamp), "\n") {
		if v, ok := strings.CutPrefix(l, "TIMESTAMP_NSEC="); ok {
			n, err := strconv.ParseInt(v, 10, 64)
			return err != nil || a.UnixNano() > n, nil
		}
	}
	return a.After(b), nil
}

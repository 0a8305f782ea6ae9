package activation

import (
	"math"
	"os"

	"golang.org/x/sys/unix"
)

// room gives how many bytes, and how many more files, the file system of a
// directory has room for; false where it cannot tell.
func room(dir string) (bytes, names uint64, ok bool) {
	var st unix.Statfs_t
	if unix.Statfs(dir, &st) != nil || st.Blocks == 0 {
		return 0, 0, false
	}
	names = uint64(st.Ffree)
	if st.Files == 0 {
		names = math.MaxUint64 // made as they are needed
	}
	blocks := uint64(st.Bavail)
	if os.Geteuid() == 0 {
		blocks = uint64(st.Bfree) // the reserve is root's
	}
	return blocks * uint64(st.Bsize), names, true
}

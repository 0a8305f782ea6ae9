package generation

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// Holder tells who holds the lock of the state directory right now, without
// taking it: a word that a process left and a lock that the kernel knows of
// (/proc/locks, proc_locks(5)). False where nobody does, or where it cannot be
// known.
func (s *State) Holder() (Holder, bool) {
	var h Holder
	p := s.Path("lock")
	b, err := os.ReadFile(p)
	if err != nil || json.Unmarshal(b, &h) != nil {
		return Holder{}, false
	}
	var st unix.Stat_t
	if unix.Stat(p, &st) != nil {
		return Holder{}, false
	}
	locks, err := os.Open("/proc/locks")
	if err != nil {
		return Holder{}, false
	}
	defer locks.Close()
	// The device is the file system's own, which stat does not always give: the
	// process and the inode are telling enough.
	inode := fmt.Sprintf(":%d", st.Ino)
	for sc := bufio.NewScanner(locks); sc.Scan(); {
		f := strings.Fields(sc.Text())
		if len(f) >= 6 && f[1] == "FLOCK" && f[4] == fmt.Sprint(h.PID) && strings.HasSuffix(f[5], inode) {
			return h, true
		}
	}
	return Holder{}, false
}

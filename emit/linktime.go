//go:build unix

package emit

import "golang.org/x/sys/unix"

// linkTime sets the time of a link itself.
func linkTime(p string) error {
	tv := []unix.Timeval{unix.NsecToTimeval(Epoch.UnixNano()), unix.NsecToTimeval(Epoch.UnixNano())}
	return unix.Lutimes(p, tv)
}

package stage

import (
	"errors"
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The steps here change this thread alone; exec then makes it the process.

func (s *Spec) group() error {
	if !s.SetUser && !s.SetGroups {
		return nil
	}
	var list unsafe.Pointer
	if len(s.Groups) > 0 {
		list = unsafe.Pointer(&s.Groups[0])
	}
	if _, _, e := unix.RawSyscall(unix.SYS_SETGROUPS, uintptr(len(s.Groups)), uintptr(list), 0); e != 0 {
		return fmt.Errorf("setgroups: %w", e)
	}
	if !s.SetUser {
		return nil
	}
	if _, _, e := unix.RawSyscall(unix.SYS_SETRESGID, uintptr(s.GID), uintptr(s.GID), uintptr(s.GID)); e != 0 {
		return fmt.Errorf("setresgid %d: %w", s.GID, e)
	}
	return nil
}

func (s *Spec) user() error {
	if !s.SetUser {
		return nil
	}
	if s.CapAmbient != 0 && s.UID != 0 {
		if err := unix.Prctl(unix.PR_SET_KEEPCAPS, 1, 0, 0, 0); err != nil {
			return err
		}
	}
	if _, _, e := unix.RawSyscall(unix.SYS_SETRESUID, uintptr(s.UID), uintptr(s.UID), uintptr(s.UID)); e != 0 {
		return fmt.Errorf("setresuid %d: %w", s.UID, e)
	}
	return nil
}

// lastCap is the highest capability the kernel knows.
func lastCap() int {
	b, err := os.ReadFile("/proc/sys/kernel/cap_last_cap")
	if err == nil {
		if n, err := parseUint(string(b)); err == nil && n < 64 {
			return int(n)
		}
	}
	return 40
}

func (s *Spec) bounding() error {
	if s.CapBounding != nil {
		for c := range lastCap() + 1 {
			if *s.CapBounding>>c&1 != 0 {
				continue
			}
			if err := unix.Prctl(unix.PR_CAPBSET_DROP, uintptr(c), 0, 0, 0); err != nil && !errors.Is(err, unix.EINVAL) {
				return fmt.Errorf("dropping capability %d: %w", c, err)
			}
		}
	}
	if s.SecureBits != nil {
		return unix.Prctl(unix.PR_SET_SECUREBITS, uintptr(*s.SecureBits), 0, 0, 0)
	}
	return nil
}

// ambient leaves the thread with exactly the ambient capabilities, or with
// none where the user changed; root without a change keeps what the bounding
// set leaves.
func (s *Spec) ambient() error {
	if s.CapAmbient == 0 {
		return nil
	}
	hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&hdr, &data[0]); err != nil {
		return err
	}
	for i := range data {
		want := uint32(s.CapAmbient >> (32 * i))
		data[i].Inheritable |= want
		data[i].Permitted |= want
		if s.SetUser && s.UID != 0 {
			data[i].Permitted &= want
			data[i].Inheritable &= want
		}
		data[i].Effective = data[i].Permitted
	}
	if err := unix.Capset(&hdr, &data[0]); err != nil {
		return err
	}
	for c := range lastCap() + 1 {
		if s.CapAmbient>>c&1 == 0 {
			continue
		}
		if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_RAISE, uintptr(c), 0, 0); err != nil {
			return fmt.Errorf("ambient capability %d: %w", c, err)
		}
	}
	return nil
}

func (s *Spec) noNewPrivs() error {
	if !s.NoNewPrivs && (len(s.Filters) == 0 || os.Geteuid() == 0) {
		return nil // root installs filters without it
	}
	return unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
}

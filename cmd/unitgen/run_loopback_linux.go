package main

import "golang.org/x/sys/unix"

// loopbackUp brings up the loopback interface, as the init of a machine has
// to: in a network namespace of its own nobody else does. Where it may not, or
// where there is none, things stay as they are.
func loopbackUp() {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return
	}
	defer unix.Close(fd)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return
	}
	if err := unix.IoctlIfreq(fd, unix.SIOCGIFFLAGS, lo); err != nil {
		return
	}
	if flags := lo.Uint16(); flags&unix.IFF_UP == 0 {
		lo.SetUint16(flags | unix.IFF_UP)
		_ = unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo)
	}
}

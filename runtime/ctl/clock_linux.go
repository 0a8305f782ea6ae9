package ctl

import "golang.org/x/sys/unix"

// monotonic gives CLOCK_MONOTONIC in microseconds.
func monotonic() uint64 {
	var ts unix.Timespec
	if unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts) != nil {
		return 0
	}
	return uint64(ts.Sec)*1e6 + uint64(ts.Nsec)/1000
}

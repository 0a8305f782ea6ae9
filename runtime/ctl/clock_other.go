//go:build !linux

package ctl

// monotonic is only known where managers run.
func monotonic() uint64 { return 0 }

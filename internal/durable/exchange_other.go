//go:build !linux

package durable

import "errors"

// Exchange swaps two paths of one file system in one step, where the system
// can.
func Exchange(_, _ string) error { return errors.ErrUnsupported }

package main

import (
	"math"
	"os"
	"runtime/debug"
)

// tuneMemory trades memory for time while a configuration is compiled: the
// collector runs seldom while the heap is small, and as usual near the limit.
// GOGC and GOMEMLIMIT of the environment win. It gives the function that puts
// things back, for processes that live on.
func tuneMemory() func() {
	percent, limit := 100, int64(math.MaxInt64)
	if os.Getenv("GOGC") == "" {
		percent = debug.SetGCPercent(400)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		limit = debug.SetMemoryLimit(520 << 20)
	}
	return func() {
		if os.Getenv("GOGC") == "" {
			debug.SetGCPercent(percent)
		}
		if os.Getenv("GOMEMLIMIT") == "" {
			debug.SetMemoryLimit(limit)
		}
	}
}

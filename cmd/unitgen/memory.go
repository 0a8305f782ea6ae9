package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync/atomic"
)

// heapGoal is the memory that a compilation may take before the collector
// works harder.
const heapGoal = 400 << 20

// heapLeast is the least heap at which the collector of Go runs with a
// percentage of 100, in bytes; it grows with the percentage.
const heapLeast = 4 << 20

// tuneMemory trades memory for time while a configuration is compiled: the
// collector does not run before the heap has reached the goal, and then when it
// is three times what lived, or twice where that is much. (A memory limit would
// do the same, but has the runtime give memory back and fetch it again while it
// is near.) GOGC and GOMEMLIMIT of the environment win. It gives the function
// that puts things back, for processes that live on.
func tuneMemory() func() {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return func() {}
	}
	percent := debug.SetGCPercent(heapGoal / heapLeast * 100)
	var over atomic.Bool
	afterEachGC(func() bool {
		if over.Load() {
			return false
		}
		s := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		metrics.Read(s)
		live := max(s[0].Value.Uint64(), heapLeast)
		growth := max(live, min(2*live, 2*heapGoal), heapGoal-min(live, heapGoal))
		debug.SetGCPercent(int(growth * 100 / live))
		return true
	})
	return func() {
		over.Store(true)
		debug.SetGCPercent(percent)
	}
}

// afterEachGC calls f after every collection until it gives false.
func afterEachGC(f func() bool) {
	type mark struct{ _ [16]byte }
	var arm func(*mark)
	arm = func(*mark) {
		if f() {
			runtime.SetFinalizer(&mark{}, arm)
		}
	}
	runtime.SetFinalizer(&mark{}, arm)
}

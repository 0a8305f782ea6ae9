package main

import (
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync/atomic"
)

// heapGoal is the memory that a compilation may take before the collector
// works harder.
const heapGoal = 400 << 20

// heapLarge is the memory up to which one collection has to do for a
// configuration that needs more than the goal: what lives when it comes is
// little more than half of what there will be.
const heapLarge = 1 << 30

// tuneMemory trades memory for time while a configuration is compiled: the
// collector does not run before the heap is near the goal. A configuration that
// needs more than the goal gets more. GOGC and GOMEMLIMIT of the environment
// win. It gives the function that puts things back, for processes that live on.
func tuneMemory() func() {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return func() {}
	}
	percent, limit := debug.SetGCPercent(-1), debug.SetMemoryLimit(heapGoal)
	var over atomic.Bool
	afterEachGC(func() bool {
		if over.Load() {
			return false
		}
		s := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		metrics.Read(s)
		live := s[0].Value.Uint64()
		if live < math.MaxInt64/8 {
			debug.SetMemoryLimit(int64(max(live*2, min(live*5/2, heapLarge), heapGoal)))
		}
		return true
	})
	return func() {
		over.Store(true)
		debug.SetGCPercent(percent)
		debug.SetMemoryLimit(limit)
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

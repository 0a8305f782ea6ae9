package compile

import (
	"runtime/metrics"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/unitgen/unitgen/compile/internal/syntax"
	"github.com/unitgen/unitgen/schema/diag"
)

// Bounds of one expression. hcl has none of its own: a few nested for
// expressions would run for years.
const (
	maxTime = 6 * time.Second
	maxHeap = 1 << 30 // growth of the heap, in bytes
)

// watch waits for the end of the compilation; it gives up on an expression
// that takes too much time or memory.
func (c *compilation) watch(done <-chan struct{}) *diag.Diagnostic {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	type stand struct {
		at    *hcl.Range
		since time.Time
		heap  uint64
	}
	var stands []stand
	for {
		select {
		case <-done:
			return nil
		case <-tick.C:
		}
		ev := c.eval.Load()
		if ev == nil {
			continue
		}
		for i, r := range ev.Readings() {
			if i == len(stands) {
				stands = append(stands, stand{})
			}
			s, at := &stands[i], r.Load()
			if at == nil || at != s.at {
				*s = stand{at, time.Now(), heapBytes()}
				continue
			}
			took, grew := time.Since(s.since), heapBytes()
			if took > maxTime || grew > s.heap+maxHeap {
				return diag.Errorf("E0110", "Evaluation takes too much time or memory", syntax.Range(*at),
					"This expression was given up after %s and %d MiB. Make less of it, or read the data from a file.", took.Round(time.Millisecond), (grew-min(s.heap, grew))>>20)
			}
		}
	}
}

func heapBytes() uint64 {
	s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}

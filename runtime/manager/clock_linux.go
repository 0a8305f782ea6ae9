package manager

import (
	"container/heap"
	"time"

	"golang.org/x/sys/unix"

	us "github.com/unitgen/unitgen/runtime/unitstate"
)

type clock interface{ Now() us.Stamp }

type realClock struct{}

func (realClock) Now() us.Stamp {
	var mono unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &mono)
	return us.Stamp{Realtime: uint64(time.Now().UnixMicro()), Monotonic: uint64(mono.Nano() / 1000)}
}

// alarm is one entry of the timer queue, in microseconds of CLOCK_MONOTONIC.
type alarm struct {
	at    uint64
	seq   uint64
	f     func()
	index int
}

type timerHeap []*alarm

func (h timerHeap) Len() int { return len(h) }
func (h timerHeap) Less(i, j int) bool {
	return h[i].at < h[j].at || h[i].at == h[j].at && h[i].seq < h[j].seq
}
func (h timerHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i]; h[i].index, h[j].index = i, j }
func (h *timerHeap) Push(x any)   { a := x.(*alarm); a.index = len(*h); *h = append(*h, a) }
func (h *timerHeap) Pop() any {
	old := *h
	a := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	a.index = -1
	return a
}

func (h timerHeap) wait(c clock) (time.Duration, bool) {
	if len(h) == 0 {
		return 0, false
	}
	now := c.Now().Monotonic
	if h[0].at <= now {
		return 0, true
	}
	d := h[0].at - now
	if d > uint64(time.Hour/time.Microsecond) {
		d = uint64(time.Hour / time.Microsecond)
	}
	return time.Duration(d) * time.Microsecond, true
}

// after calls f in the loop once d has passed.
func (m *Manager) after(d time.Duration, f func()) *alarm {
	if d < 0 {
		d = 0
	}
	at := m.now().Monotonic + uint64(d/time.Microsecond)
	return m.at(at, f)
}

// at calls f in the loop at an instant of the monotonic clock.
func (m *Manager) at(usec uint64, f func()) *alarm {
	m.timerSeq++
	a := &alarm{at: usec, seq: m.timerSeq, f: f}
	heap.Push(&m.timers, a)
	return a
}

// cancel stops an alarm; nil and spent ones are allowed.
func (m *Manager) cancel(a *alarm) {
	if a != nil && a.index >= 0 && a.index < len(m.timers) && m.timers[a.index] == a {
		heap.Remove(&m.timers, a.index)
	}
}

func (m *Manager) runTimers() {
	now := m.now().Monotonic
	for len(m.timers) > 0 && m.timers[0].at <= now {
		a := heap.Pop(&m.timers).(*alarm)
		a.f()
		m.settle()
	}
}

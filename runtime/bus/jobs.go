package bus

import (
	"context"
	"sync"
	"time"

	"github.com/godbus/dbus/v5"
)

// tracker remembers the jobs that this client enqueued until WaitJobs has
// their results. JobRemoved may come before the reply that names the job, so
// every JobRemoved counts while an enqueuing call is under way.
type tracker struct {
	mu       sync.Mutex
	inflight int                        // enqueuing calls under way
	early    map[dbus.ObjectPath]string // results seen while one was
	known    map[dbus.ObjectPath]*tracked
	change   chan struct{} // closed and replaced whenever something changes
	lost     int           // connections that ended
}

// tracked is one job of ours.
type tracked struct {
	result string
	ended  bool
	lost   int // connections that had ended when it was made or last seen queued
}

func (t *tracker) init() {
	t.early = map[dbus.ObjectPath]string{}
	t.known = map[dbus.ObjectPath]*tracked{}
	t.change = make(chan struct{})
}

func (t *tracker) wake() {
	close(t.change)
	t.change = make(chan struct{})
}

func (t *tracker) begin() {
	t.mu.Lock()
	t.inflight++
	t.mu.Unlock()
}

// end closes an enqueuing call; paths are the jobs that it made.
func (t *tracker) end(paths ...dbus.ObjectPath) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, p := range paths {
		if _, ok := t.known[p]; ok {
			continue // merged into a job that is already waited for
		}
		j := &tracked{lost: t.lost}
		if r, ok := t.early[p]; ok {
			j.result, j.ended = r, true
		}
		t.known[p] = j
	}
	t.inflight--
	if t.inflight == 0 {
		clear(t.early)
	}
}

func (t *tracker) removed(p dbus.ObjectPath, result string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if j := t.known[p]; j != nil && !j.ended {
		j.result, j.ended = result, true
		t.wake()
	}
	if t.inflight > 0 {
		t.early[p] = result
	}
}

func (t *tracker) disconnect() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lost++
	t.wake()
}

// state gives the results known so far ("" for none), whether any is open, the
// jobs whose signals may have been missed, and a channel that closes at the
// next change.
func (t *tracker) state(jobs []Job) (results []string, open bool, unsure []Job, change chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	results = make([]string, len(jobs))
	for i, j := range jobs {
		k := t.known[j.Path]
		switch {
		case k == nil:
			results[i] = "disconnected"
		case k.ended:
			results[i] = k.result
		default:
			open = true
			if k.lost != t.lost {
				unsure = append(unsure, j)
			}
		}
	}
	return results, open, unsure, t.change
}

func (t *tracker) forget(jobs []Job) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, j := range jobs {
		delete(t.known, j.Path)
	}
}

func (c *conn) WaitJobs(ctx context.Context, jobs ...Job) ([]JobResult, error) {
	out := make([]JobResult, len(jobs))
	for {
		rs, open, unsure, change := c.jobs.state(jobs)
		for i, j := range jobs {
			out[i] = JobResult{Job: j, Result: rs[i]}
		}
		if !open {
			c.jobs.forget(jobs)
			return out, nil
		}
		if len(unsure) > 0 {
			if err := c.settle(ctx, unsure); err != nil {
				return out, err
			}
			continue
		}
		select {
		case <-change:
		case <-ctx.Done():
			return out, ctx.Err()
		}
	}
}

// settle asks the manager, on a new connection, which of the jobs it still
// has. Those that it has not ended while nobody listened: "disconnected". The
// signal of one that ends in this very moment may come a little later than the
// answer, and is waited for.
func (c *conn) settle(ctx context.Context, jobs []Job) error {
	if err := c.subscribe(ctx, jobEnds); err != nil {
		return err
	}
	c.jobs.mu.Lock()
	lost := c.jobs.lost
	c.jobs.mu.Unlock()
	queued, err := c.ListJobs(ctx)
	if err != nil {
		return err
	}
	still := map[dbus.ObjectPath]bool{}
	for _, q := range queued {
		still[q.Path] = true
	}
	grace := time.After(500 * time.Millisecond)
	for waiting := true; waiting; {
		c.jobs.mu.Lock()
		gone, change := 0, c.jobs.change
		for _, j := range jobs {
			k := c.jobs.known[j.Path]
			switch {
			case k == nil || k.ended:
			case still[j.Path]:
				k.lost = lost
			default:
				gone++
			}
		}
		c.jobs.mu.Unlock()
		if gone == 0 {
			return nil
		}
		select {
		case <-change:
		case <-grace:
			waiting = false
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	c.jobs.mu.Lock()
	defer c.jobs.mu.Unlock()
	for _, j := range jobs {
		if k := c.jobs.known[j.Path]; k != nil && !k.ended && !still[j.Path] {
			k.result, k.ended = "disconnected", true
		}
	}
	return nil
}

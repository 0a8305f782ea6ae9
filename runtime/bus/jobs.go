package bus

import (
	"context"
	"sync"

	"github.com/godbus/dbus/v5"
)

// tracker remembers the jobs that this client enqueued until WaitJobs has
// their results. JobRemoved may come before the reply that names the job, so
// every JobRemoved counts while an enqueuing call is under way.
type tracker struct {
	mu       sync.Mutex
	inflight int                        // enqueuing calls under way
	early    map[dbus.ObjectPath]string // results seen while one was
	known    map[dbus.ObjectPath]*string
	change   chan struct{} // closed and replaced whenever something changes
	lost     int           // connections that ended
}

func (t *tracker) init() {
	t.early = map[dbus.ObjectPath]string{}
	t.known = map[dbus.ObjectPath]*string{}
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
		t.known[p] = nil
		if r, ok := t.early[p]; ok {
			t.known[p] = &r
		}
	}
	t.inflight--
	if t.inflight == 0 {
		clear(t.early)
	}
}

func (t *tracker) removed(p dbus.ObjectPath, result string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if r, ok := t.known[p]; ok && r == nil {
		t.known[p] = &result
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

// state gives the results known so far ("" for none), a channel that closes
// at the next change, and how many connections were lost.
func (t *tracker) state(jobs []Job) (results []string, open bool, change chan struct{}, lost int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	results = make([]string, len(jobs))
	for i, j := range jobs {
		if r, ok := t.known[j.Path]; !ok {
			results[i] = "disconnected"
		} else if r != nil {
			results[i] = *r
		} else {
			open = true
		}
	}
	return results, open, t.change, t.lost
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
	fill := func(rs []string) {
		for i, j := range jobs {
			out[i] = JobResult{Job: j, Result: rs[i]}
		}
	}
	_, _, _, seen := c.jobs.state(nil)
	check := true // ask once at the start: the connection may have been lost before
	for {
		rs, open, change, lost := c.jobs.state(jobs)
		fill(rs)
		if !open {
			c.jobs.forget(jobs)
			return out, nil
		}
		if lost != seen || check {
			check, seen = false, lost
			if err := c.settle(ctx, jobs); err != nil {
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

// settle asks the manager which jobs it still has, after signals may have been
// missed, and marks those it has not as "disconnected" unless their result
// came meanwhile.
func (c *conn) settle(ctx context.Context, jobs []Job) error {
	if err := c.subscribe(ctx); err != nil {
		return err
	}
	queued, err := c.ListJobs(ctx)
	if err != nil {
		return err
	}
	still := map[dbus.ObjectPath]bool{}
	for _, q := range queued {
		still[q.Path] = true
	}
	c.jobs.mu.Lock()
	defer c.jobs.mu.Unlock()
	for _, j := range jobs {
		if r, ok := c.jobs.known[j.Path]; ok && r == nil && !still[j.Path] {
			gone := "disconnected"
			c.jobs.known[j.Path] = &gone
		}
	}
	return nil
}

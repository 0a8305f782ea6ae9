package main

import (
	"fmt"
	"io"
	"os"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/unitgen/unitgen/runtime/bus"
	"github.com/unitgen/unitgen/runtime/manager"
	"github.com/unitgen/unitgen/runtime/unitstate"
)

// runTalk is what the manager says while it runs: on a terminal a line for each
// unit as it comes up, and how to reach and leave it; elsewhere the essential
// lines only. Results go to out, what went wrong to err.
type runTalk struct {
	mu       sync.Mutex
	out, err io.Writer
	live     bool
	color    bool
	up       bool
	leaving  bool
	asked    int
	pid      int
	over     chan struct{} // closed when the last event was told; nil before begin
}

func newRunTalk(out, err io.Writer) *runTalk {
	return &runTalk{out: out, err: err, live: isTerminal(out), color: useColor(out)}
}

func (t *runTalk) terminal() bool { return t.live }

// note says something about the manager itself.
func (t *runTalk) note(text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	fmt.Fprintln(t.err, "unitgen:", text)
}

// notice says something about a unit.
func (t *runTalk) notice(unit, text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if unit == "" {
		fmt.Fprintln(t.err, "unitgen:", text)
		return
	}
	if strings.HasPrefix(text, unit) {
		fmt.Fprintln(t.err, text)
		return
	}
	fmt.Fprintf(t.err, "%s: %s\n", unit, text)
}

func (t *runTalk) paint(code, s string) string {
	if !t.color {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

// begin says where the manager is, and follows the units.
func (t *runTalk) begin(m *manager.Manager, f runFlags, r bus.Record) {
	t.mu.Lock()
	over := make(chan struct{})
	t.pid, t.over = r.PID, over
	if f.Booted != "" {
		fmt.Fprintf(t.out, "Booting %s, manager process %d\n", f.Booted, r.PID)
	}
	fmt.Fprintf(t.out, "D-Bus: %s\n", r.Socket)
	t.mu.Unlock()
	// One at a time, so that no line is printed after what came later.
	var order sync.Mutex
	last := map[string]unitstate.ActiveState{}
	show := func(name string) {
		st, err := m.Unit(name)
		if err != nil || st.Load != unitstate.LoadLoaded {
			return
		}
		was := last[name]
		last[name] = st.Active
		if was != st.Active {
			t.unit(st, was)
		}
	}
	// catchUp prints the lines of units whose change was not heard of yet.
	catchUp := func() {
		if t.live {
			for _, u := range m.Units() {
				show(u.Name)
			}
		}
	}
	m.Subscribe(func(e unitstate.Event) {
		order.Lock()
		defer order.Unlock()
		switch e.Kind {
		case unitstate.UnitChanged:
			if t.live {
				show(e.Unit)
			}
		case unitstate.StartupDone:
			catchUp()
			t.started(m, f)
		case unitstate.ManagerEnded:
			close(over)
		}
	})
	go t.waiting(m, over)
	order.Lock()
	defer order.Unlock()
	catchUp()
	if m.Info().State != unitstate.SystemStarting {
		t.started(m, f)
	}
}

// waiting says every few seconds what the start or the stop still waits for.
func (t *runTalk) waiting(m *manager.Manager, over <-chan struct{}) {
	const pause = 5 * time.Second
	tick := time.NewTicker(pause)
	defer tick.Stop()
	began, leaving := time.Now(), false
	for {
		select {
		case <-over:
			return
		case <-tick.C:
		}
		t.mu.Lock()
		up, now := t.up, t.leaving
		t.mu.Unlock()
		if now != leaving {
			leaving, began = now, time.Now().Add(-pause)
		}
		if up && !leaving {
			continue
		}
		var what []string
		for _, j := range m.Jobs() {
			if j.State == unitstate.JobRunning {
				what = append(what, fmt.Sprintf("%s of %s", j.Type, j.Unit))
			}
		}
		if len(what) == 0 {
			continue
		}
		more := ""
		if n := len(what); n > 3 {
			what, more = what[:3], fmt.Sprintf(" and %d more", n-3)
		}
		t.mu.Lock()
		fmt.Fprintf(t.out, "Waiting for the %s%s (%s)\n", clean(strings.Join(what, ", the ")), more, time.Since(began).Round(time.Second))
		t.mu.Unlock()
	}
}

// unit is the live line of one unit.
func (t *runTalk) unit(st *unitstate.Status, was unitstate.ActiveState) {
	t.mu.Lock()
	defer t.mu.Unlock()
	word, color := "", ""
	switch {
	case st.Active == unitstate.Failed:
		word, color = "FAILED", "31;1"
	case st.Active == unitstate.Active && was != unitstate.Reloading:
		word, color = "  OK  ", "32;1"
	case st.Active == unitstate.Inactive && was == unitstate.Activating && st.Type == "service":
		word, color = " DONE ", "32;1"
	case st.Active == unitstate.Inactive && was == unitstate.Deactivating:
		word, color = " DOWN ", "33;1"
	default:
		return
	}
	text := st.Name
	if st.Description != "" && st.Description != st.Name {
		text += " - " + st.Description
	}
	if st.Service != nil && st.Service.MainPID > 0 && st.Active == unitstate.Active {
		text += fmt.Sprintf(" (process %d)", st.Service.MainPID)
	}
	fmt.Fprintf(t.out, "[%s] %s\n", t.paint(color, word), clean(text))
}

// clean keeps a unit's words from steering the terminal.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return '?'
		}
		return r
	}, s)
}

// started is said once everything came to rest.
func (t *runTalk) started(m *manager.Manager, f runFlags) {
	active, failed := 0, []string{}
	for _, u := range m.Units() {
		switch u.Active {
		case unitstate.Active, unitstate.Reloading:
			active++
		case unitstate.Failed:
			failed = append(failed, u.Name)
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.up || t.leaving {
		return
	}
	t.up = true
	sort.Strings(failed)
	line := fmt.Sprintf("Up: %d units active, %d failed", active, len(failed))
	if len(failed) > 0 {
		line += ": " + strings.Join(failed, " ")
	}
	fmt.Fprintln(t.out, line)
	t.summary(m, f)
}

func (t *runTalk) stopping(s os.Signal) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.leaving = true
	t.asked++
	switch t.asked {
	case 1:
		fmt.Fprintf(t.out, "Stopping all units (%v); once more to kill what is left\n", s)
	default:
		fmt.Fprintln(t.out, "Killing what is left")
	}
}

func (t *runTalk) end(kind unitstate.ShutdownKind, failed []string) {
	t.mu.Lock()
	over := t.over
	t.mu.Unlock()
	if over != nil {
		<-over // the last words are these
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(failed) > 0 {
		fmt.Fprintf(t.out, "Stopped (%s); failed units: %s\n", kind, strings.Join(failed, " "))
		return
	}
	fmt.Fprintf(t.out, "Stopped (%s)\n", kind)
}

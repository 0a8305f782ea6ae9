package manager

import (
	"errors"
	"hash/fnv"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	us "github.com/unitgen/unitgen/runtime/unitstate"
	"github.com/unitgen/unitgen/schema/load"
	"github.com/unitgen/unitgen/schema/unitname"
	"github.com/unitgen/unitgen/schema/value"
)

// timerUnit is the state machine of systemd.timer(5).
type timerUnit struct {
	u        *unit
	state    us.SubState
	result   string
	mono     []monoSpec
	calendar []*value.Calendar
	last     us.Stamp
	stampAt  time.Time // what the stamp file says
	next     us.Stamp
	alarm    *alarm
	nextMono []uint64
	nextCal  []uint64
	base     uint64 // since when OnActiveSec= counts
}

type monoSpec struct {
	base string
	d    time.Duration
}

var monoBases = []string{"OnActiveSec", "OnBootSec", "OnStartupSec", "OnUnitActiveSec", "OnUnitInactiveSec"}

func newTimer(u *unit) *timerUnit { return &timerUnit{u: u, state: "dead", result: "success"} }

func (t *timerUnit) configure() {
	t.mono, t.calendar = nil, nil
	for _, a := range t.u.file.Assigned {
		switch {
		case contains(monoBases, a.Key):
			if a.Value == "" {
				t.mono, t.calendar = nil, nil
				continue
			}
			if n, err := value.ParseTimeSpan(a.Value); err == nil {
				t.mono = append(t.mono, monoSpec{a.Key, time.Duration(min(n, 1<<62/1000)) * time.Microsecond})
			}
		case a.Key == "OnCalendar":
			if a.Value == "" {
				t.mono, t.calendar = nil, nil
				continue
			}
			if c, err := value.ParseCalendar(a.Value); err == nil {
				t.calendar = append(t.calendar, c)
			}
		}
	}
	if t.state == "waiting" {
		t.wait(false)
	}
}

func (t *timerUnit) coldplug() {}

func (t *timerUnit) target() string {
	if v := t.u.file.String("Unit"); v != "" {
		return v
	}
	p, i, _, at := unitname.Split(t.u.name())
	if at {
		return p + "@" + i + ".service"
	}
	return p + ".service"
}

func (t *timerUnit) stampFile() string {
	return filepath.Join(t.u.m.opt.Facts.StateDir, "unitgen", "timers", "stamp-"+t.u.name())
}

func (t *timerUnit) start() error {
	if _, err := t.u.m.load(t.target()); err != nil {
		return err
	}
	t.result = "success"
	t.last = us.Stamp{}
	t.base = t.u.m.now().Monotonic
	t.stampAt = time.Time{}
	if t.u.file.Bool("Persistent") {
		st, err := os.Stat(t.stampFile())
		switch {
		case err == nil:
			t.stampAt = st.ModTime()
			t.last.Realtime = uint64(t.stampAt.UnixMicro())
		case errors.Is(err, fs.ErrNotExist):
			t.touch(time.UnixMicro(int64(t.u.m.now().Realtime)))
		}
	}
	t.wait(true)
	return nil
}

// touch notes on disk when the timer elapsed last.
func (t *timerUnit) touch(at time.Time) {
	p := t.stampFile()
	if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
		t.u.notice("Persistent=: %v", err)
		return
	}
	f, err := os.OpenFile(p, os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		t.u.notice("Persistent=: %v", err)
		return
	}
	f.Close()
	_ = os.Chtimes(p, at, at)
}

// wait computes when the timer elapses next and goes to sleep until then.
func (t *timerUnit) wait(initial bool) {
	m := t.u.m
	m.cancel(t.alarm)
	t.alarm = nil
	now := m.now()
	trig := m.unit(t.target())
	t.nextMono = make([]uint64, len(t.mono))
	t.nextCal = make([]uint64, len(t.calendar))
	best := uint64(0)
	consider := func(at uint64) {
		if at > 0 && (best == 0 || at < best) {
			best = at
		}
	}
	for i, s := range t.mono {
		var base uint64
		oneShot := false
		switch s.base {
		case "OnActiveSec":
			base, oneShot = t.base, true
		case "OnBootSec":
			base, oneShot = 1, true
		case "OnStartupSec":
			base, oneShot = m.started.Monotonic, true
		case "OnUnitActiveSec":
			if trig == nil {
				continue
			}
			base = max(trig.inactiveExit.Monotonic, trig.activeEnter.Monotonic)
			if base == 0 {
				base = t.last.Monotonic
			}
		case "OnUnitInactiveSec":
			if trig == nil {
				continue
			}
			base = trig.inactiveEnter.Monotonic
			if base == 0 {
				base = t.last.Monotonic
			}
		}
		if base == 0 {
			continue
		}
		at := base + usec(s.d)
		if at <= now.Monotonic && oneShot && (!initial || t.last.Monotonic != 0) {
			if t.last.Monotonic != 0 && t.last.Monotonic >= at || !initial {
				continue // has elapsed already
			}
		}
		t.nextMono[i] = at
		consider(max(at, 1))
	}
	local := time.Local
	wall := time.UnixMicro(int64(now.Realtime))
	for i, c := range t.calendar {
		from := wall
		if t.last.Realtime > 0 {
			from = time.UnixMicro(int64(t.last.Realtime))
			if !t.u.file.Bool("Persistent") && from.Before(wall) && initial {
				from = wall
			}
		}
		at, ok := c.Next(from, local)
		if !ok {
			continue
		}
		t.nextCal[i] = uint64(at.UnixMicro())
		delta := at.Sub(wall)
		if delta < 0 {
			delta = 0 // missed while nobody looked: at once
		}
		consider(now.Monotonic + uint64(delta/time.Microsecond))
	}
	if best == 0 {
		t.next = us.Stamp{}
		t.elapsedState()
		return
	}
	best += t.jitter()
	t.next = us.Stamp{Monotonic: best, Realtime: now.Realtime + best - min(best, now.Monotonic)}
	if best < now.Monotonic {
		t.next.Realtime = now.Realtime
	}
	// A calendar is kept by the wall clock, which may be set: look again at
	// least every half minute.
	at := best
	if len(t.calendar) > 0 && best > now.Monotonic+30e6 {
		at = now.Monotonic + 30e6
		t.alarm = m.at(at, func() { t.alarm = nil; t.wait(false) })
	} else {
		t.alarm = m.at(at, t.fire)
	}
	if t.state != "waiting" {
		t.state = "waiting"
		t.u.setState(us.Active, "waiting")
	}
	m.touched(t.u)
}

// jitter is RandomizedDelaySec=: a delay that is the same for this timer on
// this machine each time.
func (t *timerUnit) jitter() uint64 {
	d := t.u.file.Duration("RandomizedDelaySec")
	if d <= 0 || d == load.Infinity {
		return 0
	}
	h := fnv.New64a()
	if b, err := os.ReadFile("/etc/machine-id"); err == nil {
		_, _ = h.Write(b)
	}
	_, _ = h.Write([]byte(t.u.name()))
	return h.Sum64() % usec(d)
}

func (t *timerUnit) elapsedState() {
	if t.u.file.String("RemainAfterElapse") != "" && !t.u.file.Bool("RemainAfterElapse") {
		t.state = "dead"
		t.u.setState(us.Inactive, "dead")
		t.u.ephemeral = true
		return
	}
	t.state = "elapsed"
	t.u.setState(us.Active, "elapsed")
}

func (t *timerUnit) fire() {
	m := t.u.m
	t.alarm = nil
	if t.u.job != nil && t.u.job.typ == us.Stop || m.down != nil {
		return
	}
	t.last = m.now()
	if t.u.file.Bool("Persistent") {
		t.touch(time.UnixMicro(int64(t.last.Realtime)))
	}
	trig, err := m.load(t.target())
	if err == nil {
		if s, ok := trig.kind.(*service); ok {
			s.triggeredBy = t.u.name()
		}
		t.state = "running"
		t.u.setState(us.Active, "running")
		_, _, err = m.enqueueInternal(us.Start, trig, us.Replace)
	}
	if err != nil {
		t.u.notice("Failed to start %s: %v", t.target(), err)
		t.result = "resources"
		t.state = "failed"
		t.u.setState(us.Failed, "failed")
		return
	}
	if trig.job == nil && trig.active().IsActiveOrReloading() {
		t.wait(false)
	}
}

// triggeredChanged: the unit changed its state; a timer relative to it counts
// anew.
func (t *timerUnit) triggeredChanged(o *unit) {
	switch t.state {
	case "waiting":
		for _, s := range t.mono {
			if s.base == "OnUnitActiveSec" && o.active() == us.Active || s.base == "OnUnitInactiveSec" && o.active().IsInactiveOrFailed() {
				t.wait(false)
				return
			}
		}
	case "elapsed":
		for _, s := range t.mono {
			if strings.HasPrefix(s.base, "OnUnit") {
				t.wait(false)
				return
			}
		}
	case "running":
		if o.active().IsInactiveOrFailed() || o.active().IsActiveOrReloading() {
			t.u.m.post(func() {
				if t.state == "running" && o.active() != us.Activating {
					t.wait(false)
				}
			})
		}
	}
}

func (t *timerUnit) stop() error {
	t.u.m.cancel(t.alarm)
	t.alarm = nil
	t.next = us.Stamp{}
	t.state = "dead"
	t.u.setState(us.Inactive, "dead")
	return nil
}

func (t *timerUnit) startLimitHit() {
	t.result = "start-limit-hit"
	t.state = "failed"
	t.u.setState(us.Failed, "failed")
}

func (t *timerUnit) reload() error { return errInapplic }

func (t *timerUnit) resetFailed() {
	if t.state == "failed" {
		t.state = "dead"
		t.u.setState(us.Inactive, "dead")
	}
	t.result = "success"
}

func (t *timerUnit) status(st *us.Status) {
	r := &us.Timer{Unit: t.target(), LastTrigger: t.last, Result: t.result}
	for i, s := range slices.Backward(t.mono) { // the last first, as systemd has them
		x := us.TimerMonotonic{Base: s.base, Value: usec(s.d)}
		if i < len(t.nextMono) {
			x.Next = t.nextMono[i]
		}
		r.Monotonic = append(r.Monotonic, x)
	}
	for i, c := range slices.Backward(t.calendar) {
		x := us.TimerCalendar{Spec: c.String()}
		if i < len(t.nextCal) {
			x.Next = t.nextCal[i]
		}
		r.Calendar = append(r.Calendar, x)
	}
	if t.state == "waiting" || t.state == "running" {
		// When it elapses, with the delay by chance: a monotonic base and the
		// calendar each for itself.
		earliest := func(list []uint64) (at uint64) {
			for _, n := range list {
				if n > 0 && (at == 0 || n < at) {
					at = n
				}
			}
			if at > 0 {
				at += t.jitter()
			}
			return at
		}
		r.NextElapseMonotonic, r.NextElapseRealtime = earliest(t.nextMono), earliest(t.nextCal)
	}
	if r.NextElapseMonotonic == 0 && len(t.mono) > 0 {
		r.NextElapseMonotonic = us.Unknown
	}
	st.Timer = r
}

package manager

import (
	"errors"
	"runtime/debug"
	"time"

	"github.com/unitgen/unitgen/runtime/transaction"
	us "github.com/unitgen/unitgen/runtime/unitstate"
	"github.com/unitgen/unitgen/schema/load"
)

// job is one queued or running job; a unit has at most one.
type job struct {
	id           uint32
	u            *unit
	typ          us.JobType
	running      bool
	queued       bool // stands in the run queue
	irreversible bool
	ignoreOrder  bool
	timeout      *alarm
	runTimeout   *alarm
	begin        us.Stamp
}

func (j *job) public() us.Job {
	st := us.JobWaiting
	if j.running {
		st = us.JobRunning
	}
	return us.Job{ID: j.id, Unit: j.u.name(), Type: j.typ, State: st}
}

func (j *job) mirror() {
	j.u.node.Job = &transaction.Queued{ID: j.id, Type: j.typ, Running: j.running, Irreversible: j.irreversible, IgnoreOrder: j.ignoreOrder}
	j.u.m.touched(j.u)
}

// How starting, stopping or reloading can go other than well.
var (
	errAlready     = errors.New("already there")
	errAgain       = errors.New("not now")
	errSkipped     = errors.New("a condition does not hold")
	errAssert      = errors.New("an assertion does not hold")
	errUnsupported = errors.New("not supported here")
	errDependency  = errors.New("a unit it depends on is not there")
	errInapplic    = errors.New("not applicable")
)

// enqueue makes a transaction for a request by a person or a program.
func (m *Manager) enqueue(t us.JobType, u *unit, mode us.JobMode) (*job, []*job, error) {
	if m.down != nil && t != us.Stop && !m.down.internal {
		return nil, nil, us.Errorf(us.ErrShuttingDown, "The manager is shutting down; %s of %s is refused.", t, u.name())
	}
	res, err := transaction.Build(m.graph, transaction.Request{Type: t, Unit: u.name(), Mode: mode})
	if err != nil {
		return nil, nil, err
	}
	for _, w := range res.Warnings {
		m.notice(u.name(), "%s", w)
	}
	for _, n := range res.Cancel {
		if o := m.units[n.Name]; o != nil && o.job != nil {
			m.finish(o.job, us.JobCanceled, false)
		}
	}
	var anchor *job
	var all []*job
	for _, tj := range res.Jobs {
		o := m.units[tj.Unit.Name]
		if o == nil {
			o = m.adoptFile(tj.Unit.File)
		}
		j := m.install(o, tj.Type, res.Irreversible, tj.IgnoreOrder)
		if tj == res.Anchor {
			anchor = j
		} else {
			all = append(all, j)
		}
	}
	return anchor, all, nil
}

// enqueueInternal is enqueue for what the manager does by itself: the
// restrictions for people do not hold.
func (m *Manager) enqueueInternal(t us.JobType, u *unit, mode us.JobMode) (*job, []*job, error) {
	start, stop := u.node.RefuseManualStart, u.node.RefuseManualStop
	u.node.RefuseManualStart, u.node.RefuseManualStop = false, false
	defer func() { u.node.RefuseManualStart, u.node.RefuseManualStop = start, stop }()
	return m.enqueue(t, u, mode)
}

// install queues one job of a transaction, merging it into the one that is
// there or taking its place.
func (m *Manager) install(u *unit, t us.JobType, irreversible, ignoreOrder bool) *job {
	if old := u.job; old != nil {
		switch {
		case t == us.Nop:
			return old
		case old.typ == us.Nop || transaction.Conflicting(old.typ, t):
			m.finish(old, us.JobCanceled, false)
		case !old.running || t != us.Reload && transaction.Superset(old.typ, t):
			if mt, ok := transaction.Merge(old.typ, t); ok {
				old.typ = transaction.Collapse(mt, u.active())
			}
			old.irreversible = old.irreversible || irreversible
			old.ignoreOrder = old.ignoreOrder || ignoreOrder
			old.mirror()
			m.wake(old)
			return old
		default: // runs already and has to do more: from the start
			if mt, ok := transaction.Merge(old.typ, t); ok {
				old.typ = transaction.Collapse(mt, u.active())
			}
			old.running = false
			old.mirror()
			m.wake(old)
			return old
		}
	}
	m.lastID++
	j := &job{id: m.lastID, u: u, typ: t, irreversible: irreversible, ignoreOrder: ignoreOrder, begin: m.now()}
	u.job = j
	m.jobs[j.id] = j
	m.installed++
	j.mirror()
	m.send(us.Event{Kind: us.JobNew, Job: j.public(), Unit: u.name()})
	if d := u.file.Duration("JobTimeoutSec"); d > 0 && d != load.Infinity {
		j.timeout = m.after(d, func() { m.jobTimedOut(j) })
	}
	m.wake(j)
	return j
}

// wake puts a job into the run queue.
func (m *Manager) wake(j *job) {
	if !j.queued {
		j.queued = true
		m.runq = append(m.runq, j)
	}
}

// runnable reports whether no job that has to come first is still queued.
func (j *job) runnable() bool {
	if j.ignoreOrder || j.typ == us.Nop {
		return true
	}
	for _, d := range j.u.node.Deps(transaction.After) {
		if d.Job != nil && d.Job.Type != us.Nop && !transaction.RunsAfter(d.Job.Type, j.typ) {
			return false
		}
	}
	for _, d := range j.u.node.Deps(transaction.Before) {
		if d.Job != nil && d.Job.Type != us.Nop && transaction.RunsAfter(j.typ, d.Job.Type) {
			return false
		}
	}
	return true
}

// runJob dispatches one job of the run queue; false when it is empty.
func (m *Manager) runJob() bool {
	if len(m.runq) == 0 {
		return false
	}
	j := m.runq[0]
	m.runq = m.runq[1:]
	if len(m.runq) == 0 {
		m.runq = nil
	}
	j.queued = false
	if j.u.job != j || j.running || !j.runnable() {
		return true
	}
	j.running = true
	j.mirror()
	m.send(us.Event{Kind: us.JobChanged, Job: j.public(), Unit: j.u.name()})
	if d := j.u.file.Duration("JobRunningTimeoutSec"); d > 0 && d != load.Infinity && j.runTimeout == nil {
		j.runTimeout = m.after(d, func() { m.jobTimedOut(j) })
	}
	u := j.u
	var err error
	switch j.typ {
	case us.Start:
		err = u.start()
	case us.Stop, us.Restart:
		err = u.stop()
	case us.Reload:
		err = u.reload()
	case us.VerifyActive:
		switch {
		case u.active().IsActiveOrReloading():
			err = errAlready
		case u.active() == us.Activating:
			err = errAgain
		default:
			err = errInapplic
		}
	case us.Nop:
		err = errAlready
	}
	if u.job != j || err == nil {
		return true
	}
	var e *us.Error
	switch {
	case errors.Is(err, errAlready), errors.Is(err, errSkipped):
		m.finish(j, us.JobDone, true)
	case errors.Is(err, errAgain):
		j.running = false
		j.mirror()
	case errors.Is(err, errInapplic):
		m.finish(j, us.JobSkipped, true)
	case errors.Is(err, errAssert):
		m.finish(j, us.JobAssert, true)
	case errors.Is(err, errUnsupported):
		m.finish(j, us.JobUnsupported, true)
	case errors.Is(err, errDependency):
		m.finish(j, us.JobDependency, true)
	case errors.As(err, &e) && (e.Name == us.ErrLoadFailed || e.Name == us.ErrBadUnitSetting):
		m.finish(j, us.JobInvalid, true)
	default:
		u.notice("%s: %v", u.name(), err)
		m.finish(j, us.JobFailed, true)
	}
	return true
}

// advance brings the job up to a new state of its unit and says whether the
// change was not the job's doing.
func (j *job) advance(a us.ActiveState) (unexpected bool) {
	m := j.u.m
	if !j.running {
		switch {
		case (j.typ == us.Start || j.typ == us.VerifyActive) && a.IsActiveOrReloading(),
			j.typ == us.Stop && a.IsInactiveOrFailed():
			m.finish(j, us.JobDone, true)
			return false
		}
		m.wake(j)
		return true
	}
	switch j.typ {
	case us.Start, us.VerifyActive:
		switch {
		case a.IsActiveOrReloading():
			m.finish(j, us.JobDone, true)
		case a == us.Activating:
		default:
			if a.IsInactiveOrFailed() {
				r := us.JobDone
				if a == us.Failed {
					r = us.JobFailed
				}
				m.finish(j, r, true)
			} else {
				return true
			}
		}
	case us.Reload:
		switch {
		case a == us.Active:
			r := us.JobDone
			if j.u.reloadFailed {
				r = us.JobFailed
			}
			m.finish(j, r, true)
		case a == us.Reloading || a == us.Activating:
		default:
			if a.IsInactiveOrFailed() {
				r := us.JobDone
				if a == us.Failed {
					r = us.JobFailed
				}
				m.finish(j, r, true)
			}
			return true
		}
	case us.Stop, us.Restart:
		switch {
		case a.IsInactiveOrFailed():
			m.finish(j, us.JobDone, true)
		case a == us.Deactivating:
		default:
			m.finish(j, us.JobFailed, true)
			return true
		}
	}
	return false
}

// finish ends a job, and with recursive those that cannot go on without it.
func (m *Manager) finish(j *job, r us.JobResult, recursive bool) {
	u := j.u
	if u.job != j {
		return
	}
	if r == us.JobDone && j.typ == us.Restart {
		j.typ = us.Start
		j.running = false
		j.mirror()
		m.wake(j)
		m.wakeNeighbours(u)
		return
	}
	m.cancel(j.timeout)
	m.cancel(j.runTimeout)
	u.job = nil
	u.node.Job = nil
	m.touched(u)
	delete(m.jobs, j.id)
	if r != us.JobDone && r != us.JobCanceled {
		m.failedJobs++
	}
	m.announce(j, r)
	m.send(us.Event{Kind: us.JobRemoved, Job: j.public(), Unit: u.name(), Result: r})
	if recursive {
		if r != us.JobDone {
			switch j.typ {
			case us.Start, us.VerifyActive:
				m.failDependents(u, u.node.FailureReaches(), us.Start, us.VerifyActive)
			case us.Stop:
				m.failDependents(u, u.node.Deps(transaction.ConflictedBy), us.Start, us.VerifyActive)
			}
		} else if (j.typ == us.Start || j.typ == us.VerifyActive) && u.active().IsInactiveOrFailed() {
			// up and down again in one go: not what Requisite= asks for
			m.failDependents(u, u.node.Deps(transaction.RequisiteOf), us.Start, us.VerifyActive)
		}
	}
	m.wakeNeighbours(u)
	m.enqueueCheck(m.unneeded, u.node)
	m.collectq[u] = true
	if r == us.JobTimeout || r == us.JobFailed && u.active().IsInactiveOrFailed() {
		m.enqueueCheck(m.upheld, u.node)
	}
}

func (m *Manager) failDependents(why *unit, of []*transaction.Unit, types ...us.JobType) {
	for _, d := range of {
		o := m.units[d.Name]
		if o == nil || o.job == nil {
			continue
		}
		for _, t := range types {
			if o.job.typ == t {
				o.notice("Dependency failed for %s: %s could not be started.", o.name(), why.name())
				m.finish(o.job, us.JobDependency, true)
				break
			}
		}
	}
}

// wakeNeighbours looks again at the jobs that may have waited for this unit.
func (m *Manager) wakeNeighbours(u *unit) {
	for _, t := range []transaction.DepType{transaction.After, transaction.Before} {
		for _, d := range u.node.Deps(t) {
			if o := m.units[d.Name]; o != nil && o.job != nil && !o.job.running {
				m.wake(o.job)
			}
		}
	}
}

func (m *Manager) jobTimedOut(j *job) {
	if j.u.job != j {
		return
	}
	act := j.u.file.String("JobTimeoutAction")
	j.u.notice("Job %s/%s timed out.", j.u.name(), j.typ)
	m.finish(j, us.JobTimeout, true)
	if act != "" && act != "none" {
		m.emergency(j.u, act, "", 1)
	}
}

// announce says how a job ended, where somebody wants to know.
func (m *Manager) announce(j *job, r us.JobResult) {
	switch r {
	case us.JobTimeout:
		j.u.notice("Timed out waiting for %s.", j.u.name())
	case us.JobAssert:
		j.u.notice("Assertion failed for %s.", j.u.name())
	case us.JobUnsupported:
		j.u.notice("%s: units of type %s are not supported here.", j.u.name(), j.u.typ)
	}
}

// start checks what has to hold before any unit starts and begins it.
func (u *unit) start() error {
	a := u.active()
	if u.file.State != load.Loaded {
		return us.Errorf(us.ErrLoadFailed, "Unit %s is %s.", u.name(), u.file.State)
	}
	if a == us.Active || a == us.Reloading {
		return errAlready
	}
	if a == us.Deactivating {
		return errAgain
	}
	if a != us.Activating {
		if !u.testConditions() {
			return errSkipped
		}
		if !u.assertOK {
			return errAssert
		}
	}
	for _, d := range u.node.Deps(transaction.BindsTo) {
		if o := u.m.units[d.Name]; o != nil {
			if dev, ok := o.kind.(*deviceUnit); ok {
				dev.look()
			}
		}
		if d.Active.IsActiveOrReloading() {
			continue
		}
		for _, x := range u.node.Deps(transaction.After) {
			if x == d {
				u.notice("%s is bound to %s, which is not active.", u.name(), d.Name)
				return errDependency
			}
		}
	}
	if a != us.Activating {
		if !u.limit.allow(u.m.now().Monotonic) {
			u.startHit = true
			if l, ok := u.kind.(interface{ startLimitHit() }); ok {
				u.notice("Start request repeated too quickly: %d starts within %s. Run reset-failed to try again.", u.limit.burst, u.limit.interval.Round(time.Millisecond))
				l.startLimitHit()
				u.tellTriggers() // the state may be the same as before
				if act := u.file.String("StartLimitAction"); act != "" && act != "none" {
					u.m.emergency(u, act, "", 1)
				}
				return us.Errorf(us.ErrJobFailed, "start limit hit")
			}
		}
		u.invocation = newInvocation()
		u.sayUnapplied()
	}
	u.stopRequested = false
	return u.kind.start()
}

func (u *unit) stop() error {
	if u.active().IsInactiveOrFailed() {
		return errAlready
	}
	u.stopRequested = true
	return u.kind.stop()
}

func (u *unit) reload() error {
	switch u.active() {
	case us.Reloading:
		return errAgain
	case us.Active:
	default:
		return us.Errorf(us.ErrUnitInactive, "Unit cannot be reloaded because it is inactive.")
	}
	u.reloadFailed = false
	return u.kind.reload()
}

// checkIdle notices that the first transaction came to rest.
func (m *Manager) checkIdle() {
	if m.booting && len(m.jobs) == 0 && m.down == nil {
		m.booting = false
		m.finished = m.now()
		m.tellChanged() // what led here comes before
		total := m.finished.Monotonic - m.started.Monotonic
		m.send(us.Event{Kind: us.StartupDone, Startup: us.StartupTimes{Userspace: total, Total: total}})
		go debug.FreeOSMemory() // what reading the units needed is not needed again
	}
	if m.down != nil {
		m.down.advance(m)
	}
}

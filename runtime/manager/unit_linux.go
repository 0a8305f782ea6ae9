package manager

import (
	"crypto/rand"
	"time"

	"github.com/unitgen/unitgen/runtime/transaction"
	us "github.com/unitgen/unitgen/runtime/unitstate"
	"github.com/unitgen/unitgen/schema/load"
	"github.com/unitgen/unitgen/schema/unitname"
)

// kind is what a unit type adds to a unit: its state machine. Every method
// runs in the loop.
type kind interface {
	// configure takes over the settings of the unit's file; the state stays.
	configure()
	// coldplug makes a unit active that is so by nature (slices, root mount).
	coldplug()
	// start, stop and reload begin the job; the state changes that follow end
	// it. errAlready ends it at once, errAgain retries when something changes.
	start() error
	stop() error
	reload() error
	resetFailed()
	status(*us.Status)
}

// unit is one loaded unit as it runs.
type unit struct {
	m    *Manager
	node *transaction.Unit
	file *load.Unit
	typ  string
	kind kind
	sub  us.SubState
	job  *job

	stateChange, inactiveExit, activeEnter, activeExit, inactiveEnter us.Stamp

	invocation             us.InvocationID
	conds                  []us.Condition
	condOK                 bool
	assertOK               bool
	condStamp, assertStamp us.Stamp

	limit         rateLimit
	startHit      bool // the start limit was hit
	autoRestart   bool // the present failure is followed by a restart
	transient     bool
	ephemeral     bool // made for one connection: forgotten when it is down
	refs          int
	notApplied    []string
	reloadFailed  bool
	slice         string
	group         group
	space         *space
	frozen        bool
	stopRequested bool
	foreign       bool     // has processes that are not our descendants
	stamps        []string // of the files, as they were read
}

func newUnit(m *Manager, n *transaction.Unit, f *load.Unit) *unit {
	u := &unit{m: m, node: n, file: f, typ: unitname.Type(n.Name), sub: "dead"}
	n.Active = us.Inactive
	switch u.typ {
	case "service":
		u.kind = newService(u)
	case "socket":
		u.kind = newSocket(u)
	case "timer":
		u.kind = newTimer(u)
	case "path":
		u.kind = newPath(u)
	case "mount":
		u.kind = newMount(u)
	case "swap":
		u.kind = newSwap(u)
	case "device":
		u.kind = newDevice(u)
	case "scope":
		u.kind = newScope(u)
	case "target", "slice":
		u.kind = &passive{u: u}
	default:
		u.kind = &unsupported{u: u}
		u.sub = "dead"
	}
	return u
}

// configure takes over what the file says.
func (u *unit) configure() {
	u.file.Sections() // computed now, for readers on other goroutines
	u.slice = u.file.String("Slice")
	if s := u.node.Deps(transaction.InSlice); len(s) > 0 {
		u.slice = s[0].Name
	}
	u.limit.configure(u.file)
	u.kind.configure()
	u.notApplied = u.m.unapplied(u)
	if u.m.opt.Edge == nil {
		u.stamps = stampsOf(u.file)
	}
}

func (u *unit) name() string           { return u.node.Name }
func (u *unit) active() us.ActiveState { return u.node.Active }

func (u *unit) notice(format string, args ...any) { u.m.notice(u.name(), format, args...) }

// setState is the one place where a unit's state changes.
func (u *unit) setState(a us.ActiveState, sub us.SubState) {
	old := u.node.Active
	if old == a && u.sub == sub {
		return
	}
	m := u.m
	u.sub = sub
	u.node.Active = a
	now := m.now()
	u.stateChange = now
	m.touched(u)
	m.saver.touch(u)
	if old != a {
		if old.IsInactiveOrFailed() && !a.IsInactiveOrFailed() {
			u.inactiveExit = now
		}
		if !old.IsInactiveOrFailed() && a.IsInactiveOrFailed() {
			u.inactiveEnter = now
		}
		if !old.IsActiveOrReloading() && a.IsActiveOrReloading() {
			u.activeEnter = now
		}
		if old.IsActiveOrReloading() && !a.IsActiveOrReloading() {
			u.activeExit = now
		}
	}
	m.nested++
	u.notify(old, a)
	m.nested--
}

// notify tells the unit's job and its neighbours of a change of state.
func (u *unit) notify(old, a us.ActiveState) {
	m := u.m
	unexpected := true
	if u.job != nil {
		unexpected = u.job.advance(a)
	}
	if unexpected && !m.reloading && old != a {
		switch {
		case old.IsInactiveOrFailed() && a.IsActiveOrActivating():
			u.startRetroactively()
		case old.IsActiveOrActivating() && (a.IsInactiveOrFailed() || a == us.Deactivating):
			u.stopRetroactively()
		}
	}
	if old == a {
		return
	}
	if a == us.Failed {
		m.everFailed[u.name()] = true
		if !u.autoRestart {
			u.failed()
		}
	}
	if a == us.Inactive && !old.IsInactiveOrFailed() && !u.autoRestart {
		u.trigger(transaction.OnSuccess, "OnSuccessJobMode", us.Fail)
		if act := u.file.String("SuccessAction"); act != "" && act != "none" && m.down == nil {
			m.emergency(u, act, "SuccessActionExitStatus", u.exitStatus(0))
		}
	}
	if a.IsInactiveOrFailed() && !old.IsInactiveOrFailed() {
		u.group.release(u)
		u.leaveSpace()
		for _, t := range []transaction.DepType{transaction.Requires, transaction.Requisite, transaction.Wants, transaction.BindsTo, transaction.Upholds} {
			for _, d := range u.node.Deps(t) {
				m.enqueueCheck(m.unneeded, d)
			}
		}
		for _, d := range u.node.Deps(transaction.BoundBy) {
			m.enqueueCheck(m.bound, d)
		}
		for _, d := range u.node.Deps(transaction.UpheldBy) {
			if d.Active.IsActiveOrReloading() {
				m.enqueueCheck(m.upheld, u.node)
			}
		}
		m.collectq[u] = true
	}
	if a.IsActiveOrReloading() {
		for _, d := range u.node.Deps(transaction.Upholds) {
			m.enqueueCheck(m.upheld, d)
		}
		m.enqueueCheck(m.unneeded, u.node)
		m.enqueueCheck(m.bound, u.node)
	}
	u.tellTriggers()
}

// tellTriggers tells the units that trigger this one.
func (u *unit) tellTriggers() {
	for _, d := range u.node.Deps(transaction.TriggeredBy) {
		if t := u.m.units[d.Name]; t != nil {
			if w, ok := t.kind.(triggerWatcher); ok {
				w.triggeredChanged(u)
			}
		}
	}
}

// triggerWatcher is a unit type that triggers others and wants to know what
// becomes of them.
type triggerWatcher interface{ triggeredChanged(u *unit) }

func (m *Manager) enqueueCheck(q map[*unit]bool, n *transaction.Unit) {
	if u := m.units[n.Name]; u != nil {
		q[u] = true
	}
}

func (u *unit) failed() {
	u.notice("%s failed%s.", u.name(), u.failureReason())
	u.trigger(transaction.OnFailure, "OnFailureJobMode", us.Replace)
	if act := u.file.String("FailureAction"); act != "" && act != "none" && u.m.down == nil {
		u.m.emergency(u, act, "FailureActionExitStatus", u.exitStatus(255))
	}
}

// exitStatus is the main process's, for FailureAction=exit and its like.
func (u *unit) exitStatus(otherwise int) int {
	if s, ok := u.kind.(*service); ok && s.exited && s.lastExit.code == cldExited {
		return s.lastExit.status
	}
	return otherwise
}

func (u *unit) failureReason() string {
	var st us.Status
	u.kind.status(&st)
	r := ""
	switch {
	case st.Service != nil:
		r = st.Service.Result
	case st.Socket != nil:
		r = st.Socket.Result
	case st.Timer != nil:
		r = st.Timer.Result
	case st.Path != nil:
		r = st.Path.Result
	case st.Mount != nil:
		r = st.Mount.Result
	case st.Swap != nil:
		r = st.Swap.Result
	}
	if r == "" || r == "success" {
		return ""
	}
	return " with result '" + r + "'"
}

// trigger queues start jobs for OnFailure= or OnSuccess=.
func (u *unit) trigger(t transaction.DepType, modeKey string, mode us.JobMode) {
	if u.m.down != nil {
		return
	}
	if s := u.file.String(modeKey); s != "" {
		mode = us.JobMode(s)
	}
	for _, d := range u.node.Deps(t) {
		if o := u.m.units[d.Name]; o != nil {
			if s, ok := o.kind.(*service); ok {
				s.monitor = s.monitors(u)
			}
			if _, _, err := u.m.enqueueInternal(us.Start, o, mode); err != nil {
				u.notice("cannot start %s (%s=): %v", d.Name, t, err)
			}
		}
	}
}

// startRetroactively brings up what a unit needs that came up by itself.
func (u *unit) startRetroactively() {
	after := func(d *transaction.Unit) bool {
		for _, a := range u.node.Deps(transaction.After) {
			if a == d {
				return true
			}
		}
		return false
	}
	pull := func(t transaction.DepType, mode us.JobMode) {
		for _, d := range u.node.Deps(t) {
			if o := u.m.units[d.Name]; o != nil && !after(d) && !d.Active.IsActiveOrActivating() {
				_, _, _ = u.m.enqueueInternal(us.Start, o, mode)
			}
		}
	}
	pull(transaction.Requires, us.Replace)
	pull(transaction.BindsTo, us.Replace)
	pull(transaction.Wants, us.Fail)
	for _, t := range []transaction.DepType{transaction.Conflicts, transaction.ConflictedBy} {
		for _, d := range u.node.Deps(t) {
			if o := u.m.units[d.Name]; o != nil && !d.Active.IsInactiveOrFailed() && d.Active != us.Deactivating {
				_, _, _ = u.m.enqueueInternal(us.Stop, o, us.Replace)
			}
		}
	}
}

// stopRetroactively takes down what is bound to a unit that went by itself.
func (u *unit) stopRetroactively() {
	for _, t := range []transaction.DepType{transaction.BoundBy, transaction.PropagatesStopTo} {
		for _, d := range u.node.Deps(t) {
			if o := u.m.units[d.Name]; o != nil && !d.Active.IsInactiveOrFailed() && d.Active != us.Deactivating {
				_, _, _ = u.m.enqueueInternal(us.Stop, o, us.Replace)
			}
		}
	}
}

// settle works off the queues until nothing is left to do.
func (m *Manager) settle() {
	if m.nested > 0 {
		return
	}
	m.nested++
	defer func() { m.nested-- }()
	for range 100000 {
		switch {
		case m.runJob():
		case m.checkBound():
		case m.checkUnneeded():
		case m.checkUpheld():
		case m.collect():
		default:
			m.checkIdle()
			return
		}
	}
	m.notice("", "units keep changing each other's state; leaving the rest for later")
}

func popUnit(q map[*unit]bool) *unit {
	var first *unit
	for u := range q {
		if first == nil || u.name() < first.name() {
			first = u
		}
	}
	delete(q, first)
	return first
}

// checkBound stops a unit that cannot be without another that is gone
// (BindsTo= together with After=).
func (m *Manager) checkBound() bool {
	if len(m.bound) == 0 {
		return false
	}
	u := popUnit(m.bound)
	if u.job != nil && u.job.typ == us.Stop || u.active().IsInactiveOrFailed() || m.down != nil {
		return true
	}
	for _, d := range u.node.Deps(transaction.BindsTo) {
		if d.Job != nil && d.Job.Type != us.Stop {
			continue
		}
		if d.Active.IsInactiveOrFailed() && u.active().IsActiveOrReloading() {
			u.notice("stopping %s: it is bound to %s, which is %s", u.name(), d.Name, d.Active)
			_, _, _ = m.enqueueInternal(us.Stop, u, us.Replace)
			break
		}
	}
	return true
}

// checkUnneeded stops a unit with StopWhenUnneeded= that nobody needs.
func (m *Manager) checkUnneeded() bool {
	if len(m.unneeded) == 0 {
		return false
	}
	u := popUnit(m.unneeded)
	if !u.file.Bool("StopWhenUnneeded") || !u.active().IsActiveOrReloading() || u.job != nil {
		return true
	}
	for _, t := range []transaction.DepType{transaction.RequiredBy, transaction.RequisiteOf, transaction.WantedBy, transaction.BoundBy, transaction.UpheldBy} {
		for _, d := range u.node.Deps(t) {
			if d.Job != nil || !d.Active.IsInactiveOrFailed() {
				return true
			}
		}
	}
	u.notice("stopping %s: nothing needs it any more", u.name())
	_, _, _ = m.enqueueInternal(us.Stop, u, us.Replace)
	return true
}

// checkUpheld starts a unit that an active one upholds.
func (m *Manager) checkUpheld() bool {
	if len(m.upheld) == 0 {
		return false
	}
	u := popUnit(m.upheld)
	if u.active().IsActiveOrActivating() || u.job != nil || m.down != nil || u.startHit {
		return true
	}
	for _, d := range u.node.Deps(transaction.UpheldBy) {
		if d.Active.IsActiveOrReloading() {
			_, _, _ = m.enqueueInternal(us.Start, u, us.Replace)
			break
		}
	}
	return true
}

// collect forgets units that were made for an occasion that is over.
func (m *Manager) collect() bool {
	if len(m.collectq) == 0 {
		return false
	}
	u := popUnit(m.collectq)
	if u.job != nil || u.refs > 0 || !u.active().IsInactiveOrFailed() {
		return true
	}
	vanished := u.file.State == load.NotFound
	if !u.ephemeral && !u.transient && !vanished {
		return true
	}
	if u.active() == us.Failed && u.file.String("CollectMode") != "inactive-or-failed" && !u.ephemeral {
		return true
	}
	for _, d := range u.node.Deps(transaction.TriggeredBy) {
		if !d.Active.IsInactiveOrFailed() && !u.ephemeral {
			return true
		}
	}
	if vanished && !u.transient && !u.ephemeral {
		return true // stays, as not found, for those who name it
	}
	m.forget(u)
	return true
}

func (m *Manager) forget(u *unit) {
	if r, ok := u.kind.(interface{ release() }); ok {
		r.release()
	}
	if u.transient {
		m.removeTransient(u.name())
	}
	m.graph.Remove(u.node)
	delete(m.units, u.name())
	delete(m.changed, u)
	delete(m.unneeded, u)
	delete(m.upheld, u)
	delete(m.bound, u)
	delete(m.collectq, u)
	m.saver.remove(u)
	if u.transient {
		m.loader = m.newLoader() // its files are gone
	} else {
		m.loader.Forget(u.name())
	}
	m.send(us.Event{Kind: us.UnitRemoved, Unit: u.name()})
}

func newInvocation() us.InvocationID {
	var id us.InvocationID
	_, _ = rand.Read(id[:])
	return id
}

// rateLimit counts starts (StartLimitIntervalSec=, StartLimitBurst=).
type rateLimit struct {
	interval time.Duration
	burst    int
	begin    uint64
	count    int
}

func (r *rateLimit) configure(f *load.Unit) {
	r.interval, r.burst = 10*time.Second, 5
	if f.String("StartLimitIntervalSec") != "" {
		r.interval = f.Duration("StartLimitIntervalSec")
	}
	if s := f.String("StartLimitBurst"); s != "" {
		r.burst = atoi(s, 5)
	}
}

// allow counts one event at an instant (µs) and says whether it is allowed.
func (r *rateLimit) allow(now uint64) bool {
	if r.interval <= 0 || r.burst <= 0 {
		return true
	}
	if r.count == 0 || now-r.begin >= uint64(r.interval/time.Microsecond) {
		r.begin, r.count = now, 0
	}
	r.count++
	return r.count <= r.burst
}

func (r *rateLimit) reset() { r.count, r.begin = 0, 0 }

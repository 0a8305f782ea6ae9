package transaction

import (
	"fmt"

	us "github.com/unitgen/unitgen/runtime/unitstate"
)

// add puts a job into the transaction, and with it the jobs that its unit's
// dependencies ask for. When a unit that is needed cannot be started, the
// error is the caller's to weigh; the jobs that were collected by then stay,
// so that a unit which is only wanted is started although one of its own
// requirements cannot be.
func (b *builder) add(t us.JobType, u *Unit, by *Job, matters, conflicts, ignoreRequirements bool) error {
	if t != us.Stop {
		if err := startable(u); err != nil {
			return err
		}
	}
	if !u.Applicable(t) {
		return us.Errorf(us.ErrJobTypeNotApplicable, "Job type %s is not applicable for unit %s.", t, u.Name)
	}
	j, isNew := b.job(t, u)
	if by != nil {
		e := &edge{subject: by, object: j, matters: matters, conflicts: conflicts}
		by.pulled = append(by.pulled, e)
		j.pulledBy = append(j.pulledBy, e)
	} else {
		b.anchor = j
	}
	if !isNew || ignoreRequirements || t == us.Nop {
		return nil
	}
	var first error
	fail := func(err error) {
		if err != nil && first == nil && !notApplicable(err) {
			first = err
		}
	}
	if t == us.Start || t == us.Restart {
		for _, d := range u.all(pullStart) {
			fail(b.add(us.Start, d, j, true, false, false))
		}
		if first != nil {
			return first
		}
		for _, d := range u.all(pullStartIgnored) {
			b.note(j, us.Start, d, b.add(us.Start, d, j, false, false, false))
		}
		for _, d := range u.all(pullVerify) {
			fail(b.add(us.VerifyActive, d, j, true, false, false))
		}
		if first != nil {
			return first
		}
		for _, d := range u.all(pullStop) {
			fail(b.add(us.Stop, d, j, true, true, false))
		}
		if first != nil {
			return first
		}
		for _, d := range u.all(pullStopIgnored) {
			b.note(j, us.Stop, d, b.add(us.Stop, d, j, false, false, false))
		}
	}
	switch t {
	case us.Stop:
		for _, d := range u.all(propagateStop) {
			fail(b.add(us.Stop, d, j, true, false, false))
		}
	case us.Restart:
		for _, d := range u.all(propagateRestart) {
			if nt := Collapse(us.TryRestart, d.Active); nt != us.Nop {
				fail(b.add(nt, d, j, true, false, false))
			}
		}
	case us.Reload:
		for _, d := range u.all(propagateReload) {
			if nt := Collapse(us.TryReload, d.Active); nt != us.Nop {
				b.note(j, nt, d, b.add(nt, d, j, false, false, false))
			}
		}
	}
	return first
}

// job gives the job of a type for a unit, made if need be.
func (b *builder) job(t us.JobType, u *Unit) (*Job, bool) {
	for _, j := range b.jobs[u] {
		if j.Type == t {
			return j, false
		}
	}
	j := &Job{Unit: u, Type: t, IgnoreOrder: b.ignoreOrder}
	b.jobs[u] = append(b.jobs[u], j)
	return j, true
}

// note remembers a job that could not be added and that nobody insists on.
func (b *builder) note(by *Job, t us.JobType, u *Unit, err error) {
	if err == nil {
		return
	}
	if len(b.jobs[u]) == 0 {
		b.dropped = append(b.dropped, Dropped{Unit: u.Name, Type: t, Why: err.Error()})
	}
	if u.Load == us.LoadNotFound || u.Load == us.LoadMasked || notApplicable(err) {
		return // a wish for what is not installed is not worth a word
	}
	b.warn = append(b.warn, fmt.Sprintf("Cannot add dependency job for unit %s, wanted by %s, ignoring: %s", u.Name, by.Unit.Name, err))
}

func notApplicable(err error) bool {
	e, ok := err.(*us.Error)
	return ok && e.Name == us.ErrJobTypeNotApplicable
}

// startable tells why a unit that did not load cannot have a job other than
// stop.
func startable(u *Unit) error {
	switch u.Load {
	case us.LoadLoaded:
		return nil
	case us.LoadNotFound, us.LoadStub:
		return us.Errorf(us.ErrNoSuchUnit, "Unit %s not found.", u.Name)
	case us.LoadMasked:
		return us.Errorf(us.ErrUnitMasked, "Unit %s is masked.", u.Name)
	case us.LoadBadSetting:
		return us.Errorf(us.ErrBadUnitSetting, "Unit %s has a bad unit file setting.%s", u.Name, because(u))
	}
	return us.Errorf(us.ErrLoadFailed, "Unit %s failed to load properly, please adjust/correct and reload service manager.%s", u.Name, because(u))
}

func because(u *Unit) string {
	if u.LoadErr == "" {
		return ""
	}
	return " " + u.LoadErr
}

// addIsolate stops whatever is up or has a job and is not part of the
// transaction.
func (b *builder) addIsolate() {
	for _, u := range b.g.Units() {
		if u.IgnoreOnIsolate || u.Active.IsInactiveOrFailed() && u.Job == nil || len(b.jobs[u]) > 0 {
			continue
		}
		if err := b.add(us.Stop, u, b.anchor, true, false, false); err != nil && !notApplicable(err) {
			b.note(b.anchor, us.Stop, u, err)
		}
	}
}

// addTriggering stops the units that would start this one again.
func (b *builder) addTriggering(u *Unit) {
	for _, t := range u.Deps(TriggeredBy) {
		if t.Active.IsInactiveOrFailed() && t.Job == nil || len(b.jobs[t]) > 0 {
			continue
		}
		b.note(b.anchor, us.Stop, t, b.add(us.Stop, t, b.anchor, true, false, false))
	}
}

// addRestarts makes units that depend on a started one restart with it.
func (b *builder) addRestarts(u *Unit) {
	for _, d := range u.all(propagateRestart) {
		if nt := Collapse(us.TryRestart, d.Active); nt != us.Nop {
			b.note(b.anchor, nt, d, b.add(nt, d, b.anchor, true, false, false))
		}
	}
}

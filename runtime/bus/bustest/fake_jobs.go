package bustest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/unitgen/unitgen/runtime/unitstate"
	"github.com/unitgen/unitgen/schema/unitname"
)

// Enqueue implements unitstate.Backend.
func (f *Fake) Enqueue(t unitstate.JobType, unit string, mode unitstate.JobMode) (unitstate.Job, error) {
	j, _, err := f.EnqueueAffected(t, unit, mode)
	return j, err
}

// EnqueueAffected implements unitstate.Backend.
func (f *Fake) EnqueueAffected(t unitstate.JobType, unit string, mode unitstate.JobMode) (unitstate.Job, []unitstate.Job, error) {
	if !unitname.Valid(unit) {
		return unitstate.Job{}, nil, unitstate.Errorf(unitstate.ErrInvalidArgs, "Unit name %s is not valid.", unit)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.note("Enqueue", string(t), unit, string(mode))
	u := f.units[unit]
	switch {
	case u == nil && t == unitstate.Stop:
		return unitstate.Job{}, nil, unitstate.NoSuchUnit(unit)
	case u == nil:
		return unitstate.Job{}, nil, unitstate.Errorf(unitstate.ErrNoSuchUnit, "Unit %s not found.", unit)
	case u.Load == unitstate.LoadMasked && t != unitstate.Stop:
		return unitstate.Job{}, nil, unitstate.Errorf(unitstate.ErrUnitMasked, "Unit %s is masked.", unit)
	case t == unitstate.Reload && !u.CanReload:
		return unitstate.Job{}, nil, unitstate.Errorf(unitstate.ErrJobTypeNotApplicable, "Job type reload is not applicable for unit %s.", unit)
	case mode == unitstate.Isolate && !u.CanIsolate:
		return unitstate.Job{}, nil, unitstate.Errorf(unitstate.ErrNoIsolation, "Operation refused, unit may not be isolated.")
	}
	j := &unitstate.Job{ID: f.nextJob, Unit: u.Name, Type: t, State: unitstate.JobRunning}
	f.nextJob++
	f.jobs[j.ID] = j
	u.JobID, u.JobType = j.ID, t
	f.emit(unitstate.Event{Kind: unitstate.JobNew, Job: *j})
	if strings.HasPrefix(unit, "stuck") {
		return *j, []unitstate.Job{}, nil
	}
	delay := time.Duration(0)
	if strings.HasPrefix(unit, "slow") {
		delay = f.Delay
	}
	time.AfterFunc(delay, func() { f.finish(j) })
	return *j, []unitstate.Job{}, nil
}

// finish ends a job as its type and its unit's name want.
func (f *Fake) finish(j *unitstate.Job) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.jobs[j.ID] == nil {
		return
	}
	u := f.units[j.Unit]
	result := unitstate.JobDone
	up := map[string]unitstate.SubState{"service": "running", "socket": "listening", "timer": "waiting", "path": "waiting", "mount": "mounted"}[u.Type]
	if up == "" {
		up = "active"
	}
	switch j.Type {
	case unitstate.Stop:
		u.Active, u.Sub = unitstate.Inactive, "dead"
	default:
		if strings.HasPrefix(j.Unit, "fail") {
			u.Active, u.Sub, result = unitstate.Failed, "failed", unitstate.JobFailed
			if u.Service != nil {
				u.Service.Result = "exit-code"
			}
		} else {
			u.Active, u.Sub = unitstate.Active, up
			u.StateChange, u.ActiveEnter, u.InactiveExit = Epoch, Epoch, Epoch
		}
	}
	f.end(j, result)
}

func (f *Fake) end(j *unitstate.Job, r unitstate.JobResult) {
	delete(f.jobs, j.ID)
	if u := f.units[j.Unit]; u != nil && u.JobID == j.ID {
		u.JobID, u.JobType = 0, ""
	}
	f.emit(unitstate.Event{Kind: unitstate.UnitChanged, Unit: j.Unit})
	f.emit(unitstate.Event{Kind: unitstate.JobRemoved, Job: *j, Result: r})
}

// Jobs implements unitstate.Backend.
func (f *Fake) Jobs() []unitstate.Job {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := []unitstate.Job{}
	for id := uint32(1); id < f.nextJob; id++ {
		if j := f.jobs[id]; j != nil {
			out = append(out, *j)
		}
	}
	return out
}

// Job implements unitstate.Backend.
func (f *Fake) Job(id uint32) (unitstate.Job, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if j := f.jobs[id]; j != nil {
		return *j, nil
	}
	return unitstate.Job{}, unitstate.Errorf(unitstate.ErrNoSuchJob, "Job %d does not exist.", id)
}

// JobsAround implements unitstate.Backend.
func (f *Fake) JobsAround(id uint32) ([]unitstate.Job, []unitstate.Job, error) {
	_, err := f.Job(id)
	return nil, nil, err
}

// CancelJob implements unitstate.Backend.
func (f *Fake) CancelJob(id uint32) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	j := f.jobs[id]
	if j == nil {
		return unitstate.Errorf(unitstate.ErrNoSuchJob, "Job %d does not exist.", id)
	}
	f.end(j, unitstate.JobCanceled)
	return nil
}

// ClearJobs implements unitstate.Backend.
func (f *Fake) ClearJobs() {
	for _, j := range f.Jobs() {
		f.CancelJob(j.ID)
	}
}

// known notes a call and finds its unit.
func (f *Fake) known(unit string, words ...string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.note(append(words, unit)...)
	if f.units[unit] == nil {
		return unitstate.NoSuchUnit(unit)
	}
	return nil
}

// Kill implements unitstate.Backend.
func (f *Fake) Kill(unit string, whom unitstate.Whom, signal int) error {
	return f.known(unit, "Kill", string(whom), fmt.Sprint(signal))
}

// ResetFailed implements unitstate.Backend.
func (f *Fake) ResetFailed(unit string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.note("ResetFailed", unit)
	if unit != "" && f.units[unit] == nil {
		return unitstate.NoSuchUnit(unit)
	}
	for n, u := range f.units {
		if (unit == "" || n == unit) && u.Active == unitstate.Failed {
			u.Active, u.Sub = unitstate.Inactive, "dead"
		}
	}
	return nil
}

// Clean implements unitstate.Backend.
func (f *Fake) Clean(unit string, what []string) error {
	return f.known(unit, "Clean", strings.Join(what, ","))
}

// Freeze implements unitstate.Backend.
func (f *Fake) Freeze(unit string) error { return f.known(unit, "Freeze") }

// Thaw implements unitstate.Backend.
func (f *Fake) Thaw(unit string) error { return f.known(unit, "Thaw") }

// Ref implements unitstate.Backend.
func (f *Fake) Ref(unit string) error { return f.known(unit, "Ref") }

// Unref implements unitstate.Backend.
func (f *Fake) Unref(unit string) error { return f.known(unit, "Unref") }

// Attach implements unitstate.Backend.
func (f *Fake) Attach(unit, sub string, pids []int) error {
	return f.known(unit, "Attach", sub, fmt.Sprint(pids))
}

// SetProperties implements unitstate.Backend.
func (f *Fake) SetProperties(unit string, runtime bool, props []unitstate.Property) error {
	return f.known(unit, "SetProperties", fmt.Sprint(runtime), fmt.Sprint(props))
}

// StartTransient implements unitstate.Backend.
func (f *Fake) StartTransient(unit string, mode unitstate.JobMode, props []unitstate.Property, aux []unitstate.Transient) (unitstate.Job, error) {
	s := Settings{}
	for _, p := range props {
		sec := strings.ToUpper(unitname.Type(unit)[:1]) + unitname.Type(unit)[1:]
		if slices.Contains([]string{"Description", "CollectMode", "After", "Requires"}, p.Name) {
			sec = "Unit"
		}
		if s[sec] == nil {
			s[sec] = map[string][]string{}
		}
		s[sec][p.Name] = append(s[sec][p.Name], p.Values...)
	}
	u := Unit(unit, unitstate.Value(s, "Unit", "Description"), unitstate.Inactive, "dead", s)
	u.Transient = true
	f.Add(u)
	f.mu.Lock()
	f.note("StartTransient", unit, fmt.Sprint(props), fmt.Sprint(aux))
	f.mu.Unlock()
	return f.Enqueue(unitstate.Start, unit, mode)
}

// Reload implements unitstate.Backend.
func (f *Fake) Reload() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.note("Reload")
	f.emit(unitstate.Event{Kind: unitstate.ReloadBegin})
	f.emit(unitstate.Event{Kind: unitstate.ReloadEnd})
	return nil
}

// Reexecute implements unitstate.Backend.
func (f *Fake) Reexecute() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.note("Reexecute")
	return nil
}

// Shutdown implements unitstate.Backend.
func (f *Fake) Shutdown(kind unitstate.ShutdownKind, code int) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.note("Shutdown", string(kind))
	return nil
}

// SetExitCode implements unitstate.Backend.
func (f *Fake) SetExitCode(code int) error { return nil }

// SetEnvironment implements unitstate.Backend.
func (f *Fake) SetEnvironment(as []string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.env = append(f.env, as...)
	return nil
}

// UnsetEnvironment implements unitstate.Backend.
func (f *Fake) UnsetEnvironment(names []string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.env = slices.DeleteFunc(f.env, func(a string) bool {
		n, _, _ := strings.Cut(a, "=")
		return slices.Contains(names, n) || slices.Contains(names, a)
	})
	return nil
}

// Logs implements unitstate.Backend.
func (f *Fake) Logs(string) ([]string, error) { return nil, nil }

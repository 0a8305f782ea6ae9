package activation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/unitgen/unitgen/runtime/bus"
	"github.com/unitgen/unitgen/runtime/plan"
)

// errUnitsFailed says that the switch itself went well, but units did not.
var errUnitsFailed = errors.New("units failed")

// jobs carries out one kind of action on all targets. All jobs of a phase are
// queued at once, so that the manager orders them by its dependencies and runs
// what is unordered in parallel. Failures of units are gathered for the gate;
// an error means that the manager itself is at fault.
func (a *Activation) jobs(ctx context.Context, phase Phase, action plan.Action) error {
	any := false
	for _, p := range a.report.Plans {
		any = any || slices.ContainsFunc(p.Steps, func(s plan.Step) bool { return s.Action == action })
	}
	if !any {
		return nil
	}
	if err := a.journal.enter(phase); err != nil {
		return err
	}
	for _, p := range a.report.Plans {
		t, ok := a.target(p.Target)
		if !ok {
			continue
		}
		var units []string
		for _, s := range p.Steps {
			if s.Action == action {
				units = append(units, s.Unit)
			}
		}
		failures, err := a.run(ctx, t, phase, units)
		a.report.Failures = append(a.report.Failures, failures...)
		if err != nil {
			return err
		}
	}
	if len(a.report.Failures) > 0 && phase != PhaseStart && !a.o.KeepOnFailure {
		return errUnitsFailed
	}
	return ctx.Err()
}

// run queues the jobs of one phase on one manager and waits for them.
func (a *Activation) run(ctx context.Context, t Target, phase Phase, units []string) ([]Failure, error) {
	if len(units) == 0 {
		return nil, nil
	}
	if phase == PhaseStart || phase == PhaseRestart {
		a.clearFailed(ctx, t, units)
	}
	var failures []Failure
	var queued []bus.Job
	a.queued = time.Now()
	for _, u := range units {
		a.tell(Event{Phase: phase, Target: t.name(), Unit: u})
		job, err := enqueue(ctx, t.Manager, phase, u)
		switch {
		case err == nil:
			queued = append(queued, job)
		case phase == PhaseStop && (bus.IsError(err, "NoSuchUnit") || bus.IsError(err, "LoadFailed")):
			a.tell(Event{Phase: phase, Target: t.name(), Unit: u, Done: true, Result: "done"})
		case isRefusal(err):
			failures = append(failures, Failure{Target: t.name(), Unit: u, Reason: fmt.Sprintf("%s: %v", phase, err)})
			a.tell(Event{Phase: phase, Target: t.name(), Unit: u, Done: true, Result: err.Error()})
		default:
			return failures, fmt.Errorf("%s %s: the manager does not answer: %w", phase, u, err)
		}
	}
	limit := a.o.JobTimeout
	if limit == 0 {
		limit = DefaultJobTimeout
	}
	waiting, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	results, err := t.Manager.WaitJobs(waiting, queued...)
	for _, r := range results {
		switch {
		case r.Result == "":
			c, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
			_ = t.Manager.CancelJob(c, r.ID)
			cancel()
			why := fmt.Sprintf("%s did not end within %s", phase, limit)
			if ctx.Err() != nil {
				why = fmt.Sprintf("%s was interrupted", phase)
			}
			failures = append(failures, a.failure(t, r.Unit, why))
		case r.Failed() && !(phase == PhaseStop && r.Result == "canceled"):
			failures = append(failures, a.failure(t, r.Unit, a.why(t, phase, r)))
		}
		a.tell(Event{Phase: phase, Target: t.name(), Unit: r.Unit, Done: true, Result: r.Result})
	}
	if err != nil && !errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return failures, fmt.Errorf("the %s manager was lost while its jobs ran: %w", t.name(), err)
	}
	return failures, ctx.Err()
}

func enqueue(ctx context.Context, m Manager, phase Phase, unit string) (bus.Job, error) {
	switch phase {
	case PhaseStop:
		return m.StopUnit(ctx, unit, "replace")
	case PhaseReload:
		return m.ReloadOrRestartUnit(ctx, unit, "replace") // the plan says which
	case PhaseRestart:
		return m.RestartUnit(ctx, unit, "replace")
	default:
		return m.StartUnit(ctx, unit, "replace")
	}
}

// isRefusal reports whether the manager answered, and said no.
func isRefusal(err error) bool {
	var e *bus.Error
	return errors.As(err, &e)
}

// clearFailed forgets earlier failures of units that are to start, so that a
// start limit reached with the old file does not count for the new one.
func (a *Activation) clearFailed(ctx context.Context, t Target, units []string) {
	for _, u := range units {
		if a.before[t.name()][u] == "failed" {
			// A unit that is not loaded has nothing to forget.
			_ = t.Manager.ResetFailed(ctx, u)
		}
	}
}

// why words the result of a job that failed.
func (a *Activation) why(t Target, phase Phase, r bus.JobResult) string {
	switch r.Result {
	case "failed":
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if res, err := t.Manager.GetUnitProperty(ctx, r.Unit, "Result"); err == nil {
			if s, ok := res.(string); ok && s != "success" && s != "" {
				return fmt.Sprintf("%s failed (%s)", phase, s)
			}
		}
		return string(phase) + " failed"
	case "timeout":
		return string(phase) + " timed out"
	case "dependency":
		return string(phase) + " failed because of a unit it depends on"
	case "canceled":
		return string(phase) + " was canceled"
	case "disconnected":
		return "the manager went away during the " + string(phase)
	}
	return fmt.Sprintf("%s: %s", phase, r.Result)
}

package activation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/unitgen/unitgen/runtime/plan"
)

// undoTimeout bounds an undo as a whole, on top of the deadlines of its jobs.
const undoTimeout = 15 * time.Minute

// undo goes back to the generation that was current before, after cause made
// the switch fail. It does not heed the context that may have ended.
func (a *Activation) undo(cause error) error {
	ctx, cancel := context.WithTimeout(context.Background(), undoTimeout)
	defer cancel()
	a.tell(Event{Phase: PhaseUndo})
	leftover, err := a.back(ctx)
	a.report.Leftover = leftover
	if err == nil && len(leftover) == 0 {
		a.report.Outcome = RolledBack
		return cause
	}
	a.report.Outcome = Broken
	if err != nil {
		return errors.Join(cause, fmt.Errorf("going back to generation %d failed: %w; run \"unitgen recover\" when the cause is gone", a.begin.From, err))
	}
	return cause
}

// back carries out the inverse of every phase that had begun. It may be cut
// off and carried out again. It gives what did not come back; an error means
// that the journal stays, for another attempt.
func (a *Activation) back(ctx context.Context) ([]string, error) {
	j, s, b := a.journal, a.o.State, a.begin
	if err := j.enter(PhaseUndo); err != nil {
		return nil, err
	}
	failures := a.report.Failures
	a.report.Failures = nil
	defer func() { a.report.Failures = failures }()

	// What the new generation started stops while its unit files are in force.
	if j.reached(PhaseStart) {
		for _, p := range b.Plans {
			if err := a.undoJobs(ctx, p, PhaseStop, a.toStop(p)); err != nil {
				return nil, err
			}
		}
	}
	if b.Before != nil && j.reached(PhaseFiles) {
		if err := a.o.Place.prepare(s, b.After, b.Before); err != nil {
			return nil, err
		}
	}
	moved := j.reached(PhasePivot)
	if cur, ok, err := s.Current(); err == nil && ok && cur.Number == b.To {
		moved = true // whatever the journal has lost
	}
	if moved {
		if err := s.SetCurrent(b.From); err != nil {
			return nil, err
		}
	}
	if b.Before != nil && j.reached(PhaseFiles) {
		if err := a.o.Place.finish(s, b.After, b.Before); err != nil {
			return nil, err
		}
	}
	var secrets []string
	if moved {
		secrets = a.restoreSecrets(s, b.From)
		for _, t := range a.o.Targets {
			if err := t.Manager.Reload(ctx); err != nil {
				return nil, fmt.Errorf("the %s manager did not reload: %w", t.name(), err)
			}
		}
	}
	for _, p := range b.Plans {
		for _, do := range []struct {
			phase Phase
			units []string
		}{{PhaseReload, a.toReload(p)}, {PhaseRestart, a.toRestart(p)}, {PhaseStart, a.toStart(p)}} {
			if err := a.undoJobs(ctx, p, do.phase, do.units); err != nil {
				return nil, err
			}
		}
	}
	a.forgetFailures(ctx)
	leftover := append(a.missing(ctx), secrets...)
	if err := s.SetBoot(b.BootFrom); err != nil {
		return leftover, err
	}
	return leftover, j.close()
}

// undoJobs runs jobs of the way back. What a unit refuses is found by missing.
func (a *Activation) undoJobs(ctx context.Context, p TargetPlan, phase Phase, units []string) error {
	t, ok := a.target(p.Target)
	if !ok || len(units) == 0 {
		return nil
	}
	if phase == PhaseStart || phase == PhaseRestart {
		for _, u := range units {
			_ = t.Manager.ResetFailed(ctx, u) // a unit that is not loaded has nothing to forget
		}
	}
	_, err := a.run(ctx, t, phase, units)
	return err
}

// forgetFailures has the managers forget failures of units that the switch or
// its undoing brought about: a unit that was stopped on its way up counts as
// failed, and so does one whose new file was bad. Those that were down are down
// again, as before.
func (a *Activation) forgetFailures(ctx context.Context) {
	for _, p := range a.begin.Plans {
		t, ok := a.target(p.Target)
		if !ok {
			continue
		}
		now, err := States(ctx, t)
		if err != nil {
			continue // missing says so
		}
		for _, s := range p.Steps {
			if now[s.Unit] == "failed" && !a.wasUp(p, s.Unit) && !slices.Contains(a.begin.Failed[p.Target], s.Unit) && a.began(p, s.Unit) {
				_ = t.Manager.ResetFailed(ctx, s.Unit) // it may be gone by itself
			}
		}
	}
}

func (a *Activation) wasUp(p TargetPlan, unit string) bool {
	return slices.Contains(a.begin.Active[p.Target], unit)
}

// toStop are the units that the start phase brought up and that were not up
// before, or have to come up again from their old file. Those stopped last
// started first.
func (a *Activation) toStop(p TargetPlan) []string {
	var out []string
	for _, s := range p.Steps {
		if s.Action == plan.Start {
			out = append(out, s.Unit)
		}
	}
	slices.Reverse(out)
	return out
}

func (a *Activation) toReload(p TargetPlan) []string {
	return a.upAgain(p, plan.Reload, PhaseReload)
}

func (a *Activation) toRestart(p TargetPlan) []string {
	return a.upAgain(p, plan.Restart, PhaseRestart)
}

func (a *Activation) toStart(p TargetPlan) []string {
	out := a.upAgain(p, plan.Stop, PhaseStop)
	slices.Reverse(out) // stops are in the opposite order of starts
	return out
}

// upAgain gives the units of an action whose phase had begun and that were up
// before.
func (a *Activation) upAgain(p TargetPlan, action plan.Action, phase Phase) []string {
	if !a.journal.reached(phase) {
		return nil
	}
	var out []string
	for _, s := range p.Steps {
		if s.Action == action && a.wasUp(p, s.Unit) {
			out = append(out, s.Unit)
		}
	}
	return out
}

// missing names the units that were up before the switch and are not now.
func (a *Activation) missing(ctx context.Context) []string {
	var out []string
	for _, p := range a.begin.Plans {
		t, ok := a.target(p.Target)
		if !ok {
			continue
		}
		now, err := States(ctx, t)
		if err != nil {
			out = append(out, fmt.Sprintf("the %s manager: %v", p.Target, err))
			continue
		}
		for _, u := range a.begin.Active[p.Target] {
			if !isUp(now[u]) && a.began(p, u) && !a.endsByItself(ctx, t, u) {
				out = append(out, u+" was "+a.word(p, u)+" before and is "+orInactive(now[u])+" now")
			}
		}
	}
	return out
}

func (a *Activation) word(p TargetPlan, u string) string {
	if w := a.before[p.Target][u]; w != "" {
		return w
	}
	return "active"
}

// began reports whether the switch did anything to the unit.
func (a *Activation) began(p TargetPlan, unit string) bool {
	phases := map[plan.Action]Phase{plan.Stop: PhaseStop, plan.Start: PhaseStart, plan.Restart: PhaseRestart, plan.Reload: PhaseReload}
	for _, s := range p.Steps {
		if s.Unit == unit && s.Action != plan.Skip && s.Action != plan.Disable && a.journal.reached(phases[s.Action]) {
			return true
		}
	}
	return false
}

// endsByItself reports whether a unit is a oneshot that is inactive after it
// ran.
func (a *Activation) endsByItself(ctx context.Context, t Target, unit string) bool {
	v, err := t.Manager.GetUnitProperty(ctx, unit, "Type")
	if err != nil || v != "oneshot" {
		return false
	}
	res, err := t.Manager.GetUnitProperty(ctx, unit, "Result")
	return err == nil && res == "success"
}

func orInactive(s string) string {
	if s == "" {
		return "inactive"
	}
	return s
}

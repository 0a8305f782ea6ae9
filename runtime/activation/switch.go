package activation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"time"

	"github.com/unitgen/unitgen/emit"
	"github.com/unitgen/unitgen/runtime/generation"
	"github.com/unitgen/unitgen/runtime/plan"
	"github.com/unitgen/unitgen/schema/tree"
)

// Switch makes a generation the current one. The caller holds the state's
// lock. An error comes with the report: errors that wrap ErrRefused mean that
// nothing was touched.
//
// When ctx ends, the switch is undone like any failure.
func Switch(ctx context.Context, o Options) (Report, error) {
	a := &Activation{o: o}
	if err := a.preflight(ctx); err != nil {
		a.report.Outcome = Refused
		return a.report, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	if a.nothing() {
		return a.report, a.commitQuietly()
	}
	j, err := newJournal(o.State, a.begin)
	if err != nil {
		a.report.Outcome = Refused
		return a.report, fmt.Errorf("%w: the journal cannot be begun: %w", ErrRefused, err)
	}
	a.journal = j
	err = a.forward(ctx)
	if err == nil {
		return a.report, a.commit()
	}
	if errors.Is(err, errUnitsFailed) && o.KeepOnFailure {
		a.report.Outcome = Degraded
		j.failed = true
		return a.report, errors.Join(err, a.commit())
	}
	if ctx.Err() == nil {
		// The note is lost on a disk that is full; going back matters more.
		_ = o.State.MarkFailed(o.To)
	}
	return a.report, a.undo(err)
}

// preflight finds out all that is needed, and everything that is in the way,
// before anything is touched.
func (a *Activation) preflight(ctx context.Context) error {
	s := a.o.State
	if j, b, err := readJournal(s); err != nil {
		return err
	} else if j != nil {
		return fmt.Errorf("a switch from generation %d to %d was cut off; run \"unitgen recover\" first", b.From, b.To)
	}
	to, err := s.Get(a.o.To)
	if err != nil {
		return err
	}
	from, ok, err := s.Current()
	if err != nil {
		return err
	}
	a.old = plan.Empty()
	if ok {
		if a.old, err = plan.Read(from.Tree); err != nil && !a.o.Force {
			return fmt.Errorf("the tree of generation %d, the current one, cannot be read: %w; --force goes on as if nothing had been current, and leaves running what only that tree has", from.Number, err)
		} else if err != nil {
			a.old = plan.Empty()
		}
	}
	if err := a.unmodified(to); err != nil {
		return err
	}
	if a.new, err = plan.Read(to.Tree); err != nil {
		return fmt.Errorf("the tree of generation %d cannot be read: %w", to.Number, err)
	}
	boot, _, err := s.Boot()
	if err != nil {
		return err
	}
	a.report.From, a.report.To = from.Number, to.Number
	a.begin = begin{
		From: from.Number, To: to.Number, BootFrom: boot.Number, NoBoot: a.o.NoBoot,
		Active: map[string][]string{}, Failed: map[string][]string{}, Since: time.Now().UTC(),
	}
	return errors.Join(a.examine(ctx, from, to)...)
}

// examine asks the managers and the host, and gives all that is in the way of a
// switch. It changes nothing.
func (a *Activation) examine(ctx context.Context, from, to generation.Generation) []error {
	var refusals []error
	refuse := func(err error) {
		if err != nil {
			refusals = append(refusals, err)
		}
	}
	var err error
	a.secrets, err = decrypt(a.o, to.Tree)
	refuse(err)
	if len(a.o.Targets) > 0 {
		refuse(a.verify())
	}
	links, err := a.o.Place.Links(a.o.State)
	refuse(err)
	a.before = map[string]map[string]string{}
	var inhibited []string
	for _, t := range a.o.Targets {
		states, err := States(ctx, t)
		if err != nil {
			return append(refusals, fmt.Errorf("the %s manager does not answer: %w", t.name(), err))
		}
		a.before[t.name()] = states
		p, inhibitors := planFor(a.old, a.new, t, states, links)
		for _, i := range inhibitors {
			inhibited = append(inhibited, i.Unit+scopeOf(t)+": "+i.Reason)
		}
		a.report.Plans = append(a.report.Plans, TargetPlan{Target: t.name(), Steps: p})
		for _, st := range p {
			if isUp(states[st.Unit]) && !slices.Contains(a.begin.Active[t.name()], st.Unit) {
				a.begin.Active[t.name()] = append(a.begin.Active[t.name()], st.Unit)
			}
			if states[st.Unit] == "failed" {
				a.begin.Failed[t.name()] = append(a.begin.Failed[t.name()], st.Unit)
			}
		}
	}
	a.begin.Plans = a.report.Plans
	refuse(a.inhibited(ctx, inhibited))
	if a.o.Place != nil {
		refuse(a.o.Place.preflight(a.o, from, to, &a.begin))
		if a.begin.After != nil {
			a.report.Repaired = a.o.Place.drifted(a.begin.Before, a.begin.After)
			if m, err := emit.ReadManifest(to.Tree); err == nil {
				a.report.Warnings = a.o.Place.stillPulled(m)
			}
		}
	}
	a.report.Warnings = append(a.report.Warnings, a.leftOut()...)
	refuse(a.enoughSpace())
	return refusals
}

// planFor gives the steps of one target's scope, and what inhibits them.
func planFor(old, new *plan.Tree, t Target, states map[string]string, links []plan.Link) ([]plan.Step, []plan.Inhibitor) {
	st := plan.States{System: states, User: map[string]string{}, Links: links}
	if t.Scope == tree.User {
		st.System, st.User = st.User, st.System
	}
	p := plan.Make(old, new, st)
	steps := []plan.Step{}
	for _, s := range p.Steps {
		if s.Scope == t.Scope {
			steps = append(steps, s)
		}
	}
	var inhibitors []plan.Inhibitor
	for _, i := range p.Inhibitors {
		if i.Scope == t.Scope {
			inhibitors = append(inhibitors, i)
		}
	}
	return steps, inhibitors
}

// States gives the active state of every loaded unit of a target.
func States(ctx context.Context, t Target) (map[string]string, error) {
	units, err := t.Manager.ListUnits(ctx)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, u := range units {
		if u.Followed == "" {
			out[u.Name] = u.ActiveState
		}
	}
	return out, nil
}

func isUp(state string) bool { return state != "" && state != "inactive" && state != "failed" }

// nothing reports whether the generation is current already and all is in
// place.
func (a *Activation) nothing() bool {
	for _, p := range a.report.Plans {
		if len(p.Steps) > 0 {
			return false
		}
	}
	return a.begin.From == a.begin.To && a.begin.Before.same(a.begin.After) && len(a.report.Repaired) == 0
}

func (a *Activation) commitQuietly() error {
	if a.o.NoBoot || a.begin.BootFrom == a.begin.To {
		return nil
	}
	return a.o.State.SetBoot(a.begin.To)
}

// forward goes from phase to phase. An error leaves everything for undo.
func (a *Activation) forward(ctx context.Context) error {
	j, s := a.journal, a.o.State
	if a.begin.After != nil {
		if err := j.enter(PhaseFiles); err != nil {
			return err
		}
		if err := a.o.Place.prepare(s, a.begin.Before, a.begin.After); err != nil {
			return err
		}
	}
	if err := a.jobs(ctx, PhaseStop, plan.Stop); err != nil {
		return err
	}
	if err := j.enter(PhasePivot); err != nil {
		return err
	}
	a.tell(Event{Phase: PhasePivot})
	if err := s.SetCurrent(a.begin.To); err != nil {
		return err
	}
	if a.begin.After != nil {
		if err := a.o.Place.finish(s, a.begin.Before, a.begin.After); err != nil {
			return err
		}
	}
	if err := a.installSecrets(a.secrets); err != nil {
		return err
	}
	if err := a.reread(ctx); err != nil {
		return err
	}
	for _, p := range []struct {
		phase  Phase
		action plan.Action
	}{{PhaseReload, plan.Reload}, {PhaseRestart, plan.Restart}, {PhaseStart, plan.Start}} {
		if err := a.jobs(ctx, p.phase, p.action); err != nil {
			return err
		}
	}
	return a.gate(ctx)
}

// reread has every manager read its unit files again.
func (a *Activation) reread(ctx context.Context) error {
	if len(a.o.Targets) == 0 {
		return nil
	}
	if err := a.journal.enter(PhaseReread); err != nil {
		return err
	}
	for _, t := range a.o.Targets {
		a.tell(Event{Phase: PhaseReread, Target: t.name()})
		c, cancel := context.WithTimeout(ctx, 2*time.Minute)
		err := t.Manager.Reload(c)
		cancel()
		if err != nil {
			return fmt.Errorf("the %s manager did not reload: %w", t.name(), err)
		}
	}
	return nil
}

// commit makes the switch last. From the journal's commit record on a crash is
// finished, not undone.
func (a *Activation) commit() error {
	if err := a.journal.enter(PhaseCommit); err != nil {
		return a.undo(err)
	}
	if err := finishCommit(a.o, a.begin, a.journal); err != nil {
		return fmt.Errorf("the switch is done, but not all was put down: %w; run \"unitgen recover\"", err)
	}
	return nil
}

func finishCommit(o Options, b begin, j *journal) error {
	if !b.NoBoot {
		if err := o.State.SetBoot(b.To); err != nil {
			return err
		}
	}
	if err := remember(o.State, b, j.failed); err != nil {
		return err
	}
	return j.close()
}

// remember takes note of how a switch ended, and that the generation which was
// current until then had been in force, however it came to be (a boot asks
// nobody). Generations that are gone are no matter.
func remember(s *generation.State, b begin, failed bool) error {
	if g, err := s.Get(b.From); err == nil && !g.Failed {
		if err := s.MarkGood(b.From); err != nil {
			return err
		}
	}
	if _, err := s.Get(b.To); err != nil {
		return nil
	}
	if failed {
		return s.MarkFailed(b.To)
	}
	return s.MarkGood(b.To)
}

func sortedNames[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}

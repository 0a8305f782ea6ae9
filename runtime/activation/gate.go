package activation

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/unitgen/unitgen/emit"
	"github.com/unitgen/unitgen/runtime/plan"
	"github.com/unitgen/unitgen/schema/tree"
	"github.com/unitgen/unitgen/schema/unitname"
)

// gate is the health gate: units of the trees that newly fail make the switch
// fail, and so do checks. A unit that had failed before does not.
func (a *Activation) gate(ctx context.Context) error {
	if err := a.journal.enter(PhaseGate); err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, f := range a.report.Failures {
		seen[f.Target+" "+f.Unit] = true
	}
	for _, p := range a.report.Plans {
		t, ok := a.target(p.Target)
		if !ok {
			continue
		}
		failed, err := a.settle(ctx, t, started(p.Steps))
		if err != nil {
			return err
		}
		for _, f := range failed {
			if !seen[f.Target+" "+f.Unit] {
				a.report.Failures = append(a.report.Failures, f)
			}
		}
	}
	if len(a.report.Failures) > 0 {
		return errUnitsFailed
	}
	if len(a.o.Targets) == 0 {
		return nil
	}
	if !a.probed() {
		return nil
	}
	checks, err := emit.ReadChecks(a.new.Dir())
	if err != nil {
		return err
	}
	a.report.Failures = append(a.report.Failures, runChecks(ctx, checks, a.tell)...)
	if len(a.report.Failures) > 0 {
		return errUnitsFailed
	}
	return ctx.Err()
}

// probed reports whether the checks of the tree are for what was switched: they
// look at the system's services, and where only those of a user follow, whoever
// runs the others is not at fault. A tree without system units means its users'.
func (a *Activation) probed() bool {
	for _, t := range a.o.Targets {
		if t.Scope == tree.System {
			return true
		}
	}
	return len(a.new.UnitNames(tree.System)) == 0
}

// started gives the units that a switch started or restarted.
func started(steps []plan.Step) []string {
	var out []string
	for _, s := range steps {
		if s.Action == plan.Start || s.Action == plan.Restart {
			out = append(out, s.Unit)
		}
	}
	return out
}

// settle watches a manager until the units that were started have stood for a
// while, and gives those of the tree that newly failed. A service that its
// manager keeps restarting counts as failed.
func (a *Activation) settle(ctx context.Context, t Target, units []string) ([]Failure, error) {
	watch := false
	for _, u := range units {
		watch = watch || unitname.Type(u) == "service"
	}
	limit := a.o.Settle
	if limit == 0 {
		limit = DefaultSettle
	}
	deadline := time.Now().Add(limit)
	for {
		failures, err := a.newlyFailed(ctx, t, units)
		if err != nil || len(failures) > 0 || !watch || !time.Now().Before(deadline) {
			return failures, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(min(50*time.Millisecond, time.Until(deadline)+time.Millisecond)):
		}
	}
}

func (a *Activation) newlyFailed(ctx context.Context, t Target, units []string) ([]Failure, error) {
	list, err := t.Manager.ListUnits(ctx)
	if err != nil {
		return nil, fmt.Errorf("the %s manager does not answer: %w", t.name(), err)
	}
	touched := map[string]bool{}
	for _, u := range units {
		touched[u] = true
	}
	var out []Failure
	for _, u := range list {
		if !touched[u.Name] && !a.new.Has(t.Scope, u.Name) {
			continue
		}
		was := a.before[t.name()][u.Name]
		switch {
		case u.ActiveState == "failed" && (was != "failed" || touched[u.Name]):
			out = append(out, a.failure(t, u.Name, "failed after its start"))
		case touched[u.Name] && strings.HasPrefix(u.SubState, "auto-restart"):
			out = append(out, a.failure(t, u.Name, "ends again and again, and its manager restarts it"))
		}
	}
	return out, nil
}

package activation

import (
	"context"
	"fmt"

	"github.com/unitgen/unitgen/runtime/plan"
)

// Recovery says what Recover found and did.
type Recovery struct {
	Found    bool // a switch had been cut off
	Finished bool // it was finished; false: undone
	From, To int
	Leftover []string
}

// Recover finishes or undoes a switch that was cut off, at whatever
// instruction: one whose commit had begun is finished, any other is undone.
// Without targets (no manager runs, as at boot) the files alone are put right,
// and the units come up from them. The caller holds the state's lock.
func Recover(ctx context.Context, o Options) (Recovery, error) {
	j, b, err := readJournal(o.State)
	if err != nil {
		return Recovery{}, err
	}
	if j == nil {
		_, err := o.State.Temporaries()
		return Recovery{}, err
	}
	r := Recovery{Found: true, From: b.From, To: b.To}
	if _, err := o.State.Temporaries(); err != nil {
		return r, err
	}
	if o.Place == nil && b.After != nil {
		o.Place = &Place{Root: b.After.Root, Units: b.After.Units, Etc: b.After.Etc, User: b.After.User}
	}
	if o.Place != nil {
		if err := o.Place.temporaries(o.State, b.Before, b.After); err != nil {
			return r, err
		}
	}
	if j.phase == PhaseCommit && !j.undo {
		r.Finished = true
		return r, finishCommit(o, *b, j)
	}
	a := &Activation{o: o, journal: j, begin: *b, old: plan.Empty(), new: plan.Empty()}
	a.report.Plans = b.Plans
	a.report.From, a.report.To = b.From, b.To
	r.Leftover, err = a.back(ctx)
	if err != nil {
		return r, fmt.Errorf("the switch from generation %d to %d cannot be undone: %w", b.From, b.To, err)
	}
	return r, nil
}

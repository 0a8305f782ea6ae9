// Package activation carries out a plan as a transaction: preflight, journal,
// files, daemon-reload, jobs, health gate, commit. What fails is undone by the
// inverse steps; what is cut off at any instruction is finished or undone by
// Recover. There is never a mixture of two generations.
//
// It takes a state directory, the number of the generation to switch to, and
// the managers whose units follow. It speaks to a manager only by the methods
// of Manager, so systemd and the bundled manager are the same to it. It knows
// nothing of HCL or of how a tree was compiled.
package activation

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/unitgen/unitgen/runtime/bus"
	"github.com/unitgen/unitgen/runtime/credential"
	"github.com/unitgen/unitgen/runtime/generation"
	"github.com/unitgen/unitgen/runtime/plan"
	"github.com/unitgen/unitgen/schema/tree"
)

// Manager is what a switch asks of a service manager; bus.Client has it.
type Manager interface {
	ListUnits(ctx context.Context) ([]bus.UnitStatus, error)
	Reload(ctx context.Context) error
	StartUnit(ctx context.Context, unit, mode string) (bus.Job, error)
	StopUnit(ctx context.Context, unit, mode string) (bus.Job, error)
	RestartUnit(ctx context.Context, unit, mode string) (bus.Job, error)
	ReloadOrRestartUnit(ctx context.Context, unit, mode string) (bus.Job, error)
	WaitJobs(ctx context.Context, jobs ...bus.Job) ([]bus.JobResult, error)
	CancelJob(ctx context.Context, id uint32) error
	ResetFailed(ctx context.Context, units ...string) error
	GetUnitProperty(ctx context.Context, unit, property string) (any, error)
}

// Target is one manager whose units follow the switch.
type Target struct {
	Scope   tree.Scope
	User    string // whose manager, in the user scope; "" for the caller's own
	Manager Manager

	// RuntimeDir is the manager's runtime directory, below which the tree's
	// encrypted credentials are laid in plain; "" for none.
	RuntimeDir string
}

// name says whose steps a target has, in the journal and in messages.
func (t Target) name() string {
	if t.User != "" {
		return string(t.Scope) + ":" + t.User
	}
	return string(t.Scope)
}

// Options say what to switch to and how.
type Options struct {
	State   *generation.State
	To      int      // number of the generation
	Targets []Target // none: files alone
	Place   *Place   // how the tree gets into the host's /etc; nil: not at all

	NoBoot        bool // leave boot where it is
	KeepOnFailure bool // do not undo when units newly fail
	Force         bool // switch in spite of inhibitors, modified trees and little space
	Adopt         bool // take over files in /etc that are somebody else's, keeping a backup
	Unprivileged  bool // an ordinary user switches: what takes root is left out, and said
	Repair        bool // To is current already: put back what drifted, and nothing else

	// Inhibitors gives, in a sentence each, what else asks that services are left
	// alone now; nil for none. It is asked where the plan stops or starts any.
	Inhibitors func(context.Context) ([]string, error)

	JobTimeout time.Duration // of each job; 0: DefaultJobTimeout
	Settle     time.Duration // how long started units are watched; 0: DefaultSettle
	Progress   func(Event)   // told of what happens; may be nil

	// Log gives the last lines that a unit wrote since a time; nil for none.
	Log func(ctx context.Context, t Target, unit string, since time.Time) []string
}

// Defaults of Options.
const (
	DefaultJobTimeout = 5 * time.Minute
	DefaultSettle     = 500 * time.Millisecond
)

// Event is one thing that happened, for progress output.
type Event struct {
	Phase  Phase
	Target string // "system", "user:NAME"
	Unit   string
	Done   bool   // the action ended; Result says how
	Result string // of a job, "done" when all is well
}

// Outcome is how a switch ended.
type Outcome int

// Outcomes, in the order of their exit codes.
const (
	Done       Outcome = iota // 0
	Refused                   // 2: nothing was touched
	RolledBack                // 3: failed, and undone
	Broken                    // 4: failed, and not undone completely
	Degraded                  // 5: done, with newly failed units kept
)

// Report says what a switch did.
type Report struct {
	Outcome  Outcome
	From, To int
	Plans    []TargetPlan
	Failures []Failure // what made it fail
	Leftover []string  // what could not be undone
	Warnings []string  // what the generation asks for and the host does not give
	Repaired []string  // paths that had drifted, and are as the generation says again
}

// TargetPlan is the plan for one target.
type TargetPlan struct {
	Target string      `json:"target"`
	Steps  []plan.Step `json:"steps"`
}

// Failure is one unit or check that failed.
type Failure struct {
	Target string
	Unit   string // or the name of a check
	Reason string
	Log    []string // the last lines that the unit wrote
}

func (f Failure) String() string {
	if f.Target == "" || f.Target == string(tree.System) {
		return f.Unit + ": " + f.Reason
	}
	return fmt.Sprintf("%s (%s): %s", f.Unit, f.Target, f.Reason)
}

// ErrRefused is wrapped by errors of the preflight: nothing was touched.
var ErrRefused = errors.New("refused")

// ConflictError lists every path that somebody else owns.
type ConflictError struct {
	Conflicts []Conflict
}

// Conflict is one path in the way.
type Conflict struct {
	Path, Why string
	Adoptable bool
}

func (e *ConflictError) Error() string {
	s := "these paths are not unitgen's to replace:"
	adoptable := true
	for _, c := range e.Conflicts {
		s += "\n  " + c.Path + ": " + c.Why
		adoptable = adoptable && c.Adoptable
	}
	if adoptable {
		return s + "\nmove them away, leave them out of the configuration, or take them over with --adopt (a backup is kept and comes back when the configuration lets go of them)"
	}
	return s + "\nmove them away, or leave them out of the configuration"
}

func (e *ConflictError) Unwrap() error { return ErrRefused }

// Activation is one switch.
type Activation struct {
	o       Options
	journal *journal
	before  map[string]map[string]string // target -> unit -> active state
	old     *plan.Tree
	new     *plan.Tree
	secrets map[string]*credential.Set // of the new tree, by target
	report  Report
	begin   begin
	queued  time.Time // when the last jobs were
	planned bool      // only a plan is made; it names the units that inhibit it by itself
}

func (a *Activation) tell(e Event) {
	if a.o.Progress != nil {
		a.o.Progress(e)
	}
}

func (a *Activation) target(name string) (Target, bool) {
	for _, t := range a.o.Targets {
		if t.name() == name {
			return t, true
		}
	}
	return Target{}, false
}

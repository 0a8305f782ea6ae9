package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/unitgen/unitgen/runtime/activation"
	"github.com/unitgen/unitgen/runtime/bus"
	"github.com/unitgen/unitgen/runtime/generation"
)

// jsonStatus is the output of `status --json`.
type jsonStatus struct {
	State       string             `json:"state"`
	Current     *jsonGeneration    `json:"current"`
	Boot        *jsonGeneration    `json:"boot"`
	Manager     []string           `json:"managers"`
	Interrupted *interruption      `json:"interrupted"`
	Running     *running           `json:"running"`
	Drift       []activation.Drift `json:"drift"`
	Failed      []string           `json:"failed"`
}

type interruption struct {
	From int `json:"from"`
	To   int `json:"to"`
}

// running is a switch that is at work right now.
type running struct {
	interruption
	Command string    `json:"command"`
	PID     int       `json:"pid"`
	Since   time.Time `json:"since"`
}

func newStatus(a *app) *cobra.Command {
	var state string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show the generations in use and what has drifted from them",
		Long: `Show the current generation and the one that boots, a switch that was cut off,
failed units, and drift: managed files that somebody replaced, trees that were
modified, units that run from another file than the generation's, and drop-ins
of the administrator on top of its units.

Exit code 0 when all is as the generation says, 1 when something is not, and
where there is a generation but no manager that answers.`,
		Example: `  unitgen status
  unitgen status --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := openState(state)
			if err != nil {
				return err
			}
			if _, err := os.Stat(s.Dir()); state != "" && errors.Is(err, fs.ErrNotExist) {
				return &exitError{exitWrong, fmt.Errorf("there is no state directory %s", s.Dir())}
			}
			st := jsonStatus{State: s.Dir(), Manager: []string{}, Drift: []activation.Drift{}, Failed: []string{}}
			astray := s.Astray()
			if g, ok, err := s.Current(); err != nil && !astray {
				return refusedBy(err)
			} else if ok {
				st.Current = rowOf(g)
			}
			if g, ok, err := s.Boot(); err != nil {
				return refusedBy(err)
			} else if ok {
				st.Boot = rowOf(g)
			}
			if from, to, found, err := activation.Interrupted(s); errors.Is(err, fs.ErrPermission) {
				fmt.Fprintln(a.err, "unitgen: whether a switch was cut off is for the owner of", s.Dir(), "to see")
			} else if err != nil {
				return refusedBy(err)
			} else if found {
				if h, ok := s.Holder(); ok {
					st.Running = &running{interruption{from, to}, h.Command, h.PID, h.Since}
				} else {
					st.Interrupted = &interruption{from, to}
				}
			}
			targets, place, done, err := managers(cmd.Context(), s)
			switch {
			case errors.Is(err, bus.ErrNoManager):
			case err != nil:
				return refusedBy(err)
			default:
				defer done()
			}
			for _, t := range targets {
				if c, ok := t.Manager.(bus.Client); ok {
					st.Manager = append(st.Manager, c.Address().String())
				}
			}
			if st.Drift, st.Failed, err = activation.FindDrift(cmd.Context(), activation.Options{State: s, Targets: targets, Place: place}); err != nil {
				return refusedBy(err)
			}
			if astray {
				st.Drift = append(st.Drift, activation.Drift{Kind: "tree", Subject: s.CurrentPath(), Why: "leads to no tree that is there", Repair: "\"unitgen recover\" leads it to one that is"})
			}
			if asJSON {
				err = writeJSON(a.out, st)
			} else {
				err = showStatus(a.out, st)
			}
			silent := len(targets) == 0 && st.Current != nil
			if err == nil && (len(st.Drift) > 0 || len(st.Failed) > 0 || st.Interrupted != nil || silent) {
				return &exitError{code: exitWrong}
			}
			return err
		},
	}
	stateFlag(cmd, &state)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func rowOf(g generation.Generation) *jsonGeneration {
	return &jsonGeneration{g.Number, g.Tree, g.Time.UTC(), g.Current, g.Boot, g.Pinned, g.Failed, g.Parent}
}

func showStatus(w io.Writer, st jsonStatus) error {
	line := func(word, format string, args ...any) {
		fmt.Fprintf(w, "%10s: %s\n", word, fmt.Sprintf(format, args...))
	}
	line("State", "%s", st.State)
	if st.Current == nil {
		line("Current", "none yet")
	} else {
		line("Current", "generation %d, made %s", st.Current.Number, st.Current.Time.Local().Format("2006-01-02 15:04:05"))
		line("Tree", "%s", st.Current.Tree)
	}
	switch {
	case st.Boot == nil:
		line("Boot", "none yet")
	case st.Current != nil && st.Boot.Number == st.Current.Number:
		line("Boot", "the same")
	default:
		line("Boot", "generation %d, from the next boot on", st.Boot.Number)
	}
	if len(st.Manager) == 0 {
		line("Manager", "none answers: nothing of the generation runs, or another state directory is followed")
	}
	for _, m := range st.Manager {
		line("Manager", "%s", m)
	}
	if st.Interrupted != nil {
		line("Cut off", "the switch from generation %d to %d; run \"unitgen recover\"", st.Interrupted.From, st.Interrupted.To)
	}
	if r := st.Running; r != nil {
		line("Under way", "the switch from generation %d to %d, by unitgen %s (process %d)", r.From, r.To, r.Command, r.PID)
	}
	for _, f := range st.Failed {
		line("Failed", "%s", f)
	}
	for _, d := range st.Drift {
		line("Drift", "%s %s", d.Subject, d.Why)
	}
	if len(st.Drift)+len(st.Failed) == 0 && st.Current != nil {
		line("Drift", "none")
	}
	said := map[string]bool{}
	for _, d := range st.Drift {
		if !said[d.Repair] {
			said[d.Repair] = true
			line("Repair", "%s: %s", d.Why, d.Repair)
		}
	}
	return nil
}

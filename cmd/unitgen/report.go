package main

import (
	"fmt"
	"strings"

	"github.com/unitgen/unitgen/runtime/activation"
	"github.com/unitgen/unitgen/runtime/generation"
)

// outcomes are the words of `switch --json`, and the exit codes.
var outcomes = map[activation.Outcome]struct {
	word string
	code int
}{
	activation.Done:       {"done", exitDone},
	activation.Refused:    {"refused", exitRefused},
	activation.RolledBack: {"rolled-back", exitRolledBack},
	activation.Broken:     {"broken", exitBroken},
	activation.Degraded:   {"degraded", exitDegraded},
}

// jsonReport is the output of `switch --json` and `rollback --json`.
type jsonReport struct {
	Outcome  string                  `json:"outcome"`
	From     int                     `json:"from"`
	To       int                     `json:"to"`
	Plans    []activation.TargetPlan `json:"plans"`
	Failures []jsonFailure           `json:"failures"`
	Leftover []string                `json:"leftover"`
	Repaired []string                `json:"repaired,omitempty"`
	// Notes are the warnings that went to stderr.
	Notes []string `json:"notes,omitempty"`
}

type jsonFailure struct {
	Target string   `json:"target"`
	Unit   string   `json:"unit"`
	Reason string   `json:"reason"`
	Log    []string `json:"log,omitempty"` // the last lines that the unit wrote
}

// sayReport tells how a switch ended and gives its exit code.
func (a *app) sayReport(r activation.Report, err error, f switchFlags) error {
	o := outcomes[r.Outcome]
	if f.json {
		j := jsonReport{Outcome: o.word, From: r.From, To: r.To, Plans: r.Plans, Failures: []jsonFailure{}, Leftover: r.Leftover, Repaired: r.Repaired, Notes: a.notes}
		if j.Plans == nil {
			j.Plans = []activation.TargetPlan{}
		}
		if j.Leftover == nil {
			j.Leftover = []string{}
		}
		for _, f := range r.Failures {
			j.Failures = append(j.Failures, jsonFailure{f.Target, f.Unit, f.Reason, f.Log})
		}
		if werr := writeJSON(a.out, j); werr != nil {
			return werr
		}
	}
	for _, fl := range r.Failures {
		fmt.Fprintf(a.err, "unitgen: %s\n", fl)
		for _, line := range fl.Log {
			fmt.Fprintf(a.err, "    %s\n", line)
		}
	}
	switch r.Outcome {
	case activation.Done:
		if err != nil {
			return &exitError{exitBroken, err}
		}
		if f.json {
			return nil
		}
		for _, p := range r.Repaired {
			fmt.Fprintf(a.out, "Put back: %s\n", p)
		}
		if r.From == r.To {
			fmt.Fprintf(a.out, "Generation %d is current already.\n", r.To)
			return nil
		}
		fmt.Fprintf(a.out, "Generation %d is current.\n", r.To)
		return nil
	case activation.Degraded:
		fmt.Fprintf(a.err, "unitgen: generation %d is current, with the units above failed (--on-failure keep)\n", r.To)
	case activation.RolledBack:
		if len(r.Failures) == 0 && err != nil {
			fmt.Fprintf(a.err, "unitgen: %v\n", err)
		}
		fmt.Fprintf(a.err, "unitgen: the switch failed and was rolled back; %s\n", still(r.From))
	case activation.Broken:
		if err != nil {
			fmt.Fprintf(a.err, "unitgen: %v\n", err)
		}
		for _, l := range r.Leftover {
			fmt.Fprintf(a.err, "unitgen: not as before: %s\n", l)
		}
		fmt.Fprintln(a.err, "unitgen: the switch failed and could not be rolled back completely")
	}
	return &exitError{code: o.code}
}

func still(from int) string {
	if from == 0 {
		return "no generation is current, as before"
	}
	return fmt.Sprintf("generation %d is current, as before", from)
}

func (a *app) sayBootOnly(g generation.Generation, asJSON bool) error {
	if asJSON {
		return writeJSON(a.out, jsonReport{Outcome: "boot-only", To: g.Number, Plans: []activation.TargetPlan{}, Failures: []jsonFailure{}, Leftover: []string{}, Notes: a.notes})
	}
	_, err := fmt.Fprintf(a.out, "Generation %d starts at the next boot; nothing that runs was touched.\n", g.Number)
	return err
}

func (a *app) sayRecovery(r activation.Recovery) {
	switch {
	case !r.Found:
	case r.Finished:
		fmt.Fprintf(a.err, "unitgen: the switch from generation %d to %d had been cut off at its very end; it is done\n", r.From, r.To)
	default:
		fmt.Fprintf(a.err, "unitgen: the switch from generation %d to %d had been cut off and was undone; %s\n", r.From, r.To, still(r.From))
	}
	for _, l := range r.Leftover {
		fmt.Fprintf(a.err, "unitgen: not as before: %s\n", l)
	}
}

// progress prints one line for each thing that a switch does.
func (a *app) progress() func(activation.Event) {
	return func(e activation.Event) {
		unit, phase := e.Unit, string(e.Phase)
		if e.Phase == activation.PhaseGate {
			phase = "check" // it is one, and unit its name
		}
		if e.Target != "" && e.Target != "system" {
			unit = strings.TrimSpace(unit + " (" + e.Target + ")")
		}
		switch {
		case e.Phase == activation.PhaseUndo:
			fmt.Fprintln(a.err, "going back")
		case e.Done && e.Result != "done" && e.Result != "":
			fmt.Fprintf(a.err, "%s %s: %s\n", phase, unit, e.Result)
		case e.Done || e.Unit == "" && e.Phase == activation.PhasePivot:
		default:
			fmt.Fprintln(a.err, strings.TrimSpace(phase+" "+unit))
		}
	}
}

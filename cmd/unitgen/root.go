package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/unitgen/unitgen/runtime/activation"
	"github.com/unitgen/unitgen/schema/diag"
)

// version is what unitgen calls itself, on the command line and on the bus.
const version = "0.1"

// Exit codes, as docs/cli.md documents them.
const (
	exitDone       = 0 // done
	exitWrong      = 1 // the configuration or the command is wrong, nothing touched
	exitRefused    = 2 // refused by preflight, nothing touched
	exitRolledBack = 3 // failed and rolled back
	exitBroken     = 4 // failed and could not be rolled back completely
	exitDegraded   = 5 // done, with units newly failed under --on-failure keep
)

// exitError ends the command with a code. A nil err means that everything was
// said already.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// app is what every command gets: its streams.
type app struct {
	in       io.Reader
	out, err io.Writer

	notes []string // warnings of a switch, for its JSON
}

// commands lists the constructors of all commands; each stands in the file
// named after it.
var commands = []func(*app) *cobra.Command{
	newAnalyze,
	newEscape,
	newBuild,
	newCheck,
	newCredentials,
	newExplain,
	newFmt,
	newGC,
	newGenerations,
	newCtl,
	newLogs,
	newGet,
	newGraph,
	newImport,
	newLSP,
	newNew,
	newOptions,
	newPlan,
	newRecover,
	newRollback,
	newRun,
	newStatus,
	newSwitch,
	newTest,
}

func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:           "unitgen",
		Short:         "Declare services in HCL, compile them to systemd units, switch generations atomically",
		Version:       version,
		SilenceUsage:  true,
		SilenceErrors: true,

		DisableSuggestions: true, // usage.go words them

		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return refuseEmpty(cmd) },
	}
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.err)
	for _, c := range commands {
		root.AddCommand(c(a))
	}
	root.SetHelpCommand(helpCommand(a, root))
	root.InitDefaultHelpCmd()
	addCompletions(a, root)
	return root
}

func execute(args []string, in io.Reader, out, errw io.Writer) int {
	stdout := &resultStream{w: out}
	a := &app{in: in, out: stdout, err: errw}
	root := newRoot(a)
	root.SetArgs(args)
	cmd, err := root.ExecuteC()
	if err == nil {
		return stdout.unread(cmd, errw)
	}
	var ee *exitError
	if errors.As(err, &ee) {
		if ee.err != nil {
			if ee.code == exitWrong || ee.code == exitRefused {
				refuseJSON(cmd, stdout, ee.err, ee.code)
			}
			fmt.Fprintln(errw, "unitgen:", ee.err)
		}
		return ee.code
	}
	err = inOurWords(cmd, err)
	refuseJSON(cmd, stdout, err, exitWrong)
	fmt.Fprintln(errw, "unitgen:", err)
	return exitWrong
}

// refuseJSON gives programs that asked for JSON the refusal of a command that
// was wrong or could not be carried out: nothing was done and nothing printed
// yet. A switch says its outcome beside the diagnostics.
func refuseJSON(cmd *cobra.Command, out *resultStream, err error, code int) {
	if cmd == nil || out.wrote {
		return
	}
	if asJSON, e := cmd.Flags().GetBool("json"); e != nil || !asJSON {
		return
	}
	refusal := diag.List{diag.Errorf("", "Refused", diag.Range{}, "%s", err)}
	if !outlasts[cmd.CommandPath()] || code != exitRefused {
		_ = diag.WriteJSON(out, refusal)
		return
	}
	var b bytes.Buffer
	if diag.WriteJSON(&b, refusal) != nil {
		return
	}
	r := refusedReport{jsonReport: jsonReport{Outcome: outcomes[activation.Refused].word, Plans: []activation.TargetPlan{}, Failures: []jsonFailure{}, Leftover: []string{}}}
	if json.Unmarshal(b.Bytes(), &r) == nil {
		_ = writeJSON(out, r)
	}
}

// refusedReport is what `switch --json` prints when it is refused.
type refusedReport struct {
	jsonReport
	Diagnostics json.RawMessage `json:"diagnostics"`
}

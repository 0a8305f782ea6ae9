package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

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
	}
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.err)
	for _, c := range commands {
		root.AddCommand(c(a))
	}
	root.SetHelpCommand(helpCommand(a, root))
	return root
}

func execute(args []string, in io.Reader, out, errw io.Writer) int {
	a := &app{in: in, out: out, err: errw}
	root := newRoot(a)
	root.SetArgs(args)
	cmd, err := root.ExecuteC()
	if err == nil {
		return exitDone
	}
	var ee *exitError
	if errors.As(err, &ee) {
		if ee.err != nil {
			if ee.code == exitWrong {
				refuseJSON(cmd, out, ee.err)
			}
			fmt.Fprintln(errw, "unitgen:", ee.err)
		}
		return ee.code
	}
	refuseJSON(cmd, out, err)
	fmt.Fprintln(errw, "unitgen:", err)
	return exitWrong
}

// refuseJSON gives programs that asked for JSON the refusal of a command line
// that was wrong: nothing was done and nothing printed yet.
func refuseJSON(cmd *cobra.Command, out io.Writer, err error) {
	if cmd == nil {
		return
	}
	if asJSON, e := cmd.Flags().GetBool("json"); e != nil || !asJSON {
		return
	}
	_ = diag.WriteJSON(out, diag.List{diag.Errorf("", "Refused", diag.Range{}, "%s", err)})
}

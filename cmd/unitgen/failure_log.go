package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/unitgen/unitgen/runtime/activation"
	"github.com/unitgen/unitgen/runtime/bus"
	"github.com/unitgen/unitgen/runtime/ctl"
	"github.com/unitgen/unitgen/schema/tree"
)

// failureLines is how many lines of a unit's log are shown of a failure.
const failureLines = 5

// logPatience is how long the lines of a unit that failed are waited for: they
// are written down beside it.
const logPatience = time.Second

// unitLog gives the last lines that a unit wrote since a switch began: from the
// log of the bundled manager, or the machine's journal. Where that does not
// answer it gives the command that shows them.
func unitLog(since time.Time) func(context.Context, activation.Target, string) []string {
	return func(ctx context.Context, t activation.Target, unit string) []string {
		ctx, cancel := context.WithTimeout(ctx, logPatience)
		defer cancel()
		read := func() ([]string, bool) { return journalLines(ctx, t, unit, since) }
		see := journalCommand(t, unit)
		if c, ok := t.Manager.(bus.Client); ok && c.Address().Record != nil {
			dir := logDir(c.Address().Record)
			read = func() ([]string, bool) { return managerLines(dir, unit, since) }
			see = []string{"unitgen", "logs", unit}
		}
		for {
			lines, ok := read()
			if len(lines) > 0 {
				return lines
			}
			if !ok {
				return []string{"see: " + strings.Join(see, " ")}
			}
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(100 * time.Millisecond):
			}
		}
	}
}

func managerLines(dir, unit string, since time.Time) ([]string, bool) {
	var out []string
	_, err := ctl.ReadLogs(ctl.LogQuery{Dir: dir, Units: []string{unit}, Since: since, Last: failureLines}, func(l ctl.LogLine) error {
		out = append(out, l.Text)
		return nil
	})
	return out, err == nil
}

func journalCommand(t activation.Target, unit string) []string {
	switch {
	case t.Scope == tree.System:
		return []string{"journalctl", "-u", unit}
	case t.User != "":
		return []string{"journalctl", "_UID=" + t.User, "_SYSTEMD_USER_UNIT=" + unit}
	}
	return []string{"journalctl", "--user", "-u", unit}
}

// journalLines asks the journal; false where it does not answer.
func journalLines(ctx context.Context, t activation.Target, unit string, since time.Time) ([]string, bool) {
	argv := append(journalCommand(t, unit), "--no-pager", "--quiet", "-o", "cat",
		"-n", fmt.Sprint(failureLines), fmt.Sprintf("--since=@%d", since.Unix()))
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), "SYSTEMD_COLORS=0")
	cmd.WaitDelay = 100 * time.Millisecond
	b, err := cmd.Output()
	if err != nil {
		return nil, false
	}
	var out []string
	for _, l := range strings.Split(string(b), "\n") {
		if l = strings.TrimRight(l, " \t\r"); l != "" {
			out = append(out, strings.ToValidUTF8(l, "?"))
		}
	}
	return out, true
}

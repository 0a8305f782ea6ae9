package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/unitgen/unitgen/runtime/activation"
	"github.com/unitgen/unitgen/runtime/bus"
	"github.com/unitgen/unitgen/runtime/ctl"
	"github.com/unitgen/unitgen/schema/tree"
)

// failureLines is how many lines of a unit's log are shown of a failure, out of
// readLines.
const (
	failureLines = 5
	readLines    = 100
)

// logPatience is how long the lines of a unit that failed are waited for: they
// are written down beside it.
const logPatience = time.Second

// unitLog gives the last lines that a unit wrote since its jobs were queued: from
// the log of the bundled manager, or the machine's journal. Where that does not
// answer it gives the command that shows them.
func unitLog(ctx context.Context, t activation.Target, unit string, since time.Time) []string {
	ctx, cancel := context.WithTimeout(ctx, logPatience)
	defer cancel()
	read := func() ([]string, bool) { return journalLines(ctx, t, unit, since) }
	see := journalCommand(t, unit)
	if c, ok := t.Manager.(bus.Client); ok && c.Address().Record != nil {
		dir := logDir(c.Address().Record)
		read = func() ([]string, bool) { return managerLines(dir, unit, since) }
		see = []string{"unitgen", "logs", unit}
	}
	var before []string
	for seen := false; ; {
		raw, ok := read()
		lines := telling(raw)
		switch {
		case seen && slices.Equal(lines, before):
			return lines // nothing more comes
		case !ok && !seen:
			return []string{"see: " + strings.Join(see, " ")}
		}
		before, seen = lines, len(raw) > 0
		select {
		case <-ctx.Done():
			return before
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// repeated are the lines of managers that only repeat what the reason of a
// failure says already, or that they try again.
var repeated = regexp.MustCompile(`^(\S+: |Exec\w+= |)(Main process |Control process |[Pp]rocess \d+ ended|Failed with result|Scheduled restart job|Start request repeated)|failed with result|^(Start(ing|ed)|Stopp(ing|ed)|Failed to start) `)

// telling gives the last lines that tell more than that a unit failed.
func telling(raw []string) []string {
	var out []string
	for _, l := range raw {
		if !repeated.MatchString(l) {
			out = append(out, l)
		}
	}
	return out[max(0, len(out)-failureLines):]
}

func managerLines(dir, unit string, since time.Time) ([]string, bool) {
	var out []string
	_, err := ctl.ReadLogs(ctl.LogQuery{Dir: dir, Units: []string{unit}, Since: since, Last: readLines}, func(l ctl.LogLine) error {
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
		"-n", fmt.Sprint(readLines), fmt.Sprintf("--since=@%d.%06d", since.Unix(), since.Nanosecond()/1000))
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

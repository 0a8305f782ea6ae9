package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/unitgen/unitgen/runtime/ctl"
	"github.com/unitgen/unitgen/runtime/generation"
	"github.com/unitgen/unitgen/schema/tree"
	"github.com/unitgen/unitgen/schema/unitname"
	"github.com/unitgen/unitgen/schema/value"
)

func newLogs(a *app) *cobra.Command {
	var p managerPlace
	var user, follow, asJSON bool
	var lines int
	var since string
	cmd := &cobra.Command{
		Use:   "logs [UNIT…]",
		Short: "What the services under the bundled manager wrote",
		Long: `Show what units wrote under the bundled manager, oldest first; with several
units or none, merged by time. UNIT is a name (".service" may be left out) or a
pattern. The logs outlive the manager: they are shown whether it runs or not.

A unit's log is moved aside at 4 MiB, and one older file is kept.`,
		Example: `  unitgen logs web.service
  unitgen logs -f -n 20 'web-*'
  unitgen logs --since 10min --json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			p.scope = tree.System
			if user {
				p.scope = tree.User
			}
			if p.runtimeDir == "" {
				p.runtimeDir = os.Getenv("XDG_RUNTIME_DIR")
			}
			dir, err := p.logDir()
			if err != nil {
				return &exitError{exitWrong, err}
			}
			q := ctl.LogQuery{Dir: dir, Last: lines}
			if !cmd.Flags().Changed("lines") {
				q.Last = -1
				if follow {
					q.Last = 10
				}
			}
			if since != "" {
				if q.Since, err = sinceTime(since, time.Now()); err != nil {
					return &exitError{exitWrong, err}
				}
			}
			for _, u := range args {
				if unitname.Type(u) == "" && !strings.HasSuffix(u, "*") {
					u += ".service"
				}
				q.Units = append(q.Units, u)
			}
			return a.logs(cmd, q, follow, asJSON)
		},
	}
	f := cmd.Flags()
	stateFlag(cmd, &p.state)
	f.StringVar(&p.runtimeDir, "runtime-dir", "", "runtime directory of the manager (default $XDG_RUNTIME_DIR)")
	f.BoolVar(&user, "user", false, "the manager of the user scope")
	f.BoolVarP(&follow, "follow", "f", false, "go on with what is written from now on")
	f.IntVarP(&lines, "lines", "n", -1, "only the last N lines (10 with --follow)")
	f.StringVar(&since, "since", "", "only lines since a time span ago (\"10min\") or a time (\"2026-01-31 12:00\", \"today\")")
	f.BoolVar(&asJSON, "json", false, "one JSON object a line: time, unit, source, message")
	return cmd
}

// logDir finds the logs: of the manager that runs, else in the state directory.
func (p managerPlace) logDir() (string, error) {
	addr, err := p.find()
	if err == nil && addr.Record != nil {
		return logDir(addr.Record), nil
	}
	state := p.state
	if state == "" {
		d, derr := generation.DefaultDir()
		if derr != nil {
			return "", derr
		}
		state = d
	}
	dir := filepath.Join(state, "log")
	if _, serr := os.Stat(dir); serr != nil {
		return "", fmt.Errorf("no logs in %s: no bundled manager has run with this state directory; under systemd use journalctl", dir)
	}
	return dir, nil
}

// sinceTime reads a time span before now, or a time of systemd.time(7).
func sinceTime(s string, now time.Time) (time.Time, error) {
	if us, err := value.ParseTimeSpan(strings.TrimPrefix(s, "-")); err == nil {
		return now.Add(-time.Duration(us) * time.Microsecond), nil
	}
	t, err := value.ParseTimestampAt(s, now, time.Local)
	if err != nil {
		return now, fmt.Errorf("--since %q is neither a time span such as 10min nor a time such as \"2026-01-31 12:00\": %w", s, err)
	}
	return t, nil
}

func (a *app) logs(cmd *cobra.Command, q ctl.LogQuery, follow, asJSON bool) error {
	show := func(l ctl.LogLine) error {
		if asJSON {
			b, err := json.Marshal(l)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(a.out, "%s\n", b)
			return err
		}
		_, err := fmt.Fprintln(a.out, l)
		return err
	}
	ends, err := ctl.ReadLogs(q, show)
	if err == nil && !follow && len(ends) == 0 && len(q.Units) > 0 {
		fmt.Fprintf(a.err, "unitgen: %s has written nothing so far; unitgen logs shows who has\n", strings.Join(q.Units, ", "))
	}
	if err == nil && follow {
		ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		err = ctl.FollowLogs(ctx, q, ends, show)
	}
	if errors.Is(err, syscall.EPIPE) {
		return nil // the reader has seen enough
	}
	if err != nil {
		return &exitError{exitWrong, err}
	}
	return nil
}

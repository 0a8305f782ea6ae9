package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/unitgen/unitgen/runtime/bus"
	"github.com/unitgen/unitgen/runtime/ctl"
	"github.com/unitgen/unitgen/runtime/generation"
	"github.com/unitgen/unitgen/schema/tree"
)

const ctlHelp = `systemctl's command line, for the bundled manager and for systemd: the same
verbs, options, output and exit codes as systemctl of systemd 252.

The bundled manager is found by what "unitgen run" left in the state directory,
or by --runtime-dir or XDG_RUNTIME_DIR; without one the machine's systemd is
asked. With --root=DIR the verbs about unit files (enable, disable, mask,
is-enabled, cat …) work on the files below DIR, without a manager.

"unitgen ctl action UNIT NAME" starts an action that the configuration declares.

Options of its own:
      --state DIR         the state directory of the bundled manager; a value
                          without a slash is systemctl's --state=STATE
      --runtime-dir DIR   the runtime directory of the bundled manager
      --user, --system    whose manager (default: system)
      --json              as -o json

Of systemctl's own, all are read; those that are used most:
  -t, --type TYPE         only units of the types, as service,timer
      --state=STATE       only units in the states, as active,failed
  -a, --all               units that are not loaded and empty properties too
  -p, --property NAME     only the properties; --value without their names
  -l, --full              no abbreviation; -o, --output MODE of log lines; -n, --lines N
      --no-legend, --plain, --no-pager, -q, --quiet
      --now               start or stop along with enable, disable, mask
      --runtime, --global, -f, --force, --preset-mode MODE, --root=DIR
      --no-block, --wait, --job-mode MODE, --show-transaction
      --kill-whom WHO, -s, --signal SIGNAL
      --failed, --with-dependencies, --reverse, --before, --after
`

func newCtl(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "ctl [OPTIONS…] VERB [UNIT…]",
		Short: "systemctl's command line",
		Long:  ctlHelp,
		Example: `  unitgen ctl list-units
  unitgen ctl --state ./state status web.service
  unitgen ctl restart web.service
  unitgen ctl action app reindex
  unitgen ctl --root=./image enable nginx.service`,
		DisableFlagParsing: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if code, handled := offlineVerbs(a, args); handled {
				return exitCode(code)
			}
			place, rest := ctlPlace(args)
			if place.help {
				return cmd.Help()
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			client, addr, err := place.dial(ctx)
			if err != nil {
				return &exitError{exitWrong, err}
			}
			defer client.Close()
			return exitCode(ctl.Main(ctx, rest, a.ctlOptions(client, addr)))
		},
	}
}

// exitCode makes the error of an exit code; everything was said.
func exitCode(code int) error {
	if code == 0 {
		return nil
	}
	return &exitError{code: code}
}

// managerPlace says where to look for a manager.
type managerPlace struct {
	state, runtimeDir string
	scope             tree.Scope
	help              bool
}

// ctlPlace takes the options about the manager out of a command line of ctl.
func ctlPlace(args []string) (managerPlace, []string) {
	p := managerPlace{scope: tree.System, runtimeDir: os.Getenv("XDG_RUNTIME_DIR")}
	var rest []string
	for i := 0; i < len(args); i++ {
		arg := args[i]
		if arg == "--" {
			rest = append(rest, args[i:]...)
			break
		}
		name, val, has := strings.Cut(arg, "=")
		switch name {
		case "--help", "-h":
			p.help = true
		case "--user":
			p.scope = tree.User
		case "--system":
			p.scope = tree.System
		case "--state", "--runtime-dir":
			used := i
			if !has && i+1 < len(args) {
				val, used = args[i+1], i+1
			}
			if name == "--state" && !strings.Contains(val, "/") && val != "." && val != ".." {
				rest = append(rest, arg) // systemctl's option
				continue
			}
			i = used
			if name == "--state" {
				p.state = val
			} else {
				p.runtimeDir = val
			}
		default:
			rest = append(rest, arg)
		}
	}
	return p, rest
}

// dial connects to the manager.
func (p managerPlace) dial(ctx context.Context) (bus.Client, bus.Address, error) {
	addr, err := p.find()
	if err != nil {
		return nil, addr, err
	}
	c, err := bus.Dial(ctx, addr)
	return c, addr, err
}

func (p managerPlace) find() (bus.Address, error) {
	state := p.state
	if state == "" {
		state, _ = generation.DefaultDir()
	}
	addr, err := bus.Find(state, p.runtimeDir, p.scope)
	if err == nil && p.state != "" && addr.Bundled && addr.Socket != bus.PrivateSocket(p.runtimeDir) && !samePath(addr.Record.State, p.state) {
		// the machine's manager is a bundled one that runs another state
		err = fmt.Errorf("%w that runs %s (the one at %s runs %s)", bus.ErrNoManager, p.state, addr.Socket, addr.Record.State)
	}
	if err != nil {
		return addr, fmt.Errorf("%w; start one with \"unitgen run\", or name its --state", err)
	}
	return addr, nil
}

// ctlOptions says where a command line of ctl runs.
func (a *app) ctlOptions(c bus.Client, addr bus.Address) ctl.Options {
	o := ctl.Options{Client: c, User: addr.Scope == tree.User, Out: a.out, Err: a.err, UTF8: localeIsUTF8(os.Getenv)}
	if f, ok := fileOf(a.out); ok && term.IsTerminal(int(f.Fd())) {
		if w, _, err := term.GetSize(int(f.Fd())); err == nil {
			o.Width = w
		}
		o.Color = os.Getenv("NO_COLOR") == ""
	}
	if addr.Record != nil {
		o.Logs = func(unit string, n int) []string { return ctl.LastLines(logDir(addr.Record), unit, n) }
	}
	return o
}

// logDir gives where a bundled manager keeps what its units write.
func logDir(r *bus.Record) string {
	if r.LogDir != "" {
		return r.LogDir
	}
	return filepath.Join(r.State, "log")
}

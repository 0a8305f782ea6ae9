package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/unitgen/unitgen/runtime/bus"
	"github.com/unitgen/unitgen/runtime/generation"
	"github.com/unitgen/unitgen/schema/tree"
)

// inUnitVar tells a command that it runs in a unit of its own already.
const inUnitVar = "UNITGEN_IN_UNIT"

// inUnitOfOwn carries out the present command in a transient unit of the
// machine's systemd and follows it, so that neither a lost terminal nor a
// restart of the service that the caller runs in ends a switch halfway. It
// reports false where that cannot be: under the bundled manager, for others
// than root, and in the unit itself.
func (a *app) inUnitOfOwn(ctx context.Context, s *generation.State, command string) (bool, error) {
	out, isOut := fileOf(a.out)
	errs, isErr := fileOf(a.err)
	if os.Getenv(inUnitVar) != "" || os.Geteuid() != 0 || !isOut || !isErr {
		return false, nil
	}
	addr, err := findManager(s, tree.System)
	if err != nil || addr.Bundled {
		return false, nil
	}
	self, err := os.Executable()
	if err != nil {
		return false, nil
	}
	dir, err := os.Getwd()
	if err != nil {
		dir = "/" // the directory is gone; absolute paths still work
	}
	c, err := bus.Dial(ctx, addr)
	if err != nil {
		return false, nil
	}
	defer c.Close()
	unit := fmt.Sprintf("unitgen-%s-%d.service", command, os.Getpid())
	type property struct {
		Name  string
		Value dbus.Variant
	}
	type execStart struct {
		Path   string
		Argv   []string
		Ignore bool
	}
	props := []property{
		{"Description", dbus.MakeVariant("unitgen " + command)},
		{"ExecStart", dbus.MakeVariant([]execStart{{self, append([]string{self}, os.Args[1:]...), false}})},
		{"WorkingDirectory", dbus.MakeVariant(dir)},
		{"Environment", dbus.MakeVariant(append(environment(), inUnitVar+"=1"))},
		{"StandardOutputFileDescriptor", dbus.MakeVariant(dbus.UnixFD(out.Fd()))},
		{"StandardErrorFileDescriptor", dbus.MakeVariant(dbus.UnixFD(errs.Fd()))},
	}
	type aux struct {
		Name  string
		Props []property
	}
	var job dbus.ObjectPath
	if err := c.Call(ctx, "StartTransientUnit", []any{unit, "fail", props, []aux{}}, &job); err != nil {
		return false, nil
	}
	return true, followUnit(ctx, c, unit)
}

// followUnit waits for a unit and gives its exit code as the command's own. An
// interrupt is handed on: the switch undoes itself.
func followUnit(ctx context.Context, c bus.Client, unit string) error {
	interrupts := make(chan os.Signal, 4)
	signal.Notify(interrupts, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(interrupts)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-interrupts:
			_ = c.KillUnit(ctx, unit, "main", syscall.SIGTERM) // it may have ended
		case <-tick.C:
		}
		props, err := c.GetUnitProperties(ctx, unit)
		if err != nil {
			if errors.Is(err, context.DeadlineExceeded) {
				continue // a daemon-reload takes its time
			}
			return &exitError{exitBroken, fmt.Errorf("%s goes on, but systemd does not answer: %w; see \"unitgen status\"", unit, err)}
		}
		switch props["ActiveState"] {
		case "inactive":
			return nil
		case "failed":
			code, _ := props["ExecMainStatus"].(int32)
			how, _ := props["ExecMainCode"].(int32)
			_ = c.ResetFailed(ctx, unit) // or it stays in the list of failed units
			if how != 1 {
				return &exitError{exitBroken, fmt.Errorf("%s was killed (%v); run \"unitgen recover\"", unit, props["Result"])}
			}
			return &exitError{code: int(code)}
		}
	}
}

// passed are the variables that mean something to unitgen.
var passed = regexp.MustCompile(`^(PATH|HOME|USER|LOGNAME|TERM|COLORTERM|NO_COLOR|LANG|LC_[A-Z]+|TZ|TMPDIR|XDG_[A-Z_]+|UNITGEN_[A-Z_]+)=[^\x00-\x1f]*$`)

func environment() []string {
	var out []string
	for _, e := range os.Environ() {
		if passed.MatchString(e) && !strings.HasPrefix(e, inUnitVar+"=") {
			out = append(out, e)
		}
	}
	return out
}

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/unitgen/unitgen/emit"
	"github.com/unitgen/unitgen/emit/store"
	"github.com/unitgen/unitgen/runtime/activation"
	"github.com/unitgen/unitgen/runtime/bus"
	"github.com/unitgen/unitgen/runtime/generation"
	"github.com/unitgen/unitgen/schema/tree"
)

// stateFlag adds --state, for commands that touch generations.
func stateFlag(cmd *cobra.Command, dir *string) {
	cmd.Flags().StringVar(dir, "state", "", "state directory (default /etc/unitgen for root, $XDG_STATE_HOME/unitgen otherwise)")
}

// openState gives the state directory of a command.
func openState(dir string) (*generation.State, error) {
	if dir == "" {
		d, err := generation.DefaultDir()
		if r := runningState(); r != "" {
			d, err = r, nil
		}
		if err != nil {
			return nil, &exitError{exitWrong, err}
		}
		dir = d
	}
	return generation.Open(dir), nil
}

// runningState gives the state directory of the bundled manager that serves
// XDG_RUNTIME_DIR, "" for none.
func runningState() string {
	runtimeDir := os.Getenv("XDG_RUNTIME_DIR")
	if runtimeDir == "" {
		return ""
	}
	for _, scope := range []tree.Scope{tree.System, tree.User} {
		if addr, err := bus.Find("", runtimeDir, scope); err == nil && addr.Record != nil {
			return addr.Record.State
		}
	}
	return ""
}

// lockState takes the lock of a state directory, or ends with exitRefused.
func lockState(s *generation.State, command string) (*generation.Lock, error) {
	l, err := s.Lock(command)
	if err != nil {
		return nil, &exitError{exitRefused, err}
	}
	return l, nil
}

// putTree puts a tree into the store. A store that cannot be written is a
// refusal: nothing was touched.
func putTree(s *generation.State, img *emit.Image) (store.Stored, error) {
	st, err := store.Open(s.Dir()).Put(img)
	if err != nil {
		return st, &exitError{exitRefused, err}
	}
	return st, nil
}

// putWhole is putTree for a tree that is to be activated: one that was modified
// in the store is written anew.
func (a *app) putWhole(s *generation.State, img *emit.Image) (store.Stored, error) {
	st, err := putTree(s, img)
	if err != nil || st.Created {
		return st, err
	}
	faults, err := store.Verify(st.Path)
	if err == nil && len(faults) == 0 {
		return st, nil
	}
	if err := store.Open(s.Dir()).Mend(img); err != nil {
		return st, &exitError{exitRefused, err}
	}
	fmt.Fprintf(a.err, "unitgen: %s had been modified since it was built, and was written anew\n", st.Path)
	return st, nil
}

// findManager looks for the manager of a scope that follows a state's
// generations. A bundled manager that boots from another state is not it.
func findManager(s *generation.State, scope tree.Scope) (bus.Address, error) {
	addr, err := bus.Find(s.Dir(), os.Getenv("XDG_RUNTIME_DIR"), scope)
	if err != nil || addr.Record == nil {
		return addr, err
	}
	if addr.Record.State != "" && !samePath(addr.Record.State, s.Dir()) {
		return bus.Address{}, &otherStateError{addr, s.Dir()}
	}
	addr.Scope = addr.Record.Scope
	return addr, nil
}

// otherStateError is a bundled manager that follows another state.
type otherStateError struct {
	addr  bus.Address
	state string
}

func (e *otherStateError) Error() string {
	return fmt.Sprintf("the bundled manager at %s follows the state directory %s, not %s; name the one that is meant with --state",
		e.addr.Socket, e.addr.Record.State, e.state)
}

func (e *otherStateError) Unwrap() error { return bus.ErrNoManager }

func samePath(a, b string) bool {
	x, err1 := os.Stat(a)
	y, err2 := os.Stat(b)
	return err1 == nil && err2 == nil && os.SameFile(x, y)
}

// managers gives the managers that follow a state's generations, and where the
// tree is laid into the host: nowhere under the bundled manager.
func managers(ctx context.Context, s *generation.State) ([]activation.Target, *activation.Place, func(), error) {
	var bundled, others []bus.Address
	var other *otherStateError
	for _, scope := range []tree.Scope{tree.System, tree.User} {
		addr, err := findManager(s, scope)
		switch {
		case errors.As(err, &other):
		case err != nil:
			if !errors.Is(err, bus.ErrNoManager) {
				return nil, nil, nil, err
			}
		case !addr.Bundled:
			others = append(others, addr)
		case !slices.ContainsFunc(bundled, func(b bus.Address) bool { return b.Socket == addr.Socket }):
			bundled = append(bundled, addr)
		}
	}
	var place *activation.Place
	addrs := bundled
	if len(bundled) == 0 {
		root := os.Geteuid() == 0
		for _, addr := range others {
			if root == (addr.Scope == tree.System) {
				addrs = append(addrs, addr)
			}
		}
		if len(addrs) == 0 {
			if other != nil {
				return nil, nil, nil, other
			}
			return nil, nil, nil, fmt.Errorf("%w for the state directory %s; start one with \"unitgen run\", or use --boot-only", bus.ErrNoManager, s.Dir())
		}
		if root {
			place = hostPlace()
			addrs = append(addrs, userManagers()...)
		} else {
			place = userPlace()
		}
	}
	var out []activation.Target
	var clients []bus.Client
	closeAll := func() {
		for _, c := range clients {
			c.Close()
		}
	}
	for _, addr := range addrs {
		c, err := bus.Dial(ctx, addr)
		if err != nil && userOf(addr) != "" {
			continue // somebody who is logging out
		}
		if err != nil {
			closeAll()
			return nil, nil, nil, err
		}
		clients = append(clients, c)
		out = append(out, activation.Target{Scope: addr.Scope, User: userOf(addr), Manager: c, RuntimeDir: runtimeDirOf(addr)})
	}
	return out, place, closeAll, nil
}

// runtimeDirOf gives the runtime directory of a manager, "" for another
// user's, into which this process lays nothing.
func runtimeDirOf(a bus.Address) string {
	switch {
	case userOf(a) != "":
		return ""
	case !a.Bus:
		return filepath.Dir(filepath.Dir(a.Socket))
	case a.Scope == tree.System:
		return "/run"
	}
	return os.Getenv("XDG_RUNTIME_DIR")
}

// userManagers gives the user managers of everybody who is logged in.
func userManagers() []bus.Address {
	socks, err := filepath.Glob("/run/user/*/systemd/private")
	if err != nil {
		return nil
	}
	var out []bus.Address
	for _, s := range socks {
		out = append(out, bus.Address{Socket: s, Scope: tree.User})
	}
	return out
}

// userOf names whose a user manager is, by its runtime directory; "" for the
// caller's own and for the system's.
func userOf(a bus.Address) string {
	if a.Scope != tree.User || os.Geteuid() != 0 || a.Bundled {
		return ""
	}
	return filepath.Base(filepath.Dir(filepath.Dir(a.Socket)))
}

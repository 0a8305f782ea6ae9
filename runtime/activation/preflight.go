package activation

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/unitgen/unitgen/emit/store"
	"github.com/unitgen/unitgen/runtime/generation"
	"github.com/unitgen/unitgen/runtime/plan"
)

// maxFaults is how many faults of a modified tree are named.
const maxFaults = 8

// unmodified refuses a tree that is no more what was built.
func (a *Activation) unmodified(g generation.Generation) error {
	if a.o.Force {
		return nil
	}
	faults, err := store.Verify(g.Tree)
	if err != nil {
		return fmt.Errorf("the tree of generation %d cannot be read: %w", g.Number, err)
	}
	if len(faults) == 0 {
		return nil
	}
	more := ""
	if n := len(faults) - maxFaults; n > 0 {
		faults, more = faults[:maxFaults], fmt.Sprintf("\n  and %d more", n)
	}
	return fmt.Errorf("the tree of generation %d was modified since it was built (%s):\n  %s%s\nbuild it anew with \"unitgen switch\", or take it as it is with --force",
		g.Number, g.Tree, strings.Join(faults, "\n  "), more)
}

// inhibited refuses a switch that somebody asks not to be made now.
func (a *Activation) inhibited(ctx context.Context, by []string) error {
	if a.o.Force {
		return nil
	}
	if a.planned {
		by = nil
	}
	acts := false
	for _, p := range a.report.Plans {
		for _, s := range p.Steps {
			acts = acts || s.Action != plan.Skip
		}
	}
	if a.o.Inhibitors != nil && acts {
		others, err := a.o.Inhibitors(ctx)
		if err != nil {
			return fmt.Errorf("whether the switch is inhibited cannot be known: %w; --force does not ask", err)
		}
		by = append(by, others...)
	}
	if len(by) == 0 {
		return nil
	}
	return errors.New("the switch is inhibited:\n  " + strings.Join(by, "\n  ") +
		"\nactivate it with the next boot (--boot-only), wait, or do it in spite of that (--force)")
}

func scopeOf(t Target) string {
	if t.name() == "system" {
		return ""
	}
	return " (" + t.name() + ")"
}

// spare is the room, in bytes and names, that a switch wants to find beside
// what it is known to write: the journal, and directories that grow.
const (
	spareBytes = 256 << 10
	spareNames = 32
)

// enoughSpace refuses a switch that would run out of room halfway: for the
// journal, the links and the copies, and the backups of what is taken over.
func (a *Activation) enoughSpace() error {
	if a.o.Force || a.nothing() {
		return nil
	}
	type need struct{ bytes, names uint64 }
	needs := map[string]need{a.o.State.Dir(): {spareBytes, spareNames}}
	if a.begin.After != nil && a.o.Place.User == "" {
		host := need{spareBytes, spareNames}
		state := needs[a.o.State.Dir()]
		for _, i := range a.begin.After.Items {
			at := a.o.Place.host(i.Path)
			st, err := os.Lstat(at)
			if err != nil {
				host.names++
			}
			switch {
			case i.isLink():
			case i.Source != "":
				if st, err := os.Lstat(i.Source); err == nil {
					host.bytes += uint64(st.Size())
				}
			default:
				host.bytes += uint64(len(i.Content))
			}
			if i.Adopt && err == nil {
				state.bytes += 2 * uint64(st.Size()) // it is encoded
				state.names++
			}
		}
		needs[a.o.State.Dir()] = state
		needs[a.o.Place.host("/etc/.")] = host
	}
	for _, dir := range sortedNames(needs) {
		free, names, ok := room(dir)
		switch n := needs[dir]; {
		case !ok:
		case free < n.bytes:
			return fmt.Errorf("the file system of %s has %d KiB left, and the switch wants %d KiB; make room (\"unitgen gc --keep N\"), or go on with --force", filepath.Clean(dir), free>>10, n.bytes>>10)
		case names < n.names:
			return fmt.Errorf("the file system of %s has room for %d more files, and the switch wants %d; make room (\"unitgen gc --keep N\"), or go on with --force", filepath.Clean(dir), names, n.names)
		}
	}
	return nil
}

package main

import (
	"fmt"
	"path/filepath"
	"sort"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/unitgen/unitgen/runtime/generation"
	"github.com/unitgen/unitgen/runtime/manager"
	"github.com/unitgen/unitgen/runtime/unitstate"
)

// summary is the table of the tree's own units with their states, and how to
// reach and leave the manager. The caller holds t.mu.
func (t *runTalk) summary(m *manager.Manager, f runFlags) {
	units := m.Units()
	sort.Slice(units, func(i, j int) bool { return units[i].Name < units[j].Name })
	w := tabwriter.NewWriter(t.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w)
	for _, u := range units {
		// The built-in units have no file; what nobody asked for is not there.
		if u.Load != unitstate.LoadLoaded || !filepath.IsAbs(u.FragmentPath) {
			continue
		}
		state := fmt.Sprintf("%s (%s)", u.Active, u.Sub)
		fmt.Fprintf(w, "  %s\t%s\t%s\n", u.Name, state, clean(strings.Join(append([]string{u.Description}, where(u)...), ", ")))
	}
	_ = w.Flush()
	state := " --state " + f.State
	if d, err := generation.DefaultDir(); err == nil && d == f.State {
		state = ""
	}
	ctl := "ctl"
	if f.User {
		ctl = "ctl --user"
	}
	fmt.Fprintf(t.out, `
  see      XDG_RUNTIME_DIR=%[1]s systemctl --user list-units
           XDG_RUNTIME_DIR=%[1]s unitgen %[4]s list-units    (where there is no systemctl)
  logs     unitgen logs%[2]s UNIT
  change   edit, then unitgen plan%[2]s DIR, and unitgen switch%[2]s DIR
  leave    Ctrl-C, or SIGTERM to process %[3]d: stops all units in reverse order

`, f.RuntimeDir, state, t.pid, ctl)
}

// where says how a unit is reached, or what it waits for.
func where(u *unitstate.Status) []string {
	switch {
	case u.Service != nil && u.Service.MainPID > 0:
		return []string{fmt.Sprintf("process %d", u.Service.MainPID)}
	case u.Socket != nil:
		var out []string
		for _, l := range u.Socket.Listen {
			out = append(out, l.Address)
		}
		return out
	case u.Timer != nil && u.Timer.NextElapseRealtime > 0:
		return []string{"next at " + time.UnixMicro(int64(u.Timer.NextElapseRealtime)).Format("2006-01-02 15:04:05")}
	case u.Path != nil:
		var out []string
		for _, p := range u.Path.Paths {
			out = append(out, p.Path)
		}
		return out
	}
	return nil
}

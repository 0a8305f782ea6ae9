//go:build linux

package bus

import (
	"fmt"
	"sort"
	"strings"

	"github.com/godbus/dbus/v5"
	"golang.org/x/sys/unix"
)

// dump writes the manager's state for people to read, as systemd-analyze dump
// shows it: each unit with its state, edges and settings, then the jobs.
func (s *Server) dump(patterns []string) string {
	var b strings.Builder
	info := s.backend.Info()
	if len(patterns) == 0 {
		fmt.Fprintf(&b, "Manager: %s\nFeatures: %s\nState: %s\nPID: %d\nTree: %s\n", info.Version, info.Features, info.State, info.PID, info.Tree)
		var units []string
		for u := range info.NotApplied {
			units = append(units, u)
		}
		sort.Strings(units)
		for _, u := range units {
			fmt.Fprintf(&b, "Not applied in %s: %s\n", u, strings.Join(info.NotApplied[u], " "))
		}
	}
	for _, st := range s.backend.Units() {
		if !anyGlob(patterns, st.Name) {
			continue
		}
		fmt.Fprintf(&b, "-> Unit %s:\n\tDescription: %s\n\tUnit Load State: %s\n\tUnit Active State: %s (%s)\n", st.Name, st.Description, st.Load, st.Active, st.Sub)
		if st.FragmentPath != "" {
			fmt.Fprintf(&b, "\tFragment Path: %s\n", st.FragmentPath)
		}
		for _, d := range st.DropIns {
			fmt.Fprintf(&b, "\tDropIn Path: %s\n", d)
		}
		if st.ControlGroup != "" {
			fmt.Fprintf(&b, "\tCGroup: %s\n", st.ControlGroup)
		}
		deps, _ := s.backend.Dependencies(st.Name)
		for _, k := range sortedKeys(deps) {
			for _, u := range deps[k] {
				fmt.Fprintf(&b, "\t%s: %s\n", k, u)
			}
		}
		sections := st.Unit.Sections()
		for _, sec := range sortedKeys(sections) {
			for _, k := range sortedKeys(sections[sec]) {
				for _, v := range sections[sec][k] {
					fmt.Fprintf(&b, "\t[%s] %s=%s\n", sec, k, v)
				}
			}
		}
		if len(st.NotApplied) > 0 {
			fmt.Fprintf(&b, "\tNot Applied: %s\n", strings.Join(st.NotApplied, " "))
		}
	}
	if len(patterns) == 0 {
		for _, j := range s.backend.Jobs() {
			fmt.Fprintf(&b, "-> Job %d:\n\tAction: %s -> %s\n\tState: %s\n", j.ID, j.Unit, j.Type, j.State)
		}
	}
	return text8(b.String())
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

func dumpText(c *call, patterns []string) ([]any, error) { return []any{c.s.dump(patterns)}, nil }

// dumpFile gives the dump as a descriptor to read from.
func dumpFile(c *call, patterns []string) ([]any, error) {
	fd, err := unix.MemfdCreate("dump", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, err
	}
	rest := []byte(c.s.dump(patterns))
	for len(rest) > 0 {
		n, err := unix.Write(fd, rest)
		if err != nil {
			unix.Close(fd)
			return nil, err
		}
		rest = rest[n:]
	}
	if _, err := unix.Seek(fd, 0, 0); err != nil {
		unix.Close(fd)
		return nil, err
	}
	return []any{dbus.UnixFD(fd)}, nil
}

//go:build linux

package systemdtest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// namePrefix begins the name of every cgroup made here; the number of the
// process that made it follows.
const namePrefix = "unitgen-test-"

// cgroups are a machine's own cgroups, one in each hierarchy of the host.
type cgroups struct {
	parts []cgroupPart
}

type cgroupPart struct {
	kind    string // file system type: cgroup or cgroup2
	where   string // where the hierarchy is mounted
	options string // mount options that choose the hierarchy
	dir     string // the machine's own directory
}

// newCgroups makes the cgroups of one machine, and removes those of test
// processes that were killed.
func newCgroups(name string) (*cgroups, error) {
	b, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	c := &cgroups{}
	for _, line := range strings.Split(strings.TrimSpace(string(b)), "\n") {
		left, right, ok := strings.Cut(line, " - ")
		l, r := strings.Fields(left), strings.Fields(right)
		if !ok || len(l) < 5 || len(r) < 3 || (r[0] != "cgroup" && r[0] != "cgroup2") {
			continue
		}
		p := cgroupPart{kind: r[0], where: l[4], options: hierarchy(r[0], r[2])}
		removeStale(p.where)
		p.dir = filepath.Join(p.where, fmt.Sprintf("%s%d-%s", namePrefix, os.Getpid(), name))
		if err := os.Mkdir(p.dir, 0o755); err != nil {
			c.remove()
			return nil, err
		}
		c.parts = append(c.parts, p)
		// A new cpuset of cgroup v1 is empty, and nothing may join it.
		for _, f := range []string{"cpuset.cpus", "cpuset.mems"} {
			if p.kind != "cgroup" {
				continue
			}
			if v, err := os.ReadFile(filepath.Join(p.where, f)); err == nil {
				_ = os.WriteFile(filepath.Join(p.dir, f), v, 0o644)
			}
		}
	}
	if len(c.parts) == 0 {
		return nil, errors.New("no cgroup file system is mounted")
	}
	return c, nil
}

// hierarchy picks from a mount's options those that name its hierarchy.
func hierarchy(kind, options string) string {
	if kind == "cgroup2" {
		return ""
	}
	var out []string
	for _, o := range strings.Split(options, ",") {
		switch {
		case o == "rw" || o == "ro" || o == "xattr" || o == "clone_children" || strings.HasPrefix(o, "release_agent="):
		case strings.HasPrefix(o, "name="):
			out = append(out, "none", o)
		default:
			out = append(out, o)
		}
	}
	return strings.Join(out, ",")
}

func (c *cgroups) dirs() []string {
	var out []string
	for _, p := range c.parts {
		out = append(out, p.dir)
	}
	return out
}

// table is what boot.sh reads.
func (c *cgroups) table() string {
	var b strings.Builder
	for _, p := range c.parts {
		fmt.Fprintf(&b, "%s\t%s\t%s\n", p.kind, p.where, p.options)
	}
	return b.String()
}

func (c *cgroups) remove() error {
	var errs []error
	for _, p := range c.parts {
		if err := removeCgroup(p.dir); err != nil {
			errs = append(errs, err)
		}
	}
	c.parts = nil
	return errors.Join(errs...)
}

// removeCgroup removes a cgroup and those below it. The kernel needs a moment
// after the last process of one has ended.
func removeCgroup(dir string) error {
	var err error
	for i := 0; i < 100; i++ {
		var dirs []string
		_ = filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				dirs = append(dirs, p)
			}
			return nil
		})
		err = nil
		for j := len(dirs) - 1; j >= 0; j-- {
			if e := syscall.Rmdir(dirs[j]); e != nil && e != syscall.ENOENT {
				err = fmt.Errorf("%s: %w", dirs[j], e)
			}
		}
		if err == nil {
			return nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return err
}

func removeStale(where string) {
	entries, _ := os.ReadDir(where)
	for _, e := range entries {
		rest, ok := strings.CutPrefix(e.Name(), namePrefix)
		if !ok {
			continue
		}
		number, _, _ := strings.Cut(rest, "-")
		pid, err := strconv.Atoi(number)
		if err == nil && errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			_ = removeCgroup(filepath.Join(where, e.Name()))
		}
	}
}

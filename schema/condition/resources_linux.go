package condition

import (
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/unitgen/unitgen/schema/specifier"
	"github.com/unitgen/unitgen/schema/value"
)

// cut takes the operator off a number's condition; without one it is ">=".
func cut(p string) (value.Operator, string) {
	op, rest := value.CutOperator(p, false)
	if op == "" {
		op = value.GreaterEqual
	}
	return op, rest
}

func order(a, b uint64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func (s *System) memory(p string) (bool, error) {
	op, rest := cut(p)
	want, err := value.ParseSize(rest)
	if err != nil {
		return false, ErrInvalid
	}
	return op.Holds(order(physicalMemory(), want)), nil
}

// physicalMemory is the machine's memory, or the limit of the control groups
// around this process where that is less.
func physicalMemory() uint64 {
	var si unix.Sysinfo_t
	total := uint64(0)
	if unix.Sysinfo(&si) == nil {
		total = uint64(si.Totalram) * uint64(si.Unit)
	}
	for _, f := range []string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"} {
		if n, err := strconv.ParseUint(firstWord(f), 10, 64); err == nil && n < total {
			total = n
		}
	}
	return total
}

func (s *System) cpus(p string) (bool, error) {
	op, rest := cut(p)
	want, err := value.ParseUnsigned(rest)
	if err != nil {
		return false, ErrInvalid
	}
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return false, err
	}
	return op.Holds(order(uint64(set.Count()), uint64(want))), nil
}

// cpuFeatures are the names that ConditionCPUFeature= knows and that
// /proc/cpuinfo spells otherwise.
var cpuFeatures = map[string]string{"fma3": "fma"}

func (s *System) cpuFeature(p string) (bool, error) {
	if a := specifier.Architecture(); a != "x86-64" && a != "x86" {
		return false, nil
	}
	p = strings.ToLower(p)
	if n, ok := cpuFeatures[p]; ok {
		p = n
	}
	if p == "osxsave" {
		p = "xsave"
	}
	for _, l := range strings.Split(firstWord("/proc/cpuinfo"), "\n") {
		if k, v, ok := strings.Cut(l, ":"); ok && strings.TrimSpace(k) == "flags" {
			for _, f := range strings.Fields(v) {
				if f == p {
					return true, nil
				}
			}
			return false, nil
		}
	}
	return false, nil
}

func (s *System) environment(p string) (bool, error) {
	for _, e := range s.env() {
		if e == p {
			return true, nil
		}
		if k, _, _ := strings.Cut(e, "="); k == p {
			return true, nil
		}
	}
	return false, nil
}

// systemUserMax is the highest number of a system user (login.defs(5)).
const systemUserMax = 999

func (s *System) user(p string) (bool, error) {
	uid, euid := os.Getuid(), os.Geteuid()
	if n, err := strconv.ParseUint(p, 10, 32); err == nil && isID(p) {
		return int(n) == uid || int(n) == euid, nil
	}
	if p == "@system" {
		return uid <= systemUserMax || euid <= systemUserMax, nil
	}
	if p == "root" {
		return uid == 0 || euid == 0, nil
	}
	u, err := user.Lookup(p)
	return err == nil && (u.Uid == strconv.Itoa(uid) || u.Uid == strconv.Itoa(euid)), nil
}

// isID reports whether digits are spelled as the number of a user or group.
func isID(p string) bool { return len(p) == 1 || p[0] != '0' }

func (s *System) group(p string) (bool, error) {
	if _, err := strconv.ParseUint(p, 10, 32); err != nil || !isID(p) {
		g, err := user.LookupGroup(p)
		if p == "root" {
			g, err = &user.Group{Gid: "0"}, nil
		}
		if err != nil {
			return false, nil
		}
		p = g.Gid
	}
	groups, _ := os.Getgroups()
	for _, g := range append(groups, os.Getgid(), os.Getegid()) {
		if strconv.Itoa(g) == p {
			return true, nil
		}
	}
	return false, nil
}

// controllers are those that systemd knows; others are ignored.
var controllers = map[string][]string{
	"cpu": {"cpu"}, "cpuacct": {"cpu", "cpuacct"}, "cpuset": {"cpuset"}, "io": {"io"}, "blkio": {"io", "blkio"}, "memory": {"memory"}, "devices": {"devices"}, "pids": {"pids"},
}

func (s *System) controller(p string) (bool, error) {
	var st unix.Statfs_t
	unified := unix.Statfs("/sys/fs/cgroup", &st) == nil && st.Type == unix.CGROUP2_SUPER_MAGIC
	switch p {
	case "v2":
		return unified, nil
	case "v1":
		return !unified, nil
	}
	have := map[string]bool{}
	if s.Controllers != nil {
		for _, c := range s.Controllers {
			have[c] = true
		}
		have["cpuacct"] = have["cpu"]
	} else if unified {
		for _, c := range strings.Fields(firstWord("/sys/fs/cgroup/cgroup.controllers")) {
			have[c] = true
		}
		have["devices"], have["cpuacct"] = true, have["cpu"]
	} else {
		// systemd leaves the old cpuset hierarchy alone.
		for _, l := range strings.Split(firstWord("/proc/cgroups"), "\n") {
			// What one may not put a process into does not count: an ordinary
			// user has no controllers of the old hierarchies.
			if f := strings.Fields(l); len(f) == 4 && f[3] == "1" && f[0] != "cpuset" && unix.Access("/sys/fs/cgroup/"+f[0]+"/cgroup.procs", unix.W_OK) == nil {
				have[f[0]] = true
			}
		}
	}
	ws, err := value.Split(p, "", value.Unquote)
	if err != nil {
		return false, ErrInvalid
	}
	for _, w := range ws {
		names, known := controllers[w]
		found := !known
		for _, n := range names {
			found = found || have[n]
		}
		if !found {
			return false, nil
		}
	}
	return true, nil
}

func (s *System) osRelease(p string) (bool, error) {
	tests, err := value.ParseOSReleaseTests(p)
	have := specifier.ReadHost(s.path("/")).OSRelease
	for _, t := range tests {
		if !t.Operator.Compare(have[t.Key], t.Version) {
			return false, nil
		}
	}
	if err != nil {
		return false, ErrInvalid
	}
	return true, nil
}

// pressure compares the stall information of the kernel with a threshold.
func (s *System) pressure(resource, p string) (bool, error) {
	want, err := value.ParsePressure(p)
	if err != nil {
		return false, ErrInvalid
	}
	file := "/proc/pressure/" + resource
	if !exists("/proc/pressure") {
		return true, nil // the kernel does not measure: nothing to wait for
	}
	if want.Slice != "" {
		file = filepath.Join("/sys/fs/cgroup", slicePath(want.Slice), resource+".pressure")
		if !exists(file) {
			return true, nil
		}
	}
	text := firstWord(file)
	kinds := []string{"full", "some"}
	if resource == "cpu" {
		kinds = kinds[1:] // of a whole machine the processor is never lost to all
	}
	for _, kind := range kinds {
		for _, l := range strings.Split(text, "\n") {
			f := strings.Fields(l)
			if len(f) == 0 || f[0] != kind {
				continue
			}
			for _, w := range f[1:] {
				if v, ok := strings.CutPrefix(w, want.Window+"="); ok {
					n, err := strconv.ParseFloat(v, 64)
					return err == nil && n*100 <= float64(want.Permyriad), nil
				}
			}
		}
	}
	return true, nil
}

// slicePath gives the control group of a slice: "a-b.slice" lies in "a.slice".
func slicePath(slice string) string {
	base := strings.TrimSuffix(slice, ".slice")
	if base == "-" {
		return ""
	}
	var p string
	for i := 0; i <= len(base); i++ {
		if i == len(base) || base[i] == '-' {
			p += "/" + base[:i] + ".slice"
		}
	}
	return p
}

func (s *System) kernelModule(p string) (bool, error) {
	p = strings.ReplaceAll(p, "-", "_")
	if p == "" || strings.Contains(p, "/") || p == ".." {
		return false, nil
	}
	state := firstWord("/sys/module/" + p + "/initstate")
	return exists("/sys/module/"+p) && (state == "" || state == "live"), nil
}

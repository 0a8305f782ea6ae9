package manager

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	us "github.com/unitgen/unitgen/runtime/unitstate"
	"github.com/unitgen/unitgen/schema/load"
	"github.com/unitgen/unitgen/schema/value"
)

// cgroups is the manager's own part of the cgroup v2 hierarchy, where it may
// write there; without it, processes are tracked as descendants.
type cgroups struct {
	mount       string // /sys/fs/cgroup
	base        string // path of our root below it, "/unitgen-1234abcd"
	controllers []string
}

func (c *cgroups) ok() bool { return c.mount != "" }

func (c *cgroups) has(controller string) bool { return contains(c.controllers, controller) }

// begin finds out whether there is a hierarchy that may be written.
func (c *cgroups) begin(m *Manager) {
	if m.opt.NoCgroups || m.opt.Edge != nil {
		return
	}
	mount := cgroup2Mount()
	if mount == "" {
		return
	}
	own := "/"
	b, _ := os.ReadFile("/proc/self/cgroup")
	for line := range strings.Lines(string(b)) {
		if p, ok := strings.CutPrefix(strings.TrimSpace(line), "0::"); ok {
			own = p
		}
	}
	h := sha256.Sum256([]byte(m.opt.RuntimeDir))
	base := filepath.Join(own, "unitgen-"+hex.EncodeToString(h[:4]))
	if m.opt.PID1 {
		base = own
	}
	dir := filepath.Join(mount, base)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return
	}
	// only a hierarchy that lets us move processes is of use
	probe := filepath.Join(dir, "init.scope")
	if err := os.MkdirAll(probe, 0o755); err != nil {
		return
	}
	f, err := os.OpenFile(filepath.Join(probe, "cgroup.procs"), os.O_WRONLY, 0)
	if err != nil {
		return
	}
	f.Close()
	if m.opt.PID1 {
		if err := os.WriteFile(filepath.Join(probe, "cgroup.procs"), []byte("0"), 0); err != nil {
			return
		}
	}
	c.mount, c.base = mount, base
	c.enable(dir)
}

// enable hands every controller there is on to the groups below.
func (c *cgroups) enable(dir string) {
	b, _ := os.ReadFile(filepath.Join(dir, "cgroup.controllers"))
	for _, k := range strings.Fields(string(b)) {
		if os.WriteFile(filepath.Join(dir, "cgroup.subtree_control"), []byte("+"+k), 0) == nil && dir == filepath.Join(c.mount, c.base) {
			c.controllers = append(c.controllers, k)
		}
	}
}

func cgroup2Mount() string {
	b, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if len(f) > 3 && f[2] == "cgroup2" {
			return f[1]
		}
	}
	return ""
}

// end removes our root, if it is empty.
func (c *cgroups) end() {
	if c.ok() && strings.Contains(c.base, "unitgen-") {
		removeGroups(filepath.Join(c.mount, c.base))
	}
}

func removeGroups(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		if e.IsDir() {
			removeGroups(filepath.Join(dir, e.Name()))
		}
	}
	_ = os.Remove(dir)
}

// group is the control group of one unit.
type group struct {
	path string // below the mount, "" while there is none
	dir  string
	f    *os.File
}

// groupPath is where a unit's group lies: below its slice.
func (u *unit) groupPath() string {
	if u.typ == "slice" {
		return filepath.Join(u.m.fsRoot.base, slicePath(u.name()))
	}
	slice := u.slice
	if slice == "" {
		slice = "system.slice"
		if !u.m.isSystem() {
			slice = "app.slice"
		}
	}
	return filepath.Join(u.m.fsRoot.base, slicePath(slice), u.name())
}

// slicePath unfolds "a-b.slice" to "a.slice/a-b.slice".
func slicePath(name string) string {
	if name == "-.slice" {
		return ""
	}
	base := strings.TrimSuffix(name, ".slice")
	parts := strings.Split(base, "-")
	var out []string
	for i := range parts {
		out = append(out, strings.Join(parts[:i+1], "-")+".slice")
	}
	return filepath.Join(out...)
}

// enter gives the descriptor of the unit's group for a new process, made with
// its limits if need be.
func (g *group) enter(u *unit) (*os.File, []string) {
	if !u.m.fsRoot.ok() {
		return nil, nil
	}
	if g.f == nil {
		if err := g.make(u); err != nil {
			if !u.m.warned["cgroup"] {
				u.m.warned["cgroup"] = true
				u.m.notice("", "control groups cannot be made: %v", err)
			}
			return nil, nil
		}
	}
	return g.f, nil
}

func (g *group) make(u *unit) error {
	c := &u.m.fsRoot
	g.path = u.groupPath()
	g.dir = filepath.Join(c.mount, g.path)
	// each slice on the way hands its controllers on
	rel := strings.TrimPrefix(g.path, c.base)
	at := filepath.Join(c.mount, c.base)
	for _, p := range strings.Split(strings.Trim(filepath.Dir(rel), "/"), "/") {
		if p == "" || p == "." {
			continue
		}
		at = filepath.Join(at, p)
		if err := os.Mkdir(at, 0o755); err == nil && len(c.controllers) > 0 {
			c.enable(at)
		}
	}
	if err := os.MkdirAll(g.dir, 0o755); err != nil {
		return err
	}
	g.limits(u)
	f, err := os.Open(g.dir)
	if err != nil {
		return err
	}
	g.f = f
	return nil
}

// enterSlice makes the group of a slice with its limits.
func (g *group) enterSlice(u *unit) {
	if u.typ == "slice" && u.m.fsRoot.ok() && len(u.m.fsRoot.controllers) > 0 && u.name() != "-.slice" && g.f == nil {
		_ = g.make(u)
		if g.f != nil {
			u.m.fsRoot.enable(g.dir)
			g.f.Close()
			g.f = nil
		}
	}
}

// attach moves a process into the group.
func (g *group) attach(u *unit, pid int) {
	if f, _ := g.enter(u); f != nil {
		_ = os.WriteFile(filepath.Join(g.dir, "cgroup.procs"), []byte(strconv.Itoa(pid)), 0)
	}
}

// groupLimits are the directives of systemd.resource-control(5) that become
// files of the group, with their controllers.
var groupLimits = []struct {
	directive, controller, file string
	write                       func(f *load.Unit, v string) string
}{
	{"MemoryMin", "memory", "memory.min", memoryValue},
	{"MemoryLow", "memory", "memory.low", memoryValue},
	{"MemoryHigh", "memory", "memory.high", memoryValue},
	{"MemoryMax", "memory", "memory.max", memoryValue},
	{"MemorySwapMax", "memory", "memory.swap.max", memoryValue},
	{"MemoryZSwapMax", "memory", "memory.zswap.max", memoryValue},
	{"TasksMax", "pids", "pids.max", tasksValue},
	{"CPUWeight", "cpu", "cpu.weight", weightValue},
	{"CPUQuota", "cpu", "cpu.max", quotaValue},
	{"IOWeight", "io", "io.weight", weightValue},
	{"AllowedCPUs", "cpuset", "cpuset.cpus", plainValue},
	{"AllowedMemoryNodes", "cpuset", "cpuset.mems", plainValue},
}

func plainValue(_ *load.Unit, v string) string { return strings.ReplaceAll(v, " ", ",") }

func weightValue(_ *load.Unit, v string) string {
	if v == "idle" {
		return "1"
	}
	return v
}

func memoryValue(_ *load.Unit, v string) string {
	if v == "infinity" {
		return "max"
	}
	if n, err := value.ParseSize(v); err == nil {
		return strconv.FormatUint(n, 10)
	}
	if p, err := value.ParsePermyriad(v); err == nil {
		return strconv.FormatUint(totalMemory()/10000*uint64(p), 10)
	}
	return ""
}

func tasksValue(_ *load.Unit, v string) string {
	if v == "infinity" {
		return "max"
	}
	if _, err := strconv.ParseUint(v, 10, 64); err == nil {
		return v
	}
	if p, err := value.ParsePermyriad(v); err == nil {
		b, _ := os.ReadFile("/proc/sys/kernel/threads-max")
		n, _ := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 64)
		return strconv.FormatUint(n*uint64(p)/10000, 10)
	}
	return ""
}

func quotaValue(f *load.Unit, v string) string {
	if v == "" {
		return ""
	}
	period := uint64(100000)
	if s := f.String("CPUQuotaPeriodSec"); s != "" && s != "infinity" {
		if n, err := value.ParseTimeSpan(s); err == nil && n > 0 {
			period = min(max(n, 1000), 1000000)
		}
	}
	p, err := strconv.ParseFloat(strings.TrimSuffix(v, "%"), 64)
	if err != nil || p <= 0 {
		return ""
	}
	return fmt.Sprintf("%d %d", uint64(p*float64(period)/100), period)
}

func totalMemory() uint64 {
	b, _ := os.ReadFile("/proc/meminfo")
	for line := range strings.Lines(string(b)) {
		if v, ok := strings.CutPrefix(line, "MemTotal:"); ok {
			n, _ := strconv.ParseUint(strings.Fields(v)[0], 10, 64)
			return n << 10
		}
	}
	return 0
}

// limits writes the limits of the unit's file into the group.
func (g *group) limits(u *unit) {
	for _, l := range groupLimits {
		v := u.file.String(l.directive)
		if v == "" || !u.m.fsRoot.has(l.controller) {
			continue
		}
		if s := l.write(u.file, v); s != "" {
			if err := os.WriteFile(filepath.Join(g.dir, l.file), []byte(s), 0); err != nil {
				u.notice("%s=%s: %v", l.directive, v, err)
			}
		}
	}
}

// processes gives the processes of the group; false without a group.
func (g *group) processes() ([]int, bool) {
	if g.dir == "" {
		return nil, false
	}
	var out []int
	err := filepath.WalkDir(g.dir, func(p string, d os.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			out = append(out, pidsOf(filepath.Join(p, "cgroup.procs"))...)
		}
		return nil
	})
	return out, err == nil
}

// killAll asks the kernel to kill the whole group at once, so that no fork can
// outrun it.
func (g *group) killAll() bool {
	return g.dir != "" && os.WriteFile(filepath.Join(g.dir, "cgroup.kill"), []byte("1"), 0) == nil
}

// release removes the group of a unit that is down.
func (g *group) release(u *unit) {
	if g.f != nil {
		g.f.Close()
		g.f = nil
	}
	if g.dir != "" {
		removeGroups(g.dir)
		if _, err := os.Stat(g.dir); err != nil {
			g.dir, g.path = "", ""
		}
	}
	_ = u
}

// freeze stops or lets go on all processes of the group.
func (g *group) freeze(on bool) error {
	if g.dir == "" {
		return us.Errorf(us.ErrNotSupported, "Freezing needs a control group, which this manager has none of here.")
	}
	v := "0"
	if on {
		v = "1"
	}
	return os.WriteFile(filepath.Join(g.dir, "cgroup.freeze"), []byte(v), 0)
}

// resources reads what the kernel counts for the group.
func (g *group) resources() us.Resources {
	r := us.Resources{MemoryCurrent: us.Unknown, MemoryPeak: us.Unknown, MemorySwap: us.Unknown, TasksCurrent: us.Unknown,
		CPUUsageNSec: us.Unknown, IOReadBytes: us.Unknown, IOWriteBytes: us.Unknown, IPIngressBytes: us.Unknown, IPEgressBytes: us.Unknown}
	if g.dir == "" {
		return r
	}
	num := func(file string, to *uint64) {
		if b, err := os.ReadFile(filepath.Join(g.dir, file)); err == nil {
			if n, err := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 64); err == nil {
				*to = n
			}
		}
	}
	num("memory.current", &r.MemoryCurrent)
	num("memory.peak", &r.MemoryPeak)
	num("memory.swap.current", &r.MemorySwap)
	num("pids.current", &r.TasksCurrent)
	if b, err := os.ReadFile(filepath.Join(g.dir, "cpu.stat")); err == nil {
		for line := range strings.Lines(string(b)) {
			if v, ok := strings.CutPrefix(line, "usage_usec "); ok {
				if n, err := strconv.ParseUint(strings.TrimSpace(v), 10, 64); err == nil {
					r.CPUUsageNSec = n * 1000
				}
			}
		}
	}
	return r
}

package manager

import (
	"errors"
	"os"
	"os/user"
	"path"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	us "github.com/unitgen/unitgen/runtime/unitstate"
	"github.com/unitgen/unitgen/schema/specifier"
	"github.com/unitgen/unitgen/schema/value"
)

// testConditions evaluates Condition…= and Assert…= (systemd.unit(5),
// "Conditions and Asserts"): all plain ones must hold, and one of those with
// "|", where there are any.
func (u *unit) testConditions() bool {
	u.conds = nil
	u.condStamp = u.m.now()
	u.condOK = u.evaluate("Condition")
	u.assertOK = u.evaluate("Assert")
	if !u.condOK {
		for _, c := range u.conds {
			if c.Result < 0 && !c.IsAssert {
				u.notice("%s was skipped: %s=%s is not met.", u.name(), c.Type, c.Param)
				break
			}
		}
	}
	return u.condOK
}

func (u *unit) evaluate(prefix string) bool {
	ok, triggered, anyTrigger := true, false, false
	for _, a := range u.file.Assigned {
		if a.Section != "Unit" || !strings.HasPrefix(a.Key, prefix) || a.Key == prefix {
			continue
		}
		if a.Value == "" {
			continue
		}
		c := us.Condition{Type: a.Key, Param: a.Value, IsAssert: prefix == "Assert"}
		c.Param, c.Trigger = strings.CutPrefix(c.Param, "|")
		c.Param, c.Negate = strings.CutPrefix(strings.TrimSpace(c.Param), "!")
		c.Param = strings.TrimSpace(c.Param)
		held := u.m.condition(u, strings.TrimPrefix(a.Key, prefix), c.Param) != c.Negate
		c.Result = -1
		if held {
			c.Result = 1
		}
		u.conds = append(u.conds, c)
		if c.Trigger {
			anyTrigger = true
			triggered = triggered || held
		} else {
			ok = ok && held
		}
	}
	return ok && (!anyTrigger || triggered)
}

// condition answers one question about the machine.
func (m *Manager) condition(u *unit, name, p string) bool {
	switch name {
	case "PathExists":
		_, err := os.Stat(p)
		return err == nil
	case "PathExistsGlob":
		l, _ := filepath.Glob(p)
		return len(l) > 0
	case "PathIsDirectory":
		st, err := os.Stat(p)
		return err == nil && st.IsDir()
	case "PathIsSymbolicLink":
		st, err := os.Lstat(p)
		return err == nil && st.Mode()&os.ModeSymlink != 0
	case "PathIsMountPoint":
		return isMountPoint(p)
	case "PathIsReadWrite":
		return unix.Access(p, unix.W_OK) == nil
	case "PathIsEncrypted":
		return false
	case "DirectoryNotEmpty":
		d, err := os.ReadDir(p)
		return err == nil && len(d) > 0
	case "FileNotEmpty":
		st, err := os.Stat(p)
		return err == nil && st.Mode().IsRegular() && st.Size() > 0
	case "FileIsExecutable":
		st, err := os.Stat(p)
		return err == nil && st.Mode().IsRegular() && unix.Access(p, unix.X_OK) == nil
	case "Architecture":
		return p == specifier.Architecture() || p == "native"
	case "Host":
		h := specifier.ReadHost("")
		match, _ := path.Match(p, h.Hostname)
		return match || p == h.MachineID
	case "KernelCommandLine":
		b, _ := os.ReadFile("/proc/cmdline")
		for _, w := range strings.Fields(string(b)) {
			k, _, _ := strings.Cut(w, "=")
			if w == p || !strings.Contains(p, "=") && k == p {
				return true
			}
		}
		return false
	case "KernelVersion":
		return kernelVersion(p)
	case "Virtualization":
		return virtualization(p)
	case "Security", "TPM2", "Firmware", "CPUFeature", "ControlGroupController":
		return m.facility(name, p)
	case "Capability":
		n, ok := value.Capability(p)
		return ok && boundingSet()>>n&1 != 0
	case "ACPower":
		want, err := value.ParseBool(p)
		return err == nil && want
	case "NeedsUpdate", "FirstBoot":
		if want, err := value.ParseBool(p); err == nil {
			return !want
		}
		return false
	case "User":
		return isUser(p)
	case "Group":
		return isGroup(p)
	case "Environment":
		n, v, exact := strings.Cut(p, "=")
		for _, e := range m.env {
			k, val, _ := strings.Cut(e, "=")
			if k == n && (!exact || val == v) {
				return true
			}
		}
		return false
	case "CPUs":
		return compareNumber(p, uint64(runtime.NumCPU()), func(s string) (uint64, error) { return strconv.ParseUint(s, 10, 64) })
	case "Memory":
		var si unix.Sysinfo_t
		_ = unix.Sysinfo(&si)
		return compareNumber(p, uint64(si.Totalram)*uint64(si.Unit), value.ParseSize)
	case "OSRelease":
		return osRelease(p)
	case "Credential":
		_, err := os.Stat(filepath.Join(m.credentialStore(), p))
		return err == nil
	}
	u.notice("Condition%s= is not known here and counts as met.", name)
	return true
}

func isMountPoint(p string) bool {
	var a, b unix.Statx_t
	if unix.Statx(unix.AT_FDCWD, p, 0, unix.STATX_BASIC_STATS, &a) != nil {
		return false
	}
	if a.Attributes_mask&unix.STATX_ATTR_MOUNT_ROOT != 0 {
		return a.Attributes&unix.STATX_ATTR_MOUNT_ROOT != 0
	}
	if unix.Statx(unix.AT_FDCWD, filepath.Join(p, ".."), 0, unix.STATX_BASIC_STATS, &b) != nil {
		return false
	}
	return a.Dev_major != b.Dev_major || a.Dev_minor != b.Dev_minor || a.Ino == b.Ino
}

func splitOperator(p string) (op, rest string) {
	for _, o := range []string{"<=", ">=", "!=", "<>", "<", ">", "="} {
		if r, ok := strings.CutPrefix(p, o); ok {
			return o, strings.TrimSpace(r)
		}
	}
	return "", p
}

func holds(op string, c int) bool {
	switch op {
	case "<":
		return c < 0
	case "<=":
		return c <= 0
	case ">":
		return c > 0
	case "=":
		return c == 0
	case "!=", "<>":
		return c != 0
	}
	return c >= 0
}

func compareNumber(p string, have uint64, parse func(string) (uint64, error)) bool {
	op, rest := splitOperator(p)
	n, err := parse(rest)
	if err != nil {
		return false
	}
	c := 0
	if have < n {
		c = -1
	} else if have > n {
		c = 1
	}
	return holds(op, c)
}

func kernelVersion(p string) bool {
	var un unix.Utsname
	_ = unix.Uname(&un)
	release := unix.ByteSliceToString(un.Release[:])
	for _, w := range strings.Fields(p) {
		op, rest := splitOperator(w)
		if op == "" {
			if ok, _ := path.Match(rest, release); !ok {
				return false
			}
			continue
		}
		if !holds(op, compareVersions(release, rest)) {
			return false
		}
	}
	return true
}

// compareVersions compares the numbers in two versions one after another.
func compareVersions(a, b string) int {
	num := func(s string) []int {
		var out []int
		for _, f := range strings.FieldsFunc(s, func(r rune) bool { return r < '0' || r > '9' }) {
			n, _ := strconv.Atoi(f)
			out = append(out, n)
		}
		return out
	}
	x, y := num(a), num(b)
	for i := range min(len(x), len(y)) {
		if x[i] != y[i] {
			return x[i] - y[i]
		}
	}
	if len(x) > len(y) && len(y) > 0 {
		return 1
	}
	return len(x) - len(y)
}

// virtualization answers what can be known from files: containers, and
// hypervisors that the firmware tables name.
func virtualization(p string) bool {
	kind, vm := "none", false
	switch {
	case exists("/.dockerenv"):
		kind = "docker"
	case exists("/run/.containerenv"):
		kind = "podman"
	case os.Getenv("container") != "":
		kind = os.Getenv("container")
	default:
		b, _ := os.ReadFile("/sys/class/dmi/id/sys_vendor")
		for name, k := range map[string]string{"QEMU": "qemu", "VMware": "vmware", "Microsoft": "microsoft", "Amazon": "amazon", "Google": "google", "innotek": "oracle", "Xen": "xen"} {
			if strings.Contains(string(b), name) {
				kind, vm = k, true
			}
		}
	}
	if want, err := value.ParseBool(p); err == nil {
		return want == (kind != "none")
	}
	switch p {
	case "vm":
		return vm
	case "container":
		return kind != "none" && !vm
	case "private-users":
		b, _ := os.ReadFile("/proc/self/uid_map")
		return !strings.Contains(string(b), "4294967295")
	}
	return p == kind
}

func exists(p string) bool { _, err := os.Stat(p); return err == nil }

func (m *Manager) facility(name, p string) bool {
	switch name {
	case "Security":
		switch p {
		case "selinux":
			return exists("/sys/fs/selinux/enforce")
		case "apparmor":
			b, _ := os.ReadFile("/sys/module/apparmor/parameters/enabled")
			return strings.HasPrefix(string(b), "Y")
		case "uefi-secureboot", "audit", "ima", "tomoyo", "smack", "tpm2", "cvm", "measured-uki":
			return false
		}
		return false
	case "ControlGroupController":
		if p == "v2" {
			return m.fsRoot.ok()
		}
		if p == "v1" {
			return !m.fsRoot.ok()
		}
		for _, w := range strings.Fields(p) {
			if !m.fsRoot.has(w) {
				return false
			}
		}
		return true
	case "CPUFeature":
		b, _ := os.ReadFile("/proc/cpuinfo")
		for line := range strings.Lines(string(b)) {
			if k, v, ok := strings.Cut(line, ":"); ok && (strings.TrimSpace(k) == "flags" || strings.TrimSpace(k) == "Features") {
				return contains(strings.Fields(v), strings.ToLower(p))
			}
		}
		return false
	case "Firmware":
		return p == "uefi" && exists("/sys/firmware/efi") || p == "device-tree" && exists("/sys/firmware/devicetree")
	}
	return false
}

func boundingSet() uint64 {
	b, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(b)) {
		if v, ok := strings.CutPrefix(line, "CapBnd:"); ok {
			n, _ := strconv.ParseUint(strings.TrimSpace(v), 16, 64)
			return n
		}
	}
	return 0
}

func isUser(p string) bool {
	uid := os.Getuid()
	switch {
	case p == "@system":
		return uid < 1000 || uid == 65534
	case p == strconv.Itoa(uid):
		return true
	}
	u, err := user.Lookup(p)
	return err == nil && u.Uid == strconv.Itoa(uid)
}

func isGroup(p string) bool {
	ids, err := os.Getgroups()
	if err != nil {
		return false
	}
	ids = append(ids, os.Getgid())
	g, err := lookupGroup(p)
	return err == nil && contains2(ids, int(g))
}

func osRelease(p string) bool {
	b, err := os.ReadFile("/etc/os-release")
	if errors.Is(err, os.ErrNotExist) {
		b, _ = os.ReadFile("/usr/lib/os-release")
	}
	fields := map[string]string{}
	list, _ := value.ParseEnvironmentFile(string(b))
	for _, a := range list {
		fields[a.Name] = a.Value
	}
	for _, w := range words([]string{p}) {
		i := strings.IndexAny(w, "<>=!")
		if i < 0 {
			return false
		}
		op, rest := splitOperator(w[i:])
		have := fields[w[:i]]
		switch op {
		case "=":
			if have != rest {
				return false
			}
		case "!=", "<>":
			if have == rest {
				return false
			}
		default:
			if !holds(op, compareVersions(have, rest)) {
				return false
			}
		}
	}
	return true
}

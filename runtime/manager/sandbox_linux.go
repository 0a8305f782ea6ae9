package manager

import (
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/unitgen/unitgen/runtime/manager/stage"
	"github.com/unitgen/unitgen/schema/load"
	"github.com/unitgen/unitgen/schema/value"
)

// sandbox is what a unit asks of private namespaces (systemd.exec(5),
// "SANDBOXING"). Only root can have it; a manager of an ordinary user lists
// these directives as not applied.
type sandbox struct {
	unshare uintptr
	mounts  []stage.Mount
	flags   uintptr
	netUp   bool
}

func (s *sandbox) any() bool { return s.unshare != 0 }

// newSandbox works out the changes in order: first what hides or protects
// large parts, then the exceptions below them.
func newSandbox(m *Manager, f *load.Unit) sandbox {
	var s sandbox
	if os.Geteuid() != 0 {
		return s
	}
	var binds, protect, open, cover []stage.Mount
	ro := func(paths ...string) {
		for _, p := range paths {
			protect = append(protect, stage.Mount{Kind: "ro", Target: p, Optional: true})
		}
	}
	switch f.String("ProtectSystem") {
	case "yes", "true", "1", "on":
		ro("/usr", "/boot", "/efi")
	case "full":
		ro("/usr", "/boot", "/efi", "/etc")
	case "strict":
		ro("/")
		for _, p := range []string{"/dev", "/proc", "/sys"} {
			open = append(open, stage.Mount{Kind: "rw", Target: p, Optional: true})
		}
	}
	switch f.String("ProtectHome") {
	case "yes", "true", "1", "on":
		for _, p := range []string{"/home", "/root", "/run/user"} {
			cover = append(cover, stage.Mount{Kind: "inaccessible", Target: p, Optional: true})
		}
	case "read-only":
		ro("/home", "/root", "/run/user")
	case "tmpfs":
		for _, p := range []string{"/home", "/root", "/run/user"} {
			cover = append(cover, stage.Mount{Kind: "empty", Target: p, Optional: true})
		}
	}
	if f.Bool("ProtectKernelTunables") {
		ro("/proc/sys", "/proc/sysrq-trigger", "/proc/latency_stats", "/proc/mtrr", "/proc/acpi", "/proc/timer_stats", "/proc/fs", "/proc/irq", "/sys")
	}
	if f.Bool("ProtectControlGroups") {
		ro("/sys/fs/cgroup")
	}
	if f.Bool("ProtectKernelModules") {
		cover = append(cover, stage.Mount{Kind: "inaccessible", Target: "/usr/lib/modules", Optional: true})
	}
	if f.Bool("ProtectKernelLogs") {
		cover = append(cover, stage.Mount{Kind: "inaccessible", Target: "/proc/kmsg", Optional: true}, stage.Mount{Kind: "inaccessible", Target: "/dev/kmsg", Optional: true})
	}
	if f.Bool("PrivateDevices") {
		cover = append(cover, stage.Mount{Kind: "private-dev", Target: "/dev"})
	}
	if f.Bool("PrivateTmp") {
		for _, p := range []string{"/tmp", "/var/tmp"} {
			cover = append(cover, stage.Mount{Kind: "tmpfs", Target: p, Options: "mode=1777", Optional: true})
		}
	}
	for _, v := range f.Strings("TemporaryFileSystem") {
		list, _ := value.ParseTemporaryFileSystems(v, nil)
		for _, t := range list {
			opts := t.Options
			if !strings.Contains(opts, "mode=") {
				opts = strings.TrimPrefix(opts+",mode=0755", ",")
			}
			cover = append(cover, stage.Mount{Kind: "tmpfs", Target: t.Path, Options: opts})
		}
	}
	for _, d := range []string{"BindPaths", "BindReadOnlyPaths"} {
		kind := "bind"
		if d == "BindReadOnlyPaths" {
			kind = "bind-ro"
		}
		for _, v := range f.Strings(d) {
			list, _ := value.ParseBindPaths(v, nil)
			for _, b := range list {
				binds = append(binds, stage.Mount{Kind: kind, Source: b.Source, Target: b.Target, Recurse: !b.Flat, Optional: b.Optional})
			}
		}
	}
	paths := func(kind string, settings ...string) []stage.Mount {
		var out []stage.Mount
		for _, d := range settings {
			for _, p := range words(f.Strings(d)) {
				p = strings.TrimPrefix(p, "+")
				q := strings.TrimPrefix(strings.TrimPrefix(p, "-"), "+")
				out = append(out, stage.Mount{Kind: kind, Target: q, Optional: q != p})
			}
		}
		return out
	}
	protect = append(protect, paths("ro", "ReadOnlyPaths", "ReadOnlyDirectories")...)
	open = append(open, paths("rw", "ReadWritePaths", "ReadWriteDirectories")...)
	late := paths("inaccessible", "InaccessiblePaths", "InaccessibleDirectories")
	late = append(late, paths("noexec", "NoExecPaths")...)
	late = append(late, paths("exec", "ExecPaths")...)
	for _, l := range [][]stage.Mount{cover, binds, protect, open, late} {
		s.mounts = append(s.mounts, l...)
	}
	if len(s.mounts) > 0 || f.Bool("PrivateMounts") {
		s.unshare |= unix.CLONE_NEWNS
	}
	switch f.String("MountFlags") {
	case "shared":
		s.flags, s.unshare = unix.MS_SHARED, s.unshare|unix.CLONE_NEWNS
	case "private":
		s.flags, s.unshare = unix.MS_PRIVATE, s.unshare|unix.CLONE_NEWNS
	case "slave":
		s.unshare |= unix.CLONE_NEWNS
	}
	if f.Bool("PrivateNetwork") {
		s.unshare |= unix.CLONE_NEWNET
		s.netUp = true
	}
	if f.Bool("PrivateIPC") {
		s.unshare |= unix.CLONE_NEWIPC
	}
	if f.Bool("ProtectHostname") {
		s.unshare |= unix.CLONE_NEWUTS
	}
	return s
}

// apply puts the sandbox into a spec. What the unit's own directories need is
// opened again below a read-only root.
func (s *sandbox) apply(spec *stage.Spec, c *execConfig, credDir string) {
	spec.Unshare, spec.NetUp, spec.MountFlags = s.unshare, s.netUp, s.flags
	spec.Mounts = append(spec.Mounts, s.mounts...)
	if s.unshare&unix.CLONE_NEWNS == 0 {
		return
	}
	spec.Keep = append(spec.Keep, c.keep...)
	for i, d := range c.dirs {
		if i == 4 {
			continue
		}
		for _, n := range d.names {
			spec.Keep = append(spec.Keep, d.base+"/"+n.name)
		}
		for _, n := range d.names {
			spec.Mounts = append(spec.Mounts, stage.Mount{Kind: "rw", Target: d.base + "/" + n.name, Optional: true})
		}
	}
	if credDir != "" {
		spec.Mounts = append(spec.Mounts, stage.Mount{Kind: "ro", Target: credDir, Optional: true})
	}
}

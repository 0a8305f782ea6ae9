package manager

import (
	"os"
	"path/filepath"
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
	unshare      uintptr
	mounts       []stage.Mount
	flags        uintptr
	privateUsers bool
	noSUID       bool
	share        sharing
	netns, ipcns string // paths of namespaces to enter
}

func (s *sandbox) any() bool {
	return s.unshare != 0 || s.privateUsers || s.share.any() || s.netns != "" || s.ipcns != ""
}

// newSandbox works out what is mounted and how it may be used. The stage puts
// the changes in order; of several for a path the strictest counts.
func newSandbox(m *Manager, f *load.Unit) sandbox {
	var s sandbox
	if os.Geteuid() != 0 {
		return s
	}
	add := func(kind string, paths ...string) {
		for _, p := range paths {
			s.mounts = append(s.mounts, stage.Mount{Kind: kind, Target: p, Optional: true})
		}
	}
	s.protect(f, add)
	s.cover(f, add)
	listed := func(kind string, settings ...string) {
		for _, d := range settings {
			for _, p := range words(f.Strings(d)) {
				p = strings.TrimPrefix(p, "+")
				q := strings.TrimPrefix(strings.TrimPrefix(p, "-"), "+")
				s.mounts = append(s.mounts, stage.Mount{Kind: kind, Target: q, Optional: q != p})
			}
		}
	}
	listed("ro", "ReadOnlyPaths", "ReadOnlyDirectories")
	listed("rw", "ReadWritePaths", "ReadWriteDirectories")
	listed("inaccessible", "InaccessiblePaths", "InaccessibleDirectories")
	listed("noexec", "NoExecPaths")
	listed("exec", "ExecPaths")
	if f.Bool("PrivateIPC") {
		add("mqueue", "/dev/mqueue")
	}
	if len(s.mounts) > 0 || f.Bool("PrivateMounts") || f.Bool("PrivateTmp") {
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
	if f.Bool("ProtectHostname") {
		s.unshare |= unix.CLONE_NEWUTS
	}
	s.privateUsers = f.Bool("PrivateUsers")
	s.noSUID = f.Bool("NoNewPrivileges")
	s.netns, s.ipcns = f.String("NetworkNamespacePath"), f.String("IPCNamespacePath")
	s.share = sharing{tmp: f.Bool("PrivateTmp"), net: f.Bool("PrivateNetwork") && s.netns == "", ipc: f.Bool("PrivateIPC") && s.ipcns == ""}
	return s
}

// protect is what ProtectSystem=, ProtectHome= and their like say of paths.
func (s *sandbox) protect(f *load.Unit, add func(kind string, paths ...string)) {
	homes := []string{"/home", "/root", "/run/user"}
	switch f.String("ProtectSystem") {
	case "yes", "true", "1", "on":
		add("ro", "/usr", "/boot", "/efi")
	case "full":
		add("ro", "/usr", "/boot", "/efi", "/etc")
	case "strict":
		add("ro", "/")
		add("leave", append(homes, "/dev", "/proc", "/sys")...)
	}
	switch f.String("ProtectHome") {
	case "yes", "true", "1", "on":
		add("inaccessible", homes...)
	case "read-only":
		add("ro", homes...)
	case "tmpfs":
		add("tmpfs", homes...)
	}
	if f.Bool("ProtectKernelTunables") {
		add("ro", "/proc/sys", "/proc/sysrq-trigger", "/proc/latency_stats", "/proc/mtrr", "/proc/apm", "/proc/acpi", "/proc/timer_stats",
			"/proc/asound", "/proc/bus", "/proc/fs", "/proc/irq", "/sys")
		add("inaccessible", "/proc/kallsyms", "/proc/kcore")
	}
	if f.Bool("ProtectControlGroups") {
		add("ro", "/sys/fs/cgroup")
	}
	if f.Bool("ProtectKernelModules") {
		add("inaccessible", "/usr/lib/modules")
	}
	if f.Bool("ProtectKernelLogs") {
		add("inaccessible", "/proc/kmsg", "/dev/kmsg")
	}
}

// cover is what is mounted over the machine's own.
func (s *sandbox) cover(f *load.Unit, add func(kind string, paths ...string)) {
	if f.Bool("PrivateDevices") {
		s.mounts = append(s.mounts, stage.Mount{Kind: "private-dev", Target: "/dev"})
	}
	var proc []string
	if p := f.String("ProtectProc"); p != "" && p != "default" {
		proc = append(proc, "hidepid="+p)
	}
	if f.String("ProcSubset") == "pid" {
		proc = append(proc, "subset=pid")
	}
	root := f.String("RootDirectory") != "" && f.String("RootDirectory") != "/"
	if root && f.Bool("MountAPIVFS") {
		for _, d := range []string{"/sys", "/dev"} {
			if d == "/dev" && f.Bool("PrivateDevices") {
				continue
			}
			s.mounts = append(s.mounts, stage.Mount{Kind: "bind", Source: d, Target: d, Recurse: true})
		}
		add("tmpfs", "/run")
	}
	if len(proc) > 0 || root && f.Bool("MountAPIVFS") {
		s.mounts = append(s.mounts, stage.Mount{Kind: "proc", Target: "/proc", Options: strings.Join(proc, ",")})
	}
	for _, v := range f.Strings("TemporaryFileSystem") {
		list, _ := value.ParseTemporaryFileSystems(v, nil)
		for _, t := range list {
			opts := "nodev,nosuid,mode=0755"
			if t.Options != "" {
				opts += "," + t.Options
			}
			s.mounts = append(s.mounts, stage.Mount{Kind: "tmpfs", Target: t.Path, Options: opts})
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
				s.mounts = append(s.mounts, stage.Mount{Kind: kind, Source: b.Source, Target: b.Target, Recurse: !b.Flat, Optional: b.Optional})
			}
		}
	}
}

// apply puts the sandbox into a spec. What the unit's own directories need is
// opened again below a read-only root, and the credentials of other units are
// hidden.
func (s *sandbox) apply(spec *stage.Spec, r *spawnRequest) error {
	c := r.cfg
	spec.Unshare, spec.MountFlags, spec.PrivateUsers = s.unshare, s.flags, s.privateUsers
	spec.NetNS, spec.IPCNS = s.netns, s.ipcns
	spec.Mounts = append(spec.Mounts, s.mounts...)
	if r.space != nil {
		if err := r.space.apply(spec, s.share, r.unit); err != nil {
			return err
		}
	}
	if s.unshare&unix.CLONE_NEWNS == 0 {
		return nil
	}
	spec.NoSUID = s.noSUID
	spec.Keep = append(spec.Keep, c.keep...)
	for i, d := range c.dirs {
		if i == 4 {
			continue
		}
		for _, n := range d.names {
			p := d.base + "/" + n.name
			spec.Keep = append(spec.Keep, p)
			spec.Mounts = append(spec.Mounts, stage.Mount{Kind: "rw", Target: p, Optional: true})
		}
	}
	if c.root != "" {
		return nil
	}
	if r.credDir != "" {
		spec.Mounts = append(spec.Mounts,
			stage.Mount{Kind: "cover", Target: filepath.Dir(r.credDir), Optional: true},
			stage.Mount{Kind: "bind-ro", Source: r.credDir, Target: r.credDir})
	} else {
		spec.Mounts = append(spec.Mounts, stage.Mount{Kind: "inaccessible", Target: r.credBase, Optional: true})
	}
	return nil
}

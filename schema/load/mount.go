package load

import (
	"path"
	"strings"

	"github.com/unitgen/unitgen/schema/unitname"
)

// where gives the mount point of a mount or automount unit.
func (u *Unit) where() string {
	if w := u.own("Where"); w != "" {
		return path.Clean(w)
	}
	p, err := unitname.ToPath(u.Name)
	if err != nil {
		return ""
	}
	return p
}

// extrinsic reports whether a unit does not stop at shutdown and is kept out
// of the ordinary slices: mounts of the base system and of virtual file
// systems, and every mount and swap of a user manager.
func (u *Unit) extrinsic() bool {
	if u.perpetual() {
		return true
	}
	switch u.Type {
	case "mount":
		if !u.loader.system() {
			return true
		}
		w := u.where()
		if w == "/" || w == "/usr" || w == "/etc" {
			return true
		}
		for _, p := range []string{"/run/initramfs", "/proc", "/sys", "/dev"} {
			if w == p || strings.HasPrefix(w, p+"/") {
				return true
			}
		}
		return u.mountOption("x-initrd.mount")
	case "swap":
		return !u.loader.system()
	}
	return false
}

// mountOption reports whether Options= holds an option, with or without a
// value.
func (u *Unit) mountOption(name string) bool {
	for _, o := range strings.Split(u.own("Options"), ",") {
		k, _, _ := strings.Cut(strings.TrimSpace(o), "=")
		if k == name {
			return true
		}
	}
	return false
}

// networkTypes are file systems that need the network.
var networkTypes = map[string]bool{
	"afs": true, "ceph": true, "cifs": true, "smb3": true, "smbfs": true, "sshfs": true, "ncpfs": true, "ncp": true, "nfs": true, "nfs4": true,
	"gfs": true, "gfs2": true, "glusterfs": true, "pvfs2": true, "ocfs2": true, "lustre": true, "davfs": true,
}

func (u *Unit) networkMount() bool {
	return u.mountOption("_netdev") || networkTypes[strings.TrimPrefix(u.own("Type"), "fuse.")]
}

func (u *Unit) bindMount() bool {
	return u.mountOption("bind") || u.mountOption("rbind") || u.own("Type") == "bind" || u.own("Type") == "rbind"
}

func isDevicePath(p string) bool {
	return strings.HasPrefix(p, "/dev/") || strings.HasPrefix(p, "/sys/")
}

// node adds a dependency on a device.
func (l *Loader) node(u *Unit, dev, typ string, origin int) {
	if !isDevicePath(dev) {
		return
	}
	n, err := unitname.FromPath(dev, "device")
	if err != nil {
		return
	}
	if !l.system() {
		typ = "Wants"
	}
	u.two(typ, "After", n, origin)
}

// blockdev orders a unit after the target that stands for a block device being
// ready.
func (u *Unit) blockdev(what string, origin int) {
	if !strings.HasPrefix(what, "/dev/") {
		return
	}
	e, err := unitname.EscapePath(what)
	if err != nil {
		return
	}
	if n, err := unitname.Build("blockdev", e, "target", true); err == nil {
		u.add("After", n, origin)
	}
}

func (l *Loader) mountDeps(u *Unit) {
	where, what := u.where(), u.own("What")
	if u.Fragment == "" && len(u.Files) == 0 {
		// A mount that systemd only knows from the kernel: "-.mount".
		l.slice(u)
		return
	}
	if isDevicePath(what) && !u.bindMount() && what != "/dev/root" && what != "/dev/nfs" && where != "/" {
		typ := "Requires"
		if u.mountOption("x-systemd.device-bound") {
			typ = "BindsTo"
		}
		l.node(u, what, typ, fromMountFile)
		if n, err := unitname.FromPath(what, "device"); err == nil && typ == "Requires" && l.system() {
			u.add("StopPropagatedFrom", n, fromMountFile)
		}
		u.blockdev(what, fromMountFile)
	}
	l.execDeps(u)
	l.slice(u)
	if where != "/" {
		u.needMounts(path.Dir(where), fromImplicit)
	}
	if strings.HasPrefix(what, "/") && (u.bindMount() || u.mountOption("loop") || !u.networkMount()) {
		u.needMounts(path.Clean(what), fromFile)
	}
	if l.system() && u.wantsQuota() {
		u.two("Before", "Wants", "systemd-quotacheck.service", fromFile)
		u.two("Before", "Wants", "quotaon.service", fromFile)
	}
	if !u.defaults() || u.extrinsic() {
		return
	}
	l.mountOrder(u)
	u.two("Before", "Conflicts", "umount.target", fromMountFile)
	if u.own("Type") == "tmpfs" {
		u.add("After", "swap.target", fromMountFile)
	}
}

func (u *Unit) wantsQuota() bool {
	if u.networkMount() || u.bindMount() {
		return false
	}
	for _, o := range []string{"usrquota", "grpquota", "quota", "usrjquota", "grpjquota"} {
		if u.mountOption(o) {
			return true
		}
	}
	return false
}

func (l *Loader) mountOrder(u *Unit) {
	after, before := "local-fs-pre.target", "local-fs.target"
	if u.networkMount() {
		u.add("After", "network.target", fromMountFile)
		u.two("Wants", "After", "network-online.target", fromMountFile)
		after, before = "remote-fs-pre.target", "remote-fs.target"
	}
	if !u.mountOption("nofail") {
		u.add("Before", before, fromMountFile)
	}
	u.add("After", after, fromMountFile)
}

func (l *Loader) automountDeps(u *Unit) {
	w := u.where()
	if w != "/" && w != "" {
		u.needMounts(path.Dir(w), fromImplicit)
	}
	u.two("Before", "Triggers", u.related("mount"), fromImplicit)
	if !u.defaults() || !l.system() {
		return
	}
	u.add("Before", "local-fs.target", fromDefault)
	u.add("After", "local-fs-pre.target", fromDefault)
	u.shutdown("umount.target")
}

func (l *Loader) swapDeps(u *Unit) {
	what := u.own("What")
	if what == "" {
		what, _ = unitname.ToPath(u.Name)
	}
	if what != "" {
		u.needMounts(path.Clean(what), fromImplicit)
		if isDevicePath(what) {
			l.node(u, what, "Requires", fromFile)
			u.blockdev(what, fromFile)
		} else {
			u.add("After", "systemd-remount-fs.service", fromFile)
		}
	}
	l.execDeps(u)
	l.slice(u)
	if u.defaults() && l.system() && !l.opt.Container {
		u.add("Before", "swap.target", fromDefault)
		u.shutdown("umount.target")
	}
}

// mountUnits adds dependencies on the mount units of every path that the unit
// needs. The root mount is always there; others count when they have a unit.
func (l *Loader) mountUnits(u *Unit) {
	for _, need := range u.mounts {
		for p := path.Clean(need.path); ; p = path.Dir(p) {
			n, err := unitname.FromPath(p, "mount")
			if err == nil && n != u.Name {
				l.mountUnit(u, n, need)
			}
			if p == "/" {
				break
			}
		}
	}
}

func (l *Loader) mountUnit(u *Unit, name string, need mountNeed) {
	m := l.stage1(name)
	if m.State != Loaded {
		return
	}
	origin := fromPath
	if m.Name == "-.mount" {
		origin = need.origin
	}
	u.add("After", m.Name, origin)
	if m.Fragment != "" || m.Name != "-.mount" {
		if need.wants {
			u.add("Wants", m.Name, origin)
		} else {
			u.add("Requires", m.Name, origin)
		}
	}
}

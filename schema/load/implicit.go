package load

import (
	"path"
	"strings"

	"github.com/unitgen/unitgen/schema/unitname"
)

// resolve completes the unit's own half of its dependencies: what the files
// say, what follows from its settings, the default dependencies of its type,
// the slice it is in, and the mounts below the paths it needs.
func (l *Loader) resolve(u *Unit) {
	if u.resolved {
		return
	}
	u.resolved = true
	if u.State != Loaded && !u.broken {
		return
	}
	l.gather(u)
	if u.State == Loaded {
		l.mountUnits(u)
		if u.first("Unit", "OnFailureJobMode") == "isolate" && len(u.Settings["Unit"]["OnFailure"]) > 1 {
			u.refuse("With OnFailureJobMode=isolate only one unit may stand in OnFailure=")
		}
	}
	if u.Type == "target" {
		l.targetDefaults(u)
	}
	u.finish()
}

// gather adds all but what needs other units to be loaded. It is done once.
func (l *Loader) gather(u *Unit) {
	if u.gathered || u.State != Loaded && !u.broken {
		return
	}
	u.gathered = true
	l.ownDeps(u)
	if u.broken {
		return
	}
	if !l.verifyUnit(u) {
		u.State = BadSetting
		if l.opt.NoDefaults {
			return
		}
	}
	if l.opt.NoDefaults {
		return
	}
	switch u.Type {
	case "service":
		l.serviceDeps(u)
	case "socket":
		l.socketDeps(u)
	case "timer":
		l.timerDeps(u)
	case "path":
		l.pathDeps(u)
	case "mount":
		l.mountDeps(u)
	case "automount":
		l.automountDeps(u)
	case "swap":
		l.swapDeps(u)
	case "slice":
		l.sliceDeps(u)
	case "scope", "target":
		if u.defaults() && u.Name != "shutdown.target" {
			u.shutdown("shutdown.target")
		}
	}
	l.oomdDeps(u)
}

func (l *Loader) system() bool { return l.opt.Scope != "user" }

// two adds two dependencies on one unit.
func (u *Unit) two(a, b, other string, origin int) {
	u.add(a, other, origin)
	u.add(b, other, origin)
}

func (u *Unit) shutdown(target string) { u.two("Before", "Conflicts", target, fromDefault) }

// sysinit adds what every unit of the ordinary kind has: it comes after early
// boot and needs it.
func (l *Loader) sysinit(u *Unit) {
	if l.system() {
		u.two("After", "Requires", "sysinit.target", fromDefault)
	}
}

func (l *Loader) serviceDeps(u *Unit) {
	if u.serviceType() == "dbus" && u.own("BusName") != "" {
		u.two("Requires", "After", "dbus.socket", fromFile)
	}
	l.execDeps(u)
	l.slice(u)
	if !u.defaults() {
		return
	}
	if l.system() {
		l.sysinit(u)
	} else {
		u.add("Requires", "basic.target", fromDefault)
	}
	u.add("After", "basic.target", fromDefault)
	u.shutdown("shutdown.target")
}

// serviceType gives the Type= in effect.
func (u *Unit) serviceType() string {
	switch t := u.own("Type"); {
	case t != "":
		return t
	case u.own("BusName") != "":
		return "dbus"
	case len(u.Commands["ExecStart"]) > 0:
		return "simple"
	}
	return "oneshot"
}

// related gives the unit of the same name with another type.
func (u *Unit) related(typ string) string {
	n, err := unitname.ChangeSuffix(u.Name, typ)
	if err != nil {
		return ""
	}
	return n
}

func (l *Loader) socketDeps(u *Unit) {
	if u.acceptsItself() {
		s := u.own("Service")
		if s == "" {
			s = u.related("service")
		}
		u.two("Before", "Triggers", s, fromImplicit)
	}
	for _, k := range groups["Socket"] {
		for _, a := range u.Settings["Socket"][k] {
			switch k {
			case "ListenNetlink", "ListenMessageQueue":
				continue
			}
			if strings.HasPrefix(a, "/") {
				u.needMounts(path.Clean(a), fromFile)
			}
		}
	}
	if dev := u.own("BindToDevice"); dev != "" && dev != "lo" {
		l.node(u, "/sys/subsystem/net/devices/"+dev, "BindsTo", fromFile)
	}
	for _, k := range []string{"ExecStartPre", "ExecStartPost", "ExecStopPre", "ExecStopPost"} {
		if len(u.Commands[k]) > 0 {
			l.execDeps(u)
			break
		}
	}
	l.slice(u)
	if !u.defaults() {
		return
	}
	u.add("Before", "sockets.target", fromDefault)
	l.sysinit(u)
	u.shutdown("shutdown.target")
}

// acceptsItself reports whether one service takes the listening sockets: not
// Accept=yes, or one of the sockets is of a kind that takes no connections.
func (u *Unit) acceptsItself() bool {
	if !u.ownBool("Accept", false) {
		return true
	}
	for _, k := range groups["Socket"] {
		if k != "ListenStream" && k != "ListenSequentialPacket" && len(u.Settings["Socket"][k]) > 0 {
			return true
		}
	}
	return false
}

// trigger adds the unit that a timer or path unit starts.
func (l *Loader) trigger(u *Unit) {
	if u.own("Unit") != "" {
		return
	}
	u.two("Before", "Triggers", u.related("service"), fromImplicit)
}

func (l *Loader) timerDeps(u *Unit) {
	if l.system() && u.ownBool("Persistent", false) {
		u.needMounts("/var/lib/systemd/timers", fromFile)
	}
	l.trigger(u)
	if !u.defaults() {
		return
	}
	u.add("Before", "timers.target", fromDefault)
	if l.system() {
		l.sysinit(u)
		if len(u.Settings["Timer"]["OnCalendar"]) > 0 {
			u.add("After", "time-sync.target", fromDefault)
			u.add("After", "time-set.target", fromDefault)
		}
	}
	u.shutdown("shutdown.target")
}

func (l *Loader) pathDeps(u *Unit) {
	for _, k := range groups["Path"] {
		for _, p := range u.Settings["Path"][k] {
			u.needMounts(p, fromFile)
		}
	}
	l.trigger(u)
	if !u.defaults() {
		return
	}
	u.add("Before", "paths.target", fromDefault)
	l.sysinit(u)
	u.shutdown("shutdown.target")
}

func (l *Loader) sliceDeps(u *Unit) {
	if parent := parentSlice(u.Name); parent != "" {
		u.add("InSlice", parent, fromImplicit)
		u.two("After", "Requires", parent, fromImplicit)
	}
	if u.defaults() {
		u.shutdown("shutdown.target")
	}
}

// parentSlice gives the slice above a slice, "" for the root slice.
func parentSlice(name string) string {
	base := strings.TrimSuffix(name, ".slice")
	if base == "-" {
		return ""
	}
	if i := strings.LastIndexByte(base, '-'); i > 0 {
		return base[:i] + ".slice"
	}
	return "-.slice"
}

// SliceOf gives the slice that the unit runs in, "" for types without one.
func (u *Unit) SliceOf() string {
	switch u.Type {
	case "slice":
		return parentSlice(u.Name)
	case "service", "socket", "mount", "swap", "scope":
	default:
		return ""
	}
	if s := u.own("Slice"); s != "" {
		return s
	}
	prefix, instance, _, _ := unitname.Split(u.Name)
	system := u.loader.system()
	switch {
	case u.Name == "init.scope":
		return "-.slice"
	case instance != "":
		above := "app-"
		if system {
			above = "system-"
		}
		return above + unitname.Escape(prefix) + ".slice"
	case u.extrinsic():
		return "-.slice"
	case system:
		return "system.slice"
	}
	return "app.slice"
}

// slice puts the unit into its slice.
func (l *Loader) slice(u *Unit) {
	if s := u.SliceOf(); s != "" {
		u.add("InSlice", s, fromSlice)
		if u.State == Loaded {
			u.two("After", "Requires", s, fromFile)
		}
	}
}

// oomdDeps orders units that systemd-oomd watches after it.
func (l *Loader) oomdDeps(u *Unit) {
	if u.State != Loaded || !u.defaults() || l.opt.NoUnifiedCgroups {
		return
	}
	if u.own("ManagedOOMSwap") == "kill" || u.own("ManagedOOMMemoryPressure") == "kill" {
		u.two("After", "Wants", "systemd-oomd.service", fromFile)
	}
}

// targetDefaults orders a target after what it pulls in, unless that has no
// default dependencies or is ordered after the target already.
func (l *Loader) targetDefaults(u *Unit) {
	if !u.defaults() || l.opt.NoDefaults {
		return
	}
	pulls := map[string]bool{}
	for k := range u.deps {
		switch k.typ {
		case "Wants", "Requires", "Requisite", "BindsTo", "PartOf", "Upholds":
			pulls[k.unit] = true
		}
	}
	for n := range pulls {
		o := l.stage1(n)
		l.gather(o)
		if o.State != Loaded || !o.defaults() {
			continue
		}
		if u.deps[depKey{"Before", o.Name}] != nil || o.deps[depKey{"After", u.Name}] != nil {
			continue
		}
		u.add("After", o.Name, fromDefault)
	}
}

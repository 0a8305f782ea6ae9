package load

import (
	"sort"
	"strconv"
	"strings"
	"sync"

	"github.com/unitgen/unitgen/schema/directive"
	"github.com/unitgen/unitgen/schema/unitname"
	"github.com/unitgen/unitgen/schema/value"
)

// effective gives the settings with defaults and implied effects, computed on
// first use.
func (u *Unit) effective() map[string]map[string][]string {
	u.once.Do(func() {
		if u.typed == nil {
			u.typed = u.compute()
		}
	})
	return u.typed
}

// settings is what is computed for one unit.
type settings struct {
	u    *Unit
	unit map[string][]string // [Unit]
	own  map[string][]string // the type's own section
}

func (u *Unit) compute() map[string]map[string][]string {
	out := map[string]map[string][]string{}
	for s, keys := range u.Settings {
		m := make(map[string][]string, len(keys))
		for k, v := range keys {
			m[k] = v
		}
		out[s] = m
	}
	if u.State != Loaded || u.loader == nil {
		return out
	}
	c := &settings{u: u}
	section := func(name string) map[string][]string {
		if out[name] == nil {
			out[name] = map[string][]string{}
		}
		return out[name]
	}
	c.unit = section("Unit")
	c.unitSettings()
	if t := u.TypeSection(); t != "" {
		c.own = section(t)
		c.ownSettings()
		c.fillGroups()
	}
	for s, keys := range out {
		for k, v := range keys {
			if len(v) == 0 && !keepsEmpty[k] {
				delete(keys, k)
			}
		}
		if len(keys) == 0 {
			delete(out, s)
		}
	}
	return out
}

func fill(m map[string][]string, defaults map[string]string) {
	for k, v := range defaults {
		if len(m[k]) == 0 {
			m[k] = []string{v}
		}
	}
}

func (c *settings) get(key string) string {
	v := c.own[key]
	if len(v) == 0 {
		return ""
	}
	return v[len(v)-1]
}

func (c *settings) yes(key string) bool { b, _ := parseBool(c.get(key)); return b }

func (c *settings) put(key, v string) { c.own[key] = []string{v} }

// putDefault sets what no file sets.
func (c *settings) putDefault(key, v string) {
	if len(c.own[key]) == 0 && v != "" {
		c.put(key, v)
	}
}

// perpetualTexts describe the units that systemd makes by itself.
var perpetualTexts = map[string]string{
	"-.slice": "Root Slice", "system.slice": "System Slice", "-.mount": "Root Mount", "init.scope": "System and Service Manager",
}

func (c *settings) unitSettings() {
	u := c.u
	if len(c.unit["Description"]) == 0 {
		d := u.Name
		if known := perpetualTexts[u.Name]; known != "" {
			d = known
			if len(c.unit["Documentation"]) == 0 {
				c.unit["Documentation"] = []string{"man:systemd.special(7)"}
			}
		} else if p := slicePath(u); p != "" {
			d = "Slice " + p
		} else if p, err := unitname.ToPath(u.Name); err == nil && u.Type == "device" {
			d = p
		} else if u.Type == "swap" && u.own("What") != "" {
			d = u.own("What")
		} else if u.Type == "mount" && u.where() != "" {
			d = u.where()
		}
		c.unit["Description"] = []string{d}
	}
	if ignoresIsolate[u.Type] && len(c.unit["IgnoreOnIsolate"]) == 0 {
		c.unit["IgnoreOnIsolate"] = []string{"yes"}
	}
	if u.perpetual() {
		c.unit["DefaultDependencies"] = []string{"no"}
	}
	if b, ok := parseBool(u.first("Unit", "OnFailureIsolate")); ok {
		delete(c.unit, "OnFailureIsolate")
		mode := "replace"
		if b {
			mode = "isolate"
		}
		if len(c.unit["OnFailureJobMode"]) == 0 {
			c.unit["OnFailureJobMode"] = []string{mode}
		}
	}
	if u.Type == "device" && len(c.unit["JobRunningTimeoutSec"]) == 0 {
		c.unit["JobRunningTimeoutSec"] = []string{"1min 30s"}
	}
	// JobTimeoutSec= counts for a running job too unless that has its own.
	if v := c.unit["JobTimeoutSec"]; len(v) > 0 && len(c.unit["JobRunningTimeoutSec"]) == 0 {
		c.unit["JobRunningTimeoutSec"] = v
	}
	fill(c.unit, unitDefaults)
	if len(u.mounts) > 0 {
		seen := map[string]bool{}
		var paths []string
		for _, m := range u.mounts {
			if !m.wants && !seen[m.path] {
				seen[m.path] = true
				paths = append(paths, m.path)
			}
		}
		sort.Strings(paths)
		c.unit["RequiresMountsFor"] = paths
	}
	for typ := range depDirective {
		delete(c.unit, typ)
	}
	deps := map[string][]string{}
	for _, d := range u.Deps {
		if depDirective[d.Type] != "" && !(len(d.Origins) == 1 && d.Origins[0] == "inverse") {
			deps[d.Type] = append(deps[d.Type], d.Unit)
		}
	}
	for t, list := range deps {
		c.unit[t] = list
	}
}

func (c *settings) ownSettings() {
	u := c.u
	switch u.Type {
	case "service":
		c.service()
	case "socket":
		c.putDefault("FileDescriptorName", u.Name)
		c.ports("ListenStream")
		c.ports("ListenDatagram")
		if u.ownBool("Accept", false) {
			c.putDefault("TriggerLimitBurst", "200")
		} else {
			c.putDefault("TriggerLimitBurst", "20")
			c.putDefault("Service", u.related("service"))
		}
	case "timer", "path":
		c.putDefault("Unit", u.related("service"))
	case "mount":
		c.putDefault("Where", u.where())
		c.timeoutZero("TimeoutSec")
	case "automount":
		c.putDefault("Where", u.where())
	case "swap":
		if p, err := unitname.ToPath(u.Name); err == nil {
			c.putDefault("What", p)
		}
	}
	fill(c.own, typeDefaults[u.Type])
	if s := u.SliceOf(); s != "" {
		c.put("Slice", s)
	}
}

// ports writes a port without an address out: it is that of all addresses.
func (c *settings) ports(key string) {
	var out []string
	for _, v := range c.own[key] {
		if n, err := strconv.ParseUint(v, 10, 16); err == nil {
			v = "[::]:" + strconv.FormatUint(n, 10)
		}
		out = append(out, v)
	}
	if out != nil {
		c.own[key] = out
	}
}

// slicePath gives the place of a slice in the tree of slices as systemd
// describes it: "/system/getty" for system-getty.slice.
func slicePath(u *Unit) string {
	if u.Type != "slice" {
		return ""
	}
	p, err := unitname.UnescapePath(strings.TrimSuffix(u.Name, ".slice"))
	if err != nil {
		return ""
	}
	return p
}

// timeoutZero spells a time-out of zero as what it means.
func (c *settings) timeoutZero(key string) {
	if c.get(key) == "0" {
		c.put(key, "infinity")
	}
}

// fillGroups adds the defaults of systemd.exec(5), systemd.kill(5) and
// systemd.resource-control(5), and what settings there imply.
func (c *settings) fillGroups() {
	d := c.u.loader.defaultsOf(c.u.Type)
	if d.exec {
		c.exec()
	}
	if d.cgroup {
		c.cgroup()
	}
	if d.kill {
		if c.get("KillSignal") != "" {
			c.putDefault("RestartKillSignal", c.get("KillSignal"))
		}
		c.putDefault("RestartKillSignal", "SIGTERM")
	}
	for k, v := range d.values {
		if len(c.own[k]) == 0 && !(keepsEmpty[k] && c.own[k] != nil) {
			c.own[k] = v
		}
	}
}

// sharedDefaults are the defaults of a unit type's groups; the values are
// shared by all units.
type sharedDefaults struct {
	values             map[string][]string
	exec, cgroup, kill bool
}

// defaultsOf gives the defaults of a unit type, made on first use.
func (l *Loader) defaultsOf(typ string) *sharedDefaults {
	l.defaultsMu.Lock()
	defer l.defaultsMu.Unlock()
	if d := l.defaults[typ]; d != nil {
		return d
	}
	d := &sharedDefaults{values: map[string][]string{}}
	for _, row := range directive.All() {
		if row.Section != typeSection(typ) || !l.known(row) {
			continue
		}
		switch row.Group {
		case "exec":
			d.exec = true
		case "cgroup":
			d.cgroup = true
		case "kill":
			d.kill = true
		default:
			continue
		}
		if v, ok := groupDefaults[row.Group][row.Name]; ok {
			d.values[row.Name] = []string{v}
		}
	}
	if l.defaults == nil {
		l.defaults = map[string]*sharedDefaults{}
	}
	l.defaults[typ] = d
	return d
}

func (l *Loader) known(d *directive.Directive) bool {
	return l.opt.Version == 0 || d.KnownIn(l.opt.Version)
}

func (c *settings) service() {
	u := c.u
	typ := u.serviceType()
	c.put("Type", typ)
	start, stop := "", ""
	for _, a := range u.Assigned {
		if a.Section != "Service" {
			continue
		}
		switch a.Key {
		case "TimeoutSec":
			start, stop = a.Value, a.Value
		case "TimeoutStartSec":
			start = a.Value
		case "TimeoutStopSec":
			stop = a.Value
		}
	}
	delete(c.own, "TimeoutSec")
	if start == "" {
		start = "1min 30s"
		if typ == "oneshot" {
			start = "infinity"
		}
	}
	c.put("TimeoutStartSec", start)
	if stop != "" {
		c.put("TimeoutStopSec", stop)
	}
	if n := c.get("NotifyAccess"); n == "" || n == "none" {
		store := c.get("FileDescriptorStoreMax")
		if typ == "notify" || typ == "notify-reload" || c.get("WatchdogSec") != "" && c.get("WatchdogSec") != "0" || store != "" && store != "0" {
			c.put("NotifyAccess", "main")
		}
	}
	if d := c.get("Delegate"); d != "" && d != "no" {
		c.putDefault("OOMPolicy", "continue")
	}
	if u.loader.system() {
		c.putDefault("KeyringMode", "private")
	}
}

func (c *settings) exec() {
	u := c.u
	out, err := u.outputs()
	c.put("StandardOutput", out)
	c.put("StandardError", err)
	if len(c.own["StandardInputText"])+len(c.own["StandardInputData"]) > 0 {
		c.putDefault("StandardInput", "data")
	}
	if c.yes("DynamicUser") {
		for _, k := range []string{"PrivateTmp", "RemoveIPC", "NoNewPrivileges", "RestrictSUIDSGID"} {
			c.put(k, "yes")
		}
		c.put("ProtectSystem", "strict")
		if v := c.get("ProtectHome"); v == "" || v == "no" {
			c.put("ProtectHome", "read-only")
		}
		if c.get("User") == "" {
			prefix, _, _, _ := unitname.Split(u.Name)
			c.put("User", prefix)
		}
		if c.get("Group") == "" {
			c.put("Group", c.get("User"))
		}
	}
	if !u.loader.system() {
		c.putDefault("WorkingDirectory", "-"+u.loader.spec.Home)
		c.putDefault("KeyringMode", "inherit")
	}
	for _, d := range execDirectories {
		if v := c.own[d.key]; len(v) > 1 {
			s := append([]string(nil), v...)
			sort.Strings(s)
			c.own[d.key] = unique(s)
		}
	}
	if r := c.get("RootDirectory"); r != "" && r != "/" || c.get("RootImage") != "" {
		c.putDefault("MountAPIVFS", "yes")
	}
	c.capabilities()
	c.environment()
	if v := c.own["SystemCallFilter"]; len(v) > 0 {
		c.own["SystemCallFilter"] = callFilter(v)
	}
	for _, k := range []string{"BindPaths", "BindReadOnlyPaths"} {
		if v := c.own[k]; len(v) > 0 {
			c.own[k] = bindPaths(v)
		}
	}
	if v := c.own["RestrictNamespaces"]; len(v) > 0 {
		c.own["RestrictNamespaces"] = namespaces(v)
	}
	if c.get("IOSchedulingClass") != "" {
		c.putDefault("IOSchedulingPriority", "4")
	} else if c.get("IOSchedulingPriority") != "" {
		c.put("IOSchedulingClass", "best-effort")
	}
}

// protects are the settings that take capabilities away.
var protects = []struct {
	key  string
	caps []string
}{
	{"PrivateDevices", []string{"CAP_MKNOD", "CAP_SYS_RAWIO"}},
	{"ProtectKernelModules", []string{"CAP_SYS_MODULE"}},
	{"ProtectKernelLogs", []string{"CAP_SYSLOG"}},
	{"ProtectClock", []string{"CAP_SYS_TIME", "CAP_WAKE_ALARM"}},
}

func (c *settings) capabilities() {
	bounding, ok := capabilitySet(c.own["CapabilityBoundingSet"])
	if !ok {
		bounding = allCapabilities
		if v, set := c.own["CapabilityBoundingSet"]; set && len(v) == 0 {
			bounding = 0
		}
	}
	for _, p := range protects {
		if c.yes(p.key) {
			for _, name := range p.caps {
				if n, ok := value.Capability(name); ok {
					bounding &^= 1 << n
				}
			}
		}
	}
	c.own["CapabilityBoundingSet"] = capabilityNames(bounding)
	if v := c.own["AmbientCapabilities"]; len(v) > 0 {
		if s, ok := capabilitySet(v); ok {
			c.own["AmbientCapabilities"] = capabilityNames(s)
		}
	}
}

// allCapabilities are those that the kernels of today have.
const allCapabilities = 1<<41 - 1

// capabilitySet adds assignments up. The first one alone says whether the set
// begins empty or full.
func capabilitySet(list []string) (set uint64, ok bool) {
	for i, v := range list {
		s, inverted, err := value.ParseCapabilities(strings.TrimPrefix(v, "~"))
		if err != nil {
			continue
		}
		inverted = inverted || strings.HasPrefix(v, "~")
		switch {
		case i == 0 && inverted:
			set = allCapabilities &^ s
		case inverted:
			set &^= s
		default:
			set |= s
		}
		ok = true
	}
	return set & allCapabilities, ok
}

// everyCapability is shared by the units that keep all capabilities.
var everyCapability = sync.OnceValue(func() []string { return listCapabilities(allCapabilities) })

func capabilityNames(set uint64) []string {
	if set == allCapabilities {
		return everyCapability()
	}
	return listCapabilities(set)
}

func listCapabilities(set uint64) []string {
	out := []string{}
	for n := range 64 {
		if set&(1<<n) != 0 {
			out = append(out, value.CapabilityName(n))
		}
	}
	return out
}

// environment keeps the last value of each variable.
func (c *settings) environment() {
	v := c.own["Environment"]
	if len(v) < 2 {
		return
	}
	at := map[string]int{}
	var out []string
	for _, e := range v {
		name, _, _ := strings.Cut(e, "=")
		if i, had := at[name]; had {
			out[i] = e
			continue
		}
		at[name] = len(out)
		out = append(out, e)
	}
	c.own["Environment"] = out
}

func (c *settings) cgroup() {
	if c.yes("PrivateDevices") && (c.get("DevicePolicy") == "" || c.get("DevicePolicy") == "auto") {
		c.put("DevicePolicy", "closed")
	}
	for _, k := range []string{"IPAddressAllow", "IPAddressDeny"} {
		if v := c.own[k]; len(v) > 0 {
			c.own[k] = ipPrefixes(v)
		}
	}
	for _, k := range []string{"AllowedCPUs", "StartupAllowedCPUs", "AllowedMemoryNodes", "StartupAllowedMemoryNodes"} {
		if v := c.own[k]; len(v) > 0 {
			c.own[k] = strings.FieldsFunc(strings.Join(v, ","), func(r rune) bool { return r == ',' || r == ' ' })
		}
	}
	policy := c.get("DevicePolicy")
	if policy != "" && policy != "auto" || len(c.own["DeviceAllow"]) > 0 {
		var allow []string
		for _, d := range c.own["DeviceAllow"] {
			if !strings.ContainsAny(d, " \t") {
				d += " rwm"
			}
			allow = append(allow, d)
		}
		if c.get("RootImage") != "" || len(c.own["MountImages"]) > 0 {
			allow = append(allow, "/dev/loop-control rw", "/dev/mapper/control rw", "block-loop rwm", "block-blkext rwm", "block-device-mapper rwm")
		}
		if c.yes("ProtectClock") {
			allow = append(allow, "char-rtc r")
		}
		if len(c.own["SetCredentialEncrypted"])+len(c.own["LoadCredentialEncrypted"]) > 0 {
			allow = append(allow, "char-tpm rw")
		}
		if len(allow) > 0 {
			c.own["DeviceAllow"] = allow
		}
	}
}

// bindPaths writes SOURCE:DESTINATION:OPTION out where it is shorter.
func bindPaths(list []string) []string {
	out := make([]string, len(list))
	for i, v := range list {
		parts := strings.SplitN(v, ":", 3)
		if len(parts) == 1 {
			parts = append(parts, strings.TrimPrefix(parts[0], "-"))
		}
		if len(parts) == 2 || parts[2] == "" {
			parts = append(parts[:2], "rbind")
		}
		out[i] = strings.Join(parts, ":")
	}
	return out
}

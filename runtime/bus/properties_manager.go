//go:build linux

package bus

import (
	"slices"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/unitgen/unitgen/runtime/unitstate"
)

// settings is what clients may set on the manager object and what only the
// server keeps: systemd holds it in memory too.
type settings struct {
	mu      sync.Mutex
	m       map[string]any
	markers map[string][]string
}

var (
	logLevels  = []string{"emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"}
	logTargets = []string{"console", "journal", "kmsg", "journal-or-kmsg", "syslog", "syslog-or-kmsg", "auto", "null", "console-prefixed"}
)

func (s *settings) init() {
	s.m = map[string]any{
		"LogLevel": "info", "LogTarget": "console", "ShowStatus": false, "ServiceWatchdogs": true,
		"RuntimeWatchdogUSec": uint64(0), "RuntimeWatchdogPreUSec": uint64(0), "RuntimeWatchdogPreGovernor": "",
		"RebootWatchdogUSec": uint64(600000000), "KExecWatchdogUSec": uint64(0),
	}
	s.markers = map[string][]string{}
}

func (s *settings) get(name string) any {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.m[name]
}

// set changes a writable property of the manager.
func (s *settings) set(name string, v any) error {
	allowed := func(words []string) bool { w, _ := v.(string); return slices.Contains(words, w) }
	switch name {
	case "LogLevel":
		if v == "" {
			v = "info"
		}
		if !allowed(logLevels) {
			return refusal("org.freedesktop.DBus.Error.InvalidArgs", "Invalid log level '%v'", v)
		}
	case "LogTarget":
		if v == "" {
			v = "console"
		}
		if !allowed(logTargets) {
			return refusal("org.freedesktop.DBus.Error.InvalidArgs", "Invalid log target '%v'", v)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.m[name] = v
	return nil
}

func (s *settings) setShowStatus(mode string) error {
	switch mode {
	case "", "no", "off", "false", "0", "error", "auto":
		return s.set("ShowStatus", false)
	case "yes", "on", "true", "1", "temporary":
		return s.set("ShowStatus", true)
	}
	return refusal("org.freedesktop.DBus.Error.InvalidArgs", "Invalid show status '%s'", text8(mode))
}

// mark sets the markers of a unit: "needs-restart", "needs-reload"; a sign
// before each (+, -) adds or removes.
func (s *settings) mark(unit string, marks []string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var set []string
	cur := s.markers[unit]
	for _, m := range marks {
		name := strings.TrimLeft(m, "+-")
		if name != "needs-restart" && name != "needs-reload" {
			return refusal("org.freedesktop.DBus.Error.InvalidArgs", "Invalid marker '%s'.", text8(m))
		}
		switch {
		case strings.HasPrefix(m, "-"):
			cur = slices.DeleteFunc(slices.Clone(cur), func(x string) bool { return x == name })
			set = cur
		case strings.HasPrefix(m, "+"):
			if !slices.Contains(cur, name) {
				cur = append(slices.Clone(cur), name)
			}
			set = cur
		default:
			set = append(set, name)
		}
	}
	if len(set) == 0 {
		delete(s.markers, unit)
	} else {
		s.markers[unit] = set
	}
	return nil
}

func (s *settings) marks(unit string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string{}, s.markers[unit]...)
}

func (s *settings) takeMarkers() map[string][]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.markers
	s.markers = map[string][]string{}
	return m
}

// managerGetters adds the properties of the manager object.
func managerGetters(m map[string]getter) {
	set := func(name string, f getter) { m["Manager."+name] = f }
	stamp := func(name string, f func(i *unitstate.Info) unitstate.Stamp) {
		set(name, func(v *view) any { return f(&v.info).Realtime })
		set(name+"Monotonic", func(v *view) any { return f(&v.info).Monotonic })
	}
	never := func(*unitstate.Info) unitstate.Stamp { return unitstate.Stamp{} }
	for _, n := range []string{"FirmwareTimestamp", "LoaderTimestamp", "KernelTimestamp", "InitRDTimestamp",
		"SecurityStartTimestamp", "SecurityFinishTimestamp", "GeneratorsStartTimestamp", "GeneratorsFinishTimestamp",
		"InitRDSecurityStartTimestamp", "InitRDSecurityFinishTimestamp", "InitRDGeneratorsStartTimestamp",
		"InitRDGeneratorsFinishTimestamp", "InitRDUnitsLoadStartTimestamp", "InitRDUnitsLoadFinishTimestamp"} {
		stamp(n, never)
	}
	stamp("UserspaceTimestamp", func(i *unitstate.Info) unitstate.Stamp { return i.StartTime })
	stamp("FinishTimestamp", func(i *unitstate.Info) unitstate.Stamp { return i.FinishTime })
	stamp("UnitsLoadStartTimestamp", func(i *unitstate.Info) unitstate.Stamp { return i.UnitsLoadStart })
	stamp("UnitsLoadFinishTimestamp", func(i *unitstate.Info) unitstate.Stamp { return i.UnitsLoadFinish })
	stamp("UnitsLoadTimestamp", func(i *unitstate.Info) unitstate.Stamp { return i.UnitsLoadStart })

	str := func(name string, f func(*unitstate.Info) string) {
		set(name, func(v *view) any { return text8(f(&v.info)) })
	}
	str("Version", func(i *unitstate.Info) string { return i.Version })
	str("Features", func(i *unitstate.Info) string { return i.Features })
	str("Virtualization", func(i *unitstate.Info) string { return i.Virtual })
	str("Architecture", func(i *unitstate.Info) string { return i.Architecture })
	str("Tainted", func(*unitstate.Info) string { return "" })
	str("ControlGroup", func(i *unitstate.Info) string { return i.ControlGroup })
	str("SystemState", func(i *unitstate.Info) string { return string(i.State) })
	str("DefaultStandardOutput", func(*unitstate.Info) string { return "journal" })
	str("DefaultStandardError", func(*unitstate.Info) string { return "inherit" })
	str("DefaultOOMPolicy", func(*unitstate.Info) string { return "stop" })
	str("CtrlAltDelBurstAction", func(*unitstate.Info) string { return "none" })
	str("WatchdogDevice", func(*unitstate.Info) string { return "" })

	num := func(name string, f func(*unitstate.Info) int) {
		set(name, func(v *view) any { return uint32(f(&v.info)) })
	}
	num("NNames", func(i *unitstate.Info) int { return i.NNames })
	num("NFailedUnits", func(i *unitstate.Info) int { return i.NFailedUnits })
	num("NJobs", func(i *unitstate.Info) int { return i.NJobs })
	num("NInstalledJobs", func(i *unitstate.Info) int { return i.NInstalledJobs })
	num("NFailedJobs", func(i *unitstate.Info) int { return i.NFailedJobs })
	num("DefaultStartLimitBurst", func(i *unitstate.Info) int { return int(i.DefaultTimeouts.StartLimitBurst) })
	set("Progress", func(v *view) any { return v.info.Progress })
	set("ExitCode", func(v *view) any { return byte(v.info.ExitCode) })
	set("Environment", func(v *view) any { return texts(v.info.Environment) })
	set("UnitPath", func(v *view) any { return texts(v.info.UnitPath) })
	set("ConfirmSpawn", func(v *view) any { return v.info.ConfirmSpawn })

	wide := func(name string, f func(*unitstate.Info) uint64) {
		set(name, func(v *view) any { return f(&v.info) })
	}
	wide("DefaultTimeoutStartUSec", func(i *unitstate.Info) uint64 { return i.DefaultTimeouts.Start })
	wide("DefaultTimeoutStopUSec", func(i *unitstate.Info) uint64 { return i.DefaultTimeouts.Stop })
	wide("DefaultTimeoutAbortUSec", func(i *unitstate.Info) uint64 { return i.DefaultTimeouts.Abort })
	wide("DefaultRestartUSec", func(i *unitstate.Info) uint64 { return i.DefaultTimeouts.Restart })
	wide("DefaultStartLimitIntervalUSec", func(i *unitstate.Info) uint64 { return i.DefaultTimeouts.StartLimitInterval })
	wide("DefaultDeviceTimeoutUSec", func(i *unitstate.Info) uint64 { return 90e6 })
	wide("DefaultTimerAccuracyUSec", func(*unitstate.Info) uint64 { return 60e6 })
	wide("DefaultTasksMax", func(*unitstate.Info) uint64 { return unitstate.Unknown })
	wide("TimerSlackNSec", func(*unitstate.Info) uint64 { return 50000 })
	wide("WatchdogLastPingTimestamp", func(*unitstate.Info) uint64 { return 0 })
	wide("WatchdogLastPingTimestampMonotonic", func(*unitstate.Info) uint64 { return unitstate.Unknown })
	for _, n := range []string{"DefaultCPUAccounting", "DefaultBlockIOAccounting"} {
		set(n, func(*view) any { return false })
	}
	for _, n := range []string{"DefaultMemoryAccounting", "DefaultTasksAccounting"} {
		set(n, func(*view) any { return true })
	}
	set("DefaultOOMScoreAdjust", func(*view) any { return int32(0) })
	for name, n := range rlimits {
		set("DefaultLimit"+name, func(*view) any { return inherited(n).Max })
		set("DefaultLimit"+name+"Soft", func(*view) any { return inherited(n).Cur })
	}
	for n := range (func() map[string]any { var s settings; s.init(); return s.m })() {
		set(n, func(v *view) any { return v.s.settings.get(n) })
	}
}

// logGetters adds the log control object, which says the same as the manager.
func logGetters(m map[string]getter) {
	m[ifaceLog+".LogLevel"] = func(v *view) any { return v.s.settings.get("LogLevel") }
	m[ifaceLog+".LogTarget"] = func(v *view) any { return v.s.settings.get("LogTarget") }
	m[ifaceLog+".SyslogIdentifier"] = func(*view) any { return "systemd" }
}

// rlimits are the resource limits by the names of Limit…= directives.
var rlimits = map[string]int{
	"CPU": unix.RLIMIT_CPU, "FSIZE": unix.RLIMIT_FSIZE, "DATA": unix.RLIMIT_DATA, "STACK": unix.RLIMIT_STACK,
	"CORE": unix.RLIMIT_CORE, "RSS": unix.RLIMIT_RSS, "NOFILE": unix.RLIMIT_NOFILE, "AS": unix.RLIMIT_AS,
	"NPROC": unix.RLIMIT_NPROC, "MEMLOCK": unix.RLIMIT_MEMLOCK, "LOCKS": unix.RLIMIT_LOCKS,
	"SIGPENDING": unix.RLIMIT_SIGPENDING, "MSGQUEUE": unix.RLIMIT_MSGQUEUE, "NICE": unix.RLIMIT_NICE,
	"RTPRIO": unix.RLIMIT_RTPRIO, "RTTIME": unix.RLIMIT_RTTIME,
}

// inherited gives a limit of the manager itself, which its services have where
// they set none. The Go runtime raises the soft limit of open files for
// itself alone; services get the usual 1024.
func inherited(n int) unix.Rlimit {
	var l unix.Rlimit
	if err := unix.Getrlimit(n, &l); err != nil {
		return unix.Rlimit{Cur: unitstate.Unknown, Max: unitstate.Unknown}
	}
	if n == unix.RLIMIT_NOFILE {
		l.Cur = min(1024, l.Max)
	}
	return l
}

//go:build linux

package bus

import (
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/unitgen/unitgen/runtime/unitstate"
	"github.com/unitgen/unitgen/schema/value"
)

// text gives a directive of the unit's own section, "" where it is unset.
func (v *view) text(directive string) string {
	return unitstate.Value(v.st.Unit, v.section, directive)
}

// sectionOf gives the section that holds the settings of an interface.
func (v *view) sectionOf(short string) string {
	if short == "Unit" {
		return "Unit"
	}
	return v.section
}

// setting gives a property that mirrors a directive of the unit file: the
// directive of the same name, with …USec for …Sec, converted by the
// property's signature; where the directive is unset, systemd's default.
func (v *view) setting(short string, p *property) any {
	section, name := v.sectionOf(short), directiveOf(p.name)
	vals := v.st.Unit.Values(section, name)
	var got any
	ok := false
	if len(vals) > 0 {
		got, ok = convert(p.sig.String(), p.name, vals)
	}
	if ok {
		return got
	}
	for _, key := range []string{short + "." + p.name, p.name} {
		if d, ok := defaults[key]; ok {
			return d
		}
	}
	if p.sig.String() == "t" && strings.HasPrefix(p.name, "Limit") {
		return limitDefault(p.name)
	}
	return nil
}

// directiveOf names the directive behind a property.
func directiveOf(property string) string {
	if base, ok := strings.CutSuffix(property, "USec"); ok {
		return base + "Sec"
	}
	return property
}

// convert makes a value of a signature from a directive's values.
func convert(sig, name string, vals []string) (any, bool) {
	last := vals[len(vals)-1]
	if name == "CoredumpFilter" {
		last = strings.Join(vals, " ")
	}
	switch sig {
	case "s":
		return text8(last), true
	case "b":
		b, err := value.ParseBool(last)
		return b, err == nil
	case "as":
		return texts(words(vals)), true
	case "t":
		return convertWide(name, last)
	case "u":
		if strings.HasSuffix(name, "Mode") || name == "UMask" {
			m, err := strconv.ParseUint(last, 8, 32)
			return uint32(m), err == nil
		}
		if strings.HasSuffix(last, "%") {
			n, err := value.ParsePermyriad(last)
			return uint32(uint64(n) * uint64(^uint32(0)) / 10000), err == nil
		}
		if last == "infinity" {
			return ^uint32(0), true
		}
		n, err := strconv.ParseUint(last, 10, 32)
		return uint32(n), err == nil
	case "i":
		if strings.HasSuffix(name, "Signal") {
			n, err := value.ParseSignal(last)
			return int32(n), err == nil
		}
		if n, ok := numberNames[name][last]; ok {
			return n, true
		}
		n, err := strconv.ParseInt(last, 10, 32)
		return int32(n), err == nil
	case "x":
		n, err := strconv.ParseInt(last, 10, 64)
		return n, err == nil
	case "q":
		n, err := strconv.ParseUint(last, 10, 16)
		return uint16(n), err == nil
	case "ay":
		return convertBytes(name, vals)
	}
	return convertStructure(sig, name, vals)
}

// words splits values that hold several words each.
func words(vals []string) []string {
	var out []string
	for _, s := range vals {
		ws, err := value.UnescapeWords(s)
		if err != nil {
			ws = []string{s}
		}
		out = append(out, ws...)
	}
	return out
}

// numberNames spell out the names that some directives use for numbers.
var numberNames = map[string]map[string]int32{
	"IOSchedulingClass":   {"none": 0, "realtime": 1, "best-effort": 2, "idle": 3},
	"CPUSchedulingPolicy": {"other": 0, "fifo": 1, "rr": 2, "batch": 3, "idle": 5},
	"NUMAPolicy":          {"default": 0, "preferred": 1, "bind": 2, "interleave": 3, "local": 4},
	"IPTOS":               {"low-delay": 16, "throughput": 8, "reliability": 4, "low-cost": 2},
	"SocketProtocol":      {"udplite": unix.IPPROTO_UDPLITE, "sctp": unix.IPPROTO_SCTP},
	"SyslogLevel":         {"emerg": 0, "alert": 1, "crit": 2, "err": 3, "warning": 4, "notice": 5, "info": 6, "debug": 7},
	"LogLevelMax":         {"emerg": 0, "alert": 1, "crit": 2, "err": 3, "warning": 4, "notice": 5, "info": 6, "debug": 7},
	"SyslogFacility": {"kern": 0, "user": 1, "mail": 2, "daemon": 3, "auth": 4, "syslog": 5, "lpr": 6, "news": 7, "uucp": 8,
		"cron": 9, "authpriv": 10, "ftp": 11, "local0": 16, "local1": 17, "local2": 18, "local3": 19, "local4": 20,
		"local5": 21, "local6": 22, "local7": 23},
}

// convertWide makes a uint64: a time span for …USec, a limit, a size or a
// plain number otherwise.
func convertWide(name, s string) (any, bool) {
	if strings.HasSuffix(name, "USec") {
		return span(s)
	}
	if s == "infinity" || s == "" {
		return uint64(unitstate.Unknown), true
	}
	if rest, ok := strings.CutPrefix(name, "Limit"); ok {
		sort, soft := strings.CutSuffix(rest, "Soft")
		l, err := value.ParseRlimit(sort, s)
		if soft {
			return l.Soft, err == nil
		}
		return l.Hard, err == nil
	}
	switch name {
	case "TimerSlackNSec":
		n, err := value.ParseNanoseconds(s)
		return n, err == nil
	case "CoredumpFilter":
		return coredumpFilter(s)
	case "CPUWeight", "StartupCPUWeight":
		if s == "idle" {
			return uint64(0), true
		}
	case "TasksMax":
		if strings.HasSuffix(s, "%") {
			n, err := value.ParsePermyriad(s)
			return uint64(n) * tasksLimit() / 10000, err == nil
		}
	}
	if strings.HasSuffix(s, "%") {
		n, err := value.ParsePermyriad(s)
		var si unix.Sysinfo_t
		if err != nil || unix.Sysinfo(&si) != nil {
			return nil, false
		}
		return uint64(float64(uint64(si.Totalram)*uint64(si.Unit)) * float64(n) / 10000), true
	}
	if n, err := strconv.ParseUint(s, 10, 64); err == nil {
		return n, true
	}
	n, err := value.ParseSize(s)
	return n, err == nil
}

// tasksLimit is how many tasks the machine can have at once.
func tasksLimit() uint64 {
	limit := uint64(4194304)
	for _, f := range []string{"pid_max", "threads-max"} {
		b, err := os.ReadFile("/proc/sys/kernel/" + f)
		if err != nil {
			continue
		}
		if n, err := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 64); err == nil {
			limit = min(limit, n)
		}
	}
	return limit
}

// coredumpFilter reads names of core(5)'s mapping types, or the mask in
// hexadecimal.
func coredumpFilter(s string) (any, bool) {
	var mask uint64
	for _, w := range strings.Fields(s) {
		switch i := slices.Index([]string{"private-anonymous", "shared-anonymous", "private-file-backed", "shared-file-backed",
			"elf-headers", "private-huge", "shared-huge", "private-dax", "shared-dax"}, w); {
		case i >= 0:
			mask |= 1 << i
		case w == "default":
			mask |= 0x33
		case w == "all":
			mask |= 0x1ff
		default:
			n, err := strconv.ParseUint(strings.TrimPrefix(w, "0x"), 16, 64)
			if err != nil {
				return nil, false
			}
			mask |= n
		}
	}
	return mask, true
}

func span(s string) (any, bool) {
	if s == "infinity" || s == "" {
		return uint64(unitstate.Unknown), true
	}
	n, err := value.ParseTimeSpan(s)
	return n, err == nil
}

// timespan gives a time span directive in microseconds, or its default under
// the property's name.
func (v *view) timespan(directive, property string) uint64 {
	if s := v.text(directive); s != "" {
		if n, ok := span(s); ok {
			return n.(uint64)
		}
	}
	for _, key := range []string{v.section + "." + property, property} {
		if d, ok := defaults[key].(uint64); ok {
			return d
		}
	}
	return 0
}

// limitDefault gives what a unit inherits where it sets no Limit…=.
func limitDefault(name string) any {
	sort, soft := strings.CutSuffix(strings.TrimPrefix(name, "Limit"), "Soft")
	n, ok := rlimits[sort]
	if !ok {
		return nil
	}
	if soft {
		return inherited(n).Cur
	}
	return inherited(n).Max
}

// defaults are the values of unset directives that are not empty or zero, as
// systemd.directives(7) documents and systemd 252 shows them. A key with an
// interface goes before one without.
var defaults = map[string]any{
	"Type": "simple", "ExitType": "main", "Restart": "no", "NotifyAccess": "none", "RestartUSec": uint64(100e3),
	"TimeoutStartUSec": uint64(90e6), "TimeoutStopUSec": uint64(90e6), "TimeoutAbortUSec": uint64(90e6),
	"TimeoutStartFailureMode": "terminate", "TimeoutStopFailureMode": "terminate", "RuntimeMaxUSec": uint64(unitstate.Unknown),
	"GuessMainPID": true, "OOMPolicy": "stop", "RestartMode": "normal",

	"CPUWeight": uint64(unitstate.Unknown), "StartupCPUWeight": uint64(unitstate.Unknown), "CPUShares": uint64(unitstate.Unknown),
	"StartupCPUShares": uint64(unitstate.Unknown), "CPUQuotaPerSecUSec": uint64(unitstate.Unknown), "CPUQuotaPeriodUSec": uint64(unitstate.Unknown),
	"IOWeight": uint64(unitstate.Unknown), "StartupIOWeight": uint64(unitstate.Unknown), "BlockIOWeight": uint64(unitstate.Unknown),
	"StartupBlockIOWeight": uint64(unitstate.Unknown), "MemoryAccounting": true, "TasksAccounting": true,
	"MemoryHigh": uint64(unitstate.Unknown), "MemoryMax": uint64(unitstate.Unknown), "MemorySwapMax": uint64(unitstate.Unknown),
	"MemoryLimit": uint64(unitstate.Unknown), "TasksMax": uint64(unitstate.Unknown), "DevicePolicy": "auto",
	"ManagedOOMSwap": "auto", "ManagedOOMMemoryPressure": "auto", "ManagedOOMPreference": "none",

	"UMask": uint32(0o022), "CoredumpFilter": uint64(0x33), "IOSchedulingClass": int32(2), "IOSchedulingPriority": int32(4),
	"NUMAPolicy": int32(-1), "TimerSlackNSec": uint64(50000), "StandardInput": "null", "StandardOutput": "journal",
	"StandardError": "inherit", "TTYRows": uint16(65535), "TTYColumns": uint16(65535), "SyslogLevelPrefix": true,
	"SyslogLevel": int32(6), "SyslogFacility": int32(3), "SyslogPriority": int32(30), "LogLevelMax": int32(-1),
	"CapabilityBoundingSet": uint64(unitstate.Unknown), "ProtectHome": "no", "ProtectSystem": "no", "UtmpMode": "init",
	"IgnoreSIGPIPE": true, "SystemCallErrorNumber": int32(2147483646), "RuntimeDirectoryPreserve": "no",
	"RuntimeDirectoryMode": uint32(0o755), "StateDirectoryMode": uint32(0o755), "CacheDirectoryMode": uint32(0o755),
	"LogsDirectoryMode": uint32(0o755), "ConfigurationDirectoryMode": uint32(0o755), "TimeoutCleanUSec": uint64(unitstate.Unknown),
	"RestrictNamespaces": uint64(unitstate.Unknown), "KeyringMode": "shared", "Service.KeyringMode": "private",
	"ProtectProc": "default", "ProcSubset": "all",
	"KillMode": "control-group", "KillSignal": int32(15), "RestartKillSignal": int32(15), "FinalKillSignal": int32(9),
	"SendSIGKILL": true, "WatchdogSignal": int32(6),

	"Unit.DefaultDependencies": true, "OnSuccessJobMode": "fail", "OnFailureJobMode": "replace",
	"JobTimeoutUSec": uint64(unitstate.Unknown), "JobRunningTimeoutUSec": uint64(unitstate.Unknown), "JobTimeoutAction": "none",
	"StartLimitIntervalUSec": uint64(10e6), "StartLimitBurst": uint32(5), "StartLimitAction": "none", "FailureAction": "none",
	"FailureActionExitStatus": int32(-1), "SuccessAction": "none", "SuccessActionExitStatus": int32(-1), "CollectMode": "inactive",

	"BindIPv6Only": "default", "Backlog": uint32(2147483647), "TimeoutUSec": uint64(90e6), "SocketMode": uint32(0o666),
	"DirectoryMode": uint32(0o755), "Priority": int32(-1), "IPTOS": int32(-1), "IPTTL": int32(-1), "Timestamping": "off",
	"Mark": int32(-1), "MaxConnections": uint32(64), "TriggerLimitIntervalUSec": uint64(2e6), "TriggerLimitBurst": uint32(20),
	"Path.TriggerLimitBurst": uint32(200), "AccuracyUSec": uint64(60e6), "RemainAfterElapse": true,
	"Scope.TimeoutStopUSec": uint64(90e6), "Mount.SameProcessGroup": true,
}

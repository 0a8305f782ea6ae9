//go:build linux

package bus

import (
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/unitgen/unitgen/runtime/unitstate"
	"github.com/unitgen/unitgen/schema/value"
)

// settingGetters adds the properties whose directive has another name or
// another shape.
func settingGetters(m map[string]getter) {
	m["CPUQuotaPerSecUSec"] = func(v *view) any {
		n, err := value.ParsePermyriad(v.text("CPUQuota"))
		if v.text("CPUQuota") == "" || err != nil {
			return uint64(unitstate.Unknown)
		}
		return uint64(n) * 100
	}
	m["KeepAliveIntervalUSec"] = func(v *view) any { return v.timespan("KeepAliveIntervalSec", "KeepAliveIntervalUSec") }
	m["Delegate"] = func(v *view) any {
		s := v.text("Delegate")
		b, err := value.ParseBool(s)
		return b && err == nil || s != "" && err != nil
	}
	m["DelegateControllers"] = func(v *view) any {
		vals := v.st.Unit.Values(v.section, "Delegate")
		if len(vals) == 0 {
			return []string{}
		}
		if b, err := value.ParseBool(vals[len(vals)-1]); err == nil {
			if b {
				return []string{"cpu", "cpuacct", "cpuset", "io", "blkio", "memory", "devices", "pids", "bpf-firewall",
					"bpf-devices", "bpf-foreign", "bpf-socket-bind", "bpf-restrict-network-interfaces"}
			}
			return []string{}
		}
		return texts(words(vals))
	}
	m["EnvironmentFiles"] = func(v *view) any {
		got, _ := convertStructure("a(sb)", "EnvironmentFiles", v.st.Unit.Values(v.section, "EnvironmentFile"))
		return got
	}
	capabilities := func(name string, unset uint64) {
		m[name] = func(v *view) any {
			vals := v.st.Unit.Values(v.section, name)
			if len(vals) == 0 {
				return unset
			}
			set, inverted, err := value.ParseCapabilities(strings.Join(vals, " "))
			if err != nil {
				return unset
			}
			if inverted {
				set = ^set
			}
			if known := uint64(1)<<41 - 1; set&known == known {
				return uint64(unitstate.Unknown) // all, those of later kernels too
			}
			return set
		}
	}
	capabilities("CapabilityBoundingSet", unitstate.Unknown)
	capabilities("AmbientCapabilities", 0)
	m["SecureBits"] = func(v *view) any {
		var bits int32
		for _, w := range words(v.st.Unit.Values(v.section, "SecureBits")) {
			bits |= map[string]int32{"keep-caps": 1 << 4, "keep-caps-locked": 1 << 5, "no-setuid-fixup": 1 << 2,
				"no-setuid-fixup-locked": 1 << 3, "noroot": 1, "noroot-locked": 1 << 1}[w]
		}
		return bits
	}
	m["MountFlags"] = func(v *view) any {
		return map[string]uint64{"shared": unix.MS_SHARED, "slave": unix.MS_SLAVE, "private": unix.MS_PRIVATE}[v.text("MountFlags")]
	}
	m["RestrictNamespaces"] = restrictNamespaces
	m["SystemCallErrorNumber"] = func(v *view) any {
		s := v.text("SystemCallErrorNumber")
		if s == "" || s == "kill" {
			return int32(2147483646)
		}
		n, err := value.ParseErrno(s)
		if err != nil {
			return int32(2147483646)
		}
		return int32(n)
	}
	m["SyslogPriority"] = func(v *view) any {
		level, facility := int32(6), int32(3)
		if n, ok := numberNames["SyslogLevel"][v.text("SyslogLevel")]; ok {
			level = n
		}
		if n, ok := numberNames["SyslogFacility"][v.text("SyslogFacility")]; ok {
			facility = n
		}
		return facility<<3 | level
	}
	for _, d := range []string{"RuntimeDirectory", "StateDirectory", "CacheDirectory", "LogsDirectory"} {
		m[d] = func(v *view) any {
			out := []string{}
			for _, w := range words(v.st.Unit.Values(v.section, d)) {
				name, _, _ := strings.Cut(w, ":")
				out = append(out, text8(name))
			}
			return out
		}
		m[d+"Symlink"] = func(v *view) any {
			out := []struct {
				Dir, Link string
				Flags     uint64
			}{}
			for _, w := range words(v.st.Unit.Values(v.section, d)) {
				if name, link, ok := strings.Cut(w, ":"); ok {
					out = append(out, struct {
						Dir, Link string
						Flags     uint64
					}{text8(name), text8(link), 0})
				}
			}
			return out
		}
	}
	stream := func(name string) {
		m[name] = func(v *view) any {
			s := v.text(name)
			if s == "" {
				return defaults[name]
			}
			kind, _, _ := strings.Cut(s, ":")
			return text8(kind)
		}
		m[name+"FileDescriptorName"] = func(v *view) any {
			if kind, fd, ok := strings.Cut(v.text(name), ":"); ok && kind == "fd" {
				return text8(fd)
			}
			if v.text(name) == "fd" {
				return map[string]string{"StandardInput": "stdin", "StandardOutput": "stdout", "StandardError": "stderr"}[name]
			}
			return ""
		}
	}
	stream("StandardInput")
	stream("StandardOutput")
	stream("StandardError")
	m["StandardInputData"] = func(v *view) any {
		out := []byte{}
		for _, s := range v.st.Unit.Values(v.section, "StandardInputText") {
			out = append(append(out, s...), '\n')
		}
		for _, s := range v.st.Unit.Values(v.section, "StandardInputData") {
			if b, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(s, " ", "")); err == nil {
				out = append(out, b...)
			}
		}
		return out
	}
	rootHash := func(bytes, path string) {
		m[bytes] = func(v *view) any {
			s := v.text(bytes)
			if b, err := hex.DecodeString(s); err == nil {
				return b
			}
			return []byte{}
		}
		m[path] = func(v *view) any {
			if s := v.text(bytes); strings.HasPrefix(s, "/") {
				return text8(s)
			}
			return ""
		}
	}
	rootHash("RootHash", "RootHashPath")
	rootHash("RootHashSignature", "RootHashSignaturePath")
	m["TTYPath"] = func(v *view) any {
		if s := v.text("TTYPath"); s != "" {
			return text8(s)
		}
		if strings.HasPrefix(v.text("StandardInput"), "tty") || strings.HasPrefix(v.text("StandardOutput"), "tty") {
			return "/dev/console"
		}
		return ""
	}
	m["CPUAffinityFromNUMA"] = func(v *view) any { return v.text("CPUAffinity") == "numa" }
	m["SameProcessGroup"] = func(v *view) any { return v.section == "Mount" }
	m["IPIngressFilterPath"] = func(v *view) any { return texts(words(v.st.Unit.Values(v.section, "IPIngressFilterPath"))) }
	m["Symlinks"] = func(v *view) any { return texts(words(v.st.Unit.Values(v.section, "Symlinks"))) }
	m["ExecSearchPath"] = func(v *view) any {
		out := []string{}
		for _, s := range v.st.Unit.Values(v.section, "ExecSearchPath") {
			out = append(out, texts(strings.Split(s, ":"))...)
		}
		return out
	}
	m["Documentation"] = func(v *view) any { return texts(words(v.st.Unit.Values("Unit", "Documentation"))) }
	m["Environment"] = func(v *view) any {
		out := []string{}
		for _, s := range v.st.Unit.Values(v.section, "Environment") {
			as, err := value.ParseEnvironment(s)
			if err != nil || len(as) == 0 || len(as) > 1 && !strings.ContainsAny(s, " \t") {
				out = append(out, text8(s))
				continue
			}
			for _, a := range as {
				out = append(out, text8(a.Name+"="+a.Value))
			}
		}
		return out
	}
	m["WorkingDirectory"] = func(v *view) any {
		// The bus has "!" for a directory that may be missing.
		if dir, optional := strings.CutPrefix(v.text("WorkingDirectory"), "-"); optional {
			return text8("!" + dir)
		}
		return text8(v.text("WorkingDirectory"))
	}
	m["BPFProgram"] = func(v *view) any { return pairs("BPFProgram", v.st.Unit.Values(v.section, "BPFProgram")) }
	m["LogExtraFields"] = func(v *view) any {
		got, _ := convertStructure("aay", "LogExtraFields", v.st.Unit.Values(v.section, "LogExtraFields"))
		return got
	}
	m["Markers"] = func(v *view) any { return []string{} }
	m["SocketProtocol"] = func(v *view) any {
		s := v.text("SocketProtocol")
		if n, ok := numberNames["SocketProtocol"][s]; ok {
			return n
		}
		n, _ := strconv.ParseInt(s, 10, 32)
		return int32(n)
	}
}

// restrictNamespaces gives the namespaces that remain allowed, as CLONE_…
// flags; all of them where nothing is restricted.
func restrictNamespaces(v *view) any {
	vals := v.st.Unit.Values(v.section, "RestrictNamespaces")
	if len(vals) == 0 {
		return uint64(unitstate.Unknown)
	}
	last := vals[len(vals)-1]
	if b, err := value.ParseBool(last); err == nil {
		if b {
			return uint64(0)
		}
		return uint64(unitstate.Unknown)
	}
	flags := map[string]uint64{"cgroup": unix.CLONE_NEWCGROUP, "ipc": unix.CLONE_NEWIPC, "net": unix.CLONE_NEWNET,
		"mnt": unix.CLONE_NEWNS, "pid": unix.CLONE_NEWPID, "user": unix.CLONE_NEWUSER, "uts": unix.CLONE_NEWUTS, "time": unix.CLONE_NEWTIME}
	var all, set uint64
	for _, f := range flags {
		all |= f
	}
	deny := false
	for i, s := range vals {
		rest, not := strings.CutPrefix(s, "~")
		if i == 0 {
			deny = not
		}
		for _, w := range strings.Fields(rest) {
			set |= flags[w]
		}
	}
	if deny {
		return all &^ set
	}
	return set
}

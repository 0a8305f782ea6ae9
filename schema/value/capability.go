package value

import (
	"sort"
	"strings"

	"github.com/unitgen/unitgen/schema/directive"
)

// capabilityNames are the capabilities of Linux by number (capabilities(7)).
var capabilityNames = strings.Fields(`cap_chown cap_dac_override cap_dac_read_search cap_fowner cap_fsetid cap_kill cap_setgid cap_setuid
	cap_setpcap cap_linux_immutable cap_net_bind_service cap_net_broadcast cap_net_admin cap_net_raw cap_ipc_lock cap_ipc_owner
	cap_sys_module cap_sys_rawio cap_sys_chroot cap_sys_ptrace cap_sys_pacct cap_sys_admin cap_sys_boot cap_sys_nice cap_sys_resource
	cap_sys_time cap_sys_tty_config cap_mknod cap_lease cap_audit_write cap_audit_control cap_setfcap cap_mac_override cap_mac_admin
	cap_syslog cap_wake_alarm cap_block_suspend cap_audit_read cap_perfmon cap_bpf cap_checkpoint_restore`)

// AllCapabilities is the set of every capability that is known.
const AllCapabilities = uint64(1)<<41 - 1

var _ = register(map[directive.Kind]checker{
	"capabilities": func(_ *Context, s string) (string, error) {
		_, _, err := ParseCapabilities(s)
		return s, err
	},
	"namespaces": func(c *Context, s string) (string, error) {
		_, err := ParseNamespaces(s)
		return s, err
	},
	"architectures": words(0, func(_ *Context, w string) error {
		if w == "native" || contains(architectureNames, w) {
			return nil
		}
		return wrong(w, "is no architecture", "native or one of "+strings.Join(architectureNames, " "))
	}),
	"file-systems": func(_ *Context, s string) (string, error) {
		ws, err := Split(strings.TrimPrefix(s, "~"), "", Unquote)
		if err != nil {
			return s, err
		}
		for _, w := range ws {
			if strings.HasPrefix(w, "@") && !contains(fileSystemGroups, w) {
				return s, wrong(w, "is no group of file systems", strings.Join(fileSystemGroups, " "))
			}
		}
		return s, nil
	},
	"controllers": func(_ *Context, s string) (string, error) {
		ws, err := Split(s, "", Unquote)
		if err != nil {
			return s, err
		}
		known := 0
		var unknown *Error
		for _, w := range ws {
			if contains(controllerNames, w) {
				known++
			} else if unknown == nil {
				unknown = &Error{Value: w, Wrong: "is no controller of control groups", Want: strings.Join(controllerNames, " ")}
			}
		}
		if unknown != nil {
			unknown.Tolerated = known > 0
			return s, unknown
		}
		return JoinWords(ws), nil
	},
	"delegate": func(_ *Context, s string) (string, error) {
		if b, err := ParseBool(s); err == nil {
			return FormatBool(b), nil
		}
		ws, err := Split(s, "", Unquote)
		if err != nil {
			return s, err
		}
		for _, w := range ws {
			if !contains(controllerNames, w) {
				return s, wrong(w, "is no controller of control groups", "yes, no, or some of "+strings.Join(controllerNames, " "))
			}
		}
		return s, nil
	},
	"bpf-delegate:commands": bpfDelegate("BPFMapCreate BPFMapLookupElem BPFMapUpdateElem BPFMapDeleteElem BPFMapGetNextKey BPFProgLoad BPFObjPin BPFObjGet BPFProgAttach BPFProgDetach BPFProgTestRun BPFProgGetNextId BPFMapGetNextId BPFProgGetFdById BPFMapGetFdById BPFObjGetInfoByFd BPFProgQuery BPFRawTracepointOpen BPFBtfLoad BPFBtfGetFdById BPFTaskFdQuery BPFMapLookupAndDeleteElem BPFMapFreeze BPFBtfGetNextId BPFMapLookupBatch BPFMapLookupAndDeleteBatch BPFMapUpdateBatch BPFMapDeleteBatch BPFLinkCreate BPFLinkUpdate BPFLinkGetFdById BPFLinkGetNextId BPFEnableStats BPFIterCreate BPFLinkDetach BPFProgBindMap BPFTokenCreate"),
	"bpf-delegate:maps":     bpfDelegate(""), "bpf-delegate:programs": bpfDelegate(""), "bpf-delegate:attachments": bpfDelegate(""),
})

// bpfDelegate checks lists of names in camel case, or "any".
func bpfDelegate(string) checker {
	return func(_ *Context, s string) (string, error) {
		for _, w := range strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == '\t' || r == ',' }) {
			for i := 0; i < len(w); i++ {
				if !isAlnum(w[i]) && w[i] != '_' {
					return s, wrong(w, "is no name of the BPF interface", `"any" or names such as BPFProgLoad`)
				}
			}
		}
		return s, nil
	}
}

var architectureNames = strings.Fields(`x86 x86-64 x32 arm arm64 loongarch64 mips mips-le mips64 mips64-le mips64-n32 mips64-le-n32
	parisc parisc64 ppc ppc64 ppc64-le riscv64 s390 s390x`)

// fileSystemGroups of RestrictFileSystems= (systemd.exec(5)).
var fileSystemGroups = []string{"@application", "@auxiliary-block", "@basic-api", "@common-block", "@historical-block", "@network", "@privileged-api", "@security", "@temporary", "@known"}

// controllerNames are the controllers that Delegate= and DisableControllers=
// take.
var controllerNames = []string{"cpu", "cpuacct", "cpuset", "io", "blkio", "memory", "devices", "pids", "bpf-firewall", "bpf-devices", "bpf-foreign", "bpf-socket-bind", "bpf-restrict-network-interfaces", "bpf-bind-network-interface"}

// Capability gives the number of a capability: its name in any case, or the
// number itself.
func Capability(s string) (int, bool) {
	low := strings.ToLower(s)
	for n, name := range capabilityNames {
		if name == low {
			return n, true
		}
	}
	if s != "" && isDigit(s[0]) {
		if n, err := unsignedBits(s, 8); err == nil && n <= 62 {
			return int(n), true
		}
	}
	return 0, false
}

// CapabilityName gives the name of a capability, in small letters, or "".
func CapabilityName(n int) string {
	if n >= 0 && n < len(capabilityNames) {
		return capabilityNames[n]
	}
	return ""
}

// ParseCapabilities reads a value of CapabilityBoundingSet= or
// AmbientCapabilities=: a list of names, "~" before it for all but these.
func ParseCapabilities(s string) (set uint64, inverted bool, err error) {
	t, inverted := strings.CutPrefix(s, "~")
	ws, err := Split(t, "", Unquote)
	if err != nil {
		return 0, inverted, advice(err)
	}
	for _, w := range ws {
		n, ok := Capability(w)
		if !ok {
			return set, inverted, &Error{Value: w, Wrong: "is no capability", Want: "names such as CAP_NET_BIND_SERVICE (capabilities(7)), with ~ before the list for all others", Tolerated: true}
		}
		set |= 1 << n
	}
	return set, inverted, nil
}

// FormatCapabilities gives the names of a set in order of number.
func FormatCapabilities(set uint64) string {
	var out []string
	for n := 0; n < 64; n++ {
		if set>>n&1 == 1 {
			if name := CapabilityName(n); name != "" {
				out = append(out, name)
			}
		}
	}
	return strings.Join(out, " ")
}

// Namespaces of Linux by the names that RestrictNamespaces= takes, and their
// clone(2) flags.
var namespaceFlags = map[string]uint64{
	"cgroup": 0x02000000, "ipc": 0x08000000, "net": 0x40000000, "mnt": 0x00020000,
	"pid": 0x20000000, "user": 0x10000000, "uts": 0x04000000, "time": 0x00000080,
}

// AllNamespaces is the set of all namespaces, as clone(2) flags. RestrictNamespaces=
// does not know the time namespace.
const AllNamespaces = 0x7e020000

// ParseNamespaces reads a value of RestrictNamespaces= and gives the
// namespaces that stay allowed as clone(2) flags.
func ParseNamespaces(s string) (allowed uint64, err error) {
	if b, err := ParseBool(s); err == nil {
		if b {
			return 0, nil
		}
		return AllNamespaces, nil
	}
	t, inverted := strings.CutPrefix(s, "~")
	ws, err := Split(t, "", 0)
	if err != nil {
		return 0, err
	}
	var set uint64
	for _, w := range ws {
		f, ok := namespaceFlags[w]
		if !ok || w == "time" {
			return 0, wrong(w, "is no type of namespace", "yes, no, or some of "+strings.Join(NamespaceNames(AllNamespaces), " ")+", with ~ before the list for all others")
		}
		set |= f
	}
	if inverted {
		set = AllNamespaces &^ set
	}
	return set, nil
}

// NamespaceNames gives the names of a set of clone(2) flags, sorted.
func NamespaceNames(set uint64) []string {
	var out []string
	for n, f := range namespaceFlags {
		if set&f != 0 {
			out = append(out, n)
		}
	}
	sort.Strings(out)
	return out
}

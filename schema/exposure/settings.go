package exposure

import (
	"slices"
	"strconv"
	"strings"

	"github.com/unitgen/unitgen/schema/load"
	"github.com/unitgen/unitgen/schema/value"
)

// settings are the service's settings in the form that the checks ask for.
type settings struct {
	u          *load.Unit
	caps       map[string]bool // the bounding set, in small letters
	namespaces map[string]bool // those that may be made
}

func gather(u *load.Unit) *settings {
	s := &settings{u: u, caps: map[string]bool{}, namespaces: map[string]bool{}}
	bounding := s.bounding()
	for n := range 64 {
		if bounding>>n&1 == 1 {
			s.caps[strings.ToLower(value.CapabilityName(n))] = true
		}
	}
	var allowed uint64 = value.AllNamespaces
	for i, v := range s.values("RestrictNamespaces") {
		a, err := value.ParseNamespaces(v)
		if err != nil {
			continue
		}
		_, notBool := value.ParseBool(v)
		switch {
		case notBool == nil:
			allowed = a
		case i == 0 || strings.HasPrefix(v, "~"):
			allowed &= a
		default:
			allowed |= a
		}
	}
	for _, n := range value.NamespaceNames(allowed) {
		s.namespaces[n] = true
	}
	return s
}

func (s *settings) values(name string) []string {
	return s.u.Values("Service", name)
}

func (s *settings) text(name string) string {
	v := s.values(name)
	// DynamicUser=yes implies these at least (systemd.exec(5)).
	if least := map[string]string{"ProtectHome": "read-only", "ProtectSystem": "strict"}[name]; least != "" && (len(v) == 0 || v[len(v)-1] == "no" || name == "ProtectSystem") && s.text("DynamicUser") == "yes" {
		return least
	}
	if len(v) == 0 {
		return ""
	}
	t := v[len(v)-1]
	// ProtectHome=, ProtectSystem= and Delegate= take booleans and words.
	if b, err := value.ParseBool(t); err == nil && name != "User" {
		return value.FormatBool(b)
	}
	return t
}

// written gives every value that the files assign to a directive, empty ones
// included.
func (s *settings) written(name string) []string {
	var out []string
	for _, f := range s.u.Files {
		out = append(out, f.Values("Service", name)...)
	}
	return out
}

func (s *settings) words(name string) []string {
	var out []string
	for _, v := range s.values(name) {
		for _, w := range strings.Fields(v) {
			if !slices.Contains(out, w) {
				out = append(out, w)
			}
		}
	}
	return out
}

// implied are the options that DynamicUser=yes turns on (systemd.exec(5)).
var implied = []string{"NoNewPrivileges", "RestrictSUIDSGID", "PrivateTmp", "RemoveIPC"}

func (s *settings) bool(name string) bool {
	if b, err := value.ParseBool(s.text(name)); err == nil && b {
		return true
	}
	return slices.Contains(implied, name) && s.text("DynamicUser") == "yes"
}

// root reports whether the service runs as root.
func (s *settings) root() bool {
	switch s.text("User") {
	case "root", "0":
		return true
	case "":
		return !s.bool("DynamicUser")
	}
	return false
}

// lost are the capabilities that options take away (systemd.exec(5)).
var lost = map[string]string{
	"ProtectKernelModules": "CAP_SYS_MODULE",
	"ProtectKernelLogs":    "CAP_SYSLOG",
	"ProtectClock":         "CAP_SYS_TIME CAP_WAKE_ALARM",
	"PrivateDevices":       "CAP_MKNOD CAP_SYS_RAWIO",
}

func (s *settings) bounding() uint64 {
	all := ^uint64(0)
	set, touched := all, false
	// Emptied is not the same as not set, so what was written counts.
	for _, v := range s.written("CapabilityBoundingSet") {
		if v == "" {
			set, touched = 0, true
			continue
		}
		c, inverted, err := value.ParseCapabilities(v)
		switch {
		case err != nil:
		case inverted:
			set, touched = set&^c, true
		case !touched:
			set, touched = c, true
		default:
			set |= c
		}
	}
	for option, caps := range lost {
		if s.bool(option) {
			c, _, _ := value.ParseCapabilities(caps)
			set &^= c
		}
	}
	return set
}

// known are the families that have a check of their own.
var known = []string{"AF_PACKET", "AF_NETLINK", "AF_UNIX", "AF_INET", "AF_INET6"}

// family reports whether sockets of one of the families may be opened; no
// family stands for all others.
func (s *settings) family(families []string) bool {
	values := s.values("RestrictAddressFamilies")
	if len(values) == 0 {
		return true
	}
	listed := map[string]bool{}
	deny := strings.HasPrefix(values[0], "~")
	for _, v := range values {
		list, d, err := value.ParseAddressFamilies(v)
		if err != nil {
			continue
		}
		for _, f := range list {
			if f == "AF_LOCAL" || f == "AF_FILE" {
				f = "AF_UNIX"
			}
			listed[f] = d == deny
		}
	}
	hit := false
	for f, on := range listed {
		if on && (slices.Contains(families, f) || len(families) == 0 && !slices.Contains(known, f)) {
			hit = true
		}
	}
	return hit != deny
}

// syscalls rates the filter with regard to one group of system calls.
func (s *settings) syscalls(group string) (float64, string) {
	values := s.values("SystemCallFilter")
	if len(values) == 0 {
		return 1, "System calls are not filtered"
	}
	deny := strings.HasPrefix(values[0], "~")
	listed := map[string]bool{}
	if !deny {
		for _, n := range value.SyscallGroup("@default") {
			listed[n] = true
		}
	}
	for _, v := range values {
		rules, d, err := value.ParseSyscallFilter(v)
		if err != nil && len(rules) == 0 {
			continue
		}
		for _, r := range rules {
			names := []string{r.Name}
			if strings.HasPrefix(r.Name, "@") {
				names = value.SyscallGroup(r.Name)
			}
			for _, n := range names {
				if d == deny {
					listed[n] = true
				} else {
					delete(listed, n)
				}
			}
		}
	}
	for _, n := range value.SyscallGroup(group) {
		if listed[n] != deny {
			if deny {
				return 1, "The deny list lacks " + n + " of " + group
			}
			return 0.9, "The allow list has " + n + " of " + group
		}
	}
	return 0, "No system call of " + group + " is accepted"
}

func (s *settings) devices() (float64, string) {
	policy := s.text("DevicePolicy")
	if s.bool("PrivateDevices") && (policy == "" || policy == "auto") {
		policy = "closed"
	}
	allow := s.values("DeviceAllow")
	if s.bool("ProtectClock") && !slices.Contains(allow, "char-rtc r") {
		allow = append(slices.Clone(allow), "char-rtc r") // implied (systemd.exec(5), ProtectClock=)
	}
	switch {
	case policy != "strict" && policy != "closed":
		return 1, "Every device may be opened"
	case len(allow) > 0:
		return 0.5, "Some devices may be opened: " + strings.Join(allow, ", ")
	}
	return 0, "Only pseudo devices may be opened"
}

func (s *settings) addresses() (float64, string) {
	if s.text("IPIngressFilterPath") != "" || s.text("IPEgressFilterPath") != "" {
		return 0, "BPF programs filter IP traffic"
	}
	four, six := false, false
	for _, v := range s.values("IPAddressDeny") {
		list, _ := value.ParseIPPrefixes(v)
		for _, p := range list {
			if p.Bits() == 0 {
				four, six = four || p.Addr().Is4(), six || p.Addr().Is6()
			}
		}
	}
	if !four || !six {
		return 1, "No allow list of IP addresses is set"
	}
	badness, found := 0.0, "All IP addresses are denied"
	for _, v := range s.values("IPAddressAllow") {
		list, _ := value.ParseIPPrefixes(v)
		for _, p := range list {
			if !p.Addr().IsLoopback() {
				return 0.5, "IP addresses of other hosts are allowed"
			}
			badness, found = 0.2, "Only IP addresses of this host are allowed"
		}
	}
	return badness, found
}

func (s *settings) umask() (float64, string) {
	m := uint64(0o022)
	if v := s.text("UMask"); v != "" {
		if n, err := strconv.ParseUint(s.values("UMask")[len(s.values("UMask"))-1], 8, 32); err == nil {
			m = n
		}
	}
	switch {
	case m&0o002 == 0:
		return 1, "Its files are writable for everybody"
	case m&0o004 == 0:
		return 0.5, "Its files are readable for everybody"
	case m&0o020 == 0:
		return 0.2, "Its files are writable for their group"
	case m&0o040 == 0:
		return 0.1, "Its files are readable for their group"
	}
	return 0, "Its files are its user's own"
}

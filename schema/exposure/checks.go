package exposure

import "strings"

// check is one row of the table. rate gives the badness from 0 to 1 with what
// was found, or -1 where the check does not apply.
type check struct {
	id, name string
	weight   int
	advice   string
	rate     func(*settings) (float64, string)
}

// flag is a check of a boolean directive.
func flag(name string, weight int, closed, open string) check {
	return check{name, name + "=", weight, "Set " + name + "=yes.", func(s *settings) (float64, string) {
		if s.bool(name) {
			return 0, closed
		}
		return 1, open
	}}
}

// capability is a check that the bounding set lacks some capabilities.
func capability(id, name string, weight int, can string, caps ...string) check {
	return check{"CapabilityBoundingSet_" + id, "CapabilityBoundingSet=~" + name, weight,
		"Set CapabilityBoundingSet= to the capabilities it needs, without " + strings.Join(caps, " ") + ".",
		func(s *settings) (float64, string) {
			for _, c := range caps {
				if s.caps[strings.ToLower(c)] {
					return 1, "The service may " + can
				}
			}
			return 0, "The service may not " + can
		}}
}

func namespace(name, what string, weight int) check {
	return check{"RestrictNamespaces_" + name, "RestrictNamespaces=~" + name, weight, "Set RestrictNamespaces=yes, or name the types it needs.",
		func(s *settings) (float64, string) {
			if s.namespaces[name] {
				return 1, "The service may make " + what + " namespaces"
			}
			return 0, "The service may not make " + what + " namespaces"
		}}
}

func family(id, name, what string, weight int, families ...string) check {
	return check{"RestrictAddressFamilies_" + id, "RestrictAddressFamilies=~" + name, weight, "Set RestrictAddressFamilies= to the families it needs, such as AF_UNIX AF_INET AF_INET6.",
		func(s *settings) (float64, string) {
			if s.family(families) {
				return 1, "The service may open " + what + " sockets"
			}
			return 0, "The service may not open " + what + " sockets"
		}}
}

func syscalls(group string, weight int) check {
	id := strings.ReplaceAll(group, "-", "_")
	return check{"SystemCallFilter_" + id, "SystemCallFilter=~@" + group, weight, "Set SystemCallFilter=@system-service and SystemCallFilter=~@privileged @resources, or a list of what it needs.",
		func(s *settings) (float64, string) { return s.syscalls("@" + group) }}
}

// ladder is a check of a directive whose values have marks of their own.
func ladder(name string, weight int, advice string, initial string, marks map[string]float64, what string) check {
	return check{name, name + "=", weight, advice, func(s *settings) (float64, string) {
		v := s.text(name)
		if v == "" {
			v = initial
		}
		m, ok := marks[v]
		if !ok {
			m = 1
		}
		return m, what + ": " + v
	}}
}

// checks are the rows in the order of systemd-analyze's table by subject.
var checks = []check{
	{"RootDirectoryOrRootImage", "RootDirectory=/RootImage=", 200, "Give it a root of its own with RootDirectory= or RootImage=.", func(s *settings) (float64, string) {
		if d := s.text("RootDirectory"); d != "" && d != "/" || s.text("RootImage") != "" {
			return 0, "The service has a root directory of its own"
		}
		return 1, "The service runs in the host's root directory"
	}},
	{"SupplementaryGroups", "SupplementaryGroups=", 200, "Take SupplementaryGroups= out.", func(s *settings) (float64, string) {
		switch {
		case s.root():
			return -1, "The service runs as root, its groups do not count"
		case s.text("SupplementaryGroups") != "":
			return 1, "The service has supplementary groups"
		}
		return 0, "The service has no supplementary groups"
	}},
	{"RemoveIPC", "RemoveIPC=", 100, "Set RemoveIPC=yes.", func(s *settings) (float64, string) {
		switch {
		case s.root():
			return -1, "The service runs as root, the option does not apply"
		case s.bool("RemoveIPC") || s.bool("DynamicUser"):
			return 0, "No IPC objects of the service stay behind"
		}
		return 1, "IPC objects of the service may stay behind"
	}},
	{"UserOrDynamicUser", "User=/DynamicUser=", 2000, "Run it as a user of its own with User= or DynamicUser=yes.", func(s *settings) (float64, string) {
		switch {
		case s.root():
			return 1, "The service runs as root"
		case s.text("User") == "nobody":
			return 0.9, "The service runs as nobody, whom others share"
		case s.bool("DynamicUser"):
			return 0, "The service runs as a transient user"
		}
		return 0, "The service runs as a user of its own"
	}},
	capability("CAP_SYS_TIME", "CAP_SYS_TIME", 1000, "set the system clock", "CAP_SYS_TIME"),
	flag("NoNewPrivileges", 1000, "Its processes can gain no privileges", "Its processes may gain privileges"),
	{"AmbientCapabilities", "AmbientCapabilities=", 500, "Take AmbientCapabilities= out.", func(s *settings) (float64, string) {
		if s.text("AmbientCapabilities") != "" {
			return 1, "The service is given ambient capabilities"
		}
		return 0, "The service is given no ambient capabilities"
	}},
	flag("PrivateDevices", 1000, "Hardware devices are hidden", "Hardware devices may be reached"),
	flag("ProtectClock", 1000, "The clocks cannot be written", "The clocks may be written"),
	capability("CAP_SYS_PACCT", "CAP_SYS_PACCT", 25, "switch process accounting", "CAP_SYS_PACCT"),
	capability("CAP_KILL", "CAP_KILL", 500, "signal any process", "CAP_KILL"),
	flag("ProtectKernelLogs", 1000, "The kernel log is out of reach", "The kernel log may be read and written"),
	capability("CAP_WAKE_ALARM", "CAP_WAKE_ALARM", 25, "set timers that wake the machine", "CAP_WAKE_ALARM"),
	capability("CAP_DAC_FOWNER_IPC_OWNER", "CAP_(DAC_*|FOWNER|IPC_OWNER)", 1000, "pass over file permissions", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_IPC_OWNER"),
	flag("ProtectControlGroups", 1000, "The control groups are read-only", "The control groups may be changed"),
	capability("CAP_LINUX_IMMUTABLE", "CAP_LINUX_IMMUTABLE", 75, "make files immutable", "CAP_LINUX_IMMUTABLE"),
	capability("CAP_IPC_LOCK", "CAP_IPC_LOCK", 50, "lock memory", "CAP_IPC_LOCK"),
	flag("ProtectKernelModules", 1000, "Kernel modules are out of reach", "Kernel modules may be read or loaded"),
	capability("CAP_SYS_MODULE", "CAP_SYS_MODULE", 1000, "load kernel modules", "CAP_SYS_MODULE"),
	capability("CAP_BPF", "CAP_BPF", 25, "load BPF programs", "CAP_BPF"),
	capability("CAP_SYS_TTY_CONFIG", "CAP_SYS_TTY_CONFIG", 25, "hang up terminals", "CAP_SYS_TTY_CONFIG"),
	capability("CAP_SYS_BOOT", "CAP_SYS_BOOT", 100, "reboot the machine", "CAP_SYS_BOOT"),
	capability("CAP_SYS_CHROOT", "CAP_SYS_CHROOT", 50, "change its root directory", "CAP_SYS_CHROOT"),
	flag("PrivateMounts", 1000, "Its mounts stay its own", "Its mounts reach the system"),
	{"SystemCallArchitectures", "SystemCallArchitectures=", 1000, "Set SystemCallArchitectures=native.", func(s *settings) (float64, string) {
		switch v := s.words("SystemCallArchitectures"); {
		case len(v) == 0:
			return 1, "System calls of every ABI are accepted"
		case len(v) == 1 && v[0] == "native":
			return 0, "Only system calls of the native ABI are accepted"
		}
		return 0.8, "System calls of several ABIs are accepted"
	}},
	capability("CAP_BLOCK_SUSPEND", "CAP_BLOCK_SUSPEND", 25, "keep the machine awake", "CAP_BLOCK_SUSPEND"),
	flag("MemoryDenyWriteExecute", 100, "Memory is never writable and executable", "Memory may be writable and executable"),
	namespace("user", "user", 1500),
	namespace("pid", "process", 500),
	namespace("net", "network", 500),
	namespace("uts", "host name", 100),
	namespace("mnt", "mount", 500),
	capability("CAP_LEASE", "CAP_LEASE", 25, "take file leases", "CAP_LEASE"),
	capability("CAP_MKNOD", "CAP_MKNOD", 500, "make device nodes", "CAP_MKNOD"),
	namespace("cgroup", "control group", 500),
	flag("RestrictSUIDSGID", 1000, "It can make no SUID and SGID files", "It may make SUID and SGID files"),
	namespace("ipc", "IPC", 500),
	flag("ProtectHostname", 50, "The host name cannot be changed", "The host name may be changed"),
	capability("CAP_CHOWN_FSETID_SETFCAP", "CAP_(CHOWN|FSETID|SETFCAP)", 1000, "change owners and modes of any file", "CAP_CHOWN", "CAP_FSETID", "CAP_SETFCAP"),
	capability("CAP_SET_UID_GID_PCAP", "CAP_SET(UID|GID|PCAP)", 1500, "take on other identities", "CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP"),
	flag("LockPersonality", 100, "The personality is fixed", "The personality may be changed"),
	flag("ProtectKernelTunables", 1000, "Kernel tunables are read-only", "Kernel tunables may be changed"),
	family("AF_PACKET", "AF_PACKET", "packet", 1000, "AF_PACKET"),
	family("AF_NETLINK", "AF_NETLINK", "netlink", 200, "AF_NETLINK"),
	family("AF_UNIX", "AF_UNIX", "local", 25, "AF_UNIX"),
	family("OTHER", "…", "exotic", 1250),
	family("AF_INET_INET6", "AF_(INET|INET6)", "Internet", 1500, "AF_INET", "AF_INET6"),
	capability("CAP_MAC", "CAP_MAC_*", 100, "change mandatory access control", "CAP_MAC_ADMIN", "CAP_MAC_OVERRIDE"),
	flag("RestrictRealtime", 500, "Real-time scheduling is out of reach", "Real-time scheduling may be taken"),
	capability("CAP_SYS_RAWIO", "CAP_SYS_RAWIO", 1000, "do raw I/O", "CAP_SYS_RAWIO"),
	capability("CAP_SYS_PTRACE", "CAP_SYS_PTRACE", 1500, "trace other processes", "CAP_SYS_PTRACE"),
	capability("CAP_SYS_NICE_RESOURCE", "CAP_SYS_(NICE|RESOURCE)", 500, "raise priorities and limits", "CAP_SYS_NICE", "CAP_SYS_RESOURCE"),
	{"DeviceAllow", "DeviceAllow=", 1000, "Set DevicePolicy=closed, or PrivateDevices=yes.", (*settings).devices},
	capability("CAP_NET_ADMIN", "CAP_NET_ADMIN", 1000, "configure the network", "CAP_NET_ADMIN"),
	ladder("ProtectSystem", 1000, "Set ProtectSystem=strict.", "no", map[string]float64{"strict": 0, "full": 0.3, "yes": 0.5, "no": 1}, "Protection of the operating system's files"),
	ladder("ProtectProc", 1000, "Set ProtectProc=invisible.", "default", map[string]float64{"default": 1, "noaccess": 1.0 / 3, "invisible": 0, "ptraceable": 0}, "Restriction of /proc"),
	ladder("ProcSubset", 10, "Set ProcSubset=pid.", "all", map[string]float64{"all": 1, "pid": 0}, "Part of /proc that is seen"),
	ladder("ProtectHome", 1000, "Set ProtectHome=yes.", "no", map[string]float64{"yes": 0, "read-only": 0.5, "tmpfs": 0.1, "no": 1}, "Protection of home directories"),
	capability("CAP_NET_BIND_SERVICE_BROADCAST_RAW)", "CAP_NET_(BIND_SERVICE|BROADCAST|RAW)", 500, "use privileged networking", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST", "CAP_NET_RAW"),
	capability("CAP_AUDIT", "CAP_AUDIT_*", 500, "reach the audit subsystem", "CAP_AUDIT_CONTROL", "CAP_AUDIT_READ", "CAP_AUDIT_WRITE"),
	capability("CAP_SYS_ADMIN", "CAP_SYS_ADMIN", 1500, "administer the system", "CAP_SYS_ADMIN"),
	flag("PrivateNetwork", 2500, "The host's network is out of reach", "The host's network may be reached"),
	flag("PrivateUsers", 1000, "Other users are hidden", "Other users are seen"),
	flag("PrivateTmp", 1000, "Temporary files of others are hidden", "Temporary files of others are seen"),
	capability("CAP_SYSLOG", "CAP_SYSLOG", 500, "control the kernel log", "CAP_SYSLOG"),
	ladder("KeyringMode", 1000, "Set KeyringMode=private.", "private", map[string]float64{"private": 0, "inherit": 1, "shared": 1}, "Kernel keyring"),
	{"Delegate", "Delegate=", 100, "Take Delegate= out.", func(s *settings) (float64, string) {
		if v := s.text("Delegate"); v != "" && v != "no" {
			return 1, "The service has a control group subtree of its own"
		}
		return 0, "The service has no control group subtree of its own"
	}},
	syscalls("clock", 1000), syscalls("cpu-emulation", 250), syscalls("debug", 1000), syscalls("module", 1000), syscalls("mount", 1000),
	syscalls("obsolete", 250), syscalls("privileged", 700), syscalls("raw-io", 1000), syscalls("reboot", 1000), syscalls("resources", 700), syscalls("swap", 1000),
	{"IPAddressDeny", "IPAddressDeny=", 1000, "Set IPAddressDeny=any and allow what it needs.", (*settings).addresses},
	ladder("NotifyAccess", 1000, "Set NotifyAccess=main.", "none", map[string]float64{"none": 0, "main": 0, "exec": 0, "all": 1}, "Processes that may change the service's state"),
	{"UMask", "UMask=", 100, "Set UMask=0077.", (*settings).umask},
}

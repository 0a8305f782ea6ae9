package manager

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/unitgen/unitgen/runtime/manager/seccomp"
	"github.com/unitgen/unitgen/schema/load"
	"github.com/unitgen/unitgen/schema/value"
)

// callFilters are the settings of a unit that filter system calls
// (systemd.exec(5), "SANDBOXING" and "SYSTEM CALL FILTERING"). An ordinary
// user has them too; no new privileges go with them then.
type callFilters struct {
	calls, log, archs       []string
	errno                   int // -1: kill
	families                []int
	denyFamilies            bool
	restrictFamilies        bool
	namespaces              uint64
	restrictNamespaces      bool
	realtime, suid, wx      bool
	lockPersonality         bool
	tunables, modules, logs bool
	clock, devices, host    bool
}

// haveSeccomp reports whether the kernel takes filters from us.
var haveSeccomp = sync.OnceValue(func() bool {
	const getActionAvail = 2
	killProcess := uint32(0x80000000)
	_, _, e := unix.Syscall(unix.SYS_SECCOMP, getActionAvail, 0, uintptr(unsafe.Pointer(&killProcess)))
	return e == 0 && seccomp.Supported()
})

func newCallFilters(f *load.Unit) callFilters {
	c := callFilters{
		calls: f.Strings("SystemCallFilter"), log: f.Strings("SystemCallLog"), archs: words(f.Strings("SystemCallArchitectures")), errno: -1,
		realtime: f.Bool("RestrictRealtime"), suid: f.Bool("RestrictSUIDSGID"), wx: f.Bool("MemoryDenyWriteExecute"),
		lockPersonality: f.Bool("LockPersonality"), tunables: f.Bool("ProtectKernelTunables"), modules: f.Bool("ProtectKernelModules"),
		logs: f.Bool("ProtectKernelLogs"), clock: f.Bool("ProtectClock"), devices: f.Bool("PrivateDevices"), host: f.Bool("ProtectHostname"),
	}
	if n, err := value.ParseErrno(f.String("SystemCallErrorNumber")); err == nil {
		c.errno = n
	}
	c.log = callNames(c.log)
	c.readFamilies(f.Strings("RestrictAddressFamilies"))
	if v := f.Strings("RestrictNamespaces"); len(v) > 0 {
		if set, err := value.ParseNamespaces(strings.Join(v, " ")); err == nil && set != value.AllNamespaces {
			c.namespaces, c.restrictNamespaces = set, true
		}
	}
	return c
}

// callNames makes one list of system calls of the assignments of a directive.
func callNames(values []string) []string {
	set := map[string]bool{}
	deny := false
	var order []string
	for i, v := range values {
		rules, inverted, err := value.ParseSyscallFilter(v)
		if err != nil {
			continue
		}
		if i == 0 {
			deny = inverted
		}
		for _, r := range rules {
			names := []string{r.Name}
			if strings.HasPrefix(r.Name, "@") {
				names = value.SyscallGroup(r.Name)
			}
			for _, n := range names {
				if _, known := set[n]; !known {
					order = append(order, n)
				}
				set[n] = inverted == deny
			}
		}
	}
	var out []string
	for _, n := range order {
		switch {
		case set[n] && deny:
			out = append(out, "~"+n)
		case set[n]:
			out = append(out, n)
		}
	}
	return out
}

func (c *callFilters) readFamilies(values []string) {
	set := map[int]bool{}
	for i, v := range values {
		names, deny, err := value.ParseAddressFamilies(v)
		if err != nil {
			continue
		}
		if i == 0 {
			c.denyFamilies = deny
		}
		c.restrictFamilies = true
		for _, n := range names {
			if f, ok := addressFamilies[n]; ok {
				set[f] = deny == c.denyFamilies
			}
		}
	}
	for f, in := range set {
		if in {
			c.families = append(c.families, f)
		}
	}
	if c.denyFamilies && len(c.families) == 0 {
		c.restrictFamilies = false
	}
}

var addressFamilies = map[string]int{
	"AF_UNIX": unix.AF_UNIX, "AF_LOCAL": unix.AF_LOCAL, "AF_FILE": unix.AF_FILE, "AF_INET": unix.AF_INET, "AF_AX25": unix.AF_AX25, "AF_IPX": unix.AF_IPX,
	"AF_APPLETALK": unix.AF_APPLETALK, "AF_NETROM": unix.AF_NETROM, "AF_BRIDGE": unix.AF_BRIDGE, "AF_ATMPVC": unix.AF_ATMPVC, "AF_X25": unix.AF_X25,
	"AF_INET6": unix.AF_INET6, "AF_ROSE": unix.AF_ROSE, "AF_DECnet": unix.AF_DECnet, "AF_NETBEUI": unix.AF_NETBEUI, "AF_SECURITY": unix.AF_SECURITY,
	"AF_KEY": unix.AF_KEY, "AF_NETLINK": unix.AF_NETLINK, "AF_ROUTE": unix.AF_ROUTE, "AF_PACKET": unix.AF_PACKET, "AF_ASH": unix.AF_ASH,
	"AF_ECONET": unix.AF_ECONET, "AF_ATMSVC": unix.AF_ATMSVC, "AF_RDS": unix.AF_RDS, "AF_SNA": unix.AF_SNA, "AF_IRDA": unix.AF_IRDA,
	"AF_PPPOX": unix.AF_PPPOX, "AF_WANPIPE": unix.AF_WANPIPE, "AF_LLC": unix.AF_LLC, "AF_IB": unix.AF_IB, "AF_MPLS": unix.AF_MPLS, "AF_CAN": unix.AF_CAN,
	"AF_TIPC": unix.AF_TIPC, "AF_BLUETOOTH": unix.AF_BLUETOOTH, "AF_IUCV": unix.AF_IUCV, "AF_RXRPC": unix.AF_RXRPC, "AF_ISDN": unix.AF_ISDN,
	"AF_PHONET": unix.AF_PHONET, "AF_IEEE802154": unix.AF_IEEE802154, "AF_CAIF": unix.AF_CAIF, "AF_ALG": unix.AF_ALG, "AF_NFC": unix.AF_NFC,
	"AF_VSOCK": unix.AF_VSOCK, "AF_KCM": unix.AF_KCM, "AF_QIPCRTR": unix.AF_QIPCRTR, "AF_SMC": unix.AF_SMC, "AF_XDP": unix.AF_XDP, "AF_MCTP": unix.AF_MCTP,
}

func (c *callFilters) any() bool {
	return haveSeccomp() && (len(c.calls) > 0 || len(c.log) > 0 || len(c.archs) > 0 || c.restrictFamilies || c.restrictNamespaces || c.realtime ||
		c.suid || c.wx || c.lockPersonality || c.tunables || c.modules || c.logs || c.clock || c.devices || c.host)
}

// programs gives the filters in the order in which they are installed; the one
// that may forbid to install more is the last. persona is Personality=.
func (c *callFilters) programs(persona *uint32) [][]byte {
	if !c.any() {
		return nil
	}
	var out [][]byte
	add := func(on bool, p func() seccomp.Program) {
		if on {
			out = append(out, p().Bytes())
		}
	}
	deny := func(calls ...string) func() seccomp.Program {
		return func() seccomp.Program { return seccomp.Deny(calls...) }
	}
	add(c.restrictFamilies, func() seccomp.Program { return seccomp.AddressFamilies(c.families, c.denyFamilies) })
	add(c.wx, seccomp.WriteExecute)
	add(c.realtime, seccomp.Realtime)
	add(c.suid, seccomp.SUIDSGID)
	add(c.restrictNamespaces, func() seccomp.Program { return seccomp.Namespaces(c.namespaces) })
	add(c.tunables, deny("_sysctl"))
	add(c.modules, deny("@module"))
	add(c.logs, deny("syslog"))
	add(c.clock, deny("@clock"))
	add(c.devices, deny("@raw-io"))
	add(c.host, deny("sethostname", "setdomainname"))
	add(len(c.archs) > 0, func() seccomp.Program { return seccomp.Architectures(c.archs) })
	add(c.lockPersonality, func() seccomp.Program { return seccomp.Personality(personality(persona)) })
	add(len(c.log) > 0, func() seccomp.Program { return seccomp.Log(c.log) })
	add(len(c.calls) > 0, func() seccomp.Program { return seccomp.Calls(c.calls, c.errno) })
	return out
}

// personality is what the process will have: the unit's, else ours.
func personality(own *uint32) uint32 {
	if own != nil {
		return *own
	}
	p, _, e := unix.RawSyscall(unix.SYS_PERSONALITY, 0xffffffff, 0, 0)
	if e != 0 {
		return 0
	}
	return uint32(p)
}

// inheritedNoFile is the soft limit of open files that this process was
// started with: the Go runtime raises its own and gives children the old one,
// so a child that is stopped at its first instruction tells. 0 where that is
// not to be had.
func inheritedNoFile() uint64 {
	var now unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &now) != nil || now.Cur < now.Max {
		return 0 // nobody has raised it
	}
	type answer struct{ limit uint64 }
	ch := make(chan answer, 1)
	go func() {
		var a answer
		defer func() { ch <- a }()
		runtime.LockOSThread() // a tracer is a thread
		defer runtime.UnlockOSThread()
		pid, err := syscall.ForkExec("/proc/self/exe", []string{"limits"}, &syscall.ProcAttr{Sys: &syscall.SysProcAttr{Ptrace: true}})
		if err != nil {
			return
		}
		var w syscall.WaitStatus
		_, _ = syscall.Wait4(pid, &w, syscall.WALL, nil)
		if !w.Stopped() {
			return
		}
		b, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/limits")
		for line := range strings.Lines(string(b)) {
			if rest, ok := strings.CutPrefix(line, "Max open files"); ok {
				if f := strings.Fields(rest); len(f) > 0 {
					a.limit, _ = strconv.ParseUint(f[0], 10, 64)
				}
			}
		}
		_ = syscall.Kill(pid, syscall.SIGKILL)
		_, _ = syscall.Wait4(pid, &w, syscall.WALL, nil)
	}()
	return (<-ch).limit
}

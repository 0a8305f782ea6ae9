//go:build linux

package seccomp

import (
	"runtime"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/unitgen/unitgen/schema/value"
)

// Calls is SystemCallFilter=. The list is the effective one: system calls, each
// with ":ERRNO" where it has its own answer, or all with "~" before them, which
// denies them and allows the rest. What is denied gets the error, or is killed
// where that is -1.
func Calls(list []string, number int) Program {
	deny := len(list) > 0 && strings.HasPrefix(list[0], "~")
	return local(func(a architecture) code {
		answers := map[uint32]action{}
		for _, w := range list {
			name, own, has := strings.Cut(strings.TrimPrefix(w, "~"), ":")
			do := allow
			if deny {
				do = errno(number)
			}
			if has {
				if n, err := value.ParseErrno(own); err == nil {
					do = errno(n)
				}
			}
			for _, nr := range a.numbers(name) {
				answers[nr] = do
			}
		}
		if deny {
			return decide(spans(answers, allow))
		}
		return decide(spans(answers, errno(number)))
	})
}

// Log is SystemCallLog=, a list as for Calls.
func Log(list []string) Program {
	deny := len(list) > 0 && strings.HasPrefix(list[0], "~")
	named, others := logIt, allow
	if deny {
		named, others = allow, logIt
	}
	return local(func(a architecture) code {
		answers := map[uint32]action{}
		for _, w := range list {
			for _, nr := range a.numbers(strings.TrimPrefix(w, "~")) {
				answers[nr] = named
			}
		}
		return decide(spans(answers, others))
	})
}

// Deny answers groups of system calls with EPERM.
func Deny(groups ...string) Program {
	var list []string
	for _, g := range groups {
		names := []string{g}
		if strings.HasPrefix(g, "@") {
			names = value.SyscallGroup(g)
		}
		for _, n := range names {
			list = append(list, "~"+n)
		}
	}
	return Calls(list, int(unix.EPERM))
}

// Architectures is SystemCallArchitectures=; the native one is always allowed,
// and calls of others kill.
func Architectures(names []string) Program {
	archs := native(runtime.GOARCH)[:1]
	x32 := false
	for _, n := range names {
		if n == "x32" {
			x32 = true
		}
		if a, ok := architectures[n]; ok && a.goarch != archs[0].goarch {
			archs = append(archs, a)
		}
	}
	return assemble(archs, kill, func(a architecture) code {
		if !a.x32 || x32 {
			return nil
		}
		return append(code{load(offNumber)}, decide([]span{{0, allow}, {0x40000000, kill}})...)
	})
}

// AddressFamilies is RestrictAddressFamilies=: socket(2) makes only those of
// the list, or with deny only others.
func AddressFamilies(families []int, deny bool) Program {
	answers := map[uint32]action{}
	other := errno(int(unix.EAFNOSUPPORT))
	do := allow
	if deny {
		do, other = other, do
	}
	for _, f := range families {
		answers[uint32(f)] = do
	}
	return local(func(a architecture) code {
		var out code
		for _, nr := range a.numbers("socket") {
			out = append(out, when(equal, nr, append(code{load(low(0))}, decide(spans(answers, other))...))...)
		}
		return out
	})
}

// Namespaces is RestrictNamespaces=: those that stay allowed, as flags of
// clone(2).
func Namespaces(allowed uint64) Program {
	// What clone3(2) is asked for lies in memory, where a filter cannot look;
	// libraries fall back on clone(2).
	list := []rule{{call: "clone3", do: errno(int(unix.ENOSYS))}, {call: "setns", do: errno(int(unix.EPERM)), tests: []test{{1, ^uint32(0), 0, false}}}}
	for bit := uint64(1); bit <= value.AllNamespaces; bit <<= 1 {
		if value.AllNamespaces&bit == 0 || allowed&bit != 0 {
			continue
		}
		arg := 0
		f := uint32(bit)
		for _, c := range []string{"unshare", "clone", "setns"} {
			arg = 0
			if c == "setns" || c == "clone" && runtime.GOARCH == "s390x" {
				arg = 1
			}
			list = append(list, rule{c, errno(int(unix.EPERM)), []test{{arg, f, f, false}}})
		}
	}
	if allowed&value.AllNamespaces == value.AllNamespaces {
		return nil
	}
	return rules(list...)
}

// WriteExecute is MemoryDenyWriteExecute=.
func WriteExecute() Program {
	const write, exec, shmExec = unix.PROT_WRITE, unix.PROT_EXEC, 0o100000
	no := errno(int(unix.EPERM))
	return rules(
		rule{"mmap", no, []test{{2, write | exec, write | exec, false}}},
		rule{"mmap2", no, []test{{2, write | exec, write | exec, false}}},
		rule{"mprotect", no, []test{{2, exec, exec, false}}},
		rule{"pkey_mprotect", no, []test{{2, exec, exec, false}}},
		rule{"shmat", no, []test{{2, shmExec, shmExec, false}}},
	)
}

// Realtime is RestrictRealtime=: only the ordinary policies may be chosen.
func Realtime() Program {
	all := ^uint32(0)
	return rules(rule{"sched_setscheduler", errno(int(unix.EPERM)), []test{
		{1, all, unix.SCHED_NORMAL, true}, {1, all, unix.SCHED_BATCH, true}, {1, all, unix.SCHED_IDLE, true},
	}})
}

// SUIDSGID is RestrictSUIDSGID=: no file gets such a bit.
func SUIDSGID() Program {
	list := []rule{{call: "openat2", do: errno(int(unix.ENOSYS))}}
	for _, bit := range []uint32{unix.S_ISUID, unix.S_ISGID} {
		for call, arg := range map[string]int{"chmod": 1, "fchmod": 1, "fchmodat": 2, "fchmodat2": 2, "mknod": 1, "mknodat": 2, "mkdir": 1, "mkdirat": 2, "creat": 1} {
			list = append(list, rule{call, errno(int(unix.EPERM)), []test{{arg, bit, bit, false}}})
		}
		for call, arg := range map[string]int{"open": 1, "openat": 2} {
			for _, make := range []uint32{unix.O_CREAT, unix.O_TMPFILE &^ unix.O_DIRECTORY} {
				list = append(list, rule{call, errno(int(unix.EPERM)), []test{{arg, make, make, false}, {arg + 1, bit, bit, false}}})
			}
		}
	}
	return rules(list...)
}

// Personality is LockPersonality= for a process that has the given one.
func Personality(p uint32) Program {
	return rules(rule{"personality", errno(int(unix.EPERM)), []test{{0, ^uint32(0), p, true}}})
}

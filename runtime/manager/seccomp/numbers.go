//go:build linux

package seccomp

import (
	_ "embed"
	"runtime"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

//go:embed numbers.txt
var numberData string

// architecture is one way to call the kernel.
type architecture struct {
	goarch string // column of numbers.txt
	audit  uint32 // how the kernel names it to a filter
	x32    bool   // calls with bit 30 set are x32's
}

var architectures = map[string]architecture{
	"x86-64":      {"amd64", unix.AUDIT_ARCH_X86_64, true},
	"x86":         {"386", unix.AUDIT_ARCH_I386, false},
	"arm64":       {"arm64", unix.AUDIT_ARCH_AARCH64, false},
	"arm":         {"arm", unix.AUDIT_ARCH_ARM, false},
	"riscv64":     {"riscv64", unix.AUDIT_ARCH_RISCV64, false},
	"loongarch64": {"loong64", unix.AUDIT_ARCH_LOONGARCH64, false},
	"ppc64-le":    {"ppc64le", unix.AUDIT_ARCH_PPC64LE, false},
	"s390x":       {"s390x", unix.AUDIT_ARCH_S390X, false},
}

// native gives the architecture of this program and those others that its
// kernel may serve, the native one first; none where there is no table.
func native(goarch string) []architecture {
	var names []string
	switch goarch {
	case "amd64":
		names = []string{"x86-64", "x86"}
	case "arm64":
		names = []string{"arm64", "arm"}
	default:
		for n, a := range architectures {
			if a.goarch == goarch {
				names = []string{n}
			}
		}
	}
	var out []architecture
	for _, n := range names {
		out = append(out, architectures[n])
	}
	return out
}

// Supported reports whether filters can be made for this machine.
func Supported() bool { return len(native(runtime.GOARCH)) > 0 }

// x32Calls are the system calls that x32 numbers on its own, from 512.
var x32Calls = strings.Fields(`rt_sigaction rt_sigreturn ioctl readv writev recvfrom sendmsg recvmsg execve ptrace rt_sigpending
	rt_sigtimedwait rt_sigqueueinfo sigaltstack timer_create mq_notify kexec_load waitid set_robust_list get_robust_list vmsplice
	move_pages preadv pwritev rt_tgsigqueueinfo recvmmsg sendmmsg process_vm_readv process_vm_writev setsockopt getsockopt io_setup
	io_submit execveat preadv2 pwritev2`)

var numbers = sync.OnceValue(func() map[string]map[string][]uint32 {
	t := map[string]map[string][]uint32{}
	var columns []string
	for line := range strings.Lines(numberData) {
		f := strings.Fields(line)
		switch {
		case len(f) == 0 || f[0] == "#":
		case columns == nil:
			columns = f[1:]
			for _, c := range columns {
				t[c] = map[string][]uint32{}
			}
		default:
			for i, s := range f[1:] {
				if n, err := strconv.ParseUint(s, 10, 32); err == nil {
					t[columns[i]][f[0]] = append(t[columns[i]][f[0]], uint32(n))
				}
			}
		}
	}
	for i, n := range x32Calls {
		t["amd64"][n] = append(t["amd64"][n], uint32(512+i))
	}
	return t
})

// numbers gives the numbers of a system call, none where the architecture does
// not have it.
func (a architecture) numbers(name string) []uint32 { return numbers()[a.goarch][name] }

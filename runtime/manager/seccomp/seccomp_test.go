//go:build linux

package seccomp

import (
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"golang.org/x/net/bpf"

	"github.com/unitgen/unitgen/internal/testenv"
	"github.com/unitgen/unitgen/schema/value"
)

const (
	eperm  = 0x50000 | 1
	enosys = 0x50000 | 38
	eafno  = 0x50000 | 97
)

// ask runs a program on one system call of an architecture.
func ask(t *testing.T, p Program, arch string, nr uint32, args ...uint32) action {
	t.Helper()
	b := make([]byte, 64) // the virtual machine reads big-endian words
	binary.BigEndian.PutUint32(b, nr)
	binary.BigEndian.PutUint32(b[offArch:], architectures[arch].audit)
	for i, a := range args {
		binary.BigEndian.PutUint32(b[low(i):], a)
	}
	ins, ok := bpf.Disassemble(p)
	if !ok {
		t.Fatal("not all instructions are known")
	}
	vm, err := bpf.NewVM(ins)
	if err != nil {
		t.Fatal(err)
	}
	got, err := vm.Run(b)
	if err != nil {
		t.Fatal(err)
	}
	return action(uint32(got))
}

// TestPrograms has the answers that filters of systemd 252 gave.
func TestPrograms(t *testing.T) {
	t.Parallel()
	if runtime.GOARCH != "amd64" {
		testenv.Missing(t, "the numbers below are those of x86-64")
	}
	def := value.SyscallGroup("@system-service")
	all := Namespaces(0)
	net := Namespaces(0x40000000)
	for _, c := range []struct {
		what string
		p    Program
		arch string
		nr   uint32
		args []uint32
		want action
	}{
		{"read of @system-service", Calls(def, -1), "x86-64", 0, nil, allow},
		{"mount not of @system-service", Calls(def, -1), "x86-64", 165, nil, kill},
		{"an unknown call", Calls(def, 1), "x86-64", 1000, nil, eperm},
		{"no call at all", Calls(def, 1), "x86-64", 0xffffffff, nil, eperm},
		{"x32 read", Calls(def, 1), "x86-64", 0x40000000, nil, allow},
		{"x32 ptrace, denied", Deny("ptrace"), "x86-64", 0x40000000 + 521, nil, eperm},
		{"i386 mount", Calls(def, -1), "x86", 21, nil, kill},
		{"i386 read", Calls(def, -1), "x86", 3, nil, allow},
		{"another architecture", Calls(def, -1), "arm64", 0, nil, allow},
		{"denied", Calls([]string{"~mkdir:ENOENT", "~rmdir"}, 13), "x86-64", 83, nil, 0x50000 | 2},
		{"denied with the default", Calls([]string{"~mkdir:ENOENT", "~rmdir"}, 13), "x86-64", 84, nil, 0x50000 | 13},
		{"not denied", Calls([]string{"~mkdir:ENOENT", "~rmdir"}, 13), "x86-64", 85, nil, allow},
		{"allowed with an error", Calls([]string{"mkdir:ENOENT"}, -1), "x86-64", 83, nil, 0x50000 | 2},
		{"denied for good", Calls([]string{"~mkdir"}, -1), "x86-64", 83, nil, kill},
		{"logged", Log([]string{"mkdir"}), "x86-64", 83, nil, logIt},
		{"not logged", Log([]string{"mkdir"}), "x86-64", 84, nil, allow},
		{"all others logged", Log([]string{"~mkdir"}), "x86-64", 84, nil, logIt},
		{"unshare(NEWUSER)", all, "x86-64", 272, []uint32{0x10000000}, eperm},
		{"unshare(0)", all, "x86-64", 272, []uint32{0}, allow},
		{"clone3", all, "x86-64", 435, nil, enosys},
		{"setns(0)", all, "x86-64", 308, []uint32{3, 0}, eperm},
		{"clone(NEWUSER)", all, "x86-64", 56, []uint32{0x10000011}, eperm},
		{"clone(SIGCHLD)", all, "x86-64", 56, []uint32{0x11}, allow},
		{"unshare(NEWUSER), net allowed", net, "x86-64", 272, []uint32{0x10000000}, eperm},
		{"unshare(NEWNET), net allowed", net, "x86-64", 272, []uint32{0x40000000}, allow},
		{"setns(NEWNET), net allowed", net, "x86-64", 308, []uint32{3, 0x40000000}, allow},
		{"i386 unshare", net, "x86", 310, []uint32{0x20000}, eperm},
		{"mmap(WX)", WriteExecute(), "x86-64", 9, []uint32{0, 4096, 7}, eperm},
		{"mmap(RX)", WriteExecute(), "x86-64", 9, []uint32{0, 4096, 5}, allow},
		{"mprotect(X)", WriteExecute(), "x86-64", 10, []uint32{0, 4096, 4}, eperm},
		{"mprotect(RW)", WriteExecute(), "x86-64", 10, []uint32{0, 4096, 3}, allow},
		{"shmat(EXEC)", WriteExecute(), "x86-64", 30, []uint32{0, 0, 0o100000}, eperm},
		{"pkey_mprotect(X)", WriteExecute(), "x86-64", 329, []uint32{0, 4096, 4}, eperm},
		{"other", Realtime(), "x86-64", 144, []uint32{0, 0}, allow},
		{"fifo", Realtime(), "x86-64", 144, []uint32{0, 1}, eperm},
		{"batch", Realtime(), "x86-64", 144, []uint32{0, 3}, allow},
		{"other, reset on fork", Realtime(), "x86-64", 144, []uint32{0, 0x40000000}, eperm},
		{"chmod 4755", SUIDSGID(), "x86-64", 90, []uint32{0, 0o4755}, eperm},
		{"chmod 755", SUIDSGID(), "x86-64", 90, []uint32{0, 0o755}, allow},
		{"openat2", SUIDSGID(), "x86-64", 437, nil, enosys},
		{"mkdir 2755", SUIDSGID(), "x86-64", 83, []uint32{0, 0o2755}, eperm},
		{"fchmodat2 4755", SUIDSGID(), "x86-64", 452, []uint32{0, 0, 0o4755}, eperm},
		{"open(O_CREAT, 4755)", SUIDSGID(), "x86-64", 2, []uint32{0, 0o100, 0o4755}, eperm},
		{"open(0, 4755)", SUIDSGID(), "x86-64", 2, []uint32{0, 0, 0o4755}, allow},
		{"AF_UNIX of AF_UNIX", AddressFamilies([]int{1}, false), "x86-64", 41, []uint32{1}, allow},
		{"AF_INET of AF_UNIX", AddressFamilies([]int{1}, false), "x86-64", 41, []uint32{2}, eafno},
		{"AF_INET of ~AF_INET", AddressFamilies([]int{2}, true), "x86-64", 41, []uint32{2}, eafno},
		{"AF_INET6 of ~AF_INET", AddressFamilies([]int{2}, true), "x86-64", 41, []uint32{10}, allow},
		{"AF_UNIX of none", AddressFamilies(nil, false), "x86-64", 41, []uint32{1}, eafno},
		{"socketpair of none", AddressFamilies(nil, false), "x86-64", 53, []uint32{1}, allow},
		{"personality(0xffffffff)", Personality(0), "x86-64", 135, []uint32{0xffffffff}, eperm},
		{"personality(0)", Personality(0), "x86-64", 135, []uint32{0}, allow},
		{"native only, native", Architectures([]string{"native"}), "x86-64", 0, nil, allow},
		{"native only, i386", Architectures([]string{"native"}), "x86", 3, nil, kill},
		{"native only, x32", Architectures([]string{"native"}), "x86-64", 0x40000000, nil, kill},
		{"x86 too", Architectures([]string{"native", "x86"}), "x86", 3, nil, allow},
		{"x32 too", Architectures([]string{"x32"}), "x86-64", 0x40000000, nil, allow},
	} {
		if got := ask(t, c.p, c.arch, c.nr, c.args...); got != c.want {
			t.Errorf("%s: %#x, not %#x", c.what, got, c.want)
		}
		if n := len(c.p); n > 4096 {
			t.Errorf("%s: a program of %d instructions; the kernel takes 4096", c.what, n)
		}
	}
}

// FuzzCalls: each number gets the answer that the list gives it.
func FuzzCalls(f *testing.F) {
	f.Add("read write mkdir:ENOENT", 1, uint16(83))
	f.Add("~read ~close", -1, uint16(3))
	f.Fuzz(func(t *testing.T, list string, number int, nr uint16) {
		rules, deny, err := value.ParseSyscallFilter(list)
		if err != nil || len(rules) == 0 || runtime.GOARCH != "amd64" {
			return
		}
		var names []string
		want := errno(number)
		if deny {
			want = allow
		}
		for _, r := range rules {
			w := r.Name
			if deny {
				w = "~" + w
			}
			if r.Errno != "" {
				w += ":" + r.Errno
			}
			names = append(names, w)
			for _, n := range architectures["x86-64"].numbers(r.Name) {
				if n != uint32(nr) {
					continue
				}
				want = allow
				if deny {
					want = errno(number)
				}
				if r.Errno != "" {
					e, _ := value.ParseErrno(r.Errno)
					want = errno(e)
				}
			}
		}
		if got := ask(t, Calls(names, number), "x86-64", uint32(nr)); got != want {
			t.Errorf("%q: call %d gets %#x, not %#x", list, nr, got, want)
		}
	})
}

// TestNumbers: the table is what gen makes of the module's.
func TestNumbers(t *testing.T) {
	t.Parallel()
	bin := filepath.Join(t.TempDir(), "gen")
	if out, err := exec.Command("go", "build", "-o", bin, "./gen").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	dir := t.TempDir()
	wd, _ := os.Getwd()
	list := exec.Command(bin)
	list.Dir = dir
	// "go list -m" asks for a module around it
	for _, n := range []string{"go.mod", "go.sum"} {
		b, err := os.ReadFile(filepath.Join(wd, "../../..", n))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, n), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := list.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	got, err := os.ReadFile(filepath.Join(dir, "numbers.txt"))
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != numberData {
		t.Error("numbers.txt is not what go generate makes")
	}
}

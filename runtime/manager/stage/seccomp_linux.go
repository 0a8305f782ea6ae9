package stage

import (
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

const setModeFilter = 1 // of seccomp(2)

// filtered installs the filters and becomes the program. From the first filter
// on nothing may be called but what every filter allows, so the two system
// calls follow each other with nothing of Go's runtime between them; what
// syscall.Exec does beside is done here before.
func (s *Spec) filtered(env []string) *failure {
	path, err := syscall.BytePtrFromString(s.Path)
	if err != nil {
		return &failure{ExitExec, "EXEC " + s.Path, err}
	}
	argv, err := syscall.SlicePtrFromStrings(s.Argv)
	if err != nil {
		return &failure{ExitExec, "EXEC " + s.Path, err}
	}
	envp, err := syscall.SlicePtrFromStrings(env)
	if err != nil {
		return &failure{ExitExec, "EXEC " + s.Path, err}
	}
	var progs []unix.SockFprog
	for _, f := range s.Filters {
		if n := len(f) / 8; n > 0 {
			insns := make([]unix.SockFilter, n)
			copy(unsafe.Slice((*byte)(unsafe.Pointer(&insns[0])), 8*n), f)
			progs = append(progs, unix.SockFprog{Len: uint16(n), Filter: &insns[0]})
		}
	}
	s.restoreNoFile()
	seccompFailed, execFailed := []byte("SECCOMP: "), []byte("EXEC "+s.Path+": ")
	for i := range progs {
		_, _, e := unix.RawSyscall(unix.SYS_SECCOMP, setModeFilter, 0, uintptr(unsafe.Pointer(&progs[i])))
		if e == unix.EACCES { // without CAP_SYS_ADMIN it needs this
			if _, _, e = unix.RawSyscall6(unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0); e == 0 {
				_, _, e = unix.RawSyscall(unix.SYS_SECCOMP, setModeFilter, 0, uintptr(unsafe.Pointer(&progs[i])))
			}
		}
		if e != 0 {
			end(ExitSeccomp, seccompFailed, e)
		}
	}
	_, _, e := unix.RawSyscall(unix.SYS_EXECVE, uintptr(unsafe.Pointer(path)), uintptr(unsafe.Pointer(&argv[0])), uintptr(unsafe.Pointer(&envp[0])))
	end(ExitExec, execFailed, e)
	return nil
}

// end reports a failure under filters, as far as they allow it, and ends.
func end(status int, step []byte, e syscall.Errno) {
	b := append(step, e.Error()...)
	_, _, _ = unix.RawSyscall(unix.SYS_WRITE, uintptr(reportFD), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)))
	for {
		_, _, _ = unix.RawSyscall(unix.SYS_EXIT_GROUP, uintptr(status), 0, 0)
	}
}

// restoreNoFile takes back the soft limit of open files that the Go runtime
// has raised, where the unit has no limit of its own.
func (s *Spec) restoreNoFile() {
	if s.NoFile == 0 {
		return
	}
	for _, l := range s.Limits {
		if l.Resource == unix.RLIMIT_NOFILE {
			return
		}
	}
	var now unix.Rlimit
	if unix.Prlimit(os.Getpid(), unix.RLIMIT_NOFILE, nil, &now) == nil && s.NoFile < now.Cur {
		now.Cur = s.NoFile
		_ = unix.Prlimit(os.Getpid(), unix.RLIMIT_NOFILE, &now, nil)
	}
}

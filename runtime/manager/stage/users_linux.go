package stage

import (
	"encoding/json"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// handOver goes on in a user namespace of its own. A process with threads
// cannot enter one, so it is a new process that does; the manager, who reaps
// this one, learns its number by the report: "pid N", and takes it for the
// service.
func (s *Spec) handOver() *failure {
	fail := func(err error) *failure { return &failure{ExitUser, "USER", err} }
	next := *s
	next.Second, next.Unshare, next.Mounts, next.CgroupFiles = true, 0, nil, nil
	raw, err := json.Marshal(&next)
	if err != nil {
		return fail(err)
	}
	fd, err := unix.MemfdCreate("unitgen-spec", unix.MFD_CLOEXEC)
	if err != nil {
		return fail(err)
	}
	spec := os.NewFile(uintptr(fd), "spec")
	if _, err := spec.Write(raw); err != nil {
		return fail(err)
	}
	if _, err := spec.Seek(0, 0); err != nil {
		return fail(err)
	}
	files := []uintptr{0, 1, 2, spec.Fd(), uintptr(reportFD)}
	for i := range s.FDs {
		files = append(files, uintptr(firstFD+i))
	}
	maps := func(id uint32) []syscall.SysProcIDMap {
		m := []syscall.SysProcIDMap{{Size: 1}}
		if s.SetUser && id != 0 {
			m = append(m, syscall.SysProcIDMap{ContainerID: int(id), HostID: int(id), Size: 1})
		}
		return m
	}
	pid, err := syscall.ForkExec("/proc/self/exe", []string{Argv0}, &syscall.ProcAttr{
		Dir: "/", Env: os.Environ(), Files: files,
		Sys: &syscall.SysProcAttr{Setsid: true, Cloneflags: unix.CLONE_NEWUSER, UidMappings: maps(s.UID), GidMappings: maps(s.GID), GidMappingsEnableSetgroups: true},
	})
	if err != nil {
		return fail(err)
	}
	if _, err := unix.Write(reportFD, []byte("pid "+strconv.Itoa(pid)+"\n")); err != nil {
		_ = unix.Kill(pid, unix.SIGKILL)
		return fail(err)
	}
	return nil
}

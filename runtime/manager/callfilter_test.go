//go:build linux

package manager_test

import (
	"testing"

	"github.com/unitgen/unitgen/internal/testenv"
)

// TestCallFilters looks from within at what filters of system calls leave;
// the answers are those under systemd 252.
func TestCallFilters(t *testing.T) {
	t.Parallel()
	testenv.Need(t, "python3")
	const py = "\nExecStart=/usr/bin/python3 -I -c 'import os,ctypes,errno;l=ctypes.CDLL(None,use_errno=True);print(*[(l.syscall(*a)>=0 and \"ok\") or errno.errorcode[ctypes.get_errno()] for a in ("
	one := func(settings, calls string) string {
		return "[Service]\nType=oneshot\n" + settings + py + calls + ")])'\n"
	}
	m := boot(t, map[string]string{
		"allow.service":  one("SystemCallFilter=@system-service\nSystemCallErrorNumber=EACCES", `(39,),(165,0,0,0,0,0),`),
		"deny.service":   one("SystemCallFilter=~@resources unshare:ENOENT\nSystemCallErrorNumber=EPERM", `(39,),(272,0),(144,0,0,0),`),
		"kill.service":   one("SystemCallFilter=~unshare", `(272,0),`),
		"family.service": one("RestrictAddressFamilies=AF_UNIX", `(41,1,1,0),(41,2,1,0),`),
		"ns.service":     one("RestrictNamespaces=~user", `(272,0x10000000),(435,0,0),(272,0),`),
		"exec.service":   one("MemoryDenyWriteExecute=yes", `(9,0,4096,7,0x22,-1,0),`),
		"lock.service":   one("LockPersonality=yes", `(135,0xffffffff),(135,0),`),
		"clock.service":  one("ProtectClock=yes\nProtectKernelModules=yes\nProtectKernelLogs=yes", `(227,0,0),(175,0,0,0),(103,9,0,0),`),
		"limit.service":  "[Service]\nType=oneshot\nSystemCallArchitectures=native\nExecStart=/bin/sh -c 'ulimit -Sn; grep Seccomp: /proc/self/status'\n",
		"plain.service":  "[Service]\nType=oneshot\nExecStart=/bin/sh -c 'ulimit -Sn; grep Seccomp: /proc/self/status'\n",
		"gone.service":   "[Service]\nType=oneshot\nSystemCallFilter=@system-service\nExecStart=/nonexistent/program\n",
	})
	for _, c := range []struct{ unit, job, log string }{
		{"allow.service", "done", "ok EACCES"},
		{"deny.service", "done", "ok ENOENT EPERM"},
		{"kill.service", "failed", ""},
		{"family.service", "done", "ok EAFNOSUPPORT"},
		{"ns.service", "done", "EPERM ENOSYS ok"},
		{"exec.service", "done", "EPERM"},
		{"lock.service", "done", "EPERM ok"},
		{"clock.service", "done", "EPERM EPERM EPERM"},
		{"gone.service", "failed", ""},
	} {
		if got := m.job("start", c.unit); got != c.job {
			t.Errorf("%s: the job ended %q", c.unit, got)
		}
		if got := m.log(c.unit); got != c.log {
			t.Errorf("%s wrote\n%s\nwant\n%s", c.unit, got, c.log)
		}
	}
	if st := m.show("kill.service").Service; st.ExecMain.Status != 31 {
		t.Errorf("what is denied ends with %d (%s), not with SIGSYS", st.ExecMain.Status, st.Result)
	}
	if st := m.show("gone.service").Service.ExecMain.Status; st != 203 {
		t.Errorf("a missing program under a filter gives status %d", st)
	}
	// the limit of open files is the one of services without a filter
	for _, u := range []string{"limit.service", "plain.service"} {
		if got := m.job("start", u); got != "done" {
			t.Errorf("%s: the job ended %q", u, got)
		}
	}
	var limits [2]string
	for i, u := range []string{"limit.service", "plain.service"} {
		if log := m.log(u); len(log) > 2 {
			limits[i] = log[:len(log)-1]
		}
	}
	if limits[0] == "" || limits[0] != limits[1] {
		t.Errorf("with a filter\n%s\nwithout\n%s", limits[0], limits[1])
	}
	if len(m.show("allow.service").NotApplied) != 0 {
		t.Error("filters are not applied:", m.show("allow.service").NotApplied)
	}
}

package manager

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The process outside answers what the manager may not see by itself.
func TestOutside(t *testing.T) {
	t.Parallel()
	serve, ask, err := OutsidePair()
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan struct{})
	go func() { ServeOutside(serve); close(served) }()
	o := NewOutside(ask)

	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	const id = "0123456789abcdef0123456789abcdef"
	cmd := exec.Command("/bin/sleep", "1000")
	cmd.Env = []string{"INVOCATION_ID=" + id}
	lf, err := l.(*net.UnixListener).File()
	if err != nil {
		t.Fatal(err)
	}
	// more than one answer holds
	for range outsideFDs + 50 {
		cmd.ExtraFiles = append(cmd.ExtraFiles, lf)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	pid := cmd.Process.Pid
	// Start returns when the descriptors close in exec(2), a moment before the
	// kernel has laid out the environment.
	for range 1000 {
		if b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid)); len(b) > 0 {
			break
		}
		time.Sleep(time.Millisecond)
	}

	if a, _, err := o.ask(outsideRequest{Op: "environ", PID: pid, Name: "INVOCATION_ID"}); err != nil || a.Value != id {
		t.Errorf("environ: %q, %v", a.Value, err)
	}
	if a, _, err := o.ask(outsideRequest{Op: "find", Name: id}); err != nil || !slices.Contains(a.PIDs, pid) {
		t.Errorf("find: %v, %v", a.PIDs, err)
	}
	if a, _, err := o.ask(outsideRequest{Op: "link", PID: pid, Name: "exe"}); err != nil || filepath.Base(a.Value) == "" {
		t.Errorf("link: %q, %v", a.Value, err)
	}
	fds, err := o.sockets(pid)
	if err != nil || len(fds) != outsideFDs+50 {
		t.Fatalf("%d sockets, %v", len(fds), err)
	}
	for _, fd := range fds {
		sa, err := unix.Getsockname(fd)
		if u, ok := sa.(*unix.SockaddrUnix); !ok || u.Name != path {
			t.Fatalf("socket %v, %v", sa, err)
		}
		unix.Close(fd)
	}
	for _, r := range []outsideRequest{{Op: "environ", PID: -1}, {Op: "sockets", PID: 1 << 30}, {Op: "link", PID: os.Getpid(), Name: "nothing"}, {Op: "?"}} {
		if _, _, err := o.ask(r); err == nil {
			t.Errorf("%+v was answered", r)
		}
	}
	unix.Close(ask)
	<-served
}

// A process that ended and was not collected is not the service any more.
func TestZombieIsNotTakenOver(t *testing.T) {
	t.Parallel()
	cmd := exec.Command("/bin/sleep", "1000")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := savedProcess{cmd.Process.Pid, startTime(cmd.Process.Pid)}
	if !sameProcess(p) {
		t.Error("a process that lives is not known again")
	}
	_ = cmd.Process.Kill()
	_ = unix.Waitid(unix.P_PID, p.PID, nil, unix.WEXITED|unix.WNOWAIT, nil)
	if sameProcess(p) {
		t.Error("a zombie is taken for the process")
	}
	_ = cmd.Wait()
}

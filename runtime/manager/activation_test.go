//go:build linux

package manager_test

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	us "github.com/unitgen/unitgen/runtime/unitstate"
)

func talk(t *testing.T, path, say string) string {
	t.Helper()
	c, err := net.DialTimeout("unix", path, 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	fmt.Fprintln(c, say)
	_ = c.(*net.UnixConn).CloseWrite()
	b, _ := io.ReadAll(c)
	return strings.TrimSpace(string(b))
}

// accept.py answers each connection on descriptor 3 with its process number.
const acceptor = `[Service]
ExecStart=/usr/bin/python3 -c "import socket,os\nl=socket.socket(fileno=3)\nwhile True:\n c,_=l.accept()\n d=c.recv(99)\n c.send(b'%%d %%s %%s' %% (os.getpid(), d.strip(), os.environ['LISTEN_FDNAMES'].encode()))\n c.close()"
`

func TestSockets(t *testing.T) {
	t.Parallel()
	m := boot(t, map[string]string{
		"wants:echo.socket":  "[Socket]\nListenStream=%t/echo.sock\nFileDescriptorName=front\nSocketMode=0600\n",
		"echo.service":       acceptor,
		"wants:inst.socket":  "[Socket]\nListenStream=%t/inst.sock\nAccept=yes\nMaxConnections=2\n",
		"inst@.service":      "[Service]\nStandardInput=socket\nExecStart=/bin/sh -c 'read x; echo \"got $x\"'\n",
		"wants:dgram.socket": "[Socket]\nListenDatagram=%t/dgram.sock\nListenFIFO=%t/fifo\n[Install]\n",
		"dgram.service":      "[Service]\nType=oneshot\nExecStart=/bin/sh -c 'echo $LISTEN_FDS $LISTEN_FDNAMES; cat <&4 & sleep 0.2; kill $!'\n",
		"other.socket":       "[Socket]\nListenStream=%t/other.sock\nRemoveOnStop=yes\nSymlinks=%t/other.link\nService=echo.service\n",
	})
	path := m.dir + "/r/echo.sock"
	if st, err := os.Stat(path); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("the socket has mode %v (%v)", st.Mode(), err)
	}
	first := talk(t, path, "hello")
	if !strings.HasSuffix(first, " hello front") {
		t.Fatalf("the service answered %q", first)
	}
	if st := m.show("echo.socket"); st.Sub != "running" {
		t.Errorf("echo.socket is %s", st.Sub)
	}
	// The queue survives a restart of the service: connect while it is down.
	done := make(chan string)
	go func() { done <- m.job("restart", "echo.service") }()
	for range 20 {
		// a connection that the old process had taken may be cut off
		if got := talk(t, path, "x"); got != "" && !strings.HasSuffix(got, " x front") {
			t.Errorf("during the restart: %q", got)
		}
	}
	if got := <-done; got != "done" {
		t.Errorf("restart: %q", got)
	}
	if got := m.job("stop", "echo.service"); got != "done" {
		t.Error(got)
	}
	m.until("echo.socket", "listening")
	if got := talk(t, path, "again"); !strings.HasSuffix(got, " again front") || got == first {
		t.Errorf("after its stop the service answered %q", got)
	}
	for i := range 5 {
		if got := talk(t, m.dir+"/r/inst.sock", fmt.Sprint("n", i)); got != fmt.Sprint("got n", i) {
			t.Errorf("instance %d answered %q", i, got)
		}
	}
	if st := m.show("inst.socket"); st.Socket.NAccepted != 5 || st.Sub != "listening" {
		t.Errorf("inst.socket: %d accepted, %s", st.Socket.NAccepted, st.Sub)
	}
	f, err := os.OpenFile(m.dir+"/r/fifo", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(f, "by fifo")
	f.Close()
	m.logged("dgram.service", "2 dgram.socket:dgram.socket")
	m.logged("dgram.service", "by fifo")
	if got := m.job("start", "other.socket"); !strings.Contains(got, "failed") && got != "done" {
		t.Errorf("other.socket: %q", got)
	}
}

func TestTimersAndPaths(t *testing.T) {
	t.Parallel()
	m := boot(t, map[string]string{
		"wants:soon.timer":    "[Timer]\nOnActiveSec=100ms\nAccuracySec=1us\n",
		"soon.service":        "[Unit]\nStartLimitIntervalSec=0\n[Service]\nType=oneshot\nExecStart=/bin/echo soon\n",
		"wants:again.timer":   "[Timer]\nOnActiveSec=50ms\nOnUnitInactiveSec=100ms\nAccuracySec=1us\n",
		"again.service":       "[Unit]\nStartLimitIntervalSec=0\n[Service]\nType=oneshot\nExecStart=/bin/echo again\n",
		"wants:missed.timer":  "[Timer]\nOnCalendar=daily\nPersistent=yes\n",
		"missed.service":      "[Service]\nType=oneshot\nExecStart=/bin/echo missed\n",
		"wants:cal.timer":     "[Timer]\nOnCalendar=*:*:*\nAccuracySec=1us\nUnit=soon.service\n",
		"wants:exists.path":   "[Path]\nPathExists=@DIR@/flag\n",
		"exists.service":      "[Service]\nType=oneshot\nExecStart=/bin/sh -c 'echo seen; rm @DIR@/flag'\n",
		"wants:changed.path":  "[Path]\nPathChanged=@DIR@/sub/changed\n",
		"changed.service":     "[Service]\nType=oneshot\nExecStart=/bin/echo changed\n",
		"wants:nonempty.path": "[Path]\nDirectoryNotEmpty=@DIR@/spool\nMakeDirectory=yes\n",
		"nonempty.service":    "[Service]\nType=oneshot\nExecStart=/bin/sh -c 'ls @DIR@/spool; rm @DIR@/spool/*'\n",
	})
	m.logged("soon.service", "soon")
	m.logged("again.service", "again\nagain")
	if st := m.show("missed.timer"); st.Timer.NextElapseRealtime == 0 {
		t.Error("missed.timer has no next time")
	}
	if strings.Contains(m.log("missed.service"), "missed") {
		t.Error("a persistent timer without a stamp ran at once")
	}
	touch := func(p string) {
		if err := os.WriteFile(filepath.Join(m.dir, p), []byte("x"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	touch("flag")
	m.logged("exists.service", "seen")
	touch("spool/one")
	m.logged("nonempty.service", "one")
	m.until("nonempty.path", "waiting")
	touch("spool/two")
	m.logged("nonempty.service", "two")
	if err := os.Mkdir(m.dir+"/sub", 0o755); err != nil {
		t.Fatal(err)
	}
	time.Sleep(100 * time.Millisecond)
	touch("sub/changed")
	m.logged("changed.service", "changed")
	// a missed elapse is made up for
	if got := m.job("stop", "missed.timer"); got != "done" {
		t.Error(got)
	}
	old := time.Now().Add(-48 * time.Hour)
	if err := os.Chtimes(m.dir+"/lib/unitgen/timers/stamp-missed.timer", old, old); err != nil {
		t.Fatal(err)
	}
	if got := m.job("start", "missed.timer"); got != "done" {
		t.Error(got)
	}
	m.logged("missed.service", "missed")
}

// A manager that is killed leaves its services; the next one goes on with
// them, and ends what it cannot go on with. Nothing runs twice.
func TestAdoption(t *testing.T) {
	t.Parallel()
	m := boot(t, map[string]string{
		"wants:keep.service": "[Service]\nExecStart=/bin/sh -c 'echo begin; trap \"echo still here\" USR1; while :; do sleep 0.05; done'\n",
		"wants:once.service": "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/echo once\n",
		"wants:echo.socket":  "[Socket]\nListenStream=%t/echo.sock\n",
		"echo.service":       acceptor,
		"wants:gone.service": "[Service]\nExecStart=/bin/sleep 1000\n",
		"wants:dies.service": "[Service]\nRestart=always\nRestartSec=50ms\nExecStart=/bin/sleep 1000\n",
		"slow.service":       "[Service]\nType=notify\nExecStart=/bin/sleep 1000\n",
		"wants:nsvc.service": "[Service]\nType=notify\nExecStart=@SELF@ notify-helper READY=1 wait-hup STATUS=later sleep=1000s\n",
	})
	first := talk(t, m.dir+"/r/echo.sock", "a")
	m.do(request{Verb: "queue", A: "start", B: "slow.service"})
	time.Sleep(100 * time.Millisecond)
	pid := func(u string) int { return m.show(u).Service.MainPID }
	keep, gone, dies, slow, echo := pid("keep.service"), pid("gone.service"), pid("dies.service"), pid("slow.service"), pid("echo.service")
	if slow == 0 || !alive(slow) {
		t.Fatal("slow.service has no process")
	}
	m.kill9()
	for _, p := range []int{keep, gone, dies, echo} {
		if !alive(p) {
			t.Fatalf("process %d died with the manager", p)
		}
	}
	if err := os.Remove(m.dir + "/units/gone.service"); err != nil {
		t.Fatal(err)
	}
	m2 := launch(t, options{Dir: m.dir})
	m2.do(request{Verb: "up"})
	m = m2
	if got := pid("keep.service"); got != keep {
		t.Errorf("keep.service had process %d and has %d", keep, got)
	}
	if alive(gone) {
		t.Error("a service without a unit runs on")
	}
	if alive(slow) {
		t.Error("a service that was starting runs on, unwatched")
	}
	if got := pid("echo.service"); got != echo {
		t.Errorf("echo.service had process %d and has %d", echo, got)
	}
	if got := talk(t, m.dir+"/r/echo.sock", "a"); got != first {
		t.Errorf("echo.service answers %q, not %q", got, first)
	}
	if got := m.job("stop", "echo.service"); got != "done" {
		t.Error(got)
	}
	if got := talk(t, m.dir+"/r/echo.sock", "b"); !strings.Contains(got, " b ") {
		t.Errorf("a new echo.service answers %q", got)
	}
	if st := m.show("once.service"); st.Sub != "exited" || strings.Count(m.log("once.service"), "once") != 1 {
		t.Errorf("once.service is %s and has run again:\n%s", st.Sub, m.log("once.service"))
	}
	p, _ := os.FindProcess(keep)
	_ = p.Signal(sigUSR1)
	m.logged("keep.service", "still here")
	p, _ = os.FindProcess(pid("nsvc.service"))
	_ = p.Signal(sigHUP)
	for i := 0; m.show("nsvc.service").Service.StatusText != "later"; i++ {
		if i > 300 {
			t.Fatal("the adopted service's notification did not arrive")
		}
		time.Sleep(10 * time.Millisecond)
	}
	p, _ = os.FindProcess(dies)
	_ = p.Kill()
	for i := 0; pid("dies.service") == dies || pid("dies.service") == 0; i++ {
		if i > 300 {
			t.Fatal("the death of an adopted service was not noticed")
		}
		time.Sleep(10 * time.Millisecond)
	}
	m.do(request{Verb: "exit"})
	<-m.done
	for _, p := range []int{keep, dies} {
		if alive(p) {
			t.Errorf("process %d outlived an orderly stop", p)
		}
	}
}

func TestReload(t *testing.T) {
	t.Parallel()
	m := boot(t, map[string]string{
		"wants:a.service": "[Unit]\nDescription=old\n[Service]\nExecStart=/bin/sleep 1000\n",
		"wants:b.service": "[Service]\nExecStart=/bin/sleep 1000\nExecStop=/bin/echo stopped by its old file\n",
		"wants:c.service": "[Service]\nExecStart=/bin/sleep 1000\n",
	})
	pid := m.show("a.service").Service.MainPID
	units(t, m.dir, map[string]string{
		"a.service":             "[Unit]\nDescription=new\n[Service]\nExecStart=/bin/sleep 2000\n",
		"c.service.d/more.conf": "[Service]\nNice=5\n",
		"wants:d.service":       "[Service]\nExecStart=/bin/sleep 1000\n",
	})
	_ = os.Remove(m.dir + "/units/b.service")
	for _, u := range []string{"a.service", "b.service", "c.service"} {
		if !m.show(u).NeedDaemonReload {
			t.Errorf("%s does not ask for a reload", u)
		}
	}
	if a := m.do(request{Verb: "reload"}); a.Err != "" {
		t.Fatal(a.Err)
	}
	st := m.show("a.service")
	if st.Description != "new" || st.Service.MainPID != pid || st.NeedDaemonReload {
		t.Errorf("a.service: %q, process %d (was %d), needs reload %v", st.Description, st.Service.MainPID, pid, st.NeedDaemonReload)
	}
	if st := m.show("b.service"); st.Load != us.LoadNotFound || st.Active != us.Active {
		t.Errorf("b.service without a file is %s and %s", st.Load, st.Active)
	}
	if got := m.job("start", "multi-user.target"); got != "done" {
		t.Error(got)
	}
	if got := m.job("start", "d.service"); got != "done" {
		t.Errorf("the new unit: %q", got)
	}
	if got := m.job("stop", "b.service"); got != "done" {
		t.Error(got)
	}
	m.logged("b.service", "stopped by its old file")
	if got := m.job("restart", "a.service"); got != "done" {
		t.Error(got)
	}
	var b []byte
	for range 500 { // the kernel shows it a moment after the exec
		b, _ = os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", m.show("a.service").Service.MainPID))
		if len(b) > 0 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if !strings.Contains(string(b), "2000") {
		t.Errorf("a.service runs %q", b)
	}
	if got := m.do(request{Verb: "transient", A: "run-1.service", List: []string{"/bin/echo transient"}}); got.Text != "done" {
		t.Errorf("a transient unit: %+v", got)
	}
	m.logged("run-1.service", "transient")
}

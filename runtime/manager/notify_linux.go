package manager

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	us "github.com/unitgen/unitgen/runtime/unitstate"
	"github.com/unitgen/unitgen/schema/load"
)

// Each service that may speak has a notification socket of its own, so that a
// message belongs to its unit even when its sender is gone before it is read.

func (m *Manager) notifyPath(unit string) string {
	dir := filepath.Join(m.opt.RuntimeDir, "systemd", "notify")
	p := filepath.Join(dir, unit)
	if len(p) > 100 {
		h := sha256.Sum256([]byte(unit))
		p = filepath.Join(dir, hex.EncodeToString(h[:8]))
	}
	return p
}

func (s *service) openNotify() {
	k, ok := s.u.m.edge.(*kernel)
	if !ok || s.notifyFD >= 0 {
		return
	}
	path := s.u.m.notifyPath(s.u.name())
	_ = os.MkdirAll(filepath.Dir(path), 0o755)
	_ = os.Remove(path)
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err == nil {
		err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PASSCRED, 1)
	}
	if err == nil {
		err = unix.Bind(fd, &unix.SockaddrUnix{Name: path})
	}
	if err == nil {
		err = os.Chmod(path, 0o777)
	}
	if err == nil {
		err = k.poll.Add(fd, false, func() { s.readNotify(fd) })
	}
	if err != nil {
		s.u.notice("no notification socket: %v", err)
		if fd >= 0 {
			unix.Close(fd)
		}
		return
	}
	s.notifyFD = fd
}

func (s *service) closeNotify() {
	if s.notifyFD < 0 {
		return
	}
	s.u.m.edge.Unwatch(s.notifyFD)
	s.readNotify(s.notifyFD) // what came last still counts for the log
	unix.Close(s.notifyFD)
	_ = os.Remove(s.u.m.notifyPath(s.u.name()))
	s.notifyFD = -1
}

// readNotify reads all messages there are; it runs on the poller.
func (s *service) readNotify(fd int) {
	buf := make([]byte, 8192)
	oob := make([]byte, 4096)
	for range 64 {
		n, oobn, _, _, err := unix.Recvmsg(fd, buf, oob, unix.MSG_DONTWAIT|unix.MSG_CMSG_CLOEXEC)
		if err != nil {
			return
		}
		pid := 0
		var fds []int
		if list, err := unix.ParseSocketControlMessage(oob[:oobn]); err == nil {
			for i := range list {
				if c, err := unix.ParseUnixCredentials(&list[i]); err == nil {
					pid = int(c.Pid)
				} else if f, err := unix.ParseUnixRights(&list[i]); err == nil {
					fds = append(fds, f...)
				}
			}
		}
		text := string(buf[:n])
		s.u.m.post(func() { s.notified(pid, text, fds) })
	}
}

// notified takes one message of sd_notify(3).
func (s *service) notified(pid int, text string, fds []int) {
	if m := s.u.m; m.inflight > 0 && m.procs[pid] == nil && !s.mayNotify(pid) {
		// Quicker than the report of its own start: whose it is will be known
		// then.
		m.early = append(m.early, func() { s.notified(pid, text, fds) })
		return
	}
	defer func() {
		for _, fd := range fds {
			unix.Close(fd)
		}
	}()
	if !s.mayNotify(pid) {
		if pid == s.mainRec.PID && pid != 0 {
			return // the last words of a main process that has ended
		}
		s.u.notice("Got a notification from process %d, which NotifyAccess=%s does not allow.", pid, s.c.notifyAccess)
		return
	}
	vars := map[string]string{}
	for line := range strings.Lines(text) {
		if k, v, ok := strings.Cut(strings.TrimRight(line, "\n"), "="); ok {
			vars[k] = v
		}
	}
	s.u.m.touched(s.u)
	if v, ok := vars["STATUS"]; ok {
		s.statusText = strings.ToValidUTF8(v, "?")
	}
	if v, ok := vars["ERRNO"]; ok {
		s.statusErrno = atoi(v, 0)
	}
	if v := atoi(vars["MAINPID"], 0); v > 1 && v != s.mainPID && s.state != "dead" && s.state != "failed" {
		s.newMain(v)
	}
	if v, ok := vars["EXTEND_TIMEOUT_USEC"]; ok {
		s.extend(v)
	}
	if v, ok := vars["WATCHDOG_USEC"]; ok {
		if n, err := strconv.ParseUint(v, 10, 63); err == nil && n > 0 {
			s.watchdogUsec = time.Duration(n) * time.Microsecond
			s.startWatchdog()
		}
	}
	switch vars["WATCHDOG"] {
	case "1":
		s.startWatchdog()
	case "trigger":
		s.watchdogElapsed()
	}
	if vars["FDSTORE"] == "1" && len(fds) > 0 {
		fds = s.storeFDs(vars["FDNAME"], fds, vars["FDPOLL"] != "0")
	}
	if vars["FDSTOREREMOVE"] == "1" {
		s.removeFDs(vars["FDNAME"])
	}
	switch {
	case vars["STOPPING"] == "1":
		s.notifyState = "stopping"
		switch s.state {
		case "running", "exited", "reload", "reload-signal", "reload-notify":
			s.enterStopByNotify()
		}
	case vars["READY"] == "1":
		s.ready()
	case vars["RELOADING"] == "1":
		s.notifyState = "reloading"
		if n, err := strconv.ParseUint(vars["MONOTONIC_USEC"], 10, 64); err == nil && s.state == "reload-signal" && n < s.reloadBegin {
			break // of an earlier reload
		}
		switch s.state {
		case "running":
			s.set("reload-notify")
			s.arm(s.c.timeoutStart)
		case "reload-signal":
			s.set("reload-notify")
		}
	}
}

func (s *service) ready() {
	was := s.notifyState
	s.notifyState = "ready"
	switch s.state {
	case "start":
		if s.c.typ == "notify" || s.c.typ == "notify-reload" {
			s.enterStartPost()
		}
	case "reload-notify":
		s.enterRunning("success")
	case "reload-signal":
		if was == "reloading" {
			s.enterRunning("success")
		}
	}
}

// mayNotify is NotifyAccess=.
func (s *service) mayNotify(pid int) bool {
	switch s.c.notifyAccess {
	case "all":
		return true
	case "main":
		return s.isMain(pid)
	case "exec":
		return s.isMain(pid) || s.control.alive() && s.control.pid == pid
	}
	return false
}

// isMain tells whether a process is the main one, or was until just now: its
// last message may come after its end.
func (s *service) isMain(pid int) bool {
	return pid != 0 && (pid == s.mainPID || pid == s.mainRec.PID || s.main.alive() && s.main.pid == pid)
}

func (s *service) newMain(pid int) {
	if !s.u.m.edge.Alive(pid) {
		return
	}
	for _, p := range s.u.processes() {
		if p == pid {
			s.adoptMain(pid)
			return
		}
	}
	s.u.notice("MAINPID=%d is no process of %s.", pid, s.u.name())
}

// extend is EXTEND_TIMEOUT_USEC=: the present step may last so much longer.
func (s *service) extend(v string) {
	n, err := strconv.ParseUint(v, 10, 62)
	if err != nil {
		return
	}
	d := time.Duration(n) * time.Microsecond
	at := s.u.m.now().Monotonic + n
	switch s.state {
	case "start", "start-pre", "start-post", "condition", "stop", "stop-sigterm", "stop-post", "final-sigterm", "reload", "reload-notify", "reload-signal":
		if s.timer != nil && s.timer.at < at {
			s.arm(d)
		}
	case "running":
		if s.runtime != nil && s.runtime.at < at {
			s.u.m.cancel(s.runtime)
			s.runtime = s.u.m.after(d, func() { s.runtime = nil; s.runtimeOver() })
		}
	}
}

// startWatchdog begins to wait for the next sign of life.
func (s *service) startWatchdog() {
	s.u.m.cancel(s.watchdog)
	s.watchdog = nil
	if s.watchdogUsec <= 0 || s.watchdogUsec == load.Infinity {
		return
	}
	s.watchdogStamp = s.u.m.now()
	s.watchdog = s.u.m.after(s.watchdogUsec, s.watchdogElapsed)
}

func (s *service) watchdogElapsed() {
	s.watchdog = nil
	switch s.state {
	case "start-post", "running", "reload", "reload-signal", "reload-notify":
		s.u.notice("Watchdog timeout (limit %s)!", s.watchdogUsec)
		s.enterSignal("stop-watchdog", "watchdog")
	}
}

// storeFDs keeps descriptors for the next start of the service; those that it
// does not keep are given back.
func (s *service) storeFDs(name string, fds []int, poll bool) []int {
	s.tidyStore()
	if !validFDName(name) {
		name = "stored"
	}
	for i, fd := range fds {
		if len(s.store) >= s.c.fdStoreMax {
			s.u.notice("The descriptor store is full (FileDescriptorStoreMax=%d).", s.c.fdStoreMax)
			return fds[i:]
		}
		s.store = append(s.store, storedFD{name, fd, poll})
	}
	return nil
}

// validFDName is the rule of FDNAME= in sd_pid_notify_with_fds(3).
func validFDName(s string) bool {
	if s == "" || len(s) > 255 {
		return false
	}
	for i := range len(s) {
		if s[i] < ' ' || s[i] >= 127 || s[i] == ':' {
			return false
		}
	}
	return true
}

func (s *service) removeFDs(name string) {
	keep := s.store[:0]
	for _, f := range s.store {
		if f.name == name {
			unix.Close(f.fd)
		} else {
			keep = append(keep, f)
		}
	}
	s.store = keep
}

// tidyStore closes stored descriptors whose other end is gone, unless they were
// stored with FDPOLL=0.
func (s *service) tidyStore() {
	keep := s.store[:0]
	for _, f := range s.store {
		p := []unix.PollFd{{Fd: int32(f.fd)}}
		if n, err := unix.Poll(p, 0); f.poll && err == nil && n > 0 && p[0].Revents&(unix.POLLHUP|unix.POLLERR) != 0 {
			unix.Close(f.fd)
			continue
		}
		keep = append(keep, f)
	}
	s.store = keep
}

func (s *service) dropStore() {
	for _, f := range s.store {
		unix.Close(f.fd)
	}
	s.store = nil
}

// request puts together what one command of the service needs to start.
func (s *service) request(cmd command, main bool) (*spawnRequest, error) {
	m, u := s.u.m, s.u
	r, err := m.newRequest(u, s.c.exec, cmd, main)
	if err != nil {
		return nil, err
	}
	if s.notifyFD >= 0 && (main || s.c.notifyAccess != "main") {
		r.vars = append(r.vars, "NOTIFY_SOCKET="+m.notifyPath(u.name()))
	}
	if pid := s.mainPID; pid > 0 && !main {
		r.vars = append(r.vars, "MAINPID="+strconv.Itoa(pid))
	}
	if main && s.watchdogUsec > 0 && s.watchdogUsec != load.Infinity {
		r.watchdog = strconv.FormatInt(s.watchdogUsec.Microseconds(), 10)
	}
	if s.triggeredBy != "" {
		r.vars = append(r.vars, "TRIGGER_UNIT="+s.triggeredBy)
	}
	if cmd.setting == "ExecStop" || cmd.setting == "ExecStopPost" {
		r.vars = append(r.vars, s.outcome("")...)
	} else {
		r.vars = append(r.vars, s.monitor...)
	}
	if s.conn != nil {
		r.vars = append(r.vars, s.conn.environment()...)
	}
	if main || cmd.setting == "ExecStart" {
		s.passSockets(r)
	}
	for i, f := range s.std {
		if f != nil {
			r.std[i], _ = dup(int(f.Fd()))
		}
	}
	if err := r.checkInput(); err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}

// outcome tells how the service ended, as $SERVICE_RESULT and its like
// (systemd.exec(5)), with a prefix.
func (s *service) outcome(prefix string) []string {
	var out []string
	if s.exited {
		code := map[int]string{cldExited: "exited", cldKilled: "killed", cldDumped: "dumped"}[s.lastExit.code]
		st := strconv.Itoa(s.lastExit.status)
		if s.lastExit.code != cldExited {
			st = signalName(s.lastExit.status)
		}
		out = append(out, prefix+"EXIT_CODE="+code, prefix+"EXIT_STATUS="+st)
	}
	return append(out, prefix+"SERVICE_RESULT="+s.result)
}

// monitors is what a unit that OnFailure= or OnSuccess= starts is told of the
// one that ended: nothing where several have started it at once.
func (s *service) monitors(of *unit) []string {
	o, ok := of.kind.(*service)
	if !ok || s.u.job != nil && s.monitor != nil {
		return []string{}
	}
	return append(o.outcome("MONITOR_"), "MONITOR_INVOCATION_ID="+of.invocation.String(), "MONITOR_UNIT="+of.name())
}

// passSockets gives the service the descriptors of its active sockets, its
// connection, and what it has stored.
func (s *service) passSockets(r *spawnRequest) {
	add := func(name string, fd int) {
		if n, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 10); err == nil {
			if s.c.nonBlocking {
				_ = unix.SetNonblock(n, true)
			} else {
				_ = unix.SetNonblock(n, false)
			}
			r.pass = append(r.pass, n)
			r.names = append(r.names, name)
		}
	}
	if s.conn != nil {
		if n, err := unix.FcntlInt(uintptr(s.conn.fd), unix.F_DUPFD_CLOEXEC, 10); err == nil {
			_ = unix.SetNonblock(n, s.c.nonBlocking)
			r.stdinFD = n
		}
		if s.c.exec.stdin != "socket" {
			add("connection", s.conn.fd)
		}
	} else {
		for _, sock := range s.u.m.socketsOf(s.u) {
			for _, l := range sock.listeners {
				if l.fd >= 0 {
					add(sock.fdName(), l.fd)
				}
			}
			if s.c.exec.stdin == "socket" && r.stdinFD < 0 && len(sock.listeners) == 1 && sock.listeners[0].fd >= 0 {
				if n, err := unix.FcntlInt(uintptr(sock.listeners[0].fd), unix.F_DUPFD_CLOEXEC, 10); err == nil {
					_ = unix.SetNonblock(n, false)
					r.stdinFD = n
				}
			}
		}
	}
	s.tidyStore()
	for _, f := range s.store {
		add(f.name, f.fd)
	}
}

func (s *service) status(st *us.Status) {
	s.tidyStore()
	c := s.c
	r := &us.Service{
		Type: c.typ, MainPID: s.mainPID, GuessMainPID: c.guessMain, StatusText: s.statusText, StatusErrno: s.statusErrno,
		Result: s.result, ReloadResult: s.reloadResult, CleanResult: "success", NRestarts: s.restarts, ExecMain: s.mainRec,
		NFDStore: uint32(len(s.store)), WatchdogUSec: usec(s.watchdogUsec), WatchdogStamp: s.watchdogStamp,
		TimeoutStart: usec(c.timeoutStart), TimeoutStop: usec(c.timeoutStop), TimeoutAbort: usec(c.timeoutAbort),
		RuntimeMax: usec(c.runtimeMax), NextRestartUSec: usec(c.delay(s.restarts)), UID: ^uint32(0), GID: ^uint32(0), BusName: c.busName,
	}
	if r.ReloadResult == "" {
		r.ReloadResult = "success"
	}
	if s.control.alive() {
		r.ControlPID = s.control.pid
	}
	for _, set := range execSettings {
		for _, cmd := range c.commands[set] {
			rec, ok := s.records[set+"/"+strconv.Itoa(cmd.index)]
			if !ok {
				rec = execRecord(cmd)
			}
			r.Commands = append(r.Commands, rec)
		}
	}
	if (c.exec.user != "" || c.exec.dynamicUser) && (!c.exec.dynamicUser || !s.u.active().IsInactiveOrFailed()) {
		if a, err := c.exec.resolve(s.u.name()); err == nil && a.set {
			r.UID, r.GID = a.uid, a.gid
		}
	}
	st.Service = r
}

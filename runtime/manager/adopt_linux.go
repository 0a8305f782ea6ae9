package manager

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	us "github.com/unitgen/unitgen/runtime/unitstate"
	"github.com/unitgen/unitgen/schema/load"
)

// saver keeps on disk which processes belong to which unit, so that the next
// manager finds them when this one was killed. It is a log of JSON lines, the
// last of a unit counts; it is written anew when it has grown.
type saver struct {
	dirty map[*unit]bool
	f     *os.File
	lines int
	known map[string]bool // units whose last line is not "down"
	boot  string
}

// savedUnit is one line of the log.
type savedUnit struct {
	Unit       string       `json:"unit"`
	Down       bool         `json:"down,omitempty"`
	Boot       string       `json:"boot"`
	State      string       `json:"state"`
	Active     string       `json:"active"`
	Invocation string       `json:"invocation"`
	Main       savedProcess `json:"main"`
	Control    savedProcess `json:"control"`
	Since      us.Stamp     `json:"since"`
	ActiveAt   us.Stamp     `json:"active_at"`
	Restarts   uint32       `json:"restarts"`
	Status     string       `json:"status,omitempty"`
	Group      string       `json:"group,omitempty"`
	Definition string       `json:"definition,omitempty"`
}

type savedProcess struct {
	PID   int    `json:"pid"`
	Start uint64 `json:"start"`
}

func (m *Manager) saveFile() string {
	return filepath.Join(m.opt.RuntimeDir, "systemd", "units.log")
}

func (s *saver) touch(u *unit) {
	if s.dirty == nil {
		s.dirty = map[*unit]bool{}
	}
	s.dirty[u] = true
}

func (s *saver) remove(u *unit) { s.touch(u) }

// flush writes what changed, in one piece. The runtime directory does not
// outlive the machine, so what the kernel has taken is safe enough: the
// manager's death loses nothing of it.
func (s *saver) flush(m *Manager) {
	if len(s.dirty) == 0 || m.opt.Edge != nil {
		return
	}
	if s.known == nil {
		s.known = map[string]bool{}
		s.boot = bootID()
	}
	if s.f == nil || s.lines > 1000+8*len(s.known) {
		s.rewrite(m)
		return
	}
	var b []byte
	for u := range s.dirty {
		b = s.line(b, u)
	}
	clear(s.dirty)
	_, _ = s.f.Write(b)
}

func (s *saver) line(b []byte, u *unit) []byte {
	sv := saved(u)
	if sv == nil {
		if !s.known[u.name()] {
			return b
		}
		delete(s.known, u.name())
		sv = &savedUnit{Unit: u.name(), Down: true}
	} else {
		s.known[u.name()] = true
		sv.Boot = s.boot
	}
	j, err := json.Marshal(sv)
	if err != nil {
		return b
	}
	s.lines++
	return append(append(b, j...), '\n')
}

// rewrite begins the log anew with what holds now.
func (s *saver) rewrite(m *Manager) {
	clear(s.dirty)
	s.known, s.lines = map[string]bool{}, 0
	f, err := os.OpenFile(m.saveFile()+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC|os.O_APPEND, 0o600)
	if err != nil {
		return
	}
	var b []byte
	for _, u := range m.units {
		b = s.line(b, u)
	}
	if _, err := f.Write(b); err == nil {
		_ = os.Rename(m.saveFile()+".new", m.saveFile())
	}
	if s.f != nil {
		s.f.Close()
	}
	s.f = f
}

func (s *saver) end(m *Manager) {
	s.dirty = nil
	if s.f != nil {
		s.f.Close()
	}
	_ = os.Remove(m.saveFile())
}

// readSaved gives the last word on each unit of the log; a line that was cut
// off is left out.
func readSaved(path string) []*savedUnit {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	last := map[string]*savedUnit{}
	for line := range strings.Lines(string(b)) {
		var sv savedUnit
		if json.Unmarshal([]byte(line), &sv) != nil || sv.Unit == "" {
			continue
		}
		last[sv.Unit] = &sv
		if sv.Down {
			delete(last, sv.Unit)
		}
	}
	var out []*savedUnit
	for _, sv := range last {
		out = append(out, sv)
	}
	slices.SortFunc(out, func(a, b *savedUnit) int { return strings.Compare(a.Unit, b.Unit) })
	return out
}

// saved gives what is worth keeping of a unit; nil for one that is down or has
// nothing that outlives the manager.
func saved(u *unit) *savedUnit {
	if u.active().IsInactiveOrFailed() || u.typ != "service" && u.typ != "scope" && u.typ != "timer" {
		return nil
	}
	sv := &savedUnit{Unit: u.name(), State: string(u.sub), Active: string(u.active()), Invocation: u.invocation.String(),
		Since: u.stateChange, ActiveAt: u.activeEnter, Group: u.group.path, Definition: definition(u)}
	if s, ok := u.kind.(*service); ok {
		sv.Main, sv.Control = savedProc(s.main), savedProc(s.control)
		sv.Restarts, sv.Status = s.restarts, s.statusText
	}
	return sv
}

func savedProc(p *process) savedProcess {
	if !p.alive() || p.pid == 0 {
		return savedProcess{}
	}
	if p.start == 0 {
		p.start = startTime(p.pid)
	}
	return savedProcess{p.pid, p.start}
}

func bootID() string {
	b, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(b))
}

// adopt takes over what a killed manager left running: a service whose main
// process is the very one that was noted goes on as it is; what was on its way
// up or down, and what has no unit any more, is ended, so that nothing ever
// runs twice.
func (m *Manager) adopt() {
	if m.opt.Edge != nil {
		return
	}
	boot := bootID()
	var end []int
	for _, sv := range readSaved(m.saveFile()) {
		if sv.Boot != boot || m.adoptUnit(sv) {
			continue
		}
		left := m.leftovers(sv)
		if len(left) > 0 {
			m.notice(sv.Unit, "ending %d processes that an earlier manager left of %s (%s).", len(left), sv.Unit, sv.State)
			end = append(end, left...)
		}
	}
	endProcesses(end)
	m.adoptSockets()
}

// adoptSockets takes the listening sockets back from the services that were
// taken over: a service holds the sockets it was started with. A service whose
// sockets cannot be had back is ended, so that its socket unit can listen
// again.
func (m *Manager) adoptSockets() {
	var end []int
	var ended []*process
	for _, u := range m.sorted() {
		s, ok := u.kind.(*socket)
		if !ok || s.accept || !u.active().IsInactiveOrFailed() || u.file.State != load.Loaded {
			continue
		}
		o := m.unit(s.service())
		if o == nil || !o.active().IsActiveOrReloading() {
			continue
		}
		sv, ok := o.kind.(*service)
		if !ok || !sv.main.alive() {
			continue
		}
		if s.takeBack(sv.main.pid) {
			u.notice("Listening sockets taken back from %s.", o.name())
			m.reloading = true
			s.set("running")
			m.reloading = false
			continue
		}
		s.shut()
		o.notice("%s holds sockets that cannot be had back; ending it so that %s can listen.", o.name(), u.name())
		end = append(end, o.processes()...)
		ended = append(ended, sv.main)
	}
	endProcesses(end)
	for _, p := range ended { // their units are down before the sockets start
		m.foreignEnded(p)
	}
}

// takeBack finds the sockets of the unit among the descriptors of a process.
func (s *socket) takeBack(pid int) bool {
	fds, _, err := socketsOf(pid, 3, 1<<20)
	if o := s.u.m.opt.Outside; err != nil && o != nil {
		for _, fd := range fds {
			unix.Close(fd)
		}
		fds, err = o.sockets(pid)
	}
	for _, fd := range fds {
		if err != nil || !s.recognise(fd) {
			unix.Close(fd)
		}
	}
	if err != nil {
		return false
	}
	for _, l := range s.listeners {
		if l.fd < 0 {
			return false
		}
	}
	return true
}

// recognise gives a socket to the listener whose address it has.
func (s *socket) recognise(fd int) bool {
	unix.CloseOnExec(fd)
	sa, err := unix.Getsockname(fd)
	if err != nil {
		return false
	}
	typ, _ := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE)
	listening, _ := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN)
	name := ""
	switch a := sa.(type) {
	case *unix.SockaddrUnix:
		name = a.Name
	case *unix.SockaddrInet6:
		if a.Addr == [16]byte{} {
			name = "[::]:" + itoa(a.Port)
		} else {
			name = endpoint(sa)
		}
	default:
		name = endpoint(sa)
	}
	for _, l := range s.listeners {
		want := map[string]int{"Stream": unix.SOCK_STREAM, "Datagram": unix.SOCK_DGRAM, "SequentialPacket": unix.SOCK_SEQPACKET}[l.Kind]
		if l.fd >= 0 || want != typ || l.Address != name || (want != unix.SOCK_DGRAM) != (listening != 0) {
			continue
		}
		l.fd, l.acceptable = fd, want != unix.SOCK_DGRAM
		if strings.HasPrefix(name, "/") {
			l.path = name
		}
		return true
	}
	return false
}

// sameProcess reports whether the noted process is there and lives: one that
// ended may stay as a zombie for as long as nobody collects it.
func sameProcess(p savedProcess) bool {
	f := statFields(p.PID)
	return p.PID > 1 && p.Start != 0 && len(f) > 0 && f[0] != "Z" && f[0] != "X" && startTime(p.PID) == p.Start
}

// adoptUnit takes over one unit; false when it cannot go on.
func (m *Manager) adoptUnit(sv *savedUnit) bool {
	if sv.Active != string(us.Active) {
		return false
	}
	u, err := m.load(sv.Unit)
	if err != nil || u.file.State != "loaded" || !u.active().IsInactiveOrFailed() {
		return false
	}
	if t, ok := u.kind.(*timerUnit); ok {
		_ = t
		return true // started anew by its target; its stamps are its own
	}
	s, ok := u.kind.(*service)
	if !ok {
		return false
	}
	if sv.Definition != "" && sv.Definition != definition(u) {
		u.notice("Runs by another unit file than the present one; it is started anew.")
		return false
	}
	switch {
	case sv.State == "exited":
	case sv.State == "running" && sameProcess(sv.Main):
	default:
		return false
	}
	for i := range 16 {
		var b byte
		for _, c := range []byte(sv.Invocation[min(2*i, len(sv.Invocation)):min(2*i+2, len(sv.Invocation))]) {
			b = b<<4 | hexDigit(c)
		}
		u.invocation[i] = b
	}
	if sv.Group != "" && m.fsRoot.ok() {
		u.group.path = sv.Group
		u.group.dir = filepath.Join(m.fsRoot.mount, sv.Group)
	}
	u.foreign = true
	s.result, s.reloadResult = "success", "success"
	s.restarts, s.statusText = sv.Restarts, sv.Status
	_ = m.edge.Output(u)
	if s.c.notifyAccess != "none" {
		s.openNotify()
	}
	if sameProcess(sv.Main) {
		p := &process{m: m, u: u, pid: sv.Main.PID, pidfd: -1, start: sv.Main.Start, adopted: true}
		p.rec = us.Exec{Setting: "ExecStart", PID: p.pid, Start: sv.Since}
		if c := s.c.commands["ExecStart"]; len(c) > 0 {
			p.rec.Path, p.rec.Argv = c[0].path, c[0].argv
		}
		p.exited = func(w waitResult) { s.mainExited(p, command{setting: "ExecStart"}, w) }
		s.main, s.mainPID, s.mainRec = p, p.pid, p.rec
		m.procs[p.pid] = p
		m.leaders[p.pid] = u
		m.watchForeign(p)
		s.followName()
		m.adoptSpace(u, s.c.exec.sandbox.share, p.pid)
	}
	m.reloading = true // nothing follows from this change
	s.set(us.SubState(sv.State))
	m.reloading = false
	u.inactiveExit, u.activeEnter, u.stateChange = sv.ActiveAt, sv.ActiveAt, sv.Since
	if s.watchdogUsec > 0 {
		s.startWatchdog()
	}
	u.notice("Taken over from an earlier manager%s.", map[bool]string{true: ", main process " + itoa(s.mainPID), false: ""}[s.mainPID > 0])
	return true
}

func hexDigit(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10
	}
	return 0
}

// leftovers finds the processes of a unit that was not taken over: those of
// its group, those that were noted, and those whose environment names its
// activation.
func (m *Manager) leftovers(sv *savedUnit) []int {
	seen := map[int]bool{}
	var out []int
	add := func(pid int) {
		if pid > 1 && pid != os.Getpid() && !seen[pid] {
			seen[pid] = true
			out = append(out, pid)
		}
	}
	for _, p := range []savedProcess{sv.Main, sv.Control} {
		if sameProcess(p) {
			add(p.PID)
		}
	}
	if sv.Group != "" && m.fsRoot.ok() {
		for _, pid := range pidsOf(filepath.Join(m.fsRoot.mount, sv.Group, "cgroup.procs")) {
			add(pid)
		}
	}
	if k, ok := m.edge.(*kernel); ok && sv.Invocation != "" {
		for _, pid := range k.byInvocation(sv.Invocation) {
			add(pid)
		}
	}
	return out
}

// endProcesses ends processes that have no unit: SIGTERM, and SIGKILL for what
// is still there after five seconds.
func endProcesses(pids []int) {
	if len(pids) == 0 {
		return
	}
	starts := map[int]uint64{}
	for _, pid := range pids {
		starts[pid] = startTime(pid)
		_ = unix.Kill(pid, unix.SIGTERM)
		_ = unix.Kill(pid, unix.SIGCONT)
	}
	for i := 0; len(starts) > 0; i++ {
		for pid, at := range starts {
			f := statFields(pid)
			if len(f) == 0 || f[0] == "Z" || startTime(pid) != at {
				delete(starts, pid)
			} else if i >= 100 {
				_ = unix.Kill(pid, unix.SIGKILL)
			}
		}
		if i > 140 {
			return
		}
		if len(starts) > 0 {
			time.Sleep(50 * time.Millisecond)
		}
	}
}

// watchForeign waits for the end of a process that is not our child, by pidfd.
// How it ended is not to be known then.
func (m *Manager) watchForeign(p *process) {
	fd, err := unix.PidfdOpen(p.pid, 0)
	if err != nil {
		m.post(func() { m.foreignEnded(p) })
		return
	}
	p.pidfd = fd
	if err := m.edge.Watch(fd, func() { m.foreignEnded(p) }); err != nil {
		unix.Close(fd)
		p.pidfd = -1
	}
}

func (m *Manager) foreignEnded(p *process) {
	if p.pidfd >= 0 {
		m.edge.Unwatch(p.pidfd)
		unix.Close(p.pidfd)
		p.pidfd = -1
	}
	if !p.ended && m.procs[p.pid] == p {
		m.processEnded(p, waitResult{cldExited, 0})
	}
}

package manager

import (
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/unitgen/unitgen/runtime/transaction"
	us "github.com/unitgen/unitgen/runtime/unitstate"
	"github.com/unitgen/unitgen/schema/unitname"
)

// socketStates maps what a socket does to the state that all units share.
var socketStates = map[us.SubState]us.ActiveState{
	"dead": us.Inactive, "failed": us.Failed, "start-pre": us.Activating, "start-post": us.Activating,
	"listening": us.Active, "running": us.Active, "stop-pre": us.Deactivating, "stop-post": us.Deactivating,
}

// socket is the state machine of systemd.socket(5).
type socket struct {
	u         *unit
	exec      *execConfig
	state     us.SubState
	listeners []*listener
	accept    bool
	max       int
	perSource int
	trigger   rateLimit
	result    string
	control   *process
	list      []command
	listAt    int
	timer     *alarm
	conns     map[*connection]bool
	accepted  uint32
	refused   uint32
	records   map[string]us.Exec
}

func newSocket(u *unit) *socket {
	return &socket{u: u, state: "dead", result: "success", conns: map[*connection]bool{}, records: map[string]us.Exec{}}
}

func (s *socket) configure() {
	f := s.u.file
	s.exec = newExecConfig(s.u.m, f)
	s.accept = f.Bool("Accept")
	s.max = 64
	if v := f.String("MaxConnections"); v != "" {
		s.max = atoi(v, 64)
	}
	s.perSource = atoi(f.String("MaxConnectionsPerSource"), 0)
	s.trigger.interval = span(f, "TriggerLimitIntervalSec", 2*time.Second, false)
	s.trigger.burst = 20
	if s.accept {
		s.trigger.burst = 200
	}
	if v := f.String("TriggerLimitBurst"); v != "" {
		s.trigger.burst = atoi(v, s.trigger.burst)
	}
	if s.state == "dead" || s.state == "failed" {
		s.listeners = listenersOf(f)
	}
}

func (s *socket) coldplug() {}

func (s *socket) ownProcesses() []*process { return []*process{s.control} }

func (s *socket) set(st us.SubState) {
	s.state = st
	s.u.setState(socketStates[st], st)
}

func (s *socket) fdName() string {
	if n := s.u.file.String("FileDescriptorName"); n != "" {
		return n
	}
	return s.u.name()
}

// service gives the name of the unit that the socket triggers; for Accept=yes
// it is a template.
func (s *socket) service() string {
	if v := s.u.file.String("Service"); v != "" {
		return v
	}
	p, i, _, at := unitname.Split(s.u.name())
	if s.accept && !at {
		return p + "@.service"
	}
	if at {
		return p + "@" + i + ".service"
	}
	return p + ".service"
}

func (s *socket) start() error {
	switch s.state {
	case "stop-pre", "stop-post":
		return errAgain
	case "start-pre", "start-post":
		return nil
	}
	if !s.accept {
		svc, err := s.u.m.load(s.service())
		if err != nil {
			return err
		}
		if svc.file.State != "loaded" {
			return us.Errorf(us.ErrNoSuchUnit, "Socket service %s not loaded, refusing.", s.service())
		}
		if svc.active().IsActiveOrActivating() && svc.sub != "auto-restart" {
			return us.Errorf(us.ErrUnitExists, "Socket service %s already active, refusing.", s.service())
		}
	}
	s.result = "success"
	if err := s.u.m.edge.Output(s.u); err != nil {
		s.u.notice("no log: %v", err)
	}
	if s.begin("ExecStartPre") {
		s.set("start-pre")
		s.runControl()
		return nil
	}
	return s.open()
}

func (s *socket) begin(setting string) bool {
	s.list, s.listAt = commandsOf(s.u.file, setting), 0
	return len(s.list) > 0
}

func (s *socket) runControl() {
	cmd := s.list[s.listAt]
	p := &process{rec: execRecord(cmd), control: true}
	s.control = p
	done := func(ok bool) {
		s.records[cmd.setting+fmt.Sprint(cmd.index)] = p.rec
		if s.control != p {
			return
		}
		s.control = nil
		ok = ok || cmd.ignore
		if ok && s.listAt+1 < len(s.list) {
			s.listAt++
			s.runControl()
			return
		}
		if !ok && s.result == "success" {
			s.result = "exit-code"
		}
		switch s.state {
		case "start-pre":
			if ok {
				_ = s.open()
			} else {
				s.die()
			}
		case "start-post":
			if ok {
				s.listen()
			} else {
				s.shut()
				s.die()
			}
		case "stop-pre":
			s.stopPost()
		case "stop-post":
			s.die()
		}
	}
	p.started = func(err error) {
		if err != nil {
			s.u.notice("%v", err)
			done(false)
		}
	}
	p.exited = func(w waitResult) { done(w.code == cldExited && w.status == 0) }
	req, err := s.u.m.newRequest(s.u, s.exec, cmd, false)
	if err != nil {
		s.u.notice("%v", err)
		p.ended = true
		if s.result == "success" {
			s.result = "resources"
		}
		done(false)
		return
	}
	s.u.m.spawn(s.u, req, p)
	s.u.m.cancel(s.timer)
	s.timer = s.u.m.after(span(s.u.file, "TimeoutSec", defaultTimeout, true), func() {
		s.result = "timeout"
		p.kill(unix.SIGKILL)
	})
}

// open makes the sockets. What another socket unit or an earlier start left
// open is kept.
func (s *socket) open() error {
	for _, l := range s.listeners {
		if l.fd >= 0 {
			continue
		}
		if err := l.open(s.u.file); err != nil {
			s.u.notice("Failed to listen on %s: %v", l.Address, err)
			s.shut()
			s.result = "resources"
			s.die()
			return us.Errorf(us.ErrFailed, "cannot listen on %s: %v", l.Address, err)
		}
	}
	for _, l := range strings.Fields(s.u.file.String("Symlinks")) {
		_ = os.Remove(l)
		for _, o := range s.listeners {
			if strings.HasPrefix(o.Address, "/") {
				if err := os.Symlink(o.Address, l); err != nil {
					s.u.notice("Symlinks=%s: %v", l, err)
				}
				break
			}
		}
	}
	if s.begin("ExecStartPost") {
		s.set("start-post")
		s.runControl()
		return nil
	}
	s.listen()
	return nil
}

// listen waits for traffic.
func (s *socket) listen() {
	s.u.m.cancel(s.timer)
	for _, l := range s.listeners {
		if l.fd < 0 {
			continue
		}
		if l.watched {
			s.u.m.edge.Rearm(l.fd)
			continue
		}
		l := l
		if err := s.u.m.edge.Watch(l.fd, func() { s.incoming(l) }); err != nil {
			s.u.notice("cannot watch %s: %v", l.Address, err)
			continue
		}
		l.watched = true
	}
	s.set("listening")
}

// incoming is traffic on a listener.
func (s *socket) incoming(l *listener) {
	if s.state != "listening" || l.fd < 0 {
		return
	}
	m := s.u.m
	if s.u.job != nil && s.u.job.typ == us.Stop || m.down != nil {
		s.drop(l)
		return
	}
	if !s.trigger.allow(m.now().Monotonic) {
		s.u.notice("Trigger limit hit, refusing further activation.")
		s.result = "trigger-limit-hit"
		s.stopPre()
		return
	}
	if s.accept && l.acceptable {
		s.acceptOne(l)
		return
	}
	svc, err := m.load(s.service())
	if err == nil {
		if svc.active().IsActiveOrActivating() && svc.sub != "auto-restart" {
			s.set("running")
			return
		}
		if sv, ok := svc.kind.(*service); ok {
			sv.triggeredBy = s.u.name()
		}
		s.set("running")
		_, _, err = m.enqueueInternal(us.Start, svc, us.Replace)
	}
	if err != nil {
		s.u.notice("Failed to start %s: %v", s.service(), err)
		s.result = "resources"
		s.stopPre()
	}
}

// drop throws away what waits, so that the descriptor does not stay readable.
func (s *socket) drop(l *listener) {
	if l.acceptable {
		if fd, _, err := unix.Accept4(l.fd, unix.SOCK_CLOEXEC); err == nil {
			unix.Close(fd)
		}
	}
	s.u.m.edge.Rearm(l.fd)
}

// acceptOne takes a connection and starts an instance for it.
func (s *socket) acceptOne(l *listener) {
	m := s.u.m
	fd, peer, err := unix.Accept4(l.fd, unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK)
	if err != nil {
		m.edge.Rearm(l.fd)
		return
	}
	c := &connection{fd: fd, s: s, peer: peer}
	same := 0
	for o := range s.conns {
		if o.source() == c.source() {
			same++
		}
	}
	if len(s.conns) >= s.max || s.perSource > 0 && same >= s.perSource {
		s.refused++
		s.u.notice("Too many connections (%d), refusing one.", len(s.conns))
		unix.Close(fd)
		m.edge.Rearm(l.fd)
		return
	}
	s.accepted++
	p, _, _, _ := unitname.Split(s.service())
	name := fmt.Sprintf("%s@%s.service", p, unitname.Escape(c.instance(s.accepted)))
	svc, err := m.load(name)
	if err == nil {
		sv, ok := svc.kind.(*service)
		if !ok || svc.file.State != "loaded" {
			err = fmt.Errorf("%s is %s", name, svc.file.State)
		} else {
			svc.ephemeral = true
			sv.conn = c
			sv.triggeredBy = s.u.name()
			s.conns[c] = true
			m.graph.Link(svc.node, transaction.TriggeredBy, s.u.node)
			_, _, err = m.enqueueInternal(us.Start, svc, us.Replace)
		}
	}
	if err != nil {
		s.u.notice("Failed to start %s: %v", name, err)
		c.close()
	}
	m.edge.Rearm(l.fd)
}

// triggeredChanged: the service changed its state.
func (s *socket) triggeredChanged(o *unit) {
	if s.accept || s.state != "running" && s.state != "listening" {
		return
	}
	switch {
	case o.startHit:
		if s.state == "running" || s.state == "listening" {
			s.result = "service-start-limit-hit"
			s.stopPre()
		}
	case o.sub == "dead" || o.sub == "failed":
		if s.state == "running" && o.job == nil && !o.autoRestart {
			s.listen()
		} else if s.state == "running" && !o.autoRestart {
			s.u.m.post(func() { s.triggeredChanged(o) })
		}
	case o.active() == us.Activating || o.active().IsActiveOrReloading():
		if s.state == "listening" {
			s.set("running")
		}
	}
}

func (s *socket) stop() error {
	s.stopPre()
	return nil
}

func (s *socket) stopPre() {
	if s.begin("ExecStopPre") {
		s.set("stop-pre")
		s.runControl()
		return
	}
	s.stopPost()
}

func (s *socket) stopPost() {
	s.shut()
	if s.begin("ExecStopPost") {
		s.set("stop-post")
		s.runControl()
		return
	}
	s.die()
}

// shut closes the sockets; what they left in the file system goes with
// RemoveOnStop=.
func (s *socket) shut() {
	remove := s.u.file.Bool("RemoveOnStop")
	for _, l := range s.listeners {
		if l.fd < 0 {
			continue
		}
		if l.watched {
			s.u.m.edge.Unwatch(l.fd)
		}
		l.close(remove)
	}
	if remove {
		for _, l := range strings.Fields(s.u.file.String("Symlinks")) {
			_ = os.Remove(l)
		}
	}
}

func (s *socket) die() {
	s.u.m.cancel(s.timer)
	s.shut()
	if s.result == "success" {
		s.set("dead")
	} else {
		s.set("failed")
	}
	s.listeners = listenersOf(s.u.file) // a changed file takes effect now
}

func (s *socket) startLimitHit() {
	s.result = "start-limit-hit"
	s.die()
}

func (s *socket) release() { s.shut() }

func (s *socket) reload() error { return errInapplic }

func (s *socket) resetFailed() {
	if s.state == "failed" {
		s.set("dead")
	}
	s.result = "success"
	s.trigger.reset()
}

func (s *socket) status(st *us.Status) {
	r := &us.Socket{NConnections: uint32(len(s.conns)), NAccepted: s.accepted, NRefused: s.refused, Result: s.result, Service: s.service(), UID: ^uint32(0), GID: ^uint32(0)}
	if s.control.alive() {
		r.ControlPID = s.control.pid
	}
	for _, l := range s.listeners {
		r.Listen = append(r.Listen, us.Listen{Kind: l.Kind, Address: l.Address})
	}
	for _, set := range []string{"ExecStartPre", "ExecStartPost", "ExecStopPre", "ExecStopPost"} {
		for _, c := range commandsOf(s.u.file, set) {
			rec, ok := s.records[set+fmt.Sprint(c.index)]
			if !ok {
				rec = execRecord(c)
			}
			r.Commands = append(r.Commands, rec)
		}
	}
	st.Socket = r
}

// socketsOf gives the active sockets that a service is started with, in the
// order of their names.
func (m *Manager) socketsOf(u *unit) []*socket {
	var out []*socket
	seen := map[*socket]bool{}
	for _, d := range u.node.Deps(transaction.TriggeredBy) {
		o := m.units[d.Name]
		if o == nil {
			continue
		}
		if s, ok := o.kind.(*socket); ok && !s.accept && !seen[s] && o.active().IsActiveOrReloading() {
			seen[s] = true
			out = append(out, s)
		}
	}
	return out
}

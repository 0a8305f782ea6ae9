package manager

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/unitgen/unitgen/runtime/manager/stage"
	us "github.com/unitgen/unitgen/runtime/unitstate"
	"github.com/unitgen/unitgen/schema/load"
)

// serviceStates maps what a service does to the state that all units share.
var serviceStates = map[us.SubState]us.ActiveState{
	"dead": us.Inactive, "failed": us.Failed,
	"condition": us.Activating, "start-pre": us.Activating, "start": us.Activating, "start-post": us.Activating,
	"running": us.Active, "exited": us.Active,
	"reload": us.Reloading, "reload-signal": us.Reloading, "reload-notify": us.Reloading,
	"stop": us.Deactivating, "stop-watchdog": us.Deactivating, "stop-sigterm": us.Deactivating, "stop-sigkill": us.Deactivating,
	"stop-post": us.Deactivating, "final-watchdog": us.Deactivating, "final-sigterm": us.Deactivating, "final-sigkill": us.Deactivating,
	"auto-restart": us.Activating, "cleaning": us.Maintenance,
}

// service is the state machine of systemd.service(5).
type service struct {
	u     *unit
	c     *serviceConfig
	state us.SubState

	main, control *process
	mainPID       int // also of a main process that is not our child
	list          []command
	listAt        int
	result        string
	reloadResult  string
	lastExit      waitResult
	exited        bool
	records       map[string]us.Exec
	mainRec       us.Exec

	timer, runtime, watchdog *alarm
	watchdogUsec             time.Duration
	watchdogStamp            us.Stamp
	restarts                 uint32
	forbidRestart            bool
	statusText               string
	statusErrno              int
	notifyState              string // "", "ready", "reloading", "stopping"
	extended                 uint64 // EXTEND_TIMEOUT_USEC moved the timeout to here
	notifyFD                 int
	store                    []storedFD
	conn                     *connection // of Accept=yes
	pidWatch                 *alarm
	triggeredBy              string
	monitor                  []string // what OnFailure= and OnSuccess= tell: $MONITOR_…
	reloadBegin              uint64
	std                      [3]*os.File // of a transient unit: the requester's own streams
	nameEnd                  func()      // ends the watch of BusName=; nil without
	nameOwned, nameLost      bool
}

type storedFD struct {
	name string
	fd   int
	poll bool // closed when its other end is gone
}

func newService(u *unit) *service {
	return &service{u: u, state: "dead", result: "success", notifyFD: -1, records: map[string]us.Exec{}}
}

func (s *service) configure() {
	s.c = newServiceConfig(s.u)
	if s.state == "dead" {
		s.watchdogUsec = s.c.watchdog
	}
}
func (s *service) coldplug() {}

func (s *service) ownProcesses() []*process {
	p := []*process{s.main, s.control}
	return p
}

func (s *service) release() {
	s.closeNotify()
	s.leaveName()
	s.releaseStandard()
	s.dropStore()
	if k, ok := s.u.m.edge.(*kernel); ok {
		k.dropOutput(s.u.name())
	}
}

// set changes the state and drops what belongs to the old one only.
func (s *service) set(state us.SubState) {
	switch state {
	case "running", "exited", "dead", "failed":
		s.u.m.cancel(s.timer)
		s.timer = nil
		s.extended = 0
	}
	a := serviceStates[state]
	if s.c.typ == "idle" && (state == "start" || state == "start-post") {
		a = us.Active
	}
	if a.IsInactiveOrFailed() && !s.u.autoRestart {
		s.releaseStandard()
	}
	if a.IsInactiveOrFailed() || state == "auto-restart" {
		s.main, s.control, s.mainPID = nil, nil, 0
		s.closeNotify()
		s.leaveName()
		s.monitor = nil
		s.u.m.cancel(s.watchdog)
		s.u.m.cancel(s.runtime)
		s.watchdogStamp = us.Stamp{}
	}
	s.state = state
	s.u.setState(a, state)
}

// arm sets the timeout of the present step.
func (s *service) arm(d time.Duration) {
	s.u.m.cancel(s.timer)
	s.timer = nil
	if d != load.Infinity {
		s.timer = s.u.m.after(d, s.elapsed)
	}
}

func (s *service) start() error {
	switch s.state {
	case "stop", "stop-watchdog", "stop-sigterm", "stop-sigkill", "stop-post", "final-watchdog", "final-sigterm", "final-sigkill", "cleaning":
		return errAgain
	case "condition", "start-pre", "start", "start-post":
		return nil
	case "auto-restart":
		return errAgain // the restart job is on its way
	}
	if s.c.typ != "oneshot" && len(s.c.commands["ExecStart"]) != 1 {
		return us.Errorf(us.ErrBadUnitSetting, "%s has %d ExecStart= commands; Type=%s wants exactly one.", s.u.name(), len(s.c.commands["ExecStart"]), s.c.typ)
	}
	s.result, s.reloadResult = "success", "success"
	s.forbidRestart, s.exited = false, false
	s.statusText, s.statusErrno, s.notifyState = "", 0, ""
	s.mainRec = us.Exec{}
	s.records = map[string]us.Exec{}
	s.watchdogUsec = s.c.watchdog
	s.u.autoRestart = false
	if err := s.u.m.edge.Output(s.u); err != nil {
		s.u.notice("no log for %s: %v", s.u.name(), err)
	}
	if s.c.notifyAccess != "none" {
		s.openNotify()
	}
	s.leaveName()
	s.enterCondition()
	return nil
}

func (s *service) startLimitHit() {
	s.enterDead("start-limit-hit", false) // an earlier failure stays the result
}

func (s *service) enterCondition() {
	if s.begin("ExecCondition") {
		s.arm(s.c.timeoutStart)
		s.runControl("condition")
		return
	}
	s.enterStartPre()
}

func (s *service) enterStartPre() {
	if s.begin("ExecStartPre") {
		s.arm(s.c.timeoutStart)
		s.runControl("start-pre")
		return
	}
	s.enterStart()
}

// begin takes up a list of commands; false when it is empty.
func (s *service) begin(setting string) bool {
	s.list, s.listAt = s.c.commands[setting], 0
	return len(s.list) > 0
}

func (s *service) enterStart() {
	if !s.begin("ExecStart") {
		s.set("start")
		s.enterStartPost()
		return
	}
	switch s.c.typ {
	case "simple", "idle":
		s.u.m.cancel(s.timer)
		s.timer = nil
	default:
		s.arm(s.c.timeoutStart)
	}
	if s.c.typ == "forking" {
		s.runControl("start")
		return
	}
	s.runMain("start")
}

// runMain starts the command of ExecStart= that is next, in the given state.
func (s *service) runMain(state us.SubState) {
	cmd := s.list[s.listAt]
	req, err := s.request(cmd, true)
	if err != nil {
		s.withoutProcess(state, err)
		return
	}
	s.followName()
	s.set(state)
	p := &process{rec: execRecord(cmd)}
	s.main = p
	p.started = func(err error) {
		if s.main != p {
			return
		}
		if err != nil {
			s.main = nil
			s.spawnFailed(err, cmd)
			return
		}
		s.mainPID = p.pid
		s.mainRec = p.rec
		s.noteRecord(p.rec)
		if s.state == "start" && (s.c.typ == "simple" || s.c.typ == "idle" || s.c.typ == "exec" && p.execed == nil || s.c.typ == "dbus" && (!s.waitsForName() && p.execed == nil || s.nameOwned)) {
			s.enterStartPost()
		}
	}
	if (s.c.typ == "exec" || s.c.typ == "dbus" && !s.waitsForName()) && req.needsStage(cmd.full) {
		p.execed = func(err error) {
			if err != nil {
				s.u.notice("%v", err)
				return // the exit follows
			}
			if s.main == p && s.state == "start" {
				s.enterStartPost()
			}
		}
	}
	p.exited = func(w waitResult) { s.mainExited(p, cmd, w) }
	s.u.m.spawn(s.u, req, p)
}

// runControl starts the command of the present list that is next, in the given
// state.
func (s *service) runControl(state us.SubState) {
	cmd := s.list[s.listAt]
	req, err := s.request(cmd, false)
	if err != nil {
		s.withoutProcess(state, err)
		return
	}
	s.set(state)
	p := &process{rec: execRecord(cmd), control: true}
	s.control = p
	p.started = func(err error) {
		if s.control != p {
			return
		}
		if err != nil {
			s.control = nil
			s.spawnFailed(err, cmd)
			return
		}
		s.noteRecord(p.rec)
	}
	p.exited = func(w waitResult) { s.controlExited(p, cmd, w) }
	s.u.m.spawn(s.u, req, p)
}

func (s *service) noteRecord(r us.Exec) { s.records[r.Setting+"/"+strconv.Itoa(r.Index)] = r }

// spawnFailed treats a process that could not be started as one that ended
// with the exit status of the step that failed.
func (s *service) spawnFailed(err error, cmd command) {
	status := stage.ExitExec
	var se *stepError
	if errors.As(err, &se) {
		status = se.status
	}
	if cmd.ignore && status == stage.ExitExec && errors.Is(err, os.ErrNotExist) {
		status = 0 // a program that may be missing
	}
	s.u.notice("%s: %s=: %v (exit status %d%s).", s.u.name(), cmd.setting, err, status, exitName(status))
	now := s.u.m.now()
	r := execRecord(cmd)
	r.Start, r.Exit, r.Code, r.Status = now, now, cldExited, status
	p := &process{m: s.u.m, u: s.u, rec: r, ended: true}
	w := waitResult{cldExited, status}
	if cmd.setting == "ExecStart" && s.c.typ != "forking" {
		s.main = p
		s.mainExited(p, cmd, w)
		return
	}
	s.control = p
	s.controlExited(p, cmd, w)
}

func (s *service) enterStartPost() {
	s.startWatchdog()
	if s.begin("ExecStartPost") {
		s.arm(s.c.timeoutStart)
		s.runControl("start-post")
		return
	}
	s.enterRunning("success")
}

func (s *service) enterRunning(f string) {
	if s.result == "success" {
		s.result = f
	}
	s.control = nil
	switch {
	case s.result != "success":
		s.enterSignal("stop-sigterm", f)
	case s.good():
		switch s.notifyState {
		case "reloading":
			s.set("reload-notify")
		case "stopping":
			s.enterStopByNotify()
		default:
			if s.state != "running" {
				s.set("running")
				if s.c.runtimeMax != load.Infinity && s.runtime == nil {
					s.runtime = s.u.m.after(s.c.runtimeMax, func() { s.runtime = nil; s.runtimeOver() })
				}
			}
		}
	case s.c.remainAfterExit:
		s.set("exited")
	default:
		s.enterStop("success")
	}
}

func (s *service) runtimeOver() {
	if s.state == "running" || strings.HasPrefix(string(s.state), "reload") {
		s.u.notice("Service reached its runtime limit (RuntimeMaxSec=). Stopping.")
		s.enterStop("timeout")
	}
}

func (s *service) enterStop(f string) {
	if s.result == "success" {
		s.result = f
	}
	if s.begin("ExecStop") {
		s.arm(s.c.timeoutStop)
		s.runControl("stop")
		return
	}
	s.enterSignal("stop-sigterm", "success")
}

// enterStopByNotify: the service said STOPPING=1; its end is waited for.
func (s *service) enterStopByNotify() {
	s.arm(s.c.timeoutStop)
	s.u.m.wait(s.u)
	s.set("stop-sigterm")
}

func (s *service) enterStopPost(f string) {
	if s.result == "success" {
		s.result = f
	}
	if s.begin("ExecStopPost") {
		s.arm(s.c.timeoutStop)
		s.runControl("stop-post")
		return
	}
	s.enterSignal("final-sigterm", "success")
}

// enterSignal signals what is left of the service and waits for its end.
func (s *service) enterSignal(state us.SubState, f string) {
	if s.result == "success" {
		s.result = f
	}
	sig, final := s.c.kill.signal, false
	timeout := s.c.timeoutStop
	switch state {
	case "stop-sigterm", "final-sigterm":
		if s.u.job != nil && s.u.job.typ == us.Restart {
			sig = s.c.kill.restart
		}
	case "stop-watchdog", "final-watchdog":
		sig, timeout = s.c.kill.watchdog, s.c.timeoutAbort
	case "stop-sigkill", "final-sigkill":
		sig, final = s.c.kill.final, true
	}
	main := s.main
	hit := s.u.killMode(s.c.kill.mode, sig, final, s.c.kill.sendSIGHUP, main, s.control)
	if main == nil && s.mainPID > 0 && s.c.kill.mode != "none" && s.u.m.edge.Alive(s.mainPID) {
		hit = s.u.m.edge.Kill(s.mainPID, sig) == nil || hit
	}
	if hit {
		s.arm(timeout)
		s.u.m.wait(s.u)
		s.set(state)
		return
	}
	switch state {
	case "stop-watchdog", "stop-sigterm":
		if s.c.kill.sendSIGKILL {
			s.enterSignal("stop-sigkill", "success")
			return
		}
		s.enterStopPost("success")
	case "stop-sigkill":
		s.enterStopPost("success")
	case "final-sigterm", "final-watchdog":
		if s.c.kill.sendSIGKILL {
			s.enterSignal("final-sigkill", "success")
			return
		}
		s.enterDead("success", true)
	default:
		s.enterDead("success", true)
	}
}

// enterDead ends the activation, and decides whether another follows.
func (s *service) enterDead(f string, allowRestart bool) {
	m := s.u.m
	if s.result == "success" {
		s.result = f
	}
	m.cancel(s.timer)
	m.cancel(s.runtime)
	m.cancel(s.watchdog)
	m.cancel(s.pidWatch)
	s.timer, s.runtime, s.watchdog, s.pidWatch = nil, nil, nil, nil
	delete(m.waiting, s.u)
	restart := allowRestart && !s.forbidRestart && m.down == nil && !s.u.startHit &&
		!(s.u.job != nil && s.u.job.typ == us.Stop) && s.c.wantsRestart(s.result, s.lastExit, s.exited)
	s.u.autoRestart = restart
	end := us.SubState("dead")
	if s.result != "success" && s.result != "exec-condition" {
		end = "failed"
	}
	if s.conn != nil {
		s.conn.close()
		s.conn = nil
	}
	if !restart && s.c.fdStoreKeep != "yes" {
		s.dropStore()
	}
	if s.c.pidFile != "" {
		_ = os.Remove(s.c.pidFile)
	}
	m.edge.Drain(s.u.name())
	m.removeRuntime(s.u, s.c.exec, restart)
	s.set(end)
	if !restart || s.state != end || m.down != nil {
		s.u.autoRestart = false
		return
	}
	d := s.c.delay(s.restarts)
	s.set("auto-restart")
	s.timer = m.after(d, s.elapsed)
	s.u.autoRestart = false
}

func (s *service) enterRestart() {
	m := s.u.m
	if s.u.job != nil && s.u.job.typ == us.Stop {
		return
	}
	if _, _, err := m.enqueueInternal(us.Restart, s.u, us.Replace); err != nil {
		s.u.notice("cannot schedule the restart: %v", err)
		s.enterDead("resources", false)
		return
	}
	s.restarts++
	s.u.notice("Scheduled restart job, restart counter is at %d.", s.restarts)
}

func (s *service) stop() error {
	s.forbidRestart = true
	switch s.state {
	case "stop", "stop-watchdog", "stop-sigterm", "stop-sigkill", "stop-post", "final-watchdog", "final-sigterm", "final-sigkill":
		return nil
	case "auto-restart":
		s.u.m.cancel(s.timer)
		s.set("dead")
		return nil
	case "condition", "start-pre", "start", "start-post", "reload", "reload-signal", "reload-notify":
		if s.state == "condition" || s.state == "start-pre" || s.state == "start" || s.state == "start-post" {
			s.enterSignal("stop-sigterm", "success")
			return nil
		}
		fallthrough
	default:
		s.enterStop("success")
	}
	return nil
}

func (s *service) reload() error {
	s.reloadResult = "success"
	if s.c.typ == "notify-reload" {
		if !s.main.alive() && s.mainPID == 0 {
			return us.Errorf(us.ErrFailed, "the main process of %s is not known", s.u.name())
		}
		s.arm(s.c.timeoutStart)
		s.reloadBegin = s.u.m.now().Monotonic
		s.notifyState = ""
		s.set("reload-signal")
		if s.u.m.edge.Kill(s.mainPID, s.c.reloadSignal) != nil {
			s.reloadResult = "resources"
			s.u.reloadFailed = true
			s.enterRunning("success")
		}
		return nil
	}
	if !s.begin("ExecReload") {
		s.set("reload")
		s.enterRunning("success")
		return nil
	}
	s.arm(s.c.timeoutStart)
	s.runControl("reload")
	return nil
}

func (s *service) resetFailed() {
	if s.state == "failed" {
		s.set("dead")
	}
	s.result, s.reloadResult = "success", "success"
	s.restarts = 0
}

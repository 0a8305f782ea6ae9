package manager

import (
	"strconv"
	"strings"
	"syscall"
)

// mainExited is the end of the main process.
func (s *service) mainExited(p *process, cmd command, w waitResult) {
	if s.main != p {
		return
	}
	s.u.m.edge.Drain(s.u.name()) // what it wrote comes before what follows from its end
	s.main, s.mainPID = nil, 0
	s.mainRec = p.rec
	s.noteRecord(p.rec)
	s.lastExit, s.exited = w, true
	f := "success"
	if !s.c.clean(w, s.c.typ != "oneshot") {
		f = resultName(w)
	}
	if cmd.ignore {
		f = "success"
	}
	if f != "success" {
		if p.pid != 0 {
			s.u.notice("Main process %d ended, %s.", p.pid, describeExit(w))
		}
	}
	if s.result == "success" {
		s.result = f
	}
	if s.c.typ == "oneshot" && s.state == "start" && f == "success" && s.listAt+1 < len(s.list) {
		s.listAt++
		s.runMain(s.state)
		return
	}
	switch s.state {
	case "start-post", "reload", "reload-signal", "reload-notify", "stop":
		if s.state == "reload-signal" || s.state == "reload-notify" {
			s.enterRunning(f)
		}
		// else the control process comes to its end first
	case "start":
		switch s.c.typ {
		case "oneshot":
			if f == "success" {
				s.enterStartPost()
			} else {
				s.enterSignal("stop-sigterm", f)
			}
		case "notify", "notify-reload", "exec", "dbus":
			if f != "success" {
				s.enterSignal("stop-sigterm", f)
			} else if s.c.remainAfterExit || s.c.typ == "exec" {
				s.enterRunning(f)
			} else {
				s.u.notice("The service ended without saying that it is ready.")
				s.enterSignal("stop-sigterm", "protocol")
			}
		default:
			s.enterRunning(f)
		}
	case "running":
		s.enterRunning(f)
	case "stop-watchdog", "stop-sigterm", "stop-sigkill":
		if !s.control.alive() {
			s.enterStopPost(f)
		}
	case "stop-post", "final-watchdog", "final-sigterm", "final-sigkill":
		if !s.control.alive() {
			s.finalCheck(f)
		}
	}
}

// finalCheck goes on to dead when nothing is left, else waits on.
func (s *service) finalCheck(f string) {
	if strings.HasPrefix(string(s.state), "final") && s.c.kill.mode != "process" && s.c.kill.mode != "none" && len(s.u.processes()) > 0 {
		if s.result == "success" {
			s.result = f
		}
		s.u.m.wait(s.u)
		return
	}
	if s.state == "stop-post" {
		s.enterSignal("final-sigterm", f)
		return
	}
	s.enterDead(f, true)
}

// controlExited is the end of a process of ExecStartPre=, ExecStop= and so on.
func (s *service) controlExited(p *process, cmd command, w waitResult) {
	s.noteRecord(p.rec)
	if s.control != p {
		return
	}
	s.u.m.edge.Drain(s.u.name())
	s.control = nil
	f := "success"
	if !s.c.clean(w, false) {
		f = resultName(w)
	}
	if s.state == "condition" && w.code == cldExited && w.status > 0 && w.status < 255 {
		f = "exec-condition"
		s.u.condOK = false
	}
	if cmd.ignore {
		f = "success"
	}
	if f != "success" {
		if p.pid != 0 {
			s.u.notice("%s= process %d ended, %s.", cmd.setting, p.pid, describeExit(w))
		}
	}
	if f == "success" && s.listAt+1 < len(s.list) && s.list[s.listAt].setting == cmd.setting {
		s.listAt++
		s.runControl(s.state)
		return
	}
	switch s.state {
	case "condition":
		if f == "success" {
			s.enterStartPre()
		} else {
			s.enterSignal("stop-sigterm", f)
		}
	case "start-pre":
		if f == "success" {
			s.enterStart()
		} else {
			s.enterSignal("stop-sigterm", f)
		}
	case "start":
		if s.c.typ != "forking" {
			break
		}
		if f != "success" {
			s.enterSignal("stop-sigterm", f)
			break
		}
		s.forked()
	case "start-post":
		if f != "success" {
			s.enterSignal("stop-sigterm", f)
			break
		}
		s.enterRunning("success")
	case "reload":
		s.reloadResult = f
		s.u.reloadFailed = f != "success"
		if s.c.pidFile != "" && !s.main.alive() {
			_ = s.loadPIDFile()
		}
		s.enterRunning("success")
	case "stop":
		s.enterSignal("stop-sigterm", f)
	case "stop-watchdog", "stop-sigterm", "stop-sigkill":
		if !s.main.alive() {
			s.enterStopPost(f)
		}
	case "stop-post":
		s.enterSignal("final-sigterm", f)
	case "final-watchdog", "final-sigterm", "final-sigkill":
		if !s.main.alive() {
			s.finalCheck(f)
		}
	}
}

// groupEmpty: the last process of the service is gone.
func (s *service) groupEmpty() {
	switch s.state {
	case "start":
		if s.c.typ == "forking" && !s.control.alive() && s.c.pidFile != "" {
			s.enterSignal("stop-sigterm", "protocol")
		}
	case "running":
		s.enterRunning("success")
	case "stop-watchdog", "stop-sigterm", "stop-sigkill":
		if !s.main.alive() && !s.control.alive() {
			s.enterStopPost("success")
		}
	case "stop-post", "final-watchdog", "final-sigterm", "final-sigkill":
		if !s.main.alive() && !s.control.alive() {
			s.enterDead("success", true)
		}
	}
}

// elapsed is the timeout of the present step.
func (s *service) elapsed() {
	s.timer = nil
	switch s.state {
	case "condition", "start-pre", "start", "start-post":
		s.u.notice("The %s operation timed out.", s.state)
		switch s.c.startFailMode {
		case "abort":
			s.enterSignal("stop-watchdog", "timeout")
		case "kill":
			s.result = "timeout"
			s.enterSignal("stop-sigkill", "timeout")
		default:
			s.enterSignal("stop-sigterm", "timeout")
		}
	case "reload", "reload-signal", "reload-notify":
		s.u.notice("The reload timed out.")
		s.control.kill(syscall.SIGKILL)
		s.reloadResult = "timeout"
		s.u.reloadFailed = true
		s.notifyState = "ready"
		s.enterRunning("success")
	case "stop":
		s.u.notice("Stopping timed out.")
		switch s.c.stopFailMode {
		case "abort":
			s.enterSignal("stop-watchdog", "timeout")
		case "kill":
			s.enterSignal("stop-sigkill", "timeout")
		default:
			s.enterSignal("stop-sigterm", "timeout")
		}
	case "stop-sigterm":
		s.u.notice("The service did not end on SIGTERM in time.")
		switch {
		case s.c.stopFailMode == "abort":
			s.enterSignal("stop-watchdog", "timeout")
		case s.c.kill.sendSIGKILL:
			s.enterSignal("stop-sigkill", "timeout")
		default:
			s.enterStopPost("timeout")
		}
	case "stop-watchdog":
		if s.c.kill.sendSIGKILL {
			s.enterSignal("stop-sigkill", "timeout")
		} else {
			s.enterStopPost("timeout")
		}
	case "stop-sigkill":
		s.u.notice("A process is still there after SIGKILL; going on without it.")
		s.enterStopPost("timeout")
	case "stop-post":
		s.u.notice("ExecStopPost= timed out.")
		s.enterSignal("final-sigterm", "timeout")
	case "final-sigterm", "final-watchdog":
		if s.c.kill.sendSIGKILL {
			s.enterSignal("final-sigkill", "timeout")
		} else {
			s.enterDead("timeout", false)
		}
	case "final-sigkill":
		s.u.notice("A process is still there after SIGKILL; it is left behind.")
		s.enterDead("timeout", true)
	case "auto-restart":
		s.enterRestart()
	}
}

func describeExit(w waitResult) string {
	switch w.code {
	case cldExited:
		return "exit status " + strconv.Itoa(w.status) + exitName(w.status)
	case cldDumped:
		return "signal " + signalName(w.status) + ", core dumped"
	}
	return "signal " + signalName(w.status)
}

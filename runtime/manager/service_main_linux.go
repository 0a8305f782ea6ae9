package manager

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	us "github.com/unitgen/unitgen/runtime/unitstate"
)

// good reports whether the service counts as running.
func (s *service) good() bool {
	if s.nameLost {
		return false
	}
	if s.main.alive() {
		return true
	}
	if s.mainPID > 0 && s.main == nil {
		return s.u.m.edge.Alive(s.mainPID)
	}
	if s.mainPID == 0 && s.c.typ == "forking" || s.c.exitType == "cgroup" {
		n := s.u.processes()
		if len(n) > 0 {
			s.u.m.wait(s.u)
		}
		return len(n) > 0
	}
	return false
}

// forked finds the main process of a forking service whose parent is done.
func (s *service) forked() {
	if s.c.pidFile != "" {
		if err := s.loadPIDFile(); err == nil {
			s.enterStartPost()
			return
		}
		s.watchPIDFile(time.Millisecond)
		return
	}
	if s.c.guessMain {
		if l := s.u.processes(); len(l) == 1 {
			s.adoptMain(l[0])
		} else if len(l) > 1 {
			// the oldest that is not another's child leads
			for _, p := range s.u.m.orphansOf(s.u) {
				s.adoptMain(p)
				break
			}
		}
	}
	s.enterStartPost()
}

// program gives the file that ExecStart= runs.
func (s *service) program() string {
	if l := s.c.commands["ExecStart"]; len(l) > 0 {
		if p, err := filepath.EvalSymlinks(l[0].path); err == nil {
			return p
		}
	}
	return ""
}

// watchPIDFile waits for the PID file, looking again and again until the
// start times out.
func (s *service) watchPIDFile(d time.Duration) {
	m := s.u.m
	m.cancel(s.pidWatch)
	s.pidWatch = m.after(d, func() {
		s.pidWatch = nil
		if s.state != "start" {
			return
		}
		if s.loadPIDFile() == nil {
			s.enterStartPost()
			return
		}
		if len(s.u.processes()) == 0 && (s.u.group.dir != "" || len(m.strays()) == 0) {
			s.u.notice("All processes are gone and no PID file came.")
			s.enterSignal("stop-sigterm", "protocol")
			return
		}
		s.watchPIDFile(min(2*d, 100*time.Millisecond))
	})
}

func (s *service) loadPIDFile() error {
	b, err := os.ReadFile(s.c.pidFile)
	if err != nil {
		return err
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil || pid <= 1 {
		return fmt.Errorf("%s holds no process number", s.c.pidFile)
	}
	if !s.u.m.edge.Alive(pid) {
		return fmt.Errorf("process %d of %s is not there", pid, s.c.pidFile)
	}
	ours := contains2(s.u.processes(), pid)
	if !ours && s.u.group.dir == "" && contains2(s.u.m.strays(), pid) {
		// a daemon that nothing else tells of: its PID file does
		s.u.m.orphans[pid] = s.u
		ours = true
	}
	if !ours {
		return fmt.Errorf("process %d of %s does not belong to %s", pid, s.c.pidFile, s.u.name())
	}
	s.adoptMain(pid)
	return nil
}

// adoptMain makes a process that the service made itself its main process.
func (s *service) adoptMain(pid int) {
	if s.main.alive() && s.main.pid == pid {
		return
	}
	m := s.u.m
	p := m.procs[pid]
	if p == nil {
		p = &process{m: m, u: s.u, pid: pid, pidfd: -1, start: startTime(pid)}
		p.rec = us.Exec{Setting: "ExecStart", PID: pid, Start: m.now()}
		if c := s.c.commands["ExecStart"]; len(c) > 0 {
			p.rec.Path, p.rec.Argv = c[0].path, c[0].argv
		}
		m.procs[pid] = p
		delete(m.orphans, pid)
		if !contains2(m.edge.Children(), pid) {
			m.watchForeign(p)
		}
	}
	p.exited = func(w waitResult) { s.mainExited(p, command{setting: "ExecStart"}, w) }
	s.main, s.mainPID = p, pid
	s.mainRec = p.rec
	m.saver.touch(s.u)
}

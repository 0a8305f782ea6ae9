package manager

import (
	"golang.org/x/sys/unix"

	us "github.com/unitgen/unitgen/runtime/unitstate"
)

// toolRunner runs the machine's programs for units that are brought up by one:
// mount(8), swapon(8).
type toolRunner struct {
	u       *unit
	result  string
	control *process
	timer   *alarm
	rec     us.Exec
}

func (p *toolRunner) ownProcesses() []*process { return []*process{p.control} }

// run starts a program for the unit; done learns whether it ended well.
func (p *toolRunner) run(setting string, argv []string, done func(bool)) {
	cmd := command{setting: setting, path: "/bin/" + argv[0], argv: argv, literal: true}
	if !exists(cmd.path) {
		cmd.path = argv[0]
	}
	req, err := p.u.m.newRequest(p.u, newExecConfig(p.u.m, p.u.file), cmd, false)
	if err != nil {
		p.u.notice("%v", err)
		p.result = "resources"
		done(false)
		return
	}
	q := &process{rec: execRecord(cmd), control: true}
	p.control = q
	_ = p.u.m.edge.Output(p.u)
	end := func(ok bool) {
		p.rec = q.rec
		if p.control == q {
			p.control = nil
			p.u.m.cancel(p.timer)
			done(ok)
		}
	}
	q.started = func(err error) {
		if err != nil {
			p.u.notice("%v", err)
			end(false)
		}
	}
	q.exited = func(w waitResult) { end(w.code == cldExited && w.status == 0) }
	p.u.m.spawn(p.u, req, q)
	p.timer = p.u.m.after(span(p.u.file, "TimeoutSec", defaultTimeout, true), func() {
		p.u.notice("%s timed out.", argv[0])
		p.result = "timeout"
		q.kill(unix.SIGKILL)
	})
}

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
	records map[string]us.Exec // of the last run of each setting
}

func (p *toolRunner) ownProcesses() []*process { return []*process{p.control} }

// run starts a program for the unit; done learns whether it ended well.
func (p *toolRunner) run(setting string, argv []string, done func(bool)) {
	for _, dir := range []string{"/bin/", "/sbin/"} {
		if exists(dir + argv[0]) {
			argv[0] = dir + argv[0]
			break
		}
	}
	cmd := command{setting: setting, path: argv[0], argv: argv, literal: true}
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
		p.note(q.rec)
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
	p.note(q.rec)
	p.u.m.spawn(p.u, req, q)
	p.timer = p.u.m.after(span(p.u.file, "TimeoutSec", defaultTimeout, true), func() {
		p.u.notice("%s timed out.", argv[0])
		p.result = "timeout"
		q.kill(unix.SIGKILL)
	})
}

func (p *toolRunner) note(r us.Exec) {
	if p.records == nil {
		p.records = map[string]us.Exec{}
	}
	p.records[r.Setting] = r
}

// commands gives what was run for the settings, in their order.
func (p *toolRunner) commands(settings ...string) []us.Exec {
	var out []us.Exec
	for _, s := range settings {
		if r, ok := p.records[s]; ok {
			out = append(out, r)
		}
	}
	return out
}

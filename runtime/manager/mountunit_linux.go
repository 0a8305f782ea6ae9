package manager

import (
	"os"
	"strings"

	"golang.org/x/sys/unix"

	us "github.com/unitgen/unitgen/runtime/unitstate"
)

// mountUnit is the state machine of systemd.mount(5). Mounting is mount(8)'s
// work, as under systemd, and needs root.
type mountUnit struct {
	toolRunner
	state us.SubState
}

func newMount(u *unit) *mountUnit {
	return &mountUnit{toolRunner: toolRunner{u: u, result: "success"}, state: "dead"}
}

func (p *mountUnit) configure() {
	if p.state == "dead" && isMountPoint(p.where()) && p.where() == "/" {
		p.coldplug()
	}
}

// coldplug: the root directory is mounted by nature.
func (p *mountUnit) coldplug() {
	p.state = "mounted"
	p.u.setState(us.Active, "mounted")
}

func (p *mountUnit) where() string { return p.u.file.String("Where") }

func (p *mountUnit) set(s us.SubState, a us.ActiveState) {
	p.state = s
	p.u.setState(a, s)
}

func (p *mountUnit) start() error {
	if isMountPoint(p.where()) {
		p.set("mounted", us.Active)
		return nil
	}
	if os.Geteuid() != 0 {
		return us.Errorf(us.ErrNotSupported, "mounting %s needs root", p.where())
	}
	f := p.u.file
	if err := os.MkdirAll(p.where(), modeOf(f, "DirectoryMode", 0o755)); err != nil {
		return err
	}
	p.result = "success"
	argv := []string{"mount", f.String("What"), p.where()}
	if t := f.String("Type"); t != "" {
		argv = append(argv, "-t", t)
	}
	opts := f.String("Options")
	if f.Bool("SloppyOptions") {
		argv = append(argv, "-s")
	}
	if opts != "" {
		argv = append(argv, "-o", opts)
	}
	p.set("mounting", us.Activating)
	p.run("ExecMount", argv, func(ok bool) {
		switch {
		case ok && isMountPoint(p.where()):
			p.set("mounted", us.Active)
		default:
			p.die("exit-code")
		}
	})
	return nil
}

func (p *mountUnit) die(result string) {
	if p.result == "success" {
		p.result = result
	}
	if p.result == "success" {
		p.set("dead", us.Inactive)
	} else {
		p.set("failed", us.Failed)
	}
}

func (p *mountUnit) stop() error {
	if p.state == "unmounting" {
		return nil
	}
	if p.control.alive() {
		p.control.kill(unix.SIGTERM)
		return nil
	}
	if !isMountPoint(p.where()) {
		p.die("success")
		return nil
	}
	argv := []string{"umount", p.where(), "-c"}
	if p.u.file.Bool("LazyUnmount") {
		argv = append(argv, "-l")
	}
	if p.u.file.Bool("ForceUnmount") {
		argv = append(argv, "-f")
	}
	p.set("unmounting", us.Deactivating)
	p.run("ExecUnmount", argv, func(ok bool) {
		if !ok && isMountPoint(p.where()) {
			p.result = "success"
			p.set("mounted", us.Active) // still there; the job fails
			return
		}
		p.die("success")
	})
	return nil
}

func (p *mountUnit) reload() error {
	opts := strings.Trim("remount,"+p.u.file.String("Options"), ",")
	p.set("remounting", us.Reloading)
	argv := []string{"mount", p.u.file.String("What"), p.where(), "-o", opts}
	if t := p.u.file.String("Type"); t != "" {
		argv = append(argv, "-t", t)
	}
	p.run("ExecRemount", argv, func(ok bool) {
		p.u.reloadFailed = !ok
		p.set("mounted", us.Active)
	})
	return nil
}

func (p *mountUnit) startLimitHit() { p.die("start-limit-hit") }

func (p *mountUnit) resetFailed() {
	if p.state == "failed" {
		p.set("dead", us.Inactive)
	}
	p.result = "success"
}

func (p *mountUnit) status(st *us.Status) {
	f := p.u.file
	r := &us.Mount{What: f.String("What"), Where: p.where(), Type: f.String("Type"), Options: f.String("Options"), Result: p.result}
	if p.control.alive() {
		r.ControlPID = p.control.pid
	}
	r.Commands = p.commands("ExecMount", "ExecUnmount", "ExecRemount")
	st.Mount = r
}

package manager

import (
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	us "github.com/unitgen/unitgen/runtime/unitstate"
)

// swapUnit is the state machine of systemd.swap(5). swapon(8) and swapoff(8)
// do the work, as under systemd, and need root.
type swapUnit struct {
	toolRunner
	state us.SubState
}

func newSwap(u *unit) *swapUnit {
	return &swapUnit{toolRunner: toolRunner{u: u, result: "success"}, state: "dead"}
}

func (p *swapUnit) configure() {
	if p.state == "dead" && p.u.m.opt.Edge == nil && p.inUse() {
		p.coldplug()
	}
}

// coldplug: swap space that is in use is active.
func (p *swapUnit) coldplug() { p.set("active", us.Active) }

func (p *swapUnit) what() string { return p.u.file.String("What") }

// inUse looks the swap space up in /proc/swaps.
func (p *swapUnit) inUse() bool {
	b, err := os.ReadFile("/proc/swaps")
	if err != nil {
		return false
	}
	real, err := filepath.EvalSymlinks(p.what())
	if err != nil {
		real = p.what()
	}
	octal := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) > 0 && octal.Replace(f[0]) == real {
			return true
		}
	}
	return false
}

func (p *swapUnit) set(s us.SubState, a us.ActiveState) {
	p.state = s
	p.u.setState(a, s)
}

func (p *swapUnit) start() error {
	if p.inUse() {
		p.set("active", us.Active)
		return nil
	}
	if os.Geteuid() != 0 {
		return us.Errorf(us.ErrNotSupported, "using %s for swapping needs root", p.what())
	}
	p.result = "success"
	argv := []string{"swapon", "--fixpgsz"}
	opts := p.u.file.String("Options")
	if n := p.u.file.String("Priority"); n != "" && !strings.Contains(opts, "pri=") {
		argv = append(argv, "-p", n)
	}
	if opts != "" {
		argv = append(argv, "-o", opts)
	}
	p.set("activating", us.Activating)
	p.run("ExecActivate", append(argv, p.what()), func(ok bool) {
		if ok {
			p.set("active", us.Active)
			return
		}
		p.die("exit-code")
	})
	return nil
}

func (p *swapUnit) die(result string) {
	if p.result == "success" {
		p.result = result
	}
	if p.result == "success" {
		p.set("dead", us.Inactive)
	} else {
		p.set("failed", us.Failed)
	}
}

func (p *swapUnit) stop() error {
	switch {
	case p.state == "deactivating":
		return nil
	case p.control.alive():
		p.control.kill(unix.SIGTERM)
		return nil
	case !p.inUse():
		p.die("success")
		return nil
	}
	p.set("deactivating", us.Deactivating)
	p.run("ExecDeactivate", []string{"swapoff", p.what()}, func(ok bool) {
		if !ok && p.inUse() {
			p.result = "success"
			p.set("active", us.Active) // still in use; the job fails
			return
		}
		p.die("success")
	})
	return nil
}

func (p *swapUnit) reload() error { return errInapplic }

func (p *swapUnit) startLimitHit() { p.die("start-limit-hit") }

func (p *swapUnit) resetFailed() {
	if p.state == "failed" {
		p.set("dead", us.Inactive)
	}
	p.result = "success"
}

func (p *swapUnit) status(st *us.Status) {
	st.Swap = &us.Swap{What: p.what(), Result: p.result}
	if p.control.alive() {
		st.Swap.ControlPID = p.control.pid
	}
}

package manager

import (
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	us "github.com/unitgen/unitgen/runtime/unitstate"
	"github.com/unitgen/unitgen/schema/unitname"
)

// pathUnit is the state machine of systemd.path(5).
type pathUnit struct {
	u       *unit
	state   us.SubState
	result  string
	specs   []*pathSpec
	fd      int
	trigger rateLimit
}

type pathSpec struct {
	kind, path string
	existed    bool
	direct     bool // the path itself is watched, not only a directory above it
}

var pathKinds = []string{"PathExists", "PathExistsGlob", "PathChanged", "PathModified", "DirectoryNotEmpty"}

func newPath(u *unit) *pathUnit { return &pathUnit{u: u, state: "dead", result: "success", fd: -1} }

func (p *pathUnit) configure() {
	var specs []*pathSpec
	for _, a := range p.u.file.Assigned {
		if !contains(pathKinds, a.Key) {
			continue
		}
		if a.Value == "" {
			specs = nil
			continue
		}
		specs = append(specs, &pathSpec{kind: a.Key, path: filepath.Clean(a.Value)})
	}
	p.specs = specs
	p.trigger.interval = span(p.u.file, "TriggerLimitIntervalSec", 2*time.Second, false)
	p.trigger.burst = 200
	if v := p.u.file.String("TriggerLimitBurst"); v != "" {
		p.trigger.burst = atoi(v, 200)
	}
	if p.state == "waiting" {
		p.watch()
	}
}

func (p *pathUnit) coldplug() {}

func (p *pathUnit) target() string {
	if v := p.u.file.String("Unit"); v != "" {
		return v
	}
	n, i, _, at := unitname.Split(p.u.name())
	if at {
		return n + "@" + i + ".service"
	}
	return n + ".service"
}

func (p *pathUnit) set(s us.SubState, a us.ActiveState) {
	p.state = s
	p.u.setState(a, s)
}

func (p *pathUnit) start() error {
	if _, err := p.u.m.load(p.target()); err != nil {
		return err
	}
	if p.u.file.Bool("MakeDirectory") {
		for _, s := range p.specs {
			if s.kind != "PathExists" && s.kind != "PathExistsGlob" {
				_ = os.MkdirAll(s.path, modeOf(p.u.file, "DirectoryMode", 0o755))
			}
		}
	}
	p.result = "success"
	for _, s := range p.specs {
		s.existed = s.there()
	}
	p.wait(true)
	return nil
}

// there reports whether the path is as the directive wants it, for the kinds
// that look at a state and not at a change.
func (s *pathSpec) there() bool {
	switch s.kind {
	case "PathExists":
		return exists(s.path)
	case "PathExistsGlob":
		l, _ := filepath.Glob(s.path)
		return len(l) > 0
	case "DirectoryNotEmpty":
		d, err := os.ReadDir(s.path)
		return err == nil && len(d) > 0
	}
	return false
}

// wait watches; what is there already triggers at once.
func (p *pathUnit) wait(initial bool) {
	for _, s := range p.specs {
		if s.there() {
			p.fire(s)
			return
		}
	}
	p.watch()
	for _, s := range p.specs { // came between the look and the watch
		if s.there() {
			p.fire(s)
			return
		}
	}
	p.set("waiting", us.Active)
}

const watchMask = unix.IN_CREATE | unix.IN_MOVED_TO | unix.IN_MOVED_FROM | unix.IN_DELETE | unix.IN_DELETE_SELF | unix.IN_MOVE_SELF | unix.IN_ATTRIB | unix.IN_CLOSE_WRITE

// watch sets inotify up on the path and on every directory above it, for the
// path may not be there yet.
func (p *pathUnit) watch() {
	p.unwatch()
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		p.fail("resources", err)
		return
	}
	p.fd = fd
	for _, s := range p.specs {
		path := s.path
		if i := strings.IndexAny(path, "*?["); s.kind == "PathExistsGlob" && i >= 0 {
			path = filepath.Dir(path[:i+1])
		}
		mask := uint32(watchMask)
		if s.kind == "PathModified" {
			mask |= unix.IN_MODIFY
		}
		for q := path; ; q = filepath.Dir(q) {
			_, err := unix.InotifyAddWatch(fd, q, mask)
			if err == unix.ENOSPC || err == unix.EMFILE {
				p.fail("resources", err)
				return
			}
			mask = unix.IN_CREATE | unix.IN_MOVED_TO | unix.IN_DELETE_SELF | unix.IN_MOVE_SELF | unix.IN_ATTRIB | unix.IN_MASK_ADD
			s.direct = q == path && err == nil
			if err == nil || q == "/" || q == "." {
				break // the nearest that exists is enough: when something comes below it, it is set up anew
			}
		}
	}
	if err := p.u.m.edge.Watch(fd, p.event); err != nil {
		p.fail("resources", err)
	}
}

func (p *pathUnit) unwatch() {
	if p.fd >= 0 {
		p.u.m.edge.Unwatch(p.fd)
		unix.Close(p.fd)
		p.fd = -1
	}
}

// event is a change somewhere on the way to one of the paths.
func (p *pathUnit) event() {
	if p.fd < 0 || p.state != "waiting" {
		return
	}
	buf := make([]byte, 8192)
	gone := false // what was watched was removed or moved
	for {
		n, err := unix.Read(p.fd, buf)
		if n <= 0 || err != nil {
			break
		}
		for b := buf[:n]; len(b) >= unix.SizeofInotifyEvent; {
			mask := nativeEndian.Uint32(b[4:])
			gone = gone || mask&(unix.IN_DELETE_SELF|unix.IN_MOVE_SELF|unix.IN_IGNORED|unix.IN_Q_OVERFLOW) != 0
			size := unix.SizeofInotifyEvent + int(nativeEndian.Uint32(b[12:]))
			if size > len(b) {
				break
			}
			b = b[size:]
		}
	}
	again := gone
	for _, s := range p.specs {
		now := exists(s.path)
		changed := s.direct && now || now != s.existed
		again = again || !s.direct
		s.existed = now
		if (s.kind == "PathChanged" || s.kind == "PathModified") && changed || s.there() {
			p.fire(s)
			return
		}
	}
	if !again {
		p.u.m.edge.Rearm(p.fd)
		return
	}
	p.watch()
	for _, s := range p.specs { // came between the look and the new watch
		if s.there() || exists(s.path) != s.existed {
			s.existed = exists(s.path)
			p.fire(s)
			return
		}
	}
}

func (p *pathUnit) fire(s *pathSpec) {
	m := p.u.m
	if p.u.job != nil && p.u.job.typ == us.Stop || m.down != nil {
		return
	}
	if !p.trigger.allow(m.now().Monotonic) {
		p.fail("trigger-limit-hit", nil)
		return
	}
	p.unwatch()
	o, err := m.load(p.target())
	if err == nil {
		if sv, ok := o.kind.(*service); ok {
			sv.triggeredBy = p.u.name()
		}
		p.set("running", us.Active)
		_, _, err = m.enqueueInternal(us.Start, o, us.Replace)
	}
	if err != nil {
		p.u.notice("Failed to start %s: %v", p.target(), err)
		p.fail("resources", nil)
		return
	}
	if o.job == nil {
		p.triggeredChanged(o)
	}
}

// triggeredChanged: when the unit has come to rest, the path is watched again.
func (p *pathUnit) triggeredChanged(o *unit) {
	if p.state == "running" && o.active().IsInactiveOrFailed() && !o.autoRestart {
		if o.startHit {
			p.fail("unit-start-limit-hit", nil)
			return
		}
		p.u.m.post(func() {
			if p.state == "running" && o.active().IsInactiveOrFailed() && o.job == nil {
				p.wait(false)
			} else if p.state == "running" {
				p.u.m.after(10*time.Millisecond, func() { p.triggeredChanged(o) })
			}
		})
	}
	if p.state == "waiting" && o.active().IsActiveOrActivating() {
		p.unwatch()
		p.set("running", us.Active)
	}
}

func (p *pathUnit) fail(result string, err error) {
	if err != nil {
		p.u.notice("cannot watch: %v", err)
	}
	p.unwatch()
	p.result = result
	p.set("failed", us.Failed)
}

func (p *pathUnit) stop() error {
	p.unwatch()
	p.set("dead", us.Inactive)
	return nil
}

func (p *pathUnit) startLimitHit() { p.fail("start-limit-hit", nil) }
func (p *pathUnit) release()       { p.unwatch() }
func (p *pathUnit) reload() error  { return errInapplic }

func (p *pathUnit) resetFailed() {
	if p.state == "failed" {
		p.set("dead", us.Inactive)
	}
	p.result = "success"
	p.trigger.reset()
}

func (p *pathUnit) status(st *us.Status) {
	r := &us.Path{Unit: p.target(), Result: p.result}
	for _, s := range p.specs {
		r.Paths = append(r.Paths, us.PathSpec{Kind: s.kind, Path: s.path})
	}
	st.Path = r
}

package manager

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"sync"
	"time"

	"github.com/unitgen/unitgen/runtime/manager/output"
	"github.com/unitgen/unitgen/runtime/transaction"
	us "github.com/unitgen/unitgen/runtime/unitstate"
	"github.com/unitgen/unitgen/schema/load"
	"github.com/unitgen/unitgen/schema/tree"
)

// Options say what a manager runs and where.
type Options struct {
	Scope      tree.Scope
	RuntimeDir string // holds systemd/private, and %t
	StateDir   string // unitgen's state directory; holds current
	LogDir     string // what services write; StateDir/log when empty
	UnitPath   []string
	Builtin    map[string][]byte // unit files below all others
	Facts      load.Facts
	Version    string // of unitgen
	PID1       bool
	// Etc is where %E and the managed /etc files are found.
	Etc string
	// Stage is the program whose first argument runs the second stage; the
	// running program when empty.
	Stage string
	// Notice gets what the manager has to say about itself and its units.
	Notice func(unit, text string)
	// OnReload is called in daemon-reload before units are read again.
	OnReload func() error
	// OwnEtc says that /etc may be written: it is private to the manager, or
	// the manager is the container's init.
	OwnEtc bool
	// NoCgroups leaves control groups alone.
	NoCgroups bool
	// Outside knows the processes of an earlier manager that had a user
	// namespace of its own; nil where ours has none.
	Outside *Outside
	// WatchName follows the owner of a name on the message bus at an address
	// until the context ends, for Type=dbus; nil where nobody can.
	WatchName func(ctx context.Context, address, name string, told func(owned bool))
	// Edge replaces the system calls; tests set it.
	Edge Edge
	// Builtins for tests: no standard units.
	NoBuiltin bool
}

// Manager is one running manager. Make it with New, run it with Run; all other
// methods may be called from any goroutine while Run runs.
type Manager struct {
	opt    Options
	edge   Edge
	mailMu sync.Mutex
	mail   []func() // posted to the loop; without bound, so that no poster ever waits
	woken  chan struct{}
	ended  chan struct{}

	loader *load.Loader
	graph  *transaction.Graph
	units  map[string]*unit
	jobs   map[uint32]*job
	lastID uint32
	runq   []*job
	nested int // depth of state changes; the queues are worked off at 0

	timers   timerHeap
	timerSeq uint64
	clock    clock

	procs    map[int]*process
	orphans  map[int]*unit  // processes that were given to us, with their unit
	leaders  map[int]*unit  // sessions of processes that ended, with their unit
	waiting  map[*unit]bool // units that want to know when their last process ends
	inflight int
	strange  map[int]func() // exits of processes whose start is not known yet
	early    []func()       // notifications of such processes

	out    *output.Store
	subs   map[int]*subscriber
	nextID int

	env        []string
	started    us.Stamp
	loadBegin  us.Stamp
	loadEnd    us.Stamp
	finished   us.Stamp
	stopping   us.Stamp
	booting    bool
	target     string
	down       *shutdown
	exitCode   int
	installed  int
	failedJobs int
	poll       *alarm // looks for the end of processes that nobody reports
	epoch      uint64 // counts the steps of the loop
	keep       []int  // children of ours that are no service
	unneeded   map[*unit]bool
	upheld     map[*unit]bool
	bound      map[*unit]bool
	collectq   map[*unit]bool
	changed    map[*unit]bool
	changes    []*unit // those of changed, in the order of their changes
	saver      saver
	reloading  bool
	warned     map[string]bool
	everFailed map[string]bool
	fsRoot     cgroups
	noFile     uint64 // soft limit of open files that we were started with
}

// New makes a manager; nothing runs yet.
func New(opt Options) (*Manager, error) {
	if opt.Scope == "" {
		opt.Scope = tree.System
	}
	if opt.LogDir == "" {
		opt.LogDir = filepath.Join(opt.StateDir, "log")
	}
	if opt.Notice == nil {
		opt.Notice = func(string, string) {}
	}
	if !opt.NoBuiltin {
		b := StandardUnits(opt.Scope)
		for n, t := range opt.Builtin {
			b[n] = t
		}
		opt.Builtin = b
	}
	m := &Manager{
		opt: opt, woken: make(chan struct{}, 1), ended: make(chan struct{}),
		graph: transaction.NewGraph(), units: map[string]*unit{}, jobs: map[uint32]*job{},
		procs: map[int]*process{}, orphans: map[int]*unit{}, leaders: map[int]*unit{}, waiting: map[*unit]bool{}, strange: map[int]func(){},
		subs: map[int]*subscriber{}, unneeded: map[*unit]bool{}, upheld: map[*unit]bool{},
		bound: map[*unit]bool{}, collectq: map[*unit]bool{}, changed: map[*unit]bool{},
		warned: map[string]bool{}, everFailed: map[string]bool{}, booting: true,
	}
	m.clock = realClock{}
	if opt.Edge != nil {
		m.clock = opt.Edge
	}
	m.started = m.now()
	for _, d := range []string{opt.RuntimeDir, filepath.Join(opt.RuntimeDir, "systemd")} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return nil, err
		}
	}
	out, err := output.NewStore(opt.LogDir)
	if err != nil {
		return nil, fmt.Errorf("the log directory: %w", err)
	}
	m.out = out
	m.env = initialEnvironment(opt)
	m.loader = m.newLoader()
	m.edge = opt.Edge
	if m.edge == nil {
		m.noFile = inheritedNoFile()
		if m.edge, err = newKernel(m); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (m *Manager) newLoader() *load.Loader {
	return load.New(load.Options{
		Scope: m.opt.Scope, Path: m.unitPath(), Builtin: m.builtin(), Facts: m.opt.Facts,
	})
}

// Run works until a shutdown is complete, and gives the exit code.
func (m *Manager) Run(target string) int {
	m.target = target
	m.epoch++
	m.keep = append([]int(nil), m.edge.Children()...) // not of ours to end
	m.edge.Begin()
	m.dispatch(func() { m.boot(target) })
	for m.down == nil || !m.down.complete {
		m.step()
	}
	m.edge.End()
	m.saver.end(m)
	m.send(us.Event{Kind: us.ManagerEnded})
	m.out.Close()
	close(m.ended)
	return m.exitCode
}

// step does one thing: a posted function, or the timers that are due.
func (m *Manager) step() {
	var due <-chan time.Time
	var t *time.Timer
	if d, ok := m.timers.wait(m.clock); ok {
		if d <= 0 {
			m.dispatch(m.runTimers)
			return
		}
		t = time.NewTimer(d)
		due = t.C
	}
	if !m.receive() {
		select {
		case <-m.woken:
			m.receive()
		case <-due:
			m.dispatch(m.runTimers)
		}
	}
	m.flush()
	if t != nil {
		t.Stop()
	}
}

// dispatch runs a function and then what it has put into the queues.
func (m *Manager) dispatch(f func()) {
	m.epoch++
	f()
	m.settle()
}

// flush tells subscribers what changed and saves the state.
func (m *Manager) flush() {
	m.tellChanged()
	m.saver.flush(m)
}

func (m *Manager) tellChanged() {
	list := m.changes
	m.changes = m.changes[:0]
	for _, u := range list {
		if m.changed[u] { // not forgotten meanwhile
			delete(m.changed, u)
			m.send(us.Event{Kind: us.UnitChanged, Unit: u.node.Name})
		}
	}
}

// touched notes that there is something new to tell of a unit.
func (m *Manager) touched(u *unit) {
	if !m.changed[u] {
		m.changed[u] = true
		m.changes = append(m.changes, u)
	}
}

// receive runs what was posted; false when there was nothing.
func (m *Manager) receive() bool {
	m.mailMu.Lock()
	mail := m.mail
	m.mail = nil
	m.mailMu.Unlock()
	for _, f := range mail {
		m.dispatch(f)
	}
	return len(mail) > 0
}

// post hands a function to the loop without waiting for it.
func (m *Manager) post(f func()) {
	m.mailMu.Lock()
	m.mail = append(m.mail, f)
	m.mailMu.Unlock()
	select {
	case m.woken <- struct{}{}:
	default:
	}
}

// call runs a function in the loop and waits for it.
func (m *Manager) call(f func()) error {
	done := make(chan struct{})
	m.post(func() { defer close(done); f() })
	select {
	case <-done:
		return nil
	case <-m.ended:
		select {
		case <-done:
			return nil
		default:
		}
		return errEnded
	}
}

var errEnded = us.Errorf(us.ErrShuttingDown, "The manager has ended.")

func (m *Manager) now() us.Stamp { return m.clock.Now() }

// notice says something about a unit, on the manager's own output and in the
// unit's log.
func (m *Manager) notice(unit, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if unit != "" {
		m.out.Write(unit, time.UnixMicro(int64(m.now().Realtime)), "unitgen", []byte(text))
	}
	m.opt.Notice(unit, text)
}

// boot loads the default target and queues what it needs.
func (m *Manager) boot(target string) {
	m.loadBegin = m.now()
	m.fsRoot.begin(m)
	for _, n := range []string{"-.slice", "system.slice", "init.scope"} {
		if u, err := m.load(n); err == nil && u.file.State == load.Loaded {
			u.kind.coldplug()
		}
	}
	u, err := m.load(target)
	m.loadEnd = m.now()
	if err == nil {
		m.adopt()
		mode := us.Replace
		if u.node.AllowIsolate && len(m.procs) == 0 {
			mode = us.Isolate
		}
		_, _, err = m.enqueue(us.Start, u, mode)
	}
	if err != nil {
		m.notice("", "cannot start %s: %v", target, err)
		m.exitCode = 1
		m.beginShutdown(us.ShutdownExit, 1)
	}
}

// load gives a unit by name, loaded with all that it refers to.
func (m *Manager) load(name string) (*unit, error) {
	name = m.realName(name)
	if n := m.graph.Unit(name); n != nil && n.File != nil {
		return m.units[n.Name], nil
	}
	if err := checkName(name); err != nil {
		return nil, err
	}
	known := func(name string) bool { n := m.graph.Unit(name); return n != nil && n.File != nil }
	for _, f := range m.loader.Extend(known, name) {
		m.adoptFile(f)
	}
	n := m.graph.Unit(name)
	if n == nil || m.units[n.Name] == nil {
		return nil, us.Errorf(us.ErrLoadFailed, "Unit %s could not be loaded.", name)
	}
	return m.units[n.Name], nil
}

func (m *Manager) adoptFile(f *load.Unit) *unit {
	n := m.graph.Unit(f.Name)
	if n != nil && n.File != nil && m.units[n.Name] != nil {
		return m.units[n.Name]
	}
	n = m.graph.Add(f)
	u := m.units[n.Name]
	if u == nil {
		u = newUnit(m, n, f)
		m.units[n.Name] = u
		m.send(us.Event{Kind: us.UnitNew, Unit: n.Name})
	} else {
		u.file = f
	}
	u.configure()
	return u
}

// sorted gives all units by name.
func (m *Manager) sorted() []*unit {
	out := make([]*unit, 0, len(m.units))
	for _, u := range m.units {
		out = append(out, u)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].node.Name < out[j].node.Name })
	return out
}

// realName takes default.target for the target that was booted, where the tree
// has none of its own.
func (m *Manager) realName(name string) string {
	if name == "default.target" && m.target != "" {
		return m.target
	}
	return name
}

// unit gives a loaded unit by any of its names.
func (m *Manager) unit(name string) *unit {
	name = m.realName(name)
	if n := m.graph.Unit(name); n != nil {
		return m.units[n.Name]
	}
	return nil
}

// Package bustest holds a manager in memory for the tests of those who speak
// org.freedesktop.systemd1: it starts no process and reads no file, but its
// units change state, its jobs take time and end, and everybody is told.
package bustest

import (
	"maps"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/unitgen/unitgen/runtime/unitstate"
	"github.com/unitgen/unitgen/schema/unitname"
)

// Settings is a loaded unit: section, directive, values.
type Settings map[string]map[string][]string

// Values implements unitstate.Loaded.
func (s Settings) Values(section, directive string) []string { return s[section][directive] }

// Sections implements unitstate.Loaded.
func (s Settings) Sections() map[string]map[string][]string { return s }

// Fake is a manager in memory. Units whose name begins with "fail" fail to
// start, those that begin with "slow" take Delay, and "stuck" ones never end.
type Fake struct {
	Delay time.Duration

	mu        sync.Mutex
	units     map[string]*unitstate.Status
	deps      map[string]map[string][]string
	procs     map[string][]unitstate.Process
	jobs      map[uint32]*unitstate.Job
	nextJob   uint32
	env       []string
	subs      map[int]chan unitstate.Event
	nextSub   int
	Calls     []string // "Kill a.service all 15", …
	Directory string   // UnitPath
	User      bool
	state     unitstate.SystemState
}

var _ unitstate.Backend = (*Fake)(nil)

// Epoch is the instant at which a fake's units changed last: a fixed one, for
// outputs that are compared.
var Epoch = unitstate.Stamp{Realtime: 1700000000_000000, Monotonic: 5_000000}

// New makes a fake with the given units, all of them loaded.
func New(units ...*unitstate.Status) *Fake {
	f := &Fake{Delay: 30 * time.Millisecond, units: map[string]*unitstate.Status{}, deps: map[string]map[string][]string{},
		procs: map[string][]unitstate.Process{}, jobs: map[uint32]*unitstate.Job{}, nextJob: 1, subs: map[int]chan unitstate.Event{}}
	for _, u := range units {
		f.Add(u)
	}
	return f
}

// Unit makes a status of a unit with the fields that its type needs.
func Unit(name, description string, active unitstate.ActiveState, sub unitstate.SubState, settings Settings) *unitstate.Status {
	st := &unitstate.Status{Name: name, Names: []string{name}, Type: unitname.Type(name), Description: description,
		Load: unitstate.LoadLoaded, Active: active, Sub: sub, CanStart: true, CanStop: true, ConditionResult: true, AssertResult: true,
		FragmentPath: "/etc/systemd/system/" + name, Unit: settings}
	if settings == nil {
		st.Unit = Settings{}
	}
	if active != unitstate.Inactive {
		st.StateChange, st.ActiveEnter, st.InactiveExit = Epoch, Epoch, Epoch
	}
	switch st.Type {
	case "service":
		st.Service = &unitstate.Service{Type: "simple", Result: "success", UID: ^uint32(0), GID: ^uint32(0)}
		st.CanReload = len(st.Unit.Values("Service", "ExecReload")) > 0
		if active == unitstate.Failed {
			st.Service.Result = "exit-code"
		}
	case "socket":
		st.Socket = &unitstate.Socket{Result: "success"}
	case "timer":
		st.Timer = &unitstate.Timer{Result: "success"}
	case "path":
		st.Path = &unitstate.Path{Result: "success"}
	case "mount":
		st.Mount = &unitstate.Mount{Result: "success"}
	case "automount":
		st.Automount = &unitstate.Automount{Result: "success"}
	case "swap":
		st.Swap = &unitstate.Swap{Result: "success"}
	case "scope":
		st.Scope = &unitstate.Scope{Result: "success"}
	case "device":
		st.Device = &unitstate.Device{}
	case "target":
		st.CanIsolate = true
	}
	return st
}

// Add puts a unit in.
func (f *Fake) Add(u *unitstate.Status) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, n := range u.Names {
		f.units[n] = u
	}
}

// Depend adds a dependency and its inverse.
func (f *Fake) Depend(unit, kind, other string) {
	inverse := map[string]string{"Requires": "RequiredBy", "Wants": "WantedBy", "After": "Before", "Before": "After",
		"Conflicts": "ConflictedBy", "Triggers": "TriggeredBy", "BindsTo": "BoundBy", "PartOf": "ConsistsOf"}[kind]
	f.mu.Lock()
	defer f.mu.Unlock()
	add := func(a, k, b string) {
		if f.deps[a] == nil {
			f.deps[a] = map[string][]string{}
		}
		f.deps[a][k] = append(f.deps[a][k], b)
		sort.Strings(f.deps[a][k])
	}
	add(unit, kind, other)
	if inverse != "" {
		add(other, inverse, unit)
	}
}

// SetProcesses says what a unit runs.
func (f *Fake) SetProcesses(unit string, ps ...unitstate.Process) {
	f.mu.Lock()
	f.procs[unit] = ps
	f.mu.Unlock()
}

// Log gives the calls so far.
func (f *Fake) Log() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.Calls)
}

func (f *Fake) note(words ...string) { f.Calls = append(f.Calls, strings.Join(words, " ")) }

// Emit sends an event to the subscribers.
func (f *Fake) Emit(e unitstate.Event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.emit(e)
}

func (f *Fake) emit(e unitstate.Event) {
	for _, ch := range f.subs {
		ch <- e
	}
}

// Subscribe implements unitstate.Backend.
func (f *Fake) Subscribe(fn func(unitstate.Event)) func() {
	f.mu.Lock()
	id := f.nextSub
	f.nextSub++
	ch := make(chan unitstate.Event, 65536)
	f.subs[id] = ch
	f.mu.Unlock()
	go func() {
		for e := range ch {
			fn(e)
		}
	}()
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.subs[id] != nil {
			delete(f.subs, id)
			close(ch)
		}
	}
}

// Info implements unitstate.Backend.
func (f *Fake) Info() unitstate.Info {
	f.mu.Lock()
	defer f.mu.Unlock()
	i := unitstate.Info{Version: "252 (unitgen test)", Features: "+CGROUP2", Architecture: "x86-64", System: !f.User, PID: 1,
		State: f.state, DefaultTarget: "multi-user.target", Environment: slices.Clone(f.env), NJobs: len(f.jobs),
		StartTime: Epoch, FinishTime: Epoch, Progress: 1, UnitPath: []string{f.Directory},
		DefaultTimeouts: unitstate.Timeouts{Start: 90e6, Stop: 90e6, Abort: 90e6, Restart: 100e3, StartLimitInterval: 10e6, StartLimitBurst: 5}}
	if f.Directory == "" {
		i.UnitPath = []string{}
	}
	for n, u := range f.units {
		i.NNames++
		if n == u.Name && u.Active == unitstate.Failed {
			i.NFailedUnits++
		}
	}
	if i.State == "" {
		i.State = unitstate.SystemRunning
		if i.NFailedUnits > 0 {
			i.State = unitstate.SystemDegraded
		}
	}
	return i
}

// Units implements unitstate.Backend.
func (f *Fake) Units() []*unitstate.Status {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []*unitstate.Status
	for n, u := range f.units {
		if n == u.Name {
			c := *u
			out = append(out, &c)
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out
}

// Unit implements unitstate.Backend.
func (f *Fake) Unit(name string) (*unitstate.Status, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if u := f.units[name]; u != nil {
		c := *u
		return &c, nil
	}
	return nil, unitstate.NoSuchUnit(name)
}

// LoadUnit implements unitstate.Backend.
func (f *Fake) LoadUnit(name string) (*unitstate.Status, error) {
	if !unitname.Valid(name) || unitname.IsTemplate(name) {
		return nil, unitstate.Errorf(unitstate.ErrInvalidArgs, "Unit name %s is not valid.", name)
	}
	if u, err := f.Unit(name); err == nil {
		return u, nil
	}
	u := Unit(name, name, unitstate.Inactive, "dead", nil)
	u.Load, u.FragmentPath = unitstate.LoadNotFound, ""
	u.LoadErrName, u.LoadErr = unitstate.ErrNoSuchUnit, "Unit "+name+" not found."
	return u, nil
}

// UnitByPID implements unitstate.Backend.
func (f *Fake) UnitByPID(pid int) (*unitstate.Status, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, n := range slices.Sorted(maps.Keys(f.procs)) {
		for _, p := range f.procs[n] {
			if p.PID == pid {
				c := *f.units[n]
				return &c, nil
			}
		}
	}
	return nil, unitstate.Errorf(unitstate.ErrNoUnitForPID, "PID %d does not belong to any loaded unit.", pid)
}

// UnitByInvocation implements unitstate.Backend.
func (f *Fake) UnitByInvocation(id unitstate.InvocationID) (*unitstate.Status, error) {
	for _, u := range f.Units() {
		if u.Invocation == id && !id.IsZero() {
			return u, nil
		}
	}
	return nil, unitstate.Errorf(unitstate.ErrNoUnitForInvocationID, "No unit with the specified invocation ID %s known.", id)
}

// UnitByControlGroup implements unitstate.Backend.
func (f *Fake) UnitByControlGroup(path string) (*unitstate.Status, error) {
	for _, u := range f.Units() {
		if u.ControlGroup != "" && u.ControlGroup == path {
			return u, nil
		}
	}
	return nil, unitstate.Errorf(unitstate.ErrNoSuchUnit, "Control group '%s' is not valid or not managed by this instance", path)
}

// Dependencies implements unitstate.Backend.
func (f *Fake) Dependencies(name string) (map[string][]string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := map[string][]string{}
	for k, v := range f.deps[name] {
		out[k] = slices.Clone(v)
	}
	return out, nil
}

// Resources implements unitstate.Backend.
func (f *Fake) Resources(string) (unitstate.Resources, error) {
	const u = unitstate.Unknown
	return unitstate.Resources{MemoryCurrent: 1 << 20, MemoryPeak: u, MemorySwap: u, TasksCurrent: 2, CPUUsageNSec: 12e6,
		IOReadBytes: u, IOWriteBytes: u, IPIngressBytes: u, IPEgressBytes: u}, nil
}

// Processes implements unitstate.Backend.
func (f *Fake) Processes(name string) ([]unitstate.Process, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.procs[name]), nil
}

package manager

import (
	"os"
	"path/filepath"
	"sort"
	"strings"
	"syscall"
	"unicode/utf8"

	"github.com/unitgen/unitgen/runtime/transaction"
	us "github.com/unitgen/unitgen/runtime/unitstate"
	"github.com/unitgen/unitgen/schema/load"
	"github.com/unitgen/unitgen/schema/specifier"
	"github.com/unitgen/unitgen/schema/value"
)

var _ us.Backend = (*Manager)(nil)

// ask runs a question in the loop and gives its answer.
func ask[T any](m *Manager, f func() (T, error)) (T, error) {
	var out T
	var err error
	if e := m.call(func() { out, err = f() }); e != nil {
		return out, e
	}
	return out, err
}

func do(m *Manager, f func() error) error {
	_, err := ask(m, func() (struct{}, error) { return struct{}{}, f() })
	return err
}

// Info describes the manager.
func (m *Manager) Info() us.Info {
	i, _ := ask(m, func() (us.Info, error) {
		i := us.Info{
			Version: versionString(m.opt.Version), Features: m.features(), Architecture: specifier.Architecture(),
			System: m.isSystem(), PID: os.Getpid(), PID1: m.opt.PID1, State: m.state(), DefaultTarget: m.target,
			UnitPath: m.loader.Path(), Environment: append([]string(nil), m.env...), RuntimeDir: m.opt.RuntimeDir,
			StateDir: m.opt.StateDir, ControlGroup: m.fsRoot.base, NJobs: len(m.jobs), NInstalledJobs: m.installed,
			NFailedJobs: m.failedJobs, ExitCode: m.exitCode, StartTime: m.started, UnitsLoadStart: m.loadBegin,
			UnitsLoadFinish: m.loadEnd, FinishTime: m.finished, ShutdownStart: m.stopping, NotApplied: map[string][]string{},
			DefaultTimeouts: us.Timeouts{Start: usec(defaultTimeout), Stop: usec(defaultTimeout), Abort: usec(defaultTimeout),
				Restart: 100000, StartLimitInterval: 10000000, StartLimitBurst: 5},
			ServiceWatchdogs: true, ReloadingOngoing: m.reloading, Progress: 1,
		}
		if t, err := filepath.EvalSymlinks(filepath.Join(m.opt.StateDir, "current")); err == nil {
			i.Tree = t
		}
		for _, u := range m.units {
			i.NNames += len(u.file.Names)
			if u.active() == us.Failed {
				i.NFailedUnits++
			}
			if len(u.notApplied) > 0 {
				i.NotApplied[u.name()] = u.notApplied
			}
		}
		if n := m.installed; n > 0 && len(m.jobs) > 0 {
			i.Progress = 1 - float64(len(m.jobs))/float64(n)
		}
		return i, nil
	})
	return i
}

func (m *Manager) features() string {
	f := "-PAM -AUDIT -SELINUX -APPARMOR -IMA -SECCOMP -GCRYPT -TPM2"
	if haveSeccomp() {
		f = strings.Replace(f, "-SECCOMP", "+SECCOMP", 1)
	}
	if m.fsRoot.ok() {
		return f + " +CGROUP2 default-hierarchy=unified"
	}
	return f + " -CGROUP2 default-hierarchy=none"
}

func (m *Manager) state() us.SystemState {
	switch {
	case m.down != nil:
		return us.SystemStopping
	case m.booting:
		return us.SystemStarting
	}
	for _, n := range []string{"rescue.target", "emergency.target"} {
		if u := m.unit(n); u != nil && u.active().IsActiveOrActivating() {
			return us.SystemMaintenance
		}
	}
	for _, u := range m.units {
		if u.active() == us.Failed {
			return us.SystemDegraded
		}
	}
	return us.SystemRunning
}

// Units gives all loaded units.
func (m *Manager) Units() []*us.Status {
	out, _ := ask(m, func() ([]*us.Status, error) {
		var out []*us.Status
		for _, u := range m.sorted() {
			out = append(out, u.snapshot())
		}
		return out, nil
	})
	return out
}

// Unit gives a loaded unit.
func (m *Manager) Unit(name string) (*us.Status, error) {
	return ask(m, func() (*us.Status, error) {
		u := m.unit(name)
		if u == nil {
			return nil, us.NoSuchUnit(name)
		}
		st := u.snapshot()
		st.NeedDaemonReload = st.NeedDaemonReload || u.dropInsChanged()
		return st, nil
	})
}

// LoadUnit loads a unit if need be.
func (m *Manager) LoadUnit(name string) (*us.Status, error) {
	return ask(m, func() (*us.Status, error) {
		u, err := m.load(name)
		if err != nil {
			return nil, err
		}
		st := u.snapshot()
		st.NeedDaemonReload = st.NeedDaemonReload || u.dropInsChanged()
		return st, nil
	})
}

// UnitByPID gives the unit that a process belongs to.
func (m *Manager) UnitByPID(pid int) (*us.Status, error) {
	return ask(m, func() (*us.Status, error) {
		if pid == os.Getpid() {
			if u := m.unit("init.scope"); u != nil {
				return u.snapshot(), nil
			}
		}
		if u := m.ownerOf(pid); u != nil {
			return u.snapshot(), nil
		}
		return nil, us.Errorf(us.ErrNoUnitForPID, "PID %d does not belong to any loaded unit.", pid)
	})
}

// ownerOf follows a process up to one whose unit is known.
func (m *Manager) ownerOf(pid int) *unit {
	for p, n := pid, 0; p > 1 && n < 64; n++ {
		if pr := m.procs[p]; pr != nil {
			return pr.u
		}
		if u := m.orphans[p]; u != nil {
			return u
		}
		f := statFields(p)
		if len(f) < 2 {
			return nil
		}
		parent := atoi(f[1], 0)
		if parent == os.Getpid() {
			return m.attribute(p)
		}
		p = parent
	}
	return nil
}

// UnitByInvocation gives the unit of an activation.
func (m *Manager) UnitByInvocation(id us.InvocationID) (*us.Status, error) {
	return ask(m, func() (*us.Status, error) {
		for _, u := range m.units {
			if !id.IsZero() && u.invocation == id {
				return u.snapshot(), nil
			}
		}
		return nil, us.Errorf(us.ErrNoUnitForInvocationID, "No unit with the specified invocation ID %s known.", id)
	})
}

// UnitByControlGroup gives the unit of a control group.
func (m *Manager) UnitByControlGroup(path string) (*us.Status, error) {
	return ask(m, func() (*us.Status, error) {
		for p := filepath.Clean(path); p != "/" && p != "."; p = filepath.Dir(p) {
			for _, u := range m.units {
				if u.group.path == p {
					return u.snapshot(), nil
				}
			}
		}
		return nil, us.Errorf(us.ErrNoSuchUnit, "Control group %s is not of any loaded unit.", path)
	})
}

// Dependencies gives all edges of a unit.
func (m *Manager) Dependencies(name string) (map[string][]string, error) {
	return ask(m, func() (map[string][]string, error) {
		u, err := m.load(name)
		if err != nil {
			return nil, err
		}
		out := map[string][]string{}
		for _, t := range transaction.AllDepTypes() {
			for _, d := range u.node.Deps(t) {
				n := t.String()
				if t == transaction.InSlice {
					n = "Slice"
				}
				out[n] = append(out[n], d.Name)
			}
		}
		if v := u.file.Strings("RequiresMountsFor"); len(v) > 0 {
			out["RequiresMountsFor"] = words(v)
		}
		return out, nil
	})
}

func (m *Manager) withUnit(name string, f func(*unit) error) error {
	return do(m, func() error {
		u := m.unit(name)
		if u == nil {
			return us.NoSuchUnit(name)
		}
		return f(u)
	})
}

// withKnown is withUnit for a unit that has a file, runs, or has a job: not for
// one that others merely name.
func (m *Manager) withKnown(name string, refusal func(string) *us.Error, f func(*unit) error) error {
	return m.withUnit(name, func(u *unit) error {
		if u.file.State == load.NotFound && u.active().IsInactiveOrFailed() && u.active() != us.Failed && u.job == nil {
			return refusal(u.name())
		}
		return f(u)
	})
}

func notFound(name string) *us.Error {
	return us.Errorf(us.ErrNoSuchUnit, "Unit %s not found.", name)
}

// Resources gives what the kernel counts.
func (m *Manager) Resources(name string) (r us.Resources, err error) {
	err = m.withUnit(name, func(u *unit) error {
		r = u.group.resources()
		if r.TasksCurrent == us.Unknown && u.typ == "service" && !u.active().IsInactiveOrFailed() {
			r.TasksCurrent = uint64(len(u.processes()))
		}
		return nil
	})
	return r, err
}

// Processes lists a unit's processes.
func (m *Manager) Processes(name string) (out []us.Process, err error) {
	err = m.withUnit(name, func(u *unit) error {
		pids := u.processes()
		sort.Ints(pids)
		for _, pid := range pids {
			b, _ := os.ReadFile("/proc/" + itoa(pid) + "/cmdline")
			cmd := strings.TrimSpace(strings.ReplaceAll(string(b), "\x00", " "))
			if cmd == "" {
				c, _ := os.ReadFile("/proc/" + itoa(pid) + "/comm")
				cmd = "(" + strings.TrimSpace(string(c)) + ")"
			}
			out = append(out, us.Process{ControlGroup: u.group.path, PID: pid, Command: cmd})
		}
		return nil
	})
	return out, err
}

// Attach moves processes into a unit.
func (m *Manager) Attach(name, sub string, pids []int) error {
	return m.withUnit(name, func(u *unit) error {
		if u.active().IsInactiveOrFailed() {
			return us.Errorf(us.ErrUnitInactive, "Can't attach processes to unit %s, it is not active.", u.name())
		}
		for _, pid := range pids {
			if !m.edge.Alive(pid) {
				return us.Errorf(us.ErrNoSuchProcess, "Process %d does not exist.", pid)
			}
			u.group.attach(u, pid)
			m.orphans[pid] = u
		}
		return nil
	})
}

// Enqueue queues a request.
func (m *Manager) Enqueue(t us.JobType, name string, mode us.JobMode) (us.Job, error) {
	j, _, err := m.EnqueueAffected(t, name, mode)
	return j, err
}

// EnqueueAffected queues a request and tells what else it does.
func (m *Manager) EnqueueAffected(t us.JobType, name string, mode us.JobMode) (us.Job, []us.Job, error) {
	type answer struct {
		j   us.Job
		all []us.Job
	}
	a, err := ask(m, func() (answer, error) {
		u, err := m.load(name)
		if err != nil {
			return answer{}, err
		}
		if t == us.Start || t == us.Restart {
			u.startHit = u.startHit && u.active() == us.Failed && u.limit.count > u.limit.burst
		}
		j, all, err := m.enqueue(t, u, mode)
		if err != nil {
			return answer{}, err
		}
		a := answer{j: j.public()}
		for _, o := range all {
			a.all = append(a.all, o.public())
		}
		return a, nil
	})
	return a.j, a.all, err
}

// Jobs gives all jobs, by number.
func (m *Manager) Jobs() []us.Job {
	out, _ := ask(m, func() ([]us.Job, error) {
		var out []us.Job
		for _, j := range m.jobs {
			out = append(out, j.public())
		}
		sort.Slice(out, func(i, k int) bool { return out[i].ID < out[k].ID })
		return out, nil
	})
	return out
}

func noSuchJob(id uint32) error { return us.Errorf(us.ErrNoSuchJob, "Job %d does not exist.", id) }

// Job gives one job.
func (m *Manager) Job(id uint32) (us.Job, error) {
	return ask(m, func() (us.Job, error) {
		if j := m.jobs[id]; j != nil {
			return j.public(), nil
		}
		return us.Job{}, noSuchJob(id)
	})
}

// JobsAround gives the jobs that a job waits for and that wait for it.
func (m *Manager) JobsAround(id uint32) (waitsFor, waitedForBy []us.Job, err error) {
	err = do(m, func() error {
		j := m.jobs[id]
		if j == nil {
			return noSuchJob(id)
		}
		look := func(t transaction.DepType, after bool) {
			for _, d := range j.u.node.Deps(t) {
				o := m.units[d.Name]
				if o == nil || o.job == nil || j.ignoreOrder || o.job.ignoreOrder {
					continue
				}
				first := after && !transaction.RunsAfter(o.job.typ, j.typ) || !after && transaction.RunsAfter(j.typ, o.job.typ)
				if first {
					waitsFor = append(waitsFor, o.job.public())
				} else {
					waitedForBy = append(waitedForBy, o.job.public())
				}
			}
		}
		look(transaction.After, true)
		look(transaction.Before, false)
		return nil
	})
	return waitsFor, waitedForBy, err
}

// CancelJob takes a job out of the queue.
func (m *Manager) CancelJob(id uint32) error {
	return do(m, func() error {
		j := m.jobs[id]
		if j == nil {
			return noSuchJob(id)
		}
		m.finish(j, us.JobCanceled, true)
		return nil
	})
}

// ClearJobs takes all jobs out of the queue.
func (m *Manager) ClearJobs() {
	_ = m.call(func() {
		for _, j := range m.jobs {
			m.finish(j, us.JobCanceled, false)
		}
	})
}

// Kill signals a unit's processes.
func (m *Manager) Kill(name string, whom us.Whom, signal int) error {
	return m.withKnown(name, us.NoSuchUnit, func(u *unit) error {
		sig := syscall.Signal(signal)
		if signal < 0 || signal > 64 {
			return us.Errorf(us.ErrInvalidArgs, "Signal number out of range.")
		}
		var main, control *process
		switch k := u.kind.(type) {
		case *service:
			main, control = k.main, k.control
		case *socket:
			control = k.control
		case *mountUnit:
			control = k.control
		}
		must := strings.HasSuffix(string(whom), "-fail")
		hit := false
		switch us.Whom(strings.TrimSuffix(string(whom), "-fail")) {
		case us.WhomMain:
			if u.typ != "service" {
				return us.Errorf(us.ErrNoSuchProcess, "Unit type %s has no main process", u.typ)
			}
			if !main.alive() {
				return us.Errorf(us.ErrNoSuchProcess, "No main process to kill")
			}
			hit = main.kill(sig)
		case us.WhomControl:
			if !control.alive() {
				return us.Errorf(us.ErrNoSuchProcess, "No control process to kill")
			}
			hit = control.kill(sig)
		default:
			hit = u.killMode("control-group", sig, false, false, main, control)
		}
		if must && !hit {
			return us.Errorf(us.ErrNoSuchProcess, "No matching processes to kill")
		}
		return nil
	})
}

// ResetFailed forgets failures.
func (m *Manager) ResetFailed(name string) error {
	if name == "" {
		return do(m, func() error {
			for _, u := range m.sorted() {
				u.reset()
			}
			return nil
		})
	}
	return m.withKnown(name, us.NoSuchUnit, func(u *unit) error { u.reset(); return nil })
}

func (u *unit) reset() {
	u.limit.reset()
	u.startHit = false
	u.kind.resetFailed()
	u.m.collectq[u] = true
}

// Clean removes directories of a unit that is down.
func (m *Manager) Clean(name string, what []string) error {
	return m.withKnown(name, notFound, func(u *unit) error {
		var c *execConfig
		switch k := u.kind.(type) {
		case *timerUnit:
			if u.file.Bool("Persistent") && u.active().IsInactiveOrFailed() && u.job == nil && (contains(what, "state") || contains(what, "all")) {
				_ = os.Remove(k.stampFile())
				return nil
			}
		case *service:
			c = k.c.exec
		case *socket:
			c = k.exec
		}
		if c == nil {
			return us.Errorf(us.ErrNotSupported, "Unit '%s' does not supporting cleaning.", u.name())
		}
		if !u.active().IsInactiveOrFailed() || u.job != nil {
			return us.Errorf(us.ErrUnitBusy, "Unit is not inactive or has pending job.")
		}
		dirs := c.dirsToClean(what)
		if len(dirs) == 0 {
			return us.Errorf(us.ErrNothingToClean, "No matching resources found.")
		}
		for _, d := range dirs {
			if err := os.RemoveAll(d); err != nil {
				return us.Errorf(us.ErrFailed, "%v", err)
			}
		}
		return nil
	})
}

// Freeze stops all processes of a unit where they are.
func (m *Manager) Freeze(name string) error { return m.freeze(name, true) }

// Thaw lets them go on.
func (m *Manager) Thaw(name string) error { return m.freeze(name, false) }

func (m *Manager) freeze(name string, on bool) error {
	return m.withKnown(name, notFound, func(u *unit) error {
		if !u.active().IsActiveOrReloading() {
			return us.Errorf(us.ErrUnitInactive, "Unit is not active.")
		}
		if err := u.group.freeze(on); err != nil {
			return err
		}
		u.frozen = on
		m.touched(u)
		return nil
	})
}

// Ref keeps a unit loaded.
func (m *Manager) Ref(name string) error {
	return m.withKnown(name, notFound, func(u *unit) error { u.refs++; return nil })
}

// Unref lets a unit go again.
func (m *Manager) Unref(name string) error {
	return m.withUnit(name, func(u *unit) error {
		u.refs = max(0, u.refs-1)
		m.collectq[u] = true
		return nil
	})
}

// SetEnvironment adds to the manager's environment block.
func (m *Manager) SetEnvironment(assignments []string) error {
	for _, a := range assignments {
		if n, v, ok := strings.Cut(a, "="); !ok || !value.ValidEnvName(n) || strings.ContainsRune(v, 0) || !utf8.ValidString(v) {
			return us.Errorf(us.ErrInvalidArgs, "Invalid environment assignments")
		}
	}
	return do(m, func() error {
		for _, a := range assignments {
			m.env = setEnv(m.env, a)
		}
		return nil
	})
}

// UnsetEnvironment removes from it.
func (m *Manager) UnsetEnvironment(names []string) error {
	for _, a := range names {
		if n, _, _ := strings.Cut(a, "="); !value.ValidEnvName(n) {
			return us.Errorf(us.ErrInvalidArgs, "Invalid environment variable names or assignments")
		}
	}
	return do(m, func() error {
		var keep []string
		for _, e := range m.env {
			n, _, _ := strings.Cut(e, "=")
			if !contains(names, n) && !contains(names, e) {
				keep = append(keep, e)
			}
		}
		m.env = keep
		return nil
	})
}

// Shutdown begins to stop everything.
func (m *Manager) Shutdown(kind us.ShutdownKind, code int) error {
	return do(m, func() error { m.beginShutdown(kind, code); return nil })
}

// SetExitCode is what the manager ends with.
func (m *Manager) SetExitCode(code int) error {
	return do(m, func() error { m.exitCode = code; return nil })
}

// Logs gives the files that hold a unit's output.
func (m *Manager) Logs(name string) ([]string, error) {
	return ask(m, func() ([]string, error) {
		if u := m.unit(name); u != nil {
			name = u.name()
		}
		return m.out.Files(name), nil
	})
}

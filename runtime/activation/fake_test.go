package activation

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/godbus/dbus/v5"

	"github.com/unitgen/unitgen/emit"
	"github.com/unitgen/unitgen/emit/store"
	"github.com/unitgen/unitgen/internal/durable"
	"github.com/unitgen/unitgen/runtime/bus"
	"github.com/unitgen/unitgen/runtime/generation"
	"github.com/unitgen/unitgen/schema/diag"
	"github.com/unitgen/unitgen/schema/tree"
	"github.com/unitgen/unitgen/schema/unitfile"
)

// killed is what a test panics with where a process would get SIGKILL.
type killed struct{}

// world counts every operation on files and every call of a manager, and ends
// the switch before the operation number at.
type world struct {
	n, at int
	trace []string
}

func (w *world) step(what string) {
	w.n++
	w.trace = append(w.trace, what)
	if w.at > 0 && w.n == w.at {
		panic(killed{})
	}
}

func (w *world) fs() durable.FS {
	return durable.Hooked{FS: unsynced{durable.OS}, Before: func(o durable.Op) error {
		w.step(o.Name + " " + filepath.Base(o.Path))
		return nil
	}}
}

// unsynced spares the disk: nothing cuts the power of the machine here.
type unsynced struct{ durable.FS }

func (unsynced) Sync(string) error             { return nil }
func (unsynced) SyncTree(string) (bool, error) { return true, nil }

// fakeManager is a manager whose services run the text of their unit file as
// it was loaded when they started. A unit whose file says FAIL fails.
type fakeManager struct {
	w       *world
	dir     string            // its load path
	loaded  map[string]string // unit -> text
	running map[string]string // unit -> text it was started with
	failed  map[string]bool
	starts  map[string]int
	next    uint32
	results map[uint32]string
}

func newFake(w *world, dir string) *fakeManager {
	m := &fakeManager{w: w, dir: dir, loaded: map[string]string{}, running: map[string]string{}, failed: map[string]bool{}, starts: map[string]int{}, results: map[uint32]string{}}
	m.load()
	m.running["multi-user.target"] = ""
	return m
}

func (m *fakeManager) load() {
	m.loaded = map[string]string{}
	files, _ := filepath.Glob(filepath.Join(m.dir, "*.service"))
	for _, f := range files {
		if b, err := os.ReadFile(f); err == nil {
			m.loaded[filepath.Base(f)] = string(b)
		}
	}
}

func (m *fakeManager) ListUnits(context.Context) ([]bus.UnitStatus, error) {
	m.w.step("ListUnits")
	var out []bus.UnitStatus
	for u := range m.running {
		out = append(out, bus.UnitStatus{Name: u, LoadState: "loaded", ActiveState: "active", SubState: "running"})
	}
	for u := range m.failed {
		out = append(out, bus.UnitStatus{Name: u, LoadState: "loaded", ActiveState: "failed", SubState: "failed"})
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out, nil
}

func (m *fakeManager) Reload(context.Context) error { m.w.step("Reload"); m.load(); return nil }

func (m *fakeManager) job(verb, unit, result string) (bus.Job, error) {
	m.next++
	m.results[m.next] = result
	return bus.Job{ID: m.next, Unit: unit, Verb: verb, Path: dbus.ObjectPath(fmt.Sprintf("/job/%d", m.next))}, nil
}

func (m *fakeManager) start(unit string) string {
	text, ok := m.loaded[unit]
	if !ok {
		return "failed"
	}
	if _, up := m.running[unit]; up {
		return "done"
	}
	m.starts[unit]++
	if strings.Contains(text, "FAIL") {
		m.failed[unit] = true
		return "failed"
	}
	delete(m.failed, unit)
	m.running[unit] = text
	return "done"
}

func (m *fakeManager) StartUnit(_ context.Context, unit, _ string) (bus.Job, error) {
	m.w.step("start " + unit)
	if _, ok := m.loaded[unit]; !ok {
		return bus.Job{}, &bus.Error{Name: "org.freedesktop.systemd1.NoSuchUnit", Message: "Unit " + unit + " not found."}
	}
	return m.job("start", unit, m.start(unit))
}

func (m *fakeManager) StopUnit(_ context.Context, unit, _ string) (bus.Job, error) {
	m.w.step("stop " + unit)
	if _, up := m.running[unit]; !up {
		if _, ok := m.loaded[unit]; !ok {
			return bus.Job{}, &bus.Error{Name: "org.freedesktop.systemd1.NoSuchUnit", Message: "Unit " + unit + " not loaded."}
		}
	}
	delete(m.running, unit)
	return m.job("stop", unit, "done")
}

func (m *fakeManager) RestartUnit(_ context.Context, unit, _ string) (bus.Job, error) {
	m.w.step("restart " + unit)
	delete(m.running, unit)
	return m.job("restart", unit, m.start(unit))
}

func (m *fakeManager) ReloadOrRestartUnit(_ context.Context, unit, _ string) (bus.Job, error) {
	m.w.step("reload " + unit)
	if _, up := m.running[unit]; !up {
		return m.job("reload", unit, "failed")
	}
	m.running[unit] = m.loaded[unit]
	return m.job("reload", unit, "done")
}

func (m *fakeManager) WaitJobs(_ context.Context, jobs ...bus.Job) ([]bus.JobResult, error) {
	m.w.step("WaitJobs")
	var out []bus.JobResult
	for _, j := range jobs {
		out = append(out, bus.JobResult{Job: j, Result: m.results[j.ID]})
	}
	return out, nil
}

func (m *fakeManager) CancelJob(context.Context, uint32) error { return nil }

func (m *fakeManager) ResetFailed(_ context.Context, units ...string) error {
	for _, u := range units {
		delete(m.failed, u)
	}
	return nil
}

func (m *fakeManager) GetUnitProperty(context.Context, string, string) (any, error) {
	return "", fmt.Errorf("no such property")
}

// makeTree builds a tree of services (name -> ExecStart; "!" in front asks for
// X-StopIfChanged=false, "~" for a reload) and files into the store.
func makeTree(t testing.TB, state string, services, files map[string]string) string {
	t.Helper()
	tr := &tree.Tree{Host: "h", Systemd: 252}
	for name, exec := range services {
		f := &unitfile.File{}
		add := func(section, key, value string) {
			if err := f.Add(section, key, value, diag.Range{}); err != nil {
				t.Fatal(err)
			}
		}
		if v, ok := strings.CutPrefix(exec, "~"); ok {
			add("Unit", "X-Reload-Triggers", v)
			add("Service", "ExecReload", "/bin/true")
			exec = "/bin/reloads"
		}
		if v, ok := strings.CutPrefix(exec, "!"); ok {
			add("Service", "X-StopIfChanged", "false")
			exec = v
		}
		add("Service", "ExecStart", exec)
		add("Install", "WantedBy", "multi-user.target")
		tr.Units = append(tr.Units, &tree.Unit{Name: name, Scope: tree.System, File: f})
	}
	for path, text := range files {
		real := strings.HasPrefix(text, "real ")
		tr.Files = append(tr.Files, &tree.File{Path: path, Content: []byte(text), Real: real})
	}
	img, diags := emit.Render(tr, emit.Options{})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	st, err := store.OpenFS(state, unsynced{durable.OS}).Put(img)
	if err != nil {
		t.Fatal(err)
	}
	return st.Path
}

func create(t testing.TB, s *generation.State, treePath string) int {
	t.Helper()
	g, err := s.Create(treePath)
	if err != nil {
		t.Fatal(err)
	}
	return g.Number
}

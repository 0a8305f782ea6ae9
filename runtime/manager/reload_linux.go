package manager

import (
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	"github.com/unitgen/unitgen/runtime/transaction"
	us "github.com/unitgen/unitgen/runtime/unitstate"
	"github.com/unitgen/unitgen/schema/directive"
	"github.com/unitgen/unitgen/schema/load"
	"github.com/unitgen/unitgen/schema/unitname"
)

// Reload is daemon-reload: all unit files are read again. What runs goes on,
// with its new settings from its next start on; jobs stay queued. A unit whose
// file is gone keeps its old settings until it is down.
func (m *Manager) Reload() error {
	return do(m, func() error {
		m.send(us.Event{Kind: us.ReloadBegin})
		defer m.send(us.Event{Kind: us.ReloadEnd})
		if m.opt.OnReload != nil {
			if err := m.opt.OnReload(); err != nil {
				m.notice("", "while reloading: %v", err)
			}
		}
		m.reloadUnits()
		go debug.FreeOSMemory()
		return nil
	})
}

// Reexecute is daemon-reexec. The running program cannot be replaced without
// giving up the sockets' watchers and timers; reading everything again is what
// it is asked for most.
func (m *Manager) Reexecute() error { return m.Reload() }

func (m *Manager) reloadUnits() {
	m.reloading = true
	m.loadBegin = m.now()
	old := m.units
	m.loader = m.newLoader()
	m.graph = transaction.NewGraph()
	m.units = make(map[string]*unit, len(old))

	names := []string{m.target, "-.slice", "system.slice", "init.scope"}
	keep := map[string]*unit{}
	for n, u := range old {
		if !u.active().IsInactiveOrFailed() || u.active() == us.Failed || u.job != nil || u.refs > 0 {
			keep[n] = u
			names = append(names, n)
		}
	}
	var valid []string
	for _, n := range names {
		if checkName(n) == nil {
			valid = append(valid, n)
		}
	}
	for _, f := range m.loader.Closure(valid...) {
		u := old[f.Name]
		for _, n := range f.Names {
			if u == nil {
				u = keep[n] // known by what is an alias now
			}
		}
		if u == nil {
			n := m.graph.Add(f)
			u = newUnit(m, n, f)
			m.units[n.Name] = u
			u.configure()
			m.send(us.Event{Kind: us.UnitNew, Unit: n.Name})
			continue
		}
		m.rebind(u, f)
	}
	for n, u := range keep { // never lose what runs
		if m.units[n] == nil && m.graph.Unit(n) == nil {
			m.rebind(u, u.file)
		}
	}
	for n := range old {
		if m.units[n] == nil && m.graph.Unit(n) == nil {
			m.send(us.Event{Kind: us.UnitRemoved, Unit: n})
		}
	}
	m.loadEnd = m.now()
	m.reloading = false
	for _, u := range m.units {
		if u.job != nil {
			m.wake(u.job)
		}
		m.touched(u)
	}
}

// rebind gives a unit that is known its new file and its place in the new
// graph.
func (m *Manager) rebind(u *unit, f *load.Unit) {
	gone := f.State == load.NotFound && !u.active().IsInactiveOrFailed()
	if gone {
		f = u.file
	}
	active, job := u.node.Active, u.node.Job
	n := m.graph.Add(f)
	n.Active, n.Job = active, job
	if gone {
		n.Load = us.LoadNotFound
	}
	u.node, u.file = n, f
	m.units[n.Name] = u
	u.configure()
	if !u.active().IsInactiveOrFailed() {
		m.saver.touch(u) // with its new definition
	}
	if !u.active().IsInactiveOrFailed() && u.group.dir != "" {
		u.group.limits(u)
	}
}

func (m *Manager) transientDir() string {
	return filepath.Join(m.opt.RuntimeDir, "systemd", "transient")
}
func (m *Manager) controlDir() string {
	return filepath.Join(m.opt.RuntimeDir, "systemd", m.scopeName()+".control")
}

func (m *Manager) scopeName() string {
	if m.isSystem() {
		return "system"
	}
	return "user"
}

// unitPath is the load path: the runtime directory's own places around the
// directories of the tree.
func (m *Manager) unitPath() []string {
	r := filepath.Join(m.opt.RuntimeDir, "systemd")
	out := []string{m.controlDir(), m.transientDir()}
	out = append(out, m.opt.UnitPath...)
	return append(out, filepath.Join(r, m.scopeName()))
}

// builtin gives the unit files below all others: the standard units, and those
// of the distribution that a link of the tree points to.
func (m *Manager) builtin() map[string][]byte {
	out := make(map[string][]byte, len(m.opt.Builtin))
	for n, b := range m.opt.Builtin {
		out[n] = b
	}
	for _, dir := range m.opt.UnitPath {
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue
		}
		for _, e := range entries {
			p := filepath.Join(dir, e.Name())
			switch filepath.Ext(e.Name()) {
			case ".wants", ".requires", ".upholds":
				sub, _ := os.ReadDir(p)
				for _, s := range sub {
					m.shipped(out, filepath.Join(p, s.Name()))
				}
			default:
				if e.Type()&os.ModeSymlink != 0 {
					m.shipped(out, p)
				}
			}
		}
	}
	return out
}

// shipped adds the unit file of the distribution that a link points to.
func (m *Manager) shipped(out map[string][]byte, link string) {
	target, err := os.Readlink(link)
	if err != nil || !filepath.IsAbs(target) || target == os.DevNull || strings.HasPrefix(target, m.opt.StateDir+"/") {
		return
	}
	name := filepath.Base(target)
	if !unitname.Valid(name) || out[name] != nil {
		return
	}
	st, err := os.Stat(target)
	if err != nil || !st.Mode().IsRegular() || st.Size() > load.MaxFileSize {
		return
	}
	if b, err := os.ReadFile(target); err == nil {
		out[name] = b
	}
}

// unitText writes properties as a unit file.
func unitText(name string, props []us.Property) (text string, pids []int, err error) {
	typ := unitname.Type(name)
	sections := map[string][]string{}
	var order []string
	for _, p := range props {
		if p.Name == "PIDs" {
			for _, v := range p.Values {
				pids = append(pids, atoi(v, 0))
			}
			continue
		}
		section := ""
		if l := directive.Find(typ, p.Name); len(l) > 0 {
			section = l[0].Section
		}
		if section == "" {
			return "", nil, us.Errorf(us.ErrInvalidArgs, "Cannot set property %s, or unknown property.", p.Name)
		}
		if _, ok := sections[section]; !ok {
			order = append(order, section)
		}
		for _, v := range p.Values {
			if strings.ContainsAny(v, "\n\r\x00") {
				return "", nil, us.Errorf(us.ErrInvalidArgs, "A value of %s holds a newline or NUL.", p.Name)
			}
			sections[section] = append(sections[section], p.Name+"="+v)
		}
	}
	var b strings.Builder
	for _, s := range order {
		b.WriteString("[" + s + "]\n" + strings.Join(sections[s], "\n") + "\n")
	}
	return b.String(), pids, nil
}

// StartTransient makes a unit that has no file of its own and starts it.
func (m *Manager) StartTransient(name string, mode us.JobMode, props []us.Property, aux []us.Transient) (us.Job, error) {
	return ask(m, func() (us.Job, error) {
		all := append([]us.Transient{{Name: name, Properties: props}}, aux...)
		for _, t := range all {
			if err := m.checkTransient(t.Name); err != nil {
				return us.Job{}, err
			}
		}
		pids := map[string][]int{}
		std := map[string][3]*os.File{}
		defer func() {
			for _, files := range std {
				closeStandard(files)
			}
		}()
		for i := range all {
			t := &all[i]
			files, rest, err := standardFiles(t.Properties)
			if err != nil {
				return us.Job{}, err
			}
			std[t.Name], t.Properties = files, rest
			text, p, err := unitText(t.Name, t.Properties)
			if err != nil {
				return us.Job{}, err
			}
			pids[t.Name] = p
			if err := os.MkdirAll(m.transientDir(), 0o755); err != nil {
				return us.Job{}, us.Errorf(us.ErrFailed, "%v", err)
			}
			text = "# This is a transient unit file, made on request.\n" + text
			if err := os.WriteFile(filepath.Join(m.transientDir(), t.Name), []byte(text), 0o600); err != nil {
				return us.Job{}, us.Errorf(us.ErrFailed, "%v", err)
			}
			if u := m.unit(t.Name); u != nil {
				u.transient = true
				m.forget(u)
				_ = os.WriteFile(filepath.Join(m.transientDir(), t.Name), []byte(text), 0o600)
			}
		}
		m.loader = m.newLoader()
		var first *unit
		for _, t := range all {
			u, err := m.load(t.Name)
			if err != nil {
				return us.Job{}, err
			}
			if u.file.State != load.Loaded {
				return us.Job{}, us.Errorf(us.ErrBadUnitSetting, "The transient unit %s is %s. %s", t.Name, u.file.State, u.node.LoadErr)
			}
			u.transient = true
			switch k := u.kind.(type) {
			case *scope:
				k.pids = pids[t.Name]
			case *service:
				closeStandard(k.std)
				k.std = std[t.Name]
				delete(std, t.Name)
			}
			if first == nil {
				first = u
			}
		}
		j, _, err := m.enqueue(us.Start, first, mode)
		if err != nil {
			return us.Job{}, err
		}
		return j.public(), nil
	})
}

func (m *Manager) checkTransient(name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	switch unitname.Type(name) {
	case "service", "scope", "slice", "timer", "socket", "path", "mount":
	default:
		return us.Errorf(us.ErrInvalidArgs, "Unit type of %s does not support transient units.", name)
	}
	if u := m.unit(name); u != nil && (u.file.State == load.Loaded && !u.transient || !u.active().IsInactiveOrFailed() || u.job != nil) {
		return us.Errorf(us.ErrUnitExists, "Unit %s was already loaded or has a fragment file.", name)
	}
	return nil
}

func (m *Manager) removeTransient(name string) {
	_ = os.Remove(filepath.Join(m.transientDir(), name))
	_ = os.RemoveAll(filepath.Join(m.transientDir(), name+".d"))
}

// SetProperties writes a drop-in and takes it into force. The bundled manager
// keeps such changes in its runtime directory only: what shall stay belongs
// into the HCL.
func (m *Manager) SetProperties(name string, runtime bool, props []us.Property) error {
	return m.withKnown(name, notFound, func(u *unit) error {
		if len(props) == 0 {
			return nil
		}
		dir := filepath.Join(m.controlDir(), u.name()+".d")
		// One file for each setting, so that a later change of one leaves the
		// others.
		texts := map[string]string{}
		before := map[string][]byte{}
		for _, p := range props {
			file := filepath.Join(dir, "50-"+p.Name+".conf")
			if texts[file] != "" {
				continue
			}
			var same []us.Property
			for _, q := range props {
				if q.Name == p.Name {
					same = append(same, q)
				}
			}
			text, _, err := unitText(u.name(), same)
			if err != nil {
				return err
			}
			texts[file] = text
			before[file], _ = os.ReadFile(file)
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return us.Errorf(us.ErrFailed, "%v", err)
		}
		back := func() {
			for file, old := range before {
				if old == nil {
					_ = os.Remove(file)
				} else {
					_ = os.WriteFile(file, old, 0o644)
				}
			}
			m.reloadUnits()
		}
		for file, text := range texts {
			if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
				back()
				return us.Errorf(us.ErrFailed, "%v", err)
			}
		}
		m.reloadUnits()
		if n := m.unit(name); n != nil && n.file.State == load.BadSetting {
			why := n.node.LoadErr
			back()
			return us.Errorf(us.ErrInvalidArgs, "The new settings of %s are not valid: %s", name, why)
		}
		return nil
	})
}

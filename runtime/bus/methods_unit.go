//go:build linux

package bus

import (
	"github.com/unitgen/unitgen/runtime/unitstate"
)

// unitMethod is a method that exists on the manager, with the unit's name as
// its first argument, and on the unit's object without it. at is the index of
// the first other argument.
type unitMethod func(c *call, unit string, at int) ([]any, error)

// unitHandlers adds the methods of units in both of their places.
func unitHandlers(h map[string]handler) {
	both := func(onManager, onUnit string, f unitMethod) {
		h["Manager."+onManager] = func(c *call) ([]any, error) { return f(c, c.str(0), 1) }
		if onUnit != "" {
			h[onUnit] = func(c *call) ([]any, error) { return f(c, c.unit, 0) }
		}
	}
	job := func(t unitstate.JobType) unitMethod {
		return func(c *call, unit string, at int) ([]any, error) { return enqueue(c, unit, t, c.str(at)) }
	}
	both("StartUnit", "Unit.Start", job(unitstate.Start))
	both("StopUnit", "Unit.Stop", job(unitstate.Stop))
	both("ReloadUnit", "Unit.Reload", job(unitstate.Reload))
	both("RestartUnit", "Unit.Restart", job(unitstate.Restart))
	both("TryRestartUnit", "Unit.TryRestart", job(unitstate.TryRestart))
	both("ReloadOrRestartUnit", "Unit.ReloadOrRestart", job(unitstate.ReloadOrRestart))
	both("ReloadOrTryRestartUnit", "Unit.ReloadOrTryRestart", job(unitstate.ReloadOrTryReload))
	both("EnqueueUnitJob", "Unit.EnqueueJob", func(c *call, unit string, at int) ([]any, error) {
		return enqueueFull(c, unit, c.str(at), c.str(at+1))
	})
	both("KillUnit", "Unit.Kill", func(c *call, unit string, at int) ([]any, error) {
		return nil, kill(c, unit, c.str(at), c.number(at+1))
	})
	both("QueueSignalUnit", "Unit.QueueSignal", func(c *call, unit string, at int) ([]any, error) {
		if c.number(at+2) != 0 {
			return nil, refusal("org.freedesktop.DBus.Error.NotSupported", "The bundled manager sends signals without a value.")
		}
		return nil, kill(c, unit, c.str(at), c.number(at+1))
	})
	both("ResetFailedUnit", "Unit.ResetFailed", func(c *call, unit string, at int) ([]any, error) {
		if unit == "" {
			return nil, refusal("org.freedesktop.DBus.Error.InvalidArgs", "The name of a unit is missing.")
		}
		return nil, c.s.backend.ResetFailed(unit)
	})
	both("SetUnitProperties", "Unit.SetProperties", setProperties)
	both("RefUnit", "Unit.Ref", func(c *call, unit string, at int) ([]any, error) { return nil, c.ref(unit) })
	both("UnrefUnit", "Unit.Unref", func(c *call, unit string, at int) ([]any, error) { return nil, c.unref(unit) })
	both("CleanUnit", "Unit.Clean", func(c *call, unit string, at int) ([]any, error) {
		return nil, c.s.backend.Clean(unit, c.strs(at))
	})
	both("FreezeUnit", "Unit.Freeze", func(c *call, unit string, at int) ([]any, error) { return nil, c.s.backend.Freeze(unit) })
	both("ThawUnit", "Unit.Thaw", func(c *call, unit string, at int) ([]any, error) { return nil, c.s.backend.Thaw(unit) })
	both("AbandonScope", "Scope.Abandon", abandon)
	both("GetUnitProcesses", "", processes)
	both("AttachProcessesToUnit", "", attach)
	for _, t := range []string{"Service", "Socket", "Mount", "Swap", "Slice", "Scope"} {
		h[t+".GetProcesses"] = func(c *call) ([]any, error) { return processes(c, c.unit, 0) }
		h[t+".AttachProcesses"] = func(c *call) ([]any, error) { return attach(c, c.unit, 0) }
	}
	h["Service.BindMount"] = noBindMount
	h["Service.MountImage"] = noBindMount
}

func kill(c *call, unit, whom string, sig int) error {
	w := unitstate.Whom(whom)
	switch w {
	case "":
		w = unitstate.WhomAll
	case unitstate.WhomMain, unitstate.WhomControl, unitstate.WhomAll,
		unitstate.WhomMainFail, unitstate.WhomControlFail, unitstate.WhomAllFail:
	default:
		return refusal("org.freedesktop.DBus.Error.InvalidArgs", "Invalid whom argument '%s'.", text8(whom))
	}
	if sig < 1 || sig > 64 {
		return refusal("org.freedesktop.DBus.Error.InvalidArgs", "Signal number out of range.")
	}
	return c.s.backend.Kill(unit, w, sig)
}

// ref keeps a unit loaded for as long as the connection lasts, or until unref.
func (c *call) ref(unit string) error {
	if err := c.s.backend.Ref(unit); err != nil {
		return err
	}
	c.p.mu.Lock()
	closed := c.p.closed
	if !closed {
		c.p.refs[unit]++
	}
	c.p.mu.Unlock()
	if closed {
		return c.s.backend.Unref(unit)
	}
	return nil
}

func (c *call) unref(unit string) error {
	c.p.mu.Lock()
	held := c.p.refs[unit] > 0
	if held {
		if c.p.refs[unit]--; c.p.refs[unit] == 0 {
			delete(c.p.refs, unit)
		}
	}
	c.p.mu.Unlock()
	if !held {
		return refusal("org.freedesktop.systemd1.NotReferenced", "Unit has not been referenced yet.")
	}
	return c.s.backend.Unref(unit)
}

// abandon lets go of a scope. The bundled manager keeps watching its
// processes; it only forgets who controls it, which is what a client can see.
func abandon(c *call, unit string, _ int) ([]any, error) {
	st, err := c.s.backend.Unit(unit)
	if err != nil {
		return nil, err
	}
	if st.Scope == nil {
		return nil, refusal("org.freedesktop.DBus.Error.InvalidArgs", "Unit %s is not a scope unit", unit)
	}
	if !st.Active.IsActiveOrReloading() {
		return nil, refusal("org.freedesktop.systemd1.ScopeNotRunning", "Scope %s is not running, cannot abandon.", unit)
	}
	return nil, nil
}

// processRow is an element of a(sus).
type processRow struct {
	CGroup  string
	PID     uint32
	Command string
}

func processes(c *call, unit string, _ int) ([]any, error) {
	st, err := c.s.backend.Unit(unit)
	if err != nil {
		return nil, err
	}
	rows, err := c.s.processesOf(st)
	return []any{rows}, err
}

func attach(c *call, unit string, at int) ([]any, error) {
	pids, _ := c.in[at+1].([]uint32)
	if len(pids) == 0 {
		pids = []uint32{uint32(c.p.pid)}
	}
	ns := make([]int, len(pids))
	for i, p := range pids {
		ns[i] = int(p)
		if p == 0 {
			ns[i] = c.p.pid
		}
	}
	return nil, c.s.backend.Attach(unit, c.str(at), ns)
}

func setProperties(c *call, unit string, at int) ([]any, error) {
	st, err := c.s.backend.LoadUnit(unit)
	if err != nil {
		return nil, err
	}
	pairs, err := pairsOf(c.in[at+1])
	if err != nil {
		return nil, err
	}
	props, marks, err := translate(st.Type, pairs)
	if err != nil {
		return nil, err
	}
	if marks != nil {
		if err := c.s.settings.mark(st.Name, *marks); err != nil {
			return nil, err
		}
	}
	if len(props) == 0 {
		return nil, nil
	}
	return nil, c.s.backend.SetProperties(st.Name, c.boolean(at), props)
}

func startTransient(c *call) ([]any, error) {
	name := c.str(0)
	mode, err := jobMode(c.str(1))
	if err != nil {
		return nil, err
	}
	pairs, err := pairsOf(c.in[2])
	if err != nil {
		return nil, err
	}
	hold := false
	kept := pairs[:0]
	for _, p := range pairs {
		if p.name == "AddRef" {
			hold, _ = p.value.Value().(bool)
			continue
		}
		kept = append(kept, p)
	}
	props, _, err := translate(unitType(name), kept)
	if err != nil {
		return nil, err
	}
	var aux []unitstate.Transient
	list, _ := c.in[3].([][]any)
	for _, a := range list {
		n, _ := a[0].(string)
		ps, err := pairsOf(a[1])
		if err != nil {
			return nil, err
		}
		tp, _, err := translate(unitType(n), ps)
		if err != nil {
			return nil, err
		}
		aux = append(aux, unitstate.Transient{Name: n, Properties: tp})
	}
	j, err := c.s.backend.StartTransient(name, mode, props, aux)
	if err != nil {
		return nil, err
	}
	if hold {
		if err := c.ref(name); err != nil {
			return nil, err
		}
	}
	return []any{JobPath(j.ID)}, nil
}

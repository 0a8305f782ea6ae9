package bus

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/godbus/dbus/v5"
)

func (c *conn) CallObject(ctx context.Context, path dbus.ObjectPath, method string, in []any, out ...any) error {
	ctx, cancel := bound(ctx)
	defer cancel()
	d, err := c.connected(ctx)
	if err != nil {
		return err
	}
	call := d.Object(busName, path).CallWithContext(ctx, method, 0, in...)
	if call.Err != nil {
		return wrap(call.Err)
	}
	if len(out) == 0 {
		return nil
	}
	return call.Store(out...)
}

func (c *conn) Call(ctx context.Context, method string, in []any, out ...any) error {
	return c.CallObject(ctx, managerPath, ifaceManage+"."+method, in, out...)
}

func (c *conn) ListUnits(ctx context.Context) ([]UnitStatus, error) {
	var out []UnitStatus
	err := c.Call(ctx, "ListUnits", nil, &out)
	return out, err
}

func (c *conn) ListUnitsByNames(ctx context.Context, names []string) ([]UnitStatus, error) {
	var out []UnitStatus
	err := c.Call(ctx, "ListUnitsByNames", []any{list(names)}, &out)
	return out, err
}

func (c *conn) ListUnitsByPatterns(ctx context.Context, states, patterns []string) ([]UnitStatus, error) {
	var out []UnitStatus
	err := c.Call(ctx, "ListUnitsByPatterns", []any{list(states), list(patterns)}, &out)
	return out, err
}

// list is never nil: D-Bus has no null.
func list(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

func (c *conn) ListJobs(ctx context.Context) ([]JobStatus, error) {
	var out []JobStatus
	err := c.Call(ctx, "ListJobs", nil, &out)
	return out, err
}

// LoadUnit gives the object of a unit, loading it if need be.
func (c *conn) loadUnit(ctx context.Context, unit string) (dbus.ObjectPath, error) {
	var p dbus.ObjectPath
	err := c.Call(ctx, "LoadUnit", []any{unit}, &p)
	return p, err
}

func (c *conn) GetUnitProperties(ctx context.Context, unit string) (map[string]any, error) {
	p, err := c.loadUnit(ctx, unit)
	if err != nil {
		return nil, err
	}
	return c.getAll(ctx, p, "")
}

func (c *conn) getAll(ctx context.Context, p dbus.ObjectPath, iface string) (map[string]any, error) {
	ctx, cancel := bound(ctx)
	defer cancel()
	d, err := c.connected(ctx)
	if err != nil {
		return nil, err
	}
	call := d.Object(busName, p).CallWithContext(ctx, ifaceProps+".GetAll", 0, iface)
	if call.Err != nil {
		return nil, wrap(call.Err)
	}
	if len(call.Body) != 1 {
		return nil, &Error{Name: "org.freedesktop.DBus.Error.InvalidSignature", Message: "GetAll gave no dictionary"}
	}
	vs, ok := call.Body[0].(map[string]dbus.Variant)
	if !ok {
		return nil, &Error{Name: "org.freedesktop.DBus.Error.InvalidSignature", Message: "GetAll gave no dictionary"}
	}
	out := make(map[string]any, len(vs))
	for k, v := range vs {
		out[k] = v.Value()
	}
	return out, nil
}

func (c *conn) GetUnitProperty(ctx context.Context, unit, property string) (any, error) {
	p, err := c.loadUnit(ctx, unit)
	if err != nil {
		return nil, err
	}
	var v dbus.Variant
	err = c.CallObject(ctx, p, ifaceProps+".Get", []any{ifaceBase + "Unit", property}, &v)
	if err == nil {
		return v.Value(), nil
	}
	i := strings.LastIndexByte(unit, '.')
	if i < 0 || i+1 == len(unit) {
		return nil, err
	}
	typed := ifaceBase + strings.ToUpper(unit[i+1:i+2]) + unit[i+2:]
	if err := c.CallObject(ctx, p, ifaceProps+".Get", []any{typed, property}, &v); err != nil {
		return nil, err
	}
	return v.Value(), nil
}

func (c *conn) GetManagerProperties(ctx context.Context) (map[string]any, error) {
	return c.getAll(ctx, managerPath, ifaceManage)
}

func (c *conn) GetManagerProperty(ctx context.Context, property string) (any, error) {
	var v dbus.Variant
	err := c.CallObject(ctx, managerPath, ifaceProps+".Get", []any{ifaceManage, property}, &v)
	return v.Value(), err
}

func (c *conn) Reload(ctx context.Context) error { return c.Call(ctx, "Reload", nil) }

// Reexecute sends the call, which has no reply, waits for the manager to let
// go of the connection (on a private socket; through a bus it stays), and then
// until it answers again.
func (c *conn) Reexecute(ctx context.Context) error {
	ctx, cancel := bound(ctx)
	defer cancel()
	d, err := c.connected(ctx)
	if err != nil {
		return err
	}
	call := d.Object(busName, managerPath).CallWithContext(ctx, ifaceManage+".Reexecute", 0)
	if e := wrap(call.Err); e != nil {
		var reply *Error
		if errors.As(e, &reply) && !IsError(e, "org.freedesktop.DBus.Error.NoReply") {
			return e
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	for {
		if _, err := c.GetManagerProperty(ctx, "Version"); err == nil {
			return nil
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// enqueue calls a method that makes a job.
func (c *conn) enqueue(ctx context.Context, method, verb, unit, mode string) (Job, error) {
	if err := c.subscribe(ctx, jobEnds); err != nil {
		return Job{}, err
	}
	c.jobs.begin()
	var p dbus.ObjectPath
	err := c.Call(ctx, method, []any{unit, mode}, &p)
	if err != nil {
		c.jobs.end()
		return Job{}, err
	}
	c.jobs.end(p)
	j := Job{Unit: unit, Verb: verb, Path: p}
	if n, err := strconv.ParseUint(strings.TrimPrefix(string(p), jobPrefix), 10, 32); err == nil {
		j.ID = uint32(n)
	}
	return j, nil
}

func (c *conn) StartUnit(ctx context.Context, unit, mode string) (Job, error) {
	return c.enqueue(ctx, "StartUnit", "start", unit, mode)
}

func (c *conn) StopUnit(ctx context.Context, unit, mode string) (Job, error) {
	return c.enqueue(ctx, "StopUnit", "stop", unit, mode)
}

func (c *conn) RestartUnit(ctx context.Context, unit, mode string) (Job, error) {
	return c.enqueue(ctx, "RestartUnit", "restart", unit, mode)
}

func (c *conn) TryRestartUnit(ctx context.Context, unit, mode string) (Job, error) {
	return c.enqueue(ctx, "TryRestartUnit", "try-restart", unit, mode)
}

func (c *conn) ReloadUnit(ctx context.Context, unit, mode string) (Job, error) {
	return c.enqueue(ctx, "ReloadUnit", "reload", unit, mode)
}

func (c *conn) ReloadOrRestartUnit(ctx context.Context, unit, mode string) (Job, error) {
	return c.enqueue(ctx, "ReloadOrRestartUnit", "reload-or-restart", unit, mode)
}

func (c *conn) ReloadOrTryRestartUnit(ctx context.Context, unit, mode string) (Job, error) {
	return c.enqueue(ctx, "ReloadOrTryRestartUnit", "reload-or-try-restart", unit, mode)
}

func (c *conn) CancelJob(ctx context.Context, id uint32) error {
	return c.Call(ctx, "CancelJob", []any{id})
}

func (c *conn) ResetFailed(ctx context.Context, units ...string) error {
	if len(units) == 0 {
		return c.Call(ctx, "ResetFailed", nil)
	}
	var errs []error
	for _, u := range units {
		if err := c.Call(ctx, "ResetFailedUnit", []any{u}); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func (c *conn) KillUnit(ctx context.Context, unit, who string, sig syscall.Signal) error {
	return c.Call(ctx, "KillUnit", []any{unit, who, int32(sig)})
}

func (c *conn) GetUnitFileState(ctx context.Context, unit string) (string, error) {
	var s string
	err := c.Call(ctx, "GetUnitFileState", []any{unit}, &s)
	return s, err
}

func (c *conn) GetUnitProcesses(ctx context.Context, unit string) ([]Process, error) {
	var out []Process
	err := c.Call(ctx, "GetUnitProcesses", []any{unit}, &out)
	return out, err
}

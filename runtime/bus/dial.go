package bus

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/godbus/dbus/v5"
)

// DefaultTimeout bounds a call whose context has no deadline.
const DefaultTimeout = 90 * time.Second

// conn is the Client over a godbus connection. It dials again when the manager
// was replaced (Reexecute, or a restart of the bundled manager).
type conn struct {
	addr Address

	mu         sync.Mutex
	c          *dbus.Conn // nil when lost
	gen        int        // counts connections
	subscribed interest   // on the current connection
	want       interest   // subscribe to as much again after a redial
	closed     bool

	// lmu is apart from mu, which is held across calls: signals are delivered
	// on the goroutine that reads their replies.
	lmu       sync.Mutex
	listeners map[int]func(Signal)
	nextID    int

	jobs tracker
}

// interest is how many of the manager's signals somebody wants.
type interest int

const (
	nothing interest = iota
	jobEnds          // JobRemoved
	everything
)

var errClosed = errors.New("the connection to the manager was closed")

// Dial connects to the manager at an address and authenticates as the calling
// user (SASL EXTERNAL).
func Dial(ctx context.Context, a Address) (Client, error) {
	c := &conn{addr: a, listeners: map[int]func(Signal){}}
	c.jobs.init()
	if _, err := c.connected(ctx); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *conn) Address() Address { return c.addr }

func (c *conn) Close() error {
	c.mu.Lock()
	d := c.c
	c.c, c.closed = nil, true
	c.mu.Unlock()
	c.jobs.disconnect()
	if d != nil {
		return d.Close()
	}
	return nil
}

// connected gives the live connection, dialling if there is none.
func (c *conn) connected(ctx context.Context) (*dbus.Conn, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, errClosed
	}
	if c.c != nil && c.c.Connected() {
		return c.c, nil
	}
	if c.c != nil {
		c.c.Close()
		c.c = nil
	}
	d, err := c.dial(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot connect to %s: %w", c.addr, err)
	}
	c.c, c.subscribed = d, nothing
	c.gen++
	if c.want != nothing {
		if err := c.subscribeLocked(ctx, c.want); err != nil {
			d.Close()
			c.c = nil
			return nil, err
		}
	}
	return d, nil
}

// dial connects, authenticates and, on a message bus, says Hello. A peer that
// accepts and says nothing is given up when ctx ends, after ten seconds at
// most.
func (c *conn) dial(ctx context.Context) (*dbus.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	raw, err := (&net.Dialer{}).DialContext(ctx, "unix", c.addr.Socket)
	if err != nil {
		return nil, err
	}
	d, err := newConn(raw.(*net.UnixConn), dbus.WithSignalHandler(&signals{c}))
	if err != nil {
		raw.Close()
		return nil, err
	}
	done := make(chan error, 1)
	go func() {
		err := d.Auth([]dbus.Auth{dbus.AuthExternal(strconv.Itoa(os.Geteuid()))})
		if err == nil && c.addr.Bus {
			err = d.Hello()
		}
		if err == nil && !c.addr.Bus {
			err = wake(ctx, d)
		}
		done <- err
	}()
	select {
	case err = <-done:
	case <-ctx.Done():
		raw.Close() // ends the goroutine above
		<-done
		err = ctx.Err()
	}
	if err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

// subscribeLocked asks for signals on the current connection; c.mu is held. A
// manager's private socket tells every peer of jobs unasked; asking for more
// there would bring the changes of every unit too.
func (c *conn) subscribeLocked(ctx context.Context, what interest) error {
	c.want = max(c.want, what)
	if c.subscribed >= what {
		return nil
	}
	if !c.addr.Bus && what == jobEnds {
		c.subscribed = jobEnds
		return nil
	}
	if c.addr.Bus {
		opts := []dbus.MatchOption{dbus.WithMatchSender(busName)}
		if what == jobEnds {
			opts = append(opts, dbus.WithMatchInterface(ifaceManage), dbus.WithMatchMember("JobRemoved"))
		}
		if err := c.c.AddMatchSignalContext(ctx, opts...); err != nil {
			return wrap(err)
		}
	}
	err := c.c.Object(busName, managerPath).CallWithContext(ctx, ifaceManage+".Subscribe", 0).Err
	if e := wrap(err); e != nil && !IsError(e, "AlreadySubscribed") {
		return e
	}
	c.subscribed = what
	return nil
}

// subscribe makes sure that signals come.
func (c *conn) subscribe(ctx context.Context, what interest) error {
	ctx, cancel := bound(ctx)
	defer cancel()
	if _, err := c.connected(ctx); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.c == nil {
		return errClosed
	}
	return c.subscribeLocked(ctx, what)
}

func (c *conn) Subscribe(ctx context.Context, f func(Signal)) (func(), error) {
	c.lmu.Lock()
	id := c.nextID
	c.nextID++
	c.listeners[id] = f
	c.lmu.Unlock()
	cancel := func() {
		c.lmu.Lock()
		delete(c.listeners, id)
		c.lmu.Unlock()
	}
	if err := c.subscribe(ctx, everything); err != nil {
		cancel()
		return nil, err
	}
	return cancel, nil
}

// signals hands what godbus reads to the job tracker and the listeners, in
// order. It runs on the connection's reading goroutine.
type signals struct{ c *conn }

func (s *signals) DeliverSignal(iface, name string, sig *dbus.Signal) {
	if iface == ifaceManage && name == "JobRemoved" && len(sig.Body) == 4 {
		if path, ok := sig.Body[1].(dbus.ObjectPath); ok {
			result, _ := sig.Body[3].(string)
			s.c.jobs.removed(path, result)
		}
	}
	s.c.lmu.Lock()
	ids := slices.Sorted(maps.Keys(s.c.listeners))
	fs := make([]func(Signal), 0, len(ids))
	for _, id := range ids {
		fs = append(fs, s.c.listeners[id])
	}
	s.c.lmu.Unlock()
	for _, f := range fs {
		f(Signal{Path: sig.Path, Name: sig.Name, Body: sig.Body})
	}
}

// Terminate is called by godbus when the connection ends.
func (s *signals) Terminate() { s.c.jobs.disconnect() }

// bound gives a context with a deadline.
func bound(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, DefaultTimeout)
}

// wrap turns a godbus error reply into an *Error.
func wrap(err error) error {
	var d dbus.Error
	if !errors.As(err, &d) {
		var p *dbus.Error
		if !errors.As(err, &p) {
			return err
		}
		d = *p
	}
	e := &Error{Name: d.Name}
	if len(d.Body) > 0 {
		e.Message, _ = d.Body[0].(string)
	}
	return e
}

package bus

import (
	"context"
	"time"

	"github.com/godbus/dbus/v5"
)

// WatchName follows the owner of a name on the message bus at an address, as
// in DBUS_SESSION_BUS_ADDRESS, until the context ends. It calls told, one call
// at a time, whenever it learns that the name is owned or not; a bus that
// cannot be reached is tried again and again.
func WatchName(ctx context.Context, address, name string, told func(owned bool)) {
	for wait := 20 * time.Millisecond; ctx.Err() == nil; wait = min(2*wait, time.Second) {
		began := time.Now()
		_ = watchOnce(ctx, address, name, told)
		if time.Since(began) > time.Minute {
			wait = 20 * time.Millisecond
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
}

// watchOnce is WatchName on one connection; it ends with it.
func watchOnce(ctx context.Context, address, name string, told func(owned bool)) error {
	const busName, path = "org.freedesktop.DBus", dbus.ObjectPath("/org/freedesktop/DBus")
	dial, cancel := context.WithCancel(ctx)
	defer cancel()
	patience := time.AfterFunc(10*time.Second, cancel) // a bus may take connections and not answer
	defer patience.Stop()
	c, err := dbus.Connect(address, dbus.WithContext(dial))
	if err != nil {
		return err
	}
	defer c.Close()
	signals := make(chan *dbus.Signal, 64)
	c.Signal(signals)
	if err := c.AddMatchSignalContext(ctx, dbus.WithMatchSender(busName), dbus.WithMatchObjectPath(path), dbus.WithMatchInterface(busName),
		dbus.WithMatchMember("NameOwnerChanged"), dbus.WithMatchArg(0, name)); err != nil {
		return err
	}
	var owned bool
	if err := c.BusObject().CallWithContext(ctx, busName+".NameHasOwner", 0, name).Store(&owned); err != nil {
		return err
	}
	patience.Stop()
	told(owned)
	for {
		select {
		case s, ok := <-signals:
			if !ok {
				return dbus.ErrClosed
			}
			if s.Name != busName+".NameOwnerChanged" || len(s.Body) != 3 {
				continue
			}
			if n, _ := s.Body[0].(string); n == name {
				owner, _ := s.Body[2].(string)
				told(owner != "")
			}
		case <-c.Context().Done():
			return dbus.ErrClosed
		case <-ctx.Done():
			return nil
		}
	}
}

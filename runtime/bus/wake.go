package bus

import (
	"context"
	"time"

	"github.com/godbus/dbus/v5"
)

// wakeEvery is how long a manager gets to answer before it is asked again.
const wakeEvery = 20 * time.Millisecond

// wake asks a manager on its private socket whether it is there, until it
// answers anything. systemd (252 at least) forgets a message that reaches it in
// one read with the BEGIN of the authentication, until more bytes come; without
// this the first call now and then hangs for good.
func wake(ctx context.Context, d *dbus.Conn) error {
	answered := make(chan *dbus.Call, 64)
	for range cap(answered) {
		d.Object(busName, managerPath).Go("org.freedesktop.DBus.Peer.Ping", 0, answered)
		select {
		case c := <-answered:
			if c.Err == dbus.ErrClosed {
				return c.Err
			}
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wakeEvery):
		}
	}
	select {
	case <-answered:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

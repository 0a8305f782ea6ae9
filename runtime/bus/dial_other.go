//go:build !linux

package bus

import (
	"net"

	"github.com/godbus/dbus/v5"
)

// newConn speaks D-Bus over a unix socket. Managers run on Linux; elsewhere a
// forwarded socket may lead to one.
func newConn(c *net.UnixConn, opts ...dbus.ConnOption) (*dbus.Conn, error) {
	return dbus.NewConn(c, opts...)
}

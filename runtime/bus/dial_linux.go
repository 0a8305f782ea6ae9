package bus

import (
	"net"

	"github.com/godbus/dbus/v5"
)

// newConn speaks D-Bus over a unix socket, with file descriptors.
func newConn(c *net.UnixConn, opts ...dbus.ConnOption) (*dbus.Conn, error) {
	return dbus.DialUnix(c, opts...)
}

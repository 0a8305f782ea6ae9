// Package bus speaks org.freedesktop.systemd1, the D-Bus interface of systemd
// (man page org.freedesktop.systemd1(5)), over a unix socket: as a client of
// any manager that has it, and as the server of the bundled one.
//
// Client, Dial and Find are what activation, plan, status and ctl use; the
// machine's systemd and the bundled manager are the same to them. Server puts
// a unitstate.Backend on a socket, so that the stock systemctl, busctl and
// systemd-run work against it.
//
// It must not know how units run, nor HCL, nor the store.
package bus

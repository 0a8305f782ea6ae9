package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/godbus/dbus/v5"
)

// systemBus is where systemd-logind is asked.
const systemBus = "/run/dbus/system_bus_socket"

// shutdownInhibitors gives the locks of systemd-inhibit(1) that keep the
// machine from shutting down, one sentence each: whoever must not lose the
// machine now must not lose its services either. Delaying locks only ask for
// time and do not count. Where no systemd-logind runs there are none.
func shutdownInhibitors(ctx context.Context) ([]string, error) {
	if _, err := os.Stat(systemBus); err != nil {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	conn, err := dbus.Connect("unix:path="+systemBus, dbus.WithContext(ctx))
	if err != nil {
		return nil, nil // no bus daemon behind the socket
	}
	defer conn.Close()
	var running bool
	if err := conn.BusObject().CallWithContext(ctx, "org.freedesktop.DBus.NameHasOwner", 0, "org.freedesktop.login1").Store(&running); err != nil || !running {
		return nil, err
	}
	var locks []struct {
		What, Who, Why, Mode string
		UID, PID             uint32
	}
	err = conn.Object("org.freedesktop.login1", "/org/freedesktop/login1").
		CallWithContext(ctx, "org.freedesktop.login1.Manager.ListInhibitors", 0).Store(&locks)
	if err != nil {
		return nil, fmt.Errorf("systemd-logind: %w", err)
	}
	var out []string
	for _, l := range locks {
		if !strings.HasPrefix(l.Mode, "block") || !slices.Contains(strings.Split(l.What, ":"), "shutdown") {
			continue
		}
		out = append(out, fmt.Sprintf("%s (process %d, user %d) keeps the machine from shutting down: %s", l.Who, l.PID, l.UID, l.Why))
	}
	return out, nil
}

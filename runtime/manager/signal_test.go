//go:build linux

package manager_test

import (
	"os"
	"os/signal"
	"syscall"
)

const (
	sigUSR1 = syscall.SIGUSR1
	sigHUP  = syscall.SIGHUP
)

func notifySignal(ch chan os.Signal, s os.Signal) { signal.Notify(ch, s) }

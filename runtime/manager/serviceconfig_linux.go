package manager

import (
	"syscall"
	"time"

	us "github.com/unitgen/unitgen/runtime/unitstate"
	"github.com/unitgen/unitgen/schema/load"
	"github.com/unitgen/unitgen/schema/value"
)

// serviceConfig is [Service], read once a load.
type serviceConfig struct {
	typ             string
	exec            *execConfig
	commands        map[string][]command
	remainAfterExit bool
	guessMain       bool
	pidFile         string
	restart         string
	restartSec      time.Duration
	restartSteps    int
	restartMax      time.Duration
	timeoutStart    time.Duration
	timeoutStop     time.Duration
	timeoutAbort    time.Duration
	runtimeMax      time.Duration
	watchdog        time.Duration
	startFailMode   string
	stopFailMode    string
	kill            killConfig
	notifyAccess    string
	fdStoreMax      int
	fdStoreKeep     string
	okStatus        statusSet
	noRestart       statusSet
	doRestart       statusSet
	sockets         []string
	busName         string
	nonBlocking     bool
	reloadSignal    syscall.Signal
	exitType        string
	oomPolicy       string
}

// killConfig is systemd.kill(5).
type killConfig struct {
	mode                    string
	signal, restart         syscall.Signal
	final, watchdog         syscall.Signal
	sendSIGKILL, sendSIGHUP bool
}

// statusSet is a set of exit statuses and signals.
type statusSet struct{ status, signal map[int]bool }

func newStatusSet(list []string) statusSet {
	s := statusSet{map[int]bool{}, map[int]bool{}}
	for _, w := range words(list) {
		st, sig, err := value.ParseExitStatus(w)
		switch {
		case err != nil:
		case sig > 0:
			s.signal[sig] = true
		default:
			s.status[st] = true
		}
	}
	return s
}

func (s statusSet) has(w waitResult) bool {
	if w.code == cldExited {
		return s.status[w.status]
	}
	return s.signal[w.status]
}

// span reads a time span with a default for when it is not set; 0 means none
// where zeroInfinite is set.
func span(f *load.Unit, name string, otherwise time.Duration, zeroInfinite bool) time.Duration {
	if f.String(name) == "" {
		return otherwise
	}
	d := f.Duration(name)
	if d == 0 && zeroInfinite {
		return load.Infinity
	}
	return d
}

const defaultTimeout = 90 * time.Second

func newKillConfig(f *load.Unit) killConfig {
	sig := func(name string, otherwise syscall.Signal) syscall.Signal {
		if n, err := value.ParseSignal(f.String(name)); err == nil && n > 0 {
			return syscall.Signal(n)
		}
		return otherwise
	}
	k := killConfig{mode: f.String("KillMode"), sendSIGKILL: true, sendSIGHUP: f.Bool("SendSIGHUP")}
	if k.mode == "" {
		k.mode = "control-group"
	}
	if f.String("SendSIGKILL") != "" {
		k.sendSIGKILL = f.Bool("SendSIGKILL")
	}
	k.signal = sig("KillSignal", syscall.SIGTERM)
	k.restart = sig("RestartKillSignal", k.signal)
	k.final = sig("FinalKillSignal", syscall.SIGKILL)
	k.watchdog = sig("WatchdogSignal", syscall.SIGABRT)
	return k
}

var execSettings = []string{"ExecCondition", "ExecStartPre", "ExecStart", "ExecStartPost", "ExecReload", "ExecStop", "ExecStopPost"}

func newServiceConfig(u *unit) *serviceConfig {
	f := u.file
	c := &serviceConfig{
		typ: f.String("Type"), exec: newExecConfig(u.m, f), commands: map[string][]command{},
		remainAfterExit: f.Bool("RemainAfterExit"), guessMain: true, pidFile: f.String("PIDFile"),
		restart: f.String("Restart"), restartSec: span(f, "RestartSec", 100*time.Millisecond, false),
		restartSteps: atoi(f.String("RestartSteps"), 0), restartMax: span(f, "RestartMaxDelaySec", load.Infinity, false),
		runtimeMax: span(f, "RuntimeMaxSec", load.Infinity, true), watchdog: span(f, "WatchdogSec", 0, false),
		startFailMode: f.String("TimeoutStartFailureMode"), stopFailMode: f.String("TimeoutStopFailureMode"),
		kill: newKillConfig(f), notifyAccess: f.String("NotifyAccess"), fdStoreMax: atoi(f.String("FileDescriptorStoreMax"), 0),
		fdStoreKeep: f.String("FileDescriptorStorePreserve"),
		okStatus:    newStatusSet(f.Strings("SuccessExitStatus")), noRestart: newStatusSet(f.Strings("RestartPreventExitStatus")),
		doRestart: newStatusSet(f.Strings("RestartForceExitStatus")), sockets: words(f.Strings("Sockets")),
		busName: f.String("BusName"), nonBlocking: f.Bool("NonBlocking"), reloadSignal: syscall.SIGHUP,
		exitType: f.String("ExitType"), oomPolicy: f.String("OOMPolicy"),
	}
	for _, s := range execSettings {
		c.commands[s] = commandsOf(f, s)
	}
	if f.String("GuessMainPID") != "" {
		c.guessMain = f.Bool("GuessMainPID")
	}
	if c.typ == "" {
		c.typ = "simple"
		switch {
		case c.busName != "":
			c.typ = "dbus"
		case len(c.commands["ExecStart"]) == 0:
			c.typ = "oneshot"
		}
	}
	if n, err := value.ParseSignal(f.String("ReloadSignal")); err == nil && n > 0 {
		c.reloadSignal = syscall.Signal(n)
	}
	def := defaultTimeout
	if c.typ == "oneshot" {
		def = load.Infinity
	}
	c.timeoutStart = span(f, "TimeoutStartSec", def, true)
	c.timeoutStop = span(f, "TimeoutStopSec", defaultTimeout, true)
	c.timeoutAbort = span(f, "TimeoutAbortSec", c.timeoutStop, true)
	if c.restart == "" {
		c.restart = "no"
	}
	if c.notifyAccess == "" {
		c.notifyAccess = "none"
	}
	if c.notifyAccess == "none" && (c.typ == "notify" || c.typ == "notify-reload" || c.watchdog > 0) {
		c.notifyAccess = "main"
	}
	return c
}

// clean reports whether a process ended well. A daemon may also end by the
// usual signals.
func (c *serviceConfig) clean(w waitResult, daemon bool) bool {
	if w.code == cldExited && w.status == 0 || c.okStatus.has(w) {
		return true
	}
	if !daemon || w.code == cldExited {
		return false
	}
	switch syscall.Signal(w.status) {
	case syscall.SIGHUP, syscall.SIGINT, syscall.SIGTERM, syscall.SIGPIPE:
		return true
	}
	return false
}

func resultName(w waitResult) string {
	switch w.code {
	case cldExited:
		return "exit-code"
	case cldDumped:
		return "core-dump"
	}
	return "signal"
}

// wantsRestart is the table of Restart= in systemd.service(5).
func (c *serviceConfig) wantsRestart(result string, w waitResult, ended bool) bool {
	if ended && c.noRestart.has(w) {
		return false
	}
	if ended && c.doRestart.has(w) {
		return true
	}
	success := result == "success"
	if result == "exec-condition" {
		return false
	}
	switch c.restart {
	case "always":
		return true
	case "on-success":
		return success
	case "on-failure":
		return !success
	case "on-abnormal":
		return !success && result != "exit-code"
	case "on-watchdog":
		return result == "watchdog"
	case "on-abort":
		return result == "signal" || result == "core-dump"
	}
	return false
}

// delay is RestartSec=, growing to RestartMaxDelaySec= over RestartSteps=.
func (c *serviceConfig) delay(restarts uint32) time.Duration {
	if c.restartSteps <= 0 || c.restartMax == load.Infinity || c.restartSec >= c.restartMax || restarts == 0 {
		return c.restartSec
	}
	if int(restarts) > c.restartSteps {
		return c.restartMax
	}
	base := float64(max(c.restartSec, time.Microsecond))
	ratio := float64(c.restartMax) / base
	return time.Duration(base * pow(ratio, float64(restarts)/float64(c.restartSteps)))
}

func execFlags(c command) []string {
	var out []string
	for _, f := range []struct {
		on   bool
		name string
	}{{c.ignore, "ignore-failure"}, {c.literal, "no-env-expand"}, {c.full, "privileged"}, {c.noUser, "no-setuid"}} {
		if f.on {
			out = append(out, f.name)
		}
	}
	return out
}

func execRecord(c command) us.Exec {
	return us.Exec{Setting: c.setting, Index: c.index, Path: c.path, Argv: c.argv, Flags: execFlags(c)}
}

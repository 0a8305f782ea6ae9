package bus

import (
	"context"
	"errors"
	"fmt"
	"syscall"

	"github.com/godbus/dbus/v5"
)

// UnitStatus is one row of ListUnits.
type UnitStatus struct {
	Name        string
	Description string
	LoadState   string
	ActiveState string
	SubState    string
	Followed    string
	Path        dbus.ObjectPath
	JobID       uint32 // 0: no job queued
	JobType     string
	JobPath     dbus.ObjectPath
}

// JobStatus is one row of ListJobs.
type JobStatus struct {
	ID       uint32
	Unit     string
	Type     string // "start", "stop", …
	State    string // "waiting", "running"
	Path     dbus.ObjectPath
	UnitPath dbus.ObjectPath
}

// Job is a job that an enqueuing call made.
type Job struct {
	ID   uint32
	Unit string // the name that was asked for
	Verb string // "start", "stop", "restart", …
	Path dbus.ObjectPath
}

// JobResult is how a job ended: "done", "canceled", "timeout", "failed",
// "dependency", "skipped", "invalid", "assert", "unsupported", "collected",
// "once"; or "disconnected" when the manager went away while the job was
// queued and no longer knows it.
type JobResult struct {
	Job
	Result string
}

// Failed reports whether the result is an error to the one who asked (as
// systemctl sees it: done and skipped are not).
func (r JobResult) Failed() bool { return r.Result != "done" && r.Result != "skipped" }

// UnitFileStatus is one row of ListUnitFiles.
type UnitFileStatus struct {
	Path  string
	State string
}

// FileChange is one change of a unit-file operation: "symlink" or "unlink", or
// a negative errno spelled by the manager.
type FileChange struct {
	Kind   string
	Path   string
	Source string
}

// Process is one row of GetUnitProcesses.
type Process struct {
	CGroup  string
	PID     uint32
	Command string
}

// Error is an error reply of the manager.
type Error struct {
	Name    string // "org.freedesktop.systemd1.NoSuchUnit"
	Message string
}

func (e *Error) Error() string {
	if e.Message == "" {
		return e.Name
	}
	return e.Message
}

// IsError reports whether err is an error reply of the given name (with or
// without the prefix "org.freedesktop.systemd1.").
func IsError(err error, name string) bool {
	var e *Error
	return errors.As(err, &e) && (e.Name == name || e.Name == "org.freedesktop.systemd1."+name)
}

// Client is a connection to a manager. All methods may be called at the same
// time; a context without a deadline gets DefaultTimeout for each call, but
// WaitJobs, which waits as long as its context lets it.
type Client interface {
	// Address says whom this is a client of.
	Address() Address
	Close() error

	ListUnits(ctx context.Context) ([]UnitStatus, error)
	ListUnitsByNames(ctx context.Context, names []string) ([]UnitStatus, error)
	ListUnitsByPatterns(ctx context.Context, states, patterns []string) ([]UnitStatus, error)
	ListJobs(ctx context.Context) ([]JobStatus, error)

	// GetUnitProperties gives every property of every interface of a unit,
	// loading it if need be. Values are what the signature says: string,
	// []string, uint32, uint64, bool, [][]any for arrays of structures, …
	GetUnitProperties(ctx context.Context, unit string) (map[string]any, error)
	// GetUnitProperty gives one property; the interface is found by itself.
	GetUnitProperty(ctx context.Context, unit, property string) (any, error)
	GetManagerProperties(ctx context.Context) (map[string]any, error)
	GetManagerProperty(ctx context.Context, property string) (any, error)

	// Reload makes the manager read all unit files again; it returns when
	// that is done. Reexecute replaces the manager and returns when the new
	// one answers.
	Reload(ctx context.Context) error
	Reexecute(ctx context.Context) error

	// The enqueuing calls. mode is a job mode of systemctl(1): "replace",
	// "fail", "isolate", "ignore-dependencies", … Pass what they return to
	// WaitJobs.
	StartUnit(ctx context.Context, unit, mode string) (Job, error)
	StopUnit(ctx context.Context, unit, mode string) (Job, error)
	RestartUnit(ctx context.Context, unit, mode string) (Job, error)
	TryRestartUnit(ctx context.Context, unit, mode string) (Job, error)
	ReloadUnit(ctx context.Context, unit, mode string) (Job, error)
	ReloadOrRestartUnit(ctx context.Context, unit, mode string) (Job, error)
	ReloadOrTryRestartUnit(ctx context.Context, unit, mode string) (Job, error)

	// WaitJobs waits until every job has ended and gives their results in
	// the order of jobs. When ctx ends first it gives what is known, "" for
	// the others, and the context's error. No result is ever missed: the
	// client subscribes before its first enqueuing call.
	WaitJobs(ctx context.Context, jobs ...Job) ([]JobResult, error)
	CancelJob(ctx context.Context, id uint32) error

	// ResetFailed clears the failed state of the units, of all when none is
	// named.
	ResetFailed(ctx context.Context, units ...string) error
	// KillUnit sends a signal; who is "all", "main", "control" or with
	// "-fail" appended.
	KillUnit(ctx context.Context, unit, who string, sig syscall.Signal) error
	GetUnitFileState(ctx context.Context, unit string) (string, error)
	GetUnitProcesses(ctx context.Context, unit string) ([]Process, error)

	// Subscribe delivers the manager's signals to f, one after the other,
	// until the returned function is called. f must not block for long and
	// must not call the client.
	Subscribe(ctx context.Context, f func(Signal)) (cancel func(), err error)

	// Call calls any method of the manager object and stores the reply in
	// the pointers out.
	Call(ctx context.Context, method string, in []any, out ...any) error
	// CallObject calls a method of any object: method is
	// "interface.Method".
	CallObject(ctx context.Context, path dbus.ObjectPath, method string, in []any, out ...any) error
}

// Signal is a signal of the manager.
type Signal struct {
	Path dbus.ObjectPath
	Name string // "org.freedesktop.systemd1.Manager.JobRemoved"
	Body []any
}

// UnitPath gives the object path of a unit: /org/freedesktop/systemd1/unit/
// and the name with every byte that is no letter or digit (or is a leading
// digit) as _XX.
func UnitPath(name string) dbus.ObjectPath {
	return dbus.ObjectPath(unitPrefix + escapeLabel(name))
}

// JobPath gives the object path of a job.
func JobPath(id uint32) dbus.ObjectPath {
	return dbus.ObjectPath(fmt.Sprintf("%s%d", jobPrefix, id))
}

const (
	busName        = "org.freedesktop.systemd1"
	managerPath    = dbus.ObjectPath("/org/freedesktop/systemd1")
	logControlPath = dbus.ObjectPath("/org/freedesktop/LogControl1")
	unitPrefix     = "/org/freedesktop/systemd1/unit/"
	jobPrefix      = "/org/freedesktop/systemd1/job/"
	ifaceBase      = "org.freedesktop.systemd1."
	ifaceManage    = ifaceBase + "Manager"
	ifaceLog       = "org.freedesktop.LogControl1"
	ifaceProps     = "org.freedesktop.DBus.Properties"
)

// escapeLabel makes a label of an object path.
func escapeLabel(s string) string {
	if s == "" {
		return "_"
	}
	const hex = "0123456789abcdef"
	b := make([]byte, 0, len(s)+16)
	for i := 0; i < len(s); i++ {
		c := s[i]
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		digit := c >= '0' && c <= '9' && i > 0
		if letter || digit {
			b = append(b, c)
		} else {
			b = append(b, '_', hex[c>>4], hex[c&15])
		}
	}
	return string(b)
}

// unescapeLabel is the inverse of escapeLabel; ok is false for a label that
// escapeLabel does not make.
func unescapeLabel(s string) (string, bool) {
	if s == "_" {
		return "", true
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '_' {
			b = append(b, s[i])
			continue
		}
		if i+2 >= len(s) {
			return "", false
		}
		h, l := unhex(s[i+1]), unhex(s[i+2])
		if h < 0 || l < 0 {
			return "", false
		}
		b = append(b, byte(h<<4|l))
		i += 2
	}
	return string(b), true
}

func unhex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	}
	return -1
}

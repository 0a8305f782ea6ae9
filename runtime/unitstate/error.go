package unitstate

import "fmt"

// Error is a refusal that carries the D-Bus error name systemd uses for it, as
// data: clients such as systemctl choose their wording by it.
type Error struct {
	Name    string // "org.freedesktop.systemd1.NoSuchUnit"
	Message string
}

// Error gives the message.
func (e *Error) Error() string { return e.Message }

// Names of the errors, as in systemd's org.freedesktop.systemd1(5).
const (
	ErrNoSuchUnit               = "org.freedesktop.systemd1.NoSuchUnit"
	ErrNoUnitForPID             = "org.freedesktop.systemd1.NoUnitForPID"
	ErrNoUnitForInvocationID    = "org.freedesktop.systemd1.NoUnitForInvocationID"
	ErrUnitExists               = "org.freedesktop.systemd1.UnitExists"
	ErrLoadFailed               = "org.freedesktop.systemd1.LoadFailed"
	ErrBadUnitSetting           = "org.freedesktop.systemd1.BadUnitSetting"
	ErrJobFailed                = "org.freedesktop.systemd1.JobFailed"
	ErrNoSuchJob                = "org.freedesktop.systemd1.NoSuchJob"
	ErrUnitMasked               = "org.freedesktop.systemd1.UnitMasked"
	ErrUnitBusy                 = "org.freedesktop.systemd1.UnitBusy"
	ErrJobTypeNotApplicable     = "org.freedesktop.systemd1.JobTypeNotApplicable"
	ErrNoIsolation              = "org.freedesktop.systemd1.NoIsolation"
	ErrShuttingDown             = "org.freedesktop.systemd1.ShuttingDown"
	ErrScopeNotRunning          = "org.freedesktop.systemd1.ScopeNotRunning"
	ErrNoSuchProcess            = "org.freedesktop.systemd1.NoSuchProcess"
	ErrOnlyByDependency         = "org.freedesktop.systemd1.OnlyByDependency"
	ErrUnitInactive             = "org.freedesktop.systemd1.UnitInactive"
	ErrNothingToClean           = "org.freedesktop.systemd1.NothingToClean"
	ErrTransactionJobsConflict  = "org.freedesktop.systemd1.TransactionJobsConflicting"
	ErrTransactionOrderIsCyclic = "org.freedesktop.systemd1.TransactionOrderIsCyclic"
	ErrTransactionDestructive   = "org.freedesktop.systemd1.TransactionIsDestructive"

	ErrInvalidArgs      = "org.freedesktop.DBus.Error.InvalidArgs"
	ErrNotSupported     = "org.freedesktop.DBus.Error.NotSupported"
	ErrAccessDenied     = "org.freedesktop.DBus.Error.AccessDenied"
	ErrFailed           = "org.freedesktop.DBus.Error.Failed"
	ErrFileNotFound     = "org.freedesktop.DBus.Error.FileNotFound"
	ErrPropertyReadOnly = "org.freedesktop.DBus.Error.PropertyReadOnly"
)

// Errorf makes an Error.
func Errorf(name, format string, args ...any) *Error {
	return &Error{Name: name, Message: fmt.Sprintf(format, args...)}
}

// NoSuchUnit is the refusal to speak of a unit that is not loaded.
func NoSuchUnit(name string) *Error { return Errorf(ErrNoSuchUnit, "Unit %s not loaded.", name) }

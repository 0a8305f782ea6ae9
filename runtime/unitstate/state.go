// Package unitstate holds the words in which a manager speaks of its units:
// states, jobs, events and errors, and Backend, what a manager offers to those
// who control it.
//
// It holds values and one interface; it starts no process and encodes nothing.
// The bundled manager implements Backend, the D-Bus server serves it.
package unitstate

// LoadState says what became of a unit's file (systemd's UnitLoadState).
type LoadState string

// Load states.
const (
	LoadStub       LoadState = "stub"
	LoadLoaded     LoadState = "loaded"
	LoadNotFound   LoadState = "not-found"
	LoadBadSetting LoadState = "bad-setting"
	LoadErrored    LoadState = "error"
	LoadMerged     LoadState = "merged"
	LoadMasked     LoadState = "masked"
)

// ActiveState is the state that all unit types share.
type ActiveState string

// Active states.
const (
	Active       ActiveState = "active"
	Reloading    ActiveState = "reloading"
	Inactive     ActiveState = "inactive"
	Failed       ActiveState = "failed"
	Activating   ActiveState = "activating"
	Deactivating ActiveState = "deactivating"
	Maintenance  ActiveState = "maintenance"
)

// IsActiveOrReloading reports whether the unit counts as up.
func (a ActiveState) IsActiveOrReloading() bool { return a == Active || a == Reloading }

// IsActiveOrActivating reports whether the unit is up or on its way up.
func (a ActiveState) IsActiveOrActivating() bool {
	return a == Active || a == Reloading || a == Activating
}

// IsInactiveOrFailed reports whether the unit is entirely down.
func (a ActiveState) IsInactiveOrFailed() bool { return a == Inactive || a == Failed }

// SubState is the state in the terms of the unit's own type: "running",
// "start-pre", "auto-restart", "listening", "plugged" … as systemctl prints it.
type SubState string

// JobType is what a job does to its unit.
type JobType string

// Job types. TryReload exists only inside a transaction's merging.
const (
	Start             JobType = "start"
	VerifyActive      JobType = "verify-active"
	Stop              JobType = "stop"
	Reload            JobType = "reload"
	ReloadOrStart     JobType = "reload-or-start"
	Restart           JobType = "restart"
	TryRestart        JobType = "try-restart"
	TryReload         JobType = "try-reload"
	ReloadOrRestart   JobType = "reload-or-restart"     // by request only: becomes reload or restart
	ReloadOrTryReload JobType = "reload-or-try-restart" // by request only: becomes reload or try-restart
	Nop               JobType = "nop"
)

// JobMode is how a request treats the jobs that are already queued
// (systemctl(1), --job-mode=).
type JobMode string

// Job modes.
const (
	Replace             JobMode = "replace"
	Fail                JobMode = "fail"
	ReplaceIrreversibly JobMode = "replace-irreversibly"
	Isolate             JobMode = "isolate"
	Flush               JobMode = "flush"
	IgnoreDependencies  JobMode = "ignore-dependencies"
	IgnoreRequirements  JobMode = "ignore-requirements"
	Triggering          JobMode = "triggering"
	RestartDependencies JobMode = "restart-dependencies"
)

// JobState says whether a job was dispatched.
type JobState string

// Job states.
const (
	JobWaiting JobState = "waiting"
	JobRunning JobState = "running"
)

// JobResult is how a job ended.
type JobResult string

// Job results.
const (
	JobDone        JobResult = "done"
	JobCanceled    JobResult = "canceled"
	JobTimeout     JobResult = "timeout"
	JobFailed      JobResult = "failed"
	JobDependency  JobResult = "dependency"
	JobSkipped     JobResult = "skipped"
	JobInvalid     JobResult = "invalid"
	JobAssert      JobResult = "assert"
	JobUnsupported JobResult = "unsupported"
	JobCollected   JobResult = "collected"
	JobOnce        JobResult = "once"
)

// Job is one queued or running job. ID is never 0 for a job that exists.
type Job struct {
	ID    uint32
	Unit  string
	Type  JobType
	State JobState
}

// Whom selects the processes a signal goes to (systemctl kill --kill-whom=).
type Whom string

// Whom values; the -fail forms are an error when no process was there.
const (
	WhomMain        Whom = "main"
	WhomControl     Whom = "control"
	WhomAll         Whom = "all"
	WhomMainFail    Whom = "main-fail"
	WhomControlFail Whom = "control-fail"
	WhomAllFail     Whom = "all-fail"
)

// SystemState is the answer of systemctl is-system-running.
type SystemState string

// System states.
const (
	SystemInitializing SystemState = "initializing"
	SystemStarting     SystemState = "starting"
	SystemRunning      SystemState = "running"
	SystemDegraded     SystemState = "degraded"
	SystemMaintenance  SystemState = "maintenance"
	SystemStopping     SystemState = "stopping"
)

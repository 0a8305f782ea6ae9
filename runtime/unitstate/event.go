package unitstate

// EventKind says what happened.
type EventKind int

// Kinds of events.
const (
	JobNew       EventKind = iota // Job
	JobChanged                    // Job: waiting became running
	JobRemoved                    // Job and Result
	UnitNew                       // Unit
	UnitRemoved                   // Unit
	UnitChanged                   // Unit: ask Backend.Unit for its present status
	UnitFiles                     // links of unit files changed on disk
	ReloadBegin                   // daemon-reload began
	ReloadEnd                     // daemon-reload ended
	StartupDone                   // the first transaction came to rest; Startup
	ManagerEnded                  // the last event of a manager
)

// Event is one change, in the order in which changes happened.
type Event struct {
	Kind    EventKind
	Unit    string
	Job     Job
	Result  JobResult
	Startup StartupTimes
}

// StartupTimes is what StartupFinished carries, in microseconds.
type StartupTimes struct {
	Firmware, Loader, Kernel, InitRD, Userspace, Total uint64
}

package unitstate

// Property is one setting of SetProperties or StartTransient, in the spelling
// of unit files: {"CPUQuota", ["20%"]}, {"ExecStart", ["/bin/true"]}. Values
// are assigned in order; an empty string resets a list. The section follows
// from the unit's type. "PIDs" of a transient scope holds decimal numbers.
type Property struct {
	Name   string
	Values []string
}

// Transient is an auxiliary unit of StartTransient.
type Transient struct {
	Name       string
	Properties []Property
}

// ShutdownKind is how a manager ends.
type ShutdownKind string

// Shutdown kinds. Where the manager is not PID 1, all end the manager itself.
const (
	ShutdownExit     ShutdownKind = "exit"
	ShutdownPowerOff ShutdownKind = "poweroff"
	ShutdownReboot   ShutdownKind = "reboot"
	ShutdownHalt     ShutdownKind = "halt"
	ShutdownKexec    ShutdownKind = "kexec"
)

// Info is what the manager object knows about itself.
type Info struct {
	Version      string // "252 (unitgen 0.1)": the systemd version spoken, first
	Features     string // "+CGROUP2 -SELINUX …"
	Architecture string // "x86-64", systemd's names
	System       bool   // the system scope; false: the user scope
	PID          int    // of the manager
	PID1         bool   // it is the init of its PID namespace
	Virtual      string // Virtualization property: "docker", "" where unknown

	State         SystemState
	DefaultTarget string // "multi-user.target"
	UnitPath      []string
	Environment   []string
	RuntimeDir    string // holds systemd/private
	StateDir      string // unitgen's state directory, "" where booted without
	Tree          string // the tree that was last loaded
	ControlGroup  string

	NNames         int
	NFailedUnits   int
	NJobs          int
	NInstalledJobs int
	NFailedJobs    int
	Progress       float64
	ExitCode       int // what Exit was given

	StartTime         Stamp // the manager began
	UnitsLoadStart    Stamp
	UnitsLoadFinish   Stamp
	FinishTime        Stamp // the first transaction came to rest
	ShutdownStart     Stamp
	NotApplied        map[string][]string // unit → directives that are not applied here
	DefaultTimeouts   Timeouts
	ConfirmSpawn      bool
	ServiceWatchdogs  bool
	ReloadingOngoing  bool
	ShutdownWatchdogs bool
}

// Timeouts are the manager's defaults, in microseconds.
type Timeouts struct {
	Start, Stop, Abort, Restart uint64
	StartLimitInterval          uint64
	StartLimitBurst             uint32
}

// Process is one process of a unit.
type Process struct {
	ControlGroup string // path below the root of the hierarchy, "" where unknown
	PID          int
	Command      string // command line, blanks between arguments
}

// Resources is what the kernel says about the processes of a unit. A number
// that is not known is Unknown.
type Resources struct {
	MemoryCurrent, MemoryPeak, MemorySwap uint64 // bytes
	TasksCurrent                          uint64
	CPUUsageNSec                          uint64
	IOReadBytes, IOWriteBytes             uint64
	IPIngressBytes, IPEgressBytes         uint64
}

// Unknown is how systemd spells a number that is not known (UINT64_MAX).
const Unknown = ^uint64(0)

// Backend is a manager. Every method may be called from any goroutine; what
// they return is a copy and the caller's own, except Loaded, which nobody
// changes. Errors are *Error.
type Backend interface {
	// Info describes the manager now.
	Info() Info

	// Units gives all loaded units, sorted by name.
	Units() []*Status
	// Unit gives a loaded unit, by any of its names.
	Unit(name string) (*Status, error)
	// LoadUnit loads a unit if need be. A missing file is no error: the
	// status says LoadNotFound.
	LoadUnit(name string) (*Status, error)
	UnitByPID(pid int) (*Status, error)
	UnitByInvocation(id InvocationID) (*Status, error)
	UnitByControlGroup(path string) (*Status, error)

	// Dependencies gives all edges of a unit, inverse ones too, by the names
	// of org.freedesktop.systemd1.Unit: "Requires", "RequiredBy", "Before",
	// "TriggeredBy", "RequiresMountsFor" …; the names sorted.
	Dependencies(name string) (map[string][]string, error)
	Resources(name string) (Resources, error)
	Processes(name string) ([]Process, error)
	// Attach moves processes into a unit's (sub-)control group.
	Attach(name, sub string, pids []int) error

	// Enqueue builds a transaction and queues its jobs; the answer is the
	// job of the named unit.
	Enqueue(t JobType, unit string, mode JobMode) (Job, error)
	// EnqueueAffected also gives the other jobs of the transaction.
	EnqueueAffected(t JobType, unit string, mode JobMode) (Job, []Job, error)
	Jobs() []Job
	Job(id uint32) (Job, error)
	// JobsAround gives the jobs that this job waits for, and those that wait
	// for it.
	JobsAround(id uint32) (waitsFor, waitedForBy []Job, err error)
	CancelJob(id uint32) error
	ClearJobs()

	Kill(unit string, whom Whom, signal int) error
	// ResetFailed forgets the failure and the start limit of a unit; "" of all.
	ResetFailed(unit string) error
	// Clean removes what="runtime", "state", "cache", "logs",
	// "configuration", "fdstore", "all" of a unit that is down.
	Clean(unit string, what []string) error
	Freeze(unit string) error
	Thaw(unit string) error
	// Ref keeps a unit loaded until as many Unref; both for transient units.
	Ref(unit string) error
	Unref(unit string) error

	// SetProperties changes settings of a loaded unit; runtime changes do not
	// outlive the manager.
	SetProperties(unit string, runtime bool, props []Property) error
	StartTransient(unit string, mode JobMode, props []Property, aux []Transient) (Job, error)

	// Reload is daemon-reload: it returns when it is done.
	Reload() error
	// Reexecute is daemon-reexec.
	Reexecute() error
	// Shutdown begins to stop everything and returns; code is the exit code.
	Shutdown(kind ShutdownKind, code int) error
	// SetExitCode is what a later Shutdown without a code ends with.
	SetExitCode(code int) error

	SetEnvironment(assignments []string) error
	UnsetEnvironment(names []string) error

	// Logs gives the files that hold a unit's output, oldest first.
	Logs(unit string) ([]string, error)

	// Subscribe delivers events in order on a goroutine of the subscription,
	// until cancel is called or ManagerEnded was delivered. The function may
	// call the Backend.
	Subscribe(f func(Event)) (cancel func())
}

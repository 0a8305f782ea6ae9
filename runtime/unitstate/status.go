package unitstate

import (
	"encoding/hex"
	"time"
)

// Stamp is one instant on both clocks, in microseconds; zero where it never
// came.
type Stamp struct {
	Realtime  uint64 // since 1970 UTC
	Monotonic uint64 // CLOCK_MONOTONIC
}

// IsZero reports whether the instant never came.
func (s Stamp) IsZero() bool { return s.Realtime == 0 && s.Monotonic == 0 }

// Time gives the wall-clock time.
func (s Stamp) Time() time.Time {
	if s.Realtime == 0 {
		return time.Time{}
	}
	return time.UnixMicro(int64(s.Realtime))
}

// InvocationID is the 128-bit id of one activation of a unit.
type InvocationID [16]byte

// IsZero reports whether the unit was never activated.
func (id InvocationID) IsZero() bool { return id == InvocationID{} }

// String gives 32 hexadecimal digits.
func (id InvocationID) String() string { return hex.EncodeToString(id[:]) }

// Condition is one Condition…= or Assert…= with what came of it.
type Condition struct {
	Type     string // "ConditionPathExists"
	Trigger  bool   // "|"
	Negate   bool   // "!"
	Param    string
	Result   int // 0 not evaluated, > 0 held, < 0 failed
	IsAssert bool
}

// Status is all that a manager knows about one unit at one instant.
type Status struct {
	Name        string
	Names       []string // Name and its aliases
	Type        string   // "service"
	Description string
	Following   string

	Load         LoadState
	LoadErr      string // why it did not load
	LoadErrName  string // D-Bus error name of it
	Active       ActiveState
	Sub          SubState
	FragmentPath string
	SourcePath   string
	DropIns      []string
	// UnitFileState is left empty: it is a question to the file system
	// (package install), not to the manager.
	Transient bool
	Perpetual bool

	JobID   uint32
	JobType JobType

	StateChange   Stamp
	InactiveExit  Stamp
	ActiveEnter   Stamp
	ActiveExit    Stamp
	InactiveEnter Stamp

	NeedDaemonReload bool
	CanStart         bool
	CanStop          bool
	CanReload        bool
	CanIsolate       bool
	CanFreeze        bool
	CanClean         []string

	ConditionResult bool
	AssertResult    bool
	ConditionStamp  Stamp
	AssertStamp     Stamp
	Conditions      []Condition // asserts among them

	Invocation   InvocationID
	ControlGroup string // path below the root of the hierarchy, "" where none
	Slice        string
	Freezer      string   // "running", "frozen"
	NotApplied   []string // directives that are not applied here

	// Unit is what was loaded; never nil.
	Unit Loaded

	// The part of the unit's own type; the others are nil.
	Service   *Service
	Socket    *Socket
	Timer     *Timer
	Path      *Path
	Mount     *Mount
	Automount *Automount
	Swap      *Swap
	Scope     *Scope
	Device    *Device
}

// Exec is the record of one command: what ran, when, and how it ended.
type Exec struct {
	Setting string // "ExecStart"
	Index   int    // among the commands of that setting
	Path    string
	Argv    []string
	Flags   []string // "ignore-failure", "privileged", "no-setuid", "no-env-expand", …
	Start   Stamp
	Exit    Stamp
	PID     int
	Code    int // CLD_EXITED (1), CLD_KILLED (2), CLD_DUMPED (3); 0: not ended
	Status  int // exit status, or the signal
}

// Service is the part of a service.
type Service struct {
	Type            string
	MainPID         int
	ControlPID      int
	GuessMainPID    bool
	StatusText      string
	StatusErrno     int
	Result          string // "success", "exit-code", "signal", "timeout" …
	ReloadResult    string
	CleanResult     string
	NRestarts       uint32
	ExecMain        Exec // the main process; Setting "ExecStart" where known
	Commands        []Exec
	NFDStore        uint32
	WatchdogUSec    uint64 // in force now
	WatchdogStamp   Stamp
	TimeoutStart    uint64 // in force now, microseconds; Unknown: infinity
	TimeoutStop     uint64
	TimeoutAbort    uint64
	RuntimeMax      uint64
	NextRestartUSec uint64 // RestartUSecNext
	UID, GID        uint32 // as resolved; 2^32-1 where not
	BusName         string
}

// Socket is the part of a socket.
type Socket struct {
	NConnections uint32
	NAccepted    uint32
	NRefused     uint32
	Result       string
	ControlPID   int
	Service      string // the unit it triggers
	Listen       []Listen
	Commands     []Exec
	UID, GID     uint32
}

// Listen is one address a socket unit listens on, under its directive's kind:
// "Stream", "Datagram", "SequentialPacket", "FIFO", "Netlink", "Special",
// "MessageQueue", "USBFunction".
type Listen struct{ Kind, Address string }

// Timer is the part of a timer.
type Timer struct {
	Unit                string // the unit it triggers
	NextElapseRealtime  uint64 // microseconds; 0: never
	NextElapseMonotonic uint64
	LastTrigger         Stamp
	Result              string
	// Monotonic and Calendar are the specifications in order.
	Monotonic []TimerMonotonic
	Calendar  []TimerCalendar
}

// TimerMonotonic is one monotonic specification: Base "OnBootSec".
type TimerMonotonic struct {
	Base        string
	Value, Next uint64 // microseconds
}

// TimerCalendar is one OnCalendar= specification, normalised.
type TimerCalendar struct {
	Spec string
	Next uint64 // microseconds since 1970; 0: never
}

// Path is the part of a path unit.
type Path struct {
	Unit   string
	Result string
	Paths  []PathSpec
}

// PathSpec is one watch: Kind "PathExists".
type PathSpec struct{ Kind, Path string }

// Mount is the part of a mount.
type Mount struct {
	What, Where, Type, Options string
	Result                     string
	ControlPID                 int
	Commands                   []Exec
}

// Automount is the part of an automount.
type Automount struct{ Where, Result string }

// Swap is the part of a swap unit.
type Swap struct {
	What, Result string
	ControlPID   int
}

// Scope is the part of a scope.
type Scope struct {
	Controller string
	Result     string
	RuntimeMax uint64
}

// Device is the part of a device unit.
type Device struct{ SysFSPath string }

package directive

import "strings"

// Kinds that callers need by name; the others stand in the facts and in package
// value's table of checkers.
const (
	Bool           Kind = "bool"
	Unsigned       Kind = "unsigned"
	Integer        Kind = "integer"
	Long           Kind = "long"
	Size           Kind = "size"
	Mode           Kind = "mode"
	Signal         Kind = "signal"
	TimeSpan       Kind = "timespan" // 0 is zero
	Timeout        Kind = "timeout"  // 0 is infinity
	TimeoutAbort   Kind = "timeout-abort"
	TimerSpan      Kind = "timer-span"
	Calendar       Kind = "calendar"
	String         Kind = "string"
	RawString      Kind = "raw-string"
	Path           Kind = "path"
	PathList       Kind = "path-list"
	UnitList       Kind = "unit-list"
	Command        Kind = "command"
	Environment    Kind = "environment"
	ExitStatusSet  Kind = "exit-status-set"
	ListenStream   Kind = "listen-stream"
	ListenDatagram Kind = "listen-datagram"
	// Obsolete: systemd knows the name, warns, and ignores the value.
	Obsolete Kind = "obsolete"
)

// IsEnum reports whether the values are a fixed set of words, and which one.
func (k Kind) IsEnum() (name string, ok bool) { return strings.CutPrefix(string(k), "enum:") }

// IsCondition reports whether the value is a Condition…= or Assert…= argument,
// and of which sort.
func (k Kind) IsCondition() (sort string, ok bool) {
	return strings.CutPrefix(string(k), "condition:")
}

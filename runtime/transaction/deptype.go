package transaction

// DepType is a kind of dependency between two units.
type DepType int

// Kinds of dependencies, named as systemd.unit(5) and
// org.freedesktop.systemd1(5) name them.
const (
	Requires DepType = iota
	Requisite
	BindsTo
	Wants
	Upholds
	PartOf
	Conflicts
	Before
	After
	OnSuccess
	OnFailure
	Triggers
	PropagatesReloadTo
	PropagatesStopTo
	JoinsNamespaceOf
	InSlice
	RequiredBy
	RequisiteOf
	BoundBy
	WantedBy
	UpheldBy
	ConsistsOf
	ConflictedBy
	OnSuccessOf
	OnFailureOf
	TriggeredBy
	ReloadPropagatedFrom
	StopPropagatedFrom
	SliceOf
	References
	ReferencedBy
	depTypes
	noDep DepType = -1
)

var depNames = [depTypes]string{
	"Requires", "Requisite", "BindsTo", "Wants", "Upholds", "PartOf", "Conflicts",
	"Before", "After", "OnSuccess", "OnFailure", "Triggers", "PropagatesReloadTo",
	"PropagatesStopTo", "JoinsNamespaceOf", "InSlice", "RequiredBy", "RequisiteOf",
	"BoundBy", "WantedBy", "UpheldBy", "ConsistsOf", "ConflictedBy", "OnSuccessOf",
	"OnFailureOf", "TriggeredBy", "ReloadPropagatedFrom", "StopPropagatedFrom", "SliceOf",
	"References", "ReferencedBy",
}

var depByName = func() map[string]DepType {
	m := map[string]DepType{
		"Slice": InSlice,
		// older spellings of the same thing
		"PropagateReloadTo": PropagatesReloadTo, "PropagateReloadFrom": ReloadPropagatedFrom,
	}
	for i, n := range depNames {
		m[n] = DepType(i)
	}
	return m
}()

var inverse = func() [depTypes]DepType {
	var inv [depTypes]DepType
	for i := range inv {
		inv[i] = noDep
	}
	for _, p := range [][2]DepType{
		{Requires, RequiredBy}, {Requisite, RequisiteOf}, {BindsTo, BoundBy}, {Wants, WantedBy},
		{Upholds, UpheldBy}, {PartOf, ConsistsOf}, {Conflicts, ConflictedBy}, {Before, After},
		{OnSuccess, OnSuccessOf}, {OnFailure, OnFailureOf}, {Triggers, TriggeredBy},
		{PropagatesReloadTo, ReloadPropagatedFrom}, {PropagatesStopTo, StopPropagatedFrom},
		{InSlice, SliceOf}, {JoinsNamespaceOf, JoinsNamespaceOf}, {References, ReferencedBy},
	} {
		inv[p[0]], inv[p[1]] = p[1], p[0]
	}
	return inv
}()

// String gives the name of the kind.
func (t DepType) String() string { return depNames[t] }

// AllDepTypes gives every kind, in order.
func AllDepTypes() []DepType {
	out := make([]DepType, depTypes)
	for i := range out {
		out[i] = DepType(i)
	}
	return out
}

// What each kind does to a transaction (systemd.unit(5)).
var (
	pullStart        = []DepType{Requires, BindsTo}                                              // start, and fail with it
	pullStartIgnored = []DepType{Wants, Upholds}                                                 // start, whatever comes of it
	pullVerify       = []DepType{Requisite}                                                      // must be up already
	pullStop         = []DepType{Conflicts}                                                      // stop, and fail with it
	pullStopIgnored  = []DepType{ConflictedBy}                                                   // stop, whatever comes of it
	propagateStop    = []DepType{RequiredBy, RequisiteOf, BoundBy, ConsistsOf, PropagatesStopTo} // stopped with it
	propagateRestart = []DepType{RequiredBy, RequisiteOf, BoundBy, ConsistsOf}                   // restarted with it
	propagateReload  = []DepType{PropagatesReloadTo}                                             // reloaded with it
	propagateFailure = []DepType{RequiredBy, RequisiteOf, BoundBy}                               // their start jobs fail with its
)

// FailureReaches gives the units whose queued start jobs fail when this unit's
// start job fails.
func (u *Unit) FailureReaches() []*Unit { return u.all(propagateFailure) }

func (u *Unit) all(kinds []DepType) []*Unit {
	if len(kinds) == 1 {
		return u.Deps(kinds[0])
	}
	var out []*Unit
	for _, t := range kinds {
		out = append(out, u.Deps(t)...)
	}
	return out
}

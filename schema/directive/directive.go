// Package directive is the table of every directive of every unit type:
// section, kind of value, list and reset behaviour, the versions it lived in.
// The table itself is generated (see gen/) and committed.
//
// It takes a unit type and a name and gives rows. It must not know how values
// are parsed: package value does, going by the Kind of a row.
package directive

//go:generate go run ./gen

// Oldest and Newest are the systemd versions that the table describes. A
// directive with Since 0 was there in Oldest already; facts about versions
// above Newest are not claimed.
const (
	Oldest = 245
	Newest = 260
)

// Directive is one row of the table: one name in one section.
type Directive struct {
	Section    string     // "Service"
	Name       string     // "ExecStart"
	Kind       Kind       // what its values are; package value parses them
	List       bool       // several assignments add up
	Words      bool       // one assignment holds several elements, split at white space
	Reset      Reset      // what an empty assignment does
	Specifiers Specifiers // which %-specifiers are expanded in its value
	Since      int        // systemd version; 0: before the oldest known
	Until      int        // first version without it; 0: still there
	Deprecated int        // first version that warns of it; 0: not deprecated
	Replaced   string     // the directive to use instead, when it is deprecated
	Default    string     // as the man page documents it, "" when none
	Man        string     // "systemd.service(5)"; "" for what no page documents
	Doc        string     // one line in our own words, "" for the rare ones
	Group      string     // "exec", "cgroup", "kill", "condition" …: sections share these
}

// Kind names the syntax of a value; kinds.go lists them.
type Kind string

// Reset is the meaning of an empty assignment ("Name=").
type Reset uint8

// Meanings of an empty assignment.
const (
	// ResetDefault: a list is emptied, a scalar has its default back.
	ResetDefault Reset = iota
	// ResetNothing: the assignment has no effect (dependencies cannot be
	// emptied).
	ResetNothing
	// ResetRefused: an empty value is a mistake that systemd warns of.
	ResetRefused
)

// Specifiers names the set of specifiers that a directive expands
// (systemd.unit(5), "SPECIFIERS").
type Specifiers uint8

// Sets of specifiers.
const (
	// SpecifiersNone: a percent sign stands for itself.
	SpecifiersNone Specifiers = iota
	// SpecifiersUnit: all that a unit's own settings know.
	SpecifiersUnit
	// SpecifiersName: those of unit names in dependencies (%i %I %n %N %p %P
	// %j %J %f and the machine's facts).
	SpecifiersName
	// SpecifiersInstall: those of the [Install] section.
	SpecifiersInstall
)

// KnownIn reports whether the directive exists in a
// version of systemd.
func (d *Directive) KnownIn(version int) bool {
	return version >= d.Since && (d.Until == 0 || version < d.Until)
}

// UnitTypes gives the unit types that have the directive, as suffixes without
// the dot: one for a section of its own, all eleven for Unit and Install.
func (d *Directive) UnitTypes() []string { return SectionTypes(d.Section) }

// Package directive is the table of every directive of every unit type:
// section, kind of value, list and reset behaviour, the versions it lived in.
// The table itself is generated (see gen/) and committed.
package directive

// Directive is one row of the table.
type Directive struct {
	Section  string // "Service"
	Name     string // "ExecStart"
	Kind     Kind   // what its values are; package value parses them
	List     bool   // several assignments add up, an empty one resets
	Since    int    // systemd version; 0: before the oldest known
	Until    int    // first version without it; 0: still there
	Replaced string // the directive to use instead, when it is deprecated
	Default  string // as systemd.directives documents it, "" when none
	Man      string // "systemd.service(5)"
	Doc      string // one line in our own words
}

// Kind names the syntax of a value.
type Kind string

package install

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
)

// Kind is what a Change is about. The kinds that are failures end the command
// with an error.
type Kind int

// Kinds of changes.
const (
	Symlinked       Kind = iota // a link was made: Path, Source is its target
	Removed                     // a link was removed: Path
	IsMasked                    // the unit Path is masked and was left alone
	IsDangling                  // the unit Path is an alias of a unit that is not there
	NoDestination               // the unit file Source is wanted by the unit Path, which does not exist
	AuxiliaryFailed             // the unit Path of an Also= could not be enabled
	failures                    // all that follow are failures
	Exists                      // Path is taken; Source is the target where it is a link
	Masked                      // the unit Path is masked
	Generated                   // the unit Path is transient or generated
	InHierarchy                 // the file Path is below the unit directories already
	BadSpecifier                // Path holds a specifier that means nothing
	NotTemplate                 // Source is a template and Path, which is to want it, is none
	BadName                     // Path is no unit name
	Linked                      // Path is a link where a unit file is needed
	BadAlias                    // Path may not be an alias of Source
	NotFound                    // the unit Path does not exist
	Unresolvable                // specifiers in Path cannot be resolved
	Dangling                    // Path is a link to nothing
	Failed                      // Err says what happened to Path
)

// Change is one thing that a verb did, or that stopped it.
type Change struct {
	Kind   Kind
	Path   string
	Source string
	Err    error // of a Failed
}

// Failure reports whether the change is an error.
func (c Change) Failure() bool { return c.Kind > failures }

// Message gives systemctl's words for the change. verb is "enable", "preset" …;
// arrow stands between a link and its target. Notices are left out under
// --quiet, errors are not.
func (c Change) Message(verb, arrow string) (text string, notice bool) {
	switch c.Kind {
	case Symlinked:
		return fmt.Sprintf("Created symlink %s %s %s.", c.Path, arrow, c.Source), true
	case Removed:
		return fmt.Sprintf("Removed \"%s\".", c.Path), true
	case IsMasked:
		return fmt.Sprintf("Unit %s is masked, ignoring.", c.Path), true
	case IsDangling:
		return fmt.Sprintf("Unit %s is an alias to a unit that is not present, ignoring.", c.Path), true
	case NoDestination:
		return fmt.Sprintf("Unit %s is added as a dependency to a non-existent unit %s.", c.Source, c.Path), true
	case AuxiliaryFailed:
		return fmt.Sprintf("Failed to enable auxiliary unit %s, ignoring.", c.Path), true
	case Exists:
		if c.Source != "" {
			return fmt.Sprintf("Failed to %s unit, file \"%s\" already exists and is a symlink to \"%s\".", verb, c.Path, c.Source), false
		}
		return fmt.Sprintf("Failed to %s unit, file \"%s\" already exists.", verb, c.Path), false
	case Masked:
		return fmt.Sprintf("Failed to %s unit, unit %s is masked.", verb, c.Path), false
	case Generated:
		return fmt.Sprintf("Failed to %s unit, unit %s is transient or generated.", verb, c.Path), false
	case InHierarchy:
		return fmt.Sprintf("Failed to %s unit, file %s is under the systemd unit hierarchy already.", verb, c.Path), false
	case BadSpecifier:
		return fmt.Sprintf("Failed to %s unit, invalid specifier in \"%s\".", verb, c.Path), false
	case NotTemplate:
		return fmt.Sprintf("Failed to %s %s, destination unit %s is a non-template unit.", verb, c.Source, c.Path), false
	case BadName:
		return fmt.Sprintf("Failed to %s unit, \"%s\" is not a valid unit name.", verb, c.Path), false
	case Linked:
		return fmt.Sprintf("Failed to %s unit, refusing to operate on linked unit file %s.", verb, c.Path), false
	case BadAlias:
		if c.Source != "" {
			return fmt.Sprintf("Failed to %s unit, cannot alias %s as %s.", verb, c.Source, c.Path), false
		}
		return fmt.Sprintf("Failed to %s unit, invalid unit reference \"%s\".", verb, c.Path), false
	case NotFound:
		return fmt.Sprintf("Failed to %s unit, unit %s does not exist.", verb, c.Path), false
	case Unresolvable:
		return fmt.Sprintf("Failed to %s unit, cannot resolve specifiers in \"%s\".", verb, c.Path), false
	case Dangling:
		return fmt.Sprintf("Failed to %s unit, file \"%s\": Link has been severed", verb, c.Path), false
	}
	return fmt.Sprintf("Failed to %s unit, file \"%s\": %s", verb, c.Path, Words(c.Err)), false
}

// Words spells an error of the system as the C library does.
func Words(err error) string {
	var f *failure
	if errors.As(err, &f) {
		switch f.kind {
		case NotFound:
			return "No such file or directory"
		case Exists:
			return "File exists"
		case Masked:
			return "Operation not possible due to RF-kill"
		case Generated:
			return "Cannot assign requested address"
		case BadName:
			return "Structure needs cleaning"
		case Linked:
			return "Too many levels of symbolic links"
		case BadAlias:
			return "Invalid cross-device link"
		case BadSpecifier:
			return "Invalid slot"
		case Unresolvable:
			return "Protocol driver not attached"
		case NotTemplate:
			return "Identifier removed"
		case Dangling:
			return "Link has been severed"
		}
		if f.err == nil {
			return "Input/output error" // the kinds without words are never shown alone
		}
		err = f.err
	}
	var errno syscall.Errno
	switch {
	case errors.Is(err, errLoop):
		return "Too many levels of symbolic links"
	case errors.As(err, &errno):
		s := errno.Error()
		return strings.ToUpper(s[:1]) + s[1:]
	case errors.Is(err, fs.ErrNotExist):
		return "No such file or directory"
	}
	return err.Error()
}

// failure is an error with the kind of change that tells of it.
type failure struct {
	kind Kind
	err  error
}

func (f *failure) Error() string { return Words(f) }
func (f *failure) Unwrap() error { return f.err }

// fail makes an error of a kind.
func fail(k Kind) error { return &failure{kind: k} }

// kindOf gives the kind of change that tells of an error.
func kindOf(err error) Kind {
	var f *failure
	switch {
	case errors.As(err, &f):
		return f.kind
	case errors.Is(err, fs.ErrNotExist):
		return NotFound
	case errors.Is(err, errLoop):
		return Linked
	}
	return Failed
}

// note appends a change.
func (e *Engine) note(k Kind, path, source string) {
	e.changes = append(e.changes, Change{Kind: k, Path: path, Source: source})
}

// noteError appends the change that tells of an error and gives it back.
func (e *Engine) noteError(err error, path, source string) error {
	e.changes = append(e.changes, Change{Kind: kindOf(err), Path: path, Source: source, Err: err})
	return err
}

// Package condition evaluates the conditions and asserts of systemd.unit(5),
// "CONDITIONS AND ASSERTS", on a machine.
//
// It takes a parsed value.Condition and a System, which says where the machine's
// facts are read, and gives whether the condition holds. It must not know units
// nor what becomes of one whose condition fails.
package condition

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/unitgen/unitgen/schema/value"
)

// System is the machine that conditions are evaluated on. The zero System is
// the running machine, seen by this process.
type System struct {
	Root      string   // the root directory; "" for "/"
	Env       []string // the manager's environment; nil: this process's
	FirstBoot bool     // /etc was unpopulated when the machine started
	// Credentials are directories of credentials beside those that the
	// environment names.
	Credentials []string
	// Controllers are the control group controllers that units can have; nil:
	// those of the machine.
	Controllers []string
}

// ErrInvalid is the error of a parameter that cannot be read.
var ErrInvalid = errors.New("Invalid argument") //nolint:staticcheck // systemd's words

// path gives a path below the root.
func (s *System) path(p string) string {
	if s.Root == "" || s.Root == "/" {
		return p
	}
	return filepath.Join(s.Root, p)
}

func (s *System) env() []string {
	if s.Env != nil {
		return s.Env
	}
	return os.Environ()
}

// tests holds the evaluation of every condition, by name, without negation.
var tests map[string]func(s *System, param string) (bool, error)

func init() {
	tests = map[string]func(s *System, param string) (bool, error){
		"PathExists":             (*System).pathExists,
		"PathExistsGlob":         (*System).pathExistsGlob,
		"PathIsDirectory":        (*System).pathIsDirectory,
		"PathIsSymbolicLink":     (*System).pathIsSymbolicLink,
		"PathIsMountPoint":       (*System).pathIsMountPoint,
		"PathIsReadWrite":        (*System).pathIsReadWrite,
		"PathIsEncrypted":        (*System).pathIsEncrypted,
		"DirectoryNotEmpty":      (*System).directoryNotEmpty,
		"FileNotEmpty":           (*System).fileNotEmpty,
		"FileIsExecutable":       (*System).fileIsExecutable,
		"NeedsUpdate":            (*System).needsUpdate,
		"FirstBoot":              (*System).firstBoot,
		"Architecture":           (*System).architecture,
		"Firmware":               (*System).firmware,
		"Virtualization":         (*System).virtualization,
		"Host":                   (*System).host,
		"KernelCommandLine":      (*System).kernelCommandLine,
		"KernelVersion":          (*System).kernelVersion,
		"Version":                (*System).version,
		"Credential":             (*System).credential,
		"Security":               (*System).security,
		"Capability":             (*System).capability,
		"ACPower":                (*System).acPower,
		"Memory":                 (*System).memory,
		"CPUs":                   (*System).cpus,
		"CPUFeature":             (*System).cpuFeature,
		"Environment":            (*System).environment,
		"User":                   (*System).user,
		"Group":                  (*System).group,
		"ControlGroupController": (*System).controller,
		"OSRelease":              (*System).osRelease,
		"MemoryPressure":         func(s *System, p string) (bool, error) { return s.pressure("memory", p) },
		"CPUPressure":            func(s *System, p string) (bool, error) { return s.pressure("cpu", p) },
		"IOPressure":             func(s *System, p string) (bool, error) { return s.pressure("io", p) },
		"KernelModuleLoaded":     (*System).kernelModule,
	}
}

// Evaluate tells whether one condition holds, its negation applied. An error
// means that the parameter cannot be read; such a condition counts as failed.
func (s *System) Evaluate(c value.Condition) (bool, error) {
	f := tests[c.Name]
	if f == nil {
		return false, ErrInvalid
	}
	ok, err := f(s, c.Param)
	if err != nil {
		return false, err
	}
	return ok != c.Negate, nil
}

// Result is the answer for one condition.
type Result struct {
	Condition value.Condition
	Holds     bool
	Err       error
}

// All evaluates a list as systemd does: every condition without "|" must hold,
// and one of those with "|" where there are any. It stops at the first that
// decides; the results are those that were evaluated.
func (s *System) All(list []value.Condition) (bool, []Result) {
	var done []Result
	triggers, triggered := false, false
	for _, c := range list {
		ok, err := s.Evaluate(c)
		if c.Name == "CPUFeature" {
			c.Param = strings.ToLower(c.Param) // as systemd shows it
		}
		done = append(done, Result{c, ok, err})
		if !c.Trigger && !ok {
			return false, done
		}
		if c.Trigger {
			triggers = true
			triggered = triggered || ok
		}
	}
	return !triggers || triggered, done
}

func firstWord(file string) string {
	b, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

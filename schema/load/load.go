// Package load finds unit files along a load path and puts together the unit
// that systemd would hold after loading them: fragment, aliases, drop-ins,
// masks, merged settings, implicit and default dependencies (systemd.unit(5),
// "Unit File Load Path", and the sections "Implicit Dependencies" and "Default
// Dependencies" of the man page of each unit type).
//
// It reads directories or memory and gives *Unit. It knows nothing of running
// state, HCL or how units are carried out.
package load

import (
	"io/fs"
	"sort"
	"sync"

	"github.com/unitgen/unitgen/schema/diag"
	"github.com/unitgen/unitgen/schema/tree"
	"github.com/unitgen/unitgen/schema/unitfile"
)

// MaxFileSize is the largest unit file or drop-in that is read, in bytes.
// Larger ones are an error of the unit, not of the machine's memory.
const MaxFileSize = 16 << 20

// Options say where units are looked for and how they are expanded.
type Options struct {
	// Scope is the manager whose load path and defaults apply; the zero value
	// is the system manager.
	Scope tree.Scope
	// Root is put before every path, "" for the machine's own root. Links are
	// followed inside it and never out of it.
	Root string
	// Path is the search path, highest priority first, below Root. Nil means
	// the default of the scope, after SYSTEMD_UNIT_PATH when UseEnvironment is
	// set.
	Path []string
	// UseEnvironment makes a nil Path honour SYSTEMD_UNIT_PATH, and in the user
	// scope XDG_CONFIG_HOME, XDG_DATA_HOME, XDG_RUNTIME_DIR, XDG_CONFIG_DIRS
	// and XDG_DATA_DIRS.
	UseEnvironment bool
	// FS, when set, is read instead of the machine's files; Root is ignored.
	// Names in it are the absolute paths without the leading slash. Where it
	// implements LinkFS, symbolic links are seen.
	FS fs.FS
	// Builtin adds unit files of lowest priority from memory, name → text.
	Builtin map[string][]byte
	// Expand replaces the specifiers of a value of a unit; nil: a Specifiers
	// with the fixed facts of NewSpecifiers is used.
	Expand func(u *Unit, section, key, value string) (string, error)
	// Facts are what values resolve to that the unit files do not say: host
	// name, runtime directories, users, the defaults of system.conf.
	Facts Facts
	// Version is the systemd version whose directives and defaults apply; 0:
	// the newest known.
	Version int
	// NoDefaults leaves implicit and default dependencies out.
	NoDefaults bool
}

// LinkFS is an fs.FS that knows symbolic links (fs.ReadLinkFS of Go 1.25 has
// the same methods).
type LinkFS interface {
	fs.FS
	ReadLink(name string) (string, error)
	Lstat(name string) (fs.FileInfo, error)
}

// State is systemd's load state of a unit.
type State string

// Load states, spelled as systemctl shows them.
const (
	Loaded     State = "loaded"
	NotFound   State = "not-found"
	BadSetting State = "bad-setting"
	Error      State = "error"
	Masked     State = "masked"
)

// Assignment is one value of a directive and the place it was assigned at.
type Assignment struct {
	Section, Key string
	Raw          string // as written
	Value        string // specifiers expanded
	Pos          diag.Range
}

// Dep is one dependency of a unit: its type as systemd.unit(5) spells it
// ("After", "Requires", "RequiredBy", "Triggers", "InSlice" …), the other unit, and why it is there.
type Dep struct {
	Type    string
	Unit    string
	Origins []string     // sorted by weight: file default implicit path slice-property mount-file inverse
	Pos     []diag.Range // the assignments that made it, where files did
}

// Unit is one unit as it is after loading.
type Unit struct {
	Name     string   // the name it is known by: an alias gives its real name
	Names    []string // Name and all its aliases, sorted
	Type     string   // "service", …
	State    State
	Fragment string   // path of the unit file, "" when there is none
	Source   string   // the link target that was read, where Fragment is a link
	DropIns  []string // paths in the order in which they apply

	// Settings holds what the files say after merging, resets and specifier
	// expansion: section → directive → values. List directives have one string
	// for each assignment, others one string.
	Settings map[string]map[string][]string
	// Assigned holds the assignments behind Settings, in order.
	Assigned []Assignment
	// Deps are the unit's own dependencies, sorted by type and unit.
	Deps []Dep
	// Commands are the command lines of Exec…= directives.
	Commands map[string][]Command
	// Files are the parsed fragment and drop-ins in the order in which they
	// apply.
	Files []*unitfile.File
	// Diags tells what was ignored and why.
	Diags diag.List

	loader *Loader
	full   bool
	typed  map[string]map[string][]string
	mounts []mountNeed
}

// Command is one command line of an Exec…= directive.
type Command struct {
	Path   string   // argv[0] as found: the program that is executed
	Argv   []string // after unquoting and specifiers, $VAR kept
	Prefix string   // the prefixes "-", "@", ":", "+", "!", "!!" as written
	Pos    diag.Range
}

// Loader loads units and keeps them. It is safe for use by several goroutines.
type Loader struct {
	opt Options

	mu     sync.Mutex
	index  *index
	units  map[string]*Unit
	queue  []*Unit
	issues diag.List
}

// New makes a loader. The directories are read once, at the first use.
func New(opt Options) *Loader {
	if opt.Scope == "" {
		opt.Scope = tree.System
	}
	opt.Facts = opt.Facts.withDefaults(opt.Scope)
	return &Loader{opt: opt, units: map[string]*Unit{}}
}

// Path gives the search path in use, highest priority first, without Root.
func (l *Loader) Path() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.ix().dirs...)
}

// Names gives every unit name that has a unit file, a link or a mask on the
// load path, templates included, sorted.
func (l *Loader) Names() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	ix := l.ix()
	out := make([]string, 0, len(ix.names))
	for n := range ix.names {
		out = append(out, n)
	}
	sort.Strings(out)
	return out
}

// Diags tells what is wrong with the load path itself: unreadable directories,
// link loops, aliases that are not allowed.
func (l *Loader) Diags() diag.List {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ix()
	return append(diag.List(nil), l.issues...)
}

// Load gives the unit of a name, loaded on first use, under the name that an
// alias stands for. It is never nil; State says how loading went. Units that it depends on are loaded
// by the same call only as far as its own dependencies need them.
func (l *Loader) Load(name string) *Unit {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.load(name)
}

// Loaded gives every unit loaded so far, sorted by name.
func (l *Loader) Loaded() []*Unit {
	l.mu.Lock()
	defer l.mu.Unlock()
	seen := map[*Unit]bool{}
	var out []*Unit
	for _, u := range l.units {
		if !seen[u] {
			seen[u] = true
			out = append(out, u)
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out
}

// Closure loads the named units and everything they refer to, and completes
// their dependencies with the inverse ones (origin "inverse") and with those
// that only the other unit knows of, such as a mount unit below a path that
// another unit needs. It gives all units reached, sorted by name.
func (l *Loader) Closure(names ...string) []*Unit {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.closure(names)
}

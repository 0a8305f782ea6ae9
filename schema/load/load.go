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
	"os"
	"sort"
	"strings"
	"sync"

	"github.com/unitgen/unitgen/schema/diag"
	"github.com/unitgen/unitgen/schema/specifier"
	"github.com/unitgen/unitgen/schema/tree"
	"github.com/unitgen/unitgen/schema/unitfile"
	"github.com/unitgen/unitgen/schema/value"
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
	// Names in it are the absolute paths without the leading slash. Where it is
	// an fs.ReadLinkFS, symbolic links are seen.
	FS fs.FS
	// Builtin adds unit files of lowest priority from memory, name → text.
	Builtin map[string][]byte
	// Parsed gives, by path, files that stand on the load path and need not be
	// read, with the places of their lines. They are not changed.
	Parsed map[string]*unitfile.File
	// Facts are what specifiers stand for; Unit and Fragment are filled in for
	// each unit. Directories and users that are empty are those of the scope's
	// manager.
	Facts Facts
	// Version is the systemd version whose directives and defaults apply; 0:
	// the newest known.
	Version int
	// NoUnifiedCgroups says that the machine has no unified control group
	// hierarchy: systemd-oomd is then of no use and nothing is ordered after it.
	NoUnifiedCgroups bool
	// Container says that the manager runs in a container, where swap units have
	// no default dependencies.
	Container bool
	// NoDefaults leaves implicit and default dependencies out.
	NoDefaults bool
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

	loader   *Loader
	resolved bool // Deps is complete
	gathered bool
	broken   bool // reading ended early
	// stops tells where in a file systemd stops reading, in bytes.
	stops  map[*unitfile.File]int
	typed  map[string]map[string][]string
	once   sync.Once
	deps   map[depKey]*depValue
	mounts []mountNeed
}

// Facts are the facts of the machine and the manager that specifiers name.
type Facts = specifier.Context

// Command is one command line of an Exec…= directive.
type Command struct {
	Path   string   // the program: absolute, or a plain name to look for
	Argv   []string // argv[0] first; unquoted, specifiers expanded, $VAR kept
	Prefix string   // the special characters before the program, as in "@-"
	Flags  value.Command
	Pos    diag.Range
}

// Loader loads units and keeps them. It is safe for use by several goroutines.
type Loader struct {
	opt Options

	mu     sync.Mutex
	src    source
	spec   specifier.Context
	index  *index
	units  map[string]*Unit // by every name
	issues diag.List

	defaultsMu sync.Mutex
	defaults   map[string]*sharedDefaults // by unit type
}

// New makes a loader. The directories are read once, at the first use.
func New(opt Options) *Loader {
	if opt.Scope == "" {
		opt.Scope = tree.System
	}
	l := &Loader{opt: opt, units: map[string]*Unit{}}
	def := specifier.System()
	if opt.Scope == tree.User {
		def = specifier.User(specifier.CurrentUser(), specifier.Environ(os.Environ()), opt.Version)
	}
	l.spec = withDefaults(opt.Facts, def)
	root := strings.TrimRight(opt.Root, "/")
	if opt.FS != nil {
		root = ""
	}
	l.src = source{root: root, fsys: opt.FS}
	return l
}

// withDefaults fills what is empty.
func withDefaults(f, def Facts) Facts {
	for _, p := range []struct{ to, from *string }{
		{&f.RuntimeDir, &def.RuntimeDir}, {&f.StateDir, &def.StateDir}, {&f.CacheDir, &def.CacheDir}, {&f.LogsDir, &def.LogsDir},
		{&f.ConfigDir, &def.ConfigDir}, {&f.SharedDir, &def.SharedDir}, {&f.TempDir, &def.TempDir}, {&f.VarTempDir, &def.VarTempDir},
		{&f.Home, &def.Home}, {&f.User, &def.User}, {&f.Group, &def.Group}, {&f.UID, &def.UID}, {&f.GID, &def.GID}, {&f.Shell, &def.Shell},
	} {
		if *p.to == "" {
			*p.to = *p.from
		}
	}
	return f
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
	out := make([]string, 0, len(ix.ids))
	for n := range ix.ids {
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
	for _, u := range out {
		l.resolve(u)
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

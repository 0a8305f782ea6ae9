package install

import (
	"errors"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/unitgen/unitgen/schema/load"
	"github.com/unitgen/unitgen/schema/specifier"
	"github.com/unitgen/unitgen/schema/tree"
)

// Scope says whose units a command works on.
type Scope int

// Scopes of systemctl: --system, --global (the units of all users), and --user.
const (
	System Scope = iota
	Global
	User
)

// Options set an Engine up.
type Options struct {
	Root    string // stands for "/"; "" is the machine itself
	Scope   Scope
	Runtime bool // --runtime: links go below /run
	Force   bool // --force: links in the way are replaced
	DryRun  bool // say what would change and change nothing
	// Version is the systemd whose rules apply; UpheldBy= counts from 254 on. 0
	// is 252, whose wording the answers have.
	Version int
	// Facts are what specifiers of [Install] stand for; the zero value takes
	// them from the machine below Root.
	Facts *specifier.Context
}

// Engine carries out systemctl's offline verbs on the directories of one root.
type Engine struct {
	opt       Options
	root      string
	fs        files
	dirs      []string // load path, root in front, highest priority first
	config    string   // where links are made
	etc, run  string   // persistent and runtime configuration
	generated []string // generator output
	transient string
	spec      *specifier.Context
	changes   []Change
	// noAliases: an alias in the configuration directories is refused, the unit
	// itself is to be named.
	noAliases bool
}

// New makes an engine. The user scope with a root is refused, as systemctl
// refuses it: whose home below that root it would be is not known.
func New(opt Options) (*Engine, error) {
	e := &Engine{opt: opt, fs: machine{}}
	if opt.Root != "" {
		abs, err := filepath.Abs(opt.Root)
		if err != nil {
			return nil, err
		}
		if e.root = abs; abs == "/" {
			e.root = ""
		} else {
			e.fs = &rooted{root: abs, dirs: map[string]string{}}
		}
	}
	if opt.Scope == User && opt.Root != "" {
		return nil, errInvalid
	}
	if e.root != "" {
		fi, err := os.Stat(e.root)
		if err != nil {
			return nil, err
		}
		if !fi.IsDir() {
			return nil, errNotDir
		}
	}
	e.setPaths(os.Getenv)
	return e, nil
}

func (e *Engine) setPaths(environ func(string) string) {
	sub := "system"
	switch e.opt.Scope {
	case System:
		e.dirs = load.SearchPath(tree.System, environ)
	case Global:
		sub = "user"
		e.dirs = globalPath(environ)
	case User:
		sub = "user"
		e.dirs = load.SearchPath(tree.User, environ)
	}
	e.etc, e.run = "/etc/systemd/"+sub, "/run/systemd/"+sub
	base := "/run/systemd"
	if e.opt.Scope == User {
		home := environ("XDG_CONFIG_HOME")
		if home == "" {
			home = environ("HOME") + "/.config"
		}
		base = environ("XDG_RUNTIME_DIR") + "/systemd"
		e.etc, e.run = home+"/systemd/user", base+"/user"
	}
	if e.opt.Scope != Global {
		e.generated = []string{base + "/generator.early", base + "/generator", base + "/generator.late"}
		e.transient = base + "/transient"
	}
	for i := range e.dirs {
		e.dirs[i] = e.root + e.dirs[i]
	}
	for i := range e.generated {
		e.generated[i] = e.root + e.generated[i]
	}
	e.etc, e.run = e.root+e.etc, e.root+e.run
	if e.transient != "" {
		e.transient = e.root + e.transient
	}
	e.config = e.etc
	if e.opt.Runtime {
		e.config = e.run
	}
}

// globalPath is the part of the user managers' load path that all users share.
func globalPath(environ func(string) string) []string {
	if environ != nil && environ("SYSTEMD_UNIT_PATH") != "" {
		return load.SearchPath(tree.User, environ)
	}
	return []string{"/etc/systemd/user", "/run/systemd/user", "/usr/local/share/systemd/user", "/usr/share/systemd/user", "/usr/local/lib/systemd/user", "/usr/lib/systemd/user"}
}

// Changes gives what was done and what went wrong, in order.
func (e *Engine) Changes() []Change { return e.changes }

// facts gives what specifiers stand for, read on first use.
func (e *Engine) facts() specifier.Context {
	if e.spec == nil {
		if e.opt.Facts != nil {
			e.spec = e.opt.Facts
		} else {
			c := specifier.System()
			root := e.root
			if root == "" {
				root = "/"
			}
			c.Host = specifier.ReadHost(root)
			e.spec = &c
		}
	}
	return *e.spec
}

// inSearchPath reports whether a file lies directly in a directory of the load
// path.
func (e *Engine) inSearchPath(p string) bool {
	dir := path.Dir(p)
	for _, d := range e.dirs {
		if d == dir {
			return true
		}
	}
	return false
}

// version reports whether the systemd that is meant is at least v.
func (e *Engine) version(v int) bool { return e.opt.Version >= v }

func below(p, dir string) bool { return strings.HasPrefix(p, dir+"/") }

var errInvalid = errors.New("Invalid argument") //nolint:staticcheck // systemctl's own words

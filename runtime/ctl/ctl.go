package ctl

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
	"time"

	"github.com/unitgen/unitgen/runtime/bus"
	"github.com/unitgen/unitgen/schema/unitname"
)

// Exit codes of systemctl(1), "Exit status".
const (
	exitSuccess    = 0
	exitFailure    = 1
	exitNotRunning = 3 // the unit is not active
	exitNoUnit     = 4 // no such unit
	exitNotLoaded  = 5 // of start, stop and their kin: the unit is not loaded
)

// Options say where a command line runs.
type Options struct {
	Client bus.Client
	User   bool // the manager is a user's: hints name --user
	Out    io.Writer
	Err    io.Writer
	Width  int  // columns to fit lists into; 0: as wide as they are
	UTF8   bool // lines and dots beyond ASCII
	Color  bool
	Now    func() time.Time // nil: time.Now
	// Logs gives the last lines that a unit wrote, for status; nil: none.
	Logs func(unit string, lines int) []string
}

// run is one command line under way.
type run struct {
	*options
	Options
	ctx context.Context
	c   bus.Client
}

type verb struct {
	min, max int // arguments; max -1: any number
	do       func(*run) int
}

var verbs = map[string]verb{}

func init() {
	for names, v := range map[string]verb{
		"list-units":      {0, -1, (*run).listUnits},
		"list-unit-files": {0, -1, (*run).listUnitFiles},
		"list-sockets":    {0, -1, (*run).listSockets},
		"list-timers":     {0, -1, (*run).listTimers},
		"list-automounts": {0, -1, (*run).listAutomounts},
		"list-paths":      {0, -1, (*run).listPaths},
		"list-jobs":       {0, -1, (*run).listJobs},
		"cancel":          {0, -1, (*run).cancel},
		"start stop condstop reload restart try-restart reload-or-restart try-reload-or-restart reload-or-try-restart force-reload condreload condrestart": {0, -1, (*run).enqueue},
		"isolate":                    {1, 1, (*run).enqueue},
		"default rescue emergency":   {0, 0, (*run).enqueue},
		"exit":                       {0, 1, (*run).exit},
		"halt poweroff reboot kexec": {0, 0, (*run).shutdown},
		"kill":                       {1, -1, (*run).kill},
		"clean":                      {1, -1, (*run).clean},
		"freeze thaw":                {1, -1, (*run).freeze},
		"is-active check":            {1, -1, (*run).isActive},
		"is-failed":                  {0, -1, (*run).isFailed},
		"is-enabled":                 {1, -1, (*run).isEnabled},
		"is-system-running":          {0, 0, (*run).isSystemRunning},
		"show":                       {0, -1, (*run).show},
		"status":                     {0, -1, (*run).status},
		"cat":                        {1, -1, (*run).cat},
		"daemon-reload":              {0, 0, (*run).daemonReload},
		"daemon-reexec":              {0, 0, (*run).daemonReexec},
		"reset-failed":               {0, -1, (*run).resetFailed},
		"set-property":               {2, -1, (*run).setProperty},
		"show-environment":           {0, 0, (*run).showEnvironment},
		"set-environment":            {1, -1, (*run).setEnvironment},
		"unset-environment":          {1, -1, (*run).setEnvironment},
		"import-environment":         {0, -1, (*run).importEnvironment},
		"log-level log-target":       {0, 1, (*run).logControl},
		"service-watchdogs":          {0, 1, (*run).serviceWatchdogs},
		"list-dependencies":          {0, -1, (*run).listDependencies},
		"get-default":                {0, 0, (*run).getDefault},
		"enable disable reenable mask unmask preset link revert preset-all set-default add-wants add-requires": {0, -1, (*run).fileVerb},
		"bind":   {2, 3, (*run).bind},
		"action": {2, 2, (*run).action},
		"edit help mount-image switch-root soft-reboot service-log-level service-log-target list-machines suspend hibernate hybrid-sleep suspend-then-hibernate": {0, -1, (*run).refuse},
	} {
		for _, n := range strings.Fields(names) {
			verbs[n] = v
		}
	}
}

// Verbs gives the names of all verbs.
func Verbs() []string {
	var out []string
	for n := range verbs {
		out = append(out, n)
	}
	return out
}

// Main carries out a command line of systemctl and gives its exit code.
func Main(ctx context.Context, args []string, o Options) int {
	opts, err := parse(args)
	if err != nil {
		var l listed
		if errors.As(err, &l) {
			fmt.Fprint(o.Out, string(l))
			return exitSuccess
		}
		fmt.Fprintln(o.Err, err)
		return exitFailure
	}
	r := &run{options: opts, Options: o, ctx: ctx, c: o.Client}
	if r.Now == nil {
		r.Now = time.Now
	}
	if r.verb == "" {
		r.verb = "list-units"
	}
	v, ok := verbs[r.verb]
	switch {
	case !ok:
		r.say("Unknown command verb %s.", r.verb)
		return exitFailure
	case len(r.args) < v.min:
		r.say("Too few arguments.")
		return exitFailure
	case v.max >= 0 && len(r.args) > v.max:
		r.say("Too many arguments.")
		return exitFailure
	}
	if r.failed {
		r.states = append(r.states, "failed")
	}
	return v.do(r)
}

func (r *run) say(format string, args ...any)   { fmt.Fprintf(r.Err, format+"\n", args...) }
func (r *run) print(format string, args ...any) { fmt.Fprintf(r.Out, format, args...) }

// tell reports an error of the manager: "Failed to VERB: message".
func (r *run) tell(what string, err error) int {
	r.say("Failed to %s: %s", what, message(err))
	return exitFailure
}

// message gives the words of an error reply.
func message(err error) string {
	var e *bus.Error
	if errors.As(err, &e) && e.Message != "" {
		return e.Message
	}
	return err.Error()
}

// scope is " --user" for hints where the manager is a user's.
func (r *run) scope() string {
	if r.User {
		return " --user"
	}
	return ""
}

func isGlob(s string) bool { return strings.ContainsAny(s, "*?[") }

// mangle makes a unit name of an argument, with a suffix where it has none.
func (r *run) mangle(s, suffix string) (string, bool) {
	name, escaped, err := unitname.Mangle(s, suffix)
	if err != nil {
		r.say("Failed to mangle name: Invalid argument")
		return "", false
	}
	if escaped && !r.quiet && !isGlob(s) {
		r.say("Invalid unit name \"%s\" escaped as \"%s\" (maybe you should use systemd-escape?).", s, strings.TrimSuffix(name, "."+suffix))
	}
	return name, true
}

// names makes unit names of the arguments; patterns become the loaded units
// that fit them.
func (r *run) names(args []string, suffix string) ([]string, bool) {
	var out, globs []string
	for _, a := range args {
		if isGlob(a) {
			g := a
			if unitname.Type(a) == "" && !strings.HasSuffix(a, "*") {
				g += "." + suffix
			}
			globs = append(globs, g)
			continue
		}
		n, ok := r.mangle(a, suffix)
		if !ok {
			return nil, false
		}
		out = append(out, n)
	}
	if len(globs) > 0 {
		us, err := r.c.ListUnitsByPatterns(r.ctx, r.states, globs)
		if err != nil {
			r.tell("expand names", err)
			return nil, false
		}
		for _, u := range us {
			if u.LoadState != "not-found" || slicesContains(globs, u.Name) {
				out = append(out, u.Name)
			}
		}
	}
	return out, true
}

func slicesContains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// fits reports whether a name fits one of the patterns, or there are none.
func fits(patterns []string, name string) bool {
	if len(patterns) == 0 {
		return true
	}
	for _, p := range patterns {
		if ok, err := path.Match(p, name); err == nil && ok {
			return true
		}
	}
	return false
}

// environment is os.Environ, for import-environment.
var environment = os.Environ

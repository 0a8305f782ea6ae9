package main

import (
	_ "embed"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/unitgen/unitgen/schema/install"
	"github.com/unitgen/unitgen/schema/unitname"
)

// offlineVerbs carries out a command line of systemctl that has --root= in it,
// with systemctl's words and exit codes. handled is false when there is no
// --root=: the command is then for a running manager.
func offlineVerbs(a *app, args []string) (code int, handled bool) {
	o, err := parseOffline(args)
	if o.root == "" {
		return 0, false
	}
	c := &offline{offlineOptions: o, out: a.out, err: a.err, utf8: localeIsUTF8(os.Getenv)}
	if err != nil {
		c.say("%v", err)
		return exitWrong, true
	}
	return c.run(), true
}

// offline is one run of an offline verb.
type offline struct {
	offlineOptions
	out, err io.Writer
	utf8     bool
}

func (c *offline) say(format string, args ...any) {
	fmt.Fprintf(c.err, format+"\n", args...)
}

// offlineVerb is a row of the table of verbs: how many arguments it takes and
// what carries it out.
type offlineVerb struct {
	min, max int // max -1: any number
	run      func(c *offline) int
}

var offlineTable = map[string]offlineVerb{
	"enable":          {1, -1, (*offline).enable},
	"disable":         {1, -1, (*offline).enable},
	"reenable":        {1, -1, (*offline).enable},
	"preset":          {1, -1, (*offline).enable},
	"link":            {1, -1, (*offline).enable},
	"mask":            {1, -1, (*offline).enable},
	"unmask":          {1, -1, (*offline).enable},
	"revert":          {1, -1, (*offline).enable},
	"preset-all":      {0, 0, (*offline).presetAll},
	"is-enabled":      {1, -1, (*offline).isEnabled},
	"list-unit-files": {0, -1, (*offline).listUnitFiles},
	"get-default":     {0, 0, (*offline).getDefault},
	"set-default":     {1, 1, (*offline).setDefault},
	"add-wants":       {2, -1, (*offline).addDependency},
	"add-requires":    {2, -1, (*offline).addDependency},
	"cat":             {1, -1, (*offline).cat},
}

// liveVerbs need a running manager.
var liveVerbs = strings.Fields(`list-units list-sockets list-timers list-automounts list-paths list-jobs list-machines clear-jobs cancel
	start stop condstop reload restart try-restart reload-or-restart reload-or-try-restart try-reload-or-restart force-reload condreload
	condrestart isolate kill clean is-active check is-failed show status help daemon-reload daemon-reexec log-level log-target
	service-log-level service-log-target service-watchdogs show-environment set-environment unset-environment import-environment halt
	poweroff reboot kexec soft-reboot suspend hibernate hybrid-sleep suspend-then-hibernate sleep default rescue emergency
	is-system-running reset-failed list-dependencies set-property freeze thaw bind mount-image switch-root edit exit whoami`)

// unitStates is the answer to --state=help.
//
//go:embed ctl_states.txt
var unitStates string

func (c *offline) run() int {
	switch {
	case c.help:
		fmt.Fprint(c.out, offlineHelp)
		return exitDone
	case c.version:
		fmt.Fprintln(c.out, "unitgen ctl, with the words and exit codes of systemctl 252")
		return exitDone
	case c.typeHelp:
		fmt.Fprintln(c.out, "Available unit types:\nservice\nmount\nswap\nsocket\ntarget\ndevice\nautomount\ntimer\npath\nslice\nscope")
		return exitDone
	case c.stateHelp:
		fmt.Fprint(c.out, unitStates)
		return exitDone
	}
	verb := c.verb
	if verb == "" {
		verb = "list-units"
	}
	v, ok := offlineTable[verb]
	if !ok {
		for _, l := range liveVerbs {
			if l == verb {
				c.say("Verb '%s' cannot be used with --root= or --image=.", verb)
				return exitWrong
			}
		}
		c.say("Unknown command verb %s.", verb)
		return exitWrong
	}
	switch {
	case len(c.args) < v.min:
		c.say("Too few arguments.")
		return exitWrong
	case v.max >= 0 && len(c.args) > v.max:
		c.say("Too many arguments.")
		return exitWrong
	}
	return v.run(c)
}

// engine makes an engine; a refusal is told in the words of the verb.
func (c *offline) engine(verb string) (*install.Engine, int) {
	e, err := install.New(install.Options{Root: c.root, Scope: c.scope, Runtime: c.runtime, Force: c.force})
	if err != nil {
		c.refuse(verb, err)
		return nil, exitWrong
	}
	return e, exitDone
}

// refuse tells that there is no engine for the root. systemctl looks services
// up first for some verbs, and fails there.
func (c *offline) refuse(verb string, err error) {
	if (verb == "enable" || verb == "disable" || verb == "is-enabled") && c.scope != install.User {
		abs, aerr := filepath.Abs(c.root)
		if aerr != nil {
			abs = c.root
		}
		c.say("Failed to initialize unit search paths for root directory %s: %s", abs, install.Words(err))
		return
	}
	c.say("Failed to %s: %s.", verb, install.Words(err))
}

// enable is enable, disable, reenable, preset, link, mask, unmask and revert.
func (c *offline) enable() int {
	names, ok := c.mangle("to "+c.verb, ".service", true)
	if !ok {
		return exitWrong
	}
	if c.verb == "link" {
		for _, n := range names {
			if !filepath.IsAbs(n) {
				c.say("Non-absolute paths are not allowed when --root is used: %s", n)
				return exitWrong
			}
		}
	}
	if c.verb == "disable" {
		names = c.baseNames(names)
	}
	e, code := c.engine(c.verb)
	if e == nil {
		return code
	}
	carries := true
	var err error
	if c.verb == "enable" || c.verb == "disable" {
		if !c.lookUp(e, names) {
			return exitWrong
		}
	}
	switch c.verb {
	case "enable":
		carries, err = e.Enable(names)
	case "disable":
		err = e.Disable(names)
	case "reenable":
		carries, err = e.Reenable(names)
	case "preset":
		carries, err = e.Preset(names, c.presetMode)
		carries = carries || err == nil
	case "link":
		err = e.Link(names)
	case "mask":
		err = e.Mask(names)
	case "unmask":
		err = e.Unmask(names)
	case "revert":
		err = e.Revert(names)
	}
	if c.dump(e, c.verb, err) != exitDone {
		return exitWrong
	}
	if !carries && !c.quiet {
		c.noInstallInfo()
	}
	if c.now && (c.verb == "enable" || c.verb == "disable" || c.verb == "mask") {
		// systemctl looks for a manager then, and --root= has none.
		c.say("System has not been booted with systemd as init system (PID 1). Can't operate.")
		c.say("Failed to connect to bus: Host is down")
		return exitWrong
	}
	return exitDone
}

// lookUp looks services up before anything is done, where systemctl looks for
// init scripts.
func (c *offline) lookUp(e *install.Engine, names []string) bool {
	for _, n := range names {
		if !strings.HasSuffix(n, ".service") || filepath.IsAbs(n) {
			continue
		}
		if _, err := e.Known(n); err != nil {
			c.say("Failed to look up unit file state: %s", install.Words(err))
			return false
		}
	}
	return true
}

// baseNames makes names of paths, and says so.
func (c *offline) baseNames(names []string) []string {
	out := make([]string, len(names))
	warned := false
	for i, n := range names {
		out[i] = filepath.Base(n)
		if strings.Contains(n, "/") && !warned && !c.quiet {
			c.say("Warning: Can't execute disable on the unit file path. Proceeding with the unit name.")
			warned = true
		}
	}
	return out
}

// dump tells what an engine did and what went wrong.
func (c *offline) dump(e *install.Engine, verb string, err error) int {
	arrow := "->"
	if c.utf8 {
		arrow = "→"
	}
	told := false
	for _, ch := range e.Changes() {
		text, notice := ch.Message(verb, arrow)
		if notice && c.quiet {
			continue
		}
		told = told || ch.Failure()
		c.say("%s", text)
	}
	if err == nil {
		return exitDone
	}
	if !told {
		c.say("Failed to %s: %s.", verb, install.Words(err))
	}
	return exitWrong
}

func (c *offline) noInstallInfo() {
	b := "*"
	if c.utf8 {
		b = "•"
	}
	c.say(`The unit files have no installation config (WantedBy=, RequiredBy=, Also=,
Alias= settings in the [Install] section, and DefaultInstance= for template
units). This means they are not meant to be enabled using systemctl.
 
Possible reasons for having this kind of units are:
%[1]s A unit may be statically enabled by being symlinked from another unit's
  .wants/ or .requires/ directory.
%[1]s A unit's purpose may be to act as a helper for some other unit which has
  a requirement dependency on it.
%[1]s A unit may be started when needed via activation (socket, path, timer,
  D-Bus, udev, scripted systemctl call, ...).
%[1]s In case of template units, the unit is meant to be enabled with some
  instance name specified.`, b)
}

// mangle makes unit names of the arguments; with paths, arguments that hold a
// slash are paths.
func (c *offline) mangle(operation, suffix string, paths bool) ([]string, bool) {
	return c.mangleList(c.args, operation, suffix, paths)
}

func (c *offline) mangleList(args []string, operation, suffix string, paths bool) ([]string, bool) {
	var out []string
	for _, n := range args {
		if paths && strings.Contains(n, "/") {
			abs := n
			if !filepath.IsAbs(n) {
				wd, err := os.Getwd()
				if err != nil {
					c.say("Failed to mangle unit name or path '%s': %s", n, install.Words(err))
					return nil, false
				}
				for strings.HasPrefix(n, "./") {
					n = n[2:]
				}
				abs = wd + "/" + n
			}
			out = append(out, abs)
			continue
		}
		m, escaped, err := unitname.Mangle(n, strings.TrimPrefix(suffix, "."))
		if err != nil {
			c.say("Failed to mangle unit name or path '%s': Invalid argument", n)
			return nil, false
		}
		if escaped && !c.quiet {
			hint := " (maybe you should use systemd-escape?)"
			if unitname.IsGlob(n) {
				c.say("Glob pattern passed %s, but globs are not supported for this.", operation)
				hint = ""
			}
			shown := m
			if !strings.HasSuffix(n, suffix) {
				shown = strings.TrimSuffix(m, suffix) // systemctl speaks before it adds the suffix
			}
			c.say("Invalid unit name \"%s\" escaped as \"%s\"%s.", n, shown, hint)
		}
		out = append(out, m)
	}
	return out, true
}

// localeIsUTF8 reports whether systemd would print Unicode characters.
func localeIsUTF8(env func(string) string) bool {
	if v := env("SYSTEMD_UTF8"); v != "" {
		return v == "1" || v == "yes" || v == "true" || v == "on"
	}
	for _, k := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := env(k); v != "" {
			v = strings.ToUpper(v)
			return strings.Contains(v, "UTF-8") || strings.Contains(v, "UTF8")
		}
	}
	return true
}

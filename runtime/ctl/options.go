package ctl

import (
	"fmt"
	"slices"
	"strings"
)

// options is a parsed command line.
type options struct {
	verb string
	args []string

	types, states, properties []string

	all, reverse, after, before, showTypes, failed, full, value, wait, noBlock, quiet, plain, now, force, help, version bool
	runtime, noReload, withDependencies, showTransaction, dryRun, marked, legend                                        bool
	jobMode, killWhom, signal, what, output, presetMode, timestamp                                                      string
	lines                                                                                                               int
}

// takesValue lists the long options; true where a value belongs to one.
var takesValue = map[string]bool{
	"help": false, "version": false, "type": true, "property": true, "value": false, "all": false, "reverse": false, "after": false,
	"before": false, "show-types": false, "failed": false, "full": false, "job-mode": true, "fail": false, "irreversible": false,
	"ignore-dependencies": false, "ignore-inhibitors": false, "check-inhibitors": true, "user": false, "system": false, "global": false,
	"wait": false, "no-block": false, "legend": true, "no-legend": false, "no-pager": false, "no-wall": false, "dry-run": false,
	"force": false, "no-reload": false, "kill-whom": true, "kill-who": true, "signal": true, "no-ask-password": false, "host": true,
	"machine": true, "runtime": false, "lines": true, "output": true, "plain": false, "state": true, "recursive": false,
	"with-dependencies": false, "preset-mode": true, "firmware-setup": false, "now": false, "message": true, "show-transaction": false,
	"what": true, "reboot-argument": true, "read-only": false, "mkdir": false, "marked": false, "timestamp": true, "quiet": false,
	"json": false, "state-dir": true, "runtime-dir": true,
}

var shortNames = map[byte]string{'h': "help", 't': "type", 'p': "property", 'P': "property", 'a': "all", 'l': "full", 'f': "force",
	'q': "quiet", 's': "signal", 'H': "host", 'M': "machine", 'n': "lines", 'o': "output", 'r': "recursive", 'i': "ignore-inhibitors",
	'T': "show-transaction"}

// parse reads a command line as getopt_long does: options anywhere, long ones
// by any unique beginning.
func parse(args []string) (*options, error) {
	o := &options{legend: true, lines: 10, timestamp: "pretty"}
	var rest []string
	for i := 0; i < len(args); i++ {
		arg := args[i]
		switch {
		case arg == "--":
			rest = append(rest, args[i+1:]...)
			i = len(args)
		case strings.HasPrefix(arg, "--"):
			name, val, has := strings.Cut(arg[2:], "=")
			full, err := longName(name)
			if err != nil {
				return nil, err
			}
			if takesValue[full] && !has {
				if i++; i >= len(args) {
					return nil, fmt.Errorf("option '--%s' requires an argument", full)
				}
				val = args[i]
			} else if !takesValue[full] && has {
				return nil, fmt.Errorf("option '--%s' doesn't allow an argument", full)
			}
			if err := o.set(full, val); err != nil {
				return nil, err
			}
		case len(arg) > 1 && arg[0] == '-':
			for j := 1; j < len(arg); j++ {
				name, ok := shortNames[arg[j]]
				if !ok {
					return nil, fmt.Errorf("invalid option -- '%c'", arg[j])
				}
				val, eaten := "", false
				if takesValue[name] {
					if val, eaten = arg[j+1:], true; val == "" {
						if i++; i >= len(args) {
							return nil, fmt.Errorf("option requires an argument -- '%c'", arg[j])
						}
						val = args[i]
					}
				}
				if arg[j] == 'P' {
					o.value = true
				}
				if err := o.set(name, val); err != nil {
					return nil, err
				}
				if eaten {
					break
				}
			}
		default:
			rest = append(rest, arg)
		}
	}
	if len(rest) > 0 {
		o.verb, o.args = rest[0], rest[1:]
	}
	return o, nil
}

func longName(name string) (string, error) {
	if _, ok := takesValue[name]; ok {
		return name, nil
	}
	found := ""
	for k := range takesValue {
		if strings.HasPrefix(k, name) && name != "" {
			if found != "" {
				return "", fmt.Errorf("option '--%s' is ambiguous", name)
			}
			found = k
		}
	}
	if found == "" {
		return "", fmt.Errorf("unrecognized option '--%s'", name)
	}
	return found, nil
}

var unitTypes = []string{"automount", "device", "mount", "path", "scope", "service", "slice", "socket", "swap", "target", "timer"}

func (o *options) set(name, val string) error {
	truth := map[string]*bool{"all": &o.all, "reverse": &o.reverse, "after": &o.after, "before": &o.before, "show-types": &o.showTypes,
		"failed": &o.failed, "full": &o.full, "value": &o.value, "wait": &o.wait, "no-block": &o.noBlock, "quiet": &o.quiet,
		"plain": &o.plain, "now": &o.now, "force": &o.force, "help": &o.help, "version": &o.version, "runtime": &o.runtime,
		"no-reload": &o.noReload, "with-dependencies": &o.withDependencies, "show-transaction": &o.showTransaction,
		"dry-run": &o.dryRun, "marked": &o.marked}
	if b := truth[name]; b != nil {
		*b = true
		return nil
	}
	switch name {
	case "type":
		for _, w := range strings.Split(val, ",") {
			switch {
			case w == "":
			case w == "help":
				return helpList("Available unit types:", unitTypes)
			case slices.Contains(unitTypes, w):
				o.types = append(o.types, w)
			case slices.Contains(loadStates, w):
				o.states = append(o.states, w)
			default:
				return fmt.Errorf("Unknown unit type or load state '%s'.\nUse -t help to see a list of allowed values.", w)
			}
		}
	case "property":
		for _, w := range strings.Split(val, ",") {
			if w != "" {
				o.properties = append(o.properties, w)
			}
		}
		if val == "" {
			o.properties = []string{}
		}
	case "state":
		for _, w := range strings.Split(val, ",") {
			if w != "" {
				o.states = append(o.states, w)
			}
		}
	case "job-mode":
		o.jobMode = val
	case "fail":
		o.jobMode = "fail"
	case "irreversible":
		o.jobMode = "replace-irreversibly"
	case "ignore-dependencies":
		o.jobMode = "ignore-dependencies"
	case "legend":
		b, ok := boolean(val)
		if !ok {
			return fmt.Errorf("Failed to parse boolean argument to --legend=: %s.", val)
		}
		o.legend = b
	case "no-legend":
		o.legend = false
	case "kill-whom", "kill-who":
		o.killWhom = val
	case "signal":
		o.signal = val
	case "what":
		o.what = val
	case "output":
		o.output = val
	case "json":
		o.output = "json"
	case "preset-mode":
		o.presetMode = val
	case "timestamp":
		if !slices.Contains([]string{"pretty", "us", "µs", "utc", "us+utc", "µs+utc", "unix"}, val) {
			return fmt.Errorf("Invalid value: %s.", val)
		}
		o.timestamp = val
	case "lines":
		if _, err := fmt.Sscanf(val, "%d", &o.lines); err != nil || o.lines < 0 {
			return fmt.Errorf("Failed to parse lines '%s'", val)
		}
	}
	return nil
}

var loadStates = []string{"stub", "loaded", "not-found", "bad-setting", "error", "merged", "masked"}

// listed ends the command with a list on standard output.
type listed string

func (l listed) Error() string { return string(l) }

func helpList(head string, words []string) error {
	return listed(head + "\n" + strings.Join(words, "\n") + "\n")
}

func boolean(s string) (bool, bool) {
	switch strings.ToLower(s) {
	case "1", "yes", "y", "true", "t", "on":
		return true, true
	case "0", "no", "n", "false", "f", "off":
		return false, true
	}
	return false, false
}

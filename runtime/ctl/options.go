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

// parse reads a command line for a running manager.
func parse(args []string) (*options, error) {
	o := &options{legend: true, lines: 10, timestamp: "pretty"}
	rest, err := Scan(args, func(name, val string, letter byte) error {
		if letter == 'P' {
			o.value = true
		}
		return o.set(name, val)
	})
	if err != nil {
		return nil, err
	}
	if len(rest) > 0 {
		o.verb, o.args = rest[0], rest[1:]
	}
	return o, nil
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
			case slices.Contains(LoadStates, w):
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

// LoadStates are the words that --type= takes beside the unit types.
var LoadStates = []string{"stub", "loaded", "not-found", "bad-setting", "error", "merged", "masked"}

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

package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/unitgen/unitgen/schema/install"
	"github.com/unitgen/unitgen/schema/unitname"
)

// offlineOptions is systemctl's command line as far as offline verbs use it.
type offlineOptions struct {
	root       string
	scope      install.Scope
	runtime    bool
	force      bool
	quiet      bool
	full       bool
	now        bool
	noLegend   bool
	help       bool
	version    bool
	typeHelp   bool
	stateHelp  bool
	presetMode install.PresetMode
	types      []string
	states     []string
	verb       string
	args       []string
}

// longOptions are systemctl's long options; true: it takes a value, and an
// empty string after the colon: the value may be left out.
var longOptions = map[string]bool{
	"help": false, "version": false, "type": true, "property": true, "value": false, "all": false, "reverse": false, "after": false,
	"before": false, "show-types": false, "failed": false, "full": false, "job-mode": true, "fail": false, "irreversible": false,
	"ignore-dependencies": false, "ignore-inhibitors": false, "check-inhibitors": true, "user": false, "system": false, "global": false,
	"wait": false, "no-block": false, "legend": true, "no-legend": false, "no-pager": false, "no-wall": false, "dry-run": false,
	"root": true, "image": true, "force": false, "no-reload": false, "kill-whom": true, "kill-who": true, "signal": true,
	"no-ask-password": false, "host": true, "machine": true, "runtime": false, "lines": true, "output": true, "plain": false,
	"state": true, "recursive": false, "with-dependencies": false, "preset-mode": true, "firmware-setup": false, "boot-loader-menu": true,
	"boot-loader-entry": true, "now": false, "message": true, "show-transaction": false, "what": true, "reboot-argument": true,
	"read-only": false, "mkdir": false, "marked": false, "timestamp": true, "quiet": false, "kill-value": true,
}

// shortOptions are the one-letter options and the long ones they stand for.
var shortOptions = map[byte]string{
	'h': "help", 't': "type", 'p': "property", 'P': "property", 'a': "all", 'l': "full", 'f': "force", 'q': "quiet", 's': "signal",
	'H': "host", 'M': "machine", 'n': "lines", 'o': "output", 'r': "recursive", 'i': "ignore-inhibitors", 'T': "show-transaction",
}

// parseOffline reads a command line as getopt_long does: options anywhere, long
// ones also by a prefix that is unique. With an error the root is still given
// where it was seen.
func parseOffline(args []string) (offlineOptions, error) {
	o := offlineOptions{presetMode: install.PresetFull}
	var first error
	set := func(name, value string) {
		if err := o.set(name, value); err != nil && first == nil {
			first = err
		}
	}
	fail := func(format string, a ...any) {
		if first == nil {
			first = fmt.Errorf(format, a...)
		}
	}
	var rest []string
	for i := 0; i < len(args); i++ {
		arg := args[i]
		switch {
		case arg == "--":
			rest = append(rest, args[i+1:]...)
			i = len(args)
		case strings.HasPrefix(arg, "--"):
			name, value, has := strings.Cut(arg[2:], "=")
			full, ambiguous := longOption(name)
			switch {
			case ambiguous:
				fail("unitgen ctl: option '%s' is ambiguous", arg)
				continue
			case full == "":
				fail("unitgen ctl: unrecognized option '%s'", arg)
				continue
			case has && !longOptions[full]:
				fail("unitgen ctl: option '--%s' doesn't allow an argument", full)
				continue
			case !has && longOptions[full]:
				if i++; i == len(args) {
					fail("unitgen ctl: option '%s' requires an argument", arg)
					continue
				}
				value = args[i]
			}
			set(full, value)
		case len(arg) > 1 && arg[0] == '-':
			for j := 1; j < len(arg); j++ {
				name := shortOptions[arg[j]]
				if name == "" {
					fail("unitgen ctl: invalid option -- '%c'", arg[j])
					continue
				}
				if !longOptions[name] {
					set(name, "")
					continue
				}
				value := arg[j+1:]
				if value == "" {
					if i++; i == len(args) {
						fail("unitgen ctl: option requires an argument -- '%c'", arg[j])
						break
					}
					value = args[i]
				}
				set(name, value)
				break
			}
		default:
			rest = append(rest, arg)
		}
	}
	if len(rest) > 0 {
		o.verb, o.args = rest[0], rest[1:]
	}
	return o, first
}

func longOption(name string) (full string, ambiguous bool) {
	if _, ok := longOptions[name]; ok {
		return name, false
	}
	for k := range longOptions {
		if strings.HasPrefix(k, name) {
			if full != "" {
				return "", true
			}
			full = k
		}
	}
	return full, false
}

func (o *offlineOptions) set(name, value string) error {
	switch name {
	case "help":
		o.help = true
	case "version":
		o.version = true
	case "root":
		o.root = value
	case "image":
		return errors.New("Disk images are not read by unitgen; give the mounted directory with --root=.") //nolint:staticcheck // a sentence of its own
	case "system":
		o.scope = install.System
	case "user":
		o.scope = install.User
	case "global":
		o.scope = install.Global
	case "runtime":
		o.runtime = true
	case "force":
		o.force = true
	case "quiet":
		o.quiet = true
	case "full":
		o.full = true
	case "now":
		o.now = true
	case "no-legend":
		o.noLegend = true
	case "legend":
		switch value {
		case "no", "false", "0", "off":
			o.noLegend = true
		}
	case "failed":
		o.states = append(o.states, "failed")
	case "state":
		for _, s := range strings.Split(value, ",") {
			if s == "help" {
				o.stateHelp = true
			}
			if s != "" {
				o.states = append(o.states, s)
			}
		}
	case "type":
		for _, t := range strings.Split(value, ",") {
			switch {
			case t == "":
			case t == "help":
				o.typeHelp = true
			case unitname.Valid("x." + t):
				o.types = append(o.types, t)
			case loadStates[t]:
				o.states = append(o.states, t)
			default:
				return fmt.Errorf("Unknown unit type or load state '%s'.\nUse -t help to see a list of allowed values.", t) //nolint:staticcheck // systemctl's own words
			}
		}
	case "preset-mode":
		switch m := install.PresetMode(value); m {
		case install.PresetFull, install.PresetEnableOnly, install.PresetDisableOnly:
			o.presetMode = m
		default:
			return fmt.Errorf("Failed to parse preset mode: %s.", value) //nolint:staticcheck // systemctl's own words
		}
	}
	return nil
}

var loadStates = map[string]bool{"stub": true, "loaded": true, "not-found": true, "bad-setting": true, "error": true, "merged": true, "masked": true}

const offlineHelp = `unitgen ctl --root=DIR [OPTION…] VERB [ARGUMENT…]

Works on the unit files below DIR as systemctl --root=DIR does.

  enable UNIT…             make the links that [Install] asks for
  disable UNIT…            take them away
  reenable UNIT…           disable, then enable
  preset UNIT…, preset-all enable or disable as the preset files say
  link PATH…               make unit files from elsewhere known
  mask UNIT…, unmask UNIT… forbid and allow units
  revert UNIT…             back to what the vendor ships
  is-enabled UNIT…         the state of unit files
  list-unit-files [PATTERN…]
  get-default, set-default TARGET
  add-wants TARGET UNIT…, add-requires TARGET UNIT…
  cat UNIT…                the unit file and its drop-ins

  --user --global --system --runtime --force --now --quiet --no-reload
  --full --preset-mode=full|enable-only|disable-only --type= --state=
  --no-legend --no-pager

Example: unitgen ctl --root=./tree enable nginx.service
`

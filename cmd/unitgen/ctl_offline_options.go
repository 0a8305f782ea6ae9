package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/unitgen/unitgen/runtime/ctl"
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

// parseOffline reads a command line of systemctl. With an error the root is
// still given where it was seen.
func parseOffline(args []string) (offlineOptions, error) {
	o := offlineOptions{presetMode: install.PresetFull}
	rest, err := ctl.Scan(args, func(name, value string, _ byte) error { return o.set(name, value) })
	if len(rest) > 0 {
		o.verb, o.args = rest[0], rest[1:]
	}
	var syntax ctl.SyntaxError
	if errors.As(err, &syntax) {
		err = fmt.Errorf("unitgen ctl: %w", err)
	}
	return o, err
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
			case slices.Contains(ctl.LoadStates, t):
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

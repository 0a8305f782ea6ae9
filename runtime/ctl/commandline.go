package ctl

import (
	"fmt"
	"strings"
)

// takesValue lists systemctl's long options; true where a value belongs to
// one. "json" is ours.
var takesValue = map[string]bool{
	"help": false, "version": false, "type": true, "property": true, "value": false, "all": false, "reverse": false, "after": false,
	"before": false, "show-types": false, "failed": false, "full": false, "job-mode": true, "fail": false, "irreversible": false,
	"ignore-dependencies": false, "ignore-inhibitors": false, "check-inhibitors": true, "user": false, "system": false, "global": false,
	"wait": false, "no-block": false, "legend": true, "no-legend": false, "no-pager": false, "no-wall": false, "dry-run": false,
	"root": true, "image": true, "force": false, "no-reload": false, "kill-whom": true, "kill-who": true, "kill-value": true, "signal": true,
	"no-ask-password": false, "host": true, "machine": true, "runtime": false, "lines": true, "output": true, "plain": false,
	"state": true, "recursive": false, "with-dependencies": false, "preset-mode": true, "firmware-setup": false, "boot-loader-menu": true,
	"boot-loader-entry": true, "now": false, "message": true, "show-transaction": false, "what": true, "reboot-argument": true,
	"read-only": false, "mkdir": false, "marked": false, "timestamp": true, "quiet": false, "json": false,
}

// shortNames are the one-letter options and the long ones they stand for.
var shortNames = map[byte]string{'h': "help", 't': "type", 'p': "property", 'P': "property", 'a': "all", 'l': "full", 'f': "force",
	'q': "quiet", 's': "signal", 'H': "host", 'M': "machine", 'n': "lines", 'o': "output", 'r': "recursive", 'i': "ignore-inhibitors",
	'T': "show-transaction"}

// SyntaxError is a command line that cannot be taken apart; the text is
// getopt_long's, without the program's name before it.
type SyntaxError string

// Error gives the text.
func (e SyntaxError) Error() string { return string(e) }

// Scan reads a command line as getopt_long does: options anywhere, long ones by
// any unique beginning. It calls set for each option, in order, with its long
// name; letter is the short one, 0 without. What follows an error is read too;
// the first error is given. rest are the verb and its arguments.
func Scan(args []string, set func(name, value string, letter byte) error) (rest []string, err error) {
	keep := func(e error) {
		if err == nil {
			err = e
		}
	}
	wrong := func(format string, a ...any) { keep(SyntaxError(fmt.Sprintf(format, a...))) }
	for i := 0; i < len(args); i++ {
		arg := args[i]
		switch {
		case arg == "--":
			return append(rest, args[i+1:]...), err
		case strings.HasPrefix(arg, "--"):
			name, value, has := strings.Cut(arg[2:], "=")
			full, ambiguous := longName(name)
			switch {
			case ambiguous:
				wrong("option '%s' is ambiguous", arg)
				continue
			case full == "":
				wrong("unrecognized option '%s'", arg)
				continue
			case has && !takesValue[full]:
				wrong("option '--%s' doesn't allow an argument", full)
				continue
			case !has && takesValue[full]:
				if i++; i == len(args) {
					wrong("option '%s' requires an argument", arg)
					continue
				}
				value = args[i]
			}
			if e := set(full, value, 0); e != nil {
				keep(e)
			}
		case len(arg) > 1 && arg[0] == '-':
			for j := 1; j < len(arg); j++ {
				name := shortNames[arg[j]]
				if name == "" {
					wrong("invalid option -- '%c'", arg[j])
					continue
				}
				value, last := "", false
				if takesValue[name] {
					if value, last = arg[j+1:], true; value == "" {
						if i++; i == len(args) {
							wrong("option requires an argument -- '%c'", arg[j])
							break
						}
						value = args[i]
					}
				}
				if e := set(name, value, arg[j]); e != nil {
					keep(e)
				}
				if last {
					break
				}
			}
		default:
			rest = append(rest, arg)
		}
	}
	return rest, err
}

func longName(name string) (full string, ambiguous bool) {
	if _, ok := takesValue[name]; ok {
		return name, false
	}
	if name == "" {
		return "", false
	}
	for k := range takesValue {
		if strings.HasPrefix(k, name) {
			if full != "" {
				return "", true
			}
			full = k
		}
	}
	return full, false
}

package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/unitgen/unitgen/schema/condition"
	"github.com/unitgen/unitgen/schema/directive"
	"github.com/unitgen/unitgen/schema/specifier"
	"github.com/unitgen/unitgen/schema/value"
)

func newAnalyzeCondition(a *app) *cobra.Command {
	var asJSON, user bool
	c := &cobra.Command{
		Use:   "condition CONDITION...",
		Short: "Evaluate conditions and asserts on this machine",
		Example: `  unitgen analyze condition 'ConditionPathExists=/etc/hosts' 'ConditionKernelVersion=>=5.10'
  unitgen analyze condition 'AssertPathIsMountPoint=|/home' 'AssertPathIsMountPoint=|/srv'`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			names := specifier.System()
			if user {
				names = specifier.User(specifier.CurrentUser(), specifier.Environ(os.Environ()), 0)
			}
			names.Unit = "test.service"
			names.Host = specifier.ReadHost("/")
			conditions, asserts, err := a.readConditions(args, &names)
			if err != nil {
				return err
			}
			sys := &condition.System{}
			ok := true
			answers := map[string]any{}
			for _, set := range []struct {
				name string
				list []value.Condition
			}{{"Asserts", asserts}, {"Conditions", conditions}} {
				holds, results := sys.All(set.list)
				ok = ok && holds
				if len(set.list) > 0 {
					answers[strings.ToLower(set.name)] = holds
				}
				if asJSON {
					continue
				}
				for _, r := range results {
					fmt.Fprintln(a.err, "test.service: "+conditionLine(r))
				}
				if len(set.list) > 0 {
					fmt.Fprintf(a.err, "%s %s.\n", set.name, succeeded(holds))
				}
			}
			if asJSON {
				if err := a.line(answers); err != nil {
					return err
				}
			}
			if !ok {
				return failed
			}
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, `print {"conditions":BOOL,"asserts":BOOL}, each only where there are any`)
	c.Flags().BoolVar(&user, "user", false, "expand specifiers as the user's manager does")
	return c
}

func conditionLine(r condition.Result) string {
	if r.Err != nil {
		return fmt.Sprintf("Couldn't determine result for %s, assuming failed: %v", r.Condition, r.Err)
	}
	return fmt.Sprintf("%s %s.", r.Condition, succeeded(r.Holds))
}

func succeeded(ok bool) string {
	if ok {
		return "succeeded"
	}
	return "failed"
}

// readConditions reads arguments such as "ConditionPathExists=/x" in systemd's
// order of evaluation, the last first. A value that a unit file could not hold
// is ignored with a warning, an empty one resets the list.
func (a *app) readConditions(args []string, names *specifier.Context) (conditions, asserts []value.Condition, err error) {
	for _, arg := range args {
		name, v, ok := strings.Cut(arg, "=")
		name = strings.TrimRight(name, " \t\n\r")
		sort, isCondition := strings.CutPrefix(name, "Condition")
		if !isCondition {
			sort, isCondition = strings.CutPrefix(name, "Assert")
		}
		d, known := directive.Lookup("", "Unit", "Condition"+sort)
		if !ok || !isCondition || !known || d.Group != "condition" {
			return nil, nil, fmt.Errorf("cannot parse %q; use NAME=VALUE with the name of a Condition…= or Assert…= directive", arg)
		}
		list := &conditions
		if strings.HasPrefix(name, "Assert") {
			list = &asserts
		}
		if v = strings.TrimLeft(v, " \t\n\r"); v == "" {
			*list = nil
			continue
		}
		x, err := specifier.Expand(v, d.Specifiers, names)
		if err == nil {
			var c value.Condition
			if c, err = value.ParseCondition(name, x); err == nil {
				*list = append([]value.Condition{c}, *list...)
				continue
			}
		}
		fmt.Fprintf(a.err, "unitgen: %s= is ignored: %v\n", name, err)
	}
	return conditions, asserts, nil
}

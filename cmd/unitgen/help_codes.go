package main

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/unitgen/unitgen/schema/diag"
)

var codePattern = regexp.MustCompile(`(?i)^[EWA]\d{4}$`)

// helpCommand is cobra's help command, which also explains the codes of
// diagnostics: unitgen help E0301.
func helpCommand(a *app, root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:     "help [COMMAND | CODE]",
		Short:   "Explain a command, or a code of a diagnostic such as E0301",
		Example: "  unitgen help switch\n  unitgen help E0301\n  unitgen help codes",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 && args[0] == "codes" {
				for _, p := range diag.Pages() {
					fmt.Fprintf(a.out, "%s  %s\n", p.Code, p.Summary)
				}
				return nil
			}
			if len(args) == 1 && codePattern.MatchString(args[0]) {
				p := diag.PageOf(args[0])
				if p == nil {
					return &exitError{exitWrong, fmt.Errorf("no diagnostic has the code %s; unitgen help codes lists them", strings.ToUpper(args[0]))}
				}
				fmt.Fprintf(a.out, "%s: %s\n\n%s\n", p.Code, p.Summary, p.Text)
				return nil
			}
			target, rest, err := root.Find(args)
			if target == nil || err != nil || len(rest) > 0 && target.HasAvailableSubCommands() {
				word, in := strings.Join(args, " "), root
				if target != nil && err == nil && len(rest) > 0 {
					word, in = rest[0], target
				} else if len(args) > 0 {
					word = args[0]
				}
				return &exitError{exitWrong, fmt.Errorf("there is no command \"%s %s\"%s", in.CommandPath(), word, near(word, append(commandNames(in), "codes")))}
			}
			return target.Help()
		},
	}
}

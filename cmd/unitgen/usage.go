package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/unitgen/unitgen/compile"
)

// usages turn what the library for command lines says of a wrong one into what
// to write instead: each pattern has its words.
var usages = []struct {
	pattern *regexp.Regexp
	words   func(cmd *cobra.Command, m []string) string
}{
	{regexp.MustCompile(`^unknown command "(.*?)" for "(.*?)"`), unknownCommand},
	{regexp.MustCompile(`^requires at least \d+ arg\(s\), only received (\d+)`), missingArgument},
	{regexp.MustCompile(`^accepts (?:between \d+ and )?(?:at most )?(\d+) arg\(s\), received (\d+)`), wrongCount},
	{regexp.MustCompile(`^unknown flag: --?(.*)$`), unknownFlag},
	{regexp.MustCompile(`^unknown shorthand flag: '(.)' in -`), unknownFlag},
	{regexp.MustCompile(`^flag needs an argument: (?:'.' in )?(-\S+)`), func(cmd *cobra.Command, m []string) string {
		return fmt.Sprintf("%s needs a value, as in %s VALUE; %s", m[1], m[1], seeHelp(cmd))
	}},
	{regexp.MustCompile(`^invalid argument "(.*)" for "(?:-\w, )?(--\S+)" flag: (.*)$`), func(cmd *cobra.Command, m []string) string {
		return fmt.Sprintf("%s cannot be %q: %s; %s", m[2], m[1], m[3], seeHelp(cmd))
	}},
	{regexp.MustCompile(`^required flag\(s\) (.*) not set`), func(cmd *cobra.Command, m []string) string {
		return fmt.Sprintf("%s must be given; %s", strings.ReplaceAll(m[1], `"`, ""), seeHelp(cmd))
	}},
	{regexp.MustCompile(`^if any flags in the group \[(.*)\] are set`), func(cmd *cobra.Command, m []string) string {
		return fmt.Sprintf("--%s exclude each other; %s", strings.Join(strings.Fields(m[1]), " and --"), seeHelp(cmd))
	}},
}

// inOurWords gives the message for an error of a command.
func inOurWords(cmd *cobra.Command, err error) error {
	if cmd == nil {
		return err
	}
	for _, u := range usages {
		if m := u.pattern.FindStringSubmatch(err.Error()); m != nil {
			return fmt.Errorf("%s", u.words(cmd, m))
		}
	}
	return err
}

func seeHelp(cmd *cobra.Command) string { return "see " + cmd.CommandPath() + " --help" }

func unknownCommand(cmd *cobra.Command, m []string) string {
	if !cmd.HasAvailableSubCommands() {
		return fmt.Sprintf("%s takes no argument, and %q is one; %s", cmd.CommandPath(), m[1], seeHelp(cmd))
	}
	return fmt.Sprintf("there is no command \"%s %s\"%s", m[2], m[1], near(m[1], commandNames(cmd)))
}

// commandNames gives the names of a command's subcommands that help lists.
func commandNames(cmd *cobra.Command) []string {
	var out []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			out = append(out, c.Name())
		}
	}
	return out
}

// places gives the words that stand for arguments in a command's usage.
func places(cmd *cobra.Command) []string {
	use := regexp.MustCompile(`\[--[^\]]*\]|--\S+ \S+`).ReplaceAllString(cmd.Use, "")
	return strings.Fields(use)[1:]
}

func missingArgument(cmd *cobra.Command, m []string) string {
	all := places(cmd)
	need := slices.DeleteFunc(slices.Clone(all), func(p string) bool { return strings.HasPrefix(p, "[") })
	n := 0
	_, _ = fmt.Sscan(m[1], &n)
	if n < len(need) {
		return fmt.Sprintf("%s is missing: %s %s; %s", need[n], cmd.CommandPath(), strings.Join(all, " "), seeHelp(cmd))
	}
	return fmt.Sprintf("an argument is missing: %s %s; %s", cmd.CommandPath(), strings.Join(all, " "), seeHelp(cmd))
}

func wrongCount(cmd *cobra.Command, m []string) string {
	most, got := 0, 0
	_, _ = fmt.Sscan(m[1], &most)
	_, _ = fmt.Sscan(m[2], &got)
	if got < most {
		return missingArgument(cmd, []string{"", m[2]})
	}
	return fmt.Sprintf("%s given, too many: %s %s; %s", count(got, "argument"), cmd.CommandPath(), strings.Join(places(cmd), " "), seeHelp(cmd))
}

func unknownFlag(cmd *cobra.Command, m []string) string {
	name := m[1]
	if len([]rune(name)) == 1 {
		return fmt.Sprintf("%s has no flag -%s; %s", cmd.CommandPath(), name, seeHelp(cmd))
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden && !slices.Contains(names, f.Name) {
			names = append(names, f.Name)
		}
	})
	hint := ""
	if s := compile.Suggest(name, names); s != "" {
		hint = fmt.Sprintf("; did you mean --%s?", s)
	} else {
		hint = "; " + seeHelp(cmd)
	}
	return fmt.Sprintf("%s has no flag --%s%s", cmd.CommandPath(), name, hint)
}

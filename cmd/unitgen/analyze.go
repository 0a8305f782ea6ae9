package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

// analyzeCommands lists the constructors of `unitgen analyze`'s verbs; each
// stands in an analyze_*.go file.
var analyzeCommands = []func(*app) *cobra.Command{
	newAnalyzeCalendar,
	newAnalyzeTimespan,
	newAnalyzeTransaction,
	newAnalyzeVerify,
	newAnalyzeSecurity,
	newAnalyzeTimestamp,
	newAnalyzeCondition,
	newAnalyzeCompareVersions,
	newAnalyzeDot,
	newAnalyzePlot,
	newAnalyzeBlame,
	newAnalyzeUnitPaths,
	newAnalyzeDump,
}

func newAnalyze(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "analyze VERB",
		Short: "systemd-analyze's verbs on trees, without systemd",
		Example: `  unitgen analyze calendar --iterations 3 'Mon..Fri 22:30'
  unitgen analyze verify --root ./tree nginx.service`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("there is no command \"unitgen analyze %s\"%s", args[0], near(args[0], commandNames(c)))
			}
			return nil
		},
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	for _, sub := range analyzeCommands {
		c.AddCommand(sub(a))
	}
	return c
}

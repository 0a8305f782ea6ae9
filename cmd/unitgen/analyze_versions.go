package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/unitgen/unitgen/schema/value"
)

// Exit codes of compare-versions without an operator, as systemd-analyze's.
const (
	exitFirstNewer  = 11
	exitSecondNewer = 12
)

// versionOperators are the operators by the words that may stand for them.
var versionOperators = map[string]value.Operator{
	"lt": value.Lower, "le": value.LowerEqual, "eq": value.Equal, "ne": value.Unequal, "ge": value.GreaterEqual, "gt": value.Greater,
}

func newAnalyzeCompareVersions(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "compare-versions VERSION1 [OP] VERSION2",
		Short: "Compare two version strings",
		Long: `Compare two version strings as systemd does. Without an operator the relation is
printed, and the exit code is 0 for equal versions, 11 when the first is newer
and 12 when the second is. With one of lt, le, eq, ne, ge, gt (or < <= == <> >= >)
nothing is printed and the exit code is 0 when it holds, else 1.`,
		Example: `  unitgen analyze compare-versions 1.2.3 1.10
  unitgen analyze compare-versions 252~rc1 lt 252 && echo older`,
		Args: cobra.RangeArgs(2, 3),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 3 {
				op, ok := versionOperators[args[1]]
				if !ok {
					var rest string
					if op, rest = value.CutOperator(args[1], false); op == "" || rest != "" {
						return fmt.Errorf("unknown operator %q; use lt, le, eq, ne, ge, gt or < <= == <> >= >", args[1])
					}
				}
				if !op.Compare(args[0], args[2]) {
					return failed
				}
				return nil
			}
			d := value.CompareVersions(args[0], args[1])
			quoted := func(s string) string {
				if s == "" {
					return "''"
				}
				return s
			}
			fmt.Fprintln(a.out, strings.Join([]string{quoted(args[0]), []string{"<", "==", ">"}[d+1], quoted(args[1])}, " "))
			switch {
			case d > 0:
				return &exitError{code: exitFirstNewer}
			case d < 0:
				return &exitError{code: exitSecondNewer}
			}
			return nil
		},
	}
}

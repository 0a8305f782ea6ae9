package main

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/unitgen/unitgen/compile"
)

// explainRange is a place as docs/cli.md lays it out.
type explainRange struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
}

type explainDefinition struct {
	Range explainRange `json:"range"`
	compile.Contributor
}

type explainJSON struct {
	*compile.Explanation
	Declared    *explainRange       `json:"declared"`
	Definitions []explainDefinition `json:"definitions"`
}

func newExplain(a *app) *cobra.Command {
	var f hostFlags
	cmd := &cobra.Command{
		Use:   "explain PATH [DIR]",
		Short: "Show every definition of an option or directive: winner, losers, conditions",
		Long: `Show how a value came about: every definition with its place, priority, order
and conditions, which ones won, and why the others did not.

PATH is config.MODULE.OPTION (and further into maps and objects), option.NAME
of the host's own directory, local.NAME, service.NAME, service.NAME.DIRECTIVE
(any unit type), etc["path"], or another block's kind and label with or without
an attribute: user.app.uid, dropin["nginx.service"].LimitNOFILE. config.MODULE
alone lists the module's options.`,
		Example: `  unitgen explain config.nginx.port
  unitgen explain service.app.ExecStart ./web1
  unitgen explain 'service["pg-backup@"].After' --json`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, diags := compile.Compile(cmd.Context(), compile.Options{Dir: dirArg(args[1:]), Host: f.host, Variant: f.variant, Sysroot: f.sysroot, NoVerify: true})
			x, problems := r.Explain(args[0])
			if x == nil {
				if diags.HasErrors() {
					problems = diags
				}
				if err := a.showDiags(problems, r.SourceBytes, f.json); err != nil {
					return err
				}
				return &exitError{code: exitWrong}
			}
			if f.json {
				return writeJSON(a.out, toExplainJSON(x))
			}
			a.printExplanation(x)
			a.printParts(r, x)
			return nil
		},
	}
	f.add(cmd)
	cmd.Flags().BoolVar(&f.json, "json", false, "give the answer as JSON")
	return cmd
}

func toExplainJSON(x *compile.Explanation) explainJSON {
	j := explainJSON{Explanation: x, Definitions: []explainDefinition{}}
	if d := x.Declared; d != nil && !d.IsZero() {
		j.Declared = &explainRange{d.File, d.Start.Line, d.Start.Column}
	}
	for _, d := range x.Definitions {
		j.Definitions = append(j.Definitions, explainDefinition{explainRange{d.Range.File, d.Range.Start.Line, d.Range.Start.Column}, d})
	}
	return j
}

func (a *app) printExplanation(x *compile.Explanation) {
	fmt.Fprintf(a.out, "%s = %s\n", x.Path, x.Value)
	if x.Description != "" {
		fmt.Fprintf(a.out, "  %s\n", x.Description)
	}
	if x.Type != "" {
		fmt.Fprintf(a.out, "  type: %s\n", x.Type)
	}
	if x.Declared != nil && !x.Declared.IsZero() {
		fmt.Fprintf(a.out, "  declared: %s\n", x.Declared)
	}
	for _, d := range x.Definitions {
		mark := " "
		if d.Winner {
			mark = "*"
		}
		fmt.Fprintf(a.out, "%s %s  %s\n", mark, d.Range, oneLine(d.Value))
		fmt.Fprintf(a.out, "    %s (priority %d", d.Why, d.Priority)
		if d.Order != 1000 {
			fmt.Fprintf(a.out, ", order %d", d.Order)
		}
		fmt.Fprint(a.out, ")\n")
		if d.Condition != "" {
			state := "holds"
			if !d.Active {
				state = "does not hold"
			}
			fmt.Fprintf(a.out, "    when %s: %s\n", oneLine(d.Condition), state)
		}
	}
}

// maxParts is how many parts are shown with their values.
const maxParts = 200

// printParts shows the parts of a unit, module or map, each with its value.
func (a *app) printParts(r *compile.Result, x *compile.Explanation) {
	if len(x.Children) == 0 {
		return
	}
	fmt.Fprintln(a.out, "  parts:")
	for i, c := range x.Children {
		if i == maxParts {
			fmt.Fprintf(a.out, "    and %d more\n", len(x.Children)-i)
			return
		}
		path := x.Path + "." + c
		if !identifier.MatchString(c) {
			path = fmt.Sprintf("%s[%q]", x.Path, c)
		}
		part, _ := r.Explain(path)
		if part == nil {
			fmt.Fprintf(a.out, "    %s\n", c)
			continue
		}
		fmt.Fprintf(a.out, "    %s = %s\n", c, oneLine(part.Value))
	}
}

var identifier = regexp.MustCompile(`^[\pL_][\pL\pN_-]*$`)

func oneLine(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > 200 {
		return strings.ToValidUTF8(s[:200], "") + "..."
	}
	return s
}

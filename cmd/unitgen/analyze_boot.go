package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"html"
	"os"
	"sort"

	"github.com/spf13/cobra"

	"github.com/unitgen/unitgen/schema/tree"
	"github.com/unitgen/unitgen/schema/value"
)

// bootUnit is how one unit came up, in microseconds of the monotonic clock.
type bootUnit struct {
	Name       string `json:"unit"`
	Activating uint64 `json:"activating"`
	Activated  uint64 `json:"activated"`
	Time       uint64 `json:"time"` // between the two
}

func newAnalyzeBlame(a *app) *cobra.Command {
	var asJSON bool
	p, cmd := bootCommand(&cobra.Command{
		Use:   "blame",
		Short: "How long each active unit took to come up, the slowest first",
		Example: `  unitgen analyze blame --state ./state
  unitgen analyze blame --json`,
		Args: cobra.NoArgs,
	})
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		units, err := bootTimes(cmd.Context(), p)
		if err != nil {
			return &exitError{exitWrong, err}
		}
		sort.SliceStable(units, func(i, j int) bool { return units[i].Time > units[j].Time })
		enc := json.NewEncoder(a.out)
		for _, u := range units {
			if asJSON {
				if err := enc.Encode(u); err != nil {
					return err
				}
			} else if u.Time > 0 {
				fmt.Fprintf(a.out, "%12s %s\n", value.FormatTimeSpan(u.Time, 1000), u.Name)
			}
		}
		return nil
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "one object a unit, in microseconds")
	return cmd
}

func newAnalyzePlot(a *app) *cobra.Command {
	p, cmd := bootCommand(&cobra.Command{
		Use:     "plot",
		Short:   "A picture (SVG) of when each unit came up",
		Example: `  unitgen analyze plot --state ./state > boot.svg`,
		Args:    cobra.NoArgs,
	})
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		units, err := bootTimes(cmd.Context(), p)
		if err != nil {
			return &exitError{exitWrong, err}
		}
		w := bufio.NewWriter(a.out)
		plot(w, units)
		return w.Flush()
	}
	return cmd
}

// bootCommand adds the flags that say where the manager is.
func bootCommand(cmd *cobra.Command) (*managerPlace, *cobra.Command) {
	p := &managerPlace{scope: tree.System, runtimeDir: os.Getenv("XDG_RUNTIME_DIR")}
	var user bool
	cmd.Flags().StringVar(&p.state, "state", "", "the state directory whose manager is asked")
	cmd.Flags().StringVar(&p.runtimeDir, "runtime-dir", p.runtimeDir, "the runtime directory whose manager is asked")
	cmd.Flags().BoolVar(&user, "user", false, "ask the user manager")
	cmd.PreRun = func(*cobra.Command, []string) {
		if user {
			p.scope = tree.User
		}
	}
	return p, cmd
}

// bootTimes asks the manager when each unit left and reached its states, in
// the order in which they began.
func bootTimes(ctx context.Context, p *managerPlace) ([]bootUnit, error) {
	c, _, err := p.dial(ctx)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	list, err := c.ListUnits(ctx)
	if err != nil {
		return nil, err
	}
	var out []bootUnit
	for _, u := range list {
		if u.LoadState != "loaded" {
			continue
		}
		props, err := c.GetUnitProperties(ctx, u.Name)
		if err != nil {
			return nil, err
		}
		from, _ := props["InactiveExitTimestampMonotonic"].(uint64)
		to, _ := props["ActiveEnterTimestampMonotonic"].(uint64)
		if to == 0 || to < from {
			// A oneshot that does not remain: it ended when it was inactive again.
			to, _ = props["InactiveEnterTimestampMonotonic"].(uint64)
		}
		if from == 0 || to < from {
			continue
		}
		out = append(out, bootUnit{Name: u.Name, Activating: from, Activated: to, Time: to - from})
	}
	sort.SliceStable(out, func(i, j int) bool {
		if out[i].Activating != out[j].Activating {
			return out[i].Activating < out[j].Activating
		}
		return out[i].Name < out[j].Name
	})
	return out, nil
}

// plot draws a bar a unit on a common time axis.
func plot(w *bufio.Writer, units []bootUnit) {
	const rowHeight, left, width = 20, 20, 1000
	var first, last uint64
	for i, u := range units {
		if i == 0 || u.Activating < first {
			first = u.Activating
		}
		last = max(last, u.Activated)
	}
	span := max(last-first, 1)
	x := func(t uint64) float64 { return left + float64(t-first)*width/float64(span) }
	height := (len(units)+3)*rowHeight + 20
	fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="12">`+"\n", left+width+400, height)
	fmt.Fprintf(w, "<title>Start of %d units in %s</title>\n", len(units), value.FormatTimeSpan(span, 1000))
	fmt.Fprintln(w, `<rect width="100%" height="100%" fill="white"/>`)
	for i := 0; i <= 10; i++ {
		t := first + span*uint64(i)/10
		fmt.Fprintf(w, `<line x1="%.1f" y1="30" x2="%.1f" y2="%d" stroke="#ddd"/><text x="%.1f" y="20" fill="#666">%s</text>`+"\n",
			x(t), x(t), height, x(t), html.EscapeString(value.FormatTimeSpan(t-first, 1000)))
	}
	for i, u := range units {
		y := 40 + i*rowHeight
		fmt.Fprintf(w, `<rect x="%.1f" y="%d" width="%.1f" height="14" fill="#4a90d9"/><text x="%.1f" y="%d">%s (%s)</text>`+"\n",
			x(u.Activating), y, max(x(u.Activated)-x(u.Activating), 1), x(u.Activated)+4, y+11, html.EscapeString(u.Name), value.FormatTimeSpan(u.Time, 1000))
	}
	fmt.Fprintln(w, "</svg>")
}

package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/unitgen/unitgen/schema/value"
)

// refusal is the JSON of an argument that was refused.
type refusal struct {
	Input string `json:"input"`
	Error string `json:"error"`
}

// maxIterations bounds the elapses of one calendar event, which are answered
// together.
const maxIterations = 1_000_000

// failed ends a command whose refusals were said already.
var failed = &exitError{code: exitWrong}

// line prints one JSON object on a line.
func (a *app) line(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(a.out, string(b))
	return err
}

// eachValue answers the arguments one by one: as JSON, one object a line; as
// text with an empty line between two. A refused argument does not keep the
// others from being answered, unless stop says so for text.
func (a *app) eachValue(args []string, asJSON, stop bool, answer func(s string) (any, string, error)) error {
	var bad error
	for i, s := range args {
		v, text, err := answer(s)
		if err != nil {
			bad = failed
			v = refusal{s, err.Error()}
			if !asJSON {
				fmt.Fprintln(a.err, "unitgen:", err)
				if stop {
					return bad
				}
			}
		}
		if asJSON {
			if err := a.line(v); err != nil {
				return err
			}
			continue
		}
		fmt.Fprint(a.out, text)
		if i+1 < len(args) {
			fmt.Fprintln(a.out)
		}
	}
	return bad
}

func newAnalyzeCalendar(a *app) *cobra.Command {
	var (
		base       string
		iterations string
		asJSON     bool
	)
	c := &cobra.Command{
		Use:   "calendar SPEC...",
		Short: "Normalise calendar events and say when they elapse",
		Example: `  unitgen analyze calendar daily
  unitgen analyze calendar --base-time 2026-03-01 --iterations 5 'Mon..Fri 22:30'
  unitgen analyze calendar --json '*-*~01'`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			now := time.Now()
			from := now
			local := value.LocalZone()
			if base != "" {
				t, err := value.ParseTimestampAt(base, now, local)
				if err != nil {
					return fmt.Errorf("--base-time: %w", err)
				}
				from = t
			}
			n, err := strconv.ParseUint(iterations, 0, 31)
			if err != nil || n > maxIterations {
				return fmt.Errorf("--iterations: %q is no number of iterations; use a number from 0 to %d", iterations, maxIterations)
			}
			return a.eachValue(args, asJSON, false, func(s string) (any, string, error) {
				return calendarAnswer(s, from, now, int(n), local)
			})
		},
	}
	c.Flags().StringVar(&base, "base-time", "", "calculate from this time (systemd.time(7)) instead of now")
	c.Flags().StringVar(&iterations, "iterations", "1", "show so many elapses")
	c.Flags().BoolVar(&asJSON, "json", false, "one JSON object for each argument")
	return c
}

func calendarAnswer(s string, from, now time.Time, n int, local *time.Location) (any, string, error) {
	cal, err := value.ParseCalendarIn(s, local)
	if err != nil {
		return nil, "", err
	}
	out := struct {
		Normalized string  `json:"normalized"`
		Elapses    []int64 `json:"elapses"`
	}{cal.String(), []int64{}}
	rows := rows{{"Original form", s}, {"Normalized form", out.Normalized}}
	if s == out.Normalized {
		rows = rows[1:]
	}
	t := from
	for i := range n {
		next, ok := cal.Next(t, local)
		if !ok {
			if i == 0 {
				rows = append(rows, row{"Next elapse", "never"})
			}
			break
		}
		t = next
		out.Elapses = append(out.Elapses, t.UnixMicro())
		label := "Next elapse"
		if i > 0 {
			label = fmt.Sprintf("Iter. #%d", i+1)
		}
		rows = append(rows, row{label, value.FormatTimestamp(t, local)})
		if !value.LikeUTC(local) {
			rows = append(rows, row{"(in UTC)", value.FormatTimestamp(t, time.UTC)})
		}
		rows = append(rows, row{"From now", value.FormatRelative(t, now)})
	}
	return out, rows.text(len("Normalized form")), nil
}

// row is one labelled line of an answer, rows the lines of one.
type row struct{ label, text string }
type rows []row

// text aligns the labels to the right, each with a colon behind it. Lines that
// follow in one text are indented to the first; blanks at their ends fall away.
func (r rows) text(width int) string {
	var s strings.Builder
	indent := "\n" + strings.Repeat(" ", width+2)
	for _, x := range r {
		lines := strings.Split(strings.TrimSuffix(x.text, "\n"), "\n")
		for i := range lines {
			lines[i] = strings.TrimRight(lines[i], " \t\r")
		}
		fmt.Fprintf(&s, "%*s: %s\n", width, x.label, strings.Join(lines, indent))
	}
	return s.String()
}

func newAnalyzeTimespan(a *app) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "timespan SPAN...",
		Short: "Check time spans and give them in microseconds",
		Example: `  unitgen analyze timespan '1h 30min'
  unitgen analyze timespan --json 90`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			return a.eachValue(args, asJSON, true, func(s string) (any, string, error) {
				usec, err := value.ParseTimeSpan(s)
				if err != nil {
					return nil, "", err
				}
				human := value.FormatTimeSpan(usec, 1)
				out := struct {
					Usec  uint64 `json:"usec"`
					Human string `json:"human"`
				}{usec, human}
				text := rows{{"Original", s}, {"μs", strconv.FormatUint(usec, 10)}, {"Human", human}}.text(len("Original"))
				return out, text, nil
			})
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "one JSON object for each argument")
	return c
}

func newAnalyzeTimestamp(a *app) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "timestamp TIMESTAMP...",
		Short: "Check timestamps and normalise them",
		Example: `  unitgen analyze timestamp 'tomorrow' '2026-03-29 02:30 Europe/Berlin'
  unitgen analyze timestamp --json @1700000000`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			local := value.LocalZone()
			return a.eachValue(args, asJSON, false, func(s string) (any, string, error) {
				now := time.Now()
				t, err := value.ParseTimestampAt(s, now, local)
				if err != nil {
					return nil, "", err
				}
				normal := value.FormatTimestamp(t, local)
				usec := value.Microseconds(t)
				out := struct {
					Normalized string `json:"normalized"`
					Usec       uint64 `json:"usec"`
				}{normal, usec}
				r := rows{{"Original form", s}, {"Normalized form", normal}}
				if !value.LikeUTC(local) {
					r = append(r, row{"(in UTC)", value.FormatTimestamp(t, time.UTC)})
				}
				r = append(r, row{"UNIX seconds", fmt.Sprintf("@%d", usec/1e6)})
				if usec%1e6 != 0 {
					r[len(r)-1].text += fmt.Sprintf(".%06d", usec%1e6)
				}
				r = append(r, row{"From now", value.FormatRelative(t, now)})
				return out, r.text(len("Normalized form")), nil
			})
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "one JSON object for each argument")
	return c
}

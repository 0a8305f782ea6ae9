package types

import (
	"errors"
	"strings"
	"time"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/json"

	"github.com/unitgen/unitgen/schema/value"
)

var errNoMagnitude = errors.New("is neither a number nor a quantity with a unit")

// parseDuration gives a time span of systemd.time(7) in microseconds.
func parseDuration(s string) (uint64, error) {
	if strings.TrimSpace(s) == "infinity" {
		return ^uint64(0), nil
	}
	return value.ParseTimeSpan(s)
}

// parseBytes gives a size in bytes; K, M, G and T are powers of 1024, as
// everywhere in systemd where memory and files are meant.
func parseBytes(s string) (uint64, error) {
	if s == "infinity" {
		return ^uint64(0), nil
	}
	return value.ParseSize(s)
}

// parseCalendar says what is wrong with a calendar event; the zone of the
// machine that builds plays no part.
func parseCalendar(s string) error {
	_, err := value.ParseCalendarIn(s, time.UTC)
	return err
}

// fingerprint gives equal strings for equal values and types.
func fingerprint(v cty.Value) string {
	b, err := json.Marshal(v, cty.DynamicPseudoType)
	if err != nil {
		return v.GoString()
	}
	return string(b)
}

// Distinct gives the elements without repetitions; first places are kept.
func Distinct(elems []cty.Value) []cty.Value {
	seen := make(map[string]bool, len(elems))
	out := make([]cty.Value, 0, len(elems))
	for _, e := range elems {
		raw, _ := e.UnmarkDeep()
		key := fingerprint(raw)
		if !seen[key] {
			seen[key] = true
			out = append(out, e)
		}
	}
	return out
}

package load

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

var errSpan = errors.New("not a time span")

// parseSpan reads a time span of systemd.time(7); a number without a unit is
// in seconds.
func parseSpan(s string) (time.Duration, error) {
	s = strings.TrimSpace(s)
	if s == "infinity" {
		return Infinity, nil
	}
	if s == "" {
		return 0, errSpan
	}
	var total float64
	for s != "" {
		i := 0
		for i < len(s) && (s[i] >= '0' && s[i] <= '9' || s[i] == '.') {
			i++
		}
		n, err := strconv.ParseFloat(s[:i], 64)
		if err != nil {
			return 0, errSpan
		}
		s = strings.TrimLeft(s[i:], " \t")
		i = 0
		for i < len(s) && (s[i] < '0' || s[i] > '9') && s[i] != ' ' && s[i] != '.' {
			i++
		}
		unit, ok := spanUnits[s[:i]]
		if !ok {
			return 0, errSpan
		}
		total += n * float64(unit)
		s = strings.TrimLeft(s[i:], " \t")
	}
	if total >= float64(Infinity) {
		return Infinity, nil
	}
	return time.Duration(total), nil
}

var spanUnits = map[string]time.Duration{
	"": time.Second, "s": time.Second, "sec": time.Second, "second": time.Second, "seconds": time.Second,
	"ms": time.Millisecond, "msec": time.Millisecond,
	"us": time.Microsecond, "usec": time.Microsecond, "µs": time.Microsecond, "μs": time.Microsecond,
	"ns": 1, "nsec": 1,
	"m": time.Minute, "min": time.Minute, "minute": time.Minute, "minutes": time.Minute,
	"h": time.Hour, "hr": time.Hour, "hour": time.Hour, "hours": time.Hour,
	"d": 24 * time.Hour, "day": 24 * time.Hour, "days": 24 * time.Hour,
	"w": 7 * 24 * time.Hour, "week": 7 * 24 * time.Hour, "weeks": 7 * 24 * time.Hour,
	"M": 2629800 * time.Second, "month": 2629800 * time.Second, "months": 2629800 * time.Second,
	"y": 31557600 * time.Second, "year": 31557600 * time.Second, "years": 31557600 * time.Second,
}

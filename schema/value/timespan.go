package value

import (
	"math"
	"strconv"
	"strings"
)

// Infinity is the time span "infinity", in microseconds (and the size and
// limit "infinity" in their units).
const Infinity = math.MaxUint64

// Units of time in microseconds; months and years are the averages that
// systemd.time(7) gives.
const (
	usecSecond = 1000000
	usecMinute = 60 * usecSecond
	usecHour   = 60 * usecMinute
	usecDay    = 24 * usecHour
	usecWeek   = 7 * usecDay
	usecMonth  = 2629800 * usecSecond
	usecYear   = 31557600 * usecSecond
)

// wantTimeSpan is the advice for time spans.
const wantTimeSpan = `a time span such as "30s", "2min 10s", "1.5h" or "infinity" (units: us ms s min h d w month y)`

// timeUnits are the units that a time span may carry, in microseconds.
var timeUnits = map[string]uint64{
	"us": 1, "usec": 1, "µs": 1, "μs": 1,
	"ms": 1000, "msec": 1000,
	"s": usecSecond, "sec": usecSecond, "second": usecSecond, "seconds": usecSecond,
	"m": usecMinute, "min": usecMinute, "minute": usecMinute, "minutes": usecMinute,
	"h": usecHour, "hr": usecHour, "hour": usecHour, "hours": usecHour,
	"d": usecDay, "day": usecDay, "days": usecDay,
	"w": usecWeek, "week": usecWeek, "weeks": usecWeek,
	"M": usecMonth, "month": usecMonth, "months": usecMonth,
	"y": usecYear, "year": usecYear, "years": usecYear,
}

// nanoUnits are the units of a time span in nanoseconds (TimerSlackNSec=).
var nanoUnits = func() map[string]uint64 {
	m := map[string]uint64{"ns": 1, "nsec": 1}
	for k, v := range timeUnits {
		m[k] = v * 1000
	}
	return m
}()

// ParseTimeSpan reads a time span of systemd.time(7) and gives microseconds;
// a number without a unit counts seconds, "infinity" gives Infinity.
func ParseTimeSpan(s string) (uint64, error) { return parseSpan(s, timeUnits, usecSecond) }

// ParseTimeSpanUnit is ParseTimeSpan with another meaning of numbers without a
// unit, in microseconds.
func ParseTimeSpanUnit(s string, unit uint64) (uint64, error) { return parseSpan(s, timeUnits, unit) }

// ParseNanoseconds reads a time span in nanoseconds; a number without a unit
// counts nanoseconds.
func ParseNanoseconds(s string) (uint64, error) { return parseSpan(s, nanoUnits, 1) }

// ParseTimeout reads a time span in which 0 means "never": it gives Infinity.
func ParseTimeout(s string) (uint64, error) {
	v, err := ParseTimeSpan(s)
	if err == nil && v == 0 {
		v = Infinity
	}
	return v, err
}

func parseSpan(s string, units map[string]uint64, plain uint64) (uint64, error) {
	rest := trimLeftBlank(s)
	if strings.TrimRight(rest, blanks) == "infinity" {
		return Infinity, nil
	}
	var sum uint64
	terms := 0
	for {
		rest = trimLeftBlank(rest)
		if rest == "" {
			break
		}
		if rest[0] == '-' {
			return 0, wrong(s, "is a negative time span", wantTimeSpan)
		}
		num := rest
		if num[0] == '+' {
			num = num[1:]
		}
		n := digits(num)
		whole, frac, hasFrac := num[:n], "", false
		num = num[n:]
		if strings.HasPrefix(num, ".") {
			hasFrac = true
			m := digits(num[1:])
			frac, num = num[1:1+m], num[1+m:]
			if frac == "" {
				return 0, wrong(s, "has a decimal point without digits behind it", wantTimeSpan)
			}
		}
		if whole == "" && (!hasFrac || rest[0] == '+') {
			return 0, wrong(s, "is no time span", wantTimeSpan)
		}
		unit, after := spanUnit(trimLeftBlank(num), units)
		mult := plain
		if unit != 0 {
			mult, num = unit, after
		} else {
			t := trimLeftBlank(num)
			if t == num && t != "" {
				return 0, wrongf(s, wantTimeSpan, "has no known unit of time at %s", quote(t))
			}
			num = t
		}
		var l uint64
		if whole != "" {
			var err error
			if l, err = strconv.ParseUint(whole, 10, 63); err != nil {
				return 0, wrong(s, "is too long a time span", wantTimeSpan)
			}
		}
		if l >= Infinity/mult || l*mult >= Infinity-sum {
			return 0, wrong(s, "is too long a time span", wantTimeSpan)
		}
		sum += l * mult
		step := mult / 10
		for i := 0; i < len(frac) && step > 0; i++ {
			add := uint64(frac[i]-'0') * step
			if add >= Infinity-sum {
				return 0, wrong(s, "is too long a time span", wantTimeSpan)
			}
			sum += add
			step /= 10
		}
		rest = num
		terms++
	}
	if terms == 0 {
		return 0, wrong(s, "is no time span", wantTimeSpan)
	}
	return sum, nil
}

// spanUnit takes the unit off the front of a string: its value (0: none) and
// what follows. The longest name wins; what follows need not be blank.
func spanUnit(s string, units map[string]uint64) (uint64, string) {
	const longest = 7
	for n := min(longest, len(s)); n > 0; n-- {
		if v, ok := units[s[:n]]; ok {
			return v, s[n:]
		}
	}
	return 0, s
}

// spanNames are the units of FormatTimeSpan, largest first.
var spanNames = []struct {
	name string
	usec uint64
}{
	{"y", usecYear}, {"month", usecMonth}, {"w", usecWeek}, {"d", usecDay}, {"h", usecHour},
	{"min", usecMinute}, {"s", usecSecond}, {"ms", 1000}, {"us", 1},
}

// FormatTimeSpan spells a time span in microseconds as systemd does, down to
// the accuracy in microseconds: "1min 30s", "1.500s", "infinity", "0".
func FormatTimeSpan(usec, accuracy uint64) string {
	if usec == Infinity {
		return "infinity"
	}
	if usec == 0 {
		return "0"
	}
	if accuracy == 0 {
		accuracy = 1
	}
	var parts []string
	for _, u := range spanNames {
		if usec == 0 || (usec < accuracy && len(parts) > 0) {
			break
		}
		if usec < u.usec {
			continue
		}
		whole, part := usec/u.usec, usec%u.usec
		if usec < usecMinute && part > 0 {
			width := decimals(u.usec) - decimals(accuracy)
			for c := accuracy; c > 1; c /= 10 {
				part /= 10
			}
			if width > 0 {
				f := strconv.FormatUint(part, 10)
				f = strings.Repeat("0", max(0, width-len(f))) + f
				parts = append(parts, strconv.FormatUint(whole, 10)+"."+f+u.name)
				break
			}
			part = usec % u.usec
		}
		parts = append(parts, strconv.FormatUint(whole, 10)+u.name)
		usec = part
	}
	return strings.Join(parts, " ")
}

// decimals counts the factors of ten in a number.
func decimals(n uint64) int {
	d := 0
	for ; n > 1; n /= 10 {
		d++
	}
	return d
}

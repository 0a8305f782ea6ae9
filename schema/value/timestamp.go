package value

import (
	"fmt"
	"math"
	"strings"
	"time"
)

const wantTimestamp = `a timestamp such as "2026-01-31 12:00:00", "12:00", "tomorrow", "+5min", "3 days ago" or "@1700000000" (systemd.time(7))`

// maxTimestamp is the last moment that systemd writes, in seconds: the end of
// 30 December 9999.
const maxTimestamp = 253402214399

// ParseTimestamp reads a timestamp of systemd.time(7), relative to now and in
// the machine's zone.
func ParseTimestamp(s string) (time.Time, error) {
	return ParseTimestampAt(s, time.Now(), LocalZone())
}

// ParseTimestampAt reads a timestamp relative to a moment, in a zone.
func ParseTimestampAt(s string, now time.Time, local *time.Location) (time.Time, error) {
	bad := func(what string) (time.Time, error) { return time.Time{}, wrong(s, what, wantTimestamp) }
	if i := strings.LastIndexByte(s, ' '); i >= 0 && !strings.EqualFold(s[i+1:], "UTC") {
		if l, ok := Zone(s[i+1:]); ok {
			t, what := dateTime(s[:i], now, l, -1)
			if what != "" {
				return bad(what)
			}
			return t.In(local), nil
		}
	}
	if rest, ok := strings.CutPrefix(s, "@"); ok {
		usec, err := ParseTimeSpan(rest)
		if err != nil {
			return bad("has no valid time span after @")
		}
		return time.Unix(int64(usec/usecSecond), int64(usec%usecSecond)*1000).In(local), nil
	}
	if t, what, ok := relative(s, now); ok {
		if what != "" {
			return bad(what)
		}
		return t.In(local), nil
	}
	zone, dst, text := local, -1, s
	if cut, ok := cutSuffixFold(s, " UTC"); ok {
		text, zone = cut, time.UTC
	} else if cut, d, _, ok := cutLocalZone(s, local); ok {
		text, dst = cut, d
	}
	t, what := dateTime(text, now, zone, dst)
	if what != "" {
		return bad(what)
	}
	return t.In(local), nil
}

// relative reads "now", "+SPAN", "-SPAN", "SPAN ago" and "SPAN left".
func relative(s string, now time.Time) (t time.Time, what string, ok bool) {
	var span string
	sign := int64(1)
	switch {
	case s == "now":
		return now, "", true
	case strings.HasPrefix(s, "+"):
		span = s[1:]
	case strings.HasPrefix(s, "-"):
		span, sign = s[1:], -1
	case strings.HasSuffix(s, " ago"):
		span, sign = strings.TrimSuffix(s, " ago"), -1
	case strings.HasSuffix(s, " left"):
		span = strings.TrimSuffix(s, " left")
	default:
		return t, "", false
	}
	usec, err := ParseTimeSpan(span)
	if err != nil {
		return t, "has no valid time span", true
	}
	n := now.UnixMicro()
	if usec > math.MaxInt64/2 || sign < 0 && int64(usec) > n || sign > 0 && n+int64(usec) > maxTimestamp*usecSecond {
		return t, "is out of range", true
	}
	return time.UnixMicro(n + sign*int64(usec)), "", true
}

// dateTime reads a date, a time of day, or both, or a word for a day.
func dateTime(s string, now time.Time, zone *time.Location, dst int) (t time.Time, what string) {
	now = now.In(zone)
	c := civilOf(now)
	micro := 0
	midnight := civil{c.year, c.month, c.day, 0, 0, 0}
	switch s {
	case "today":
		c = midnight
	case "yesterday":
		c = midnight
		c.day--
	case "tomorrow":
		c = midnight
		c.day++
	default:
		day := -1
		if d, n := weekdayPrefix(s); d >= 0 && strings.HasPrefix(s[n:], " ") {
			day, s = d, s[n+1:]
		}
		var ok bool
		if c, micro, ok = scanDateTime(s, midnight); !ok {
			return t, "is no timestamp"
		}
		if day >= 0 {
			w := int(time.Date(c.year, time.Month(c.month), c.day, 0, 0, 0, 0, time.UTC).Weekday())
			if (w+6)%7 != day {
				return t, "names another day of the week than the date has"
			}
		}
	}
	t, _ = c.in(zone, dst, 0) // 0: what mktime(3) begins with in a process
	if t.Unix() < 0 || t.Unix() > maxTimestamp {
		return t, "is out of range"
	}
	return t.Add(time.Duration(micro) * time.Microsecond), ""
}

// scanDateTime reads "[[YY]YY-MM-DD] [HH:MM[:SS[.SUB]]]".
func scanDateTime(s string, today civil) (c civil, micro int, ok bool) {
	sc := &scanner{rest: s}
	c = today
	year, short := sc.year()
	if sc.ok && sc.literal('-') {
		c.year = year
		if short {
			if c.year += 2000; year >= 69 {
				c.year -= 100
			}
		}
		c.month = sc.number(2, 1, 12)
		sc.literal('-')
		c.day = sc.number(2, 1, 31)
		if !sc.ok {
			return c, 0, false
		}
		if sc.rest == "" {
			return c, 0, true
		}
		sc.rest = trimLeftBlank(sc.rest)
	} else {
		sc = &scanner{rest: s}
	}
	sc.ok = true
	c.hour = sc.number(2, 0, 23)
	sc.literal(':')
	c.minute = sc.number(2, 0, 59)
	if !sc.ok {
		return c, 0, false
	}
	if sc.rest == "" {
		return c, 0, true
	}
	sc.literal(':')
	c.second = sc.number(2, 0, 61)
	if sc.ok && strings.HasPrefix(sc.rest, ".") {
		v, n, good := fraction(sc.rest[1:])
		if !good {
			return c, 0, false
		}
		micro, sc.rest = v, sc.rest[1+n:]
	}
	return c, micro, sc.ok && sc.rest == ""
}

// scanner reads numbers as strptime(3) does: blanks before them are skipped.
type scanner struct {
	rest string
	ok   bool
}

func (s *scanner) number(width, low, high int) int {
	r := strings.TrimLeft(s.rest, " ")
	n := min(digits(r), width)
	v := 0
	used := 0
	for used < n {
		d := v*10 + int(r[used]-'0')
		if used > 0 && d > high {
			break
		}
		v = d
		used++
	}
	if used == 0 || v < low || v > high {
		s.ok = false
		return low
	}
	s.rest = r[used:]
	return v
}

func (s *scanner) literal(c byte) bool {
	if !strings.HasPrefix(s.rest, string(c)) {
		s.ok = false
		return false
	}
	s.rest = s.rest[1:]
	return true
}

// year reads a year of two digits, or of up to four.
func (s *scanner) year() (v int, short bool) {
	s.ok = true
	r := strings.TrimLeft(s.rest, " ")
	n := digits(r)
	if n == 1 || n == 2 {
		return s.number(2, 0, 99), true
	}
	return s.number(4, 0, 9999), false
}

// Microseconds gives a moment as systemd counts it: microseconds since 1970. The
// counter reaches further than time.Time's own.
func Microseconds(t time.Time) uint64 {
	if t.Unix() < 0 {
		return 0
	}
	return uint64(t.Unix())*usecSecond + uint64(t.Nanosecond()/1000)
}

// FormatTimestamp writes a moment as systemd does, "Fri 2026-01-30 12:00:00
// UTC"; "-" for the start of 1970, which stands for "never".
func FormatTimestamp(t time.Time, zone *time.Location) string {
	switch {
	case Microseconds(t) == 0 || Microseconds(t) == Infinity:
		return "-"
	case t.Unix() > maxTimestamp:
		return "--- XXXX-XX-XX XX:XX:XX"
	}
	t = t.In(zone)
	name, _ := t.Zone()
	return strings.TrimSuffix(t.Format("Mon 2006-01-02 15:04:05 ")+name, " ")
}

// FormatRelative writes the distance from a moment to now, "5min 2s ago" or
// "2 weeks 1 day left", as systemd does.
func FormatRelative(t, now time.Time) string {
	at, from := Microseconds(t), Microseconds(now)
	if at == 0 || at == Infinity {
		return "-"
	}
	d, word := at-from, "left"
	if from > at {
		d, word = from-at, "ago"
	}
	count := func(n uint64, unit string) string {
		if n == 1 {
			return fmt.Sprintf("1 %s", unit)
		}
		return fmt.Sprintf("%d %ss", n, unit)
	}
	var s string
	switch {
	case d >= usecYear:
		s = count(d/usecYear, "year") + " " + count(d%usecYear/usecMonth, "month")
	case d >= usecMonth:
		s = count(d/usecMonth, "month") + " " + count(d%usecMonth/usecDay, "day")
	case d >= usecWeek:
		s = count(d/usecWeek, "week") + " " + count(d%usecWeek/usecDay, "day")
	case d >= 2*usecDay:
		s = count(d/usecDay, "day")
	case d >= 25*usecHour:
		s = fmt.Sprintf("1 day %dh", (d-usecDay)/usecHour)
	case d >= 6*usecHour:
		s = fmt.Sprintf("%dh", d/usecHour)
	case d >= usecHour:
		s = fmt.Sprintf("%dh %dmin", d/usecHour, d%usecHour/usecMinute)
	case d >= 5*usecMinute:
		s = fmt.Sprintf("%dmin", d/usecMinute)
	case d >= usecMinute:
		s = fmt.Sprintf("%dmin %ds", d/usecMinute, d%usecMinute/usecSecond)
	case d >= usecSecond:
		s = fmt.Sprintf("%ds", d/usecSecond)
	case d >= 1000:
		s = fmt.Sprintf("%dms", d/1000)
	case d > 0:
		s = fmt.Sprintf("%dus", d)
	default:
		return "now"
	}
	return s + " " + word
}

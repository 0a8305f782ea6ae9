package value

import (
	"strconv"
	"strings"
	"time"
)

const wantCalendar = `a calendar event such as "daily", "Mon..Fri 22:30", "*-*-01 04:00:00" or "2026-01-31 12:00 Europe/Berlin" (systemd.time(7))`

// calendarWords are the shorthands of systemd.time(7) in full.
var calendarWords = map[string]string{
	"minutely":      "*-*-* *:*:00",
	"hourly":        "*-*-* *:00:00",
	"daily":         "*-*-* 00:00:00",
	"weekly":        "Mon *-*-* 00:00:00",
	"monthly":       "*-*-01 00:00:00",
	"quarterly":     "*-01,04,07,10-01 00:00:00",
	"semiannually":  "*-01,07-01 00:00:00",
	"semi-annually": "*-01,07-01 00:00:00",
	"biannually":    "*-01,07-01 00:00:00",
	"bi-annually":   "*-01,07-01 00:00:00",
	"yearly":        "*-01-01 00:00:00",
	"annually":      "*-01-01 00:00:00",
	"anually":       "*-01-01 00:00:00",
}

// ParseCalendar reads a calendar event of systemd.time(7) in the zone of the
// machine.
func ParseCalendar(s string) (*Calendar, error) { return ParseCalendarIn(s, time.Local) }

// ParseCalendarIn reads a calendar event; the abbreviations of the local zone
// ("CET", "CEST") may stand at the end.
func ParseCalendarIn(s string, local *time.Location) (*Calendar, error) {
	c := &Calendar{weekdays: -1, dst: -1}
	rest := s
	if cut, ok := cutSuffixFold(rest, " UTC"); ok {
		rest, c.zone = cut, "UTC"
	} else if cut, dst, name, ok := cutLocalZone(rest, local); ok {
		rest, c.dst, c.dstName = cut, dst, name
	} else if i := strings.LastIndexByte(rest, ' '); i >= 0 && ValidZone(rest[i+1:]) {
		rest, c.zone = rest[:i], rest[i+1:]
	}
	if trimBlank(rest) == "" {
		return nil, wrong(s, "is no calendar event", wantCalendar)
	}
	if full, ok := calendarWords[strings.ToLower(rest)]; ok {
		rest = full
	}
	p := &calendarParser{c: c, rest: rest}
	if err := p.all(); err != "" {
		return nil, wrong(s, err, wantCalendar)
	}
	c.normalise()
	if !c.valid() {
		return nil, wrong(s, "has a part that is out of range, or a repetition that never repeats", wantCalendar)
	}
	return c, nil
}

func cutSuffixFold(s, suffix string) (string, bool) {
	if len(s) >= len(suffix) && strings.EqualFold(s[len(s)-len(suffix):], suffix) {
		return s[:len(s)-len(suffix)], true
	}
	return s, false
}

// calendarParser reads weekdays, date and time. Its methods give what is wrong,
// or "".
type calendarParser struct {
	c    *Calendar
	rest string
}

const calendarSyntax = "is no calendar event"

func (p *calendarParser) all() string {
	if e := p.weekdays(); e != "" {
		return e
	}
	epoch, e := p.date()
	if e != "" || epoch {
		if e == "" && p.rest != "" {
			e = calendarSyntax
		}
		return e
	}
	return p.time()
}

// peek gives the next character, or 0 at the end.
func (p *calendarParser) peek() byte {
	if p.rest == "" {
		return 0
	}
	return p.rest[0]
}

func (p *calendarParser) blanks() { p.rest = strings.TrimLeft(p.rest, " ") }

// longWeekdays are the weekdays in full.
var longWeekdays = []string{"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"}

// weekdayPrefix finds a weekday at the front of a string: its number and the
// length of its name, or -1.
func weekdayPrefix(s string) (day, n int) {
	for d, long := range longWeekdays {
		for _, name := range []string{long, weekdayNames[d]} {
			if len(s) >= len(name) && strings.EqualFold(s[:len(name)], name) {
				return d, len(name)
			}
		}
	}
	return -1, 0
}

func (p *calendarParser) weekdays() string {
	from := -1
	for first := true; ; first = false {
		d, n := weekdayPrefix(p.rest)
		if d < 0 {
			if first {
				return ""
			}
			return "has an unknown weekday"
		}
		p.rest = p.rest[n:]
		if c := p.peek(); c != 0 && strings.IndexByte("-., ", c) < 0 {
			return "has an unknown weekday"
		}
		if first {
			p.c.weekdays = 0
		}
		p.c.weekdays |= 1 << d
		if from >= 0 {
			if from > d {
				return "has a range of weekdays that runs backwards"
			}
			for ; from < d; from++ {
				p.c.weekdays |= 1 << from
			}
		}
		switch {
		case p.rest == "":
			return ""
		case p.rest[0] == ' ':
			p.blanks()
			return ""
		case from >= 0 && p.rest[0] != ',':
			return calendarSyntax
		case strings.HasPrefix(p.rest, ".."):
			from, p.rest = d, p.rest[2:]
		case p.rest[0] == '-':
			from, p.rest = d, p.rest[1:]
		case p.rest[0] == ',':
			from, p.rest = -1, p.rest[1:]
		default:
			return calendarSyntax
		}
		if c := p.peek(); c == 0 || c == ' ' {
			p.blanks()
			if from >= 0 {
				return "has a range of weekdays without an end"
			}
			return ""
		}
	}
}

// date reads a date, if there is one; epoch is true for "@SECONDS", which is a
// time too.
func (p *calendarParser) date() (epoch bool, e string) {
	switch p.peek() {
	case 0:
		return false, ""
	case '@':
		n := digits(p.rest[1:])
		v, err := strconv.ParseInt(p.rest[1:1+n], 10, 40)
		if err != nil {
			return false, "has no valid time after @"
		}
		p.rest = p.rest[1+n:]
		p.epoch(v)
		return true, ""
	}
	before := p.rest
	first, e := p.parts(false)
	if e != "" {
		return false, e
	}
	if c := p.peek(); c == 0 || c == ':' {
		p.rest = before // it was a time
		return false, ""
	}
	if e = p.dateSeparator(); e != "" {
		return false, e
	}
	second, e := p.parts(false)
	if e != "" {
		return false, e
	}
	if c := p.peek(); c == 0 || c == ' ' {
		p.blanks()
		p.c.month, p.c.day = first, second
		return false, ""
	}
	if p.c.endOfMonth {
		return false, calendarSyntax
	}
	if e = p.dateSeparator(); e != "" {
		return false, e
	}
	third, e := p.parts(false)
	if e != "" {
		return false, e
	}
	if c := p.peek(); c != 0 && c != ' ' {
		return false, calendarSyntax
	}
	p.blanks()
	p.c.year, p.c.month, p.c.day = first, second, third
	return false, ""
}

func (p *calendarParser) dateSeparator() string {
	switch p.peek() {
	case '~':
		p.c.endOfMonth = true
	case '-':
	default:
		return calendarSyntax
	}
	p.rest = p.rest[1:]
	return ""
}

// epoch sets the one moment that seconds since 1970 give, in UTC.
func (p *calendarParser) epoch(sec int64) {
	t := time.Unix(sec, 0).UTC()
	one := func(v int) []part { return []part{{v, -1, 0}} }
	p.c.year, p.c.month, p.c.day = one(t.Year()), one(int(t.Month())), one(t.Day())
	p.c.hour, p.c.minute, p.c.microsecond = one(t.Hour()), one(t.Minute()), one(t.Second()*usecSecond)
	p.c.zone, p.c.dst, p.c.dstName = "UTC", -1, ""
}

// time reads hours, minutes and seconds; what is missing is zero.
func (p *calendarParser) time() string {
	zero := []part{{0, -1, 0}}
	if p.rest == "" {
		p.c.hour, p.c.minute, p.c.microsecond = zero, []part{{0, -1, 0}}, []part{{0, -1, 0}}
		return ""
	}
	var e string
	if p.c.hour, e = p.parts(false); e != "" {
		return e
	}
	if p.peek() != ':' {
		return calendarSyntax
	}
	p.rest = p.rest[1:]
	if p.c.minute, e = p.parts(false); e != "" {
		return e
	}
	switch p.peek() {
	case 0:
		p.c.microsecond = zero
		return ""
	case ':':
	default:
		return calendarSyntax
	}
	p.rest = p.rest[1:]
	if p.c.microsecond, e = p.parts(true); e != "" {
		return e
	}
	if p.rest != "" {
		return calendarSyntax
	}
	return ""
}

// parts reads one component: "*" or elements with commas between them.
func (p *calendarParser) parts(micro bool) ([]part, string) {
	if p.peek() == '*' {
		p.rest = p.rest[1:]
		if micro {
			return []part{{0, -1, usecSecond}}, ""
		}
		return nil, ""
	}
	var out []part
	for {
		if len(out) > maxParts {
			return nil, "has too many parts"
		}
		el := part{stop: -1}
		var e string
		if el.start, e = p.number(micro); e != "" {
			return nil, e
		}
		if strings.HasPrefix(p.rest, "..") {
			p.rest = p.rest[2:]
			if el.stop, e = p.number(micro); e != "" {
				return nil, e
			}
			el.repeat = 1
			if micro {
				el.repeat = usecSecond
			}
		}
		repeats := p.peek() == '/'
		if repeats {
			p.rest = p.rest[1:]
			if el.repeat, e = p.number(micro); e != "" {
				return nil, e
			}
			if el.repeat == 0 {
				return nil, "has a repetition of zero"
			}
		}
		if micro && el.stop >= 0 && el.stop < el.start+usecSecond && !repeats {
			return nil, "has a range of seconds that is shorter than one"
		}
		if c := p.peek(); c != 0 && strings.IndexByte(" ,-~:", c) < 0 {
			return nil, calendarSyntax
		}
		out = append(out, el)
		if p.peek() != ',' {
			return out, ""
		}
		p.rest = p.rest[1:]
	}
}

func (p *calendarParser) number(micro bool) (int, string) {
	n := digits(p.rest)
	if n == 0 {
		return 0, calendarSyntax
	}
	v, err := strconv.ParseInt(p.rest[:n], 10, 32)
	if err != nil {
		return 0, "has too large a number"
	}
	p.rest = p.rest[n:]
	if !micro {
		return int(v), ""
	}
	if v > 2147483647/usecSecond {
		return 0, "has too large a number"
	}
	v *= usecSecond
	if p.peek() == '.' && !strings.HasPrefix(p.rest, "..") {
		f, n, ok := fraction(p.rest[1:])
		if !ok {
			return 0, "has a decimal point without digits behind it"
		}
		p.rest = p.rest[1+n:]
		v += int64(f)
	}
	return int(v), ""
}

// fraction reads decimal places as millionths, the seventh rounded, and gives
// the digits it took.
func fraction(s string) (v, n int, ok bool) {
	n = digits(s)
	if n == 0 {
		return 0, 0, false
	}
	for i := 0; i < 6; i++ {
		v *= 10
		if i < n {
			v += int(s[i] - '0')
		}
	}
	if n > 6 && s[6] >= '5' {
		v++
	}
	return v, n, true
}

package value

import (
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/unitgen/unitgen/schema/directive"
)

// Calendar is a calendar event expression of systemd.time(7), normalised.
type Calendar struct {
	weekdays                  int // bits, Monday is 1; -1: any
	endOfMonth                bool
	zone                      string // "" for the local zone, "UTC", or a name
	dst                       int    // -1: either; 0 or 1: named by the local zone's own abbreviation
	dstName                   string
	year, month, day          []part
	hour, minute, microsecond []part // nil: any
}

// part is one element of a component: a value, a range, or a repetition.
type part struct{ start, stop, repeat int } // stop -1: none; repeat 0: none

// Limits of the components.
const (
	minYear    = 1970
	maxYear    = 2199
	maxParts   = 240
	maxSeconds = 60*usecSecond - 1
)

var weekdayNames = []string{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"}

var _ = register(map[directive.Kind]checker{
	directive.Calendar: func(c *Context, s string) (string, error) {
		x, err := c.expand(s)
		if err != nil {
			return s, err
		}
		local := c.Local
		if local == nil {
			local = time.UTC
		}
		cal, err := ParseCalendarIn(x, local)
		if err != nil || x != s {
			return s, err
		}
		return cal.String(), nil
	},
})

// String gives the normalised form, byte for byte as systemd-analyze calendar.
func (c *Calendar) String() string {
	var b strings.Builder
	if c.weekdays > 0 && c.weekdays < 127 {
		c.writeWeekdays(&b)
		b.WriteByte(' ')
	}
	writeParts(&b, 4, c.year, false)
	b.WriteByte('-')
	writeParts(&b, 2, c.month, false)
	if c.endOfMonth {
		b.WriteByte('~')
	} else {
		b.WriteByte('-')
	}
	writeParts(&b, 2, c.day, false)
	b.WriteByte(' ')
	writeParts(&b, 2, c.hour, false)
	b.WriteByte(':')
	writeParts(&b, 2, c.minute, false)
	b.WriteByte(':')
	writeParts(&b, 2, c.microsecond, true)
	switch {
	case c.zone != "":
		b.WriteString(" " + c.zone)
	case c.dst >= 0:
		b.WriteString(" " + c.dstName)
	}
	return b.String()
}

func (c *Calendar) writeWeekdays(b *strings.Builder) {
	comma := false
	for d := 0; d < 7; {
		if c.weekdays>>d&1 == 0 {
			d++
			continue
		}
		last := d
		for last+1 < 7 && c.weekdays>>(last+1)&1 == 1 {
			last++
		}
		if comma {
			b.WriteByte(',')
		}
		comma = true
		b.WriteString(weekdayNames[d])
		switch {
		case last > d+1:
			b.WriteString(".." + weekdayNames[last])
		case last == d+1:
			b.WriteString("," + weekdayNames[last])
		}
		d = last + 1
	}
}

// writeParts writes one component with so many digits; micro: it counts
// microseconds and is written in seconds.
func writeParts(b *strings.Builder, width int, parts []part, micro bool) {
	if len(parts) == 0 {
		b.WriteByte('*')
		return
	}
	unit := 1
	if micro {
		unit = usecSecond
		if parts[0] == (part{0, -1, usecSecond}) {
			b.WriteByte('*')
			return
		}
	}
	number := func(v, width int) {
		pad(b, v/unit, width)
		if micro && v%unit > 0 {
			b.WriteByte('.')
			pad(b, v%unit, 6)
		}
	}
	for i, p := range parts {
		if i > 0 {
			b.WriteByte(',')
		}
		number(p.start, width)
		if p.stop > 0 {
			b.WriteString("..")
			number(p.stop, width)
		}
		if p.repeat > 0 && !(p.stop > 0 && p.repeat == unit) {
			b.WriteByte('/')
			number(p.repeat, 0)
		}
	}
}

func pad(b *strings.Builder, v, width int) {
	s := strconv.Itoa(v)
	for n := len(s); n < width; n++ {
		b.WriteByte('0')
	}
	b.WriteString(s)
}

// normalise brings all parts into the form that String writes.
func (c *Calendar) normalise() {
	if c.weekdays <= 0 || c.weekdays >= 127 {
		c.weekdays = -1
	}
	if c.endOfMonth && c.day == nil {
		c.endOfMonth = false
	}
	century := func(y int) int {
		switch {
		case y >= 0 && y < 70:
			return y + 2000
		case y >= 70 && y < 100:
			return y + 1900
		}
		return y
	}
	for i := range c.year {
		p := &c.year[i]
		p.start = century(p.start)
		if p.stop >= 0 {
			p.stop = century(p.stop)
		}
	}
	for _, list := range []*[]part{&c.year, &c.month, &c.day, &c.hour, &c.minute, &c.microsecond} {
		*list = normaliseParts(*list)
	}
}

func normaliseParts(list []part) []part {
	for i := range list {
		p := &list[i]
		if p.stop > p.start && p.repeat > 0 {
			p.stop -= (p.stop - p.start) % p.repeat
		}
		if p.stop > p.start && p.repeat > 0 && p.start+p.repeat > p.stop || p.start == p.stop {
			p.repeat, p.stop = 0, -1
		}
	}
	sort.SliceStable(list, func(i, j int) bool {
		a, b := list[i], list[j]
		if a.start != b.start {
			return a.start < b.start
		}
		if a.stop != b.stop {
			return a.stop < b.stop
		}
		return a.repeat < b.repeat
	})
	out := list[:0]
	for i, p := range list {
		if i == 0 || p != out[len(out)-1] {
			out = append(out, p)
		}
	}
	return out
}

// valid reports whether every component lies within its bounds and every
// repetition happens at least once.
func (c *Calendar) valid() bool {
	return validParts(c.year, minYear, maxYear, false) &&
		validParts(c.month, 1, 12, false) &&
		validParts(c.day, 1, 31, c.endOfMonth) &&
		validParts(c.hour, 0, 23, false) &&
		validParts(c.minute, 0, 59, false) &&
		validParts(c.microsecond, 0, maxSeconds, false)
}

func validParts(list []part, from, to int, fromEnd bool) bool {
	for _, p := range list {
		if fromEnd {
			// Every month has a 28th day from its end. systemd takes three off
			// again for each further element.
			to -= 3
		}
		switch {
		case p.start < from || p.start > to || p.repeat > to-from:
			return false
		case p.stop >= 0:
			if p.stop < from || p.stop > to || p.start+p.repeat > p.stop {
				return false
			}
		case fromEnd && p.start-p.repeat < from, !fromEnd && p.start+p.repeat > to:
			return false
		}
	}
	return true
}

package value

import (
	"os"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // zones are the same on every machine
)

var zoneCache sync.Map // name -> *time.Location, nil for no zone

// Zone gives a time zone by its name in the zone database. Names follow
// systemd's rules: letters, digits and - _ + / without empty parts.
func Zone(name string) (*time.Location, bool) {
	if name == "UTC" {
		return time.UTC, true
	}
	if name == "" || name == "Local" || len(name) > 255 || name[0] == '/' || name[len(name)-1] == '/' || strings.Contains(name, "//") {
		return nil, false
	}
	for i := 0; i < len(name); i++ {
		if !isAlnum(name[i]) && strings.IndexByte("-_+/", name[i]) < 0 {
			return nil, false
		}
	}
	if l, ok := zoneCache.Load(name); ok {
		loc, _ := l.(*time.Location)
		return loc, loc != nil
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil, false // not cached: names that do not exist are without bound
	}
	zoneCache.Store(name, loc)
	return loc, true
}

// ValidZone reports whether the zone database has a name.
func ValidZone(name string) bool {
	_, ok := Zone(name)
	return ok
}

// LocalZone gives the zone that $TZ names, or the machine's. What names none is
// universal time under the letters that it begins with, three at least, as in
// tzset(3).
func LocalZone() *time.Location {
	tz, set := os.LookupEnv("TZ")
	if !set {
		return time.Local
	}
	tz = strings.TrimPrefix(tz, ":")
	if l, ok := Zone(tz); ok {
		return l
	}
	if strings.HasPrefix(tz, "/") {
		// A zone file has a few kilobytes; a device or a pipe is none.
		if st, err := os.Stat(tz); err != nil || !st.Mode().IsRegular() || st.Size() > 1<<20 {
			return time.FixedZone("", 0)
		}
		if b, err := os.ReadFile(tz); err == nil {
			if l, err := time.LoadLocationFromTZData(tz, b); err == nil {
				return l
			}
		}
	}
	if l, ok := posixZone(tz); ok {
		return l
	}
	n := 0
	for n < len(tz) && (tz[n]|0x20 >= 'a' && tz[n]|0x20 <= 'z') {
		n++
	}
	switch {
	case tz == "":
		return time.UTC
	case n < 3:
		n = 0
	}
	return time.FixedZone(tz[:n], 0)
}

// LikeUTC reports whether a zone's clocks show universal time, whatever its
// name.
func LikeUTC(l *time.Location) bool {
	year := time.Now().Year()
	for m := time.January; m <= time.December; m++ {
		if t := time.Date(year, m, 15, 12, 0, 0, 0, l); t.IsDST() || offsetOf(t) != 0 {
			return false
		}
	}
	return true
}

// posixZone makes a zone of a POSIX rule such as "CET-1CEST,M3.5.0,M10.5.0/3":
// a zone file without transitions that ends in the rule.
func posixZone(rule string) (*time.Location, bool) {
	if rule == "" || len(rule) > 100 || strings.ContainsAny(rule, "\n\x00") || !strings.ContainsAny(rule, "0123456789") {
		return nil, false
	}
	header := func() string {
		counts := "\x00\x00\x00\x00" + "\x00\x00\x00\x00" + "\x00\x00\x00\x00" + "\x00\x00\x00\x00" + "\x00\x00\x00\x01" + "\x00\x00\x00\x04"
		return "TZif2" + strings.Repeat("\x00", 15) + counts
	}
	body := "\x00\x00\x00\x00" + "\x00" + "\x00" + "UTC\x00"
	l, err := time.LoadLocationFromTZData(rule, []byte(header()+body+header()+body+"\n"+rule+"\n"))
	if err != nil {
		return nil, false
	}
	// A rule that cannot be read leaves the zone named in the body.
	if name, _ := time.Unix(0, 0).In(l).Zone(); name == "UTC" && !strings.HasPrefix(rule, "UTC") {
		return nil, false
	}
	return l, true
}

// zoneNames gives the abbreviations of a zone's standard and summer time; the
// second is the first where it has none.
func zoneNames(l *time.Location) (std, dst string) {
	year := time.Now().Year()
	for m := time.January; m <= time.December; m++ {
		t := time.Date(year, m, 15, 12, 0, 0, 0, l)
		n, _ := t.Zone()
		if t.IsDST() {
			dst = n
		} else {
			std = n
		}
	}
	return std, dst
}

// cutLocalZone takes a blank and the abbreviation of the local zone off the
// end of a string.
func cutLocalZone(s string, l *time.Location) (cut string, dst int, name string, ok bool) {
	i := strings.LastIndexByte(s, ' ')
	if i < 0 || i+1 == len(s) {
		return s, -1, "", false
	}
	std, summer := zoneNames(l)
	for d, n := range []string{std, summer} {
		if n != "" && strings.EqualFold(s[i+1:], n) {
			return s[:i], d, n, true
		}
	}
	return s, -1, "", false
}

// civil is a date and time of day without a zone; its fields need not be in
// range until it was made a moment.
type civil struct {
	year, month, day, hour, minute, second int // month 1 to 12
}

func civilOf(t time.Time) civil {
	return civil{t.Year(), int(t.Month()), t.Day(), t.Hour(), t.Minute(), t.Second()}
}

// in gives the moment of a civil time in a zone, as mktime(3) does, and the
// offset in seconds that it was read with. dst -1 takes either; 0 and 1 read the
// time as standard or summer time.
func (c civil) in(l *time.Location, dst, hint int) (time.Time, int) {
	u := time.Date(c.year, time.Month(c.month), c.day, c.hour, c.minute, c.second, 0, time.UTC)
	if l == time.UTC {
		return u, 0
	}
	t, off := settle(u, l, hint)
	if dst < 0 || offsetOf(t) == off && t.IsDST() == (dst == 1) {
		return t, off
	}
	with := func(off int) (time.Time, int) {
		return u.Add(-time.Duration(off) * time.Second).In(l), off
	}
	// Around the moment, then the nearest time of that kind within seventeen
	// years.
	for _, d := range []time.Duration{-26 * time.Hour, 0, 26 * time.Hour} {
		t := u.Add(d).In(l)
		if _, off := t.Zone(); t.IsDST() == (dst == 1) {
			return with(off)
		}
	}
	for m := time.Duration(1); m <= 207; m++ {
		for _, d := range []time.Duration{-m, m} {
			t := u.Add(d * 30 * 24 * time.Hour).In(l)
			if _, off := t.Zone(); t.IsDST() == (dst == 1) {
				return with(off)
			}
		}
	}
	return t, off
}

// settle looks for the offset that holds at the moment that it makes of a civil
// time, given as if in UTC, beginning with the hint. Of a time that happens
// twice the hint thus decides which it is. A time that is skipped is never found:
// the search goes to and fro between the time before the gap and the time after
// it, until it stands where summer time holds, or, where that makes no
// difference, where it has been before.
func settle(u time.Time, l *time.Location, hint int) (time.Time, int) {
	off := hint
	before, last := off, off
	lastSummer := false
	t := u
	for range 6 {
		t = u.Add(-time.Duration(off) * time.Second).In(l)
		next := offsetOf(t)
		if next == off {
			break
		}
		summer := t.IsDST()
		if off == before && off != last && (summer || !lastSummer) {
			break
		}
		before, last, off, lastSummer = last, off, next, summer
	}
	return t, off
}

// offsetOf gives the offset of a moment's zone in seconds.
func offsetOf(t time.Time) int {
	_, off := t.Zone()
	return off
}

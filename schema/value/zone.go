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

// LocalZone gives the zone that $TZ names, or the machine's.
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
			return time.UTC
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
	return time.UTC
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
// time as standard or summer time. Of a time that happens twice it is the one
// with the offset of the hint; a time that is skipped moves by the gap.
func (c civil) in(l *time.Location, dst, hint int) (time.Time, int) {
	u := time.Date(c.year, time.Month(c.month), c.day, c.hour, c.minute, c.second, 0, time.UTC)
	if l == time.UTC {
		return u, 0
	}
	with := func(off int) (time.Time, int) {
		return u.Add(-time.Duration(off) * time.Second).In(l), off
	}
	// The offsets that hold around the moment.
	var offsets [3]int
	var summer [3]bool
	for i, d := range []time.Duration{-26 * time.Hour, 0, 26 * time.Hour} {
		t := u.Add(d).In(l)
		_, offsets[i] = t.Zone()
		summer[i] = t.IsDST()
	}
	if dst >= 0 {
		for i := range offsets {
			if summer[i] == (dst == 1) {
				return with(offsets[i])
			}
		}
		// The nearest time of that kind within seventeen years.
		for m := time.Duration(1); m <= 207; m++ {
			for _, d := range []time.Duration{-m, m} {
				t := u.Add(d * 30 * 24 * time.Hour).In(l)
				if _, off := t.Zone(); t.IsDST() == (dst == 1) {
					return with(off)
				}
			}
		}
	}
	var found []int
	for i, off := range offsets {
		if i > 0 && off == offsets[i-1] {
			continue
		}
		t, _ := with(off)
		if _, o := t.Zone(); o == off {
			found = append(found, off)
		}
	}
	if len(found) == 0 {
		// Skipped: it moves on by the gap; back by it only to a summer time
		// before the gap.
		later, _ := with(offsets[0])
		earlier, _ := with(offsets[2])
		if dst < 0 && !later.IsDST() && earlier.IsDST() {
			return with(offsets[2])
		}
		return with(offsets[0])
	}
	for _, off := range found {
		if off == hint {
			return with(off)
		}
	}
	return with(found[0])
}

// offsetOf gives the offset of a moment's zone in seconds.
func offsetOf(t time.Time) int {
	_, off := t.Zone()
	return off
}

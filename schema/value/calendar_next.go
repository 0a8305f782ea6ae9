package value

import "time"

// maxRounds bounds the search for the next elapse.
const maxRounds = 1000

// Next gives the first moment after another at which the event elapses, in a
// zone; an expression that names a zone of its own is read in that. ok is false
// when it never elapses again.
//
// Where clocks are put forward or back it follows systemd moment by moment.
// Where systemd gives up (a repetition that runs over the end of its unit can
// make it walk in circles there), the search is made again without its habits.
func (c *Calendar) Next(after time.Time, local *time.Location) (t time.Time, ok bool) {
	loc := local
	if c.zone != "" {
		if l, found := Zone(c.zone); found {
			loc = l
		}
	}
	if after.Unix() < 0 {
		after = time.Unix(0, 0).Add(-time.Microsecond)
	}
	for _, plain := range []bool{false, true} {
		start := after.Truncate(time.Microsecond).Add(time.Microsecond).In(loc)
		s := search{c: c, loc: loc, plain: plain, at: civilOf(start), dst: dstOf(start), micro: start.Nanosecond() / 1000, hint: offsetOf(start)}
		t, ok, lost := s.run()
		// A result that lies back was found by walking in circles too.
		if !lost && (!ok || t.After(after)) {
			return t, ok
		}
	}
	return c.nextBeyond(after, loc)
}

// nextBeyond looks from the next change of the clocks on.
func (c *Calendar) nextBeyond(after time.Time, loc *time.Location) (time.Time, bool) {
	_, start := after.In(loc).ZoneBounds()
	if start.IsZero() {
		return start, false
	}
	s := search{c: c, loc: loc, plain: true, at: civilOf(start), dst: -1, hint: offsetOf(start)}
	t, ok, lost := s.run()
	return t, ok && !lost && t.After(after)
}

// search walks civil time forward to the first match, the largest unit first.
type search struct {
	c     *Calendar
	loc   *time.Location
	plain bool // without carrying over summer time
	at    civil
	dst   int // how at is read next: -1 either, 0 standard, 1 summer time
	micro int
	hint  int // the offset that was used last decides between two
}

func dstOf(t time.Time) int {
	if t.IsDST() {
		return 1
	}
	return 0
}

// moment makes a civil time a moment.
func (s *search) moment(c civil, dst int) time.Time {
	var t time.Time
	t, s.hint = c.in(s.loc, dst, s.hint)
	return t
}

// normalise brings the civil time into range, over gaps.
func (s *search) normalise() {
	s.at = civilOf(s.moment(s.at, s.dst))
	s.dst = s.c.dst
}

// verdict of one component.
type verdict int

const (
	matches verdict = iota
	never           // no value of this unit matches any more
	again           // the civil time does not exist as it stands
)

// within checks that the civil time exists. One that does not is moved on: where
// a unit overflowed, the unit below it starts anew, so that nothing is skipped.
func (s *search) within() verdict {
	if s.at.year > maxYear {
		return never
	}
	t := s.moment(s.at, s.dst)
	n := civilOf(t)
	unit, order := compareCivil(n, s.at)
	switch {
	case order == 0:
		return matches
	case order < 0:
		return never
	}
	switch unit {
	case 0:
		n.month = 1
	case 1:
		n.day = 1
	case 2:
		n.hour = 0
	case 3:
		n.minute = 0
	case 4:
		n.second = 0
	}
	s.at = n
	if !s.plain {
		s.dst = dstOf(t)
	}
	return again
}

// compareCivil compares two civil times, and names the first unit in which they
// differ, 0 for the year.
func compareCivil(a, b civil) (unit, order int) {
	x := [...]int{a.year, a.month, a.day, a.hour, a.minute, a.second}
	y := [...]int{b.year, b.month, b.day, b.hour, b.minute, b.second}
	for i := range x {
		if x[i] < y[i] {
			return i, -1
		}
		if x[i] > y[i] {
			return i, 1
		}
	}
	return 0, 0
}

// reset sets all units below one to their start.
func (s *search) reset(below int) {
	if below <= 1 {
		s.at.month = 1
	}
	if below <= 2 {
		s.at.day = 1
	}
	if below <= 3 {
		s.at.hour = 0
	}
	if below <= 4 {
		s.at.minute = 0
	}
	s.at.second, s.micro = 0, 0
}

// run gives the moment; lost is true when the search went in circles.
func (s *search) run() (t time.Time, ok, lost bool) {
	for range maxRounds {
		s.normalise()
		moved, found := s.match(s.c.year, &s.at.year, false)
		if !found {
			return t, false, false
		}
		if moved {
			s.reset(1)
		}
		if s.within() != matches {
			return t, false, false
		}
		if s.unit(s.c.month, &s.at.month, 2, &s.at.year) || s.unit(s.c.day, &s.at.day, 3, &s.at.month) {
			continue
		}
		if !s.weekday() {
			s.at.day++
			s.reset(3)
			continue
		}
		if s.unit(s.c.hour, &s.at.hour, 4, &s.at.day) || s.unit(s.c.minute, &s.at.minute, 5, &s.at.hour) {
			continue
		}
		sub := s.at.second*usecSecond + s.micro
		_, found = s.match(s.c.microsecond, &sub, false)
		if found {
			s.at.second, s.micro = sub/usecSecond, sub%usecSecond
		}
		v := s.within()
		if !found || v == never {
			s.at.minute++
			s.reset(5)
			continue
		}
		if v == again {
			continue
		}
		return s.moment(s.at, s.dst).Add(time.Duration(s.micro) * time.Microsecond), true, false
	}
	return t, false, true
}

// unit moves one unit to its next match; above is the unit to count up where
// there is none. It reports whether the search must look again from the start.
func (s *search) unit(parts []part, v *int, below int, above *int) bool {
	moved, found := s.match(parts, v, below == 3 && s.c.endOfMonth)
	if moved {
		s.reset(below)
	}
	verdict := never
	if found {
		verdict = s.within()
	}
	switch verdict {
	case never:
		*above++
		s.reset(below - 1)
		return true
	case again:
		return true
	}
	return false
}

// match finds the smallest value of a component that is not below v.
func (s *search) match(parts []part, v *int, fromEnd bool) (moved, found bool) {
	if parts == nil {
		return false, true
	}
	best := -1
	for _, p := range parts {
		start, stop := p.start, p.stop
		if fromEnd {
			start, stop = s.fromEnd(start), s.fromEnd(stop)
			if stop > 0 {
				start, stop = stop, start
			}
		}
		k := start
		if start < *v {
			if p.repeat == 0 {
				continue
			}
			k = start + (*v-start+p.repeat-1)/p.repeat*p.repeat
			if stop >= 0 && k > stop {
				continue
			}
		}
		if best < 0 || k < best {
			best = k
		}
	}
	if best < 0 {
		return false, false
	}
	moved = best != *v
	*v = best
	return moved, true
}

// fromEnd gives the day of the month that is so many from its end, -1 where
// there is none.
func (s *search) fromEnd(n int) int {
	c := s.at
	c.month++
	c.day = 1 - n
	t := s.moment(c, s.dst)
	if int(t.Month()) != s.at.month {
		return -1
	}
	return t.Day()
}

func (s *search) weekday() bool {
	if s.c.weekdays < 0 {
		return true
	}
	d := int(time.Date(s.at.year, time.Month(s.at.month), s.at.day, 0, 0, 0, 0, time.UTC).Weekday())
	return s.c.weekdays>>((d+6)%7)&1 == 1
}

package value

import "time"

// maxRounds bounds the search for the next elapse.
const maxRounds = 1000

// Next gives the first moment after another at which the event elapses, in a
// zone; an expression that names a zone of its own is read in that. ok is false
// when it never elapses again.
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
	start := after.Truncate(time.Microsecond).Add(time.Microsecond).In(loc)
	s := search{c: c, loc: loc, at: civilOf(start), micro: start.Nanosecond() / 1000, hint: start}
	// The first look keeps the offset that holds at the start.
	s.first = true
	return s.run()
}

// search walks civil time forward to the first match, the largest unit first.
type search struct {
	c     *Calendar
	loc   *time.Location
	at    civil
	micro int
	hint  time.Time
	first bool
}

func (s *search) moment(dst int) time.Time { return s.at.in(s.loc, dst, s.hint) }

// normalise brings the civil time into range, over gaps.
func (s *search) normalise() {
	dst := s.c.dst
	if s.first {
		dst = -1
	}
	t := s.moment(dst)
	s.at, s.hint = civilOf(t), t
	s.first = false
}

// verdict of one component.
type verdict int

const (
	matches verdict = iota
	never           // no value of this unit matches any more
	again           // the civil time does not exist as it stands
)

// within checks that the civil time exists.
func (s *search) within() verdict {
	if s.at.year > maxYear {
		return never
	}
	n := civilOf(s.moment(s.c.dst))
	switch compareCivil(n, s.at) {
	case 0:
		return matches
	case -1:
		return never
	}
	return again
}

func compareCivil(a, b civil) int {
	x := [...]int{a.year, a.month, a.day, a.hour, a.minute, a.second}
	y := [...]int{b.year, b.month, b.day, b.hour, b.minute, b.second}
	for i := range x {
		if x[i] < y[i] {
			return -1
		}
		if x[i] > y[i] {
			return 1
		}
	}
	return 0
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

func (s *search) run() (time.Time, bool) {
	for range maxRounds {
		s.normalise()
		moved, found := s.match(s.c.year, &s.at.year, false)
		if !found {
			return time.Time{}, false
		}
		if moved {
			s.reset(1)
		}
		if s.within() != matches {
			return time.Time{}, false
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
		return s.moment(s.c.dst).Add(time.Duration(s.micro) * time.Microsecond), true
	}
	return time.Time{}, false
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
	last := 0
	if fromEnd {
		last = time.Date(s.at.year, time.Month(s.at.month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
	}
	for _, p := range parts {
		start, stop := p.start, p.stop
		if fromEnd {
			start = last + 1 - start
			if stop >= 0 {
				start, stop = last+1-stop, start
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

func (s *search) weekday() bool {
	if s.c.weekdays < 0 {
		return true
	}
	d := int(time.Date(s.at.year, time.Month(s.at.month), s.at.day, 0, 0, 0, 0, time.UTC).Weekday())
	return s.c.weekdays>>((d+6)%7)&1 == 1
}

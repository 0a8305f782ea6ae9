package value

import (
	"fmt"
	"math/rand"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

// calendarMaker makes random calendar events, most of them valid.
type calendarMaker struct{ *rand.Rand }

func (r calendarMaker) pick(list ...string) string { return list[r.Intn(len(list))] }

func (r calendarMaker) component(low, high, width int) string {
	n := func() int { return low + r.Intn(high-low+1) }
	one := func() string {
		a := n()
		switch r.Intn(8) {
		case 0:
			b := a + r.Intn(high-a+2)
			s := fmt.Sprintf("%0*d..%0*d", width, a, width, b)
			if r.Intn(3) == 0 {
				s += fmt.Sprintf("/%d", r.Intn(5))
			}
			return s
		case 1:
			return fmt.Sprintf("%d/%d", a, 1+r.Intn(high/2+1))
		case 2:
			return fmt.Sprint(a)
		}
		return fmt.Sprintf("%0*d", width, a)
	}
	if r.Intn(3) == 0 {
		return "*"
	}
	s := one()
	for r.Intn(4) == 0 {
		s += "," + one()
	}
	return s
}

func (r calendarMaker) expr() string {
	if r.Intn(25) == 0 {
		return r.pick("minutely", "hourly", "daily", "weekly", "monthly", "Quarterly", "semiannually", "yearly", "annually", "biannually", "semi-annually", "DAILY", "fortnightly", "")
	}
	if r.Intn(40) == 0 {
		return fmt.Sprintf("@%d", r.Intn(4000000000))
	}
	var s []string
	if r.Intn(3) == 0 {
		days := []string{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun", "Monday", "tuesday", "SUN", "Xyz"}
		w := r.pick(days...)
		for r.Intn(2) == 0 {
			w += r.pick(",", "..", "-", ",") + r.pick(days...)
		}
		s = append(s, w)
	}
	if r.Intn(3) > 0 {
		year := ""
		if r.Intn(2) == 0 {
			year = r.pick("*", "2026", "2027", "2024..2030", "2024/4", "27", "99", "2026,2028", "1969", "2200", "2000/3") + "-"
		}
		day := r.component(1, 31, 2)
		sep := "-"
		if r.Intn(5) == 0 {
			sep, day = "~", r.component(1, 29, 2)
		}
		s = append(s, year+r.component(1, 12, 2)+sep+day)
	}
	if r.Intn(4) > 0 || len(s) == 0 {
		c := r.component(0, 23, 2) + ":" + r.component(0, 59, 2)
		if r.Intn(2) == 0 {
			sec := r.component(0, 59, 2)
			if r.Intn(5) == 0 {
				sec = r.pick("00.5", "1.25/3", "0/0.5", "59.9999999", "10..20.5/2.5", "7.", "1.2345678", "60", "0..59")
			}
			c += ":" + sec
		}
		s = append(s, c)
	}
	if r.Intn(5) == 0 {
		s = append(s, r.pick("UTC", "utc", "Europe/Berlin", "America/New_York", "Asia/Tokyo", "Australia/Lord_Howe", "CET", "Mars/Phobos", "EST5EDT", "CEST", "EDT"))
	}
	out := strings.TrimSpace(strings.Join(s, " "))
	if r.Intn(30) == 0 {
		i := r.Intn(len(out) + 1)
		out = out[:i] + r.pick("*", "-", ":", ".", " ", "9", "x", ",", "/") + out[i:]
	}
	return out
}

func TestCalendarLikeSystemdAnalyze(t *testing.T) {
	for _, zone := range []string{"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo", "Europe/Dublin", "Asia/Beirut"} {
		t.Run(zone, func(t *testing.T) {
			t.Parallel()
			loc, _ := Zone(zone)
			r := calendarMaker{rand.New(rand.NewSource(int64(len(zone))))}
			for _, base := range []string{"2026-03-07 12:00:00", "2026-10-24 23:30:00.5", "2024-02-29 00:00:00", "2026-03-28 23:59:00"} {
				var exprs []string
				for range 400 {
					exprs = append(exprs, r.expr())
				}
				answers := oracle(t, []string{"TZ=" + zone}, []string{"calendar", "--iterations=3", "--base-time=" + base}, "Original form", false, exprs)
				from, err := ParseTimestampAt(base, time.Now(), loc)
				if err != nil {
					t.Fatal(err)
				}
				for i, e := range exprs {
					compareCalendar(t, e, answers[i], from, loc)
				}
			}
		})
	}
}

func compareCalendar(t *testing.T, expr, answer string, from time.Time, loc *time.Location) {
	t.Helper()
	c, err := ParseCalendarIn(expr, loc)
	if err == nil && answer == "" && gaveUp(t, expr, from, loc) {
		return // "Resource deadlock avoided": see Next
	}
	if (err == nil) != (answer != "") {
		t.Errorf("%q: error %v, systemd-analyze %q", expr, err, answer)
		return
	}
	if err != nil {
		return
	}
	if want := field(answer, "Normalized form"); c.String() != want {
		t.Errorf("%q: normalised %q, systemd %q", expr, c, want)
	}
	want := fields(answer, "(in UTC)")
	if loc == time.UTC {
		want = nil
		for _, l := range []string{"Next elapse", "Iter. #2", "Iter. #3"} {
			if v := field(answer, l); v != "" && v != "never" {
				want = append(want, v)
			}
		}
	}
	var got []string
	for at := from; len(got) < 3; {
		n, ok := c.Next(at, loc)
		if !ok {
			break
		}
		got = append(got, FormatTimestamp(n, time.UTC))
		at = n
	}
	if strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("%q after %v in %v:\n got %v\nwant %v", expr, from, loc, got, want)
	}
}

// TestNextAlwaysMovesOn walks over the changes of clocks.
func TestNextAlwaysMovesOn(t *testing.T) {
	t.Parallel()
	r := calendarMaker{rand.New(rand.NewSource(8))}
	for _, zone := range []string{"Europe/Berlin", "America/New_York", "Europe/Dublin", "Asia/Beirut", "America/Havana", "Australia/Lord_Howe", "Antarctica/Troll"} {
		loc, _ := Zone(zone)
		for range 400 {
			e := r.expr()
			c, err := ParseCalendarIn(e, loc)
			if err != nil {
				continue
			}
			for _, from := range []time.Time{time.Date(2026, 3, 28, 20, 0, 0, 0, time.UTC), time.Date(2026, 10, 24, 20, 0, 0, 0, time.UTC), time.Date(2026, 11, 1, 3, 0, 0, 0, time.UTC)} {
				at := from
				for range 30 {
					n, ok := c.Next(at, loc)
					if !ok {
						break
					}
					if !n.After(at) {
						t.Fatalf("%q in %s: after %v comes %v", e, zone, at, n)
					}
					at = n
				}
			}
		}
	}
}

// gaveUp reports whether systemd takes the expression and then loses its way
// looking for the next elapse.
func gaveUp(t *testing.T, expr string, from time.Time, loc *time.Location) bool {
	t.Helper()
	c := exec.Command("systemd-analyze", "calendar", "--iterations=3", "--base-time=@"+strconv.FormatInt(from.Unix(), 10), "--", expr)
	c.Env = append(os.Environ(), "TZ="+loc.String())
	out, _ := c.CombinedOutput()
	return strings.Contains(string(out), "deadlock avoided")
}

func FuzzCalendar(f *testing.F) {
	for _, s := range []string{"daily", "Mon..Fri 22:30", "*-*~01 1..5/2:00:00.5 Europe/Berlin", "2024-02-30", "@1700000000", "*:*:0/0.3"} {
		f.Add(s)
	}
	from := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, s string) {
		c, err := ParseCalendarIn(s, time.UTC)
		if err != nil {
			return
		}
		again, err := ParseCalendarIn(c.String(), time.UTC)
		if err != nil || again.String() != c.String() {
			t.Fatalf("%q normalises to %q, which reads as %v, %v", s, c, again, err)
		}
		if n, ok := c.Next(from, time.UTC); ok && !n.After(from) {
			t.Fatalf("%q elapses at %v, not after %v", s, n, from)
		}
	})
}

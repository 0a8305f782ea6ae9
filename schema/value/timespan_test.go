package value

import (
	"fmt"
	"math/rand"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestTimeSpanLikeSystemdAnalyze(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewSource(3))
	pick := func(l ...string) string { return l[r.Intn(len(l))] }
	span := func() string {
		var s string
		for n := 1 + r.Intn(3); n > 0; n-- {
			num := strconv.Itoa(r.Intn(100000))
			switch r.Intn(6) {
			case 0:
				num += "." + strconv.Itoa(r.Intn(10000000))
			case 1:
				num = "." + strconv.Itoa(r.Intn(1000))
			case 2:
				num = pick("0", "1", "007", "+5", "18446744073709551615", "9223372036854775807", "5.", "1e3", "0x10", "infinity", "584542", "-1", "1.-2", "+.5", ".")
			}
			s += num + pick("", " ", "", "\t", "  ") + pick("", "s", "sec", "second", "seconds", "ms", "msec", "us", "usec", "µs", "μs", "min", "m", "minute", "minutes",
				"h", "hr", "hour", "hours", "d", "day", "days", "w", "week", "weeks", "M", "month", "months", "y", "year", "years", "ns", "S", "foo", "hs") + pick("", " ")
		}
		return s
	}
	var args []string
	for range 1500 {
		args = append(args, strings.TrimSpace(span()))
	}
	// The valid ones in few calls, the others one by one.
	var good, bad []string
	for _, a := range args {
		if _, err := ParseTimeSpan(a); err == nil {
			good = append(good, a)
		} else {
			bad = append(bad, a)
		}
	}
	for i, answer := range oracle(t, nil, []string{"timespan"}, "Original", true, good) {
		usec, _ := ParseTimeSpan(good[i])
		want := "μs " + field(answer, "μs") + ", " + field(answer, "Human")
		if got := fmt.Sprintf("μs %d, %s", usec, FormatTimeSpan(usec, 1)); got != want {
			t.Errorf("%q: got %s, systemd %s", good[i], got, want)
		}
	}
	for _, b := range bad[:min(len(bad), 250)] {
		if answer := oracle(t, nil, []string{"timespan"}, "Original", true, []string{b}); answer[0] != "" {
			_, err := ParseTimeSpan(b)
			t.Errorf("%q: %v, systemd %q", b, err, answer[0])
		}
	}
}

func TestTimestampLikeSystemdAnalyze(t *testing.T) {
	for _, zone := range []string{"UTC", "Europe/Berlin", "America/New_York"} {
		t.Run(zone, func(t *testing.T) {
			t.Parallel()
			loc, _ := Zone(zone)
			r := rand.New(rand.NewSource(5))
			pick := func(l ...string) string { return l[r.Intn(len(l))] }
			stamp := func() string {
				day := fmt.Sprintf("%d-%02d-%02d", 1969+r.Intn(100), r.Intn(14), r.Intn(33))
				switch r.Intn(5) {
				case 0:
					day = fmt.Sprintf("%02d-%d-%d", r.Intn(100), 1+r.Intn(12), 1+r.Intn(31))
				case 1:
					day = pick("2026-03-29", "2026-10-25", "2026-03-08", "2026-11-01", "10000-01-01", "9999-12-31", "1970-01-01", "0-1-1", "123-1-1")
				}
				clock := fmt.Sprintf("%02d:%02d:%02d", r.Intn(25), r.Intn(61), r.Intn(62))
				switch r.Intn(6) {
				case 0:
					clock = fmt.Sprintf("%d:%d", r.Intn(24), r.Intn(60))
				case 1:
					clock += pick(".5", ".1234567", ".", ".12x", ".999999")
				case 2:
					clock = pick("02:30", "01:30:00", "1:5", "24:00", "12")
				}
				s := day + " " + clock
				switch r.Intn(12) {
				case 0:
					s = day
				case 1:
					s = pick("today", "yesterday", "tomorrow")
				case 2:
					s = fmt.Sprintf("@%d", r.Intn(4000000000)) + pick("", ".5", "s", "h", " ago", "x")
				case 3:
					s = pick("Mon ", "sunday ", "Fri ", "Xyz ", "Wed", "SAT ") + s
				case 4:
					d, err := time.Parse("2006-01-02", day)
					if err == nil {
						s = d.Format("Mon ") + s
					}
				}
				if r.Intn(4) == 0 {
					s += pick(" UTC", " utc", " CEST", " EST", " EDT", "UTC", "  UTC", " XYZ")
				}
				if r.Intn(20) == 0 {
					i := r.Intn(len(s) + 1)
					s = s[:i] + pick(" ", "x", "-", ":", "1", ".") + s[i:]
				}
				return s
			}
			var args []string
			for range 1200 {
				args = append(args, strings.TrimSpace(stamp()))
			}
			before := time.Now()
			answers := oracle(t, []string{"TZ=" + zone}, []string{"timestamp"}, "Original form", false, args)
			if before.In(loc).Day() != time.Now().In(loc).Day() {
				t.Log("midnight passed while systemd-analyze was asked: nothing to compare")
				return
			}
			for i, a := range args {
				if sp := strings.LastIndexByte(a, ' '); sp >= 0 && ValidZone(a[sp+1:]) && !strings.EqualFold(a[sp+1:], "UTC") {
					continue // systemd 252 of Debian refuses all names of zones, against systemd.time(7)
				}
				got, err := ParseTimestampAt(a, time.Now(), loc)
				if (err == nil) != (answers[i] != "") {
					t.Errorf("%q: %v, systemd %q", a, err, answers[i])
					continue
				}
				if err != nil {
					continue
				}
				g := fmt.Sprintf("@%d", got.Unix())
				if u := got.Nanosecond() / 1000; u != 0 {
					g += fmt.Sprintf(".%06d", u)
				}
				if g != field(answers[i], "UNIX seconds") {
					// Of a time that happens twice a process takes the one with the
					// offset that it used last: one process for this alone.
					answers[i] = oracle(t, []string{"TZ=" + zone}, []string{"timestamp"}, "Original form", false, args[i:i+1])[0]
				}
				if want := field(answers[i], "UNIX seconds"); g != want {
					t.Errorf("%q: %s, systemd %s", a, g, want)
				}
				if want := field(answers[i], "Normalized form"); FormatTimestamp(got, loc) != want {
					t.Errorf("%q: %s, systemd %s", a, FormatTimestamp(got, loc), want)
				}
			}
		})
	}
}

package value

import (
	"strconv"
	"strings"

	"github.com/unitgen/unitgen/schema/directive"
)

var _ = register(map[directive.Kind]checker{
	"rlimit:number": rlimit("number"), "rlimit:size": rlimit("size"), "rlimit:time": rlimit("time"),
	"rlimit:microseconds": rlimit("microseconds"), "rlimit:nice": rlimit("nice"),
})

// Rlimit is one resource limit, Infinity where there is none.
type Rlimit struct{ Soft, Hard uint64 }

// ParseRlimit reads a value of LimitNOFILE= and its kin: one limit, or
// SOFT:HARD, or infinity. sort is the part of the kind behind "rlimit:":
// "number", "size" (bytes), "time" (seconds), "microseconds" or "nice".
func ParseRlimit(sort, s string) (Rlimit, error) {
	var r Rlimit
	// A backslash merely stands before the character that it escapes.
	parts, err := Split(s, ":", DontCoalesce)
	if err != nil {
		return r, err
	}
	soft, hard, two := strings.Cut(strings.Join(parts, ":"), ":")
	if r.Soft, err = limit(sort, s, soft); err != nil {
		return r, err
	}
	r.Hard = r.Soft
	if strings.HasSuffix(s, ":") && !two || two && hard == "" {
		return r, wrong(s, "has no hard limit behind the colon", "one limit, or SOFT:HARD")
	}
	if two {
		if r.Hard, err = limit(sort, s, hard); err != nil {
			return r, err
		}
	}
	if r.Soft > r.Hard {
		return r, wrong(s, "has a soft limit above its hard limit", "SOFT:HARD with SOFT no higher than HARD")
	}
	return r, nil
}

func rlimit(sort string) checker {
	return func(_ *Context, s string) (string, error) {
		r, err := ParseRlimit(sort, s)
		if err != nil {
			return s, err
		}
		if r.Soft == r.Hard {
			return formatLimit(r.Soft), nil
		}
		return formatLimit(r.Soft) + ":" + formatLimit(r.Hard), nil
	}
}

func formatLimit(v uint64) string {
	if v == Infinity {
		return "infinity"
	}
	return strconv.FormatUint(v, 10)
}

func limit(sort, all, s string) (uint64, error) {
	const inf = ", SOFT:HARD, or infinity"
	if s == "infinity" && sort != "nice" {
		return Infinity, nil
	}
	switch sort {
	case "size":
		n, err := ParseSize(s)
		if err != nil || n == Infinity {
			return 0, wrong(all, "is no resource limit", `a size such as "64M"`+inf)
		}
		return n, nil
	case "time":
		t, err := ParseTimeSpan(s)
		if err != nil {
			return 0, wrong(all, "is no resource limit", `a number of seconds or a time span such as "1min"`+inf)
		}
		if t == Infinity {
			return Infinity, nil
		}
		if t == 0 {
			return 0, nil
		}
		return (t-1)/usecSecond + 1, nil
	case "microseconds":
		t, err := ParseTimeSpanUnit(s, 1)
		if err != nil {
			return 0, wrong(all, "is no resource limit", `a number of microseconds or a time span such as "10ms"`+inf)
		}
		return t, nil
	case "nice":
		// With a sign it is a nice level from -20 to 19, else the raw limit.
		if s != "" && (s[0] == '+' || s[0] == '-') {
			n, err := ParseInteger(s, -20, 19)
			if err != nil {
				return 0, wrong(all, "is no resource limit", "a nice level from -20 to +19 with its sign, or a number from 0 to 40, or SOFT:HARD")
			}
			return uint64(20 - n), nil
		}
		n, err := unsignedBits(s, 64)
		if err != nil || n > 40 {
			return 0, wrong(all, "is no resource limit", "a nice level from -20 to +19 with its sign, or a number from 0 to 40, or SOFT:HARD")
		}
		return n, nil
	}
	n, err := unsignedBits(s, 64)
	if err != nil || n == Infinity {
		return 0, wrong(all, "is no resource limit", "a number"+inf)
	}
	return n, nil
}

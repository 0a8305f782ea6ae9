package value

import (
	"math"
	"strconv"
	"strings"

	"github.com/unitgen/unitgen/schema/directive"
)

var _ = register(map[directive.Kind]checker{
	directive.Bool: func(_ *Context, s string) (string, error) {
		b, err := ParseBool(s)
		return FormatBool(b), err
	},
	directive.Unsigned: func(_ *Context, s string) (string, error) {
		n, err := ParseUnsigned(s)
		return strconv.FormatUint(uint64(n), 10), err
	},
	directive.Integer: func(_ *Context, s string) (string, error) { return integer(s, math.MinInt32, math.MaxInt32) },
	directive.Long:    func(_ *Context, s string) (string, error) { return integer(s, math.MinInt64, math.MaxInt64) },
	"nice": func(_ *Context, s string) (string, error) {
		return integer(s, -20, 19)
	},
	"oom-score-adjust": func(_ *Context, s string) (string, error) { return integer(s, -1000, 1000) },
	"io-priority":      func(_ *Context, s string) (string, error) { return integer(s, 0, 7) },
	"swap-priority":    func(_ *Context, s string) (string, error) { return integer(s, -1, 32767) },
	"cpu-scheduling-priority": func(_ *Context, s string) (string, error) {
		return integer(s, 0, 99)
	},
	"tty-size": func(_ *Context, s string) (string, error) {
		n, err := ParseUnsigned(s)
		return strconv.FormatUint(uint64(n), 10), err
	},
	directive.Size: func(_ *Context, s string) (string, error) {
		_, err := ParseSize(s)
		return s, err
	},
	"weight": func(c *Context, s string) (string, error) { return weight(s, 1, 10000) },
	"cpu-weight": func(c *Context, s string) (string, error) {
		if s == "idle" && c.knows(252) {
			return s, nil
		}
		return weight(s, 1, 10000)
	},
	"cpu-shares":   func(c *Context, s string) (string, error) { return weight(s, 2, 262144) },
	"blkio-weight": func(c *Context, s string) (string, error) { return weight(s, 10, 1000) },
	"concurrency": func(_ *Context, s string) (string, error) {
		if s == "infinity" {
			return s, nil
		}
		n, err := ParseUnsigned(s)
		return strconv.FormatUint(uint64(n), 10), err
	},
	"ip-tos": func(_ *Context, s string) (string, error) {
		switch s {
		case "low-delay", "throughput", "reliability", "low-cost":
			return s, nil
		}
		v, err := integer(s, 0, 255)
		if err != nil {
			err = wrong(s, "is no IP type of service", "low-delay, throughput, reliability, low-cost or a number up to 255")
		}
		return v, err
	},
	"memory-limit": func(c *Context, s string) (string, error) {
		s, err := memoryLimit(c, s)
		if n, e := ParseSize(s); err == nil && e == nil && n == 0 {
			err = wrong(s, "is no limit: nothing would be left", wantMemory)
		}
		if p, e := ParsePermyriad(s); err == nil && e == nil && p == 0 {
			err = wrong(s, "is no limit: nothing would be left", wantMemory)
		}
		return s, err
	}, "memory-min": memoryLimit, "memory-swap": memoryLimit,
	"tasks-max": func(_ *Context, s string) (string, error) {
		if s == "infinity" {
			return s, nil
		}
		if p, err := ParsePermyriad(s); err == nil {
			if p > 10000 {
				return s, wrong(s, "is no share of the tasks of the system", "at most 100%")
			}
			return s, nil
		}
		n, err := unsignedBits(s, 64)
		if err != nil || n == 0 {
			return s, wrong(s, "is no limit of tasks", "a number above 0, a percentage or infinity")
		}
		return strconv.FormatUint(n, 10), nil
	},
	"cpu-quota": func(_ *Context, s string) (string, error) {
		p, err := parsePermyriad(s)
		if err != nil || p == 0 {
			return s, wrong(s, "is no share of CPU time", `a percentage above 0 such as "20%" or "250%"`)
		}
		return s, nil
	},
	"permyriad": func(_ *Context, s string) (string, error) {
		_, err := ParsePermyriad(s)
		return s, err
	},
	"directory-quota": func(_ *Context, s string) (string, error) {
		if b, err := ParseBool(s); err == nil {
			if b {
				return s, wrong(s, "is no quota", `"off", a size or a percentage`)
			}
			return "off", nil
		}
		if _, err := ParsePermyriad(s); err == nil {
			return s, nil
		}
		if n, err := ParseSize(s); err != nil || n == 0 {
			return s, wrong(s, "is no quota", `"off", a size or a percentage`)
		}
		return s, nil
	},
})

// ParseUnsigned reads a number up to 2³²-1: decimal, 0x…, 0o… or 0…, 0b….
func ParseUnsigned(s string) (uint32, error) {
	n, err := unsignedBits(s, 32)
	return uint32(n), err
}

// unsignedBits reads a number of so many bits, in any base.
func unsignedBits(s string, bits int) (uint64, error) {
	t := trimLeftBlank(s)
	if strings.HasPrefix(t, "-") {
		return 0, wrong(s, "is a negative number", "a number that is not negative")
	}
	t = strings.TrimPrefix(t, "+")
	digits, base := numberBase(t)
	n, err := strconv.ParseUint(digits, base, bits)
	if err != nil {
		return 0, numberError(s, err)
	}
	return n, nil
}

// ParseInteger reads a number between two bounds: decimal, 0x…, 0o… or 0…,
// 0b…, with a sign.
func ParseInteger(s string, low, high int64) (int64, error) {
	t := trimLeftBlank(s)
	sign := ""
	if t != "" && (t[0] == '-' || t[0] == '+') {
		sign, t = t[:1], t[1:]
	}
	digits, base := numberBase(t)
	if digits != "" && (digits[0] == '-' || digits[0] == '+') {
		digits = ""
	}
	n, err := strconv.ParseInt(sign+digits, base, 64)
	if err != nil {
		return 0, numberError(s, err)
	}
	if n < low || n > high {
		return 0, wrongf(s, "", "is out of range: %d to %d are accepted", low, high)
	}
	return n, nil
}

func numberError(s string, err error) error {
	if e, ok := err.(*strconv.NumError); ok && e.Err == strconv.ErrRange {
		return wrong(s, "is too large a number", "")
	}
	return wrong(s, "is no number", "a whole number without a unit")
}

// numberBase takes the prefix of a base off a number.
func numberBase(t string) (string, int) {
	if len(t) > 1 && t[0] == '0' {
		switch t[1] {
		case 'x', 'X':
			return t[2:], 16
		case 'b', 'B':
			return t[2:], 2
		case 'o', 'O':
			return t[2:], 8
		}
		return t[1:], 8
	}
	return t, 10
}

func integer(s string, low, high int64) (string, error) {
	n, err := ParseInteger(s, low, high)
	return strconv.FormatInt(n, 10), err
}

func weight(s string, low, high uint64) (string, error) {
	n, err := unsignedBits(s, 64)
	if err != nil || n < low || n > high {
		return s, wrongf(s, "", "is no weight: numbers from %d to %d are accepted", low, high)
	}
	return strconv.FormatUint(n, 10), nil
}

const wantMemory = `a size such as "512M", a percentage of the memory, or infinity`

// memoryLimit checks MemoryMax= and its kin (systemd.resource-control(5)).
func memoryLimit(_ *Context, s string) (string, error) {
	if s == "infinity" {
		return s, nil
	}
	if p, err := ParsePermyriad(s); err == nil {
		if p > 10000 {
			return s, wrong(s, "is more than the whole memory", wantMemory)
		}
		return s, nil
	}
	n, err := ParseSize(s)
	if err != nil || n == Infinity {
		return s, wrong(s, "is no amount of memory", wantMemory)
	}
	return s, nil
}

const wantPercent = `a percentage such as "10%", "2.5%", "25‰" or "250‱"`

// ParsePercent reads a percentage from 0% to 100%.
func ParsePercent(s string) (int, error) {
	n, err := strconv.ParseUint(strings.TrimSuffix(s, "%"), 10, 31)
	if err != nil || !strings.HasSuffix(s, "%") || n > 100 {
		return 0, wrong(s, "is no percentage", `a whole percentage such as "10%"`)
	}
	return int(n), nil
}

// ParsePermyriad reads a share of 0 to 10000 parts of ten thousand, written as
// "12%", "12.34%", "123‰", "123.4‰" or "1234‱".
func ParsePermyriad(s string) (int, error) {
	n, err := parsePermyriad(s)
	if err == nil && n > 10000 {
		return 0, wrong(s, "is more than the whole", wantPercent)
	}
	return n, err
}

// parsePermyriad is ParsePermyriad without a bound.
func parsePermyriad(s string) (int, error) {
	for _, u := range []struct {
		suffix string
		places int
	}{{"%", 2}, {"‰", 1}, {"‱", 0}} {
		num, ok := strings.CutSuffix(s, u.suffix)
		if !ok {
			continue
		}
		whole, frac, dot := strings.Cut(num, ".")
		if whole == "-0" {
			whole = "0" // as systemd reads it
		}
		if whole == "" || digits(whole) != len(whole) || digits(frac) != len(frac) || (dot && frac == "") || len(frac) > u.places {
			break
		}
		for len(frac) < u.places {
			frac += "0"
		}
		n, err := strconv.ParseInt(whole+frac, 10, 32)
		if err != nil {
			return 0, wrong(s, "is too large", wantPercent)
		}
		return int(n), nil
	}
	return 0, wrong(s, "is no percentage", wantPercent)
}

package value

import (
	"math/bits"
	"strconv"
	"strings"

	"github.com/unitgen/unitgen/schema/directive"
)

// maxCPU bounds the numbers in a CPU set, as systemd does.
const maxCPU = 8191

const wantCPUSet = `numbers and ranges such as "0-3,8 10"`

var _ = register(map[directive.Kind]checker{
	"cpu-set": cpuSet,
	"cpu-affinity": func(c *Context, s string) (string, error) {
		if s == "numa" {
			return s, nil
		}
		return cpuSet(c, s)
	},
	"numa-mask": func(c *Context, s string) (string, error) {
		if s == "all" {
			return s, nil
		}
		return cpuSet(c, s)
	},
})

// CPUSet is a set of CPUs (or NUMA nodes) by number.
type CPUSet []uint64 // bit n%64 of word n/64

// ParseCPUSet reads numbers and ranges, separated by blanks or commas.
func ParseCPUSet(s string) (CPUSet, error) {
	ws, err := Split(s, blanks+",", Unquote)
	if err != nil {
		return nil, err
	}
	var set CPUSet
	for _, w := range ws {
		lo, hi, isRange := strings.Cut(w, "-")
		a, err := unsignedBits(lo, 32)
		if err != nil {
			return set, wrong(w, "is no CPU number", wantCPUSet)
		}
		b := a
		if isRange {
			if b, err = unsignedBits(hi, 32); err != nil {
				return set, wrong(w, "is no range of CPUs", wantCPUSet)
			}
		}
		if a > b {
			return set, &Error{Value: w, Wrong: "is an empty range: its end lies before its start", Want: wantCPUSet}
		}
		if a == 1<<32-1 && !isRange {
			continue // systemd counts one more, which wraps to none
		}
		if b > maxCPU {
			return set, wrong(w, "is too large a CPU number", wantCPUSet)
		}
		set = set.through(int(a), int(b))
	}
	return set, nil
}

// through adds the numbers from a to b.
func (s CPUSet) through(a, b int) CPUSet {
	if n := b/64 + 1 - len(s); n > 0 {
		s = append(s, make(CPUSet, n)...)
	}
	for i := a / 64; i <= b/64; i++ {
		w := ^uint64(0)
		if i == a/64 {
			w &= ^uint64(0) << (a % 64)
		}
		if i == b/64 {
			w &= ^uint64(0) >> (63 - b%64)
		}
		s[i] |= w
	}
	return s
}

// Has reports whether a number is in the set.
func (s CPUSet) Has(n int) bool { return n >= 0 && n/64 < len(s) && s[n/64]>>(n%64)&1 == 1 }

// Len counts the set.
func (s CPUSet) Len() int {
	n := 0
	for _, w := range s {
		n += bits.OnesCount64(w)
	}
	return n
}

// List gives the numbers in order.
func (s CPUSet) List() []int {
	var out []int
	for i := 0; i < len(s)*64; i++ {
		if s.Has(i) {
			out = append(out, i)
		}
	}
	return out
}

// Union gives the numbers that are in either set.
func (s CPUSet) Union(o CPUSet) CPUSet {
	out := append(CPUSet(nil), s...)
	for i, w := range o {
		if i < len(out) {
			out[i] |= w
		} else {
			out = append(out, w)
		}
	}
	return out
}

// String gives the set as ranges with blanks between them, "0-3 8".
func (s CPUSet) String() string {
	var b strings.Builder
	for i := s.next(0, true); i < len(s)*64; {
		end := s.next(i, false)
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(strconv.Itoa(i))
		if end-1 > i {
			b.WriteByte('-')
			b.WriteString(strconv.Itoa(end - 1))
		}
		i = s.next(end, true)
	}
	return b.String()
}

// next gives the first number from one on that is in the set, or is not; past
// the last word where there is none.
func (s CPUSet) next(from int, in bool) int {
	for i := from / 64; i < len(s); i++ {
		w := s[i]
		if !in {
			w = ^w
		}
		if i == from/64 {
			w &= ^uint64(0) << (from % 64)
		}
		if w != 0 {
			return i*64 + bits.TrailingZeros64(w)
		}
	}
	return len(s) * 64
}

func cpuSet(c *Context, s string) (string, error) {
	x, err := c.expand(s)
	if err != nil {
		return s, err
	}
	set, err := ParseCPUSet(x)
	if err != nil || x != s {
		return s, err
	}
	return set.String(), nil
}

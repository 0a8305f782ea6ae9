package value

import (
	"strconv"
	"strings"
)

const wantSize = `a size such as "512K", "1.5G" or a number of bytes (K M G T P E, to the base 1024)`

// sizeUnits of systemd.syntax(7): powers of 1024, or of 1000.
var sizeUnits = "BKMGTPE"

// ParseSize reads a size in bytes with the suffixes K M G T P E (powers of
// 1024) or B; parts with falling suffixes add up ("1G 512M").
func ParseSize(s string) (uint64, error) { return parseSize(s, 1024) }

// ParseSizeSI is ParseSize with powers of 1000 (bandwidths).
func ParseSizeSI(s string) (uint64, error) { return parseSize(s, 1000) }

func parseSize(s string, base uint64) (uint64, error) {
	var sum uint64
	rest := s
	start := len(sizeUnits) // units at or above this index were used
	if trimBlank(s) == "" {
		return 0, wrong(s, "is no size", wantSize)
	}
	first := true
	for first || rest != "" {
		first = false
		rest = trimLeftBlank(rest)
		if strings.HasPrefix(rest, "-") {
			return 0, wrong(s, "is a negative size", wantSize)
		}
		num := strings.TrimPrefix(rest, "+")
		n := digits(num)
		if n == 0 {
			return 0, wrong(s, "is no size", wantSize)
		}
		whole, err := strconv.ParseUint(num[:n], 10, 64)
		if err != nil {
			return 0, wrong(s, "is too large", wantSize)
		}
		num = num[n:]
		frac := ""
		if strings.HasPrefix(num, ".") {
			m := digits(num[1:])
			frac, num = num[1:1+m], num[1+m:]
		}
		num = trimLeftBlank(num)
		unit := 0
		if num != "" {
			if i := strings.IndexByte(sizeUnits, num[0]); i >= 0 {
				unit, num = i, num[1:]
			} else if i := digits(num); i == 0 {
				return 0, wrongf(s, wantSize, "has an unknown unit at %s", quote(num))
			}
		}
		if unit >= start {
			return 0, wrong(s, "has parts that do not fall in size", wantSize)
		}
		start = unit
		factor := uint64(1)
		for i := 0; i < unit; i++ {
			factor *= base
		}
		if whole > Infinity/factor || whole*factor > Infinity-sum {
			return 0, wrong(s, "is too large", wantSize)
		}
		sum += whole * factor
		if frac != "" {
			f, _ := strconv.ParseFloat("0."+frac, 64)
			add := uint64(f * float64(factor))
			if add > Infinity-sum {
				return 0, wrong(s, "is too large", wantSize)
			}
			sum += add
		}
		rest = num
	}
	return sum, nil
}

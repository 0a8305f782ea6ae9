// Package exposure rates how far a service is shut in, with the score of
// systemd-analyze(1)'s security verb: each check has a weight, and the exposure
// is the weighted mean of what each finds open, from 0 to 10.
//
// It takes a loaded service unit and gives a report with advice. It knows
// nothing of HCL or of running units. The weights and the marks of single
// values were found by asking systemd-analyze (version 252).
package exposure

import (
	"fmt"
	"math"

	"github.com/unitgen/unitgen/schema/load"
)

// Check is the answer of one check.
type Check struct {
	ID      string // "PrivateNetwork", as the tool's JSON names it
	Name    string // "PrivateNetwork="
	Applies bool   // false: the option does not count for this service
	Weight  int
	// Badness is what is open, from 0 (nothing) to 1.
	Badness float64
	// Found says what was found, Advice what to set; "" where nothing is open.
	Found, Advice string
	// Exposure is the share in the whole score.
	Exposure float64
}

// Report is the rating of one service.
type Report struct {
	Unit    string
	Checks  []Check
	Overall float64 // 0.0 to 10.0, with one decimal
	Level   string  // "PERFECT", "SAFE", "OK", "MEDIUM", "EXPOSED", "UNSAFE", "DANGEROUS"
}

// levels are the words of the score's bands, the lowest score first.
var levels = []struct {
	from float64
	word string
}{{0, "PERFECT"}, {0.1, "SAFE"}, {1.0, "OK"}, {5.0, "MEDIUM"}, {7.5, "EXPOSED"}, {9.0, "UNSAFE"}, {10.0, "DANGEROUS"}}

// points gives the weighted badness as a whole number, rounded up.
func points(badness float64, weight int) int {
	return int(math.Ceil(badness*float64(weight) - 1e-6))
}

// Rate rates a service unit. Other units are refused.
func Rate(u *load.Unit) (*Report, error) {
	if u.Type != "service" {
		return nil, fmt.Errorf("%s is no service: only services are rated", u.Name)
	}
	if u.State != load.Loaded {
		return nil, fmt.Errorf("%s is %s: only a unit that can be loaded is rated", u.Name, u.State)
	}
	s := gather(u)
	r := &Report{Unit: u.Name}
	var sum, total int
	for _, c := range checks {
		b, found := c.rate(s)
		k := Check{ID: c.id, Name: c.name, Weight: c.weight, Found: found, Applies: b >= 0}
		if k.Applies {
			k.Badness = b
			total += c.weight
			sum += points(b, c.weight)
			if b > 0 {
				k.Advice = c.advice
			}
		}
		r.Checks = append(r.Checks, k)
	}
	for i := range r.Checks {
		if k := &r.Checks[i]; k.Applies {
			k.Exposure = k.Badness * float64(k.Weight) * 10 / float64(total)
		}
	}
	r.Overall = float64((sum*100+total-1)/total) / 10
	for _, l := range levels {
		if r.Overall >= l.from {
			r.Level = l.word
		}
	}
	return r, nil
}

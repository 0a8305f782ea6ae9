package main

import (
	"fmt"
	"math"
	"time"

	"github.com/unitgen/unitgen/schema/value"
)

// timeSpan is a flag that takes a time span of systemd.time(7): "5" are seconds,
// "500ms", "1min 30s".
type timeSpan time.Duration

func (t *timeSpan) Set(s string) error {
	us, err := value.ParseTimeSpan(s)
	if err != nil {
		return err
	}
	if us > math.MaxInt64/1000 {
		return fmt.Errorf("%q is too long", s)
	}
	*t = timeSpan(time.Duration(us) * time.Microsecond)
	return nil
}

func (t *timeSpan) String() string {
	return value.FormatTimeSpan(uint64(time.Duration(*t).Microseconds()), 1)
}

func (t *timeSpan) Type() string { return "time" }

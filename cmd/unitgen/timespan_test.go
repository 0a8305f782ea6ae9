package main

import (
	"testing"
	"time"
)

// TestTimeSpanFlag takes what systemd takes, and what Go's durations were.
func TestTimeSpanFlag(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]time.Duration{
		"5": 5 * time.Second, "5sec": 5 * time.Second, "500ms": 500 * time.Millisecond, "1min 30s": 90 * time.Second,
		"1m30s": 90 * time.Second, "0.5s": 500 * time.Millisecond, "0": 0, "1h30m0s": 90 * time.Minute,
	} {
		var f timeSpan
		if err := f.Set(s); err != nil || time.Duration(f) != want {
			t.Errorf("%q is %v, want %v (%v)", s, time.Duration(f), want, err)
		}
	}
	for _, s := range []string{"", "soon", "-1s", "infinity", "5 parsecs"} {
		var f timeSpan
		if err := f.Set(s); err == nil {
			t.Errorf("%q is %v", s, time.Duration(f))
		}
	}
	f := timeSpan(5 * time.Minute)
	if got := f.String(); got != "5min" {
		t.Error(got)
	}
}

package value

import (
	"strconv"
	"strings"

	"github.com/unitgen/unitgen/schema/directive"
)

// signalNames are the signals of Linux by number (signal(7)); index 0 is none.
var signalNames = []string{
	"", "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM",
	"STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
}

// Real-time signals as programs see them.
const (
	sigRTMin = 34
	sigRTMax = 64
)

const wantSignal = `a signal by name or number, such as "SIGTERM", "TERM", "15" or "RTMIN+3"`

var _ = register(map[directive.Kind]checker{
	directive.Signal: func(_ *Context, s string) (string, error) {
		n, err := ParseSignal(s)
		if err != nil {
			return s, err
		}
		return SignalName(n), nil
	},
})

// ParseSignal reads a signal: a number from 1 to 64, a name with or without
// "SIG", "RTMIN+n" or "RTMAX-n".
func ParseSignal(s string) (int, error) {
	if n, err := ParseInteger(s, 1, sigRTMax); err == nil {
		return int(n), nil
	}
	name := strings.TrimPrefix(s, "SIG")
	for n, x := range signalNames {
		if n > 0 && x == name {
			return n, nil
		}
	}
	switch name {
	case "POLL":
		return 29, nil
	case "IOT":
		return 6, nil
	}
	offset := func(rest string, sign byte) (int, bool) {
		if rest == "" {
			return 0, true
		}
		if rest[0] != sign || digits(rest[1:]) != len(rest)-1 {
			return 0, false
		}
		n, err := strconv.Atoi(rest[1:])
		return n, err == nil && n <= sigRTMax-sigRTMin
	}
	if rest, ok := strings.CutPrefix(name, "RTMIN"); ok {
		if n, ok := offset(rest, '+'); ok {
			return sigRTMin + n, nil
		}
	}
	if rest, ok := strings.CutPrefix(name, "RTMAX"); ok {
		if n, ok := offset(rest, '-'); ok {
			return sigRTMax - n, nil
		}
	}
	return 0, wrong(s, "is no signal", wantSignal)
}

// SignalName gives the name of a signal as systemd writes it: "SIGTERM",
// "SIGRTMIN+1"; a number where there is no name.
func SignalName(n int) string {
	switch {
	case n > 0 && n < len(signalNames):
		return "SIG" + signalNames[n]
	case n == sigRTMin:
		return "SIGRTMIN"
	case n > sigRTMin && n <= sigRTMax:
		return "SIGRTMIN+" + strconv.Itoa(n-sigRTMin)
	}
	return strconv.Itoa(n)
}

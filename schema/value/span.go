package value

import "github.com/unitgen/unitgen/schema/directive"

var _ = register(map[directive.Kind]checker{
	directive.TimeSpan: func(_ *Context, s string) (string, error) {
		v, err := ParseTimeSpan(s)
		if err != nil {
			return s, err
		}
		return FormatTimeSpan(v, 1), nil
	},
	directive.Timeout: func(_ *Context, s string) (string, error) {
		v, err := ParseTimeout(s)
		if err != nil {
			return s, err
		}
		return FormatTimeSpan(v, 1), nil
	},
	directive.TimeoutAbort: func(_ *Context, s string) (string, error) {
		v, err := ParseTimeout(s)
		if err != nil {
			return s, err
		}
		return FormatTimeSpan(v, 1), nil
	},
	"timespan-infinity": func(_ *Context, s string) (string, error) {
		v, err := ParseTimeSpan(s)
		if err != nil {
			return s, err
		}
		return FormatTimeSpan(v, 1), nil
	},
	directive.TimerSpan: func(c *Context, s string) (string, error) {
		x, err := c.expand(s)
		if err != nil {
			return s, err
		}
		v, err := ParseTimeSpan(x)
		if err != nil {
			return s, err
		}
		return FormatTimeSpan(v, 1), nil
	},
	"nanoseconds": func(_ *Context, s string) (string, error) {
		_, err := ParseNanoseconds(s)
		return s, err
	},
	"defer-trigger": func(_ *Context, s string) (string, error) {
		if s == "patient" {
			return s, nil
		}
		b, err := ParseBool(s)
		if err != nil {
			return s, wrong(s, "is no boolean", "yes, no or patient")
		}
		return FormatBool(b), nil
	},
})

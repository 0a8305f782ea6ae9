package value

import (
	"strings"

	"github.com/unitgen/unitgen/schema/directive"
)

var _ = register(map[directive.Kind]checker{
	"device-allow": func(c *Context, s string) (string, error) {
		_, err := ParseDeviceAllow(s, c)
		return s, err
	},
	"device-weight": deviceValue(func(v string) error {
		_, err := weight(v, 1, 10000)
		return err
	}),
	"device-blkio-weight": deviceValue(func(v string) error {
		_, err := weight(v, 10, 1000)
		return err
	}),
	"device-bandwidth": deviceValue(func(v string) error {
		if v == "infinity" {
			return nil
		}
		n, err := ParseSizeSI(v)
		if err != nil || n == 0 {
			return wrong(v, "is no bandwidth", `bytes a second such as "5M" (to the base 1000), or infinity`)
		}
		return nil
	}),
	"device-iops": deviceValue(func(v string) error {
		if v == "infinity" {
			return nil
		}
		n, err := ParseSizeSI(v)
		if err != nil || n == 0 {
			return wrong(v, "is no number of operations", `operations a second such as "1K" (to the base 1000), or infinity`)
		}
		return nil
	}),
	"device-latency": deviceValue(func(v string) error {
		_, err := ParseTimeSpan(v)
		return err
	}),
})

// DeviceAllow is one value of DeviceAllow= (systemd.resource-control(5)).
type DeviceAllow struct {
	Device string // "/dev/null", "char-pts", "block-*"
	Rights string // of "rwm"; "" means all
}

// ParseDeviceAllow reads a device and what may be done with it. c expands
// specifiers; nil keeps them.
func ParseDeviceAllow(s string, c *Context) (DeviceAllow, error) {
	const want = `a device node such as /dev/sda5, "char-NAME" or "block-NAME", then any of r, w and m`
	if c == nil {
		c = &Context{}
	}
	w, rest, ok, err := Word(s, "", Unquote)
	if err != nil || !ok {
		return DeviceAllow{}, wrong(s, "names no device", want)
	}
	d := DeviceAllow{Rights: rest}
	if d.Device, err = c.expand(w); err != nil {
		return d, err
	}
	if !strings.HasPrefix(d.Device, "char-") && !strings.HasPrefix(d.Device, "block-") {
		if d.Device, err = ParsePath(d.Device); err != nil {
			return d, wrong(w, "is no device node", want)
		}
		if !strings.HasPrefix(d.Device, "/dev/") && !strings.HasPrefix(d.Device, "/run/systemd/inaccessible/") {
			return d, wrong(w, "is no device node: it does not lie in /dev", want)
		}
	}
	for i := 0; i < len(rest); i++ {
		if strings.IndexByte("rwm", rest[i]) < 0 {
			return d, wrong(rest, "is no set of rights", "any of r, w and m")
		}
	}
	return d, nil
}

// deviceValue makes the checker of "PATH VALUE".
func deviceValue(each func(v string) error) checker {
	return func(c *Context, s string) (string, error) {
		w, rest, ok, err := Word(s, "", Unquote)
		if err != nil || !ok || rest == "" {
			return s, wrong(s, "is not a path and a value", `a device node or a file on the device, a blank, and the value`)
		}
		p, err := c.expand(w)
		if err != nil {
			return s, err
		}
		if strings.Contains("/"+p+"/", "/../") {
			return s, wrong(w, `climbs with ".."`, wantPath)
		}
		return s, each(rest)
	}
}

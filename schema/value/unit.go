package value

import (
	"strings"

	"github.com/unitgen/unitgen/schema/directive"
	"github.com/unitgen/unitgen/schema/unitname"
)

const wantUnit = `unit names with their suffix, such as "nginx.service"`

var _ = register(map[directive.Kind]checker{
	// Quotes are part of a name there.
	directive.UnitList: words(RetainEscape, func(_ *Context, w string) error {
		if w == "" || !unitname.Valid(w) {
			return wrong(w, "is no unit name", wantUnit)
		}
		return nil
	}),
	"socket-unit-list": words(RetainEscape, func(_ *Context, w string) error {
		return unitOfType(w, "socket")
	}),
	"service-unit": whole(func(_ *Context, s string) error { return unitOfType(s, "service") }),
	"slice-unit": whole(func(_ *Context, s string) error {
		if err := unitOfType(s, "slice"); err != nil {
			return err
		}
		return sliceName(s)
	}),
	"trigger-unit": whole(func(_ *Context, s string) error {
		if !unitname.Valid(s) {
			return wrong(s, "is no unit name", wantUnit)
		}
		return nil
	}),
	// The [Install] section is read by systemctl, which refuses bad names then.
	"alias-list":        words(Unquote|RetainEscape, installName),
	"install-unit-list": words(Unquote|RetainEscape, installName),
	"instance": whole(func(_ *Context, s string) error {
		if !unitname.ValidInstance(s) {
			return wrong(s, "is no instance name", "letters, digits and : - _ . \\ @")
		}
		return nil
	}),
	"delegate-subgroup": func(_ *Context, s string) (string, error) {
		if s == "" || strings.ContainsAny(s, "/") || s == "." || s == ".." || len(s) > 255 || strings.HasPrefix(s, "cgroup.") {
			return s, wrong(s, "is no name of a control group", `one name without "/"`)
		}
		return s, nil
	},
	"log-namespace": whole(func(_ *Context, s string) error {
		if len(s) > 215 || !unitname.ValidInstance(s) || strings.Contains(s, `\`) {
			return wrong(s, "is no name of a journal namespace", "letters, digits and : - _ . \\ @")
		}
		return nil
	}),
	"refresh-on-reload": func(_ *Context, s string) (string, error) {
		if b, err := ParseBool(s); err == nil {
			return FormatBool(b), nil
		}
		for _, w := range strings.Fields(strings.TrimPrefix(s, "~")) {
			if w != "extensions" && w != "credentials" {
				return s, wrong(w, "is nothing that a reload refreshes", "yes, no, or extensions and credentials")
			}
		}
		return s, nil
	},
})

func installName(_ *Context, w string) error {
	if !unitname.Valid(w) {
		return &Error{Value: w, Wrong: "is no unit name", Want: wantUnit, Tolerated: true}
	}
	return nil
}

func unitOfType(s, typ string) error {
	if !unitname.Valid(s) || unitname.IsTemplate(s) {
		return wrong(s, "is no unit name", wantUnit)
	}
	if unitname.Type(s) != typ {
		return wrongf(s, "a name that ends in \"."+typ+"\"", "is not a %s", typ)
	}
	return nil
}

// sliceName checks a slice's name: no doubled, leading or trailing dash, since
// dashes are levels (systemd.slice(5)).
func sliceName(s string) error {
	base := strings.TrimSuffix(s, ".slice")
	if base == "-" {
		return nil
	}
	if strings.HasPrefix(base, "-") || strings.HasSuffix(base, "-") || strings.Contains(base, "--") || strings.Contains(base, "@") {
		return &Error{Value: s, Wrong: "is no name of a slice, in which a dash separates levels", Want: `a name such as "app-web.slice"`, Tolerated: true}
	}
	return nil
}

package value

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/unitgen/unitgen/schema/directive"
	"github.com/unitgen/unitgen/schema/specifier"
)

// Context is what the meaning of a value depends on besides its kind. The zero
// Context checks for the newest systemd, the system manager, without
// specifiers.
type Context struct {
	// Systemd is the version that reads the value; 0 is the newest.
	Systemd int
	// User is true for units of a user manager.
	User bool
	// UnitType is the suffix of the unit, "service"; "" where it is not known.
	UnitType string
	// Specifiers is the set that the directive expands.
	Specifiers directive.Specifiers
	// Local is the zone whose abbreviations ("CEST") calendar events may carry;
	// nil is UTC, so that the answer is the same on every machine.
	Local *time.Location
	// Names expands the specifiers. nil: they stand for something that is not
	// known yet, and what depends on them is not refused.
	Names *specifier.Context
}

// knows reports whether the systemd of the context is at least a version.
func (c *Context) knows(version int) bool { return c.Systemd == 0 || c.Systemd >= version }

// placeholder expands specifiers where the unit is not known.
var placeholder = func() *specifier.Context {
	c := specifier.System()
	c.Unit = "placeholder@instance.service"
	c.Fragment = "/etc/systemd/system/placeholder@.service"
	c.Host = specifier.Host{
		Architecture: "x86-64", Hostname: "host", Kernel: "6.1.0",
		MachineID: "0123456789abcdef0123456789abcdef", BootID: "0123456789abcdef0123456789abcdef",
		OSRelease: map[string]string{"ID": "linux", "VERSION_ID": "1", "BUILD_ID": "1", "IMAGE_ID": "image", "IMAGE_VERSION": "1", "VARIANT_ID": "variant"},
	}
	return &c
}()

// expand expands the specifiers of one word.
func (c *Context) expand(s string) (string, error) {
	if c.Specifiers == directive.SpecifiersNone || strings.IndexByte(s, '%') < 0 {
		return s, nil
	}
	names := c.Names
	if names == nil {
		names = placeholder
	}
	out, err := specifier.Expand(s, c.Specifiers, names)
	if err != nil {
		return "", wrongf(s, "%% for a percent sign, or a specifier that systemd.unit(5) lists", "has a specifier that cannot be expanded: %s", strings.TrimSuffix(err.Error(), "; a percent sign is written %%"))
	}
	return out, nil
}

// checker checks one value of a kind and gives its canonical spelling.
type checker func(c *Context, s string) (string, error)

// maxLine is the longest line that systemd reads, in bytes.
const maxLine = 1 << 20

// Check checks a value, not empty, of a kind, and gives its canonical spelling:
// the same meaning in the words that systemd itself would use. Specifiers stay
// as they are. What systemd would refuse or warn about is an error; an *Error
// where the value is wrong. A kind that is not known is a bug in unitgen.
func Check(kind directive.Kind, s string, ctx Context) (canonical string, err error) {
	if len(s) > maxLine {
		return s, wrong(s, "is longer than a line of a unit file may be", "at most 1 MiB")
	}
	if !utf8.ValidString(s) {
		return s, wrong(strings.ToValidUTF8(s, "\ufffd"), "is not valid UTF-8", "")
	}
	if strings.ContainsAny(s, "\n\x00") {
		return s, wrong(s, "holds a newline or NUL character", "a value on one line")
	}
	f := find(kind)
	if f == nil {
		return s, wrong(string(kind), "is a kind of value without a checker", "a report: this is a bug in unitgen")
	}
	out, err := f(&ctx, s)
	if err != nil {
		if ctx.Names == nil && specifier.Uses(s, ctx.Specifiers, "ijnNpPIJfyYtSCLEDdTVhsaAbBHlmMoqvwWgGuU") {
			return s, nil // what it will be is not known here
		}
		return s, err
	}
	return out, nil
}

// CheckDirective checks one assignment of a directive, the empty one included,
// with the directive's kind and specifiers.
func CheckDirective(d *directive.Directive, s string, ctx Context) (canonical string, err error) {
	if s == "" {
		if d.Reset == directive.ResetRefused {
			return s, wrongf(s, wanted(d.Kind), "is no value for %s=, which cannot be reset by an empty one", d.Name)
		}
		return s, nil
	}
	ctx.Specifiers = d.Specifiers
	if ctx.UnitType == "" {
		if t := directive.SectionTypes(d.Section); len(t) == 1 {
			ctx.UnitType = t[0]
		}
	}
	return Check(d.Kind, s, ctx)
}

// Knows reports whether there is a checker for a kind.
func Knows(kind directive.Kind) bool { return find(kind) != nil }

func find(kind directive.Kind) checker {
	if name, ok := kind.IsEnum(); ok {
		e := enums[name]
		if e == nil {
			return nil
		}
		return e.check
	}
	return checkers[kind]
}

// wanted gives the advice for a kind, for messages about empty values.
func wanted(kind directive.Kind) string {
	if name, ok := kind.IsEnum(); ok && enums[name] != nil {
		return enums[name].want(&Context{})
	}
	switch kind {
	case directive.Bool:
		return wantBool
	case directive.TimeSpan, directive.Timeout:
		return wantTimeSpan
	case directive.Size:
		return wantSize
	case directive.Signal:
		return wantSignal
	case directive.Unsigned:
		return "a number"
	}
	return ""
}

// checkers holds a checker for every kind but the enumerations. Each file of
// this package adds the kinds of its subject.
var checkers = map[directive.Kind]checker{}

func register(m map[directive.Kind]checker) struct{} {
	for k, f := range m {
		checkers[k] = f
	}
	return struct{}{}
}

// words makes a checker of a list: quotes are taken off, specifiers expanded,
// and each word is checked; the canonical form joins the words, quoted where
// they need it.
func words(flags Flags, each func(c *Context, w string) error) checker {
	return func(c *Context, s string) (string, error) {
		ws, err := Split(s, "", flags)
		if err != nil {
			return s, err
		}
		for _, w := range ws {
			x, err := c.expand(w)
			if err != nil {
				return s, err
			}
			if err := each(c, x); err != nil {
				return s, err
			}
		}
		if flags&RetainEscape != 0 {
			return strings.Join(ws, " "), nil
		}
		for i, w := range ws {
			ws[i] = quoteWord(w, flags&CUnescape != 0)
		}
		return strings.Join(ws, " "), nil
	}
}

// whole makes a checker of a value whose specifiers are expanded in one piece
// and which keeps its spelling.
func whole(f func(c *Context, s string) error) checker {
	return func(c *Context, s string) (string, error) {
		x, err := c.expand(s)
		if err != nil {
			return s, err
		}
		return s, f(c, x)
	}
}

package types

import (
	"fmt"
	"math/big"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"github.com/unitgen/unitgen/schema/unitname"
)

func (c *conversion) scalar(t *Type, v cty.Value) cty.Value {
	ty := v.Type()
	switch t.kind {
	case String, Secret:
		if ty == cty.String {
			return v
		}
		if ty.IsPrimitiveType() && t.kind == String {
			return c.problem(t, `"`+scalarText(v)+`"`, "must be a string, not "+describe(v))
		}
	case Number, Port:
		if ty == cty.String {
			return c.problem(t, numberIn(v.AsString()), "must be a number, not a string")
		}
		if ty != cty.Number {
			break
		}
		if t.kind == Port {
			return c.port(t, v)
		}
		return v
	case Bool:
		if ty == cty.Bool {
			return v
		}
		if ty == cty.String {
			return c.problem(t, boolIn(v.AsString()), "must be true or false, not the string "+literal(v))
		}
		return c.problem(t, "", "must be true or false, not "+describe(v))
	case Enum:
		return c.enum(t, v)
	case Duration, Bytes:
		if ty == cty.Number {
			if f := v.AsBigFloat(); !f.IsInt() || f.Sign() < 0 {
				return c.problem(t, "", "must not be negative or a fraction; write it with a unit, such as "+sample(t.kind))
			}
			v = cty.StringVal(scalarText(v))
		}
		if v.Type() == cty.String {
			return c.syntax(t, v)
		}
	case Mode:
		if ty == cty.Number {
			return c.problem(t, modeIn(v), "must be a mode in quotes; HCL reads 0644 without quotes as the number 644")
		}
		if ty == cty.String {
			return c.syntax(t, v)
		}
	case Path, Calendar, UnitName:
		if ty == cty.String {
			return c.syntax(t, v)
		}
	}
	return c.problem(t, "", "must be "+article(t)+", not "+describe(v))
}

func (c *conversion) syntax(t *Type, v cty.Value) cty.Value {
	if err := checkSyntax(t.kind, v.AsString()); err != nil {
		return c.problem(t, "", err.Error())
	}
	return v
}

func (c *conversion) port(t *Type, v cty.Value) cty.Value {
	f := v.AsBigFloat()
	n, acc := f.Int64()
	if acc != big.Exact || n < 1 || n > 65535 {
		return c.problem(t, "", "must be a port, a whole number from 1 to 65535, not "+scalarText(v))
	}
	return v
}

func (c *conversion) enum(t *Type, v cty.Value) cty.Value {
	if v.Type().IsPrimitiveType() {
		for _, e := range t.values {
			if e.Type().Equals(v.Type()) && e.Equals(v).True() {
				return v
			}
		}
	}
	var words []string
	for _, e := range t.values {
		words = append(words, literal(e))
	}
	s := ""
	if v.Type().IsPrimitiveType() {
		s = Suggest(literal(v), words)
		for _, e := range t.values { // the right word of the wrong type
			if s == "" && scalarText(e) == scalarText(v) {
				s = literal(e)
			}
		}
	}
	shown := describe(v)
	if v.Type().IsPrimitiveType() {
		shown = literal(v)
	}
	return c.problem(t, s, "must be "+orWords(words)+", not "+shown)
}

// checkSyntax says what is wrong with a string of one of the kinds that
// systemd or the file system give a syntax.
func checkSyntax(k Kind, s string) error {
	if strings.ContainsAny(s, "\n\r\x00") {
		return fmt.Errorf("must not hold a newline or NUL character")
	}
	switch k {
	case Path:
		return checkPath(s)
	case UnitName:
		return checkUnitName(s)
	case Mode:
		return checkMode(s)
	case Duration:
		if _, err := parseDuration(s); err != nil {
			return fmt.Errorf("must be a time span such as %s (systemd.time(7)), not %q: %w", sample(k), s, err)
		}
	case Bytes:
		if _, err := parseBytes(s); err != nil {
			return fmt.Errorf("must be a size such as %s, not %q: %w", sample(k), s, err)
		}
	case Calendar:
		if err := parseCalendar(s); err != nil {
			return fmt.Errorf("must be a calendar event such as %s (systemd.time(7)), not %q: %w", sample(k), s, err)
		}
	}
	return nil
}

func sample(k Kind) string {
	switch k {
	case Duration:
		return `"5min 20s"`
	case Bytes:
		return `"512M"`
	case Calendar:
		return `"Mon..Fri 03:00"`
	}
	return ""
}

func checkPath(s string) error {
	switch {
	case s == "":
		return fmt.Errorf("must be a path, not an empty string")
	case s[0] == '%' && len(s) > 1 && s[1] != '%':
		// %t, %S and their kin are absolute where the unit runs
	case s[0] != '/':
		return fmt.Errorf("must be an absolute path, not %q; begin it with / or with a specifier such as %%t or %%S", s)
	}
	for _, seg := range strings.Split(s, "/") {
		if seg == ".." {
			return fmt.Errorf("must not climb with .. in %q; write the path out", s)
		}
	}
	if len(s) > 4095 {
		return fmt.Errorf("must be at most 4095 bytes long")
	}
	return nil
}

func checkUnitName(s string) error {
	if unitname.Valid(s) {
		return nil
	}
	if unitname.Type(s) == "" && unitname.Valid(s+".service") {
		return fmt.Errorf("must be a unit name with its suffix, not %q; did you mean %q?", s, s+".service")
	}
	return fmt.Errorf("must be a unit name such as \"app.service\" (letters, digits and :-_.\\@, at most 255 bytes), not %q", s)
}

func checkMode(s string) error {
	bad := len(s) < 3 || len(s) > 5
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '7' {
			bad = true
		}
	}
	if !bad && len(s) == 5 && s[0] != '0' {
		bad = true
	}
	if bad {
		return fmt.Errorf("must be an octal file mode such as \"0644\", not %q", s)
	}
	return nil
}

package types

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"github.com/unitgen/unitgen/compile/internal/encode"
)

// This file words values and types for messages.

func pathString(p cty.Path) string { return encode.PathString(p) }

func itoa(n int) string { return strconv.Itoa(n) }

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return itoa(n) + " " + noun + "s"
}

func joinWords(w []string) string { return listWords(w, "and") }
func orWords(w []string) string   { return listWords(w, "or") }

func listWords(w []string, last string) string {
	switch len(w) {
	case 0:
		return ""
	case 1:
		return w[0]
	}
	return strings.Join(w[:len(w)-1], ", ") + " " + last + " " + w[len(w)-1]
}

func quoteKey(s string) string {
	if s == "" {
		return ""
	}
	return strconv.Quote(s)
}

// scalarText gives a primitive value as text, without quotes.
func scalarText(v cty.Value) string {
	switch v.Type() {
	case cty.String:
		return v.AsString()
	case cty.Bool:
		return strconv.FormatBool(v.True())
	default:
		return v.AsBigFloat().Text('f', -1)
	}
}

// literal gives a primitive value as it is written in HCL; long strings are
// cut.
func literal(v cty.Value) string {
	v, _ = v.Unmark()
	switch {
	case v.IsNull():
		return "null"
	case !v.IsKnown() || !v.Type().IsPrimitiveType():
		return describe(v)
	case v.Type() == cty.String:
		s := v.AsString()
		if len(s) > 60 {
			s = s[:57] + "…"
		}
		return strconv.Quote(s)
	default:
		return scalarText(v)
	}
}

// describe names the kind of a value: "a string", "an object".
func describe(v cty.Value) string {
	v, _ = v.Unmark()
	ty := v.Type()
	switch {
	case v.IsKnown() && v.IsNull():
		return "null"
	case ty == cty.String:
		return "a string"
	case ty == cty.Number:
		return "a number"
	case ty == cty.Bool:
		return "a bool"
	case ty.IsTupleType(), ty.IsListType():
		return "a list"
	case ty.IsSetType():
		return "a set"
	case ty.IsMapType():
		return "a map"
	case ty.IsObjectType():
		return "an object"
	default:
		return ty.FriendlyName()
	}
}

func word(t *Type) string {
	if t.kind == Set {
		return "set in brackets"
	}
	return "list in brackets"
}

func article(t *Type) string {
	switch t.kind {
	case String:
		return "a string"
	case Secret:
		return "a string (a secret)"
	case Number:
		return "a number"
	case Port:
		return "a port, a whole number from 1 to 65535"
	case Path:
		return "an absolute path"
	case Duration:
		return "a time span such as " + sample(Duration)
	case Bytes:
		return "a size such as " + sample(Bytes)
	case Calendar:
		return "a calendar event such as " + sample(Calendar)
	case UnitName:
		return "a unit name"
	case Mode:
		return `a file mode such as "0644"`
	}
	return t.String()
}

func numberIn(s string) string {
	if len(s) > 40 {
		return ""
	}
	if _, err := strconv.ParseFloat(s, 64); err == nil && strings.Trim(s, "0123456789.-") == "" {
		return s
	}
	return ""
}

func boolIn(s string) string {
	switch strings.ToLower(s) {
	case "true", "yes", "on", "1":
		return "true"
	case "false", "no", "off", "0":
		return "false"
	}
	return ""
}

func modeIn(v cty.Value) string {
	s := scalarText(v)
	if checkMode(s) == nil && len(s) <= 4 {
		return fmt.Sprintf("%q", strings.Repeat("0", 4-len(s))+s)
	}
	return ""
}

// Package encode writes cty values as JSON, YAML, TOML and INI, for files of
// the tree and for the functions of the same names.
//
// Output is deterministic: keys are sorted, numbers are spelled in full, and
// the same value gives the same bytes on every machine. A value that the
// format cannot hold is refused with the path to it. It must not know where
// values come from; secrets are the caller's business, marked values are
// refused here as a last defence.
package encode

import (
	"fmt"
	"strings"

	"github.com/zclconf/go-cty/cty"
)

// Error says which part of a value a format cannot hold.
type Error struct {
	Format string   // "toml"
	Path   cty.Path // inside the value
	Reason string
}

// Error gives the format, the path and the reason.
func (e *Error) Error() string {
	if len(e.Path) == 0 {
		return fmt.Sprintf("cannot be written as %s: %s", e.Format, e.Reason)
	}
	return fmt.Sprintf("%s cannot be written as %s: %s", PathString(e.Path), e.Format, e.Reason)
}

// PathString spells a path as it would be written in HCL: `a.b["c d"][0]`.
func PathString(p cty.Path) string {
	var b strings.Builder
	for i, s := range p {
		switch s := s.(type) {
		case cty.GetAttrStep:
			writeKey(&b, s.Name, i == 0)
		case cty.IndexStep:
			switch k, _ := s.Key.Unmark(); {
			case !k.IsKnown() || k.IsNull():
				b.WriteString("[?]")
			case k.Type() == cty.String:
				writeKey(&b, k.AsString(), i == 0)
			case k.Type() == cty.Number:
				b.WriteString("[" + k.AsBigFloat().Text('f', -1) + "]")
			default:
				b.WriteString("[…]")
			}
		}
	}
	return b.String()
}

func writeKey(b *strings.Builder, k string, first bool) {
	if isIdent(k) {
		if !first {
			b.WriteByte('.')
		}
		b.WriteString(k)
		return
	}
	fmt.Fprintf(b, "[%q]", k)
}

func isIdent(s string) bool {
	for i, r := range s {
		switch {
		case r == '_', r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z':
		case i > 0 && (r == '-' || r >= '0' && r <= '9'):
		default:
			return false
		}
	}
	return s != ""
}

// Formats are the names of the formats that Encode knows.
var Formats = []string{"ini", "json", "toml", "yaml"}

// Encode writes a value in a format of Formats.
func Encode(format string, v cty.Value) ([]byte, error) {
	switch format {
	case "json":
		return JSON(v)
	case "yaml":
		return YAML(v)
	case "toml":
		return TOML(v)
	case "ini":
		return INI(v)
	}
	return nil, fmt.Errorf("no format %q; the formats are %s", format, strings.Join(Formats, ", "))
}

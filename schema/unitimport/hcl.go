package unitimport

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// quote spells a string as an HCL template literal: "${" and "%{" are doubled,
// so that they stand for themselves.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\t':
			b.WriteString(`\t`)
		case r < 0x20 || r == 0x7f || r == 0x2028 || r == 0x2029 || r == 0xfeff:
			fmt.Fprintf(&b, `\u%04x`, r)
		case (r == '$' || r == '%') && strings.HasPrefix(s[i+1:], "{"):
			b.WriteRune(r)
			b.WriteRune(r)
		default:
			b.WriteString(s[i : i+n])
		}
		i += n
	}
	b.WriteByte('"')
	return b.String()
}

// list spells a list of strings, on one line where that is short.
func list(items []string, indent string) string {
	quoted := make([]string, len(items))
	total := 0
	for i, s := range items {
		quoted[i] = quote(s)
		total += len(quoted[i]) + 2
	}
	if total <= 72 || len(items) < 2 {
		return "[" + strings.Join(quoted, ", ") + "]"
	}
	return "[\n" + indent + "  " + strings.Join(quoted, ",\n"+indent+"  ") + ",\n" + indent + "]"
}

// identifier reports whether a directive's name can stand as the name of an
// HCL attribute.
func identifier(s string) bool {
	for i, r := range s {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r == '_':
		case i > 0 && (r >= '0' && r <= '9' || r == '-'):
		default:
			return false
		}
	}
	return s != ""
}

// comment turns the raw comment line of a unit file into an HCL comment.
func comment(raw string) string {
	raw = strings.TrimLeft(raw, " \t")
	raw = strings.TrimPrefix(strings.TrimPrefix(raw, "\ufeff"), "#")
	raw = strings.TrimPrefix(raw, ";")
	clean := strings.Map(func(r rune) rune {
		if r < 0x20 && r != '\t' || r == utf8.RuneError || r == 0x7f {
			return ' '
		}
		return r
	}, raw)
	return "#" + strings.TrimRight(clean, " \t\r")
}

// block writes HCL blocks with aligned attributes.
type block struct {
	b      strings.Builder
	indent string
	run    []attr // attributes waiting to be aligned
}

type attr struct{ name, expr string }

func (w *block) line(format string, args ...any) {
	w.flush()
	fmt.Fprintf(&w.b, w.indent+format+"\n", args...)
}

func (w *block) open(format string, args ...any) {
	w.line(format+" {", args...)
	w.indent += "  "
}

func (w *block) close() {
	w.flush()
	w.indent = w.indent[2:]
	w.line("}")
}

func (w *block) attr(name, expr string) {
	w.run = append(w.run, attr{name, expr})
	if strings.Contains(expr, "\n") {
		w.flush()
	}
}

// flush writes the waiting attributes with their equals signs aligned, as the
// formatter does.
func (w *block) flush() {
	width := 0
	for _, a := range w.run {
		if !strings.Contains(a.expr, "\n") {
			width = max(width, len(a.name))
		}
	}
	for _, a := range w.run {
		pad := max(width-len(a.name), 0)
		if strings.Contains(a.expr, "\n") {
			pad = 0
		}
		w.b.WriteString(w.indent + a.name + strings.Repeat(" ", pad) + " = " + a.expr + "\n")
	}
	w.run = w.run[:0]
}

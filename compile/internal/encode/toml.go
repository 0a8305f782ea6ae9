package encode

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/zclconf/go-cty/cty"
)

// TOML writes an object as TOML 1.0: plain keys first, then tables, each in
// the order of the keys. Null values are left out.
func TOML(v cty.Value) ([]byte, error) {
	if err := writable("TOML", v, nil); err != nil {
		return nil, err
	}
	if v.IsNull() || !isMapping(v.Type()) {
		return nil, &Error{"TOML", nil, "a TOML file is an object at the top"}
	}
	w := &tomlWriter{}
	if err := w.table(v, nil, nil); err != nil {
		return nil, err
	}
	return w.b.Bytes(), nil
}

type tomlWriter struct{ b bytes.Buffer }

// table writes the body of a table, its plain keys before its subtables.
func (w *tomlWriter) table(v cty.Value, name []string, path cty.Path) error {
	for it := v.ElementIterator(); it.Next(); {
		k, e := it.Element()
		p := append(path, cty.GetAttrStep{Name: k.AsString()})
		if err := writable("TOML", e, p); err != nil {
			return err
		}
		if e.IsNull() || isMapping(e.Type()) || isTables(e) {
			continue
		}
		if err := w.key(k.AsString(), p); err != nil {
			return err
		}
		w.b.WriteString(" = ")
		if err := w.inline(e, p); err != nil {
			return err
		}
		w.b.WriteByte('\n')
	}
	for it := v.ElementIterator(); it.Next(); {
		k, e := it.Element()
		if e.IsNull() {
			continue
		}
		sub := append(name[:len(name):len(name)], k.AsString())
		p := append(path, cty.GetAttrStep{Name: k.AsString()})
		switch {
		case isMapping(e.Type()):
			if err := w.header("[", sub, "]", p); err != nil {
				return err
			}
			if err := w.table(e, sub, p); err != nil {
				return err
			}
		case isTables(e):
			i := int64(0)
			for el := e.ElementIterator(); el.Next(); i++ {
				_, t := el.Element()
				if err := w.header("[[", sub, "]]", p); err != nil {
					return err
				}
				if err := w.table(t, sub, append(p, cty.IndexStep{Key: cty.NumberIntVal(i)})); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// isTables reports whether a value is a list of objects alone, not empty.
func isTables(v cty.Value) bool {
	if v.IsMarked() || !v.IsKnown() || v.IsNull() || !isSequence(v.Type()) || v.LengthInt() == 0 {
		return false
	}
	for it := v.ElementIterator(); it.Next(); {
		_, e := it.Element()
		if e.IsMarked() || !e.IsKnown() || e.IsNull() || !isMapping(e.Type()) {
			return false
		}
	}
	return true
}

func (w *tomlWriter) header(open string, name []string, end string, path cty.Path) error {
	if w.b.Len() > 0 {
		w.b.WriteByte('\n')
	}
	w.b.WriteString(open)
	for i, k := range name {
		if i > 0 {
			w.b.WriteByte('.')
		}
		if err := w.key(k, path); err != nil {
			return err
		}
	}
	w.b.WriteString(end + "\n")
	return nil
}

func (w *tomlWriter) key(k string, path cty.Path) error {
	bare := k != ""
	for i := 0; i < len(k); i++ {
		c := k[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-') {
			bare = false
		}
	}
	if bare {
		w.b.WriteString(k)
		return nil
	}
	return w.str(k, path)
}

func (w *tomlWriter) str(s string, path cty.Path) error {
	if !utf8.ValidString(s) {
		return &Error{"TOML", path.Copy(), "it is no valid UTF-8"}
	}
	const hex = "0123456789ABCDEF"
	w.b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			w.b.WriteByte('\\')
			w.b.WriteRune(r)
		case r == '\n':
			w.b.WriteString(`\n`)
		case r == '\t':
			w.b.WriteString(`\t`)
		case r == '\r':
			w.b.WriteString(`\r`)
		case r < 0x20 || r == 0x7f:
			w.b.WriteString(`\u00`)
			w.b.WriteByte(hex[r>>4])
			w.b.WriteByte(hex[r&15])
		default:
			w.b.WriteRune(r)
		}
	}
	w.b.WriteByte('"')
	return nil
}

func (w *tomlWriter) inline(v cty.Value, path cty.Path) error {
	if err := writable("TOML", v, path); err != nil {
		return err
	}
	ty := v.Type()
	switch {
	case v.IsNull():
		return &Error{"TOML", path.Copy(), "TOML has no null; leave the element out"}
	case ty == cty.String:
		return w.str(v.AsString(), path)
	case ty == cty.Number:
		return w.num(v, path)
	case ty == cty.Bool:
		if v.True() {
			w.b.WriteString("true")
		} else {
			w.b.WriteString("false")
		}
	case isSequence(ty):
		w.b.WriteByte('[')
		i := int64(0)
		for it := v.ElementIterator(); it.Next(); i++ {
			_, e := it.Element()
			if i > 0 {
				w.b.WriteString(", ")
			}
			if err := w.inline(e, append(path, cty.IndexStep{Key: cty.NumberIntVal(i)})); err != nil {
				return err
			}
		}
		w.b.WriteByte(']')
	case isMapping(ty):
		w.b.WriteByte('{')
		first := true
		for it := v.ElementIterator(); it.Next(); {
			k, e := it.Element()
			p := append(path, cty.GetAttrStep{Name: k.AsString()})
			if !e.IsMarked() && e.IsKnown() && e.IsNull() {
				continue
			}
			if !first {
				w.b.WriteByte(',')
			}
			first = false
			w.b.WriteByte(' ')
			if err := w.key(k.AsString(), p); err != nil {
				return err
			}
			w.b.WriteString(" = ")
			if err := w.inline(e, p); err != nil {
				return err
			}
		}
		if !first {
			w.b.WriteByte(' ')
		}
		w.b.WriteByte('}')
	default:
		return &Error{"TOML", path.Copy(), "it is a " + ty.FriendlyName()}
	}
	return nil
}

func (w *tomlWriter) num(v cty.Value, path cty.Path) error {
	f := v.AsBigFloat()
	if f.IsInt() {
		if n, acc := f.Int64(); acc != 0 || n == 0 && f.Sign() != 0 {
			return &Error{"TOML", path.Copy(), "a whole number of TOML has 64 bits, and " + number(f) + " needs more"}
		}
	}
	s := number(f)
	if !f.IsInt() && !strings.ContainsAny(s, ".e") {
		s += ".0"
	}
	w.b.WriteString(s)
	return nil
}

package encode

import (
	"bytes"
	"encoding/json"
	"math/big"
	"unicode/utf8"

	"github.com/zclconf/go-cty/cty"
)

// maxDepth bounds the nesting of an encoded value.
const maxDepth = 1000

// JSON writes a value as indented JSON with a final newline.
func JSON(v cty.Value) ([]byte, error) { return jsonText(v, "  ") }

// CompactJSON writes a value as JSON on one line, without a final newline.
func CompactJSON(v cty.Value) ([]byte, error) { return jsonText(v, "") }

func jsonText(v cty.Value, indent string) ([]byte, error) {
	w := &jsonWriter{indent: indent}
	if err := w.value(v, nil); err != nil {
		return nil, err
	}
	if indent != "" {
		w.b.WriteByte('\n')
	}
	return w.b.Bytes(), nil
}

type jsonWriter struct {
	b      bytes.Buffer
	indent string
}

func (w *jsonWriter) newline(depth int) {
	if w.indent == "" {
		return
	}
	w.b.WriteByte('\n')
	for range depth {
		w.b.WriteString(w.indent)
	}
}

func (w *jsonWriter) value(v cty.Value, path cty.Path) error {
	if err := writable("JSON", v, path); err != nil {
		return err
	}
	ty := v.Type()
	switch {
	case v.IsNull():
		w.b.WriteString("null")
	case ty == cty.String:
		if !utf8.ValidString(v.AsString()) {
			return &Error{"JSON", path.Copy(), "it is no valid UTF-8"}
		}
		w.b.Write(jsonString(v.AsString()))
	case ty == cty.Number:
		w.b.WriteString(number(v.AsBigFloat()))
	case ty == cty.Bool:
		if v.True() {
			w.b.WriteString("true")
		} else {
			w.b.WriteString("false")
		}
	case isSequence(ty):
		return w.sequence(v, path)
	case isMapping(ty):
		return w.mapping(v, path)
	default:
		return &Error{"JSON", path.Copy(), "it is a " + ty.FriendlyName()}
	}
	return nil
}

func (w *jsonWriter) sequence(v cty.Value, path cty.Path) error {
	w.b.WriteByte('[')
	i := 0
	for it := v.ElementIterator(); it.Next(); i++ {
		_, e := it.Element()
		if i > 0 {
			w.b.WriteByte(',')
		}
		w.newline(len(path) + 1)
		if err := w.value(e, append(path, cty.IndexStep{Key: cty.NumberIntVal(int64(i))})); err != nil {
			return err
		}
	}
	if i > 0 {
		w.newline(len(path))
	}
	w.b.WriteByte(']')
	return nil
}

func (w *jsonWriter) mapping(v cty.Value, path cty.Path) error {
	w.b.WriteByte('{')
	first := true
	for it := v.ElementIterator(); it.Next(); first = false { // cty iterates in the order of the keys
		k, e := it.Element()
		if !first {
			w.b.WriteByte(',')
		}
		w.newline(len(path) + 1)
		w.b.Write(jsonString(k.AsString()))
		w.b.WriteByte(':')
		if w.indent != "" {
			w.b.WriteByte(' ')
		}
		if err := w.value(e, append(path, cty.GetAttrStep{Name: k.AsString()})); err != nil {
			return err
		}
	}
	if !first {
		w.newline(len(path))
	}
	w.b.WriteByte('}')
	return nil
}

func jsonString(s string) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		panic("This is a bug in unitgen: a string without JSON form: " + err.Error())
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// number spells a number in full: whole numbers without a point or exponent
// as long as they are of a sane length.
func number(f *big.Float) string {
	if f.IsInt() {
		if f.MantExp(nil) < 1024 {
			i, _ := f.Int(nil)
			return i.String()
		}
		return f.Text('g', -1)
	}
	if e := f.MantExp(nil); e < -64 || e > 64 {
		return f.Text('g', -1)
	}
	return f.Text('f', -1)
}

func isSequence(ty cty.Type) bool { return ty.IsTupleType() || ty.IsListType() || ty.IsSetType() }
func isMapping(ty cty.Type) bool  { return ty.IsObjectType() || ty.IsMapType() }

// writable refuses what no format holds.
func writable(format string, v cty.Value, path cty.Path) error {
	switch {
	case len(path) > maxDepth:
		return &Error{format, path[:8].Copy(), "it is nested too deep"}
	case v == cty.NilVal:
		return &Error{format, path.Copy(), "it has no value"}
	case v.IsMarked():
		return &Error{format, path.Copy(), "it holds a secret, which may go only into credentials"}
	case !v.IsKnown():
		return &Error{format, path.Copy(), "its value is not known"}
	case !v.IsNull() && v.Type() == cty.Number && v.AsBigFloat().IsInf():
		// What YAML and TOML have for it is no number to most of their readers.
		return &Error{format, path.Copy(), "it is an infinite number"}
	}
	return nil
}

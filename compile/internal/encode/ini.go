package encode

import (
	"bytes"
	"strings"

	"github.com/zclconf/go-cty/cty"
)

// INI writes an object as an INI file: keys with plain values first, outside
// any section, then one section for each key with an object. A list gives one
// line for each element, as unit files and many daemons read them. Bools are
// "true" and "false"; null values are left out.
func INI(v cty.Value) ([]byte, error) {
	if err := writable("INI", v, nil); err != nil {
		return nil, err
	}
	if v.IsNull() || !isMapping(v.Type()) {
		return nil, &Error{"INI", nil, "an INI file is an object of sections at the top"}
	}
	var b bytes.Buffer
	if err := iniKeys(&b, v, nil, true); err != nil {
		return nil, err
	}
	for it := v.ElementIterator(); it.Next(); {
		k, e := it.Element()
		if e.IsNull() || !isMapping(e.Type()) {
			continue
		}
		path := cty.GetAttrPath(k.AsString())
		name := k.AsString()
		if name == "" || strings.ContainsAny(name, "[]\n\r\x00") {
			return nil, &Error{"INI", path, "the name of a section must not be empty or hold brackets, newlines or NUL"}
		}
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		b.WriteString("[" + name + "]\n")
		if err := iniKeys(&b, e, path, false); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), nil
}

func iniKeys(b *bytes.Buffer, v cty.Value, path cty.Path, top bool) error {
	for it := v.ElementIterator(); it.Next(); {
		k, e := it.Element()
		p := append(path, cty.GetAttrStep{Name: k.AsString()})
		if err := writable("INI", e, p); err != nil {
			return err
		}
		if e.IsNull() {
			continue
		}
		switch ty := e.Type(); {
		case isMapping(ty) && top:
			continue
		case isSequence(ty):
			i := int64(0)
			for el := e.ElementIterator(); el.Next(); i++ {
				_, x := el.Element()
				if err := iniLine(b, k.AsString(), x, append(p, cty.IndexStep{Key: cty.NumberIntVal(i)})); err != nil {
					return err
				}
			}
		default:
			if err := iniLine(b, k.AsString(), e, p); err != nil {
				return err
			}
		}
	}
	return nil
}

func iniLine(b *bytes.Buffer, key string, v cty.Value, path cty.Path) error {
	if err := writable("INI", v, path); err != nil {
		return err
	}
	if key == "" || strings.ContainsAny(key, "=\n\r\x00") || strings.IndexByte("[#;", key[0]) >= 0 || strings.TrimSpace(key) != key {
		return &Error{"INI", path.Copy(), "the name of a key must not be empty, hold =, newlines or NUL, or begin with [, # or ;"}
	}
	var s string
	switch ty := v.Type(); {
	case v.IsNull():
		return nil
	case ty == cty.String:
		s = v.AsString()
	case ty == cty.Number:
		s = number(v.AsBigFloat())
	case ty == cty.Bool:
		s = "false"
		if v.True() {
			s = "true"
		}
	default:
		return &Error{"INI", path.Copy(), "INI has no nesting below a section; write this " + ty.FriendlyName() + " as a string, or raise it to a section of its own"}
	}
	if strings.ContainsAny(s, "\n\r\x00") {
		return &Error{"INI", path.Copy(), "a value must not hold a newline or NUL, which would inject other keys"}
	}
	b.WriteString(key + " = " + s + "\n")
	return nil
}

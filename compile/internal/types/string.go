package types

import (
	"strconv"
	"strings"

	"github.com/zclconf/go-cty/cty"
)

var kindNames = map[Kind]string{
	Any: "any", String: "string", Number: "number", Bool: "bool", Port: "port", Path: "path",
	Duration: "duration", Bytes: "bytes", Calendar: "calendar", UnitName: "unit_name", Mode: "mode",
	Secret: "secret", Enum: "enum", List: "list", Set: "set", Map: "map", Tuple: "tuple",
	Object: "object", Submodule: "submodule", Either: "either", Nullable: "nullable", Unique: "unique",
	Nonempty: "nonempty", Range: "range", Match: "match", Coerce: "coerce", Checked: "check",
}

// String gives the word that begins types of the kind.
func (k Kind) String() string { return kindNames[k] }

// String spells the type as it is written in HCL, on one line. Conditions of
// check and the old shape of coerce are left out: the result is what a reader
// of the documentation has to write.
func (t *Type) String() string {
	var b strings.Builder
	t.write(&b)
	return b.String()
}

func (t *Type) write(b *strings.Builder) {
	switch t.kind {
	case List, Set, Map, Nullable, Unique, Nonempty:
		b.WriteString(t.kind.String() + "(")
		t.elem.write(b)
		b.WriteByte(')')
	case Tuple:
		b.WriteString("tuple([")
		writeTypes(b, t.elems)
		b.WriteString("])")
	case Either:
		b.WriteString("either(")
		writeTypes(b, t.elems)
		b.WriteByte(')')
	case Enum:
		b.WriteString("enum(")
		for i, v := range t.values {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(literal(v))
		}
		b.WriteByte(')')
	case Range:
		b.WriteString("range(")
		t.elem.write(b)
		b.WriteString(", " + literal(t.min) + ", " + literal(t.max) + ")")
	case Match:
		b.WriteString("match(" + strconv.Quote(t.regex.src) + ")")
	case Object, Submodule:
		t.writeFields(b)
	case Checked, Coerce:
		t.elem.write(b)
	default:
		b.WriteString(t.kind.String())
	}
}

func writeTypes(b *strings.Builder, ts []*Type) {
	for i, e := range ts {
		if i > 0 {
			b.WriteString(", ")
		}
		e.write(b)
	}
}

func (t *Type) writeFields(b *strings.Builder) {
	b.WriteString(t.kind.String() + "({")
	for i, f := range t.fields {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte(' ')
		if isWord(f.Name) {
			b.WriteString(f.Name)
		} else {
			b.WriteString(strconv.Quote(f.Name))
		}
		b.WriteString(" = ")
		if !f.Optional {
			f.Type.write(b)
			continue
		}
		b.WriteString("optional(")
		f.Type.write(b)
		if s := f.DefaultText(); s != "" {
			b.WriteString(", " + s)
		}
		b.WriteByte(')')
	}
	if len(t.fields) > 0 {
		b.WriteByte(' ')
	}
	b.WriteByte('}')
	if t.rest != nil {
		b.WriteString(", ")
		t.rest.write(b)
	}
	b.WriteByte(')')
}

func isWord(s string) bool { return !strings.HasPrefix(pathString(cty.GetAttrPath(s)), "[") }

// DefaultText spells a field's default in HCL, or "" where there is none. A
// default that reads `name` is spelled with ‹name› in the key's place.
func (f *Field) DefaultText() string {
	if f.Default == nil {
		return ""
	}
	ctx := f.ctx
	if len(f.Default.Variables()) > 0 {
		ctx = ctx.NewChild()
		ctx.Variables = map[string]cty.Value{"name": cty.StringVal("‹name›")}
	}
	v, diags := f.Default.Value(ctx)
	if diags.HasErrors() {
		return "…"
	}
	return Literal(v)
}

// Literal spells any value in HCL, on one line; secrets are not shown.
func Literal(v cty.Value) string {
	var b strings.Builder
	writeLiteral(&b, v)
	return b.String()
}

func writeLiteral(b *strings.Builder, v cty.Value) {
	if len(Secrets(v)) > 0 && v.IsMarked() {
		b.WriteString("(secret)")
		return
	}
	v, _ = v.Unmark()
	ty := v.Type()
	switch {
	case !v.IsKnown():
		b.WriteString("(unknown)")
	case v.IsNull():
		b.WriteString("null")
	case ty == cty.String:
		b.WriteString(quoteHCL(v.AsString()))
	case ty.IsPrimitiveType():
		b.WriteString(scalarText(v))
	case ty.IsTupleType(), ty.IsListType(), ty.IsSetType():
		b.WriteByte('[')
		first := true
		for it := v.ElementIterator(); it.Next(); first = false {
			_, e := it.Element()
			if !first {
				b.WriteString(", ")
			}
			writeLiteral(b, e)
		}
		b.WriteByte(']')
	case ty.IsObjectType(), ty.IsMapType():
		if v.LengthInt() == 0 {
			b.WriteString("{}")
			return
		}
		b.WriteString("{ ")
		first := true
		for it := v.ElementIterator(); it.Next(); first = false {
			k, e := it.Element()
			if !first {
				b.WriteString(", ")
			}
			if key := k.AsString(); isWord(key) {
				b.WriteString(key)
			} else {
				b.WriteString(quoteHCL(key))
			}
			b.WriteString(" = ")
			writeLiteral(b, e)
		}
		b.WriteString(" }")
	default:
		b.WriteString(ty.FriendlyName())
	}
}

// quoteHCL quotes a string for HCL, templates escaped.
func quoteHCL(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case (r == '$' || r == '%') && strings.HasPrefix(s[i+1:], "{"):
			b.WriteRune(r)
			b.WriteRune(r)
		case r < 0x20 || r == 0x7f:
			b.WriteString(`\u` + strings.Repeat("0", 4-len(strconv.FormatInt(int64(r), 16))) + strconv.FormatInt(int64(r), 16))
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// Described is a type for `unitgen options --json`.
type Described struct {
	Type    string            `json:"type"` // as it is written in HCL
	Kind    string            `json:"kind"`
	Elem    *Described        `json:"element,omitempty"`
	Elems   []*Described      `json:"elements,omitempty"` // tuple, either
	Fields  []*DescribedField `json:"fields,omitempty"`
	Rest    *Described        `json:"rest,omitempty"`
	Values  []string          `json:"values,omitempty"` // enum, spelled in HCL
	Min     string            `json:"min,omitempty"`
	Max     string            `json:"max,omitempty"`
	Pattern string            `json:"pattern,omitempty"`
	Message string            `json:"message,omitempty"` // match, check
}

// DescribedField is a field of a Described.
type DescribedField struct {
	Name     string     `json:"name"`
	Type     *Described `json:"type"`
	Required bool       `json:"required"`
	Default  string     `json:"default,omitempty"` // spelled in HCL
}

// Describe gives the type's parts as data.
func (t *Type) Describe() *Described {
	if t == nil {
		return nil
	}
	d := &Described{Type: t.String(), Kind: t.kind.String(), Elem: t.elem.Describe(), Rest: t.rest.Describe(), Message: t.msg}
	for _, e := range t.elems {
		d.Elems = append(d.Elems, e.Describe())
	}
	for _, f := range t.fields {
		d.Fields = append(d.Fields, &DescribedField{Name: f.Name, Type: f.Type.Describe(), Required: !f.Optional, Default: f.DefaultText()})
	}
	for _, v := range t.values {
		d.Values = append(d.Values, literal(v))
	}
	if t.kind == Range {
		if !t.min.IsNull() {
			d.Min = literal(t.min)
		}
		if !t.max.IsNull() {
			d.Max = literal(t.max)
		}
	}
	if t.regex != nil {
		d.Pattern, d.Message = t.regex.src, t.regex.msg
	}
	return d
}

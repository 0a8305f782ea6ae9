package syntax

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// Attr is one attribute. A directive's expression is read again whenever it is
// asked for: a host has many, each is evaluated once, and kept they would be the
// larger part of the memory.
type Attr struct {
	Name string
	Lit  Literal

	file *File
	name span                 // of the name
	at   span                 // of the expression
	expr hclsyntax.Expression // nil: read from the file when asked for
}

// NewAttr makes an attribute of an expression that is there already.
func NewAttr(f *File, name string, at hcl.Range, x hclsyntax.Expression) *Attr {
	return &Attr{Name: name, file: f, name: spanOf(at), at: spanOf(x.Range()), expr: x}
}

// Range gives the place of the expression.
func (a *Attr) Range() hcl.Range { return a.at.of(a.file) }

// NameRange gives the place of the name.
func (a *Attr) NameRange() hcl.Range { return a.name.of(a.file) }

// span is a range within one file, in little space.
type span struct {
	line, column, byte          int32
	endLine, endColumn, endByte int32
}

func spanOf(r hcl.Range) span {
	return span{int32(r.Start.Line), int32(r.Start.Column), int32(r.Start.Byte), int32(r.End.Line), int32(r.End.Column), int32(r.End.Byte)}
}

func (s span) of(f *File) hcl.Range {
	return hcl.Range{
		Filename: f.Name,
		Start:    hcl.Pos{Line: int(s.line), Column: int(s.column), Byte: int(s.byte)},
		End:      hcl.Pos{Line: int(s.endLine), Column: int(s.endColumn), Byte: int(s.endByte)},
	}
}

// Package syntax turns the bytes of one source file into blocks and
// attributes, and refuses bytes that no parser should see: other encodings,
// NUL, files without bound, nesting without bound.
//
// It takes one file's bytes and gives its syntax model. It must not know other
// files, what a block means, or any value.
package syntax

import (
	"sort"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/unitgen/unitgen/schema/diag"
)

// File is one source file.
type File struct {
	Name   string // as diagnostics name it
	Path   string // where it was read, "" for embedded files
	Src    []byte
	Blocks []*Block
	Reads  []string // namespaces that a `config.ns` anywhere in the file reads, sorted, each once

	// ReadsDirectives says that an expression may read a directive of a unit.
	ReadsDirectives bool
}

// Block is one block with its attributes in the order of the source.
type Block struct {
	File   *File
	Kind   string
	Labels []Label
	Attrs  []*Attr
	Blocks []*Block
	Header hcl.Range // type and labels
	Byte   int       // offset of the block in its file
}

// Label is one quoted or bare label.
type Label struct {
	Name  string
	Range hcl.Range
}

// Literal says what is known of an expression without evaluating it.
type Literal struct {
	Kind   LitKind
	String string   // LitString, LitNumber (source spelling), LitBool
	List   []string // LitList: every element a plain string
}

// LitKind is the shape of a literal.
type LitKind uint8

// Kinds of literals. LitNone needs evaluation.
const (
	LitNone LitKind = iota
	LitString
	LitNumber
	LitBool
	LitNull
	LitList
)

// Label gives the block's first label, or "".
func (b *Block) Label() string {
	if len(b.Labels) == 0 {
		return ""
	}
	return b.Labels[0].Name
}

// Attr gives the attribute of that name, or nil.
func (b *Block) Attr(name string) *Attr {
	for _, a := range b.Attrs {
		if a.Name == name {
			return a
		}
	}
	return nil
}

// Range converts a range of the parser to the diagnostics' model.
func Range(r hcl.Range) diag.Range {
	return diag.Range{
		File:  r.Filename,
		Start: diag.Pos{Line: r.Start.Line, Column: r.Start.Column, Byte: r.Start.Byte},
		End:   diag.Pos{Line: r.End.Line, Column: r.End.Column, Byte: r.End.Byte},
	}
}

// Text gives the source text of a range of the file.
func (f *File) Text(r hcl.Range) string {
	if r.Start.Byte < 0 || r.End.Byte > len(f.Src) || r.Start.Byte > r.End.Byte {
		return ""
	}
	return string(f.Src[r.Start.Byte:r.End.Byte])
}

// model converts the parser's blocks; literals are recognised here, in the
// goroutine that parsed the file.
func (f *File) model(blocks hclsyntax.Blocks, reads map[string]bool) []*Block {
	out := make([]*Block, 0, len(blocks))
	for _, hb := range blocks {
		b := &Block{File: f, Kind: hb.Type, Byte: hb.TypeRange.Start.Byte}
		b.Header = hcl.RangeBetween(hb.TypeRange, hb.TypeRange)
		if n := len(hb.LabelRanges); n > 0 {
			b.Header = hcl.RangeBetween(hb.TypeRange, hb.LabelRanges[n-1])
			b.Labels = make([]Label, n)
			for i, l := range hb.Labels {
				b.Labels[i] = Label{l, hb.LabelRanges[i]}
			}
		}
		if hb.Type == "config" && len(hb.Labels) > 0 {
			reads[hb.Labels[0]] = true
		}
		b.Attrs = f.attrs(hb.Body.Attributes, reads)
		if len(hb.Body.Blocks) > 0 {
			b.Blocks = f.model(hb.Body.Blocks, reads)
		}
		out = append(out, b)
	}
	return out
}

func (f *File) attrs(m hclsyntax.Attributes, reads map[string]bool) []*Attr {
	slab := make([]Attr, 0, len(m))
	for _, a := range m {
		slab = append(slab, *NewAttr(f, a.Name, a.NameRange, a.Expr))
	}
	sort.Slice(slab, func(i, j int) bool { return slab[i].name.byte < slab[j].name.byte })
	out := make([]*Attr, len(slab))
	for i := range slab {
		a := &slab[i]
		a.Lit = f.literal(a.expr)
		stoppableIn(a.expr)
		if a.Lit.Kind == LitNone && readsOf(a.expr, reads) {
			f.ReadsDirectives = true
		}
		out[i] = a
	}
	return out
}

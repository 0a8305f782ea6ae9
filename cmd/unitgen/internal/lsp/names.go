package lsp

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/unitgen/unitgen/compile"
	"github.com/unitgen/unitgen/schema/directive"
	"github.com/unitgen/unitgen/schema/unitname"
)

// maxNesting bounds the brackets of a text that is parsed for hover and
// completion: the parser recurses.
const maxNesting = 200

// place is what stands around the cursor.
type place struct {
	unitType string // of the block, "" outside of units
	section  string // of a section block
	top      bool   // outside of all blocks
	attr     string // the attribute whose name is under the cursor
}

// find says where in a text a byte stands.
func find(text string, at int) place {
	if nested(text) {
		return place{}
	}
	f, _ := hclsyntax.ParseConfig([]byte(text), "x", hcl.InitialPos)
	if f == nil {
		return place{}
	}
	body, ok := f.Body.(*hclsyntax.Body)
	if !ok {
		return place{}
	}
	p := place{top: true}
	for {
		for _, a := range body.Attributes {
			if a.NameRange.Start.Byte <= at && at <= a.NameRange.End.Byte {
				p.attr = a.Name
			}
		}
		var inner *hclsyntax.Block
		for _, b := range body.Blocks {
			if b.OpenBraceRange.End.Byte <= at && (at <= b.CloseBraceRange.Start.Byte || b.CloseBraceRange.Start.Byte <= b.OpenBraceRange.Start.Byte) {
				inner = b
			}
		}
		if inner == nil {
			return p
		}
		p.enter(inner)
		body = inner.Body
	}
}

func (p *place) enter(b *hclsyntax.Block) {
	label := ""
	if len(b.Labels) > 0 {
		label = b.Labels[0]
	}
	switch {
	case slices.Contains(unitname.Types, b.Type):
		p.unitType, p.top = b.Type, false
	case b.Type == "dropin":
		p.unitType, p.top = unitname.Type(label), false
		if slices.Contains(unitname.Types, label) {
			p.unitType = label
		}
	case b.Type == "action":
		p.unitType, p.top = "service", false
	case b.Type == "section":
		p.section = label
	case b.Type == "variant":
		p.top = true
	default:
		p.unitType, p.top = "", false
	}
}

func nested(text string) bool {
	depth := 0
	for i := range len(text) {
		switch text[i] {
		case '(', '[', '{':
			if depth++; depth > maxNesting {
				return true
			}
		case ')', ']', '}':
			depth--
		}
	}
	return false
}

// rows gives the directives that a name stands for at a place.
func (p place) rows(name string) []*directive.Directive {
	if p.section != "" {
		if d, ok := directive.Lookup(p.unitType, p.section, name); ok {
			return []*directive.Directive{d}
		}
		return nil
	}
	return directive.Find(p.unitType, name)
}

// hover says what the directive under the cursor means.
func (s *server) hover(path string, at position) (any, error) {
	text := s.text(path)
	p := find(text, offset(text, at))
	if p.attr == "" || p.unitType == "" {
		return nil, nil
	}
	rows := p.rows(p.attr)
	if len(rows) == 0 {
		return nil, nil
	}
	parts := make([]string, 0, len(rows))
	for _, d := range rows {
		parts = append(parts, about(d))
	}
	return map[string]any{"contents": map[string]string{"kind": "markdown", "value": strings.Join(parts, "\n\n---\n\n")}}, nil
}

// about describes a directive in Markdown.
func about(d *directive.Directive) string {
	var b strings.Builder
	fmt.Fprintf(&b, "**%s=** in [%s]", d.Name, d.Section)
	if d.Man != "" {
		fmt.Fprintf(&b, ", %s", d.Man)
	}
	if d.Doc != "" {
		b.WriteString("\n\n" + d.Doc)
	}
	if d.List {
		b.WriteString("\n\nA list: definitions add up.")
	}
	if d.Default != "" {
		b.WriteString("\n\nDefault: `" + d.Default + "`")
	}
	if d.Since > 0 {
		fmt.Fprintf(&b, "\n\nSince systemd %d.", d.Since)
	}
	if d.Until > 0 {
		fmt.Fprintf(&b, "\n\nGone since systemd %d.", d.Until)
	}
	if d.Deprecated > 0 {
		fmt.Fprintf(&b, "\n\nDeprecated since systemd %d.", d.Deprecated)
		if d.Replaced != "" {
			b.WriteString(" Use " + d.Replaced + "=.")
		}
	}
	return b.String()
}

type item struct {
	Label         string `json:"label"`
	Kind          int    `json:"kind"`
	Detail        string `json:"detail,omitempty"`
	Documentation string `json:"documentation,omitempty"`
	InsertText    string `json:"insertText,omitempty"`
}

// blocks are the blocks that may stand at the top of a file, beside the unit
// types.
var blocks = []string{"host", "module", "option", "config", "locals", "unit", "dropin", "instance", "package", "etc", "user", "group", "tmpfile", "sysctl", "credential", "generate", "action", "check", "assert", "warn", "variant"}

// completion offers the directives of the unit around the cursor, or the
// blocks of a file.
func (s *server) completion(path string, at position) (any, error) {
	text := s.text(path)
	p := find(text, offset(text, at))
	items := []item{}
	switch {
	case p.unitType != "":
		seen := map[string]bool{}
		for _, d := range directive.All() {
			if seen[d.Name] || len(p.rows(d.Name)) == 0 || d.Kind == directive.Obsolete {
				continue
			}
			seen[d.Name] = true
			items = append(items, item{Label: d.Name, Kind: 10, Detail: "[" + d.Section + "]", Documentation: d.Doc, InsertText: d.Name + " = "})
		}
	case p.top:
		for _, b := range append(slices.Clone(unitname.Types), blocks...) {
			items = append(items, item{Label: b, Kind: 14})
		}
	}
	return items, nil
}

// formatting gives the edit that brings a file into the canonical layout: none
// where it has syntax errors or is in it already.
func (s *server) formatting(path string, _ position) (any, error) {
	text := s.text(path)
	out, ds := compile.Format(path, []byte(text))
	if ds.HasErrors() || string(out) == text {
		return []any{}, nil
	}
	return []any{map[string]any{"range": span{position{}, positionAt(text, len(text))}, "newText": string(out)}}, nil
}

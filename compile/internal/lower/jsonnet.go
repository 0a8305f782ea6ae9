package lower

import (
	"path"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/unitgen/unitgen/compile/internal/encode"
	"github.com/unitgen/unitgen/compile/internal/eval"
	"github.com/unitgen/unitgen/schema/tree"
)

// inputAt gives the place of the first input of a file's program.
func inputAt(g *eval.Group) (hcl.Range, bool) {
	for _, c := range g.Contribs {
		if at, has := attrAt(c, "input"); has {
			return at, true
		}
	}
	return hcl.Range{}, false
}

// jsonnet runs the program of a file. A string is the file's text; anything
// else is written in the format that the end of the path names, JSON without
// such an end.
func (l *lowering) jsonnet(thing string, at hcl.Range, g *eval.Group, program string, f *tree.File) bool {
	input, _, set, ok := l.e.Attr(thing, "input", anyType, g.Contribs)
	if !ok {
		return false
	}
	if !set {
		input = cty.EmptyObjectVal
	}
	input, _ = input.UnmarkDeep()
	doc, ok := l.e.Jsonnet(l.lastWith(g, "jsonnet").Block, program, input, at)
	if !ok {
		return false
	}
	if doc.Value.Type() == cty.String {
		f.Content = []byte(doc.Value.AsString())
		return true
	}
	format := formats[path.Ext(f.Path)]
	if format == "" {
		format = "json"
	}
	b, err := encode.Encode(format, doc.Value)
	if err != nil {
		x := l.err("E0414", "Value cannot be written in this format", doc.Range, "%s %s. Change what the program gives, or let it give a text: import 'unitgen.libsonnet' has ini, json, toml and yaml.", thing, err)
		x.Related = append(x.Related, related("run by this block", at))
		return false
	}
	f.Content = b
	return true
}

// formats are those that the ends of paths name.
var formats = map[string]string{".json": "json", ".yaml": "yaml", ".yml": "yaml", ".toml": "toml", ".ini": "ini"}

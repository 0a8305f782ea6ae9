package generate

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/unitgen/unitgen/compile/internal/types"
)

// parts are the keys of what a program gives.
var parts = []string{"units", "dropins", "etc", "links"}

// read turns the program's JSON into blocks with ranges.
func (o *Options) read(resp *response) (*Output, hcl.Diagnostics) {
	r := &reader{o: o, fields: resp.Fields}
	var top any
	if err := json.Unmarshal(resp.Output, &top); err != nil {
		return nil, o.failed(o.At, "This is a bug in unitgen: the interpreter gave no JSON: %s.", err)
	}
	object, ok := top.(map[string]any)
	if !ok {
		return nil, o.failed(r.whole(), "%s must give an object with units, dropins, etc or links, not %s.", o.Program, kindOf(top))
	}
	out := &Output{Files: sortedKeys(resp.Files)}
	for _, key := range sortedKeys(object) {
		var dst *[]Block
		switch key {
		case "units":
			dst = &out.Units
		case "dropins":
			dst = &out.DropIns
		case "etc":
			dst = &out.Etc
		case "links":
			dst = &out.Links
		default:
			hint := ""
			if s := types.Suggest(key, parts); s != "" {
				hint = fmt.Sprintf(" Did you mean %q?", s)
			}
			r.fail(r.attr(key, nil), "%s gives %q, and a generator gives units, dropins, etc and links.%s", o.Program, key, hint)
			continue
		}
		*dst = r.blocks(key, object[key])
	}
	return out, r.diags
}

type reader struct {
	o      *Options
	fields map[string][]place
	diags  hcl.Diagnostics
}

func (r *reader) fail(at hcl.Range, format string, args ...any) {
	r.diags = append(r.diags, r.o.failed(at, format, args...)...)
}

// whole is the program's first line.
func (r *reader) whole() hcl.Range {
	return r.o.rng(&place{File: r.o.Program, Line: 1, Col: 1, EndLine: 1, EndCol: 1})
}

// attr finds where a field of that name is written: inside one of the places,
// where there are any, else the first of the name.
func (r *reader) attr(name string, within []place) hcl.Range {
	found := r.fields[name]
	for i := range found {
		for _, w := range within {
			if found[i].File == w.File && found[i].Byte >= w.Byte && found[i].EndBy <= w.EndBy {
				return firstLine(r.o.rng(&found[i]))
			}
		}
	}
	if len(found) > 0 {
		return firstLine(r.o.rng(&found[0]))
	}
	if len(within) > 0 {
		return firstLine(r.o.rng(&within[0]))
	}
	return r.whole()
}

// firstLine cuts a range that spans lines to its beginning.
func firstLine(r hcl.Range) hcl.Range {
	if r.End.Line > r.Start.Line {
		r.End = hcl.Pos{Line: r.Start.Line, Column: r.Start.Column + 1, Byte: r.Start.Byte + 1}
	}
	return r
}

func (r *reader) blocks(part string, x any) []Block {
	if x == nil {
		return nil
	}
	section := r.fields[part]
	object, ok := x.(map[string]any)
	if !ok {
		r.fail(r.attr(part, nil), "%s must be an object whose keys are names, not %s.", part, kindOf(x))
		return nil
	}
	var out []Block
	for _, label := range sortedKeys(object) {
		if object[label] == nil {
			continue // null is no definition
		}
		within := r.fields[label]
		if len(within) == 0 {
			within = section
		}
		b := Block{Label: label, Range: r.attr(label, section)}
		attrs, ok := object[label].(map[string]any)
		if text, isText := object[label].(string); isText && (part == "etc" || part == "links") {
			key := map[string]string{"etc": "text", "links": "target"}[part]
			b.Attrs = append(b.Attrs, Attr{Name: key, Value: toValue(text), Range: b.Range})
			out = append(out, b)
			continue
		}
		if !ok {
			r.fail(b.Range, "%s %q must be an object of attributes, not %s.", strings.TrimSuffix(part, "s"), label, kindOf(object[label]))
			continue
		}
		for _, name := range sortedKeys(attrs) {
			if attrs[name] == nil {
				continue
			}
			b.Attrs = append(b.Attrs, Attr{Name: name, Value: toValue(attrs[name]), Range: r.attr(name, within)})
		}
		out = append(out, b)
	}
	return out
}

func kindOf(x any) string {
	switch x.(type) {
	case nil:
		return "null"
	case string:
		return "a string"
	case bool:
		return "a bool"
	case float64:
		return "a number"
	case []any:
		return "an array"
	}
	return "an object"
}

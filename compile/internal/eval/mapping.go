package eval

import (
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/unitgen/unitgen/compile/internal/index"
	"github.com/unitgen/unitgen/compile/internal/merge"
	"github.com/unitgen/unitgen/compile/internal/types"
)

// separators say how the key and value of a map become one line.
var separators = map[string]string{
	"Environment": "=", "DefaultEnvironment": "=", "ManagerEnvironment": "=", "LogExtraFields": "=",
	"LoadCredential": ":", "LoadCredentialEncrypted": ":", "SetCredential": ":", "SetCredentialEncrypted": ":", "ImportCredential": ":",
	"BindPaths": ":", "BindReadOnlyPaths": ":", "TemporaryFileSystem": ":", "OpenFile": ":",
	"StateDirectory": ":", "CacheDirectory": ":", "RuntimeDirectory": ":", "LogsDirectory": ":",
	"ExtensionImages": ":", "MountImages": ":",
	"IODeviceWeight": " ", "IOReadBandwidthMax": " ", "IOWriteBandwidthMax": " ", "IOReadIOPSMax": " ", "IOWriteIOPSMax": " ", "IODeviceLatencyTargetSec": " ",
	"DeviceAllow": " ", "LogFilterPatterns": "",
}

// quoted are those whose lines are split into words, so that an entry with
// blanks needs quotes.
var quoted = map[string]bool{"Environment": true, "DefaultEnvironment": true, "ManagerEnvironment": true,
	"BindPaths": true, "BindReadOnlyPaths": true, "TemporaryFileSystem": true,
	"StateDirectory": true, "CacheDirectory": true, "RuntimeDirectory": true, "LogsDirectory": true}

// isMap reports whether a definition is an object. It may evaluate it.
func (e *Evaluator) isMap(d *index.Def) bool {
	if d.Expr != nil {
		switch d.Expr.(type) {
		case *hclsyntax.ObjectConsExpr:
			return true
		case *hclsyntax.TupleConsExpr, *hclsyntax.TemplateExpr, *hclsyntax.LiteralValueExpr:
			return false
		}
	}
	v, ok := e.defValue(d)
	if !ok {
		return false
	}
	v, _ = v.Unmark()
	return v.IsKnown() && !v.IsNull() && (v.Type().IsObjectType() || v.Type().IsMapType())
}

// mapParts divides a map definition by key.
func (e *Evaluator) mapParts(f *Fact, d *index.Def, maps map[string][]*index.Def) ([]string, bool) {
	if _, ok := separators[f.Name]; !ok {
		e.err("E0503", "Directive has a value of the wrong type", d.At, "%s= takes no map. Write a string or a list of strings.", f.Name)
		return nil, false
	}
	p := &pathNode{opt: &index.Option{Module: d.Block.Module, Block: d.Block.Block}, typ: mapType, parts: map[string][]*index.Def{}}
	p.name = f.Name
	if !e.divide(p, d) {
		return nil, false
	}
	var keys []string
	for k, parts := range p.parts {
		keys = append(keys, k)
		maps[k] = append(maps[k], parts...)
	}
	return keys, true
}

// mapType is the type of map-valued directives before their values are spelled.
var mapType = func() *types.Type {
	x, _ := hclsyntax.ParseExpression([]byte("map(any)"), "", hclPos)
	t, _ := types.Parse(x, types.Env{})
	return t
}()

// mapEntry merges the definitions of one key.
func (e *Evaluator) mapEntry(name string, f *Fact, key string, defs []*index.Def) (t Text, ok, has bool) {
	var active []*index.Def
	for _, d := range defs {
		on, fine := true, true
		if len(d.Whens) > 0 {
			on, fine = e.Active(d)
		}
		if !fine {
			return t, false, false
		}
		if on {
			active = append(active, d)
		} else if d.Expr != nil {
			e.LintDef(d)
		}
	}
	best, fine := merge.Strongest(active, func(d *index.Def) (bool, bool) { return e.isNull(d, types.Named("string")) })
	if !fine {
		return t, false, false
	}
	for i, d := range best {
		v, ok := e.defValue(d)
		if !ok {
			return t, false, false
		}
		if e.secret(f, v, d.At) {
			return t, false, false
		}
		v, _ = v.UnmarkDeep()
		if v.IsKnown() && !v.IsNull() && v.CanIterateElements() {
			e.err("E0503", "Directive has a value of the wrong type", d.At, "%s= gives each name one value, and %q would get %s. Write a string, number or bool.", f.Name, key, describe(v))
			return t, false, false
		}
		s, ok := e.scalarText(f, v, d.At)
		if !ok {
			return t, false, false
		}
		if strings.ContainsAny(key, " \t\n=") && separators[f.Name] == "=" {
			e.err("E0505", "Directive has an invalid value", d.KeyAt, "%q cannot be the name of a variable. Use letters, digits and underscores.", key)
			return t, false, false
		}
		line := entry(f.Name, key, s)
		if i > 0 && line != t.Text {
			e.conflict(name+"."+key, best, best[0], false)
			return t, false, false
		}
		t, has = Text{line, d.At}, true
	}
	return t, true, has
}

// entry joins a key and a value; where the line is split into words, an entry
// with blanks, quotes or backslashes is quoted (systemd.syntax(7), "QUOTING").
func entry(directive, key, value string) string {
	s := key + separators[directive] + value
	if directive != "Environment" && value == "" {
		s = key
	}
	if !quoted[directive] || !strings.ContainsAny(s, " \t\"'\\;") && s != "" {
		return s
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, c := range s {
		if c == '"' || c == '\\' {
			b.WriteByte('\\')
		}
		if c == '\t' {
			b.WriteString(`\t`)
			continue
		}
		b.WriteRune(c)
	}
	b.WriteByte('"')
	return b.String()
}

var _ = cty.True

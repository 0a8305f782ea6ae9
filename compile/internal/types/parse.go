package types

import (
	"fmt"
	"regexp"
	"sort"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// maxDepth bounds the nesting of a type expression.
const maxDepth = 64

// Env is what a type expression may use.
type Env struct {
	// Functions may be called in defaults, check conditions and coercions.
	Functions map[string]function.Function
}

type pattern struct {
	src string
	re  *regexp.Regexp
	msg string
}

// keywords are the types that are written as a bare word.
var keywords = map[string]*Type{
	"any":       {kind: Any, cty: cty.DynamicPseudoType},
	"string":    {kind: String, cty: cty.String},
	"number":    {kind: Number, cty: cty.Number},
	"bool":      {kind: Bool, cty: cty.Bool},
	"port":      {kind: Port, cty: cty.Number},
	"path":      {kind: Path, cty: cty.String},
	"duration":  {kind: Duration, cty: cty.String},
	"bytes":     {kind: Bytes, cty: cty.String},
	"calendar":  {kind: Calendar, cty: cty.String},
	"unit_name": {kind: UnitName, cty: cty.String},
	"mode":      {kind: Mode, cty: cty.String},
	"secret":    {kind: Secret, cty: cty.String},
}

// Named gives the type that a bare word names ("port"), or nil.
func Named(word string) *Type { return keywords[word] }

// constructor is a type that is written as a call.
type constructor struct {
	usage    string
	min, max int // arguments; max < 0: any number
	parse    func(p *parser, call *hcl.StaticCall, depth int) *Type
}

var constructors map[string]constructor

func init() {
	wrap := func(k Kind) func(*parser, *hcl.StaticCall, int) *Type {
		return func(p *parser, c *hcl.StaticCall, depth int) *Type {
			e := p.typ(c.Arguments[0], depth+1)
			return &Type{kind: k, elem: e, cty: e.cty, ctx: p.ctx}
		}
	}
	constructors = map[string]constructor{
		"list":      {"list(T)", 1, 1, (*parser).collection},
		"set":       {"set(T)", 1, 1, (*parser).collection},
		"map":       {"map(T)", 1, 1, (*parser).collection},
		"tuple":     {"tuple([T, U, …])", 1, 1, (*parser).tuple},
		"object":    {"object({ a = T, b = optional(T, default) })", 1, 2, (*parser).object},
		"submodule": {"submodule({ a = T, b = optional(T, default) })", 1, 2, (*parser).object},
		"enum":      {`enum("a", "b", …)`, 1, -1, (*parser).enum},
		"either":    {"either(T, U, …)", 2, -1, (*parser).either},
		"nullable":  {"nullable(T)", 1, 1, wrap(Nullable)},
		"unique":    {"unique(list(T))", 1, 1, wrap(Unique)},
		"nonempty":  {"nonempty(T)", 1, 1, wrap(Nonempty)},
		"range":     {"range(T, min, max)", 3, 3, (*parser).bounds},
		"match":     {`match("regex")`, 1, 2, (*parser).match},
		"check":     {`check(T, condition, "message")`, 3, 3, (*parser).check},
		"coerce":    {"coerce(OLD, expression of value, NEW)", 3, 3, (*parser).coerce},
	}
}

// Words gives every word that may begin a type, sorted.
func Words() []string {
	out := make([]string, 0, len(keywords)+len(constructors))
	for k := range keywords {
		out = append(out, k)
	}
	for k := range constructors {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}

// Parse reads a type expression. It always gives a usable type: Any stands in
// for a part that is wrong.
func Parse(expr hcl.Expression, env Env) (*Type, hcl.Diagnostics) {
	p := &parser{ctx: &hcl.EvalContext{Functions: env.Functions}}
	t := p.typ(expr, 0)
	return t, p.diags
}

type parser struct {
	ctx   *hcl.EvalContext
	diags hcl.Diagnostics
}

func (p *parser) fail(r hcl.Range, format string, args ...any) *Type {
	p.diags = append(p.diags, &hcl.Diagnostic{
		Severity: hcl.DiagError,
		Summary:  "Invalid type expression",
		Detail:   fmt.Sprintf(format, args...),
		Subject:  r.Ptr(),
	})
	return keywords["any"]
}

func (p *parser) typ(expr hcl.Expression, depth int) *Type {
	if depth > maxDepth {
		return p.fail(expr.Range(), "The type is nested more than %d levels deep; flatten it.", maxDepth)
	}
	if w := hcl.ExprAsKeyword(expr); w != "" {
		if t, ok := keywords[w]; ok {
			return t
		}
		if c, ok := constructors[w]; ok {
			return p.fail(expr.Range(), "%q needs arguments: write %s.", w, c.usage)
		}
		return p.unknown(w, expr.Range())
	}
	call, diags := hcl.ExprCall(expr)
	if diags.HasErrors() {
		if v, d := expr.Value(nil); !d.HasErrors() && v.Type() == cty.String && v.IsKnown() && !v.IsNull() {
			if _, ok := keywords[v.AsString()]; ok {
				return p.fail(expr.Range(), "A type is written without quotes: %s.", v.AsString())
			}
		}
		if _, d := hcl.ExprMap(expr); !d.HasErrors() {
			return p.fail(expr.Range(), "An object type is written object({…}), an option with nested fields submodule({…}).")
		}
		return p.fail(expr.Range(), "This is not a type. Write a type such as string, list(string) or enum(\"a\", \"b\"); docs/types.md lists them all.")
	}
	c, ok := constructors[call.Name]
	if !ok {
		if _, ok := keywords[call.Name]; ok {
			return p.fail(call.NameRange, "%q takes no arguments: write %s.", call.Name, call.Name)
		}
		if call.Name == "optional" {
			return p.fail(call.NameRange, "optional() may stand only around the type of a field of object({…}) or submodule({…}). For a value that may be null, write nullable(T).")
		}
		return p.unknown(call.Name, call.NameRange)
	}
	if n := len(call.Arguments); n < c.min || c.max >= 0 && n > c.max {
		return p.fail(call.ArgsRange, "%s() got %d arguments; write %s.", call.Name, n, c.usage)
	}
	return c.parse(p, call, depth)
}

// foreign says how the types of other systems are written here.
var foreign = map[string]string{
	"size": "bytes", "byte": "bytes", "text": "string", "time": "duration", "timespan": "duration", "interval": "duration", "file": "path", "directory": "path",
	"password": "secret", "unit": "unit_name", "cron": "calendar", "union": "either(T, U, …)", "optional": "nullable(T)", "struct": "object({ … })", "double": "number", "uint": "range(number, 0, MAX)",
	"int": "number", "integer": "number", "float": "number", "ints": "range(number, MIN, MAX)", "str": "string", "boolean": "bool",
	"attrs": "map(any)", "attrsOf": "map(T)", "lazyAttrsOf": "map(T)", "listOf": "list(T)", "array": "list(T)", "dict": "map(T)",
	"nullOr": "nullable(T)", "oneOf": "either(T, U, …)", "uniq": "T alone: definitions of single values must agree", "strMatching": "match(\"regex\")",
	"lines": "string, with merge = \"lines\"", "commas": "string, with merge = \"commas\"", "separatedString": "string, with merge = \"words\"",
	"anything": "any", "raw": "any", "unspecified": "any", "package": "path", "coercedTo": "coerce(OLD, expression, NEW)", "addCheck": "check(T, condition, \"message\")",
	"nonEmptyStr": "nonempty(string)", "nonEmptyListOf": "nonempty(list(T))", "deferredModule": "map(submodule({…})), with a unit block that has for_each",
}

func (p *parser) unknown(w string, r hcl.Range) *Type {
	if w == "optional" {
		return p.fail(r, "\"optional\" needs arguments: write optional(T) or optional(T, default).")
	}
	if s := foreign[w]; s != "" {
		return p.fail(r, "There is no type %q. Write %s.", w, s)
	}
	if s := Suggest(w, Words()); s != "" {
		return p.fail(r, "There is no type %q. Did you mean %q?", w, s)
	}
	return p.fail(r, "There is no type %q; docs/types.md lists the types.", w)
}

func (p *parser) collection(c *hcl.StaticCall, depth int) *Type {
	e := p.typ(c.Arguments[0], depth+1)
	t := &Type{elem: e, ctx: p.ctx, cty: cty.DynamicPseudoType}
	dyn := e.cty.HasDynamicTypes()
	switch c.Name {
	case "list":
		t.kind = List
		if !dyn {
			t.cty = cty.List(e.cty)
		}
	case "set":
		t.kind = Set
		if !dyn {
			t.cty = cty.Set(e.cty)
		}
	case "map":
		t.kind = Map
		if !dyn {
			t.cty = cty.Map(e.cty)
		}
	}
	return t
}

func (p *parser) tuple(c *hcl.StaticCall, depth int) *Type {
	list, diags := hcl.ExprList(c.Arguments[0])
	if diags.HasErrors() {
		return p.fail(c.Arguments[0].Range(), "tuple() takes a list of types: write tuple([string, number]).")
	}
	t := &Type{kind: Tuple, ctx: p.ctx}
	tys := make([]cty.Type, 0, len(list))
	for _, e := range list {
		et := p.typ(e, depth+1)
		t.elems = append(t.elems, et)
		tys = append(tys, et.cty)
	}
	t.cty = cty.Tuple(tys)
	return t
}

func (p *parser) object(c *hcl.StaticCall, depth int) *Type {
	t := &Type{kind: Object, byName: map[string]*Field{}, ctx: p.ctx}
	if c.Name == "submodule" {
		t.kind = Submodule
	}
	pairs, diags := hcl.ExprMap(c.Arguments[0])
	if diags.HasErrors() {
		return p.fail(c.Arguments[0].Range(), "%s() takes the fields in braces: write %s.", c.Name, constructors[c.Name].usage)
	}
	attrs := map[string]cty.Type{}
	for _, kv := range pairs {
		name := hcl.ExprAsKeyword(kv.Key)
		if name == "" {
			v, d := kv.Key.Value(nil)
			if d.HasErrors() || v.IsNull() || !v.IsKnown() || v.Type() != cty.String {
				p.fail(kv.Key.Range(), "The name of a field must be a plain word or a quoted string.")
				continue
			}
			name = v.AsString()
		}
		if name == "" {
			p.fail(kv.Key.Range(), "The name of a field must not be empty.")
			continue
		}
		if old, dup := t.byName[name]; dup {
			p.fail(kv.Key.Range(), "The field %q is declared twice; the first declaration is at line %d.", name, old.NameRange.Start.Line)
			continue
		}
		f := p.field(name, kv, depth)
		t.fields = append(t.fields, f)
		t.byName[name] = f
		attrs[name] = f.Type.cty
	}
	t.cty = cty.Object(attrs)
	if len(c.Arguments) == 2 {
		t.rest = p.typ(c.Arguments[1], depth+1)
		t.cty = cty.DynamicPseudoType
	}
	return t
}

func (p *parser) field(name string, kv hcl.KeyValuePair, depth int) *Field {
	f := &Field{Name: name, NameRange: kv.Key.Range(), ctx: p.ctx}
	call, diags := hcl.ExprCall(kv.Value)
	if diags.HasErrors() || call.Name != "optional" {
		f.Type = p.typ(kv.Value, depth+1)
		return f
	}
	f.Optional = true
	if n := len(call.Arguments); n < 1 || n > 2 {
		f.Type = p.fail(call.ArgsRange, "optional() got %d arguments; write optional(T) or optional(T, default).", n)
		return f
	}
	f.Type = p.typ(call.Arguments[0], depth+1)
	if len(call.Arguments) == 2 {
		f.Default = call.Arguments[1]
		p.checkDefault(f)
	}
	return f
}

// checkDefault converts a default that reads nothing when it is declared, and
// sees to it that another reads only `name`.
func (p *parser) checkDefault(f *Field) {
	vars := f.Default.Variables()
	for _, v := range vars {
		if v.RootName() != "name" {
			p.fail(v.SourceRange(), "The default of the field %q may read only name (the key of its entry), not %s. Leave the default out and set the field where the entries are used.", f.Name, v.RootName())
			f.Default = nil
			return
		}
	}
	if len(vars) > 0 {
		return
	}
	_, problems, diags := f.DefaultValue("", Source{})
	p.diags = append(p.diags, diags...)
	for _, pr := range problems {
		p.fail(f.Default.Range(), "The default of the field %q is not of its type: %s.", f.Name, pr)
	}
}

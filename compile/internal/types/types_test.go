package types

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

var env = Env{Functions: map[string]function.Function{"split": stdlib.SplitFunc, "length": stdlib.LengthFunc}}

func expr(t testing.TB, src string) hclsyntax.Expression {
	t.Helper()
	e, diags := hclsyntax.ParseExpression([]byte(src), "t.ug.hcl", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatalf("%s: %s", src, diags)
	}
	return e
}

func parse(t testing.TB, src string) *Type {
	t.Helper()
	ty, diags := Parse(expr(t, src), env)
	if diags.HasErrors() {
		t.Fatalf("%s: %s", src, diags)
	}
	return ty
}

func val(t testing.TB, src string) cty.Value {
	t.Helper()
	v, diags := expr(t, src).Value(nil)
	if diags.HasErrors() {
		t.Fatalf("%s: %s", src, diags)
	}
	return v
}

func TestParseSpelling(t *testing.T) {
	for _, src := range []string{
		`string`, `number`, `bool`, `any`, `port`, `path`, `duration`, `bytes`, `calendar`, `unit_name`, `mode`, `secret`,
		`list(string)`, `set(number)`, `map(list(bool))`, `tuple([string, number])`, `object({})`,
		`object({ a = string, b = optional(number, 1), "c d" = optional(bool) })`,
		`submodule({ root = path, aliases = optional(list(string), []) })`,
		`map(submodule({ a = string }, either(string, number)))`,
		`enum("a", "b", 3, true)`, `either(string, number, bool)`, `nullable(string)`, `unique(list(string))`, `nonempty(string)`,
		`range(number, 1, null)`, `range(duration, "1s", "1h")`, `match("[a-z]+")`,
	} {
		if got := parse(t, src).String(); got != src {
			t.Errorf("%s is spelled %s", src, got)
		}
	}
}

func TestParseErrors(t *testing.T) {
	for src, want := range map[string]string{
		`strng`:                                 `Did you mean "string"?`,
		`lst(string)`:                           `Did you mean "list"?`,
		`list`:                                  `write list(T)`,
		`list(string, number)`:                  `got 2 arguments`,
		`port(1)`:                               `takes no arguments`,
		`"string"`:                              `without quotes`,
		`{ a = string }`:                        `object({…})`,
		`1 + 2`:                                 `This is not a type`,
		`optional(string)`:                      `only around the type of a field`,
		`object([string])`:                      `in braces`,
		`object({ a = string, a = number })`:    `declared twice`,
		`object({ a = optional(number, "x") })`: `must be a number, not a string`,
		`object({ a = optional(number, option.x) })`: `may read only name`,
		`enum("a", "a")`:                `stands twice`,
		`enum([1])`:                     `must be a string, a number or a bool`,
		`enum()`:                        `got 0 arguments`,
		`either(string)`:                `got 1 arguments`,
		`match("[")`:                    `no regular expression`,
		`range(string, 1, 2)`:           `narrows number, port, duration and bytes`,
		`range(number, 5, 1)`:           `lower bound`,
		`range(duration, "x", null)`:    `no duration`,
		`range(number, var.x, 1)`:       `write a constant`,
		`check(number, other > 1, "m")`: `may read only value`,
		`check(number, value > 1, 5)`:   `message in quotes`,
		`tuple(string)`:                 `list of types`,
		`duratoin`:                      `Did you mean "duration"?`,
	} {
		_, diags := Parse(expr(t, src), env)
		if len(diags) != 1 || !strings.Contains(diags[0].Detail, want) {
			t.Errorf("%s: got %v, want one diagnostic with %q", src, diags, want)
		}
	}
	deep := strings.Repeat("list(", 90) + "string" + strings.Repeat(")", 90)
	if _, diags := Parse(expr(t, deep), env); len(diags) != 1 || !strings.Contains(diags[0].Detail, "64 levels") {
		t.Errorf("deep type: %v", diags)
	}
}

func TestConvert(t *testing.T) {
	for _, tc := range []struct{ typ, in, want string }{
		{`string`, `"a"`, `"a"`},
		{`number`, `1.5`, `1.5`},
		{`any`, `{ a = [1, "b", null] }`, `{ a = [1, "b", null] }`},
		{`port`, `8080`, `8080`},
		{`path`, `"/srv/www"`, `"/srv/www"`},
		{`path`, `"%S/app"`, `"%S/app"`},
		{`duration`, `"5min 20s"`, `"5min 20s"`},
		{`duration`, `90`, `"90"`},
		{`duration`, `"infinity"`, `"infinity"`},
		{`bytes`, `"512M"`, `"512M"`},
		{`bytes`, `1024`, `"1024"`},
		{`calendar`, `"Mon..Fri 03:00"`, `"Mon..Fri 03:00"`},
		{`unit_name`, `"a@b.service"`, `"a@b.service"`},
		{`mode`, `"0644"`, `"0644"`},
		{`enum("a", 2)`, `2`, `2`},
		{`list(string)`, `["b", "a"]`, `["b", "a"]`},
		{`list(any)`, `["b", 1]`, `["b", 1]`},
		{`list(string)`, `[]`, `[]`},
		{`set(string)`, `["b", "a", "b"]`, `["a", "b"]`},
		{`set(either(string, number))`, `["b", 1, "b"]`, `["b", 1]`},
		{`map(number)`, `{ a = 1 }`, `{ a = 1 }`},
		{`map(number)`, `{ a = 1, b = null }`, `{ a = 1 }`},
		{`map(nullable(number))`, `{ a = 1, b = null }`, `{ a = 1, b = null }`},
		{`map(either(string, number))`, `{ a = 1, b = "x" }`, `{ a = 1, b = "x" }`},
		{`tuple([string, number])`, `["a", 1]`, `["a", 1]`},
		{`object({ a = string, b = optional(number, 7) })`, `{ a = "x" }`, `{ a = "x", b = 7 }`},
		{`object({ a = string, b = optional(number, 7) })`, `{ a = "x", b = null }`, `{ a = "x", b = 7 }`},
		{`object({ a = optional(string) })`, `{}`, `{ a = null }`},
		{`object({ a = nullable(string) })`, `{}`, `{ a = null }`},
		{`object({ a = string }, number)`, `{ a = "x", z = 1 }`, `{ a = "x", z = 1 }`},
		{`map(submodule({ root = optional(string, "/srv/${name}") }))`, `{ a = {}, b = { root = "/b" } }`, `{ a = { root = "/srv/a" }, b = { root = "/b" } }`},
		{`submodule({ ssl = submodule({ on = optional(bool, false) }) })`, `{}`, `{ ssl = { on = false } }`},
		{`either(string, list(string))`, `["a"]`, `["a"]`},
		{`nullable(string)`, `null`, `null`},
		{`unique(list(string))`, `["a", "b"]`, `["a", "b"]`},
		{`range(duration, "1s", "1h")`, `"30min"`, `"30min"`},
		{`range(bytes, "1K", null)`, `2048`, `"2048"`},
		{`match("[a-z]+")`, `"abc"`, `"abc"`},
		{`check(number, value % 2 == 0, "must be even")`, `4`, `4`},
		{`coerce(string, split(",", value), list(string))`, `"a,b"`, `["a", "b"]`},
		{`coerce(string, split(",", value), list(string))`, `["c"]`, `["c"]`},
		{`coerce(number, { port = value }, object({ port = port }))`, `80`, `{ port = 80 }`},
	} {
		got, problems := parse(t, tc.typ).Convert(val(t, tc.in), Source{})
		if len(problems) > 0 {
			t.Errorf("%s takes %s: %v", tc.typ, tc.in, problems)
			continue
		}
		if s := Literal(got); s != tc.want {
			t.Errorf("%s of %s gives %s, want %s", tc.typ, tc.in, s, tc.want)
		}
		again, problems := parse(t, tc.typ).Convert(got, Source{})
		if len(problems) > 0 || !again.RawEquals(got) {
			t.Errorf("%s of %s is not stable: %v, then %v %v", tc.typ, tc.in, got, again, problems)
		}
	}
}

func TestProblems(t *testing.T) {
	for _, tc := range []struct{ typ, in, want string }{
		{`string`, `5`, `must be a string, not a number; did you mean "5"?`},
		{`string`, `["a"]`, `must be a string, not a list`},
		{`string`, `null`, `must not be null; leave the definition out, or declare the type as nullable(string)`},
		{`number`, `"8080"`, `must be a number, not a string; did you mean 8080?`},
		{`number`, `"x"`, `must be a number, not a string`},
		{`bool`, `"yes"`, `must be true or false, not the string "yes"; did you mean true?`},
		{`bool`, `1`, `must be true or false, not a number`},
		{`port`, `0`, `must be a port, a whole number from 1 to 65535, not 0`},
		{`port`, `80.5`, `must be a port, a whole number from 1 to 65535, not 80.5`},
		{`port`, `"80"`, `must be a number, not a string; did you mean 80?`},
		{`path`, `"srv"`, `must be an absolute path, not "srv"; begin it with / or with a specifier such as %t or %S`},
		{`path`, `"/a/../b"`, `must not climb with .. in "/a/../b"; write the path out`},
		{`path`, `"/a\nb"`, `must not hold a newline or NUL character`},
		{`mode`, `0644`, `must be a mode in quotes; HCL reads 0644 without quotes as the number 644; did you mean "0644"?`},
		{`mode`, `"0888"`, `must be an octal file mode such as "0644", not "0888"`},
		{`unit_name`, `"app"`, `must be a unit name with its suffix, not "app"; did you mean "app.service"?`},
		{`enum("debug", "info")`, `"inof"`, `must be "debug" or "info", not "inof"; did you mean "info"?`},
		{`enum(1, 2)`, `"1"`, `must be 1 or 2, not "1"; did you mean 1?`},
		{`list(string)`, `"a"`, `must be a list in brackets, not a string; write it in brackets: ["a"]`},
		{`list(string)`, `["a", 1]`, `[1] must be a string, not a number; did you mean "1"?`},
		{`map(port)`, `{ "a.b" = 0 }`, `["a.b"] must be a port, a whole number from 1 to 65535, not 0`},
		{`object({ port = port })`, `{ port = 1, prot = 2 }`, `prot is not declared here; the fields are port; did you mean "port"?`},
		{`object({ a = string, b = string })`, `{ a = "x" }`, `b is required and nothing sets it`},
		{`map(submodule({ root = path }))`, `{ "example.org" = { root = 1 } }`, `["example.org"].root must be an absolute path, not a number`},
		{`either(string, list(string))`, `5`, `must be either(string, list(string)), not a number`},
		{`either(number, list(string))`, `["a", 1]`, `[1] must be a string, not a number; did you mean "1"?`},
		{`nonempty(string)`, `""`, `must not be empty`},
		{`nonempty(list(string))`, `[]`, `must not be empty`},
		{`unique(list(string))`, `["a", "b", "a"]`, `[2] must not repeat [0] ("a")`},
		{`range(number, 1, 10)`, `11`, `must be from 1 to 10, not 11`},
		{`range(duration, "1s", null)`, `"5ms"`, `must be at least "1s", not "5ms"`},
		{`match("[a-z]+")`, `"aB"`, `must match the regular expression [a-z]+ as a whole, not "aB"`},
		{`match("[a-z]+", "must be lower case letters")`, `"aB"`, `must be lower case letters, not "aB"`},
		{`check(number, value % 2 == 0, "must be even")`, `3`, `must be even`},
		{`tuple([string])`, `["a", "b"]`, `must have 1 element, not 2`},
		{`coerce(string, split(",", value), list(string))`, `5`, `must be a list in brackets, not a number; write it in brackets: [5]`},
		{`list(string)`, `[null]`, `[0] must not be null; leave the definition out, or declare the type as nullable(string)`},
	} {
		v, problems := parse(t, tc.typ).Convert(val(t, tc.in), Source{})
		if len(problems) != 1 || problems[0].String() != tc.want {
			t.Errorf("%s of %s: got %v, want %s", tc.typ, tc.in, problems, tc.want)
		}
		if v.IsKnown() {
			t.Errorf("%s of %s: the placeholder is known: %#v", tc.typ, tc.in, v)
		}
	}
	for typ, in := range map[string]string{`duration`: `"5 parsecs"`, `bytes`: `"5X"`, `calendar`: `"Someday"`} {
		if _, problems := parse(t, typ).Convert(val(t, in), Source{}); len(problems) != 1 || !strings.Contains(problems[0].Message, "must be a ") {
			t.Errorf("%s of %s: %v", typ, in, problems)
		}
	}
}

func TestProblemsAreBounded(t *testing.T) {
	elems := make([]cty.Value, 100000)
	for i := range elems {
		elems[i] = cty.True
	}
	if _, problems := parse(t, `list(string)`).Convert(cty.TupleVal(elems), Source{}); len(problems) != maxProblems {
		t.Errorf("%d problems", len(problems))
	}
}

func TestConvertPart(t *testing.T) {
	ty := parse(t, `nonempty(map(submodule({ a = string, b = optional(number, 1) })))`)
	got, problems := ty.ConvertPart(val(t, `{ x = { b = 2 } }`), Source{})
	if len(problems) > 0 || Literal(got) != `{ x = { b = 2 } }` {
		t.Errorf("%v %v", Literal(got), problems)
	}
	if _, problems := parse(t, `nonempty(list(string))`).ConvertPart(val(t, `[]`), Source{}); len(problems) > 0 {
		t.Errorf("a part of a nonempty list may be empty: %v", problems)
	}
	if _, problems := parse(t, `nonempty(string)`).ConvertPart(val(t, `""`), Source{}); len(problems) != 1 {
		t.Errorf("a scalar is checked in full: %v", problems)
	}
}

func TestSecrets(t *testing.T) {
	at := hcl.Range{Filename: "h.ug.hcl", Start: hcl.Pos{Line: 4, Column: 3}}
	ty := parse(t, `object({ user = string, password = secret, list = optional(list(secret), []) })`)
	v, problems := ty.Convert(val(t, `{ user = "u", password = "hush", list = ["a"] }`), Source{Option: "config.app.db", At: at})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if v.GetAttr("user").IsMarked() || !v.GetAttr("password").IsMarked() {
		t.Error("the password alone is a secret")
	}
	if got := fmt.Sprint(Secrets(v)); got != "[{config.app.db h.ug.hcl:4,3-0,0}]" {
		t.Error(got)
	}
	if s := Literal(v); strings.Contains(s, "hush") || !strings.Contains(s, "(secret)") {
		t.Error(s)
	}
	if !ty.HasSecret() || parse(t, `list(string)`).HasSecret() {
		t.Error("HasSecret")
	}
	// A problem in a secret does not tell it.
	for _, src := range []string{`object({ p = secret })`} {
		_, problems := parse(t, src).Convert(val(t, `{ p = 12345 }`), Source{})
		if len(problems) != 1 || strings.Contains(problems[0].String(), "12345") {
			t.Errorf("%s: %v", src, problems)
		}
	}
	// Marks from elsewhere survive the conversion.
	m := SecretMark{Option: "o"}
	v, problems = parse(t, `map(list(string))`).Convert(cty.ObjectVal(map[string]cty.Value{"a": cty.TupleVal([]cty.Value{cty.StringVal("x").Mark(m)})}), Source{})
	if len(problems) > 0 || len(Secrets(v)) != 1 {
		t.Errorf("%#v %v", v, problems)
	}
}

func TestMergeKinds(t *testing.T) {
	for src, want := range map[string]MergeKind{
		`string`: MergeScalar, `list(string)`: MergeList, `unique(nonempty(list(string)))`: MergeList, `set(string)`: MergeSet,
		`map(string)`: MergeMap, `object({})`: MergeObject, `submodule({})`: MergeSubmodule, `any`: MergeAny, `tuple([string])`: MergeScalar,
		`nullable(list(string))`: MergeList, `either(string, list(string))`: MergeScalar, `either(list(string), list(number))`: MergeList,
		`enum("a")`: MergeScalar, `secret`: MergeScalar,
	} {
		if got := parse(t, src).MergeKind(); got != want {
			t.Errorf("%s merges as %d, want %d", src, got, want)
		}
	}
}

func TestCheck(t *testing.T) {
	ctx := &hcl.EvalContext{Variables: map[string]cty.Value{"value": cty.NumberIntVal(1)}}
	for cond, want := range map[string]string{`value > 1`: "is 1", `value < 9`: ""} {
		m, diags := Check{Condition: expr(t, cond), Message: expr(t, `"is ${value}"`)}.Run(ctx)
		if m != want || diags.HasErrors() {
			t.Errorf("%s: %q %v", cond, m, diags)
		}
	}
	for cond, msg := range map[string]string{`5`: `"x"`, `nothing.x`: `"x"`, `false`: `5`} {
		if _, diags := (Check{Condition: expr(t, cond), Message: expr(t, msg)}).Run(ctx); len(diags) != 1 {
			t.Errorf("%s, %s: %v", cond, msg, diags)
		}
	}
}

func TestSuggest(t *testing.T) {
	for word, want := range map[string]string{"prot": "port", "PORT": "port", "x": "", "enabel": "enable", "listen": "", "": ""} {
		if got := Suggest(word, []string{"port", "enable", "path"}); got != want {
			t.Errorf("%s: %q, want %q", word, got, want)
		}
	}
}

func FuzzConvert(f *testing.F) {
	for _, seed := range [][2]string{
		{`map(submodule({ a = optional(list(port), [1]) }))`, `{ x = { a = [80, "b"] } }`},
		{`either(string, unique(list(any)))`, `[1, 1, { a = null }]`},
		{`range(duration, "1s", "1h")`, `"5min"`},
		{`coerce(string, [value], list(secret))`, `"a"`},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, typ, in string) {
		if len(typ) > 300 || len(in) > 300 {
			return
		}
		te, diags := hclsyntax.ParseExpression([]byte(typ), "t", hcl.InitialPos)
		if diags.HasErrors() {
			return
		}
		ve, diags := hclsyntax.ParseExpression([]byte(in), "v", hcl.InitialPos)
		if diags.HasErrors() {
			return
		}
		v, diags := ve.Value(nil)
		if diags.HasErrors() {
			return
		}
		ty, _ := Parse(te, env)
		out, problems := ty.Convert(v, Source{})
		_ = ty.String()
		ty.Describe()
		if len(problems) == 0 {
			Literal(out)
			if again, p := ty.Convert(out, Source{}); len(p) > 0 {
				t.Errorf("%s of %s: %#v is not of its own type: %v %#v", typ, in, out, p, again)
			}
		}
		ty.ConvertPart(v, Source{})
	})
}

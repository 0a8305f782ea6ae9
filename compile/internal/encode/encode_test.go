package encode

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/pelletier/go-toml/v2"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"
	"gopkg.in/ini.v1"
	"gopkg.in/yaml.v3"
)

func val(t testing.TB, src string) cty.Value {
	t.Helper()
	e, diags := hclsyntax.ParseExpression([]byte(src), "t", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatalf("%s: %s", src, diags)
	}
	v, diags := e.Value(nil)
	if diags.HasErrors() {
		t.Fatalf("%s: %s", src, diags)
	}
	return v
}

func TestEncode(t *testing.T) {
	for _, tc := range []struct{ format, in, want string }{
		{"json", `{ b = 1, a = [true, null, "x<y"], c = {}, d = [] }`, "{\n  \"a\": [\n    true,\n    null,\n    \"x<y\"\n  ],\n  \"b\": 1,\n  \"c\": {},\n  \"d\": []\n}\n"},
		{"json", `[0.1, 1e3, 12345678901234567890]`, "[\n  0.1,\n  1000,\n  12345678901234567890\n]\n"},
		{"yaml", `{ b = 1, a = [true, null, "yes", "1:30", "plain text", ""], c = {}, d = [], e = { f = "0x1f" } }`,
			"a:\n  - true\n  - null\n  - \"yes\"\n  - \"1:30\"\n  - plain text\n  - \"\"\nb: 1\nc: {}\nd: []\ne:\n  f: \"0x1f\"\n"},
		{"yaml", `{ t = "line one\nline two\n", u = "a: b", v = "- x", w = "#c", x = "a #b", y = "http://x:80/" }`,
			"t: |\n  line one\n  line two\nu: \"a: b\"\nv: \"- x\"\nw: \"#c\"\nx: \"a #b\"\n\"y\": http://x:80/\n"},
		{"toml", `{ b = 1, a = "x\ty", t = { n = null, k = [1, "a", 0.5], "q r" = true }, s = [{ x = 1 }, { x = 2, y = { z = "w" } }] }`,
			"a = \"x\\ty\"\nb = 1\n\n[[s]]\nx = 1\n\n[[s]]\nx = 2\n\n[s.y]\nz = \"w\"\n\n[t]\nk = [1, \"a\", 0.5]\n\"q r\" = true\n"},
		{"ini", `{ top = 1, main = { port = 80, on = true, list = ["a", "b"], none = null }, other = {} }`,
			"top = 1\n\n[main]\nlist = a\nlist = b\non = true\nport = 80\n\n[other]\n"},
	} {
		b, err := Encode(tc.format, val(t, tc.in))
		if err != nil || string(b) != tc.want {
			t.Errorf("%s of %s (%v):\n%s\nwant:\n%s", tc.format, tc.in, err, b, tc.want)
		}
	}
}

func TestRefused(t *testing.T) {
	secret := cty.ObjectVal(map[string]cty.Value{"a": cty.TupleVal([]cty.Value{cty.StringVal("hush").Mark("secret")})})
	deep := cty.StringVal("x")
	for range maxDepth + 2 {
		deep = cty.TupleVal([]cty.Value{deep})
	}
	for _, tc := range []struct {
		format string
		v      cty.Value
		want   string
	}{
		{"toml", val(t, `[1]`), "object at the top"},
		{"toml", val(t, `{ a = { b = [1, null] } }`), "a.b[1] cannot be written as TOML"},
		{"toml", val(t, `{ a = 12345678901234567890 }`), "64 bits"},
		{"ini", val(t, `"x"`), "sections at the top"},
		{"ini", val(t, `{ s = { "a b" = { c = 1 } } }`), `s["a b"] cannot be written as INI`},
		{"ini", val(t, `{ s = { k = "a\nb" } }`), "s.k cannot be written as INI: a value must not hold a newline"},
		{"ini", val(t, `{ s = { "k\nx" = "a" } }`), "name of a key"},
		{"ini", val(t, `{ "s]\n[t" = {} }`), "name of a section"},
		{"ini", val(t, `{ s = { "#k" = "a" } }`), "name of a key"},
		{"json", secret, "a[0] cannot be written as JSON: it holds a secret"},
		{"yaml", secret, "a[0] cannot be written as YAML: it holds a secret"},
		{"toml", secret, "a[0] cannot be written as TOML: it holds a secret"},
		{"ini", secret, "a[0] cannot be written as INI: it holds a secret"},
		{"json", deep, "nested too deep"},
		{"yaml", deep, "nested too deep"},
		{"toml", cty.ObjectVal(map[string]cty.Value{"a": deep}), "nested too deep"},
		{"json", cty.UnknownVal(cty.String), "not known"},
		{"xml", cty.True, "the formats are ini, json, toml, yaml"},
	} {
		_, err := Encode(tc.format, tc.v)
		if err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: got %v, want %q", tc.format, err, tc.want)
		}
	}
}

// normal makes decoded data comparable: all numbers as float64.
func normal(x any) any {
	switch x := x.(type) {
	case int:
		return float64(x)
	case int64:
		return float64(x)
	case uint64:
		return float64(x)
	case []any:
		out := make([]any, len(x))
		for i, e := range x {
			out[i] = normal(e)
		}
		return out
	case map[string]any:
		out := map[string]any{}
		for k, e := range x {
			out[k] = normal(e)
		}
		return out
	}
	return x
}

// FuzzEncode sees to it that what is written reads back as itself, by parsers
// of others.
func FuzzEncode(f *testing.F) {
	for _, s := range []string{`{"a":[1,"yes",null,{"b":true}]}`, `{"a":"x\n y\n","b":" lead","c":"trail \nx","~":"~"}`, `{"":{"k":[]},"a.b":[[{}]]}`,
		`{"s":[{"x":1},{"y":{"z":[0.5,-1e9]}}]}`, `{"u":"\u2028\u0085\u007f\u0001\ufeff","v":"\u00a0x","w":"=","x":"<<","y":"!t","z":"? a"}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		var want map[string]any
		if json.Unmarshal([]byte(src), &want) != nil || want == nil {
			return
		}
		ty, err := ctyjson.ImpliedType([]byte(src))
		if err != nil {
			return
		}
		v, err := ctyjson.Unmarshal([]byte(src), ty)
		if err != nil || !v.Type().IsObjectType() {
			return
		}
		again, err := ctyjson.Marshal(v, ty) // cty normalises strings
		if err != nil {
			return
		}
		want = nil
		if json.Unmarshal(again, &want) != nil {
			return
		}
		if b, err := JSON(v); err == nil {
			var got any
			if err := json.Unmarshal(b, &got); err != nil || !reflect.DeepEqual(normal(got), normal(map[string]any(want))) {
				t.Errorf("JSON of %s reads back as %v (%v):\n%s", src, got, err, b)
			}
		} else {
			t.Errorf("JSON: %v", err)
		}
		if b, err := YAML(v); err == nil {
			got := map[string]any{}
			if err := yaml.Unmarshal(b, &got); err != nil || !reflect.DeepEqual(normal(got), normal(map[string]any(want))) {
				t.Errorf("YAML of %s reads back as %#v (%v):\n%s", src, got, err, b)
			}
		}
		if strings.Contains(src, "null") {
			return
		}
		if b, err := TOML(v); err == nil {
			got := map[string]any{}
			if err := toml.Unmarshal(b, &got); err != nil || !reflect.DeepEqual(normal(got), normal(map[string]any(want))) {
				t.Errorf("TOML of %s reads back as %#v (%v):\n%s", src, got, err, b)
			}
		}
		if b, err := INI(v); err == nil {
			if _, err := ini.LoadSources(ini.LoadOptions{AllowShadows: true, IgnoreInlineComment: true, IgnoreContinuation: true}, b); err != nil && !strings.Contains(string(b), "\"\"\"") && !strings.Contains(string(b), "`") {
				t.Errorf("INI of %s: %v:\n%s", src, err, b)
			}
		}
	})
}

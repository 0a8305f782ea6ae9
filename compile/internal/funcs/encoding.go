package funcs

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"net/url"
	"time"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"

	"github.com/unitgen/unitgen/compile/internal/encode"
)

func init() {
	const c = "Encoding"
	add(c, "base64decode(string)", "What a string in base 64 stands for; it must be UTF-8 text.", str(base64decode, "string"), `base64decode("aGk=")`, `"hi"`)
	add(c, "base64encode(string)", "A string in base 64 (RFC 4648, section 4).",
		str(func(a []string) (string, error) { return base64.StdEncoding.EncodeToString([]byte(a[0])), nil }, "string"), `base64encode("hi")`, `"aGk="`)
	add(c, "base64gzip(string)", "A string compressed with gzip, in base 64.", str(base64gzip, "string"), `strlen(base64gzip("hi")) > 20`, `true`)
	add(c, "csvdecode(string)", "A list of objects from CSV text; the first line names the fields.", stdlib.CSVDecodeFunc, `csvdecode("name,port\na,80\n")`, `[{ name = "a", port = "80" }]`)
	add(c, "hexdecode(string)", "What a string in base 16 stands for; it must be UTF-8 text.", str(hexdecode, "string"), `hexdecode("6869")`, `"hi"`)
	add(c, "hexencode(string)", "A string in base 16.", str(func(a []string) (string, error) { return hex.EncodeToString([]byte(a[0])), nil }, "string"), `hexencode("hi")`, `"6869"`)
	add(c, "iniencode(object)", "An INI file: sections of keys; a list gives one line an element.", encoder("ini"), `iniencode({ main = { port = 80 } })`, `"[main]\nport = 80\n"`)
	add(c, "jsondecode(string)", "A value from JSON text.", stdlib.JSONDecodeFunc, `jsondecode("{\"a\": [1, true]}").a`, `[1, true]`)
	add(c, "jsonencode(value)", "A value as JSON on one line, keys sorted.", encoderFunc("JSON", encode.CompactJSON), `jsonencode({ b = 1, a = [true] })`, `"{\"a\":[true],\"b\":1}"`)
	add(c, "tomldecode(string)", "A value from TOML text; dates become strings.", tomldecode, `tomldecode("a = 1\n[b]\nc = \"x\"").b.c`, `"x"`)
	add(c, "tomlencode(object)", "A TOML file.", encoder("toml"), `tomlencode({ a = 1, b = { c = "x" } })`, `"a = 1\n\n[b]\nc = \"x\"\n"`)
	add(c, "urldecode(string)", "A string from its form in a URL's query.", str(func(a []string) (string, error) { return url.QueryUnescape(a[0]) }, "string"), `urldecode("a%20b")`, `"a b"`)
	add(c, "urlencode(string)", "A string in the form for a URL's query.", str(func(a []string) (string, error) { return url.QueryEscape(a[0]), nil }, "string"), `urlencode("a b&c")`, `"a+b%26c"`)
	add(c, "yamldecode(string)", "A value from YAML text with one document.", yamlDecode, `yamldecode("a: [1, x]").a`, `[1, "x"]`)
	add(c, "yamlencode(value)", "A value as YAML in block style, keys sorted.", encoder("yaml"), `yamlencode({ a = [1, "yes"] })`, `"a:\n  - 1\n  - \"yes\"\n"`)
}

// encoder makes the function of a format of package encode.
func encoder(format string) function.Function {
	return encoderFunc(format, func(v cty.Value) ([]byte, error) { return encode.Encode(format, v) })
}

func encoderFunc(_ string, enc func(cty.Value) ([]byte, error)) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "value", Type: cty.DynamicPseudoType, AllowNull: true, AllowDynamicType: true, AllowMarked: true}},
		Type:   function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			v, marks := args[0].UnmarkDeep()
			b, err := enc(v)
			if err != nil {
				return cty.UnknownVal(cty.String), function.NewArgError(0, err)
			}
			return cty.StringVal(string(b)).WithMarks(marks), nil
		},
	})
}

func base64decode(a []string) (string, error) {
	b, err := base64.StdEncoding.DecodeString(a[0])
	if err != nil {
		return "", function.NewArgErrorf(0, "is no base 64: %s", err)
	}
	return text(b)
}

func hexdecode(a []string) (string, error) {
	b, err := hex.DecodeString(a[0])
	if err != nil {
		return "", function.NewArgErrorf(0, "is no base 16: %s", err)
	}
	return text(b)
}

func text(b []byte) (string, error) {
	if !utf8.Valid(b) {
		return "", fmt.Errorf("the content is not UTF-8 text, which is all that a string holds; for files of other bytes, use source in the etc block")
	}
	return string(b), nil
}

func base64gzip(a []string) (string, error) {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(a[0])); err != nil {
		return "", err
	}
	if err := w.Close(); err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(b.Bytes()), nil
}

var tomldecode = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "string", Type: cty.String}},
	Type:   function.StaticReturnType(cty.DynamicPseudoType),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		var data map[string]any
		if err := toml.Unmarshal([]byte(args[0].AsString()), &data); err != nil {
			return cty.DynamicVal, function.NewArgErrorf(0, "is no TOML: %s", err)
		}
		return fromGo(data)
	},
})

// fromGo gives decoded data as a value.
func fromGo(x any) (cty.Value, error) {
	switch x := x.(type) {
	case nil:
		return cty.NullVal(cty.DynamicPseudoType), nil
	case string:
		return cty.StringVal(x), nil
	case bool:
		return cty.BoolVal(x), nil
	case int64:
		return cty.NumberIntVal(x), nil
	case float64:
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return cty.NilVal, fmt.Errorf("a number is not finite")
		}
		return cty.NumberVal(big.NewFloat(x)), nil
	case json.Number:
		return cty.ParseNumberVal(string(x))
	case time.Time:
		return cty.StringVal(x.Format(time.RFC3339Nano)), nil
	case fmt.Stringer: // TOML's local dates and times
		return cty.StringVal(x.String()), nil
	case []any:
		out := make([]cty.Value, 0, len(x))
		for _, e := range x {
			v, err := fromGo(e)
			if err != nil {
				return cty.NilVal, err
			}
			out = append(out, v)
		}
		return cty.TupleVal(out), nil
	case map[string]any:
		out := make(map[string]cty.Value, len(x))
		for k, e := range x {
			v, err := fromGo(e)
			if err != nil {
				return cty.NilVal, err
			}
			out[k] = v
		}
		return cty.ObjectVal(out), nil
	}
	return cty.NilVal, fmt.Errorf("a %T has no counterpart in HCL", x)
}

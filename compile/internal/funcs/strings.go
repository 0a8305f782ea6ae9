package funcs

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// str makes a function of strings.
func str(impl func(args []string) (string, error), params ...string) function.Function {
	spec := &function.Spec{Type: function.StaticReturnType(cty.String)}
	for _, p := range params {
		spec.Params = append(spec.Params, function.Parameter{Name: p, Type: cty.String})
	}
	spec.Impl = func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		words := make([]string, len(args))
		for i, a := range args {
			words[i] = a.AsString()
		}
		out, err := impl(words)
		if err != nil {
			return cty.UnknownVal(cty.String), err
		}
		return cty.StringVal(out), nil
	}
	return function.New(spec)
}

// predicate makes a function of strings that gives a bool.
func predicate(impl func(args []string) bool, params ...string) function.Function {
	spec := &function.Spec{Type: function.StaticReturnType(cty.Bool)}
	for _, p := range params {
		spec.Params = append(spec.Params, function.Parameter{Name: p, Type: cty.String})
	}
	spec.Impl = func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		words := make([]string, len(args))
		for i, a := range args {
			words[i] = a.AsString()
		}
		return cty.BoolVal(impl(words)), nil
	}
	return function.New(spec)
}

// maxWidth bounds what one format verb or indentation pads to.
const maxWidth = 1 << 16

var wideVerb = regexp.MustCompile(`%[-+# 0]*(?:\[\d+\])?(\d{6,}|\d*\.\d{6,})`)

// guarded wraps a function whose first argument may ask for padding without
// bound.
func guarded(fn function.Function) function.Function {
	return function.New(&function.Spec{
		Params:   fn.Params(),
		VarParam: fn.VarParam(),
		Type:     func(args []cty.Value) (cty.Type, error) { return fn.ReturnTypeForValues(args) },
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			if f, _ := args[0].Unmark(); f.Type() == cty.String && f.IsKnown() && !f.IsNull() && wideVerb.MatchString(f.AsString()) {
				return cty.DynamicVal, function.NewArgErrorf(0, "a verb asks for more than 99999 characters")
			}
			return fn.Call(args)
		},
	})
}

var indent = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "spaces", Type: cty.Number}, {Name: "string", Type: cty.String}},
	Type:   function.StaticReturnType(cty.String),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		n, acc := args[0].AsBigFloat().Int64()
		if acc != 0 || n < 0 || n > maxWidth {
			return cty.UnknownVal(cty.String), function.NewArgErrorf(0, "must be a whole number from 0 to %d", maxWidth)
		}
		return cty.StringVal(strings.ReplaceAll(args[1].AsString(), "\n", "\n"+strings.Repeat(" ", int(n)))), nil
	},
})

func replace(args []string) (string, error) {
	s, from, to := args[0], args[1], args[2]
	if len(from) > 1 && from[0] == '/' && from[len(from)-1] == '/' {
		re, err := regexp.Compile(from[1 : len(from)-1])
		if err != nil {
			return "", function.NewArgError(1, fmt.Errorf("is no regular expression: %w", err))
		}
		return re.ReplaceAllString(s, to), nil
	}
	return strings.ReplaceAll(s, from, to), nil
}

func init() {
	const c = "Strings"
	add(c, "chomp(string)", "Takes the newlines at the end away.", stdlib.ChompFunc, `chomp("hello\n\n")`, `"hello"`)
	add(c, "endswith(string, suffix)", "Whether a string ends with another.",
		predicate(func(a []string) bool { return strings.HasSuffix(a[0], a[1]) }, "string", "suffix"), `endswith("app.service", ".service")`, `true`)
	add(c, "format(format, values…)", "A string after a pattern with verbs: %s, %d, %q, %v, %05.2f and their kin.", guarded(stdlib.FormatFunc),
		`format("%s:%d", "localhost", 80)`, `"localhost:80"`, `format("%03d", 7)`, `"007"`)
	add(c, "formatlist(format, values…)", "format() for each element of the lists among the values.", guarded(stdlib.FormatListFunc),
		`formatlist("%s.service", ["a", "b"])`, `["a.service", "b.service"]`)
	add(c, "indent(spaces, string)", "Indents every line but the first.", indent, `indent(2, "a\nb")`, `"a\n  b"`)
	add(c, "join(separator, list…)", "The strings of lists with a separator between them.", stdlib.JoinFunc, `join(", ", ["a", "b"])`, `"a, b"`)
	add(c, "lower(string)", "Every letter in lower case.", stdlib.LowerFunc, `lower("ABC")`, `"abc"`)
	add(c, "regex(pattern, string)", "What a regular expression (RE2) finds first: the match, a list of its groups, or an object of its named groups. No match is an error; see can().", stdlib.RegexFunc,
		`regex("[0-9]+", "port 8080")`, `"8080"`, `regex("(?P<host>[^:]+):(?P<port>.*)", "db:5432")`, `{ host = "db", port = "5432" }`)
	add(c, "regexall(pattern, string)", "Everything that a regular expression finds.", stdlib.RegexAllFunc, `regexall("[a-z]+", "ab 12 cd")`, `["ab", "cd"]`)
	add(c, "replace(string, substring, replacement)", "Replaces every occurrence; a substring between slashes is a regular expression, whose groups are $1, $2 in the replacement.", str(replace, "string", "substring", "replacement"),
		`replace("a-b-c", "-", "_")`, `"a_b_c"`, `replace("app12", "/[0-9]+/", "")`, `"app"`)
	add(c, "split(separator, string)", "A list of the parts between separators.", stdlib.SplitFunc, `split(",", "a,b")`, `["a", "b"]`)
	add(c, "startswith(string, prefix)", "Whether a string begins with another.",
		predicate(func(a []string) bool { return strings.HasPrefix(a[0], a[1]) }, "string", "prefix"), `startswith("/etc/app", "/etc/")`, `true`)
	add(c, "strcontains(string, substring)", "Whether a string holds another.",
		predicate(func(a []string) bool { return strings.Contains(a[0], a[1]) }, "string", "substring"), `strcontains("hello", "ell")`, `true`)
	add(c, "strlen(string)", "The number of characters.", stdlib.StrlenFunc, `strlen("é!")`, `2`)
	add(c, "strrev(string)", "The characters in reverse order.", stdlib.ReverseFunc, `strrev("abc")`, `"cba"`)
	add(c, "substr(string, offset, length)", "A part of a string, in characters; a negative offset counts from the end, length -1 means the rest.", stdlib.SubstrFunc, `substr("generation", 0, 3)`, `"gen"`)
	add(c, "title(string)", "The first letter of each word in upper case.", stdlib.TitleFunc, `title("hello world")`, `"Hello World"`)
	add(c, "trim(string, characters)", "Takes any of the characters away at both ends.", stdlib.TrimFunc, `trim("?!hi?!", "!?")`, `"hi"`)
	add(c, "trimprefix(string, prefix)", "Takes a prefix away, if it is there.", stdlib.TrimPrefixFunc, `trimprefix("/srv/www", "/srv/")`, `"www"`)
	add(c, "trimspace(string)", "Takes white space away at both ends.", stdlib.TrimSpaceFunc, `trimspace("  a\n")`, `"a"`)
	add(c, "trimsuffix(string, suffix)", "Takes a suffix away, if it is there.", stdlib.TrimSuffixFunc, `trimsuffix("app.service", ".service")`, `"app"`)
	add(c, "upper(string)", "Every letter in upper case.", stdlib.UpperFunc, `upper("abc")`, `"ABC"`)
}

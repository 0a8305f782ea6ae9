package funcs

import (
	"strings"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"github.com/unitgen/unitgen/schema/unitname"
	"github.com/unitgen/unitgen/schema/value"
)

func init() {
	const c = "systemd"
	add(c, "bytes(size)", "A size such as \"2G\" as a number of bytes; suffixes are powers of 1024.", quantity(value.ParseSize), `bytes("2K")`, `2048`)
	add(c, "exec_quote(words)", "A word, or a list of words, in the form for ExecStart= and its kin, so that the program gets exactly them: quoted, with % and $ doubled.", quoter(execQuote),
		`exec_quote("a b")`, `"\"a b\""`, `exec_quote(["printf", "100%"])`, `"printf 100%%"`)
	add(c, "instance(template, instance)", "The name of a template's instance; the instance is escaped. A template without a suffix is a service.", str(instance, "template", "instance"),
		`instance("worker@", "a/b")`, `"worker@a-b.service"`, `instance("getty@.service", "tty1")`, `"getty@tty1.service"`)
	add(c, "seconds(span)", "A time span such as \"5min 20s\" as a number of seconds.", seconds, `seconds("1min 30s")`, `90`)
	add(c, "shell_quote(words)", "A word, or a list of words, quoted for a POSIX shell.", quoter(shellQuote), `shell_quote(["echo", "it's"])`, `"echo 'it'\\''s'"`)
	add(c, "shell_words(string)", "The words of a command line, split at white space with quotes and escapes taken off (systemd.syntax(7), \"QUOTING\").", shellWords,
		`shell_words("a 'b c'")`, `["a", "b c"]`)
	add(c, "specifier_escape(string)", "A string with % doubled, so that systemd takes none of it for a specifier.",
		str(func(a []string) (string, error) { return strings.ReplaceAll(a[0], "%", "%%"), nil }, "string"), `specifier_escape("50%")`, `"50%%"`)
	add(c, "timespan(seconds)", "A number of seconds as systemd spells time spans.", timespan, `timespan(5400)`, `"1h 30min"`)
	add(c, "unit_escape(string)", "A string in the form for a unit name (systemd-escape).",
		str(func(a []string) (string, error) { return unitname.Escape(a[0]), nil }, "string"), `unit_escape("a/b c")`, `"a-b\\x20c"`)
	add(c, "unit_escape_path(path)", "A path in the form for a unit name (systemd-escape --path).",
		str(func(a []string) (string, error) { return unitname.EscapePath(a[0]) }, "path"), `unit_escape_path("/var/log/")`, `"var-log"`)
	add(c, "unit_for_path(path, type)", "The name of the mount, automount or swap unit of a path.",
		str(func(a []string) (string, error) { return unitname.FromPath(a[0], a[1]) }, "path", "type"), `unit_for_path("/srv/data", "mount")`, `"srv-data.mount"`)
	add(c, "unit_unescape(string)", "The string that an escaped part of a unit name stands for.",
		str(func(a []string) (string, error) { return unitname.Unescape(a[0]) }, "string"), `unit_unescape("a-b\\x20c")`, `"a/b c"`)
	add(c, "unit_unescape_path(string)", "The path that an escaped part of a unit name stands for.",
		str(func(a []string) (string, error) { return unitname.UnescapePath(a[0]) }, "string"), `unit_unescape_path("var-log")`, `"/var/log"`)
}

func instance(a []string) (string, error) {
	t := a[0]
	if unitname.Type(t) == "" {
		t += ".service"
	}
	if !unitname.IsTemplate(t) {
		return "", function.NewArgErrorf(0, "must be a template such as \"worker@\" or \"getty@.service\", not %q", a[0])
	}
	if a[1] == "" {
		return "", function.NewArgErrorf(1, "must not be empty")
	}
	return unitname.WithInstance(t, unitname.Escape(a[1]))
}

func quantity(parse func(string) (uint64, error)) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "value", Type: cty.String}},
		Type:   function.StaticReturnType(cty.Number),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			n, err := parse(args[0].AsString())
			if err != nil {
				return cty.UnknownVal(cty.Number), function.NewArgError(0, err)
			}
			return cty.NumberUIntVal(n), nil
		},
	})
}

var seconds = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "span", Type: cty.String}},
	Type:   function.StaticReturnType(cty.Number),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		us, err := value.ParseTimeSpan(args[0].AsString())
		if err != nil {
			return cty.UnknownVal(cty.Number), function.NewArgError(0, err)
		}
		if us == ^uint64(0) {
			return cty.UnknownVal(cty.Number), function.NewArgErrorf(0, "must not be infinite")
		}
		return cty.NumberUIntVal(us).Divide(cty.NumberIntVal(1000000)), nil
	},
})

var timespan = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "seconds", Type: cty.Number}},
	Type:   function.StaticReturnType(cty.String),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		f := args[0].Multiply(cty.NumberIntVal(1000000)).AsBigFloat()
		us, _ := f.Uint64()
		if f.Sign() < 0 || us >= 1<<63 {
			return cty.UnknownVal(cty.String), function.NewArgErrorf(0, "must be a number of seconds from 0 to 9223372036854")
		}
		return cty.StringVal(value.FormatTimeSpan(us, 1)), nil
	},
})

var shellWords = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "string", Type: cty.String}},
	Type:   function.StaticReturnType(cty.List(cty.String)),
	Impl: func(args []cty.Value, t cty.Type) (cty.Value, error) {
		words, err := value.UnescapeWords(args[0].AsString())
		if err != nil {
			return cty.UnknownVal(t), function.NewArgError(0, err)
		}
		if len(words) == 0 {
			return cty.ListValEmpty(cty.String), nil
		}
		out := make([]cty.Value, len(words))
		for i, w := range words {
			out[i] = cty.StringVal(w)
		}
		return cty.ListVal(out), nil
	},
})

// quoter makes a function of a word or a list of words.
func quoter(quote func(string) (string, error)) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "words", Type: cty.DynamicPseudoType}},
		Type:   function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			bad := func() (cty.Value, error) {
				return cty.UnknownVal(cty.String), function.NewArgErrorf(0, "must be a string, or a list of strings")
			}
			v := args[0]
			words := []cty.Value{v}
			if v.Type() != cty.String {
				if !v.CanIterateElements() || v.Type().IsMapType() || v.Type().IsObjectType() {
					return bad()
				}
				words = v.AsValueSlice()
			}
			out := make([]string, len(words))
			for i, w := range words {
				switch {
				case w.IsNull():
					return bad()
				case w.Type() == cty.Number:
					w = cty.StringVal(w.AsBigFloat().Text('f', -1))
				case w.Type() != cty.String:
					return bad()
				}
				var err error
				if out[i], err = quote(w.AsString()); err != nil {
					return cty.UnknownVal(cty.String), function.NewArgError(0, err)
				}
			}
			return cty.StringVal(strings.Join(out, " ")), nil
		},
	})
}

var errNUL = function.NewArgErrorf(0, "must not hold a NUL character, which no argument of a program can")

func execQuote(s string) (string, error) {
	if strings.ContainsRune(s, 0) {
		return "", errNUL
	}
	s = strings.ReplaceAll(s, "%", "%%")
	s = strings.ReplaceAll(s, "$", "$$")
	return value.QuoteWord(s), nil
}

func shellQuote(s string) (string, error) {
	if strings.ContainsRune(s, 0) {
		return "", errNUL
	}
	plain := s != ""
	for i := 0; i < len(s); i++ {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("_-./:=@%+,", c) >= 0) {
			plain = false
		}
	}
	if plain {
		return s, nil
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'", nil
}

package funcs

import (
	"encoding/base64"
	"fmt"
	"path"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"github.com/unitgen/unitgen/compile/internal/syntax"
)

// Bounds of templates.
const (
	maxTemplateDepth = 16       // templates that call templatefile
	maxTemplateSize  = 1 << 20  // bytes of a template file
	maxRendered      = 16 << 20 // bytes of a rendered template
)

func init() {
	const c = "Files"
	add(c, "abspath_join(parts…)", "Paths joined with slashes and cleaned; the result is absolute.", abspathJoin, `abspath_join("srv", "/www/", "index.html")`, `"/srv/www/index.html"`)
	add(c, "basename(path)", "The last part of a path.", str(func(a []string) (string, error) { return path.Base(a[0]), nil }, "path"), `basename("/etc/app.conf")`, `"app.conf"`)
	add(c, "dirname(path)", "A path without its last part.", str(func(a []string) (string, error) { return path.Dir(a[0]), nil }, "path"), `dirname("/etc/app.conf")`, `"/etc"`)
	addEnv(c, "file(path)", "The content of a file of the module, UTF-8 text.", func(e *env) function.Function {
		return str(func(a []string) (string, error) { return e.text(a[0]) }, "path")
	}, `file("abc.txt")`, `"abc"`)
	addEnv(c, "filebase64(path)", "The content of a file of the module, any bytes, in base 64.", func(e *env) function.Function {
		return str(func(a []string) (string, error) {
			b, err := e.files.Read(a[0])
			if err != nil {
				return "", function.NewArgError(0, err)
			}
			return base64.StdEncoding.EncodeToString(b), nil
		}, "path")
	}, `filebase64("abc.txt")`, `"YWJj"`)
	addEnv(c, "fileexists(path)", "Whether the module has a file.", func(e *env) function.Function {
		return function.New(&function.Spec{
			Params: []function.Parameter{{Name: "path", Type: cty.String}},
			Type:   function.StaticReturnType(cty.Bool),
			Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
				ok, err := e.files.Exists(args[0].AsString())
				if err != nil {
					return cty.UnknownVal(cty.Bool), function.NewArgError(0, err)
				}
				return cty.BoolVal(ok), nil
			},
		})
	}, `fileexists("missing.txt")`, `false`)
	addEnv(c, "fileset(directory, pattern)", "The files of a directory of the module that match a pattern with *, ?, **, [a-z] and {a,b}.", func(e *env) function.Function {
		return function.New(&function.Spec{
			Params: []function.Parameter{{Name: "directory", Type: cty.String}, {Name: "pattern", Type: cty.String}},
			Type:   function.StaticReturnType(cty.Set(cty.String)),
			Impl: func(args []cty.Value, t cty.Type) (cty.Value, error) {
				list, err := e.files.Glob(args[0].AsString(), args[1].AsString())
				if err != nil {
					return cty.UnknownVal(t), err
				}
				out := make([]cty.Value, 0, len(list))
				for _, f := range list {
					out = append(out, cty.StringVal(f))
				}
				if len(out) == 0 {
					return cty.SetValEmpty(cty.String), nil
				}
				return cty.SetVal(out), nil
			},
		})
	}, `fileset(".", "*.txt")`, `["abc.txt"]`)
	addEnv(c, "templatefile(path, variables)", "A file of the module, rendered as a template with ${…} and %{…} that reads the variables.", templateFile,
		`templatefile("greeting.tmpl", { who = "you" })`, `"Hello you!"`)
}

func (e *env) text(name string) (string, error) {
	b, err := e.files.Read(name)
	if err != nil {
		return "", function.NewArgError(0, err)
	}
	s, err := text(b)
	if err != nil {
		return "", function.NewArgErrorf(0, "%q is not UTF-8 text; see filebase64(), or source in the etc block", name)
	}
	return s, nil
}

var abspathJoin = function.New(&function.Spec{
	VarParam: &function.Parameter{Name: "parts", Type: cty.String},
	Type:     function.StaticReturnType(cty.String),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		parts := []string{"/"}
		for _, a := range args {
			parts = append(parts, a.AsString())
		}
		return cty.StringVal(path.Join(parts...)), nil
	},
})

func templateFile(e *env) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "path", Type: cty.String}, {Name: "variables", Type: cty.DynamicPseudoType, AllowMarked: true}},
		Type:   function.StaticReturnType(cty.DynamicPseudoType),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			name := args[0].AsString()
			if e.depth >= maxTemplateDepth {
				return cty.DynamicVal, function.NewArgErrorf(0, "templates call one another more than %d deep; does %q call itself?", maxTemplateDepth, name)
			}
			return e.render(name, args[1])
		},
	})
}

func (e *env) render(name string, vars cty.Value) (cty.Value, error) {
	src, err := e.text(name)
	if err != nil {
		return cty.DynamicVal, err
	}
	if len(src) > maxTemplateSize {
		return cty.DynamicVal, function.NewArgErrorf(0, "the template %q is larger than %d MiB", name, maxTemplateSize>>20)
	}
	if depth := nesting(src); depth > 200 {
		return cty.DynamicVal, function.NewArgErrorf(0, "the template %q nests brackets more than 200 deep", name)
	}
	if syntax.LongTemplate([]byte(src)) {
		return cty.DynamicVal, function.NewArgErrorf(0, "the template %q has too many lines in a row without a ${…}; read the long part from a file of its own with file()", name)
	}
	expr, diags := hclsyntax.ParseTemplate([]byte(src), name, hcl.InitialPos)
	if diags.HasErrors() {
		return cty.DynamicVal, templateError(diags)
	}
	raw, marks := vars.Unmark()
	if t := raw.Type(); !t.IsObjectType() && !t.IsMapType() {
		return cty.DynamicVal, function.NewArgErrorf(1, "must be an object whose keys are the template's variables")
	}
	ctx := &hcl.EvalContext{Variables: map[string]cty.Value{}, Functions: build(&env{files: e.files, depth: e.depth + 1})}
	for it := raw.ElementIterator(); it.Next(); {
		k, v := it.Element()
		ctx.Variables[k.AsString()] = v
	}
	for _, tr := range expr.Variables() {
		if _, ok := ctx.Variables[tr.RootName()]; !ok {
			r := tr.SourceRange()
			return cty.DynamicVal, function.NewArgErrorf(1, "lacks the variable %q, which the template reads at %s:%d:%d; a shell's own variable is written $${%s}", tr.RootName(), r.Filename, r.Start.Line, r.Start.Column, tr.RootName())
		}
	}
	v, diags := expr.Value(ctx)
	if diags.HasErrors() {
		return cty.DynamicVal, templateError(diags)
	}
	out, own := v.Unmark()
	if out.IsKnown() && !out.IsNull() && out.Type() == cty.String && len(out.AsString()) > maxRendered {
		return cty.DynamicVal, function.NewArgErrorf(0, "the template %q renders to more than %d MiB", name, maxRendered>>20)
	}
	return out.WithMarks(marks, own), nil
}

func templateError(diags hcl.Diagnostics) error {
	for _, d := range diags {
		if d.Severity == hcl.DiagError {
			// Of templates that call one another the innermost tells what is wrong.
			if extra, ok := hcl.DiagnosticExtra[hclsyntax.FunctionCallDiagExtra](d); ok && extra.CalledFunctionName() == "templatefile" && extra.FunctionCallError() != nil {
				return extra.FunctionCallError()
			}
			d.Detail = strings.TrimRight(d.Detail, ".")
			if d.Subject != nil {
				return fmt.Errorf("%s:%d:%d: %s: %s", d.Subject.Filename, d.Subject.Start.Line, d.Subject.Start.Column, d.Summary, d.Detail)
			}
			return fmt.Errorf("%s: %s", d.Summary, d.Detail)
		}
	}
	return diags
}

// nesting gives the depth to which the brackets and templates of a template
// nest, which is how deep the parser goes.
func nesting(src string) int {
	tokens, _ := hclsyntax.LexTemplate([]byte(src), "", hcl.InitialPos)
	depth, most := 0, 0
	for _, t := range tokens {
		switch t.Type {
		case hclsyntax.TokenOParen, hclsyntax.TokenOBrack, hclsyntax.TokenOBrace, hclsyntax.TokenTemplateInterp,
			hclsyntax.TokenTemplateControl, hclsyntax.TokenOQuote, hclsyntax.TokenOHeredoc:
			if depth++; depth > most {
				most = depth
			}
		case hclsyntax.TokenCParen, hclsyntax.TokenCBrack, hclsyntax.TokenCBrace, hclsyntax.TokenTemplateSeqEnd,
			hclsyntax.TokenCQuote, hclsyntax.TokenCHeredoc:
			depth--
		}
	}
	return most
}

package funcs

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/unitgen/unitgen/compile/internal/types"
)

func module(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func eval(t testing.TB, ctx *hcl.EvalContext, src string) (cty.Value, error) {
	t.Helper()
	expr, diags := hclsyntax.ParseExpression([]byte(src), "test", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatalf("%s: %s", src, diags)
	}
	v, diags := expr.Value(ctx)
	if diags.HasErrors() {
		return v, diags
	}
	return v, nil
}

// Every function has at least one example, and every example holds.
func TestExamples(t *testing.T) {
	dir := module(t, map[string]string{"abc.txt": "abc", "greeting.tmpl": "Hello ${who}!"})
	ctx := Context(NewFiles(dir, nil))
	for _, d := range Docs() {
		if len(d.Examples) == 0 || d.Summary == "" {
			t.Errorf("%s lacks an example or a summary", d.Name)
		}
		for _, ex := range d.Examples {
			got, err := eval(t, ctx, ex.Expr)
			if err != nil {
				t.Errorf("%s: %v", ex.Expr, err)
				continue
			}
			if text := types.Literal(got); text != ex.Result {
				t.Errorf("%s\n gives %s\n want  %s", ex.Expr, text, ex.Result)
			}
		}
	}
}

// Every function takes null, unknown, marked and wrong arguments without a
// panic.
func TestStrangeArguments(t *testing.T) {
	fns := Table(NewFiles(module(t, nil), nil))
	strange := []cty.Value{
		cty.NullVal(cty.DynamicPseudoType), cty.NullVal(cty.String), cty.DynamicVal, cty.UnknownVal(cty.String),
		cty.StringVal(""), cty.StringVal("x").Mark(types.SecretMark{Option: "o"}), cty.NumberFloatVal(-1.5), cty.NumberIntVal(1 << 40),
		cty.EmptyObjectVal, cty.EmptyTupleVal, cty.True, cty.ListVal([]cty.Value{cty.StringVal("a").Mark(types.SecretMark{Option: "o"})}),
		cty.TupleVal([]cty.Value{cty.NullVal(cty.String), cty.Zero}), cty.MapVal(map[string]cty.Value{"a": cty.Zero}),
	}
	for name, fn := range fns {
		if name == "try" || name == "can" {
			continue // these take expressions
		}
		for _, a := range strange {
			for _, b := range strange {
				for n := 0; n <= 3; n++ {
					args := []cty.Value{a, b, a}[:n]
					if _, err := fn.Call(args); err != nil && strings.Contains(err.Error(), "panic") {
						t.Errorf("%s(%#v): %.80v", name, args, err)
					}
				}
			}
		}
	}
}

func TestFilesStayInside(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "secret.txt")
	if err := os.WriteFile(outside, []byte("no"), 0o600); err != nil {
		t.Fatal(err)
	}
	dir := module(t, map[string]string{"sub/in.txt": "in", "binary": "\xff\xfe"})
	for link, target := range map[string]string{
		"escape": outside, "up": "../..", "loop": "loop", "inner": "sub/in.txt", "abs": filepath.Join(dir, "sub/in.txt"),
	} {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o644); err != nil {
		t.Fatal(err)
	}
	ctx := Context(NewFiles(dir, nil))
	for _, tc := range []struct{ expr, want string }{
		{`file("` + outside + `")`, "absolute path"},
		{`file("../x")`, "outside the module"},
		{`file("sub/../../x")`, "outside the module"},
		{`file("escape")`, "outside the module"},
		{`file("up/x")`, "outside the module"},
		{`file("loop")`, "symbolic links"},
		{`file("fifo")`, "only regular files"},
		{`file("sub")`, "is a directory"},
		{`file("missing")`, "there is no file \"missing\""},
		{`file("binary")`, "not UTF-8"},
		{`file("")`, "empty"},
		{`file("a\u0000b")`, "NUL"},
		{`fileexists("../x")`, "outside the module"},
		{`fileset("..", "*")`, "outside the module"},
		{`fileset(".", "[")`, "no file pattern"},
	} {
		done := make(chan error, 1)
		go func() { _, err := eval(t, ctx, tc.expr); done <- err }()
		select {
		case err := <-done:
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%s: got %v, want an error with %q", tc.expr, err, tc.want)
			}
			if err != nil && strings.Contains(strings.ReplaceAll(err.Error(), tc.expr, ""), dir) {
				t.Errorf("%s: the error names the machine's path: %v", tc.expr, err)
			}
		case <-time.After(5 * time.Second):
			t.Fatalf("%s hangs", tc.expr)
		}
	}
	if v, err := eval(t, ctx, `file("inner")`); err != nil || v.AsString() != "in" {
		t.Errorf("a link inside the module: %v, %v", v, err)
	}
	if v, err := eval(t, ctx, `join(",", fileset(".", "**"))`); err != nil || v.AsString() != "binary,inner,sub/in.txt" {
		t.Errorf("fileset: %v, %v", v, err)
	}
}

func TestTemplates(t *testing.T) {
	dir := module(t, map[string]string{
		"self.tmpl":  `${templatefile("self.tmpl", {})}`,
		"outer.tmpl": `<${templatefile("inner.tmpl", { x = x })}>`,
		"inner.tmpl": `%{ for i in range(3) }${i}${x}%{ endfor }`,
		"shell.tmpl": `${HOME}`,
		"deep.tmpl":  `${` + strings.Repeat("(", 100000) + `1`,
		"lists.tmpl": `${` + strings.Repeat(`[")",`, 100000),
	})
	ctx := Context(NewFiles(dir, nil))
	for _, tc := range []struct{ expr, want, fail string }{
		{`templatefile("outer.tmpl", { x = "." })`, "<0.1.2.>", ""},
		{`templatefile("self.tmpl", {})`, "", "call one another more than 16 deep"},
		{`templatefile("shell.tmpl", {})`, "", "written $${HOME}"},
		{`templatefile("deep.tmpl", {})`, "", "200 deep"},
		{`templatefile("lists.tmpl", {})`, "", "200 deep"},
		{`templatefile("inner.tmpl", "x")`, "", "must be an object"},
		{`format("%1000000000d", 1)`, "", "99999"},
		{`indent(1000000000, "a\nb")`, "", "whole number from 0"},
		{`setproduct(range(1000), range(1000))`, "", "more than 100000"},
	} {
		v, err := eval(t, ctx, tc.expr)
		switch {
		case tc.fail == "" && (err != nil || v.AsString() != tc.want):
			t.Errorf("%s: %v, %v", tc.expr, v, err)
		case tc.fail != "" && (err == nil || !strings.Contains(err.Error(), tc.fail)):
			t.Errorf("%s: got %v, want an error with %q", tc.expr, err, tc.fail)
		}
	}
}

func TestSecretsStayMarked(t *testing.T) {
	ctx := Context(NewFiles(module(t, map[string]string{"t": "a${x}"}), nil))
	ctx.Variables = map[string]cty.Value{"s": cty.StringVal("hush").Mark(types.SecretMark{Option: "config.app.password"})}
	for _, expr := range []string{
		`"x${s}"`, `upper(s)`, `sha256(s)`, `join(",", [s])`, `jsonencode({ a = s })`, `yamlencode([s])`, `templatefile("t", { x = s })`,
		`format("%s", s)`, `base64encode(s)`, `merge({ a = 1 }, { b = s })`, `try(s, "")`, `coalesce(s, "a")`, `[for x in [s] : x]`, `exec_quote(["a", s])`, `tostring(s)`, `split("", s)`,
	} {
		v, err := eval(t, ctx, expr)
		if err != nil {
			t.Errorf("%s: %v", expr, err)
			continue
		}
		if m := types.Secrets(v); len(m) != 1 || m[0].Option != "config.app.password" {
			t.Errorf("%s lost the secret's mark: %#v", expr, v)
		}
	}
}

func TestObservations(t *testing.T) {
	dir := module(t, map[string]string{"a.txt": "1"})
	var seen []Observation
	ctx := Context(NewFiles(dir, func(o Observation) { seen = append(seen, o) }))
	if _, err := eval(t, ctx, `[file("a.txt"), fileexists("b.txt"), fileset(".", "*.md")]`); err != nil {
		t.Fatal(err)
	}
	check := func(want ...bool) {
		t.Helper()
		for i, o := range seen {
			if got := NewFiles(dir, nil).Same(o); got != want[i] {
				t.Errorf("%v: Same is %v, want %v", o, got, want[i])
			}
		}
	}
	if len(seen) != 3 {
		t.Fatalf("observed %v", seen)
	}
	check(true, true, true)
	for name, content := range map[string]string{"a.txt": "2", "b.txt": "", "c.md": ""} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	check(false, false, false)
}

// TestFailedObservations: what could not be read may be there the next time.
func TestFailedObservations(t *testing.T) {
	dir := module(t, map[string]string{"d/x": ""})
	var seen []Observation
	ctx := Context(NewFiles(dir, func(o Observation) { seen = append(seen, o) }))
	for _, call := range []string{`file("a.txt")`, `fileexists("d")`, `fileset("e", "*.md")`} {
		if _, err := eval(t, ctx, call); err == nil {
			t.Errorf("%s: no error", call)
		}
	}
	if len(seen) != 3 {
		t.Fatalf("observed %v", seen)
	}
	for _, o := range seen {
		if !NewFiles(dir, nil).Same(o) {
			t.Errorf("%v: Same is false", o)
		}
	}
	if err := os.RemoveAll(filepath.Join(dir, "d")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "e"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{"a.txt": "1", "d": ""} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, o := range seen {
		if NewFiles(dir, nil).Same(o) {
			t.Errorf("%v: Same is true", o)
		}
	}
}

package syntax

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// same compares what the quick reader and hclsyntax made of a file.
func same(t *testing.T, name, text string) {
	t.Helper()
	q := &File{Name: name, Src: []byte(text)}
	if q.encoding() != nil || q.bounds() != nil {
		return
	}
	reads := map[string]bool{}
	blocks, ok := q.quick(reads)
	if !ok {
		return
	}
	q.Blocks = blocks
	q.setReads(reads)
	s := &File{Name: name, Src: []byte(text)}
	if d := s.slow(); len(d) > 0 {
		t.Fatalf("the quick reader takes what hclsyntax refuses: %v\n%s", d, text)
	}
	exprs := []cmp.Option{
		cmp.Comparer(func(a, b cty.Value) bool { return a.RawEquals(b) }),
		cmp.Comparer(func(a, b *hclsyntax.Operation) bool { return a == b }),
		cmpopts.IgnoreUnexported(hclsyntax.TemplateExpr{}),
		cmp.Exporter(func(reflect.Type) bool { return true }),
		cmpopts.EquateEmpty(),
	}
	opts := []cmp.Option{
		cmp.Comparer(func(a, b cty.Value) bool { return a.RawEquals(b) }),
		cmp.Comparer(func(a, b *hclsyntax.Operation) bool { return a == b }),
		cmpopts.IgnoreFields(Block{}, "File"),
		cmp.Comparer(func(a, b Attr) bool {
			return a.Name == b.Name && a.name == b.name && a.at == b.at && sameLiteral(a.Lit, b.Lit) && (b.Lit.Kind != LitList || cmp.Equal(a.Items(), b.Items(), cmpopts.EquateEmpty())) && cmp.Equal(a.Expr(), b.Expr(), exprs...)
		}),
		cmpopts.IgnoreUnexported(hclsyntax.TemplateExpr{}),
		cmp.Exporter(func(reflect.Type) bool { return true }),
		cmpopts.EquateEmpty(),
	}
	if d := cmp.Diff(s.Blocks, q.Blocks, opts...); d != "" {
		t.Fatalf("hclsyntax (-) and the quick reader (+) differ in\n%s\n%s", text, d)
	}
	if s.ReadsDirectives && !q.ReadsDirectives {
		t.Fatalf("the quick reader misses that a directive is read in\n%s", text)
	}
	if d := cmp.Diff(s.Reads, q.Reads, cmpopts.EquateEmpty()); d != "" {
		t.Fatal(d)
	}
}

// expressionTexts are expressions of every sort, and near misses.
var expressionTexts = []string{
	`"a"`, `"a\n\"\\\t"`, `"\u00e9"`, `"$${a} %%{b} $a %b 5$ 100%"`, `"${a}"`, `"${a.b}c${d["e"].f}"`, `"é–ü${a}ß"`, `"e\u0301"`, "\"e\u0301\"", "\"日本\"", "\"👍🏽\"",
	`"${"${a}"}"`, `"${{ a = 1 }}"`, `"${ a + 1 }-${ f(1, 2) }"`, `"${~ a ~}"`, `"%{ if a }b%{ endif }"`, `""`, `"a	b"`, `"$${"`, `"$$${a}"`, `"\${a}"`,
	`1`, `0`, `012`, `1.5`, `1.`, `1e5`, `123456789012345678`, `-1`, `- 1`, `!a`, `!!a`, `!=a`, `1-2`, `a-b`, `a - b`, `a -b`, `1 -1`,
	`a.b.c`, `a[0]`, `a["b"]`, `a[b]`, `a[b].c[d]`, `a.0`, `a.*.b`, `a[*].b`, `a . b`, `a [0]`, `service.a`, `service.a.B`, `service["a"]`, `service["a"].B`, `service[a]`, `service["${a}"]`, `service`, `hosts.a.config.b.c`,
	`config.a.b`, `config["a"].b`, `config.a`, `f()`, `f(a)`, `f(a, b,)`, `f(a...)`, `f(a, b...)`, `f (a)`, `a::b(c)`, `f(config.x.y).z`, `f(service.a.B)`,
	`a + b * c - d / e % f`, `a == b && c != d || !e`, `a < b`, `a <= b`, `a >= b`, `a > b`, `a ? b : c`, `a ? b : c ? d : e`, `(a ? b : c) + 1`, `a ? "b" : [c]`, `(("a"))`, `("a")`,
	`[]`, `["a"]`, `["a", "b",]`, `["a" "b"]`, `[1, "a", b]`, `[("a")]`, `[for a in b : a]`, `[for a, b in c : "${a}=${b}" if a != b]`, `{ for a in b : a => a }`, `{ for a in b : a => a... if a }`, `[for a in b : c => d]`, `{ for a in b : a }`,
	`[for config in a : config.b]`, `[for service in a : service.b.c]`, `{}`, `{ a = 1 }`, `{ a : 1, "b" = 2, (c) = 3, "${d}" = 4 }`, `{ a.b = 1 }`, `{ true = 1 }`, `{ 1 = 2 }`, `{ hosts = 1, service = 2 }`, `{ a == 1 }`, `{ a => 1 }`, `[for]`, `[for-x]`, `{ for-x = 1 }`,
	`true`, `false`, `null`, `true.a`, `null[0]`, `truely`, `a /* b */ + c`, `[ /* a */ "b" ]`, `a # b`, `a // b`, `a / b`, `[a # b`, `"a" "b"`, `a b`, `a ??`, `a ? b`, `&a`, `a & b`, `a | b`, `a ~ b`, `é`, `aé`, `a.é`,
	"[\n  a\n  + b,\n  # c\n  \"d\", // e\n]", "{\n  a = 1\n\n  b = 2, c = 3 # d\n  e = [\n  ]\n}", "f(\n  a,\n  b\n)", "(\n  a\n)", "a +\n  b", "a ?\n b : c", "[a\n[0]]", "\"${\n  a\n}\"",
	"<<A\nb\nA", "<<-A\n    b\n\n      c $d %e $${f} %%{g}\n   \n  A", "<<A\n${b}\nA", "<<-A\n  a ${b} c\n    ${d}e\n\n   f %g $${h} ${ {a = 1} }\n  A", "<<-A\n${a}\n  b\nA", "<<-A\n  ${a}\n  A", "<<A\nä ${b}\nA", "<<A\n${\n  b\n}A\nA", "<<A\n%{ if a }b%{ endif }\nA", "<<A\n${~a}\nA", "<<A\nb ${\"<<A\"}\nA", "<<A\nA", "<<-A\n\tb\n\tc\nA", "<<A\nä ö\nA", "<<-A\n\u00a0 b\nA", "<<A\r\nb\r\nA\r", "<<A\nb\n A ", "<<-A\n\n  b\nA", "<< A\nA", "<<A\nb", "a << b",
}

// sameLiteral compares what hclsyntax's expression says with what the quick
// reader knows: it may know less.
func sameLiteral(a, b Literal) bool {
	return b.Kind == LitNone || cmp.Equal(a, b, cmpopts.EquateEmpty())
}

func texts(t testing.TB) []string {
	var out []string
	for _, pattern := range []string{"../../testdata/*.txtar", "../../../examples/*/*.ug.hcl", "../../../examples/*/*/*.ug.hcl", "../../../modules/*/*.ug.hcl"} {
		names, _ := filepath.Glob(pattern)
		for _, n := range names {
			b, err := os.ReadFile(n)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasSuffix(n, ".txtar") {
				out = append(out, string(b))
				continue
			}
			for _, part := range strings.Split(string(b), "\n-- ") {
				if name, text, ok := strings.Cut(part, " --\n"); ok && strings.HasSuffix(name, ".ug.hcl") {
					out = append(out, text)
				}
			}
		}
	}
	for _, x := range expressionTexts {
		out = append(out, "a {\n  x = "+x+"\n}\n", "service \"a\" {\n  X = "+x+" # c\n  Y = ["+x+", { a = "+x+" }]\n}\n", "service \"a\" { X = "+x+" }\n")
	}
	return append(out,
		"a \"b\" c {}\n", "a {\n}\nb {}", "a { x = 1 }\n", "a { x = 1 } # c\n", "a {\n  x = [\n    \"a\", # c\n    b.c,\n  ]\n}\n",
		"a {\n  x = {\n    a = 1\n    \"b c\" = [true, null]\n    c = { d = e.f }, g = 2\n  }\n}\n", "a {\n  x = \"\"\n  y = f(\"}\")\n  z = \"${a[\"b\"]} %{if c}d%{endif}\" // e\n}\r\n",
		"a {\n  x = y ? 1 : 2\n  z = -1\n  w = 1.5\n  v = [for a in b : a]\n  u = a.b[0].c\n  t = (\n    1 +\n    2)\n}\n", "# only\n\n// comments\n", "a {\n  x = {\n    b = 1 }\n}\n",
		"a {\n  x = 1 y = 2\n}\n", "a { x = 1\n}\n", "a {\n x = 1\n x = 2\n}\n", "a \"\" {}\n", "a {\n x = b.0\n}\n", "a {\n x = null.a\n}\n", "a {\n x = { a: 1 }\n}\n", "a {\n x = { for = 1 }\n}\n", "a {\n x = { true = 1, a.b = 2 }\n}\n")
}

func TestQuickIsHclsyntax(t *testing.T) {
	for _, s := range texts(t) {
		same(t, "x.ug.hcl", s)
	}
}

func FuzzQuick(f *testing.F) {
	for _, s := range texts(f) {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { same(t, "x.ug.hcl", s) })
}

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
	opts := []cmp.Option{
		cmp.Comparer(func(a, b cty.Value) bool { return a.RawEquals(b) }),
		cmp.Comparer(func(a, b *hclsyntax.Operation) bool { return a == b }),
		cmpopts.IgnoreFields(Block{}, "File"),
		cmpopts.IgnoreUnexported(hclsyntax.TemplateExpr{}),
		cmp.Exporter(func(reflect.Type) bool { return true }),
		cmpopts.EquateEmpty(),
	}
	if d := cmp.Diff(s.Blocks, q.Blocks, opts...); d != "" {
		t.Fatalf("hclsyntax (-) and the quick reader (+) differ in\n%s\n%s", text, d)
	}
	if d := cmp.Diff(s.Reads, q.Reads, cmpopts.EquateEmpty()); d != "" {
		t.Fatal(d)
	}
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

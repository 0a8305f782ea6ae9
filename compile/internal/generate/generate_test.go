package generate

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-jsonnet"
	"github.com/hashicorp/hcl/v2"
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

var at = hcl.Range{Filename: "host.ug.hcl", Start: hcl.Pos{Line: 3, Column: 1}, End: hcl.Pos{Line: 3, Column: 9}}

func options(dir string, input cty.Value) Options {
	return Options{Dir: dir, Display: "mod", Program: "p.jsonnet", Input: input, At: at}
}

// show spells blocks for comparison.
func show(blocks []Block) string {
	var b strings.Builder
	for _, bl := range blocks {
		fmt.Fprintf(&b, "%s %s:%d\n", bl.Label, bl.Range.Filename, bl.Range.Start.Line)
		for _, a := range bl.Attrs {
			fmt.Fprintf(&b, "  %s = %s %s:%d:%d\n", a.Name, types.Literal(a.Value), a.Range.Filename, a.Range.Start.Line, a.Range.Start.Column)
		}
	}
	return b.String()
}

func TestRun(t *testing.T) {
	t.Parallel()
	dir := module(t, map[string]string{
		"p.jsonnet": `local ug = import 'unitgen.libsonnet';
local lib = import 'lib/base.libsonnet';
local rows = std.parseJson(importstr 'data.json');
function(input) {
  units: {
    ['w-' + r + '.service']: lib.service(r) {
      After: ['network.target'],
    } for r in rows
  } + {
    'x.service': {
      ExecStart: ug.format('/bin/x --port %d', [input.port]),
      Nothing: null,
    },
  },
  etc: {
    'a/b.ini': { text: ug.ini({ main: { port: input.port, on: true } }) },
    'plain': 'text',
  },
  links: { 'multi-user.target.wants/x.service': { target: '../x.service' } },
}
`,
		"lib/base.libsonnet": "{\n  service(n):: {\n    ExecStart: '/bin/w ' + n,\n    Nice: 0.1,\n  },\n}\n",
		"data.json":          `["a", "b"]`,
	})
	out, diags := Run(context.Background(), options(dir, cty.ObjectVal(map[string]cty.Value{"port": cty.NumberIntVal(80)})))
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	got := show(out.Units) + show(out.Etc) + show(out.Links) + strings.Join(out.Files, " ")
	want := `w-a.service mod/p.jsonnet:5
  After = ["network.target"] mod/p.jsonnet:7:7
  ExecStart = "/bin/w a" mod/p.jsonnet:11:7
  Nice = 0.1 mod/lib/base.libsonnet:4:5
w-b.service mod/p.jsonnet:5
  After = ["network.target"] mod/p.jsonnet:7:7
  ExecStart = "/bin/w b" mod/p.jsonnet:11:7
  Nice = 0.1 mod/lib/base.libsonnet:4:5
x.service mod/p.jsonnet:10
  ExecStart = "/bin/x --port 80" mod/p.jsonnet:11:7
a/b.ini mod/p.jsonnet:16
  text = "[main]\non = true\nport = 80\n" mod/p.jsonnet:16:18
plain mod/p.jsonnet:17
  text = "text" mod/p.jsonnet:17:5
multi-user.target.wants/x.service mod/p.jsonnet:19
  target = "../x.service" mod/p.jsonnet:19:51
data.json lib/base.libsonnet p.jsonnet`
	if got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		files map[string]string
		at    string // file:line of the subject
		want  string
	}{
		"syntax":        {map[string]string{"p.jsonnet": "{\n  units: {\n"}, "mod/p.jsonnet:", "Unexpected"},
		"syntax import": {map[string]string{"p.jsonnet": "import 'l.libsonnet'", "l.libsonnet": "{ a: 1\n b: 2 }"}, "mod/l.libsonnet:2", "comma"},
		"error()":       {map[string]string{"p.jsonnet": "function(input) {\n  units: { 'a.service': {\n    ExecStart: error 'no port',\n  } } }"}, "mod/p.jsonnet:3", "no port"},
		"unknown field": {map[string]string{"p.jsonnet": "function(input) {\n  etc: {\n   a: { text: input.prot } } }"}, "mod/p.jsonnet:3", "Field does not exist: prot"},
		"unknown part":  {map[string]string{"p.jsonnet": "{ unit: {} }"}, "mod/p.jsonnet:1", `Did you mean "units"?`},
		"no object":     {map[string]string{"p.jsonnet": "[1]"}, "mod/p.jsonnet:1", "must give an object"},
		"unit is text":  {map[string]string{"p.jsonnet": "{\n units: {\n  'a.service': 'x' } }"}, "mod/p.jsonnet:3", "must be an object of attributes"},
		"missing":       {map[string]string{}, "host.ug.hcl:3", "no file \"p.jsonnet\""},
		"import up":     {map[string]string{"p.jsonnet": "\n import '../x.libsonnet'"}, "mod/p.jsonnet:2", "outside the module"},
		"import abs":    {map[string]string{"p.jsonnet": "importstr '/etc/passwd'"}, "mod/p.jsonnet:1", "absolute path"},
		"function left": {map[string]string{"p.jsonnet": "{ units: { 'a.service': { ExecStart: function(x) x } } }"}, "", "anifest function"},
		"runaway":       {map[string]string{"p.jsonnet": "local f(x) = 1 + f(x);\n{ units: std.foldl(function(a, b) a, std.range(1, 10), f(1)) }"}, "mod/p.jsonnet:1", "without end"},
		"recursion":     {map[string]string{"p.jsonnet": "local f(x) = f(x + 1) + 1;\n{ units: f(1) }"}, "mod/p.jsonnet:1", "without end"},
		"deep source":   {map[string]string{"p.jsonnet": strings.Repeat("(", 300000) + "1"}, "", "nests expressions too deep"},
		"import cycle":  {map[string]string{"p.jsonnet": "import 'q.libsonnet'", "q.libsonnet": "import 'p.jsonnet'"}, "", ""},
		"format":        {map[string]string{"p.jsonnet": "local ug = import 'unitgen.libsonnet';\n{ etc: { a: ug.format('%d', ['x']) } }"}, "mod/p.jsonnet:2", "%d takes a number"},
		"ini newline":   {map[string]string{"p.jsonnet": "local ug = import 'unitgen.libsonnet';\n{ etc: { a: ug.ini({ s: { k: 'a\\nb' } }) } }"}, "mod/p.jsonnet:2", "newline"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, diags := Run(context.Background(), options(module(t, tc.files), cty.EmptyObjectVal))
			if len(diags) != 1 {
				t.Fatalf("got %d diagnostics: %v", len(diags), diags)
			}
			d := diags[0]
			if !strings.Contains(d.Detail, tc.want) {
				t.Errorf("detail %q lacks %q", d.Detail, tc.want)
			}
			if got := fmt.Sprintf("%s:%d", d.Subject.Filename, d.Subject.Start.Line); !strings.HasPrefix(got, tc.at) {
				t.Errorf("at %s, want %s (%s)", got, tc.at, d.Detail)
			}
		})
	}
}

func TestBounds(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ program, want string }{
		"memory":       {"{ etc: { a: std.length(std.range(1, 1e9)) } }", "of memory"},
		"doubling":     {"local d(s) = d(s + s) tailstrict;\n{ etc: { a: d('xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx') } }", ""},
		"endless":      {"local f(x) = if x < 0 then x else f(x + 1) tailstrict;\n{ units: f(0) }", ""},
		"huge padding": {"{ etc: { a: (import 'unitgen.libsonnet').format('%1000000000d', [1]) } }", "pads to more than"},
		"array bomb":   {"local a = std.makeArray(1000, function(i) std.makeArray(1000, function(j) std.makeArray(1000, function(k) 'x')));\n{ etc: { a: { json: a } } }", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := options(module(t, map[string]string{"p.jsonnet": tc.program}), cty.EmptyObjectVal)
			o.Timeout, o.MaxMemory = 4*time.Second, 200<<20
			start := time.Now()
			_, diags := Run(context.Background(), o)
			if took := time.Since(start); took > 10*time.Second {
				t.Errorf("took %s", took)
			}
			if len(diags) != 1 || !strings.Contains(diags[0].Detail, tc.want) {
				t.Errorf("got %v, want %q", diags, tc.want)
			}
		})
	}
}

func TestStrangeFiles(t *testing.T) {
	t.Parallel()
	dir := module(t, map[string]string{"p.jsonnet": "importstr 'fifo'", "q.jsonnet": "importstr 'zero'", "r.jsonnet": "importstr 'data.txt'", "data.txt": "x"})
	if err := syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/dev/zero", filepath.Join(dir, "zero")); err != nil {
		t.Fatal(err)
	}
	for program, want := range map[string]string{"p.jsonnet": "only regular files", "q.jsonnet": "outside the module", "r.jsonnet": "not declared"} {
		o := options(dir, cty.EmptyObjectVal)
		o.Program, o.Data = program, []string{"fifo", "zero"}
		_, diags := Run(context.Background(), o)
		if len(diags) != 1 || !strings.Contains(diags[0].Detail, want) {
			t.Errorf("%s: got %v, want %q", program, diags, want)
		}
	}
}

func TestSecretInput(t *testing.T) {
	t.Parallel()
	o := options(module(t, map[string]string{"p.jsonnet": "{}"}), cty.ObjectVal(map[string]cty.Value{
		"p": cty.StringVal("hush").Mark(types.SecretMark{Option: "config.app.password"}),
	}))
	_, diags := Run(context.Background(), o)
	if len(diags) != 1 || !strings.Contains(diags[0].Detail, "config.app.password") || strings.Contains(diags.Error(), "hush") {
		t.Error(diags)
	}
}

func TestCache(t *testing.T) {
	t.Parallel()
	dir := module(t, map[string]string{
		"p.jsonnet":   "local l = import 'l.libsonnet';\nfunction(input) { etc: { a: l.a + (importstr 'd.txt') + input } }",
		"l.libsonnet": "{ a: 'l1' }", "d.txt": "d1",
	})
	cacheDir := t.TempDir()
	run := func(input string, wantText string, wantCached bool) {
		t.Helper()
		o := options(dir, cty.StringVal(input))
		o.CacheDir = cacheDir
		out, diags := Run(context.Background(), o)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		if got := out.Etc[0].Attr("text").Value.AsString(); got != wantText || out.Cached != wantCached {
			t.Errorf("got %q, cached %v; want %q, %v", got, out.Cached, wantText, wantCached)
		}
	}
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	run("i1", "l1d1i1", false)
	run("i1", "l1d1i1", true)
	run("i2", "l1d1i2", false)
	write("d.txt", "d2")
	run("i1", "l1d2i1", false)
	write("l.libsonnet", "{ a: 'l2' }")
	run("i1", "l2d2i1", false)
	run("i1", "l2d2i1", true)
	write("p.jsonnet", "function(input) { etc: { a: input } }")
	run("i1", "i1", false)
	entries, err := filepath.Glob(filepath.Join(cacheDir, "generate", "*", "*.json"))
	if err != nil || len(entries) == 0 {
		t.Fatal(entries, err)
	}
	for _, e := range entries {
		if err := os.WriteFile(e, []byte("{\"Output\":"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run("i1", "i1", false) // a torn entry is no result
}

const thousand = `local ug = import 'unitgen.libsonnet';
function(input) {
  units: {
    ['worker-%d.service' % i]: {
      Description: ug.format('Worker %d of %s', [i, input.name]),
      ExecStart: ug.format('/opt/worker --id %d --port %d', [i, input.base + i]),
      Environment: { ID: '' + i, LOG: 'info' },
      Restart: 'on-failure', RestartSec: 5, User: 'worker',
      After: ['network.target'], WantedBy: ['multi-user.target'],
      MemoryMax: '64M', NoNewPrivileges: true, ProtectSystem: 'strict',
    } for i in std.range(1, 1000)
  },
}
`

// BenchmarkThousandServices states the promise of at most 0.5 s beside two
// floors: starting the interpreter on an empty program, and the same 1,000
// objects without formats.
func BenchmarkThousandServices(b *testing.B) {
	input := cty.ObjectVal(map[string]cty.Value{"name": cty.StringVal("x"), "base": cty.NumberIntVal(9000)})
	for _, bc := range []struct {
		name, program string
	}{
		{"floor-empty", "{}"},
		{"floor-objects", "{ etc: { a: { json: std.makeArray(1000, function(i) { a: i }) } } }"},
		{"generator", thousand},
	} {
		b.Run(bc.name, func(b *testing.B) {
			o := options(module(b, map[string]string{"p.jsonnet": bc.program}), input)
			for b.Loop() {
				if _, diags := Run(context.Background(), o); diags.HasErrors() {
					b.Fatal(diags)
				}
			}
		})
	}
}

// The native format gives what std.format gives.
func TestFormatLikeStd(t *testing.T) {
	t.Parallel()
	vm := jsonnet.MakeVM()
	for _, f := range natives() {
		vm.NativeFunction(f)
	}
	for _, args := range []string{
		`'%s', ['a']`, `'%d', 7`, `'%5d|%-5d|%05d|%+d|% d', [1, 2, 3, 4, 5]`, `'%x %X %#x %o %#o', [255, 255, 255, 8, 8]`,
		`'%5.2f|%.3f|%e|%g', [3.14159, 2, 12345.678, 0.5]`, `'%s %s %s', [true, null, 0.1]`, `'%s', [[1, 'a', { b: 2 }]]`, `'%s', [{}]`,
		`'%(a)s-%(b)03d', { a: 'x', b: 7 }`, `'%%', []`, `'%c%c', [65, 'b']`, `'%10s|%-10s|', ['a', 'b']`, `'%*d', [5, 42]`, `'%.2s', ['abc']`,
		`'%d', [-3.7]`, `'%i', 1e15`, `'%5%|', []`, `'plain', []`, `'%s', 'str'`, `'%s', [1.5]`, `'%05d', -42`, `'é%3s', ['ü']`, `'%s', [[]]`,
	} {
		want, err := vm.EvaluateAnonymousSnippet("a", "std.format("+args+")")
		got, gotErr := vm.EvaluateAnonymousSnippet("b", "std.native('format')("+args+")")
		if (err == nil) != (gotErr == nil) || got != want {
			t.Errorf("%s: native gives %s %v, std gives %s %v", args, got, gotErr, want, err)
		}
	}
}

// The rewritten calls give what the interpreted ones give.
func TestSpeedUp(t *testing.T) {
	t.Parallel()
	program := `local n = { a: 'x', hidden:: 2 };
local std2 = std;
{ etc: { all: { list: [
  '%s-%d' % ['a', 1], '%(a)s%(hidden)d' % n, std.format('%03d', 7), '%(k)s' % { k: 'v' },
  { name: 'q', text: '%(name)s.service' % self }.text, '%s' % n.a, local f = '%s!'; f % ['x'], 7 % 4, ('%' + 's') % 'y', '%%%(a)s' % n,
] } } }
`
	out, diags := Run(context.Background(), options(module(t, map[string]string{"p.jsonnet": program}), cty.EmptyObjectVal))
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	want := `["a-1", "x2", "007", "v", "q.service", "x", "x!", 3, "y", "%x"]`
	if got := types.Literal(out.Etc[0].Attr("list").Value); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

package archtest

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path"
	"strings"
	"testing"
)

const module = "github.com/unitgen/unitgen"

// A rule forbids packages to import others. Patterns are relative to the
// module when they begin with "./", and import paths otherwise; "/..." at the
// end stands for everything below.
type rule struct {
	name   string
	of     []string // the packages the rule is for
	but    []string // except these
	never  []string // what they may not import
	except []string // except these
	why    string
}

var rules = []rule{
	{
		name: "schema knows only itself", of: []string{"./schema/..."},
		never: []string{"./..."}, except: []string{"./schema/..."},
		why: "schema is what systemd defines; everything else builds on it",
	},
	{
		name: "the result does not know the language", of: []string{"./emit/...", "./runtime/..."},
		never: []string{"./compile/..."},
		why:   "trees made by others are emitted, planned and run the same",
	},
	{
		name: "compile does not know what becomes of a tree", of: []string{"./compile/..."},
		never: []string{"./emit/...", "./runtime/..."},
		why:   "a build is a function of its input",
	},
	{
		name: "emit does not know running state", of: []string{"./emit/..."},
		never: []string{"./runtime/..."},
		why:   "a build writes nothing but its output",
	},
	{
		name: "one user of go-jsonnet", of: []string{"./..."}, but: []string{"./compile/internal/generate"},
		never: []string{"github.com/google/go-jsonnet/..."},
		why:   "generators are one stage of the compiler",
	},
	{
		name: "HCL stays in the compiler", of: []string{"./..."}, but: []string{"./compile/...", "./cmd/unitgen", "./cmd/unitgen/internal/lsp"},
		never: []string{"github.com/hashicorp/hcl/...", "github.com/zclconf/go-cty/..."},
		why:   "only the compiler knows the language; the command knows it to format and to complete",
	},
	{
		name: "the pure cores make no system calls", of: []string{"./runtime/plan", "./runtime/transaction"},
		never: []string{"golang.org/x/sys/...", "os/exec", "syscall", "net", "./runtime/bus/...", "./runtime/manager/..."},
		why:   "the planner and the job engine are functions from values to values",
	},
	{
		name: "the manager knows no wire", of: []string{"./runtime/manager/..."},
		never: []string{"github.com/godbus/dbus/..."},
		why:   "runtime/bus encodes; the manager implements bus.Backend",
	},
	{
		name: "activation and status speak one protocol", of: []string{"./runtime/activation/...", "./runtime/ctl/...", "./runtime/plan"},
		never: []string{"./runtime/manager/..."},
		why:   "the machine's systemd and the bundled manager are the same to them",
	},
	{
		name: "flags are read in cmd", of: []string{"./..."}, but: []string{"./cmd/unitgen"},
		never: []string{"flag", "github.com/spf13/..."},
		why:   "only the command knows its command line",
	},
	{
		name: "nobody imports the command", of: []string{"./..."}, but: []string{"./cmd/..."},
		never: []string{"./cmd/..."},
		why:   "it is the outermost room",
	},
}

// programs are small generators behind go:generate lines, main packages of
// their own: they may read flags and exit.
var programs = []string{"./schema/directive/gen", "./runtime/bus/gen", "./runtime/manager/seccomp/gen"}

type listed struct {
	ImportPath string
	Name       string
	Imports    []string
}

func packages(t *testing.T) []listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-e", "-json=ImportPath,Name,Imports", module+"/...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []listed
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

func TestImportRules(t *testing.T) {
	t.Parallel()
	all := packages(t)
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			for _, p := range all {
				if !matches(p.ImportPath, r.of) || matches(p.ImportPath, r.but) || matches(p.ImportPath, programs) {
					continue
				}
				for _, imported := range p.Imports {
					if matches(imported, r.never) && !matches(imported, r.except) {
						t.Errorf("%s imports %s: %s", p.ImportPath, imported, r.why)
					}
				}
			}
		})
	}
}

func TestPackageNames(t *testing.T) {
	t.Parallel()
	for _, p := range packages(t) {
		switch path.Base(p.ImportPath) {
		case "util", "utils", "helper", "helpers", "misc", "common", "shared", "lib":
			t.Errorf("%s: the name does not say what the package is for", p.ImportPath)
		}
		if p.Name == "main" && !matches(p.ImportPath, []string{"./cmd/..."}) && !matches(p.ImportPath, programs) {
			t.Errorf("%s is a command outside cmd/ that archtest does not know", p.ImportPath)
		}
	}
}

func matches(importPath string, patterns []string) bool {
	for _, p := range patterns {
		if p == "./..." {
			if importPath == module || strings.HasPrefix(importPath, module+"/") {
				return true
			}
			continue
		}
		if rest, ok := strings.CutPrefix(p, "./"); ok {
			p = module + "/" + rest
		}
		base, tree := strings.CutSuffix(p, "/...")
		if importPath == base || tree && strings.HasPrefix(importPath, base+"/") {
			return true
		}
	}
	return false
}

func TestMatches(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		path, pattern string
		want          bool
	}{
		{module, "./...", true},
		{module + "/schema", "./schema/...", true},
		{module + "/schema/value", "./schema/...", true},
		{module + "/schemata", "./schema/...", false},
		{module + "/schema/value", "./schema", false},
		{"github.com/hashicorp/hcl/v2/hclsyntax", "github.com/hashicorp/hcl/...", true},
		{"github.com/hashicorp/hcl2", "github.com/hashicorp/hcl/...", false},
		{"flag", "flag", true},
	} {
		if got := matches(c.path, []string{c.pattern}); got != c.want {
			t.Errorf("matches(%q, %q) = %v", c.path, c.pattern, got)
		}
	}
}

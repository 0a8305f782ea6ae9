package ugtest

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/unitgen/unitgen/schema/diag"
	"github.com/unitgen/unitgen/schema/tree"
)

// render is a small stand-in for the renderer of trees.
func render(t *tree.Tree) ([]Entry, diag.List) {
	var out []Entry
	for _, f := range t.Files {
		out = append(out, Entry{Path: f.Path, Mode: uint32(f.Mode.Perm()), Content: f.Content})
	}
	for _, u := range t.Units {
		out = append(out, Entry{Path: "etc/systemd/system/" + u.Name, Mode: 0o644, Content: u.File.Bytes()})
	}
	return out, nil
}

const host = `host "t" { systemd = 252 }
option "port" {
  type    = port
  default = 80
}
option "words" {
  type    = list(string)
  default = []
}
service "app" {
  ExecStart = "/bin/app --port ${option.port}"
  After     = ["network.target"]
}
etc "app.conf" { json = { port = option.port } }
`

func runTests(t *testing.T, dir, text string, o Options) ([]Result, diag.List) {
	t.Helper()
	for name, content := range map[string]string{"host.ug.hcl": host, "t.ugtest.hcl": text} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	files, err := Find([]string{dir})
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	o.Render = render
	return Run(context.Background(), files, o)
}

func TestRuns(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ body, want string }{
		"passes":           {"assert {\n" + `condition = unit["app.service"].ExecStart == ["/bin/app --port 80"] && unit["app.service"].After == ["network.target"]` + "\n" + ` message = "m"` + "\n}", ""},
		"section":          {"assert {\n" + `condition = unit["app.service"].section.Unit.After == ["network.target"]` + "\n" + `message = "m"` + "\n}", ""},
		"etc":              {"assert {\n" + `condition = etc["app.conf"].mode == "0644" && jsondecode(etc["app.conf"].text).port == 80` + "\n" + `message = "m"` + "\n}", ""},
		"config":           {"config { port = 81 }\nassert {\ncondition = option.port == 81\nmessage = \"m\"\n}", ""},
		"shows operands":   {"assert {\n" + `condition = option.port == 81` + "\n" + `message = "the port"` + "\n}", "the port\n  option.port is 80"},
		"bad condition":    {"assert {\n" + `condition = unit["none.service"].ExecStart == []` + "\n" + `message = "m"` + "\n}", "Invalid index"},
		"no bool":          {"assert {\n" + `condition = 5` + "\n" + `message = "m"` + "\n}", "must be true or false"},
		"error":            {`config { port = "x" }`, "must be a number"},
		"expected":         {"config { port = \"x\" }\nexpect { message = \"must be a number\" }", ""},
		"expected by code": {"config { port = \"x\" }\nexpect { code = \"E0403\" }", ""},
		"missing":          {`expect { message = "never" }`, `no error that says "never" came`},
		"no golden":        {`golden = "g.txtar"`, "there is no golden file"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			res, diags := runTests(t, t.TempDir(), "run \"r\" {\n"+tc.body+"\n}\n", Options{})
			if diags.HasErrors() || len(res) != 1 {
				t.Fatal(diags, res)
			}
			switch {
			case tc.want == "" && !res[0].Passed:
				t.Errorf("%+v", res[0].Failures)
			case tc.want != "" && (len(res[0].Failures) != 1 || !strings.Contains(res[0].Failures[0].Message, tc.want)):
				t.Errorf("%+v, want %q", res[0].Failures, tc.want)
			}
		})
	}
}

func TestGolden(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	text := "run \"r\" {\n  golden = \"g.txtar\"\n}\n"
	if res, _ := runTests(t, dir, text, Options{Update: true}); !res[0].Passed || res[0].Updated == "" {
		t.Fatalf("%+v", res)
	}
	if res, _ := runTests(t, dir, text, Options{}); !res[0].Passed {
		t.Fatalf("%+v", res)
	}
	res, _ := runTests(t, dir, "run \"r\" {\n  golden = \"g.txtar\"\n  config { port = 81 }\n}\n", Options{})
	if res[0].Passed || !strings.Contains(res[0].Failures[0].Message, "+   \"port\": 81") {
		t.Fatalf("%+v", res)
	}
}

func TestInvalidFiles(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`service "x" {}`:                              "holds run",
		"run \"a\" {}\nrun \"a\" {}":                  "stands in the file twice",
		"run \"a\" { hots = \"x\" }":                  `Did you mean "host"?`,
		"run \"a\" {\n asert {}\n}":                   `Did you mean "assert"?`,
		"run \"a\" {\n assert {}\n}":                  "condition and message",
		"run \"a\" {\n expect { message = \"[\" }\n}": "regular expression",
		"run \"a\" {\n expect { severty = \"x\" }\n}": `Did you mean "severity"?`,
		"run \"a\" {\n expect { line = 1.5 }\n}":      "number of a line",
		"run \"a\" {\n config = {}\n}":                "is a block",
		"run \"a\" {\n assert \"x\" {}\n}":            "nothing else",
		"run {}":                                      "one label",
		"rum \"a\" {}":                                "Did you mean \"run\"?",
		"run \"a\" {":                                 "",
	} {
		_, diags := runTests(t, t.TempDir(), text, Options{})
		if len(diags) != 1 || !strings.Contains(diags[0].Detail, want) {
			t.Errorf("%s: %v", text, diags)
		}
	}
}

package main

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/unitgen/unitgen/internal/testenv"
)

// unitgenRun runs the command with arguments and stdin.
func unitgenRun(t *testing.T, in string, args ...string) (code int, out, errOut string) {
	t.Helper()
	var o, e bytes.Buffer
	code = execute(args, strings.NewReader(in), &o, &e)
	return code, o.String(), e.String()
}

func hostDir(t *testing.T, files map[string]string) string {
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

const smallHost = `host "h" {
  systemd = 252
  imports = ["./app"]
}
config "app" {
  port = 8081
}
service "front" {
  ExecStart = "/bin/front"
  Requires  = [service.app]
  After     = [service.app]
  WantedBy  = ["multi-user.target"]
}
`

const smallModule = `module "app" {
  description = "An application"
}
option "port" {
  type        = port
  default     = 8080
  example     = 80
  description = "Port to listen on."
}
option "hidden" {
  type     = bool
  default  = false
  internal = true
}
service "app" {
  ExecStart = "/bin/app ${option.port}"
}
timer "app" {
  OnCalendar = "daily"
}
`

func TestFmtCommand(t *testing.T) {
	ugly := "locals {\na=1\n  bcd = 2\n}\n"
	nice := "locals {\n  a   = 1\n  bcd = 2\n}\n"
	dir := hostDir(t, map[string]string{"x.ug.hcl": ugly, "sub/y.ug.hcl": nice, ".git/z.ug.hcl": ugly, "other.hcl": ugly, "t.ugtest.hcl": "run \"a\" {\ngolden=\"g\"\n}\n"})
	code, out, _ := unitgenRun(t, "", "fmt", "--check", "--diff", dir)
	if code != exitWrong || !strings.Contains(out, "-a=1") || !strings.Contains(out, "+  a   = 1") || strings.Contains(out, ".git") || strings.Contains(out, "other.hcl") {
		t.Errorf("%d\n%s", code, out)
	}
	if b, _ := os.ReadFile(filepath.Join(dir, "x.ug.hcl")); string(b) != ugly {
		t.Error("--check wrote")
	}
	if err := os.Chmod(filepath.Join(dir, "x.ug.hcl"), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, _ = unitgenRun(t, "", "fmt", dir)
	if b, _ := os.ReadFile(filepath.Join(dir, "x.ug.hcl")); code != exitDone || string(b) != nice || strings.Count(out, "\n") != 2 {
		t.Errorf("%d %q %q", code, out, b)
	}
	if st, _ := os.Stat(filepath.Join(dir, "x.ug.hcl")); st.Mode().Perm() != 0o600 {
		t.Errorf("the mode became %v", st.Mode())
	}
	if code, out, _ = unitgenRun(t, "", "fmt", "--check", dir); code != exitDone || out != "" {
		t.Errorf("%d %q", code, out)
	}
	if code, out, _ = unitgenRun(t, ugly, "fmt", "-"); code != exitDone || out != nice {
		t.Errorf("%d %q", code, out)
	}
	if code, out, errOut := unitgenRun(t, "locals {", "fmt", "-"); code != exitWrong || out != "" || !strings.Contains(errOut, "stdin:1") {
		t.Errorf("%d %q %q", code, out, errOut)
	}
	if code, _, errOut := unitgenRun(t, "", "fmt", filepath.Join(dir, "none")); code != exitWrong || !strings.Contains(errOut, "no such file") {
		t.Errorf("%d %q", code, errOut)
	}
}

func TestOptionsCommand(t *testing.T) {
	dir := hostDir(t, map[string]string{"host.ug.hcl": smallHost, "app/app.ug.hcl": smallModule})
	for _, tc := range []struct {
		args []string
		code int
		want []string
	}{
		{nil, exitDone, []string{"app: An application", "    port", "nginx: "}},
		{[]string{"app"}, exitDone, []string{"config.app.port", "type      port", "default   8080", "example   80", "Port to listen on.", "app/app.ug.hcl:4:1"}},
		{[]string{"app.port"}, exitDone, []string{"config.app.port"}},
		{[]string{"nginx.sites"}, exitDone, []string{"map(submodule({", "Virtual hosts"}},
		{[]string{"nginy"}, exitWrong, []string{`did you mean "nginx"?`}},
		{[]string{"app.prt"}, exitWrong, []string{`did you mean "port"?`}},
		{[]string{"--markdown", "app"}, exitDone, []string{"## app", "### `config.app.port`", "- default: `8080`"}},
		{[]string{"--internal", "app"}, exitDone, []string{"config.app.hidden"}},
	} {
		code, out, errOut := unitgenRun(t, "", append([]string{"options", "--dir", dir}, tc.args...)...)
		for _, w := range tc.want {
			if code != tc.code || !strings.Contains(out+errOut, w) {
				t.Errorf("%v: %d, no %q in\n%s%s", tc.args, code, w, out, errOut)
			}
		}
	}
	if _, out, _ := unitgenRun(t, "", "options", "--dir", dir, "app"); strings.Contains(out, "hidden") {
		t.Error("an internal option is shown")
	}
	_, out, _ := unitgenRun(t, "", "options", "--dir", dir, "--json", "app.port")
	var j struct {
		Modules []struct {
			Name    string
			Options []struct {
				Path, Type, Default string
				Shape               struct{ Kind string }
			}
		}
	}
	if err := json.Unmarshal([]byte(out), &j); err != nil || len(j.Modules) != 1 || j.Modules[0].Options[0].Path != "config.app.port" || j.Modules[0].Options[0].Shape.Kind != "port" {
		t.Errorf("%v\n%s", err, out)
	}
	pages := filepath.Join(t.TempDir(), "pages")
	if code, _, errOut := unitgenRun(t, "", "options", "--dir", dir, "--html", pages); code != exitDone {
		t.Fatal(errOut)
	}
	index, err := os.ReadFile(filepath.Join(pages, "index.html"))
	if err != nil || !strings.Contains(string(index), `href="app.html"`) {
		t.Errorf("%v %s", err, index)
	}
	if page, err := os.ReadFile(filepath.Join(pages, "app.html")); err != nil || !strings.Contains(string(page), `id="port"`) {
		t.Errorf("%v %s", err, page)
	}
	// Without a configuration, the bundled modules are there all the same.
	if code, out, _ := unitgenRun(t, "", "options", "--dir", t.TempDir(), "redis"); code != exitDone || !strings.Contains(out, "config.redis.enable") {
		t.Errorf("%d %s", code, out)
	}
}

func TestGraphCommand(t *testing.T) {
	dir := hostDir(t, map[string]string{"host.ug.hcl": smallHost, "app/app.ug.hcl": smallModule})
	run := func(want int, args ...string) string {
		t.Helper()
		code, out, errOut := unitgenRun(t, "", append([]string{"graph", dir}, args...)...)
		if code != want {
			t.Fatalf("%v: %d\n%s", args, code, errOut)
		}
		return out + errOut
	}
	dot := run(exitDone)
	for _, want := range []string{`"front.service" -> "app.service" [label="Requires"`, `"multi-user.target" -> "front.service" [label="Wants"`, `"app.timer" -> "app.service" [label="Triggers"`, `"multi-user.target" [style=dashed]`} {
		if !strings.Contains(dot, want) {
			t.Errorf("no %s in\n%s", want, dot)
		}
	}
	if strings.Contains(dot, "After") || !strings.Contains(run(exitDone, "--all"), "After") {
		t.Error("an ordering that repeats a requirement is drawn with --all only")
	}
	if m := run(exitDone, "--format", "mermaid", "--modules"); !strings.Contains(m, "extends") || !strings.Contains(m, `["app"]`) {
		t.Error(m)
	}
	var j struct{ Nodes, Edges []map[string]any }
	if err := json.Unmarshal([]byte(run(exitDone, "--format", "json", "--unit", "app.timer")), &j); err != nil || len(j.Nodes) != 2 || len(j.Edges) != 1 {
		t.Errorf("%v %v", err, j)
	}
	svg := xml.NewDecoder(strings.NewReader(run(exitDone, "--format", "svg")))
	for {
		if _, err := svg.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if out := run(exitWrong, "--unit", "frnt.service"); !strings.Contains(out, "did you mean") {
		t.Error(out)
	}
	if out := run(exitWrong, "--format", "png"); !strings.Contains(out, "none of dot") {
		t.Error(out)
	}
}

// A graph with a cycle is drawn, and a large one in no time.
func TestGraphLayers(t *testing.T) {
	g := &graph{}
	for _, n := range []string{"a", "b", "c", "d"} {
		g.Nodes = append(g.Nodes, graphNode{ID: n})
	}
	for _, e := range [][2]string{{"a", "b"}, {"b", "c"}, {"c", "a"}, {"a", "d"}} {
		g.Edges = append(g.Edges, graphEdge{e[0], e[1], "Wants"})
	}
	g.sort()
	seen := 0
	for _, l := range g.layers() {
		seen += len(l)
	}
	if seen != 4 {
		t.Errorf("%v", g.layers())
	}
	big := &graph{}
	prev := ""
	for i := range 20000 {
		n := "u" + strconv.Itoa(i)
		big.Nodes = append(big.Nodes, graphNode{ID: n})
		if prev != "" {
			big.Edges = append(big.Edges, graphEdge{prev, n, "Wants"})
		}
		prev = n
	}
	if n := len(big.layers()); n != 20000 {
		t.Errorf("%d layers", n)
	}
}

func TestTestCommand(t *testing.T) {
	dir := hostDir(t, map[string]string{
		"host.ug.hcl": smallHost, "app/app.ug.hcl": smallModule,
		"h.ugtest.hcl": "run \"good\" {\n  assert {\n    condition = config.app.port == 8081\n    message = \"port\"\n  }\n}\nrun \"bad\" {\n  config \"app\" {\n    port = 1\n  }\n  assert {\n    condition = config.app.port == 8081\n    message = \"port\"\n  }\n}\nrun \"gold\" {\n  golden = \"g.txtar\"\n}\n",
	})
	code, out, _ := unitgenRun(t, "", "test", dir)
	if code != exitWrong || !strings.Contains(out, "1 passed, 2 failed") || !strings.Contains(out, "config.app.port is 1") {
		t.Errorf("%d\n%s", code, out)
	}
	if code, out, _ = unitgenRun(t, "", "test", dir, "--run", "go(od|ld)", "--update"); code != exitDone {
		t.Errorf("%d\n%s", code, out)
	}
	gold, err := os.ReadFile(filepath.Join(dir, "g.txtar"))
	if err != nil || !strings.Contains(string(gold), "-- etc/systemd/system/multi-user.target.wants/front.service -> ../front.service --") {
		t.Errorf("%v\n%s", err, gold)
	}
	code, out, _ = unitgenRun(t, "", "test", dir, "--json")
	var j struct{ Passed, Failed int }
	if err := json.Unmarshal([]byte(out), &j); err != nil || code != exitWrong || j.Passed != 2 || j.Failed != 1 {
		t.Errorf("%v %d\n%s", err, code, out)
	}
	if code, _, errOut := unitgenRun(t, "", "test", t.TempDir()); code != exitWrong || !strings.Contains(errOut, "no *.ugtest.hcl") {
		t.Errorf("%d %s", code, errOut)
	}
}

func TestGetCommand(t *testing.T) {
	testenv.Need(t, "git")
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	repo := hostDir(t, map[string]string{"m/m.ug.hcl": "module \"m\" {}\nservice \"m\" {\n  ExecStart = \"/bin/one\"\n}\n"})
	git := func(args ...string) {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-c", "user.name=a", "-c", "user.email=a@example.org"}, args...)...)
		cmd.Dir = repo
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	git("init", "-q", "-b", "main")
	git("add", ".")
	git("commit", "-q", "-m", "one")
	dir := hostDir(t, map[string]string{"host.ug.hcl": "host \"h\" {\n  imports = [\"git::file://" + repo + "//m?ref=main\"]\n}\n"})
	if code, _, errOut := unitgenRun(t, "", "check", dir); code != exitWrong || !strings.Contains(errOut, "unitgen get") {
		t.Errorf("%d %s", code, errOut)
	}
	built := func() string {
		t.Helper()
		out := filepath.Join(t.TempDir(), "out")
		if code, _, errOut := unitgenRun(t, "", "build", dir, "--out", out); code != exitDone {
			t.Fatalf("%d %s", code, errOut)
		}
		b, err := os.ReadFile(filepath.Join(out, "etc/systemd/system/m.service"))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	if code, out, errOut := unitgenRun(t, "", "get", dir); code != exitDone || !strings.HasPrefix(out, "added") {
		t.Fatalf("%d %s%s", code, out, errOut)
	}
	if b := built(); !strings.Contains(b, "/bin/one") || strings.Contains(b, os.Getenv("XDG_CACHE_HOME")) {
		t.Error(b)
	}
	if err := os.WriteFile(filepath.Join(repo, "m/m.ug.hcl"), []byte("module \"m\" {}\nservice \"m\" {\n  ExecStart = \"/bin/two\"\n}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	git("commit", "-q", "-a", "-m", "two")
	if _, out, _ := unitgenRun(t, "", "get", dir); !strings.HasPrefix(out, "kept") || !strings.Contains(built(), "/bin/one") {
		t.Error(out)
	}
	if _, out, _ := unitgenRun(t, "", "get", dir, "--update"); !strings.HasPrefix(out, "updated") || !strings.Contains(built(), "/bin/two") {
		t.Error(out)
	}
}

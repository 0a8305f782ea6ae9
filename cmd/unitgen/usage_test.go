package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

func TestUsage(t *testing.T) {
	for _, x := range []struct{ args, want string }{
		{"import", "PATH… is missing: unitgen import PATH…; see unitgen import --help"},
		{"new", "DIR is missing: unitgen new DIR; see unitgen new --help"},
		{"new a b", "2 arguments given, too many: unitgen new DIR; see unitgen new --help"},
		{"swich", `there is no command "unitgen swich"; did you mean "switch"?`},
		{"check --hots", "unitgen check has no flag --hots; did you mean --host?"},
		{"check --sysrot=/", "unitgen check has no flag --sysrot; did you mean --sysroot?"},
		{"check -Z", "unitgen check has no flag -Z; see unitgen check --help"},
		{"check --qqqqqqqqqq", "unitgen check has no flag --qqqqqqqqqq; see unitgen check --help"},
		{"check --host", "--host needs a value, as in --host VALUE; see unitgen check --help"},
		{"help swich", `there is no command "unitgen swich"; did you mean "switch"?`},
		{"help generations lits", `there is no command "unitgen generations lits"; did you mean "list"?`},
		{"help code", `there is no command "unitgen code"; did you mean "codes"?`},
		{"generations lits", `there is no command "unitgen generations lits"; did you mean "list"?`},
		{"generations diff 1", "B is missing: unitgen generations diff A B; see unitgen generations diff --help"},
		{"status foo", `unitgen status takes no argument, and "foo" is one; see unitgen status --help`},
		{"analyze calender", `there is no command "unitgen analyze calender"; did you mean "calendar"?`},
		{"analyze compare-versions 1", "VERSION2 is missing: unitgen analyze compare-versions VERSION1 [OP] VERSION2; see unitgen analyze compare-versions --help"},
		{"explain", "PATH is missing: unitgen explain PATH [DIR]; see unitgen explain --help"},
	} {
		var out, errw bytes.Buffer
		code := execute(strings.Fields(x.args), strings.NewReader(""), &out, &errw)
		if got := strings.TrimSpace(errw.String()); code != exitWrong || got != "unitgen: "+x.want {
			t.Errorf("%s: exit code %d\n%s\nwant\n%s", x.args, code, got, x.want)
		}
	}
}

func writeTestFile(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestManyHosts is about directories with several hosts and no choice.
func TestManyHosts(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	dir := t.TempDir()
	writeTestFile(t, dir+"/host.ug.hcl", "host \"a\" { systemd = 252 }\nhost \"b\" {\n  systemd = 247\n}\nservice \"x\" {\n  ExecStart = \"/bin/x\"\n  OpenFile = \"/etc/x\"\n}\n")
	for _, x := range []struct {
		args, out, err string
		code           int
	}{
		{"options nginx --dir", "\nconfig.nginx.enable\n", "", 0},
		{"options config.nginx.enable --dir", "config.nginx.enable\n", "", 0},
		{"options ngnix --dir", "", `there is no bundled module "ngnix"; did you mean "nginx"?`, 1},
		{"options zzzzzzz --dir", "", "error[E0213]", 1},
		{"check", "", "error[E0213]", 1},
		{"check --all-hosts", "", "a: wrong\nerror[E0502]", 1},
		{"check --all-hosts --host a", "", "--all-hosts and --host exclude each other", 1},
		{"check --host a --json", `"code": "E0502"`, "", 1},
	} {
		var out, errw bytes.Buffer
		code := execute(append(strings.Fields(x.args), dir), strings.NewReader(""), &out, &errw)
		if code != x.code || !strings.Contains(out.String(), x.out) || !strings.Contains(errw.String(), x.err) {
			t.Errorf("%s: exit code %d\n%s\n%s", x.args, code, out.String(), errw.String())
		}
	}
}

// TestMissingDirectory shows that every command reports it as the compiler does.
func TestMissingDirectory(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	state, nowhere := t.TempDir(), t.TempDir()+"/nowhere"
	for _, args := range []string{"check", "build --state " + state, "plan --state " + state, "test", "fmt", "get", "graph", "explain option.x", "options --dir"} {
		var out, errw bytes.Buffer
		code := execute(append(strings.Fields(args), nowhere), strings.NewReader(""), &out, &errw)
		if code != exitWrong || !strings.HasPrefix(errw.String(), "error[E0106]: Directory cannot be read\n") {
			t.Errorf("%s: exit code %d\n%s", args, code, errw.String())
		}
	}
}

func TestNoRunMatches(t *testing.T) {
	dir := t.TempDir()
	writeTestFile(t, dir+"/host.ug.hcl", "host \"h\" { systemd = 252 }\n")
	writeTestFile(t, dir+"/a.ugtest.hcl", "run \"one\" {\n}\n")
	var out, errw bytes.Buffer
	if code := execute([]string{"test", dir, "--run", "nothing"}, strings.NewReader(""), &out, &errw); code != exitWrong || !strings.Contains(errw.String(), `no run matches --run "nothing"`) {
		t.Errorf("exit code %d: %s", code, errw.String())
	}
}

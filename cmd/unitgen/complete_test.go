package main

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/unitgen/unitgen/runtime/generation"
)

// TestComplete asks for completions as the shells do.
func TestComplete(t *testing.T) {
	dir, root := t.TempDir(), t.TempDir()
	writeTestFile(t, dir+"/host.ug.hcl", "host \"web1\" { systemd = 252 }\nhost \"web2\" { systemd = 252 }\noption \"port\" {\n  type = number\n  default = 1\n}\nvariant \"debug\" {}\nservice \"app\" {\n  ExecStart = \"/bin/app\"\n}\n")
	if err := os.MkdirAll(root+"/etc/systemd/system", 0o755); err != nil {
		t.Fatal(err)
	}
	writeTestFile(t, root+"/etc/systemd/system/mine.service", "[Service]\nExecStart=/bin/mine\n")
	alone := t.TempDir()
	writeTestFile(t, alone+"/host.ug.hcl", "host \"one\" { systemd = 252 }\nservice \"app\" {\n  ExecStart = \"/bin/app\"\n}\noption \"port\" {\n  type = number\n  default = 1\n}\nvariant \"debug\" {}\n")
	t.Chdir(alone)
	site := newSite(t)
	for _, exec := range []string{"/bin/a", "/bin/b"} {
		site.host(exec)
		built, _ := site.run(0, "build", site.dir, "--state", site.state)
		st := generation.Open(site.state)
		g, err := st.Create(strings.TrimSpace(built))
		if err != nil {
			t.Fatal(err)
		}
		if err := st.SetCurrent(g.Number); err != nil {
			t.Fatal(err)
		}
	}
	state := site.state
	for _, x := range []struct {
		args      string
		want, not []string
		directive string
	}{
		{"ctl ", []string{"restart", "list-units", "enable", "is-enabled"}, nil, ":4"},
		{"ctl rest", []string{"restart"}, []string{"list-units"}, ":4"},
		{"ctl --root=" + root + " enable ", []string{"mine.service"}, nil, ":4"},
		{"check " + dir + " --host ", []string{"web1", "web2"}, nil, ":4"},
		{"check --variant ", []string{"debug"}, nil, ":4"},
		{"build --format ", []string{"dir", "oci", "erofs"}, nil, ":4"},
		{"graph --format m", []string{"mermaid"}, []string{"dot"}, ":4"},
		{"switch --on-failure ", []string{"rollback", "keep"}, nil, ":4"},
		{"switch --units ", []string{"generator"}, nil, ":4"},
		{"rollback --state " + state + " ", []string{"1", "2"}, nil, ":4"},
		{"generations diff --state " + state + " 1 ", []string{"2"}, []string{"1"}, ":4"},
		{"ctl --state " + state + " restart ", []string{"app.service"}, nil, ":4"},
		{"logs --state " + state + " ", []string{"app.service"}, nil, ":4"},
		{"help E03", []string{"E0301"}, []string{"E0401"}, ":4"},
		{"help sw", []string{"switch"}, nil, ":4"},
		{"options ng", []string{"nginx"}, nil, ":4"},
		{"options nginx.s", []string{"nginx.sites"}, nil, ":4"},
		{"options --dir " + dir + " ng", []string{"nginx"}, nil, ":4"},
		{"explain ", []string{"option.port", "service.app"}, nil, ":4"},
		{"analyze ", []string{"verify", "calendar"}, nil, ":4"},
		{"analyze transaction --root " + root + " ", []string{"start", "stop"}, nil, ":4"},
		{"analyze transaction --root " + root + " start ", []string{"mine.service"}, nil, ":4"},
		{"analyze dump --root " + root + " m", []string{"mine.service"}, nil, ":4"},
		{"check ", nil, nil, ":16"},
		{"switch --state ", nil, nil, ":16"},
		{"import ", nil, nil, ":0"},
		{"status ", nil, nil, ":4"},
	} {
		var out, errw bytes.Buffer
		args := append([]string{"__complete"}, strings.Split(x.args, " ")...)
		if code := execute(args, strings.NewReader(""), &out, &errw); code != exitDone {
			t.Errorf("%s: exit code %d: %s", x.args, code, errw.String())
			continue
		}
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		var got []string
		for _, l := range lines {
			w, _, _ := strings.Cut(l, "\t")
			got = append(got, w)
		}
		for _, w := range x.want {
			if !slices.Contains(got, w) {
				t.Errorf("%s: no %s in %q", x.args, w, got)
			}
		}
		for _, w := range x.not {
			if slices.Contains(got, w) {
				t.Errorf("%s: %s in %q", x.args, w, got)
			}
		}
		if last := lines[len(lines)-1]; last != x.directive {
			t.Errorf("%s: %s, want %s", x.args, last, x.directive)
		}
	}
}

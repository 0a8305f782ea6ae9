package compile

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestIncrementalIsNeverWrong changes files of a large clean host and wants of
// the check after it what a check of everything says.
func TestIncrementalIsNeverWrong(t *testing.T) {
	edit := func(file, old, new string) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			b, err := os.ReadFile(filepath.Join(dir, file))
			if err != nil || !strings.Contains(string(b), old) {
				t.Fatal(err, old)
			}
			put(t, dir, file, strings.Replace(string(b), old, new, 1))
		}
	}
	const f = "services-0003.ug.hcl"
	for name, c := range map[string]struct {
		change func(t *testing.T, dir string)
		quick  bool // the change alone is checked
	}{
		"a value":            {edit(f, `RestartSec      = "5s"`, `RestartSec = "6s"`), true},
		"an expression":      {edit(f, `User            = option.user`, `User = lower(option.user)`), true},
		"a wrong value":      {edit(f, `RestartSec      = "5s"`, `RestartSec = "6 parsecs"`), false},
		"a syntax error":     {edit(f, `RestartSec      = "5s"`, `RestartSec = `), false},
		"an unknown option":  {edit(f, `User            = option.user`, `User = option.usr`), false},
		"no command":         {edit(f, `ExecStart       = `, `ExecStopPost = `), false},
		"a unit renamed":     {edit(f, `service "app-00031"`, `service "renamed"`), false},
		"a unit twice":       {edit(f, `service "app-00031"`, `service "app-00001"`), false},
		"a unit off":         {edit(f, `RestartSec      = "5s"`, `enable = false`), false},
		"a cycle":            {edit("services-0000.ug.hcl", `"basic.target"`, `"basic.target", service.app-00001`), false},
		"a claim":            {edit(f, `RestartSec      = "5s"`, "BusName = \"org.x\"\n  PIDFile = \"/run/x.pid\""), true},
		"an unknown unit":    {edit(f, `"network-online.target", service`, `"nowhere.service", service`), false},
		"a directive read":   {edit(f, `User            = option.user`, `User = service.app-00001.User`), false},
		"an option":          {edit("host.ug.hcl", `default = "app"`, `default = "app2"`), false},
		"an option's type":   {edit("host.ug.hcl", `type    = string`, `type    = number`), false},
		"the version":        {edit("host.ug.hcl", `systemd = 252`, `systemd = 246`), false},
		"a file read":        {edit(f, `User            = option.user`, `User = trimspace(file("user.txt"))`), true},
		"another new file":   {func(t *testing.T, dir string) { put(t, dir, "x.ug.hcl", "service \"app-00001\" {\n  Nice = 99\n}\n") }, false},
		"a file gone":        {func(t *testing.T, dir string) { _ = os.Remove(filepath.Join(dir, f)) }, false},
		"another kind":       {edit(f, "\nservice", "\noption \"user\" {}\nservice"), false},
		"a socket without":   {edit(f, "\nservice", "\nsocket \"lonely\" {\n  ListenStream = \"80\"\n}\nservice"), false},
		"two definitions":    {edit(f, `RestartSec      = "5s"`, "RestartSec = \"5s\"\n}\nservice \"app-00030\" {\n  RestartSec = \"6s\""), false},
		"definitions agreed": {edit(f, `RestartSec      = "5s"`, "RestartSec = \"5s\"\n}\nservice \"app-00030\" {\n  RestartSec = \"5s\""), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			services(t, dir, 80, 8)
			put(t, dir, "user.txt", "app\n")
			o := Options{Dir: dir, Cache: t.TempDir()}
			if _, d := Check(context.Background(), o); len(d) > 0 {
				t.Fatal(d)
			}
			c.change(t, dir)
			want, _ := render(Compile(context.Background(), Options{Dir: dir}))
			r, d := Check(context.Background(), o)
			if got, _ := render(r, d); got != want {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
			if r.Stats.Cached != c.quick {
				t.Errorf("the change alone was checked: %t, want %t", r.Stats.Cached, c.quick)
			}
			// The record after it is as good as the first.
			r, d = Check(context.Background(), o)
			if got, _ := render(r, d); got != want {
				t.Errorf("the second time got:\n%s\nwant:\n%s", got, want)
			}
			if name == "a file read" {
				put(t, dir, "user.txt", "not a user!\n")
				want, _ := render(Compile(context.Background(), Options{Dir: dir}))
				if got, _ := render(Check(context.Background(), o)); got != want || want == "" {
					t.Errorf("after the file changed got:\n%s\nwant:\n%s", got, want)
				}
			}
		})
	}
}

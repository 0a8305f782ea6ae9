package load_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/unitgen/unitgen/internal/testenv"
	"github.com/unitgen/unitgen/schema/load"
	"github.com/unitgen/unitgen/schema/tree"
)

// TestSearchPathLikeSystemdAnalyze compares the load path under several
// environments.
func TestSearchPathLikeSystemdAnalyze(t *testing.T) {
	t.Parallel()
	testenv.Need(t, "systemd-analyze")
	for _, env := range []map[string]string{
		{}, {"HOME": "/h"}, {"HOME": "/h", "XDG_RUNTIME_DIR": "/run/user/7"}, {"SYSTEMD_UNIT_PATH": "/a:/b//c/::/d"}, {"SYSTEMD_UNIT_PATH": "/a:"},
		{"HOME": "/h", "XDG_CONFIG_HOME": "/c", "XDG_DATA_HOME": "/d", "XDG_CONFIG_DIRS": "/e:/f", "XDG_DATA_DIRS": "/g"},
	} {
		for _, scope := range []tree.Scope{tree.System, tree.User} {
			c := exec.Command("systemd-analyze", "--"+string(scope), "unit-paths")
			c.Env = []string{"PATH=" + os.Getenv("PATH")}
			for k, v := range env {
				c.Env = append(c.Env, k+"="+v)
			}
			out, err := c.Output()
			if err != nil {
				t.Fatal(err)
			}
			get := func(k string) string {
				if v, ok := env[k]; ok || k != "HOME" {
					return v
				}
				h, _ := os.UserHomeDir()
				return h
			}
			got := strings.Join(load.SearchPath(scope, get), "\n")
			if want := strings.TrimSpace(string(out)); got != want {
				t.Errorf("%s with %v: got\n%s\nwant\n%s", scope, env, got, want)
			}
		}
	}
}

package compile

import (
	"context"
	"strings"
	"testing"

	"github.com/unitgen/unitgen/schema/tree"
)

func TestMain(m *testing.M) {
	shardFrom, shardSize = 60, 25
	m.Run()
}

// TestShards wants of a large tree the same complaints in shards as at once,
// whatever is wrong in it.
func TestShards(t *testing.T) {
	for name, extra := range map[string]string{
		"nothing":          "",
		"no command":       "service \"x\" {\n  Description = \"x\"\n}\n",
		"ordering cycle":   "service \"x\" {\n  ExecStart = \"/bin/x\"\n  After = [service.y]\n}\nservice \"y\" {\n  ExecStart = \"/bin/y\"\n  After = [service.x]\n}\n",
		"default cycle":    "service \"x\" {\n  ExecStart = \"/bin/x\"\n  Before = [\"sysinit.target\"]\n}\n",
		"late cycle":       "service \"x\" {\n  ExecStart = \"/bin/x\"\n  After = [\"multi-user.target\"]\n  WantedBy = [\"multi-user.target\"]\n}\n",
		"missing":          "service \"x\" {\n  ExecStart = \"/bin/x\"\n  Requires = [\"nowhere.service\"]\n  After = [\"nowhere.service\"]\n}\n",
		"no order":         "service \"x\" {\n  ExecStart = \"/bin/x\"\n  Requires = [service.app-00001]\n}\n",
		"claim":            "service \"x\" {\n  ExecStart = \"/bin/x\"\n  Type = \"dbus\"\n  BusName = \"org.x\"\n}\nservice \"y\" {\n  ExecStart = \"/bin/x\"\n  Type = \"dbus\"\n  BusName = \"org.x\"\n}\n",
		"contradiction":    "service \"x\" {\n  ExecStart = \"/bin/x\"\n  After = [service.app-00002]\n  Before = [service.app-00002]\n}\n",
		"conflict":         "service \"x\" {\n  ExecStart = \"/bin/x\"\n  Conflicts = [service.app-00002]\n  Requires = [service.app-00002]\n  After = [service.app-00002]\n}\n",
		"lonely timer":     "timer \"x\" {\n  OnCalendar = \"daily\"\n}\n",
		"timer":            "timer \"x\" {\n  OnCalendar = \"daily\"\n}\nservice \"x\" {\n  ExecStart = \"/bin/x\"\n}\n",
		"timer of another": "timer \"x\" {\n  OnCalendar = \"daily\"\n  Unit = service.app-00001\n}\n",
		"shell":            "service \"x\" {\n  ExecStart = \"/bin/x | /bin/y\"\n}\n",
		"log namespace":    "service \"x\" {\n  ExecStart = \"/bin/x\"\n  LogNamespace = \"x\"\n}\n",
		"journal socket":   "socket \"systemd-journald\" {\n  ListenStream = \"/run/x\"\n  After = [service.app-00003]\n}\nservice \"systemd-journald\" {\n  ExecStart = \"/bin/x\"\n  DefaultDependencies = false\n}\n",
		"accepting socket": "socket \"x\" {\n  ListenStream = \"/run/x\"\n  Accept = true\n}\nservice \"x\" {\n  ExecStart = \"/bin/x\"\n}\n",
		"no effect":        "service \"x\" {\n  ExecStart = \"/bin/x\"\n  RestartSec = 5\n  KillMode = \"none\"\n}\n",
		"two commands":     "service \"x\" {\n  ExecStart = [\"/bin/x\", \"/bin/y\"]\n}\n",
		"odd values":       "service \"x\" {\n  ExecStart = \"/bin/x\"\n  Description = \" a \"\n  section \"X-Mine\" {\n    A = \" b\"\n  }\n}\n",
		"after itself":     "service \"x\" {\n  ExecStart = \"/bin/x\"\n  After = [\"x.service\"]\n}\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			services(t, dir, 80, 8)
			put(t, dir, "x.ug.hcl", extra)
			c := newCompilation(context.Background(), Options{Dir: dir, NoVerify: true})
			r, d := c.finish()
			if d.HasErrors() {
				t.Fatal(d)
			}
			var got, want []string
			for _, x := range c.verifyScope(r.Tree, tree.System) {
				got = append(got, x.Error())
			}
			for _, x := range c.verifyWhole(r.Tree, tree.System) {
				want = append(want, x.Error())
			}
			if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
				t.Errorf("in shards:\n%s\nat once:\n%s", g, w)
			}
			if name == "nothing" {
				if _, ok := c.sharded(r.Tree, tree.System); !ok {
					t.Error("a tree without faults was not checked in shards")
				}
			}
		})
	}
}

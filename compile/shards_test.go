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
		"nothing":           "",
		"no command":        "service \"x\" {\n  Description = \"x\"\n}\n",
		"ordering cycle":    "service \"x\" {\n  ExecStart = \"/bin/x\"\n  After = [service.y]\n}\nservice \"y\" {\n  ExecStart = \"/bin/y\"\n  After = [service.x]\n}\n",
		"default cycle":     "service \"x\" {\n  ExecStart = \"/bin/x\"\n  Before = [\"sysinit.target\"]\n}\n",
		"late cycle":        "service \"x\" {\n  ExecStart = \"/bin/x\"\n  After = [\"multi-user.target\"]\n  WantedBy = [\"multi-user.target\"]\n}\n",
		"missing":           "service \"x\" {\n  ExecStart = \"/bin/x\"\n  Requires = [\"nowhere.service\"]\n  After = [\"nowhere.service\"]\n}\n",
		"no order":          "service \"x\" {\n  ExecStart = \"/bin/x\"\n  Requires = [service.app-00001]\n}\n",
		"claim":             "service \"x\" {\n  ExecStart = \"/bin/x\"\n  Type = \"dbus\"\n  BusName = \"org.x\"\n}\nservice \"y\" {\n  ExecStart = \"/bin/x\"\n  Type = \"dbus\"\n  BusName = \"org.x\"\n}\n",
		"contradiction":     "service \"x\" {\n  ExecStart = \"/bin/x\"\n  After = [service.app-00002]\n  Before = [service.app-00002]\n}\n",
		"conflict":          "service \"x\" {\n  ExecStart = \"/bin/x\"\n  Conflicts = [service.app-00002]\n  Requires = [service.app-00002]\n  After = [service.app-00002]\n}\n",
		"lonely timer":      "timer \"x\" {\n  OnCalendar = \"daily\"\n}\n",
		"timer":             "timer \"x\" {\n  OnCalendar = \"daily\"\n}\nservice \"x\" {\n  ExecStart = \"/bin/x\"\n}\n",
		"timer of another":  "timer \"x\" {\n  OnCalendar = \"daily\"\n  Unit = service.app-00001\n}\n",
		"shell":             "service \"x\" {\n  ExecStart = \"/bin/x | /bin/y\"\n}\n",
		"log namespace":     "service \"x\" {\n  ExecStart = \"/bin/x\"\n  LogNamespace = \"x\"\n}\n",
		"journal socket":    "socket \"systemd-journald\" {\n  ListenStream = \"/run/x\"\n  After = [service.app-00003]\n}\nservice \"systemd-journald\" {\n  ExecStart = \"/bin/x\"\n  DefaultDependencies = false\n}\n",
		"accepting socket":  "socket \"x\" {\n  ListenStream = \"/run/x\"\n  Accept = true\n}\nservice \"x\" {\n  ExecStart = \"/bin/x\"\n}\n",
		"no effect":         "service \"x\" {\n  ExecStart = \"/bin/x\"\n  RestartSec = 5\n  KillMode = \"none\"\n}\n",
		"two commands":      "service \"x\" {\n  ExecStart = [\"/bin/x\", \"/bin/y\"]\n}\n",
		"odd values":        "service \"x\" {\n  ExecStart = \"/bin/x\"\n  Description = \" a \"\n  section \"X-Mine\" {\n    A = \" b\"\n  }\n}\n",
		"drop-in":           "dropin \"app-00003.service\" {\n  After = [\"app-00002.service\"]\n  LimitNOFILE = 5\n  RestartSec = 3\n}\n",
		"drop-in cycle":     "dropin \"app-00003.service\" {\n  Before = [\"app-00001.service\"]\n}\n",
		"drop-in for all":   "dropin \"service\" {\n  KillMode = \"none\"\n}\n",
		"drop-in elsewhere": "dropin \"nginx.service\" {\n  LimitNOFILE = 5\n}\n",
		"path":              "path \"x\" {\n  PathExists = \"/x\"\n}\nservice \"x\" {\n  ExecStart = \"/bin/x\"\n}\n",
		"path cycle":        "path \"x\" {\n  PathExists = \"/x\"\n  After = [service.x]\n}\nservice \"x\" {\n  ExecStart = \"/bin/x\"\n}\n",
		"slice":             "slice \"a-b\" {\n  CPUWeight = 50\n}\nservice \"x\" {\n  ExecStart = \"/bin/x\"\n  Slice = [slice[\"a-b\"]]\n}\n",
		"slice cycle":       "slice \"a-b\" {\n  After = [service.x]\n}\nservice \"x\" {\n  ExecStart = \"/bin/x\"\n  Slice = [slice[\"a-b\"]]\n}\n",
		"mount":             "mount \"srv-x\" {\n  What = \"/dev/x\"\n  Where = \"/srv/x\"\n}\nservice \"x\" {\n  ExecStart = \"/bin/x\"\n  RequiresMountsFor = \"/srv/x/y\"\n}\n",
		"mount cycle":       "mount \"srv-x\" {\n  What = \"/dev/x\"\n  Where = \"/srv/x\"\n  After = [service.x]\n}\nservice \"x\" {\n  ExecStart = \"/bin/x\"\n  WorkingDirectory = \"/srv/x/y\"\n}\n",
		"wrong mount":       "mount \"srv-x\" {\n  What = \"/dev/x\"\n  Where = \"/srv/y\"\n}\n",
		"instances":         "service \"t@\" {\n  ExecStart = \"/bin/t %i\"\n  WantedBy = [\"multi-user.target\"]\n  RestartSec = 3\n}\ninstance \"t@a.service\" {\n  enable = true\n}\nservice \"x\" {\n  ExecStart = \"/bin/x\"\n  After = [service[\"t@a\"]]\n}\n",
		"instance cycle":    "service \"t@\" {\n  ExecStart = \"/bin/t %i\"\n  After = [service.x]\n}\ninstance \"t@a.service\" {\n  enable = true\n}\nservice \"x\" {\n  ExecStart = \"/bin/x\"\n  After = [service[\"t@a\"]]\n}\n",
		"alias":             "service \"x\" {\n  ExecStart = \"/bin/x\"\n  Alias = [\"y.service\"]\n}\nservice \"z\" {\n  ExecStart = \"/bin/z\"\n  After = [\"y.service\"]\n}\n",
		"alias cycle":       "service \"x\" {\n  ExecStart = \"/bin/x\"\n  Alias = [\"y.service\"]\n  After = [service.z]\n}\nservice \"z\" {\n  ExecStart = \"/bin/z\"\n  After = [\"y.service\"]\n}\n",
		"link cycle":        "service \"x\" {\n  ExecStart = \"/bin/x\"\n  aliases = [\"y.service\"]\n  After = [service.z]\n}\nservice \"z\" {\n  ExecStart = \"/bin/z\"\n  After = [\"y.service\"]\n}\n",
		"wanted by":         "target \"g\" {\n  After = [\"network.target\"]\n}\nservice \"x\" {\n  ExecStart = \"/bin/x\"\n  wanted_by = [\"g.target\"]\n}\n",
		"wanted by cycle":   "target \"g\" {\n}\nservice \"x\" {\n  ExecStart = \"/bin/x\"\n  wanted_by = [\"g.target\"]\n  After = [target.g]\n}\n",
		"required by":       "service \"x\" {\n  ExecStart = \"/bin/x\"\n  required_by = [\"app-00003.service\"]\n}\n",
		"harmless conflict": "service \"x\" {\n  ExecStart = \"/bin/x\"\n  Conflicts = [service.app-00002, \"nowhere.service\"]\n}\n",
		"deep conflict":     "service \"x\" {\n  ExecStart = \"/bin/x\"\n  Conflicts = [service.app-00002]\n}\nservice \"y\" {\n  ExecStart = \"/bin/y\"\n  Requires = [service.x, service.z]\n  After = [service.x, service.z]\n}\nservice \"z\" {\n  ExecStart = \"/bin/z\"\n  BindsTo = [service.app-00002]\n  After = [service.app-00002]\n}\n",
		"masked":            "service \"x\" {\n  mask = true\n}\nservice \"y\" {\n  ExecStart = \"/bin/y\"\n  Requires = [\"x.service\"]\n  After = [\"x.service\"]\n}\n",
		"harmless mask":     "service \"x\" {\n  mask = true\n}\n",
		"no install":        "service \"x\" {\n  install = false\n  ExecStart = \"/bin/x\"\n  RestartSec = 1\n  WantedBy = [\"multi-user.target\"]\n}\n",
		"socket of another": "socket \"x\" {\n  ListenStream = \"/run/x\"\n  Service = service.app-00001\n}\n",
		"template socket":   "socket \"x\" {\n  ListenStream = \"/run/x\"\n  Accept = true\n}\nservice \"x@\" {\n  ExecStart = \"/bin/x\"\n}\n",
		"after itself":      "service \"x\" {\n  ExecStart = \"/bin/x\"\n  After = [\"x.service\"]\n}\n",
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
			switch name {
			case "nothing", "drop-in", "drop-in elsewhere", "path", "slice", "mount", "instances", "alias", "wanted by", "harmless conflict", "harmless mask", "no install", "socket of another", "timer of another":
				if _, ok := c.sharded(r.Tree, tree.System); !ok {
					t.Error("a tree without faults was not checked in shards")
				}
			}
		})
	}
}

package main

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/unitgen/unitgen/internal/testenv"
)

// oddUnits is a small root full of special cases of [Install].
var oddUnits = map[string]string{
	"usr/lib/systemd/system/a.service":                 "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target foo.target\nRequiredBy=bar.service\nAlias=al.service\nAlso=a.socket\n",
	"usr/lib/systemd/system/a.socket":                  "[Socket]\nListenStream=/run/x\n[Install]\nWantedBy=sockets.target\n",
	"usr/lib/systemd/system/t@.service":                "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\nDefaultInstance=tty1\n",
	"usr/lib/systemd/system/n@.service":                "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=w-%i.target\nAlias=zz-%i@.service\n",
	"usr/lib/systemd/system/m@.service":                "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=t@.service\n",
	"usr/lib/systemd/system/k@.service":                "[Service]\nExecStart=/bin/true\n[Install]\nAlias=q@.service r@%i.service\n",
	"usr/lib/systemd/system/s.service":                 "[Service]\nExecStart=/bin/true\n",
	"usr/lib/systemd/system/also.service":              "[Service]\nExecStart=/bin/true\n[Install]\nAlso=nothing.service a.socket\n",
	"usr/lib/systemd/system/onlyalso.service":          "[Service]\nExecStart=/bin/true\n[Install]\nAlso=s.service\n",
	"usr/lib/systemd/system/badalias.service":          "[Service]\nExecStart=/bin/true\n[Install]\nAlias=x.socket\nWantedBy=foo.target\n",
	"usr/lib/systemd/system/oldalias.service":          "[Service]\nExecStart=/bin/true\n[Install]\nAlias=foo.target.wants/oldalias.service\n",
	"usr/lib/systemd/system/wrongpath.service":         "[Service]\nExecStart=/bin/true\n[Install]\nAlias=foo/oldalias.service\n",
	"usr/lib/systemd/system/badname.service":           "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=foo bar.target\n",
	"usr/lib/systemd/system/rival.service":             "[Service]\nExecStart=/bin/true\n[Install]\nAlias=al.service\n",
	"usr/lib/systemd/system/dropped.service":           "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=foo.target\n",
	"etc/systemd/system/dropped.service.d/x.conf":      "[Install]\nWantedBy=\nWantedBy=bar.target\n",
	"usr/lib/systemd/system/foo.target":                "[Unit]\nDescription=foo\n",
	"usr/lib/systemd/system/multi-user.target":         "[Unit]\nAllowIsolate=yes\n",
	"usr/lib/systemd/system/o.service":                 "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=foo.target\n",
	"etc/systemd/system/o.service":                     "[Service]\nExecStart=/bin/false\n[Install]\nWantedBy=multi-user.target\n",
	"etc/systemd/system/o.service.d/y.conf":            "[Service]\nNice=3\n",
	"usr/lib/systemd/system/mnt-x.mount":               "[Mount]\nWhat=/dev/x\n[Install]\nAlias=mnt-y.mount\nWantedBy=foo.target\n",
	"usr/lib/systemd/system/empty.service":             "",
	"opt/linked.service":                               "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=foo.target\n",
	"opt/tl@.service":                                  "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=foo.target\n",
	"usr/lib/systemd/system-preset/90-x.preset":        "# comment\nenable a.*\nenable t@.service one two\ndisable o.service\nenable d*\ndisable *\n",
	"run/systemd/generator/gen.service":                "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=foo.target\n",
	"run/systemd/transient/trans.service":              "[Service]\nExecStart=/bin/true\n",
	"usr/lib/systemd/system/broken.service":            "[Service\nExecStart=/bin/true\n[Install]\nWantedBy=foo.target\n",
	"usr/lib/systemd/system/spec.service":              "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=%p-x.target %N.target\nAlias=%n-2.service\n",
	"usr/lib/systemd/system/q\\x2dq.service":           "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=\"foo.target\" q\\x2dz.target\n",
	"usr/lib/systemd/system/twice.service":             "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=foo.target\nWantedBy=foo.target\nAlias=twice.service\n",
	"usr/lib/systemd/system/default-inst@.service":     "[Service]\nExecStart=/bin/true\n[Install]\nDefaultInstance=x\n",
	"usr/lib/systemd/system/plain-di.service":          "[Service]\nExecStart=/bin/true\n[Install]\nDefaultInstance=x\nWantedBy=foo.target\n",
	"usr/lib/systemd/system/graphical.target":          "[Unit]\nAllowIsolate=yes\n",
	"usr/lib/systemd/system/notinstallable.target":     "[Unit]\nDescription=x\n",
	"usr/lib/systemd/system/with-dropin@.service":      "[Service]\nExecStart=/bin/true\n",
	"etc/systemd/system/with-dropin@.service.d/a.conf": "[Install]\nWantedBy=foo.target\nDefaultInstance=z\n",
	"usr/lib/systemd/system/unknown-spec.service":      "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=%z.target\nAlias=%t.service\n",
	"usr/lib/systemd/system/no-os@.service":            "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=%o.target %m.target\n",
	"usr/lib/systemd/system/also-spec.service":         "[Service]\nExecStart=/bin/true\n[Install]\nAlso=%z.service\n",
	"usr/lib/systemd/system/di-spec@.service":          "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=foo.target\nDefaultInstance=%z\n",
	"usr/lib/systemd/system/by-instance@.service":      "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=n@w.service\n",
	"usr/lib/systemd/user/u.service":                   "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=default.target\n",
}

var oddLinks = map[string]string{
	"usr/lib/systemd/system/vendoralias.service":              "s.service",
	"usr/lib/systemd/system/vendormask.service":               "/dev/null",
	"usr/lib/systemd/system/default.target":                   "graphical.target",
	"usr/lib/systemd/system/dangling.service":                 "nowhere.service",
	"etc/systemd/system/outside.service":                      "/opt/linked.service",
	"etc/systemd/system/usrlink.service":                      "/usr/lib/systemd/system/s.service",
	"usr/lib/systemd/system/foo.target.wants/s.service":       "../s.service",
	"usr/lib/systemd/system/foo.target.wants/n@three.service": "../n@.service",
	"usr/lib/systemd/system/othertype.socket":                 "s.service",
	"usr/lib/systemd/system/asinstance@x.service":             "s.service",
	"usr/lib/systemd/system/otherinst@y.service":              "n@x.service",
	"lib": "usr/lib",
}

// makeOdd writes the root. Files come in sorted order, so that two roots list
// their directories alike.
func makeOdd(t testing.TB) string {
	t.Helper()
	root := t.TempDir()
	for _, k := range sortedKeys(oddUnits) {
		p := filepath.Join(root, k)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(oddUnits[k]), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, k := range sortedKeys(oddLinks) {
		p := filepath.Join(root, k)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(oddLinks[k], p); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func sortedKeys(m map[string]string) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	for i := range out {
		for j := i; j > 0 && out[j] < out[j-1]; j-- {
			out[j], out[j-1] = out[j-1], out[j]
		}
	}
	return out
}

// walkNames are what the commands of the walk name.
var walkNames = []string{
	"a.service", "a", "a.socket", "al.service", "t@.service", "t@one.service", "t@tty1.service", "n@.service", "n@x.service", "m@.service", "m@i.service",
	"k@.service", "k@i.service", "q@i.service", "s.service", "also.service", "onlyalso.service", "badalias.service", "oldalias.service", "wrongpath.service",
	"badname.service", "rival.service", "dropped.service", "foo.target", "o.service", "mnt-x.mount", "empty.service", "gen.service", "trans.service",
	"broken.service", "spec.service", "q\\x2dq.service", "twice.service", "default-inst@.service", "plain-di.service", "vendoralias.service",
	"vendormask.service", "dangling.service", "outside.service", "usrlink.service", "nope.service", "nope@x.service", "default.target",
	"graphical.target", "with-dropin@.service", "with-dropin@i.service", "n@three.service", "x y", "a*", "/mnt/x", "linked.service", "tl@i.service", "unknown-spec.service", "no-os@x.service", "also-spec.service",
	"di-spec@.service", "by-instance@.service", "othertype.socket", "asinstance@x.service", "otherinst@y.service",
	"/opt/linked.service", "/opt/tl@.service", "/usr/lib/systemd/system/s.service", "zz-x@.service", "zz-x@x.service",
}

// TestOfflineWalk runs a long random walk of commands on two roots, with the
// real systemctl on one of them.
func TestOfflineWalk(t *testing.T) {
	t.Parallel()
	testenv.Need(t, "systemctl")
	verbs := [][]string{
		{"enable"}, {"enable"}, {"disable"}, {"reenable"}, {"is-enabled"}, {"is-enabled"}, {"mask"}, {"unmask"}, {"preset"}, {"--runtime", "enable"},
		{"--runtime", "mask"}, {"--runtime", "unmask"}, {"--runtime", "disable"}, {"--force", "enable"}, {"-q", "enable"}, {"revert"}, {"link"},
		{"add-wants", "foo.target"}, {"add-requires", "multi-user"}, {"set-default"}, {"preset", "--preset-mode=enable-only"},
		{"preset", "--preset-mode=disable-only"}, {"-f", "mask"}, {"--no-reload", "disable"}, {"--global", "is-enabled"},
	}
	single := [][]string{
		{"list-unit-files"}, {"get-default"}, {"list-unit-files", "--state=enabled", "--no-legend"}, {"list-unit-files", "-t", "service", "a*", "t*"},
		{"--global", "list-unit-files"}, {"preset-all", "--preset-mode=disable-only"}, {"preset-all"}, {"enable"}, {"--global", "enable", "u"}, {"--user", "enable", "u"},
		{"frobnicate"}, {"start", "a"}, {"get-default", "x"}, {"list-unit-files", "--type=nope"}, {"--preset-mode=x", "preset", "a"}, {"add-wants", "nope.target", "a"},
	}
	rng := rand.New(rand.NewPCG(1, 2))
	rounds, steps := 8, 45
	for r := range rounds {
		p := &pair{t: t, theirs: makeOdd(t), ours: makeOdd(t)}
		for s := range steps {
			var cmd []string
			if rng.IntN(9) == 0 {
				cmd = single[rng.IntN(len(single))]
			} else {
				cmd = append(cmd, verbs[rng.IntN(len(verbs))]...)
				for k := 0; k < 1+rng.IntN(2); k++ {
					cmd = append(cmd, walkNames[rng.IntN(len(walkNames))])
				}
			}
			p.do(cmd...)
			p.compareLinks("after that")
			if p.diffs > 0 {
				t.Logf("round %d, step %d", r, s)
				break
			}
		}
	}
}

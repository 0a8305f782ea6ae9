package install

import (
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/unitgen/unitgen/internal/corpus"
	"github.com/unitgen/unitgen/internal/testenv"
	"github.com/unitgen/unitgen/schema/tree"
	"github.com/unitgen/unitgen/schema/unitfile"
	"github.com/unitgen/unitgen/schema/unitname"
)

func lookupIn(units map[string]string) func(string) *unitfile.File {
	parsed := map[string]*unitfile.File{}
	return func(n string) *unitfile.File {
		text, ok := units[n]
		if !ok {
			return nil
		}
		if parsed[n] == nil {
			parsed[n], _ = unitfile.Parse(n, []byte(text))
		}
		return parsed[n]
	}
}

func shown(list []Link) string {
	var out []string
	for _, l := range list {
		out = append(out, l.Path+" -> "+l.Target)
	}
	return strings.Join(out, "\n")
}

func TestInstallLinks(t *testing.T) {
	t.Parallel()
	units := map[string]string{
		"a.service":     "[Install]\nWantedBy=x.target y.target\nRequiredBy=z.service\nUpheldBy=u.target\nAlias=al.service a.service\nAlso=b.socket\n",
		"b.socket":      "[Install]\nWantedBy=sockets.target\n",
		"t@.service":    "[Install]\nWantedBy=x.target\nDefaultInstance=d\nAlias=s@.service\n",
		"n@.service":    "[Install]\nWantedBy=%i.target\n",
		"rival.service": "[Install]\nAlias=al.service\n",
		"host.service":  "[Install]\nWantedBy=%H.target\n",
		"bad.service":   "[Install]\nWantedBy=no unit\nAlias=x.socket\n",
		"none.service":  "[Service]\nExecStart=/bin/true\n",
		"also.service":  "[Install]\nAlso=missing.service\n",
	}
	for _, c := range []struct {
		enable []string
		want   string
		codes  string
	}{
		{[]string{"a.service"}, "al.service -> a.service\nx.target.wants/a.service -> ../a.service\ny.target.wants/a.service -> ../a.service\n" +
			"z.service.requires/a.service -> ../a.service\nu.target.upholds/a.service -> ../a.service\nsockets.target.wants/b.socket -> ../b.socket", ""},
		{[]string{"b.socket", "b.socket"}, "sockets.target.wants/b.socket -> ../b.socket", ""},
		{[]string{"t@.service"}, "s@.service -> t@.service\nx.target.wants/t@d.service -> ../t@.service", ""},
		{[]string{"t@i.service"}, "s@i.service -> t@.service\nx.target.wants/t@i.service -> ../t@.service", ""},
		{[]string{"n@q.service"}, "q.target.wants/n@q.service -> ../n@.service", ""},
		{[]string{"a.service", "rival.service"}, "", CodeConflict},
		{[]string{"host.service"}, "", CodeInstall},
		{[]string{"bad.service"}, "", CodeInstall + " " + CodeInstall + " " + CodeInstall},
		{[]string{"none.service"}, "", ""},
		{[]string{"nowhere.service"}, "", CodeInstall},
		{[]string{"also.service"}, "", CodeInstall},
	} {
		links, diags := InstallLinks(lookupIn(units), c.enable, tree.System)
		if c.want != "" && shown(links) != c.want {
			t.Errorf("%q: got\n%s\nwant\n%s", c.enable, shown(links), c.want)
		}
		var codes []string
		for _, d := range diags {
			codes = append(codes, d.Code)
		}
		if got := strings.Join(codes, " "); got != c.codes {
			t.Errorf("%q: diagnostics %q, want %q\n%v", c.enable, got, c.codes, diags)
		}
	}
}

// TestInstallLinksLikeSystemctl compares the links of a tree with those that
// the real systemctl makes where the same unit files stand in /etc.
func TestInstallLinksLikeSystemctl(t *testing.T) {
	t.Parallel()
	testenv.Need(t, "systemctl")
	src := filepath.Join(corpus.Dir(t), "usr/lib/systemd/system")
	root := t.TempDir()
	etc := filepath.Join(root, "etc/systemd/system")
	if err := os.MkdirAll(etc, 0o755); err != nil {
		t.Fatal(err)
	}
	units := map[string]string{}
	list, err := os.ReadDir(src)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range list {
		if !unitname.Valid(f.Name()) || !f.Type().IsRegular() {
			continue
		}
		data, err := os.ReadFile(filepath.Join(src, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if len(data) == 0 {
			continue
		}
		units[f.Name()] = string(data)
		if err := os.WriteFile(filepath.Join(etc, f.Name()), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	lookup := lookupIn(units)
	n := 0
	for name, text := range units {
		if !strings.Contains(text, "[Install]") {
			continue
		}
		if unitname.IsTemplate(name) {
			name, _ = unitname.WithInstance(name, "one")
		}
		n++
		_ = exec.Command("systemctl", "--root="+root, "--quiet", "enable", name).Run()
		want := linksBelow(t, etc)
		links, _ := InstallLinks(lookup, []string{name}, tree.System)
		var got []string
		for _, l := range links {
			got = append(got, l.Path+" -> "+path.Base(l.Target))
		}
		sort.Strings(got)
		if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
			t.Errorf("%s: got\n%s\nsystemctl makes\n%s", name, g, w)
		}
		for _, l := range want {
			p, _, _ := strings.Cut(l, " -> ")
			if err := os.Remove(filepath.Join(etc, p)); err != nil {
				t.Fatal(err)
			}
		}
	}
	t.Logf("%d units compared", n)
}

func linksBelow(t *testing.T, dir string) []string {
	var out []string
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.Type()&fs.ModeSymlink == 0 {
			return err
		}
		target, err := os.Readlink(p)
		rel, _ := filepath.Rel(dir, p)
		out = append(out, rel+" -> "+path.Base(target))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	sort.Strings(out)
	return out
}

func FuzzInstall(f *testing.F) {
	for _, s := range []string{"[Install]\nAlias=../../x.service\nWantedBy=a/b.target %i\n", "[Install]\nAlias=a/b/c.wants/d.service %%.service\n", "[Install]\nAlso=x.service\nDefaultInstance=%n\n"} {
		f.Add(s, "x@y.service")
	}
	f.Fuzz(func(t *testing.T, text, name string) {
		units := map[string]string{name: text, "x@.service": text, "x.service": text}
		links, _ := InstallLinks(lookupIn(units), []string{name, "x@.service", "x.service"}, tree.System)
		for _, l := range links {
			if p := path.Clean("/" + l.Path); p != "/"+l.Path || strings.Contains(l.Path, "..") && strings.HasPrefix(l.Path, "..") {
				t.Fatalf("link %q leaves the directory", l.Path)
			}
		}
	})
}

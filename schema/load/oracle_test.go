package load_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"syscall"
	"testing"

	"github.com/unitgen/unitgen/internal/corpus"
	"github.com/unitgen/unitgen/internal/testenv"
	"github.com/unitgen/unitgen/schema/load"
	"github.com/unitgen/unitgen/schema/specifier"
	"github.com/unitgen/unitgen/schema/tree"
	"github.com/unitgen/unitgen/schema/unitname"
)

// systemdBinary is the manager itself; as an ordinary user it dumps what it
// would load.
const systemdBinary = "/lib/systemd/systemd"

// dumped is one unit as the real systemd says it loaded it.
type dumped struct {
	values   map[string][]string // "Fragment Path", "Type", "Requires" …
	commands map[string][]string
	deps     map[string]string // "Requires system.slice" → "origin-file …"
}

var depLine = regexp.MustCompile(`^\t\t([A-Z][A-Za-z]+): (\S+) \(([a-z -]+)\)$`)

// dump runs the real systemd over a search path, with a target that wants the
// units.
func dump(t *testing.T, units []string, path ...string) map[string]*dumped {
	t.Helper()
	return dumpAs(t, "--system", units, path...)
}

func dumpAs(t *testing.T, manager string, units []string, path ...string) map[string]*dumped {
	t.Helper()
	testenv.Need(t, systemdBinary)
	dir := t.TempDir()
	var b strings.Builder
	b.WriteString("[Unit]\n")
	for _, u := range units {
		b.WriteString("Wants=" + u + "\n")
	}
	write(t, filepath.Join(dir, "zz-oracle.target"), b.String())
	c := exec.Command(systemdBinary, "--test", manager, "--unit=zz-oracle.target")
	c.Env = append(os.Environ(), "SYSTEMD_UNIT_PATH="+strings.Join(append([]string{dir}, path...), ":"),
		"XDG_RUNTIME_DIR="+filepath.Dir(dir), "HOME=/nonexistent", "XDG_CONFIG_HOME=", "XDG_STATE_HOME=", "XDG_CACHE_HOME=", "XDG_DATA_HOME=")
	if manager == "--user" && os.Geteuid() == 0 {
		if err := os.Chown(filepath.Dir(dir), 65534, 65534); err != nil {
			t.Fatal(err)
		}
	}
	if os.Geteuid() == 0 {
		c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		for p := dir; p != "/" && p != os.TempDir(); p = filepath.Dir(p) {
			if err := os.Chmod(p, 0o755); err != nil {
				t.Fatal(err)
			}
		}
	}
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.Output()
	if err != nil {
		t.Fatalf("systemd --test: %v\n%s", err, stderr.String())
	}
	return parseDump(string(out))
}

func parseDump(s string) map[string]*dumped {
	out := map[string]*dumped{}
	var d *dumped
	command := ""
	for _, l := range strings.Split(s, "\n") {
		switch {
		case strings.HasPrefix(l, "-> By jobs"):
			return out
		case strings.HasPrefix(l, "\t-> Unit "):
			d = &dumped{values: map[string][]string{}, deps: map[string]string{}, commands: map[string][]string{}}
			out[strings.TrimSuffix(strings.TrimPrefix(l, "\t-> Unit "), ":")] = d
		case d == nil:
		case strings.HasPrefix(l, "\t\t-> "):
			command = strings.TrimSuffix(strings.TrimPrefix(l, "\t\t-> "), ":")
		case strings.HasPrefix(l, "\t\t\tCommand Line: "):
			d.commands[command] = append(d.commands[command], strings.TrimPrefix(l, "\t\t\tCommand Line: "))
		default:
			if m := depLine.FindStringSubmatch(l); m != nil {
				d.deps[m[1]+" "+m[2]] = m[3]
			} else if k, v, ok := strings.Cut(strings.TrimPrefix(l, "\t\t"), ": "); ok {
				d.values[k] = append(d.values[k], v)
			}
		}
	}
	return out
}

func write(t testing.TB, p, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// openCorpus gives a copy of the packages' unit files that everybody may read.
func openCorpus(t *testing.T) string {
	t.Helper()
	dir := corpus.Copy(t)
	for p := dir; p != "/" && p != os.TempDir(); p = filepath.Dir(p) {
		if err := os.Chmod(p, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// instances gives the names to load: instances of templates, masks left out.
func instances(names []string) []string {
	var out []string
	for _, n := range names {
		if unitname.IsTemplate(n) {
			n, _ = unitname.WithInstance(n, "in-st")
		}
		out = append(out, n)
	}
	return out
}

// compare gives the differences between what we load and what systemd loads.
func compare(l *load.Loader, want map[string]*dumped, closure []*load.Unit) []string {
	var diffs []string
	seen := map[string]bool{}
	for _, u := range closure {
		seen[u.Name] = true
		w := want[u.Name]
		if w == nil {
			diffs = append(diffs, u.Name+": we load it, systemd does not")
			continue
		}
		diffs = append(diffs, compareUnit(u, w)...)
	}
	for n := range want {
		if !seen[n] && n != "zz-oracle.target" && !kernelOnly(want[n]) {
			diffs = append(diffs, n+": systemd loads it, we do not")
		}
	}
	sort.Strings(diffs)
	return diffs
}

// kernelOnly reports whether systemd knows a unit from the machine it runs on
// and not from a file: what is mounted, and what it looked for in vain below a
// path that a unit needs.
func kernelOnly(d *dumped) bool {
	return len(d.values["Fragment Path"]) == 0
}

func compareUnit(u *load.Unit, w *dumped) []string {
	var diffs []string
	add := func(format string, args ...any) { diffs = append(diffs, u.Name+": "+fmt.Sprintf(format, args...)) }
	if s := w.values["Unit Load State"]; len(s) > 0 && s[0] != string(u.State) {
		add("state %s, systemd says %s", u.State, s[0])
		return diffs
	}
	if f := strings.Join(w.values["Fragment Path"], ""); f != u.Fragment && u.Name != "-.mount" {
		add("fragment %q, systemd says %q", u.Fragment, f)
	}
	if f := strings.Join(w.values["DropIn Path"], " "); f != strings.Join(u.DropIns, " ") {
		add("drop-ins %q, systemd says %q", u.DropIns, f)
	}
	ours := map[string]string{}
	for _, d := range u.Deps {
		var o []string
		for _, x := range d.Origins {
			if x != "inverse" {
				o = append(o, "origin-"+x)
			}
		}
		if len(o) > 0 {
			ours[d.Type+" "+d.Unit] = strings.Join(o, " ")
		}
	}
	for k, v := range w.deps {
		var o []string
		for _, x := range strings.Fields(v) {
			if strings.HasPrefix(x, "origin-") {
				o = append(o, x)
			}
		}
		if len(o) == 0 || strings.HasSuffix(k, " zz-oracle.target") || strings.HasPrefix(k, "RequiresMountsFor ") {
			continue
		}
		theirs := strings.Join(o, " ")
		// Whether the root mount was loaded before or after a unit is an accident
		// of the machine's mounts.
		if strings.HasSuffix(k, ".mount") && ours[k] == "origin-path" && theirs == "origin-file" {
			theirs = ours[k] // the mount unit happened to be loaded first
		}
		if ours[k] != theirs && !(strings.HasSuffix(k, " -.mount") && theirs == "origin-path") {
			add("dependency %s (%s), systemd says (%s)", k, ours[k], theirs)
		}
		delete(ours, k)
	}
	for k, v := range ours {
		add("dependency %s (%s), systemd has none", k, v)
	}
	return diffs
}

// TestLikeSystemd loads every unit of the packages, an instance of each
// template among them, and compares all of it with what the installed systemd
// loads.
func TestLikeSystemd(t *testing.T) {
	dir := filepath.Join(openCorpus(t), "usr/lib/systemd/system")
	_, err := os.Stat("/sys/fs/cgroup/cgroup.controllers")
	l := load.New(load.Options{Path: []string{dir}, Version: installed(t), NoUnifiedCgroups: err != nil})
	names := instances(l.Names())
	want := dump(t, names, dir)
	closure := l.Closure(names...)
	diffs := compare(l, want, closure)
	for i, d := range diffs {
		if i == 60 {
			t.Errorf("… and %d more", len(diffs)-60)
			break
		}
		t.Error(d)
	}
	t.Logf("%d units compared, %d differences", len(closure), len(diffs))
}

// TestUserLikeSystemd is TestLikeSystemd for the units of the user manager.
func TestUserLikeSystemd(t *testing.T) {
	testenv.NeedRoot(t) // to become the user whose manager it is
	dir := filepath.Join(openCorpus(t), "usr/lib/systemd/user")
	v := installed(t)
	facts := specifier.User(specifier.Manager{Name: "nobody", Group: "nogroup", UID: 65534, GID: 65534, Home: "/nonexistent", Shell: "/usr/sbin/nologin"},
		map[string]string{"XDG_RUNTIME_DIR": filepath.Dir(t.TempDir())}, v)
	facts.Host = specifier.ReadHost("/")
	_, err := os.Stat("/sys/fs/cgroup/cgroup.controllers")
	l := load.New(load.Options{Path: []string{dir}, Scope: tree.User, Version: v, Facts: facts, NoUnifiedCgroups: err != nil})
	names := instances(l.Names())
	want := dumpAs(t, "--user", names, dir)
	closure := l.Closure(names...)
	diffs := compare(l, want, closure)
	for _, u := range closure {
		if w := want[u.Name]; w != nil {
			diffs = append(diffs, compareSettings(u, w)...)
		}
	}
	for i, d := range diffs {
		if i < 50 {
			t.Errorf("%.400s", d)
		}
	}
	t.Logf("%d units compared, %d differences", len(closure), len(diffs))
}

// installed gives the version of the installed systemd.
func installed(t testing.TB) int {
	t.Helper()
	testenv.Need(t, "systemctl")
	out, err := exec.Command("systemctl", "--version").Output()
	var v int
	if err == nil {
		_, err = fmt.Sscanf(string(out), "systemd %d", &v)
	}
	if err != nil {
		t.Fatalf("systemctl --version: %v", err)
	}
	return v
}

// hostFacts are the facts of this machine.
func hostFacts() load.Facts {
	f := specifier.System()
	f.Host = specifier.ReadHost("/")
	f.User, f.UID, f.Home = "nobody", "65534", "/nonexistent"
	return f
}

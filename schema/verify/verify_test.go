package verify_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/unitgen/unitgen/schema/diag"
	"github.com/unitgen/unitgen/schema/load"
	"github.com/unitgen/unitgen/schema/verify"
)

// run checks units that stand in memory.
func run(t *testing.T, units map[string]string, o verify.Options) diag.List {
	t.Helper()
	builtin := map[string][]byte{}
	for n, text := range units {
		builtin[n] = []byte(text)
	}
	o.Loader = load.New(load.Options{Builtin: builtin, Path: []string{}, Root: t.TempDir()})
	return verify.Run(o)
}

const plain = "[Service]\nExecStart=/bin/true\n"

func TestChecks(t *testing.T) {
	for _, c := range []struct {
		name  string
		units map[string]string
		opt   verify.Options
		want  []string // severity and summary of each complaint
	}{
		{"nothing to complain of", map[string]string{"a.service": plain}, verify.Options{}, nil},
		{"a missing requirement", map[string]string{"a.service": "[Unit]\nRequires=b.service\nAfter=b.service\n" + plain}, verify.Options{}, []string{"error Missing required unit"}},
		{"one that the host provides", map[string]string{"a.service": "[Unit]\nRequires=b.service\nAfter=b.service\n" + plain}, verify.Options{Provides: []string{"b.service"}}, nil},
		{"a missing unit that is merely wanted", map[string]string{"a.service": "[Unit]\nWants=b.service\nAfter=b.service\n" + plain}, verify.Options{}, nil},
		{"a special unit", map[string]string{"a.service": "[Unit]\nRequires=network.target\nAfter=network.target\n" + plain}, verify.Options{}, nil},
		{"a missing requirement of a requirement", map[string]string{
			"a.service": "[Unit]\nRequires=b.service\nAfter=b.service\n" + plain, "b.service": "[Unit]\nBindsTo=c.service\nAfter=c.service\n" + plain},
			verify.Options{Units: []string{"a.service"}}, []string{"error Missing required unit"}},
		{"a requirement without an order", map[string]string{"a.service": "[Unit]\nRequires=b.service\n" + plain, "b.service": plain}, verify.Options{}, []string{"advice Requirement without an order"}},
		{"a cycle", map[string]string{
			"a.service": "[Unit]\nWants=b.service\nAfter=b.service\n" + plain, "b.service": "[Unit]\nAfter=a.service\n" + plain},
			verify.Options{}, []string{"error Ordering cycle"}},
		{"an order in a circle of units that never start together", map[string]string{
			"a.service": "[Unit]\nAfter=b.service\n" + plain, "b.service": "[Unit]\nAfter=a.service\n" + plain}, verify.Options{}, []string{"advice Ordering cycle"}},
		{"an order in a circle of units that exclude each other", map[string]string{
			"a.service": "[Unit]\nAfter=b.service\nConflicts=b.service\n" + plain, "b.service": "[Unit]\nAfter=a.service\n" + plain}, verify.Options{}, nil},
		{"an order in a circle of units that a target from elsewhere starts together", map[string]string{
			"a.service": "[Unit]\nAfter=b.service\n" + plain, "b.service": "[Unit]\nAfter=a.service\n" + plain},
			verify.Options{Starts: map[string][]string{"multi-user.target": {"a.service", "b.service"}}}, []string{"error Ordering cycle"}},
		{"one of which it leaves out", map[string]string{
			"a.service": "[Unit]\nAfter=b.service\n" + plain, "b.service": "[Unit]\nAfter=a.service\n" + plain},
			verify.Options{Starts: map[string][]string{"multi-user.target": {"a.service"}}}, []string{"advice Ordering cycle"}},
		{"requirements that exclude each other", map[string]string{
			"a.service": "[Unit]\nRequires=b.service c.service\nAfter=b.service c.service\n" + plain,
			"b.service": "[Unit]\nConflicts=c.service\n" + plain, "c.service": plain},
			verify.Options{}, []string{"error Contradictory dependencies"}},
		{"both orders", map[string]string{"a.service": "[Unit]\nAfter=b.service\nBefore=b.service\n" + plain, "b.service": plain}, verify.Options{}, []string{"warning Contradictory dependencies"}},
		{"a socket without its service", map[string]string{"a.socket": "[Socket]\nListenStream=/run/a\n"}, verify.Options{}, []string{"error Socket without its service"}},
		{"a socket that wants a template", map[string]string{"a.socket": "[Socket]\nListenStream=/run/a\nAccept=yes\n", "a.service": plain}, verify.Options{}, []string{"error Socket without its service"}},
		{"a socket that has it", map[string]string{"a.socket": "[Socket]\nListenStream=/run/a\nAccept=yes\n", "a@.service": plain}, verify.Options{}, nil},
		{"a timer without its unit", map[string]string{"a.timer": "[Timer]\nOnCalendar=daily\n"}, verify.Options{}, []string{"warning Unit to activate is missing"}},
		{"one listen address twice", map[string]string{
			"a.socket": "[Unit]\n[Socket]\nListenStream=8080\n", "a.service": plain, "b.socket": "[Socket]\nListenStream=8080\n", "b.service": plain},
			verify.Options{}, []string{"advice Two units claim one thing"}},
		{"one listen address twice, both wanted", map[string]string{
			"a.socket": "[Socket]\nListenStream=8080\n", "a.service": plain, "b.socket": "[Socket]\nListenStream=8080\n", "b.service": plain,
			"all.target": "[Unit]\nWants=a.socket b.socket\n"},
			verify.Options{}, []string{"warning Two units claim one thing"}},
		{"one listen address of units that exclude each other", map[string]string{
			"a.socket": "[Unit]\nConflicts=b.socket\n[Socket]\nListenStream=8080\n", "a.service": plain, "b.socket": "[Socket]\nListenStream=8080\n", "b.service": plain}, verify.Options{}, nil},
		{"a command for a shell", map[string]string{"a.service": "[Service]\nExecStart=/bin/echo a | /bin/cat\n"}, verify.Options{}, []string{"warning Command needs a shell"}},
		{"a command with a shell", map[string]string{"a.service": "[Service]\nExecStart=/bin/sh -c 'echo a | cat'\n"}, verify.Options{}, nil},
		{"a directive without effect", map[string]string{"a.service": plain + "RestartSec=5\n"}, verify.Options{}, []string{"advice Directive without effect"}},
		{"a unit that is not there", nil, verify.Options{Units: []string{"a.service"}}, []string{"error Unit not found"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, d := range run(t, c.units, c.opt) {
				got = append(got, d.Severity.String()+" "+d.Summary)
				if d.Detail == "" || d.Code == "" {
					t.Errorf("%q says neither why nor what to do", d.Summary)
				}
			}
			if fmt.Sprint(got) != fmt.Sprint(c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestCycleNamesTheWholeChain(t *testing.T) {
	ds := run(t, map[string]string{
		"a.service": "[Unit]\nWants=b.service c.service\nAfter=b.service\n" + plain,
		"b.service": "[Unit]\nAfter=c.service\n" + plain,
		"c.service": "[Unit]\nBefore=x.service\nAfter=a.service\n" + plain,
	}, verify.Options{})
	if len(ds) != 1 {
		t.Fatalf("got %v", ds)
	}
	if want := "a.service after b.service after c.service after a.service"; !strings.Contains(ds[0].Detail, want) {
		t.Errorf("%q does not say %q", ds[0].Detail, want)
	}
	if len(ds[0].Related) != 3 {
		t.Errorf("%d edges are shown, not 3", len(ds[0].Related))
	}
	for _, r := range ds[0].Related {
		if r.Range.Start.Line == 0 {
			t.Errorf("%q has no line", r.Message)
		}
	}
}

func TestProgramsBelowASysroot(t *testing.T) {
	root := t.TempDir()
	for name, mode := range map[string]os.FileMode{"usr/bin/there": 0o755, "usr/bin/plain": 0o644} {
		p := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, nil, mode); err != nil {
			t.Fatal(err)
		}
	}
	for link, target := range map[string]string{"bin": "usr/bin", "usr/bin/link": "/bin/there", "usr/bin/loop": "loop", "usr/bin/out": "../../../../../../../../bin/sh"} {
		if err := os.Symlink(target, filepath.Join(root, link)); err != nil {
			t.Fatal(err)
		}
	}
	for command, missing := range map[string]bool{
		"/usr/bin/there": false, "/bin/there": false, "/bin/link": false, "there": false, "-/bin/gone": false,
		"/bin/gone": true, "/bin/plain": true, "/bin/loop": true, "gone": true, "/bin/out": true,
	} {
		ds := run(t, map[string]string{"a.service": "[Service]\nExecStart=" + command + "\n"}, verify.Options{Sysroot: root})
		if got := len(ds) == 1 && ds[0].Summary == "Missing program"; got != missing || !missing && len(ds) > 0 {
			t.Errorf("ExecStart=%s: %v", command, ds)
		}
	}
}

package transaction

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/unitgen/unitgen/internal/testenv"
	us "github.com/unitgen/unitgen/runtime/unitstate"
	"github.com/unitgen/unitgen/schema/load"
)

const systemdProgram = "/usr/lib/systemd/systemd"

// systemdJobs asks the machine's systemd which jobs it would queue to start a
// unit.
func systemdJobs(t *testing.T, dir, unit string) (jobs []string, refused bool) {
	t.Helper()
	cmd := exec.Command(systemdProgram, "--test", "--system", "--unit="+unit, "--no-pager")
	cmd.Env = []string{"SYSTEMD_UNIT_PATH=" + dir, "PATH=/usr/bin:/bin", "SYSTEMD_LOG_LEVEL=err", "HOME=/"}
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		return nil, true
	}
	for line := range strings.Lines(string(out)) {
		if a, ok := strings.CutPrefix(strings.TrimSpace(line), "Action: "); ok {
			u, typ, _ := strings.Cut(a, " -> ")
			jobs = append(jobs, u+"/"+typ)
		}
	}
	slices.Sort(jobs)
	return jobs, false
}

// writeGraph makes a random set of units. Without ordering cycles and
// conflicts there is one outcome, so the answer must be the same.
func writeGraph(t *testing.T, r *rand.Rand, dir string, wild bool) {
	t.Helper()
	n := 3 + r.IntN(8)
	name := func(i int) string {
		if i == n {
			return "missing.service"
		}
		return fmt.Sprintf("u%d.service", i)
	}
	for i := range n {
		if i > 0 && r.IntN(12) == 0 {
			if err := os.Symlink("/dev/null", filepath.Join(dir, name(i))); err != nil {
				t.Fatal(err)
			}
			continue
		}
		var b strings.Builder
		b.WriteString("[Unit]\nDefaultDependencies=no\n")
		for range r.IntN(5) {
			kinds := []string{"Requires", "Wants", "Wants", "BindsTo", "Requisite", "PartOf", "Upholds", "PropagatesStopTo"}
			if wild {
				kinds = append(kinds, "Conflicts", "After", "Before", "After")
			}
			k := kinds[r.IntN(len(kinds))]
			o := r.IntN(n + 1)
			if o == n && k != "Wants" && r.IntN(3) > 0 {
				o = r.IntN(n)
			}
			if o == i {
				continue
			}
			fmt.Fprintf(&b, "%s=%s\n", k, name(o))
			if !wild && o > i && r.IntN(2) == 0 {
				fmt.Fprintf(&b, "After=%s\n", name(o))
			}
		}
		b.WriteString("[Service]\nType=oneshot\nExecStart=/bin/true\n")
		if err := os.WriteFile(filepath.Join(dir, name(i)), []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAgainstSystemd(t *testing.T) {
	t.Parallel()
	testenv.Need(t, systemdProgram)
	base, err := os.MkdirTemp("", "unitgen-oracle-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(base) })
	if err := os.Chmod(base, 0o755); err != nil {
		t.Fatal(err)
	}
	compared := 0
	for seed := range uint64(60) {
		wild := seed%3 == 2
		dir := filepath.Join(base, fmt.Sprint(seed))
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		writeGraph(t, rand.New(rand.NewPCG(seed, 7)), dir, wild)
		g := NewGraph()
		l := load.New(load.Options{Path: []string{dir}})
		for _, f := range l.Closure("u0.service") {
			g.Add(f)
		}
		for _, n := range []string{"-.slice", "system.slice"} {
			if u := g.Unit(n); u != nil {
				u.Active = us.Active
			}
		}
		r, err := Build(g, Request{Type: us.Start, Unit: "u0.service"})
		want, refused := systemdJobs(t, dir, "u0.service")
		var got []string
		free := false  // systemd had a choice
		loose := false // and here: a unit could not have all that it needs
		if err == nil {
			for _, j := range r.Jobs {
				got = append(got, j.Unit.Name+"/"+string(j.Type))
			}
			for _, d := range r.Dropped {
				free = free || strings.Contains(d.Why, "cycle") || strings.Contains(d.Why, "conflicts")
			}
			for _, u := range g.Units() {
				loose = loose || u.Load != us.LoadLoaded && len(u.Deps(RequiredBy))+len(u.Deps(BoundBy))+len(u.Deps(RequisiteOf)) > 0
			}
		}
		text := func() string {
			var b strings.Builder
			files, _ := filepath.Glob(dir + "/*")
			for _, f := range files {
				c, _ := os.ReadFile(f)
				fmt.Fprintf(&b, "--- %s\n%s", filepath.Base(f), c)
			}
			return b.String()
		}
		if (err != nil) != refused {
			t.Errorf("seed %d: ours %v %v, systemd refused: %v %v\n%s", seed, got, err, refused, want, text())
			continue
		}
		if err != nil || free {
			continue
		}
		compared++
		// a unit whose own requirement is missing is still started where it is
		// only wanted; which of its other dependencies come along depends on
		// systemd's hash order, so ours may have more
		missing := slices.DeleteFunc(slices.Clone(want), func(j string) bool { return slices.Contains(got, j) })
		more := slices.DeleteFunc(slices.Clone(got), func(j string) bool { return slices.Contains(want, j) })
		if len(missing) > 0 || len(more) > 0 && !loose {
			t.Errorf("seed %d: systemd has %v besides, ours %v besides\n%s", seed, missing, more, text())
		}
	}
	if compared < 20 {
		t.Errorf("only %d graphs were compared", compared)
	}
}

package load_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/unitgen/unitgen/schema/load"
	"github.com/unitgen/unitgen/schema/unitname"
)

// intruders are lines that a mutation puts into a unit file.
var intruders = []string{
	"garbage", "Type=dbus", "Type=oneshot", "ExecStart=", `ExecStart=/bin/x "`, "Restart=always", "User=a b", "After=x y", "ExecStart=rel", "[Service]",
	"WorkingDirectory=rel", "Where=/x", "ListenStream=", "OnCalendar=nope", "RemainAfterExit=maybe", "TimeoutSec=-1", "Slice=foo", "Environment=A",
	"ExecStart=-", "ExecStart=@/bin/x", "KillMode=none", "PAMName=x", "[Broken", "Sockets=a.socket", "Unit=other.service",
}

// mutate changes a unit file in one of several ways.
func mutate(rng *rand.Rand, text string) string {
	lines := strings.Split(text, "\n")
	i, j := rng.IntN(len(lines)), rng.IntN(len(lines))
	switch rng.IntN(6) {
	case 0:
		lines = append(lines[:i], lines[i+1:]...)
	case 1:
		lines = append(lines[:i], append([]string{intruders[rng.IntN(len(intruders))]}, lines[i:]...)...)
	case 2:
		lines[i] = strings.Replace(lines[i], "=", "", 1)
	case 3:
		lines[i] += `\`
	case 4:
		lines[i] = lines[i][:len(lines[i])/2]
	case 5:
		lines[i], lines[j] = lines[j], lines[i]
	}
	return strings.Join(lines, "\n")
}

// TestMutatedLikeSystemd mutates the packages' units in hundreds of ways and
// compares load state and dependencies with the installed systemd's.
func TestMutatedLikeSystemd(t *testing.T) {
	system := filepath.Join(openCorpus(t), "usr/lib/systemd/system")
	dir := t.TempDir()
	list, err := os.ReadDir(system)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(3, 4))
	var names []string
	for i := range 600 {
		f := list[rng.IntN(len(list))]
		typ := unitname.Type(f.Name())
		if !f.Type().IsRegular() || unitname.IsTemplate(f.Name()) || typ != "service" && typ != "socket" && typ != "timer" && typ != "path" {
			continue
		}
		text := mustRead(t, filepath.Join(system, f.Name()))
		if strings.Contains(text, "BusName=") || text == "" {
			continue // systemd refuses the second unit of one bus name
		}
		n := fmt.Sprintf("mutant%d.%s", i, typ)
		write(t, filepath.Join(dir, n), mutate(rng, text))
		names = append(names, n)
	}
	// Named in After= they are loaded and no job is made: their dependencies
	// may be in a circle.
	var b strings.Builder
	b.WriteString("[Unit]\nDefaultDependencies=no\nAfter=" + strings.Join(names, "\nAfter=") + "\n")
	write(t, filepath.Join(dir, "mutants.target"), b.String())
	want := dump(t, []string{"mutants.target"}, dir, system)
	_, err = os.Stat("/sys/fs/cgroup/cgroup.controllers")
	l := load.New(load.Options{Path: []string{dir, system}, Version: installed(t), Facts: hostFacts(), NoUnifiedCgroups: err != nil})
	var diffs []string
	for _, n := range names {
		w := want[n]
		if w == nil {
			diffs = append(diffs, n+" is not in the dump")
			continue
		}
		if d := compareUnit(l.Load(n), w); len(d) > 0 {
			diffs = append(append(diffs, d...), n+": "+mustRead(t, filepath.Join(dir, n)))
		}
	}
	sort.Strings(diffs)
	for i, d := range diffs {
		if i < 25 {
			t.Errorf("%.400s", d)
		}
	}
	t.Logf("%d mutants compared, %d differences", len(names), len(diffs))
}

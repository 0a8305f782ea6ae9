package verify_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/unitgen/unitgen/internal/corpus"
	"github.com/unitgen/unitgen/internal/testenv"
	"github.com/unitgen/unitgen/schema/diag"
	"github.com/unitgen/unitgen/schema/load"
	"github.com/unitgen/unitgen/schema/unitname"
	"github.com/unitgen/unitgen/schema/verify"
)

// elsewhere are complaints that systemd-analyze makes of what a root of unit
// files alone cannot have: programs, manual pages, accounts.
var elsewhere = regexp.MustCompile(`is not executable|man page|Failed to (resolve|parse) (user|group)|Cannot add dependency job|Failed to prepare filename`)

// specialMissing are complaints about units that count as there: no package of
// the corpus brings them (systemd.special(7)).
var specialMissing = regexp.MustCompile(`Unit (\S+) not found|service (syslog.service) not loaded`)

// oracle asks systemd-analyze about one unit below a root and gives what it
// complains of in that unit.
func oracle(root, unit string) []string {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	out, _ := exec.CommandContext(ctx, "systemd-analyze", "verify", "--man=no", "--recursive-errors=yes", "--root="+root, unit).CombinedOutput()
	var lines []string
	for _, l := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		prefix, _, _, _ := unitname.Split(unit) // messages about a template name its file
		if l != "" && !elsewhere.MatchString(l) && !ofSpecial(l) && strings.Contains(l, prefix) {
			lines = append(lines, l)
		}
	}
	return lines
}

func ofSpecial(line string) bool {
	m := specialMissing.FindStringSubmatch(line)
	return m != nil && (verify.Special(m[1]) || m[2] != "")
}

// ours gives the errors and warnings of verify for one unit below a root.
func ours(root, unit string) []string {
	l := load.New(load.Options{Root: root, Version: 252})
	var lines []string
	for _, d := range verify.Run(verify.Options{Loader: l, Units: []string{unit}}) {
		if d.Severity != diag.Advice {
			lines = append(lines, d.Error())
		}
	}
	return lines
}

// units gives the units of a root as they are verified: templates by an
// instance.
func units(root string) []string {
	var out []string
	for _, n := range load.New(load.Options{Root: root}).Names() {
		if unitname.IsTemplate(n) {
			n, _ = unitname.WithInstance(n, "test-instance")
		}
		out = append(out, n)
	}
	sort.Strings(out)
	return out
}

func TestAcceptsTheUnitsOfTheDistribution(t *testing.T) {
	testenv.Need(t, "systemd-analyze")
	root := corpus.Dir(t)
	all := units(root)
	asked, refused := 0, 0
	var complained []string
	for _, u := range all {
		if o := ours(root, u); len(o) > 0 {
			complained = append(complained, u)
		}
	}
	for _, u := range complained {
		asked++
		if len(oracle(root, u)) == 0 {
			refused++
			t.Errorf("%s: systemd-analyze accepts it, but verify says:\n  %s", u, strings.Join(ours(root, u), "\n  "))
		}
	}
	t.Logf("%d units, %d with a complaint, %d of them accepted by systemd-analyze", len(all), asked, refused)
	if len(all) < 300 {
		t.Errorf("only %d units in the corpus", len(all))
	}
}

// mutation changes the text of a unit file in one way.
type mutation struct {
	name string
	do   func(r *rand.Rand, lines []string) []string
}

// pick gives the index of a random assignment that fits, -1 where there is
// none.
func pick(r *rand.Rand, lines []string, fits func(key, value string) bool) int {
	var at []int
	for i, l := range lines {
		k, v, ok := strings.Cut(l, "=")
		if ok && !strings.HasPrefix(l, "#") && !strings.HasPrefix(l, ";") && !strings.HasPrefix(l, " ") && fits(k, v) {
			at = append(at, i)
		}
	}
	if len(at) == 0 {
		return -1
	}
	return at[r.IntN(len(at))]
}

func anyOf(string, string) bool { return true }

// value replaces the value of a random assignment.
func value(with func(r *rand.Rand, k, v string) string) func(*rand.Rand, []string) []string {
	return func(r *rand.Rand, lines []string) []string {
		if i := pick(r, lines, anyOf); i >= 0 {
			k, v, _ := strings.Cut(lines[i], "=")
			lines[i] = k + "=" + with(r, k, v)
		}
		return lines
	}
}

func oneOf(words ...string) func(*rand.Rand, string, string) string {
	return func(r *rand.Rand, _, _ string) string { return words[r.IntN(len(words))] }
}

var mutations = []mutation{
	{"misspelt directive", func(r *rand.Rand, l []string) []string {
		if i := pick(r, l, anyOf); i >= 0 {
			n := r.IntN(len(strings.SplitN(l[i], "=", 2)[0]))
			l[i] = l[i][:n] + "x" + l[i][n:]
		}
		return l
	}},
	{"misspelt section", func(r *rand.Rand, l []string) []string {
		for i := range l {
			if strings.HasPrefix(l[i], "[") && r.IntN(2) == 0 {
				l[i] = strings.Replace(l[i], "[", "[Q", 1)
				break
			}
		}
		return l
	}},
	{"no equals sign", func(r *rand.Rand, l []string) []string {
		if i := pick(r, l, anyOf); i >= 0 {
			l[i] = strings.ReplaceAll(l[i], "=", " ")
		}
		return l
	}},
	{"dropped line", func(r *rand.Rand, l []string) []string {
		if i := pick(r, l, anyOf); i >= 0 {
			l = append(l[:i], l[i+1:]...)
		}
		return l
	}},
	{"word for a value", value(oneOf("maybe", "yess", "none", "foo", "-1", "1x", "%%", "~", "/", "a b", "\"a", "0x", "12foo", "no no"))},
	{"empty value", value(oneOf(""))},
	{"wrong specifier", value(func(r *rand.Rand, _, v string) string { return v + []string{"%z", "%Q", "%", "%i", "%9"}[r.IntN(5)] })},
	{"open quote", value(func(r *rand.Rand, _, v string) string { return "\"" + v })},
	{"cut short", value(func(r *rand.Rand, _, v string) string { return v[:r.IntN(len(v)+1)] })},
	{"relative path", value(func(r *rand.Rand, _, v string) string { return strings.ReplaceAll(v, "/", "") })},
	{"climbing path", value(func(r *rand.Rand, _, v string) string { return strings.Replace(v, "/", "/../", 1) })},
	{"repeated", value(func(r *rand.Rand, _, v string) string { return v + " " + v })},
	{"other type", func(r *rand.Rand, l []string) []string {
		types := []string{"simple", "oneshot", "forking", "notify", "dbus", "idle", "exec", "bogus"}
		for i := range l {
			if l[i] == "[Service]" {
				return append(l[:i+1:i+1], append([]string{"Type=" + types[r.IntN(len(types))]}, l[i+1:]...)...)
			}
		}
		return l
	}},
	{"second command", func(r *rand.Rand, l []string) []string {
		if i := pick(r, l, func(k, _ string) bool { return strings.HasPrefix(k, "Exec") }); i >= 0 {
			return append(l[:i+1:i+1], append([]string{l[i]}, l[i+1:]...)...)
		}
		return l
	}},
	{"missing requirement", func(r *rand.Rand, l []string) []string {
		for i := range l {
			if l[i] == "[Unit]" {
				k := []string{"Requires", "BindsTo", "Requisite", "Wants", "After", "Conflicts", "PartOf", "OnFailure"}[r.IntN(8)]
				v := []string{"nowhere.service", "nowhere", "no where.service", "a@b@c.service", "foo.bar", "nowhere@.service"}[r.IntN(6)]
				return append(l[:i+1:i+1], append([]string{k + "=" + v}, l[i+1:]...)...)
			}
		}
		return l
	}},
	{"restart", func(r *rand.Rand, l []string) []string {
		for i := range l {
			if l[i] == "[Service]" {
				k := []string{"Restart=always", "Restart=on-success", "RemainAfterExit=maybe", "KillMode=none", "TimeoutSec=x", "User=a b", "Slice=foo", "Slice=a.service", "PIDFile=x", "Sockets=a", "BusName=.x", "NotifyAccess=x", "GuessMainPID=1 2", "DefaultDependencies=no", "LimitNOFILE=x:y", "CPUQuota=x", "MemoryMax=110%", "Nice=55", "UMask=999", "SystemCallFilter=@nope", "CapabilityBoundingSet=CAP_X", "StandardOutput=nowhere", "WorkingDirectory=x", "EnvironmentFile=x", "Environment=x", "ProtectSystem=x", "DeviceAllow=x", "RuntimeDirectory=/x", "RuntimeDirectory=../x", "ReadWritePaths=x", "AmbientCapabilities=x", "OOMPolicy=x", "IPAddressDeny=x", "CPUAffinity=x"}
				return append(l[:i+1:i+1], append([]string{k[r.IntN(len(k))]}, l[i+1:]...)...)
			}
		}
		return l
	}},
}

func TestRefusesWhatSystemdRefuses(t *testing.T) {
	testenv.Need(t, "systemd-analyze")
	n := 400
	if s := os.Getenv("UNITGEN_MUTATIONS"); s != "" {
		n, _ = strconv.Atoi(s)
	}
	src := corpus.Dir(t)
	all := units(src)
	type work struct {
		root string
		r    *rand.Rand
		n    int
	}
	var mu sync.Mutex
	var missed []string
	total, refused := 0, 0
	var jobs []work
	for i := range 2 {
		jobs = append(jobs, work{corpus.Copy(t), rand.New(rand.NewPCG(7, uint64(i))), n / 2})
	}
	parallel(jobs, func(w work) {
		for range w.n {
			u := all[w.r.IntN(len(all))]
			file := u
			if tmpl := unitname.Template(u); tmpl != "" {
				file = tmpl
			}
			data, err := os.ReadFile(filepath.Join(src, "lib/systemd/system", file))
			if err != nil || len(data) == 0 {
				continue
			}
			m := mutations[w.r.IntN(len(mutations))]
			text := strings.Join(m.do(w.r, strings.Split(string(data), "\n")), "\n")
			at := filepath.Join(w.root, "etc/systemd/system", file)
			_ = os.MkdirAll(filepath.Dir(at), 0o755)
			if err := os.WriteFile(at, []byte(text), 0o644); err != nil {
				t.Error(err)
				return
			}
			said := oracle(w.root, u)
			mine := ours(w.root, u)
			_ = os.Remove(at)
			mu.Lock()
			total++
			if len(said) > 0 {
				refused++
				if len(mine) == 0 {
					missed = append(missed, fmt.Sprintf("%s (%s): systemd-analyze says\n  %s", u, m.name, strings.Join(said, "\n  ")))
				}
			}
			mu.Unlock()
		}
	})
	sort.Strings(missed)
	for _, m := range missed {
		t.Error(m)
	}
	t.Logf("%d mutated units, %d refused by systemd-analyze, %d of them accepted by verify", total, refused, len(missed))
	if refused < n/5 {
		t.Errorf("only %d of %d mutated units are refused by systemd-analyze: the mutations are too mild", refused, total)
	}
}

// parallel runs f for every item on two goroutines.
func parallel[T any](items []T, f func(T)) {
	var wg sync.WaitGroup
	ch := make(chan T)
	for range 2 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for x := range ch {
				f(x)
			}
		}()
	}
	for _, x := range items {
		ch <- x
	}
	close(ch)
	wg.Wait()
}

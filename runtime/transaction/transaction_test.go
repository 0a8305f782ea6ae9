package transaction

import (
	"fmt"
	"strings"
	"testing"

	us "github.com/unitgen/unitgen/runtime/unitstate"
	"github.com/unitgen/unitgen/schema/load"
)

// graph reads lines such as
//
//	a.service Wants=b.service,c.service After=b.service [AllowIsolate=yes] active
//
// Units that are only named are not found; "masked" and "bad" set the load
// state, an active state the state, "job:start" a queued job.
func graph(t testing.TB, text string) *Graph {
	t.Helper()
	g := NewGraph()
	type state struct {
		active us.ActiveState
		job    us.JobType
	}
	states := map[string]state{}
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) == 0 {
			continue
		}
		u := &load.Unit{Name: f[0], Names: []string{f[0]}, State: load.Loaded,
			Settings: map[string]map[string][]string{"Unit": {}}, Commands: map[string][]load.Command{}}
		st := state{active: us.Inactive}
		for _, w := range f[1:] {
			switch k, v, ok := strings.Cut(w, "="); {
			case ok && depByName[k] != 0 || k == "Requires":
				for _, d := range strings.Split(v, ",") {
					u.Deps = append(u.Deps, load.Dep{Type: k, Unit: d, Origins: []string{"file"}})
				}
			case k == "ExecReload":
				u.Commands["ExecReload"] = []load.Command{{Path: "/bin/true"}}
			case ok:
				u.Settings["Unit"][k] = []string{v}
			case k == "masked":
				u.State = load.Masked
			case k == "bad":
				u.State = load.BadSetting
			case strings.HasPrefix(k, "job:"):
				st.job = us.JobType(k[4:])
			default:
				st.active = us.ActiveState(k)
			}
		}
		g.Add(u)
		states[u.Name] = st
	}
	for n, s := range states {
		u := g.Unit(n)
		u.Active = s.active
		if s.job != "" {
			u.Job = &Queued{ID: 1, Type: s.job}
		}
	}
	for _, u := range g.Units() {
		if u.File == nil {
			u.Load = us.LoadNotFound
		}
	}
	return g
}

func jobs(r *Result) string {
	var s []string
	for _, j := range r.Jobs {
		s = append(s, j.Unit.Name+"/"+string(j.Type))
	}
	return strings.Join(s, " ")
}

func TestBuild(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, graph, request string
		jobs                 string // the jobs, or "error: NAME text"
		dropped              string
	}{
		{"one", "a.service", "start a.service", "a.service/start", ""},
		{"an active anchor keeps its job", "a.service active", "start a.service", "a.service/start", ""},
		{"requires and wants", "a.service Requires=b.service Wants=c.service\nb.service\nc.service", "start a.service",
			"a.service/start b.service/start c.service/start", ""},
		{"redundant", "a.service Requires=b.service\nb.service active", "start a.service", "a.service/start", "b.service/start redundant: the unit is active"},
		{"wanted and missing", "a.service Wants=x.service", "start a.service", "a.service/start", "x.service/start Unit x.service not found."},
		{"required and missing", "a.service Requires=x.service", "start a.service", "error: NoSuchUnit Unit x.service not found.", ""},
		{"wanted, and its own requirement missing", "a.target Wants=b.service\nb.service Requires=x.service", "start a.target",
			"a.target/start b.service/start", ""},
		{"masked", "a.service masked", "start a.service", "error: UnitMasked Unit a.service is masked.", ""},
		{"required and masked", "a.service Requires=b.service\nb.service masked", "start a.service", "error: UnitMasked Unit b.service is masked.", ""},
		{"bad", "a.service bad", "start a.service", "error: BadUnitSetting", ""},
		{"refused by hand", "a.service RefuseManualStart=yes", "start a.service", "error: OnlyByDependency", ""},
		{"refused by hand, started by another", "a.service Requires=b.service\nb.service RefuseManualStart=yes", "start a.service", "a.service/start b.service/start", ""},
		{"stop refused by hand", "a.service RefuseManualStop=yes active", "stop a.service", "error: OnlyByDependency", ""},
		{"requisite up", "a.service Requisite=b.service\nb.service active", "start a.service", "a.service/start", "b.service/verify-active redundant: the unit is active"},
		{"requisite down", "a.service Requisite=b.service\nb.service", "start a.service", "a.service/start b.service/verify-active", ""},
		{"verify merges into start", "a.service Requisite=b.service Wants=b.service\nb.service", "start a.service", "a.service/start b.service/start", ""},
		{"conflicts", "a.service Conflicts=b.service\nb.service active", "start a.service", "a.service/start b.service/stop", ""},
		{"conflicted by", "a.service\nb.service Conflicts=a.service active", "start a.service", "a.service/start b.service/stop", ""},
		{"start and stop of one unit", "a.service Requires=b.service Conflicts=b.service\nb.service", "start a.service", "error: TransactionJobsConflicting", ""},
		{"two wanted that conflict", "a.target Wants=b.service,c.service\nb.service Conflicts=c.service\nc.service", "start a.target",
			"a.target/start b.service/start", "c.service/start it conflicts with c.service/stop, asked for by b.service"},
		{"a required one that conflicts with a wanted one", "a.target Requires=b.service Wants=c.service\nb.service Conflicts=c.service\nc.service", "start a.target",
			"a.target/start b.service/start", "c.service/start it conflicts"},
		{"stop propagates", "a.service active\nb.service Requires=a.service active\nc.service Wants=a.service active\nd.service PartOf=a.service active\ne.service BindsTo=a.service active", "stop a.service",
			"a.service/stop b.service/stop d.service/stop e.service/stop", ""},
		{"stop propagates down a chain", "a.service active\nb.service Requires=a.service active\nc.service Requires=b.service active", "stop a.service", "a.service/stop b.service/stop c.service/stop", ""},
		{"PropagatesStopTo", "a.service active PropagatesStopTo=b.service\nb.service active", "stop a.service", "a.service/stop b.service/stop", ""},
		{"restart propagates to what runs", "a.service active\nb.service Requires=a.service active\nc.service Requires=a.service", "restart a.service",
			"a.service/restart b.service/restart", ""},
		{"restart pulls in", "a.service active Requires=b.service\nb.service", "restart a.service", "a.service/restart b.service/start", ""},
		{"try-restart of what is down", "a.service", "try-restart a.service", "a.service/nop", ""},
		{"try-restart of what is up", "a.service active", "try-restart a.service", "a.service/restart", ""},
		{"reload", "a.service active ExecReload=x PropagatesReloadTo=b.service,c.service\nb.service active ExecReload=x\nc.service ExecReload=x", "reload a.service",
			"a.service/reload b.service/reload", ""},
		{"reload of what cannot", "a.service active", "reload a.service", "error: JobTypeNotApplicable Job type reload is not applicable for unit a.service.", ""},
		{"reload-or-restart, reloadable", "a.service active ExecReload=x", "reload-or-restart a.service", "a.service/reload", ""},
		{"reload-or-restart, not reloadable", "a.service active", "reload-or-restart a.service", "a.service/restart", ""},
		{"reload-or-try-restart of what is down", "a.service ExecReload=x", "reload-or-try-restart a.service", "a.service/nop", ""},
		{"stop of what is down", "a.service", "stop a.service", "a.service/stop", ""},
		{"stop of what is missing", "a.service Wants=x.service", "stop x.service", "error: NoSuchUnit Unit x.service not loaded.", ""},
		{"a root slice never stops", "-.slice active", "stop -.slice", "error: JobTypeNotApplicable", ""},
		{"isolate", "a.target AllowIsolate=yes Wants=b.service\nb.service\nc.service active\nd.slice active\ne.service active IgnoreOnIsolate=yes", "start:isolate a.target",
			"a.target/start b.service/start c.service/stop", ""},
		{"isolate refused", "a.target", "start:isolate a.target", "error: NoIsolation Operation refused, unit may not be isolated.", ""},
		{"isolate is for start", "a.target AllowIsolate=yes active", "stop:isolate a.target", "error: InvalidArgs", ""},
		{"ignore-dependencies", "a.service Requires=b.service,x.service\nb.service", "start:ignore-dependencies a.service", "a.service/start", ""},
		{"ignore-requirements", "a.service Requires=b.service\nb.service", "start:ignore-requirements a.service", "a.service/start", ""},
		{"fail refuses", "a.service job:stop", "start:fail a.service", "error: TransactionIsDestructive", ""},
		{"replace replaces", "a.service job:stop active", "start a.service", "a.service/start", ""},
		{"fail leaves out a wanted conflict", "a.service\nb.service Conflicts=a.service active", "start:fail a.service", "a.service/start",
			"b.service/stop it would stop a running unit, which mode fail forbids"},
		{"triggering", "a.service active\na.socket Triggers=a.service active", "stop:triggering a.service", "a.service/stop a.socket/stop", ""},
		{"stop leaves the trigger", "a.service active\na.socket Triggers=a.service active", "stop a.service", "a.service/stop", ""},
		{"a loop of requirements", "a.service Requires=b.service\nb.service Requires=a.service", "start a.service", "a.service/start b.service/start", ""},
		{"an ordering cycle of wanted ones", "t.target Wants=a.service,b.service,c.service\na.service After=b.service\nb.service After=c.service\nc.service After=a.service", "start t.target",
			"a.service/start b.service/start t.target/start", "c.service/start it was left out to break the ordering cycle"},
		{"a cycle through a required one", "t.target Requires=c.service Wants=a.service\na.service After=c.service\nc.service After=a.service", "start t.target",
			"c.service/start t.target/start", "a.service/start it was left out to break the ordering cycle"},
		{"a cycle of required ones", "t.target Requires=a.service,b.service\na.service After=b.service\nb.service After=a.service", "start t.target",
			"error: TransactionOrderIsCyclic Transaction order is cyclic: a.service/start before b.service/start (After=a.service of b.service, file) before a.service/start", ""},
		{"the cheapest of a cycle goes", "t.target Wants=a.service,b.service,z.service\na.service After=b.service\nb.service After=a.service\nz.service Requires=b.service", "start t.target",
			"b.service/start t.target/start z.service/start", "a.service/start it was left out"},
		{"upholds", "a.service Upholds=b.service\nb.service", "start a.service", "a.service/start b.service/start", ""},
		{"unknown type", "a.service", "sing a.service", "error: InvalidArgs", ""},
		{"unknown unit", "a.service", "start q.service", "error: NoSuchUnit Unit q.service not loaded.", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			g := graph(t, c.graph)
			verb, unit, _ := strings.Cut(c.request, " ")
			typ, mode, _ := strings.Cut(verb, ":")
			r, err := Build(g, Request{Type: us.JobType(typ), Unit: unit, Mode: us.JobMode(mode)})
			got := ""
			if err != nil {
				e := err.(*us.Error)
				got = "error: " + e.Name[strings.LastIndexByte(e.Name, '.')+1:] + " " + e.Message
				if !strings.HasPrefix(got, c.jobs) || c.jobs == "" {
					t.Fatalf("got %q, want %q", got, c.jobs)
				}
				return
			}
			if got = jobs(r); got != c.jobs {
				t.Errorf("got  %q\nwant %q\nwarnings %q dropped %v", got, c.jobs, r.Warnings, r.Dropped)
			}
			if c.dropped != "" {
				found := false
				for _, d := range r.Dropped {
					found = found || strings.HasPrefix(d.Unit+"/"+string(d.Type)+" "+d.Why, c.dropped)
				}
				if !found {
					t.Errorf("dropped %v, want %q", r.Dropped, c.dropped)
				}
			}
		})
	}
}

// Merge is commutative and associative where it is defined, and a superset
// absorbs.
func TestMergeLaws(t *testing.T) {
	t.Parallel()
	types := []us.JobType{us.Start, us.VerifyActive, us.Stop, us.Reload, us.ReloadOrStart, us.Restart}
	for _, a := range types {
		for _, b := range types {
			x, ok := Merge(a, b)
			y, ok2 := Merge(b, a)
			if x != y || ok != ok2 {
				t.Errorf("Merge(%s, %s) is not commutative", a, b)
			}
			if !ok {
				if a != us.Stop && b != us.Stop {
					t.Errorf("Merge(%s, %s) is not defined", a, b)
				}
				continue
			}
			if !Superset(x, a) || !Superset(x, b) {
				t.Errorf("Merge(%s, %s) = %s does not absorb both", a, b, x)
			}
			for _, c := range types {
				l, ok1 := Merge(x, c)
				m, ok2 := Merge(b, c)
				if ok2 {
					m, ok2 = Merge(a, m)
				}
				if ok1 != ok2 || ok1 && l != m {
					t.Errorf("Merge is not associative for %s %s %s", a, b, c)
				}
			}
		}
	}
}

func TestLongChain(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	const n = 20000
	for i := range n {
		fmt.Fprintf(&b, "u%d.service Requires=u%d.service After=u%d.service\n", i, i+1, i+1)
	}
	fmt.Fprintf(&b, "u%d.service\n", n)
	r, err := Build(graph(t, b.String()), Request{Type: us.Start, Unit: "u0.service"})
	if err != nil || len(r.Jobs) != n+1 {
		t.Fatal(err, r)
	}
}

func BenchmarkFlatTarget(b *testing.B) {
	var s strings.Builder
	s.WriteString("t.target Wants=")
	for i := range 1000 {
		if i > 0 {
			s.WriteByte(',')
		}
		fmt.Fprintf(&s, "u%d.service", i)
	}
	s.WriteByte('\n')
	for i := range 1000 {
		fmt.Fprintf(&s, "u%d.service Before=t.target\n", i)
	}
	g := graph(b, s.String())
	for b.Loop() {
		if _, err := Build(g, Request{Type: us.Start, Unit: "t.target"}); err != nil {
			b.Fatal(err)
		}
	}
}

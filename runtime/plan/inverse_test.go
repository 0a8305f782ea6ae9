package plan

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// apply carries out a plan on states: what the steps say and nothing else.
func apply(p *Plan, states map[string]string) map[string]string {
	out := maps.Clone(states)
	for _, a := range []Action{Stop, Reload, Restart, Start} {
		for _, s := range p.Select(a, "system") {
			if a == Stop {
				delete(out, s.Unit)
			} else {
				out[s.Unit] = "active"
			}
		}
	}
	return out
}

// randomTree writes a tree of services, sockets, timers and instances that
// depend on one another; mutate changes some of them.
type randomTree map[string]string

func makeRandom(r *rand.Rand) randomTree {
	t := randomTree{}
	for i := range 8 {
		t[fmt.Sprintf("s%d.service", i)] = fmt.Sprintf("[Service]\nExecStart=/bin/s%d %d\n", i, r.IntN(2))
		if i > 0 && r.IntN(2) == 0 {
			on := r.IntN(i)
			key := []string{"Requires", "BindsTo", "Wants", "PartOf"}[r.IntN(4)]
			t[fmt.Sprintf("s%d.service", i)] += fmt.Sprintf("[Unit]\n%s=s%d.service\nAfter=s%d.service\n", key, on, on)
		}
		if r.IntN(5) == 0 {
			t[fmt.Sprintf("s%d.socket", i)] = "[Socket]\nListenStream=/run/s\n"
			t[fmt.Sprintf("sockets.target.wants/s%d.socket", i)] = fmt.Sprintf("-> ../s%d.socket", i)
		}
		t[fmt.Sprintf("multi-user.target.wants/s%d.service", i)] = fmt.Sprintf("-> ../s%d.service", i)
	}
	return t
}

func (t randomTree) mutate(r *rand.Rand) randomTree {
	out := randomTree(maps.Clone(t))
	for range 1 + r.IntN(4) {
		i := r.IntN(8)
		unit := fmt.Sprintf("s%d.service", i)
		switch r.IntN(3) {
		case 0: // gone, with what hangs on it
			for n, text := range out {
				if n == unit || n == "multi-user.target.wants/"+unit || filepath.Base(n) == fmt.Sprintf("s%d.socket", i) {
					delete(out, n)
					continue
				}
				for _, key := range []string{"Requires", "BindsTo"} {
					old := fmt.Sprintf("%s=s%d.service\n", key, i)
					if len(text) > 0 && text[0] == '[' {
						out[n] = replace(out[n], old)
					}
				}
			}
		default:
			if text, ok := out[unit]; ok {
				out[unit] = text + fmt.Sprintf("[Service]\nNice=%d\n", 1+r.IntN(5))
			}
		}
	}
	return out
}

func replace(s, old string) string {
	for i := 0; i+len(old) <= len(s); i++ {
		if s[i:i+len(old)] == old {
			return s[:i] + s[i+len(old):]
		}
	}
	return s
}

func (t randomTree) write(tb testing.TB) *Tree {
	tb.Helper()
	dir := tb.TempDir()
	base := filepath.Join(dir, "etc/systemd/system")
	for n, text := range t {
		p := filepath.Join(base, n)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			tb.Fatal(err)
		}
		var err error
		if len(text) > 3 && text[:3] == "-> " {
			err = os.Symlink(text[3:], p)
		} else {
			err = os.WriteFile(p, []byte(text), 0o644)
		}
		if err != nil {
			tb.Fatal(err)
		}
	}
	if err := os.MkdirAll(base, 0o755); err != nil {
		tb.Fatal(err)
	}
	out, err := Read(dir)
	if err != nil {
		tb.Fatal(err)
	}
	return out
}

// TestInverse goes from one random tree to another and back: the same units
// are up as before, no unit has two actions that contradict each other, what is
// gone is stopped, and a tree planned against itself gives nothing.
func TestInverse(t *testing.T) {
	t.Parallel()
	for seed := range uint64(150) {
		r := rand.New(rand.NewPCG(seed, 1))
		a := makeRandom(r)
		b := a.mutate(r)
		old, new := a.write(t), b.write(t)
		states := map[string]string{"multi-user.target": "active", "sockets.target": "active"}
		for n := range a {
			if filepath.Dir(n) == "." {
				states[n] = "active"
			}
		}
		there := Make(old, new, States{System: states, User: map[string]string{}})
		after := apply(there, states)
		back := Make(new, old, States{System: after, User: map[string]string{}})
		again := apply(back, after)
		if !maps.Equal(states, again) {
			t.Errorf("seed %d: %v\nafter there and back: %v\nthere:\n%sback:\n%s", seed, states, again, render(there), render(back))
		}
		for n := range a {
			if _, stays := b[n]; !stays && filepath.Dir(n) == "." && after[n] != "" {
				t.Errorf("seed %d: %s is gone and still %s", seed, n, after[n])
			}
		}
		count := map[string]int{}
		for _, s := range there.Steps {
			count[s.Unit+" "+string(s.Action)]++
			if count[s.Unit+" "+string(s.Action)] > 1 || s.Action == Restart && count[s.Unit+" stop"]+count[s.Unit+" start"] > 0 {
				t.Errorf("seed %d: %s has contradicting steps:\n%s", seed, s.Unit, render(there))
			}
			if s.Reason == "" {
				t.Errorf("seed %d: a step without a reason: %+v", seed, s)
			}
		}
		if same := Make(old, old, States{System: states}); !same.Empty() {
			t.Errorf("seed %d: a plan from a tree to itself: %s", seed, render(same))
		}
		if t.Failed() {
			return
		}
	}
}

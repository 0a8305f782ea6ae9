package generation

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestBack goes through the histories that a host can have: each line makes
// generations, and says where rollback leads from one of them.
func TestBack(t *testing.T) {
	t.Parallel()
	// made is one generation: what was current when it was made, and how its
	// switch ended.
	type made struct {
		current int
		end     string // "good", "failed", "" for cut off
	}
	for _, c := range []struct {
		name string
		made []made
		gone []int
		from int
		want int
	}{
		{"the one before", []made{{0, "good"}, {1, "good"}}, nil, 2, 1},
		{"past one that failed", []made{{0, "good"}, {1, "good"}, {2, "failed"}, {2, "good"}}, nil, 4, 2},
		{"past one that was cut off", []made{{0, "good"}, {1, ""}, {1, "good"}}, nil, 3, 1},
		{"past one that was kept with its failures", []made{{0, "good"}, {1, "failed"}, {2, "good"}}, nil, 3, 1},
		{"after a rollback the parent, not the number before", []made{{0, "good"}, {1, "good"}, {2, "good"}, {2, "good"}}, nil, 4, 2},
		{"the parent is gone", []made{{0, "good"}, {1, "good"}, {2, "good"}, {3, "good"}}, []int{3}, 4, 2},
		{"nothing is left", []made{{0, "failed"}, {1, "good"}}, nil, 2, 0},
		{"from the first", []made{{0, "good"}}, nil, 1, 0},
	} {
		s := Open(filepath.Join(t.TempDir(), "state"))
		for i, m := range c.made {
			if m.current > 0 {
				if err := s.SetCurrent(m.current); err != nil {
					t.Fatal(err)
				}
			}
			g, err := s.Create(treeIn(t, s, "x"))
			if err != nil || g.Number != i+1 || g.Parent != m.current {
				t.Fatal(c.name, g, err)
			}
			switch m.end {
			case "good":
				err = s.MarkGood(g.Number)
			case "failed":
				err = s.MarkFailed(g.Number)
			}
			if err != nil {
				t.Fatal(err)
			}
			if g, err := s.Get(g.Number); err != nil || g.Failed != (m.end == "failed") {
				t.Error(c.name, g, err)
			}
		}
		if err := s.SetCurrent(c.from); err != nil {
			t.Fatal(err)
		}
		for _, n := range c.gone {
			if err := s.Delete(n); err != nil {
				t.Fatal(err)
			}
		}
		g, err := s.Back(c.from)
		if g.Number != c.want || (err != nil) != (c.want == 0) || err != nil && !errors.Is(err, ErrNone) {
			t.Errorf("%s: generation %d, want %d (%v)", c.name, g.Number, c.want, err)
		}
	}
}

// TestBackWithoutRecords goes back in a state directory from before there were
// records, by the numbers.
func TestBackWithoutRecords(t *testing.T) {
	t.Parallel()
	s := Open(filepath.Join(t.TempDir(), "state"))
	for range 3 {
		if _, err := s.Create(treeIn(t, s, "x")); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.RemoveAll(s.Path(dirRecords)); err != nil {
		t.Fatal(err)
	}
	if g, err := s.Back(3); err != nil || g.Number != 2 || g.Failed {
		t.Error(g, err)
	}
	// The switch to it fails: the next rollback leads past it. What was good
	// stays good.
	if err := errors.Join(s.MarkFailed(2), s.MarkGood(1), s.MarkFailed(1)); err != nil {
		t.Fatal(err)
	}
	if g, err := s.Back(3); err != nil || g.Number != 1 || g.Failed {
		t.Error(g, err)
	}
}

// TestDamagedRecords wants a record that is none to be taken for good, made
// after the one before it, and to be written anew with the next switch.
func TestDamagedRecords(t *testing.T) {
	t.Parallel()
	s := Open(filepath.Join(t.TempDir(), "state"))
	for range 3 {
		if _, err := s.Create(treeIn(t, s, "x")); err != nil {
			t.Fatal(err)
		}
	}
	for _, text := range []string{"", "garbage", "[]", `{"parent":3}`, `{"parent":9}`, `{"parent":-1}`, `{"parent":1e99}`, strings.Repeat(" ", 1<<20) + `{"parent":1}`} {
		for n := 1; n <= 3; n++ {
			if err := os.WriteFile(s.recordPath(n), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		g, err := s.Get(3)
		if b, berr := s.Back(3); err != nil || berr != nil || g.Parent != 2 || g.Failed || b.Number != 2 {
			t.Errorf("%.20q: %+v, %v, back to %d, %v", text, g, err, b.Number, berr)
		}
		if err := s.MarkGood(3); err != nil {
			t.Fatal(err)
		}
		if r := s.record(3); r != (record{Parent: 2, Good: true}) {
			t.Errorf("%.20q: %+v", text, r)
		}
	}
}

// TestDiscardGivesTheNumberBack wants no number used up by a switch that was
// refused, and none given twice.
func TestDiscardGivesTheNumberBack(t *testing.T) {
	t.Parallel()
	s := Open(filepath.Join(t.TempDir(), "state"))
	for want := 1; want <= 3; want++ {
		for range 2 {
			g, err := s.Create(treeIn(t, s, "x"))
			if err != nil || g.Number != want {
				t.Fatal(g, err)
			}
			if err := s.Discard(g.Number); err != nil {
				t.Fatal(err)
			}
		}
		if g, err := s.Create(treeIn(t, s, "x")); err != nil || g.Number != want {
			t.Fatal(g, err)
		}
	}
	if err := s.Delete(3); err != nil {
		t.Fatal(err)
	}
	if err := s.Discard(2); err != nil {
		t.Fatal(err)
	}
	if g, err := s.Create(treeIn(t, s, "x")); err != nil || g.Number != 4 {
		t.Error("a number came twice", g, err)
	}
	if err := os.Remove(s.link(4)); err != nil { // as if its making had been cut off
		t.Fatal(err)
	}
	if gone, err := s.Temporaries(); err != nil || len(gone) != 1 || gone[0] != s.recordPath(4) {
		t.Error(gone, err)
	}
}

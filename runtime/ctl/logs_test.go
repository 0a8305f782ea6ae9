package ctl_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/unitgen/unitgen/runtime/ctl"
	"github.com/unitgen/unitgen/runtime/manager/output"
)

// written makes logs as the manager does.
func written(t *testing.T) (string, *output.Store) {
	t.Helper()
	dir := t.TempDir()
	s, err := output.NewStore(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for i := range 5 {
		s.Write("a.service", at.Add(time.Duration(2*i)*time.Second), "a", []byte(fmt.Sprintf("a%d\n", i)))
		s.Write("b.service", at.Add(time.Duration(2*i+1)*time.Second), "b-prog", []byte(fmt.Sprintf("b%d: x\n", i)))
	}
	return dir, s
}

func collect(t *testing.T, q ctl.LogQuery) string {
	t.Helper()
	var out []string
	if _, err := ctl.ReadLogs(q, func(l ctl.LogLine) error {
		out = append(out, l.Source+"="+l.Text)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return strings.Join(out, " ")
}

func TestReadLogs(t *testing.T) {
	dir, _ := written(t)
	since := time.Date(2026, 1, 2, 3, 4, 12, 0, time.UTC)
	for _, c := range []struct {
		q    ctl.LogQuery
		want string
	}{
		{ctl.LogQuery{Units: []string{"a.service"}, Last: -1}, "a=a0 a=a1 a=a2 a=a3 a=a4"},
		{ctl.LogQuery{Units: []string{"a.service"}, Last: 2}, "a=a3 a=a4"},
		{ctl.LogQuery{Units: []string{"a.service"}, Last: 0}, ""},
		{ctl.LogQuery{Last: 3}, "b-prog=b3: x a=a4 b-prog=b4: x"},
		{ctl.LogQuery{Since: since, Last: -1}, "b-prog=b3: x a=a4 b-prog=b4: x"},
		{ctl.LogQuery{Units: []string{"b*"}, Last: 1}, "b-prog=b4: x"},
		{ctl.LogQuery{Units: []string{"nix.service"}, Last: -1}, ""},
	} {
		c.q.Dir = dir
		if got := collect(t, c.q); got != c.want {
			t.Errorf("%+v: %s; want %s", c.q, got, c.want)
		}
	}
}

// TestOddLogs: lines that are none, a torn last line, huge lines.
func TestOddLogs(t *testing.T) {
	dir := t.TempDir()
	text := "not a log line\n\n2026-01-02T03:04:05.000000Z x: ok\n2026-01-02T03:04:05.000000Z\n" + strings.Repeat("y", 1<<20) + "\n2026-01-02T03:04:06.000000Z x: torn"
	if err := os.WriteFile(filepath.Join(dir, "x.service.log"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	got := collect(t, ctl.LogQuery{Dir: dir, Last: -1})
	if !strings.Contains(got, "x=ok") || strings.Contains(got, "torn") {
		t.Errorf("read %.200s", got)
	}
	if got := collect(t, ctl.LogQuery{Dir: filepath.Join(dir, "nowhere"), Last: -1}); got != "" {
		t.Errorf("read %s", got)
	}
}

// TestFollowLogs sees what comes, past a rotation and in a unit that is new.
func TestFollowLogs(t *testing.T) {
	dir, s := written(t)
	q := ctl.LogQuery{Dir: dir, Last: 1}
	ends, err := ctl.ReadLogs(q, func(ctl.LogLine) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	lines := make(chan string, 100)
	done := make(chan error)
	go func() {
		done <- ctl.FollowLogs(ctx, q, ends, func(l ctl.LogLine) error { lines <- l.Text; return nil })
	}()
	expect := func(want string) {
		t.Helper()
		select {
		case got := <-lines:
			if got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		case <-ctx.Done():
			t.Fatalf("%q did not come", want)
		}
	}
	s.Write("a.service", time.Now(), "a", []byte("one\n"))
	expect("one")
	if err := os.Rename(filepath.Join(dir, "a.service.log"), filepath.Join(dir, "a.service.log.1")); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "a.service.log"), os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	fmt.Fprint(f, "2026-01-02T03:04:05.000000Z a: two\n2026-01-02T03:04:05.000000Z a: thr")
	expect("two")
	fmt.Fprint(f, "ee\n")
	expect("three")
	s.Write("new.service", time.Now(), "new", []byte("four\n"))
	expect("four")
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestLogJSON(t *testing.T) {
	b, err := json.Marshal(ctl.LogLine{Time: time.Unix(1, 5000).UTC(), Unit: "a.service", Source: "a", Text: "x\"y"})
	want := `{"time":"1970-01-01T00:00:01.000005Z","unit":"a.service","source":"a","message":"x\"y"}`
	if err != nil || string(b) != want {
		t.Errorf("%s, %v; want %s", b, err, want)
	}
}

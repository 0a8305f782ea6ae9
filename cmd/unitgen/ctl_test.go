//go:build linux

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/unitgen/unitgen/runtime/bus"
	"github.com/unitgen/unitgen/runtime/bus/bustest"
	"github.com/unitgen/unitgen/runtime/manager/output"
	"github.com/unitgen/unitgen/runtime/unitstate"
)

// servedState makes a state directory whose bundled manager answers.
func servedState(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "ctl")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	f := bustest.New(
		bustest.Unit("a.service", "The service A", unitstate.Active, "running", nil),
		bustest.Unit("unitgen-action-app-reindex.service", "reindex", unitstate.Inactive, "dead", nil),
		bustest.Unit("fail.service", "Fails", unitstate.Inactive, "dead", nil),
	)
	srv := bus.NewServer(bus.ServerOptions{Backend: f})
	rec := bus.Record{PID: os.Getpid(), Scope: "system", Socket: bus.PrivateSocket(dir), RuntimeDir: dir, State: dir, LogDir: filepath.Join(dir, "log")}
	if err := srv.ListenRuntime(dir); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(srv.Close)
	if err := bus.WriteRecord(rec); err != nil {
		t.Fatal(err)
	}
	logs, err := output.NewStore(rec.LogDir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(logs.Close)
	logs.Write("a.service", time.Now(), "a", []byte("hello\nworld\n"))
	return dir
}

func TestCtlFindsTheManager(t *testing.T) {
	dir := servedState(t)
	for _, c := range []struct {
		args string
		code int
		want string
	}{
		{"ctl --state DIR list-units", 0, "The service A"},
		{"ctl --state=DIR is-active a", 0, "active"},
		{"ctl list-units --state DIR --state=failed", 0, "0 loaded units listed."},
		{"ctl --state DIR status a", 0, "a: world"},
		{"ctl --state DIR status nix", 4, "Unit nix.service could not be found."},
		{"ctl --state DIR action app reindex", 0, ""},
		{"ctl --state DIR action app nothing", 5, "There is no action nothing of app"},
		{"ctl --state DIR start fail", 1, "Job for fail.service failed"},
		{"ctl --state DIR --json list-units", 0, `[{"unit":"a.service","load":"loaded","active":"active","sub":"running","description":"The service A"}`},
		{"ctl --state DIR nonsense", 1, "Unknown command verb nonsense."},
		{"ctl --runtime-dir DIR --state /nowhere is-system-running", 1, "degraded"},
		{"logs --state DIR", 0, "a: hello"},
		{"logs --state DIR -n 1 --json a", 0, `"unit":"a.service","source":"a","message":"world"}`},
		{"logs --state DIR --since yesterday a", 0, "world"},
		{"logs --state DIR --since nonsense", 1, "neither a time span"},
		{"logs --state DIR/nothing --runtime-dir /nowhere a", 1, "no logs in"},
	} {
		var out, errs bytes.Buffer
		code := execute(strings.Fields(strings.ReplaceAll(c.args, "DIR", dir)), strings.NewReader(""), &out, &errs)
		if code != c.code || !strings.Contains(out.String()+errs.String(), c.want) {
			t.Errorf("unitgen %s: exit code %d, want %d; it printed\n%s%swant %s", c.args, code, c.code, &out, &errs, c.want)
		}
	}
}

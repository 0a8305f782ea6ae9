package activation

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/unitgen/unitgen/emit"
	"github.com/unitgen/unitgen/internal/testenv"
)

func TestProbe(t *testing.T) {
	t.Parallel()
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/moved":
			http.Redirect(w, r, "/nowhere", http.StatusFound)
		case "/ok":
		default:
			http.Error(w, "no", http.StatusServiceUnavailable)
		}
	})
	srv := httptest.NewServer(handler)
	defer srv.Close()
	sock := filepath.Join(testenv.TempDir(t), "s")
	l, err := net.Listen("unix", sock)
	if err != nil {
		t.Fatal(err)
	}
	unix := &httptest.Server{Listener: l, Config: &http.Server{Handler: handler}}
	unix.Start()
	defer unix.Close()
	for _, c := range []struct {
		check emit.Check
		want  string // part of the failure, "" for none
	}{
		{emit.Check{HTTP: srv.URL + "/ok"}, ""},
		{emit.Check{HTTP: srv.URL + "/moved"}, ""},
		{emit.Check{HTTP: srv.URL + "/bad"}, "503"},
		{emit.Check{HTTP: "unix:" + sock + ":/ok"}, ""},
		{emit.Check{HTTP: "http://127.0.0.1:1/"}, "refused"},
		{emit.Check{HTTP: "::"}, "missing protocol"},
		{emit.Check{TCP: strings.TrimPrefix(srv.URL, "http://")}, ""},
		{emit.Check{TCP: sock}, ""},
		{emit.Check{TCP: "127.0.0.1:1"}, "refused"},
		{emit.Check{Exec: "true"}, ""},
		{emit.Check{Exec: "echo why; exit 3"}, "why"},
		{emit.Check{Exec: "sleep 30", Timeout: "50ms"}, "in time"},
		{emit.Check{}, "neither"},
		{emit.Check{Exec: "true", Timeout: "soon"}, "timeout"},
	} {
		start := time.Now()
		err := probeUntilGood(context.Background(), c.check)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %q", c.check, err, c.want)
		}
		if time.Since(start) > 5*time.Second {
			t.Errorf("%+v took %v", c.check, time.Since(start))
		}
	}
}

func TestProbeRetries(t *testing.T) {
	t.Parallel()
	flag := filepath.Join(testenv.TempDir(t), "flag")
	c := emit.Check{Name: "second", Exec: "test -e " + flag + " || { touch " + flag + "; exit 1; }", Retries: 3}
	if f := runChecks(context.Background(), []emit.Check{c}, func(Event) {}); len(f) != 0 {
		t.Error(f)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if f := runChecks(ctx, []emit.Check{{Name: "x", Exec: "false", Retries: 1000}}, func(Event) {}); len(f) != 1 {
		t.Error(f)
	}
}

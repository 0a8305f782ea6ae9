package e2e

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/unitgen/unitgen/internal/testenv"
)

// needWeb wants the packages that examples/web names.
func needWeb(t *testing.T) {
	t.Helper()
	testenv.Need(t, "perl")
	for _, p := range []string{"/usr/sbin/nginx", "/usr/bin/redis-server", "/usr/lib/postgresql/15/bin/postgres"} {
		if _, err := os.Stat(p); err != nil {
			testenv.Missing(t, "%v", err)
		}
	}
}

// freePort finds one on loopback that nobody has now.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func page(port int) (string, error) {
	c := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	r, err := c.Get(fmt.Sprintf("http://127.0.0.1:%d/", port))
	if err != nil {
		return "", err
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err == nil && r.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", r.Status, b)
	}
	return string(b), err
}

// TestWeb runs examples/web under the bundled manager.
func TestWeb(t *testing.T) {
	t.Parallel()
	needWeb(t)
	everyone(t, func(t *testing.T, w who) {
		h := newHost(t, w, "web")
		port, other := freePort(t), freePort(t)
		h.edit("host.ug.hcl", "port    = 8088", "port    = "+strconv.Itoa(port))
		h.boot()
		defer func() {
			if t.Failed() {
				t.Logf("the services said:\n%s", h.unitgen("logs").stdout)
			}
		}()
		get := func(port int, want string) {
			t.Helper()
			body, err := page(port)
			if err != nil || !strings.Contains(body, want) {
				t.Errorf("port %d: %v: %q, and no %q in it", port, err, body, want)
			}
		}
		get(port, "PostgreSQL: Nobody has written here yet.")
		r, err := (&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).
			PostForm(fmt.Sprintf("http://127.0.0.1:%d/", port), url.Values{"guest": {"Ada"}, "message": {`it's "quoted"; DROP TABLE entries;`}})
		if err != nil {
			t.Fatal(err)
		}
		r.Body.Close()
		get(port, `Ada: it's "quoted"; DROP TABLE entries;`)
		get(port, "This page was seen 3 times.")

		// Another port for nginx: PostgreSQL and all others keep running.
		before := h.pids()
		h.edit("host.ug.hcl", strconv.Itoa(port), strconv.Itoa(other))
		for _, s := range h.plan().Steps {
			if s.Unit != "nginx.service" {
				t.Errorf("the plan names %s: %s", s.Unit, s.Reason)
			}
		}
		h.mustUnitgen("switch", h.dir)
		h.eventually("nginx answers on the other port", 10*time.Second, func() bool { _, err := page(other); return err == nil })
		get(other, "Ada: ")
		h.eventually("nobody listens on the old port", 10*time.Second, func() bool { _, err := page(port); return err != nil })
		after := h.pids()
		for _, unit := range []string{"postgresql.service", "redis-server.service", "guestbook.service"} {
			if before[unit] != after[unit] || after[unit] == "" {
				t.Errorf("%s had the main PID %s, and has now %q", unit, before[unit], after[unit])
			}
		}

		// The backup's timer fires.
		h.edit("host.ug.hcl", `  title  =`, "  backup = \"*:*:0/2\"\n  title  =")
		h.mustUnitgen("switch", h.dir)
		var backup string
		h.eventually("there is a backup", 20*time.Second, func() bool {
			// Where %S is, the unit itself tells.
			line := h.show("guestbook-backup.service", "ExecStart")["ExecStart"]
			for _, word := range strings.Fields(line) {
				if strings.HasSuffix(word, "/guestbook-backup") {
					found, _ := filepath.Glob(h.path(word + "/*.sql"))
					if len(found) > 0 {
						backup = found[0]
					}
				}
			}
			return backup != ""
		})
		if b, err := os.ReadFile(backup); err != nil || !strings.Contains(string(b), "DROP TABLE entries;") {
			t.Errorf("%s: %v: Ada's entry is not in it:\n%s", backup, err, b)
		}

		h.mustUnitgen("rollback")
		h.mustUnitgen("rollback")
		// nginx takes up its old configuration in its own time.
		h.eventually("nginx answers on the old port again", 10*time.Second, func() bool { _, err := page(port); return err == nil })
		get(port, "Ada: ")
		h.stop()
	})
}

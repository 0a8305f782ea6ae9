package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/unitgen/unitgen/internal/testenv"
)

// workers are the instances that examples/hello has.
var workers = []string{"worker@ada.service", "worker@brian.service", "worker@grace.service"}

// visit asks a server on a unix socket for / and gives the body.
func visit(t testing.TB, socket string) string {
	t.Helper()
	body, err := tryVisit("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func tryVisit(network, address string) (string, error) {
	c, err := net.DialTimeout(network, address, 5*time.Second)
	if err != nil {
		return "", err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.WriteString(c, "GET / HTTP/1.0\r\nHost: localhost\r\n\r\n"); err != nil {
		return "", err
	}
	answer, err := io.ReadAll(bufio.NewReader(c))
	if err != nil {
		return "", err
	}
	head, body, ok := strings.Cut(string(answer), "\r\n\r\n")
	if !ok || !strings.Contains(strings.SplitN(head, "\r\n", 2)[0], " 200 ") {
		return "", fmt.Errorf("%s answered %q", address, answer)
	}
	return body, nil
}

// TestHelloBoots looks at each thing that the example shows.
func TestHelloBoots(t *testing.T) {
	t.Parallel()
	everyone(t, func(t *testing.T, w who) {
		h := newHost(t, w, "hello")
		h.boot()
		for _, unit := range append([]string{"heartbeat.service", "hello-prepare.service", "greeter.socket", "almanac.timer", "multi-user.target"}, workers...) {
			if got := h.active(unit); got != "active" {
				t.Errorf("%s is %s", unit, got)
			}
		}
		if got := h.active("greeter.service"); got != "inactive" {
			t.Errorf("greeter.service is %s before anybody connected", got)
		}
		socket := filepath.Join(h.runtime, "hello.sock")
		for n := 1; n <= 2; n++ {
			want := fmt.Sprintf("Hello from hello, visitor number %d.\n", n)
			if got := visit(t, socket); got != want {
				t.Errorf("the greeter says %q, want %q", got, want)
			}
		}
		if got := h.active("greeter.service"); got != "active" {
			t.Errorf("greeter.service is %s after a visit", got)
		}
		h.eventually("the heart says how it is", 5*time.Second, func() bool {
			return h.show("heartbeat.service", "StatusText")["StatusText"] != ""
		})
		h.eventually("the timer has written the almanac", 20*time.Second, func() bool {
			out := h.ctl("show", "-p", "Result,ExecMainStatus,ExecMainExitTimestampMonotonic", "almanac.service").stdout
			return strings.Contains(out, "Result=success") && !strings.Contains(out, "ExitTimestampMonotonic=0\n")
		})
		if out := h.unitgen("logs", "worker@ada.service").stdout; !strings.Contains(out, "ada begins to work") {
			t.Errorf("unitgen logs worker@ada.service: %q", out)
		}
		h.stop()
		if _, err := net.Dial("unix", socket); err == nil {
			t.Error("somebody still listens after the manager has ended")
		}
	})
}

// TestStockSystemctl uses the distribution's systemctl on the bundled manager.
func TestStockSystemctl(t *testing.T) {
	t.Parallel()
	testenv.Need(t, "systemctl")
	everyone(t, func(t *testing.T, w who) {
		h := newHost(t, w, "hello")
		h.boot()
		ok := func(want string, args ...string) {
			t.Helper()
			s := h.systemctl(args...)
			if s.code != 0 || !strings.Contains(s.stdout, want) {
				t.Errorf("exit code %d, and no %q in: %v", s.code, want, s)
			}
		}
		ok("heartbeat.service", "list-units")
		ok("worker@grace.service", "list-units", "--type=service", "--state=running")
		ok("hello.sock", "list-sockets")
		ok("almanac.timer", "list-timers")
		ok("worker@ada.service", "list-dependencies", "multi-user.target")
		ok("Active: active (running)", "status", "heartbeat.service")
		ok("A heart that beats", "status", "heartbeat.service")
		ok("Type=notify", "show", "heartbeat.service")
		ok("active", "is-active", "heartbeat.service")
		ok("NRestarts=0", "show", "-p", "NRestarts", "heartbeat.service")

		before := h.pids()["heartbeat.service"]
		ok("", "stop", "heartbeat.service")
		if s := h.systemctl("is-active", "heartbeat.service"); s.code != 3 || strings.TrimSpace(s.stdout) != "inactive" {
			t.Errorf("after stop: exit code %d: %v", s.code, s)
		}
		if s := h.systemctl("status", "heartbeat.service"); s.code != 3 || !strings.Contains(s.stdout, "Active: inactive (dead)") {
			t.Errorf("status after stop: exit code %d: %v", s.code, s)
		}
		ok("", "start", "heartbeat.service")
		ok("active", "is-active", "heartbeat.service")
		if after := h.pids()["heartbeat.service"]; after == before || after == "0" {
			t.Errorf("main PID %s before, %s after stop and start", before, after)
		}
		ok("", "restart", "worker@ada.service")
		ok("", "kill", "--signal=KILL", "heartbeat.service")
		h.eventually("Restart=on-failure brings it back", 10*time.Second, func() bool {
			return strings.TrimSpace(h.systemctl("show", "--value", "-p", "NRestarts", "heartbeat.service").stdout) == "1" &&
				strings.TrimSpace(h.systemctl("is-active", "heartbeat.service").stdout) == "active"
		})
		ok("", "daemon-reload")
		ok("", "reset-failed")
		if s := h.systemctl("is-failed", "heartbeat.service"); s.code == 0 {
			t.Errorf("is-failed: %v", s)
		}
		if s := h.systemctl("start", "no-such.service"); s.code != 5 || !strings.Contains(s.stderr, "not found") {
			t.Errorf("start of a unit that does not exist: exit code %d: %v", s.code, s)
		}
	})
}

// TestHelloUserUnit boots the user scope.
func TestHelloUserUnit(t *testing.T) {
	t.Parallel()
	w := self
	if os.Geteuid() == 0 {
		w = ordinary
	}
	h := newHost(t, w, "hello")
	h.boot("--user")
	h.eventually("the session's greeting has run", 10*time.Second, func() bool {
		return h.systemctl("is-active", "hello-session.service").code == 0
	})
	if out := h.unitgen("logs", "hello-session.service").stdout; !strings.Contains(out, "your session has begun") {
		t.Errorf("unitgen logs: %q", out)
	}
}

//go:build linux

package manager_test

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

// TestAcceptLeavesNothing: instances for connections are forgotten when they
// are down.
func TestAcceptLeavesNothing(t *testing.T) {
	t.Parallel()
	m := boot(t, map[string]string{
		"wants:echo.socket": "[Socket]\nListenStream=@DIR@/echo.sock\nAccept=yes\n",
		"echo@.service":     "[Service]\nStandardInput=socket\nExecStart=/bin/echo hello\n",
	})
	for range 30 {
		if got := strings.TrimSpace(talk(t, m.dir+"/echo.sock", "")); got != "hello" {
			t.Fatalf("the service said %q", got)
		}
	}
	left := ""
	for range 500 {
		left = m.do(request{Verb: "named", A: "echo@"}).Text
		if left == "" {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Error(fmt.Sprint("left behind: ", left))
}

// TestSocketOfFailingService: what waits in the queue starts the service again
// and again, until its start limit takes the socket down.
func TestSocketOfFailingService(t *testing.T) {
	t.Parallel()
	m := boot(t, map[string]string{
		"wants:bad.socket": "[Socket]\nListenStream=@DIR@/bad.sock\n",
		"bad.service":      "[Service]\nExecStart=/bin/false\n",
	})
	c, err := net.Dial("unix", m.dir+"/bad.sock")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if st := m.until("bad.socket", "failed"); st.Socket.Result != "service-start-limit-hit" {
		t.Errorf("the socket's result is %s", st.Socket.Result)
	}
}

// TestPassedStreams: a transient service writes to what its requester passed,
// and the manager keeps nothing of it.
func TestPassedStreams(t *testing.T) {
	t.Parallel()
	m := boot(t, nil)
	if got := m.do(request{Verb: "piped"}); got.Err != "" || got.Text != "through the pipe\n" {
		t.Errorf("%+v", got)
	}
}

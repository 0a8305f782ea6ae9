//go:build linux

package manager_test

import (
	"os"
	"path/filepath"
	"testing"

	us "github.com/unitgen/unitgen/runtime/unitstate"
)

// TestResources: what fails before any process is made has the result
// "resources" and no main process; expected values are systemd 252's.
func TestResources(t *testing.T) {
	t.Parallel()
	m := boot(t, map[string]string{
		"main.service":    "[Service]\nEnvironmentFile=/nonexistent/env\nExecStart=/bin/sleep 1000\n",
		"pre.service":     "[Service]\nEnvironmentFile=/nonexistent/env\nExecStartPre=/bin/true\nExecStart=/bin/sleep 1000\n",
		"oneshot.service": "[Service]\nType=oneshot\nEnvironmentFile=/nonexistent/env\nExecStart=/bin/true\n",
		"notify.service":  "[Service]\nType=notify\nEnvironmentFile=/nonexistent/env\nExecStart=/bin/true\n",
		"forking.service": "[Service]\nType=forking\nEnvironmentFile=/nonexistent/env\nExecStart=/bin/true\n",
		"glob.service":    "[Service]\nType=oneshot\nEnvironmentFile=@DIR@/none*.env\nExecStart=/bin/true\n",
		"globbed.service": "[Service]\nType=oneshot\nRemainAfterExit=yes\nEnvironmentFile=@DIR@/*.env\nEnvironmentFile=-/nonexistent/env\nExecStart=/bin/sh -c 'echo $A $B'\n",
		"named.service":   "[Service]\nStandardInput=fd:nobody\nExecStart=/bin/sleep 1000\n",
		"socket.service":  "[Service]\nStandardInput=socket\nExecStart=/bin/sleep 1000\n",
		"second.service":  "[Service]\nType=oneshot\nEnvironmentFile=@DIR@/gone\nExecStart=/bin/rm @DIR@/gone\nExecStart=/bin/true\n",
		"reload.service":  "[Service]\nEnvironmentFile=@DIR@/reload\nExecStart=/bin/sleep 1000\nExecReload=/bin/true\n",
		"stop.service":    "[Service]\nType=oneshot\nRemainAfterExit=yes\nEnvironmentFile=@DIR@/stop\nExecStart=/bin/true\nExecStop=/bin/true\nExecStopPost=/bin/true\n",
		"missing.service": "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=-/nonexistent/program\n",
		"watch.socket":    "[Socket]\nListenStream=@DIR@/watch.sock\nEnvironmentFile=/nonexistent/env\nExecStartPre=/bin/true\n",
		"watch.service":   "[Service]\nExecStart=/bin/sleep 1000\n",
	})
	for n, text := range map[string]string{"a.env": "A=1\n", "b.env": "B=2\n", "gone": "", "reload": "", "stop": ""} {
		if err := os.WriteFile(filepath.Join(m.dir, n), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		unit, job, result string
		code              int
		active            us.ActiveState
	}{
		{"main.service", "failed", "resources", 0, us.Failed},
		{"pre.service", "failed", "resources", 0, us.Failed},
		{"oneshot.service", "failed", "resources", 0, us.Failed},
		{"notify.service", "failed", "resources", 0, us.Failed},
		{"forking.service", "failed", "resources", 0, us.Failed},
		{"glob.service", "failed", "resources", 0, us.Failed},
		{"named.service", "failed", "resources", 0, us.Failed},
		{"socket.service", "failed", "resources", 0, us.Failed},
		{"second.service", "failed", "resources", 1, us.Failed},
		{"globbed.service", "done", "success", 1, us.Active},
		{"missing.service", "done", "success", 1, us.Active},
		{"reload.service", "done", "success", 0, us.Active},
		{"stop.service", "done", "success", 1, us.Active},
	} {
		if got := m.job("start", c.unit); got != c.job {
			t.Errorf("%s: the job ended %q, not %q", c.unit, got, c.job)
		}
		st := m.show(c.unit)
		if s := st.Service; st.Active != c.active || s.Result != c.result || s.ExecMain.Code != c.code || s.ExecMain.Status != 0 {
			t.Errorf("%s is %s with result %s, code %d, status %d; not %s, %s, %d, 0", c.unit, st.Active, s.Result, s.ExecMain.Code, s.ExecMain.Status, c.active, c.result, c.code)
		}
	}
	m.logged("globbed.service", "1 2")
	for _, n := range []string{"reload", "stop"} {
		if err := os.Remove(filepath.Join(m.dir, n)); err != nil {
			t.Fatal(err)
		}
	}
	if got := m.job("reload", "reload.service"); got != "failed" {
		t.Errorf("the reload ended %q", got)
	}
	if st := m.show("reload.service"); st.Sub != "running" || st.Service.ReloadResult != "resources" {
		t.Errorf("reload.service is %s, its reload %s", st.Sub, st.Service.ReloadResult)
	}
	if got := m.job("stop", "stop.service"); got != "done" {
		t.Errorf("the stop ended %q", got)
	}
	if st := m.show("stop.service"); st.Active != us.Failed || st.Service.Result != "resources" {
		t.Errorf("stop.service is %s with result %s", st.Active, st.Service.Result)
	}
	if got := m.job("start", "watch.socket"); got != "failed" {
		t.Errorf("the start of the socket ended %q", got)
	}
	if st := m.show("watch.socket"); st.Active != us.Failed || st.Socket.Result != "resources" {
		t.Errorf("watch.socket is %s with result %s", st.Active, st.Socket.Result)
	}
}

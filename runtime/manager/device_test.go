//go:build linux

package manager_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/unitgen/unitgen/internal/testenv"
	us "github.com/unitgen/unitgen/runtime/unitstate"
)

// TestDevices: a device is plugged when its node is there; jobs wait for it,
// and what is bound to it goes with it.
func TestDevices(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/dev/shm"); err != nil {
		testenv.Missing(t, "there is no /dev/shm")
	}
	name := fmt.Sprintf("ugm%d", os.Getpid())
	file, dev := "/dev/shm/"+name, "dev-shm-"+name+".device"
	t.Cleanup(func() { os.Remove(file) })
	bound := func(d string) string {
		return "[Unit]\nBindsTo=" + d + "\nAfter=" + d + "\n[Service]\nExecStart=/bin/sleep 1000\n"
	}
	m := boot(t, map[string]string{
		"null.service":  bound("dev-null.device"),
		"waits.service": bound(dev),
		"never.service": bound("dev-shm-ugm\\x2dnever.device"),
		"dev-shm-ugm\\x2dnever.device.d/timeout.conf": "[Unit]\nJobRunningTimeoutSec=200ms\n",
	})
	if got := m.job("start", "null.service"); got != "done" {
		t.Errorf("the start of null.service ended %q", got)
	}
	if st := m.show("dev-null.device"); st.Active != us.Active || st.Sub != "plugged" || st.Device == nil || st.Device.SysFSPath == "" {
		t.Errorf("/dev/null is %s (%s), %+v", st.Active, st.Sub, st.Device)
	}
	if got := m.do(request{Verb: "queue", A: "start", B: "waits.service"}); got.Err != "" {
		t.Fatal(got.Err)
	}
	if st := m.show("waits.service"); st.Active != us.Inactive || st.JobID == 0 {
		t.Errorf("without its device the service is %s, job %d", st.Active, st.JobID)
	}
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	m.until("waits.service", "running")
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	m.until("waits.service", "dead")
	if got := m.job("start", "never.service"); got != "dependency" {
		t.Errorf("the start of never.service ended %q", got)
	}
}

// TestSwap: what cannot be used for swapping fails.
func TestSwap(t *testing.T) {
	t.Parallel()
	name := fmt.Sprintf("ugmswap%d", os.Getpid())
	if err := os.WriteFile("/dev/shm/"+name, []byte("no swap space"), 0o600); err != nil {
		testenv.Missing(t, err.Error())
	}
	t.Cleanup(func() { os.Remove("/dev/shm/" + name) })
	u := "dev-shm-" + name + ".swap"
	m := boot(t, map[string]string{u: "[Unit]\nDefaultDependencies=no\n[Swap]\nWhat=/dev/shm/" + name + "\n"})
	if got := m.job("start", u); got != "failed" {
		t.Errorf("the start ended %q", got)
	}
	want := us.Failed
	if os.Geteuid() != 0 {
		want = us.Inactive
	}
	if st := m.show(u); st.Swap == nil || st.Swap.What != "/dev/shm/"+name || st.Active != want {
		t.Errorf("the unit is %s, %+v", st.Active, st.Swap)
	}
}

//go:build linux

package manager_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/unitgen/unitgen/internal/testenv"
	us "github.com/unitgen/unitgen/runtime/unitstate"
)

// ownName takes a name on the bus at an address after a file is there, and
// gives it back when the file is gone.
func ownName(args []string) int {
	address, name, file := args[0], args[1], args[2]
	c, err := dbus.Connect("unix:path=" + address)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	there := func() bool { _, err := os.Stat(file); return err == nil }
	for !there() {
		time.Sleep(5 * time.Millisecond)
	}
	if r, err := c.RequestName(name, 0); err != nil || r != dbus.RequestNameReplyPrimaryOwner {
		fmt.Println(r, err)
		return 1
	}
	for there() {
		time.Sleep(5 * time.Millisecond)
	}
	_, _ = c.ReleaseName(name)
	select {}
}

// TestBusName: a service of Type=dbus is up when its name is on the bus that
// the tree itself runs, and goes when the name does.
func TestBusName(t *testing.T) {
	t.Parallel()
	testenv.Need(t, "dbus-daemon")
	m := boot(t, map[string]string{
		"dbus.socket":   "[Socket]\nListenStream=@DIR@/bus\n",
		"dbus.service":  "[Unit]\nRequires=dbus.socket\n[Service]\nExecStart=/usr/bin/dbus-daemon --config-file=@DIR@/bus.conf --nofork --nopidfile --systemd-activation\n",
		"named.service": "[Service]\nType=dbus\nBusName=org.example.Named\nExecStart=@SELF@ own-name @DIR@/bus org.example.Named @DIR@/go\n",
		"never.service": "[Service]\nType=dbus\nBusName=org.example.Never\nTimeoutStartSec=300ms\nExecStart=/bin/sleep 1000\n",
	})
	conf := "<busconfig><type>session</type><listen>systemd:</listen><auth>EXTERNAL</auth><policy context=\"default\">" +
		"<allow send_destination=\"*\" eavesdrop=\"true\"/><allow eavesdrop=\"true\"/><allow own=\"*\"/></policy></busconfig>"
	if err := os.WriteFile(m.dir+"/bus.conf", []byte(conf), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := m.do(request{Verb: "queue", A: "start", B: "named.service"}); got.Err != "" {
		t.Fatal(got.Err)
	}
	m.until("dbus.service", "running")
	if st := m.until("named.service", "start"); st.Active != us.Activating {
		t.Errorf("without its name the service is %s", st.Active)
	}
	if err := os.WriteFile(m.dir+"/go", nil, 0o644); err != nil {
		t.Fatal(err)
	}
	m.until("named.service", "running")
	if got := m.job("start", "never.service"); got != "failed" {
		t.Errorf("the start of never.service ended %q", got)
	}
	if r := m.show("never.service").Service.Result; r != "timeout" {
		t.Errorf("never.service has the result %s", r)
	}
	if err := os.Remove(m.dir + "/go"); err != nil {
		t.Fatal(err)
	}
	if st := m.until("named.service", "dead"); st.Service.Result != "success" {
		t.Errorf("after its name was gone the result is %s", st.Service.Result)
	}
}

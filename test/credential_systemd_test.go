//go:build linux

package e2e

import (
	"bytes"
	"testing"

	"filippo.io/age"

	"github.com/unitgen/unitgen/internal/systemdtest"
)

// TestCredentialsSystemd has a real systemd load an encrypted credential, after
// a switch and after what a boot does: the runtime directory is empty, and the
// tree's own unit fills it.
func TestCredentialsSystemd(t *testing.T) {
	t.Parallel()
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w, err := age.Encrypt(&b, id.Recipient())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("plain-one")); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	m := systemdtest.Start(t, systemdtest.Options{Unitgen: true, Files: map[string]string{
		"/srv/host/host.ug.hcl": secretHost, "/srv/host/db.age": b.String(), "/etc/unitgen/age.key": id.String() + "\n",
	}})
	m.MustRun("unitgen", "switch", "/srv/host")
	if got := m.MustShell("for i in $(seq 100); do [ -s /run/seen ] && break; sleep 0.1; done; cat /run/seen"); got != "plain-one" {
		t.Errorf("after the switch the service reads %q", got)
	}
	m.MustShell("systemctl stop show.service unitgen-credentials.service; rm -rf /run/unitgen/credentials /run/seen")
	// A boot orders one before the other by basic.target, which is up already.
	m.MustShell("systemctl start unitgen-credentials.service; systemctl start show.service")
	if got := m.MustShell("for i in $(seq 100); do [ -s /run/seen ] && break; sleep 0.1; done; cat /run/seen"); got != "plain-one" {
		t.Errorf("after the boot the service reads %q", got)
	}
	if got := m.MustShell("stat -c %a /run/unitgen/credentials/db /run/unitgen/credentials"); got != "400\n700\n" {
		t.Errorf("modes: %q", got)
	}
	if got := m.MustShell("systemctl is-enabled unitgen-credentials.service || true"); got == "" {
		t.Error("the unit is not known")
	}
}

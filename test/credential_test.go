package e2e

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
)

const secretHost = `host "secret" { systemd = 252 }
service "show" {
  ExecStart = "/bin/sh -c 'cat $$CREDENTIALS_DIRECTORY/db > %t/seen; exec sleep 1000'"
  WantedBy  = ["multi-user.target"]
}
service "other" {
  ExecStart = "/bin/sleep 1000"
  WantedBy  = ["multi-user.target"]
}
credential "db" {
  unit = service.show
  age  = "db.age"
}
`

// TestCredentials boots a host with an encrypted credential, changes it, goes
// back, and offers one that this machine cannot read.
func TestCredentials(t *testing.T) {
	t.Parallel()
	everyone(t, func(t *testing.T, w who) {
		h := newHost(t, w, "hello")
		for _, f := range []string{"host.ug.hcl", "modules"} {
			if err := os.RemoveAll(filepath.Join(h.dir, f)); err != nil {
				t.Fatal(err)
			}
		}
		h.write("host.ug.hcl", secretHost)
		id, err := age.GenerateX25519Identity()
		if err != nil {
			t.Fatal(err)
		}
		key := filepath.Join(h.state, "age.key")
		if err := os.WriteFile(key, []byte(id.String()+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Lchown(key, int(w.uid), int(w.uid)); err != nil {
			t.Fatal(err)
		}
		seal := func(to *age.X25519Identity, text string) {
			t.Helper()
			var b bytes.Buffer
			e, err := age.Encrypt(&b, to.Recipient())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := e.Write([]byte(text)); err != nil {
				t.Fatal(err)
			}
			if err := e.Close(); err != nil {
				t.Fatal(err)
			}
			h.write("db.age", b.String())
		}
		sees := func(want string) {
			t.Helper()
			h.eventually("the service reads "+want, 10*time.Second, func() bool {
				b, err := os.ReadFile(filepath.Join(h.runtime, "seen"))
				return err == nil && string(b) == want
			})
		}

		seal(id, "plain-one")
		h.boot()
		sees("plain-one")
		before := h.show("other.service", "MainPID")["MainPID"]

		seal(id, "plain-two")
		if out := h.mustUnitgen("plan", h.dir); !strings.Contains(out, "show.service") || strings.Contains(out, "other.service") {
			t.Errorf("the plan:\n%s", out)
		}
		h.mustUnitgen("switch", h.dir)
		sees("plain-two")
		h.mustUnitgen("rollback")
		sees("plain-one")
		if after := h.show("other.service", "MainPID")["MainPID"]; after != before {
			t.Errorf("the other service has the process %s, not %s", after, before)
		}

		stranger, err := age.GenerateX25519Identity()
		if err != nil {
			t.Fatal(err)
		}
		seal(stranger, "plain-three")
		if s := h.unitgen("switch", h.dir); s.code != 2 || !strings.Contains(s.stderr, "none of this machine's keys") {
			t.Errorf("a credential for another machine: %v", s)
		}
		sees("plain-one")

		at := filepath.Join(h.runtime, "unitgen/credentials/db")
		if st, err := os.Stat(at); err != nil || st.Mode().Perm() != 0o400 {
			t.Errorf("%v %v", st, err)
		}
		h.stop()
		for _, dir := range []string{h.state, h.dir} {
			err := filepath.WalkDir(dir, func(p string, d os.DirEntry, err error) error {
				if err != nil || !d.Type().IsRegular() {
					return err
				}
				b, err := os.ReadFile(p)
				if err == nil && bytes.Contains(b, []byte("plain-")) {
					t.Errorf("%s holds the secret", p)
				}
				return err
			})
			if err != nil {
				t.Error(err)
			}
		}
		if strings.Contains(h.log(), "plain-") {
			t.Error("the manager's output holds the secret")
		}
	})
}

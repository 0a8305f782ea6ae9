//go:build linux

package manager_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/unitgen/unitgen/internal/testenv"
)

// What the second stage applies is seen by the service itself.
func TestExecSettings(t *testing.T) {
	t.Parallel()
	m := boot(t, map[string]string{
		"limits.service": "[Service]\nType=oneshot\nLimitNOFILE=123:456\nUMask=0027\nNice=19\nOOMScoreAdjust=300\nTimerSlackNSec=12345\nCPUAffinity=0\nIgnoreSIGPIPE=no\nNoNewPrivileges=yes\nWorkingDirectory=/usr\n" +
			"ExecStart=/bin/sh -c 'ulimit -Sn; ulimit -Hn; umask; nice; cat /proc/self/oom_score_adj; pwd; grep -E \"NoNewPrivs|Cpus_allowed_list|SigIgn\" /proc/self/status'\n",
		"env.service": "[Service]\nType=oneshot\nEnvironment=A=one \"B=two words\" C=%p\nEnvironmentFile=-/nonexistent\nEnvironmentFile=@DIR@/envfile\nUnsetEnvironment=GONE\nRuntimeDirectory=env env/sub\nStateDirectory=state\nStateDirectoryMode=0700\n" +
			"ExecStart=/bin/sh -c 'echo $A ${B}; printf \"<%%s>\" $B x; echo; echo $$C $$FROMFILE [$$GONE] $$RUNTIME_DIRECTORY $$STATE_DIRECTORY; stat -c %%a $$STATE_DIRECTORY; test -n \"$$INVOCATION_ID\" && echo invoked'\n",
		"envfile.service": "[Service]\nType=oneshot\nEnvironmentFile=/nonexistent\nExecStart=/bin/true\n",
		"cred.service":    "[Service]\nType=oneshot\nRemainAfterExit=yes\nLoadCredential=file:@DIR@/secret\nSetCredential=word:open sesame\nSetCredential=file:unused\nExecStart=/bin/sh -c 'cat $$CREDENTIALS_DIRECTORY/file; cat %d/word; echo; stat -c %%a $$CREDENTIALS_DIRECTORY/file'\n",
		"output.service":  "[Service]\nType=oneshot\nStandardOutput=file:@DIR@/out\nStandardError=append:@DIR@/err\nStandardInputText=given\\nlines\nExecStart=/bin/sh -c 'cat; echo problem >&2'\n",
		"partial.service": "[Service]\nType=oneshot\nSyslogIdentifier=other\nExecStart=/bin/sh -c 'printf \"no newline\"'\n",
		"chdir.service":   "[Service]\nType=oneshot\nWorkingDirectory=/nonexistent\nExecStart=/bin/true\n",
		"stored.service":  "[Service]\nType=notify\nFileDescriptorStoreMax=2\nExecStart=@SELF@ notify-helper READY=1 sleep=1000s\n",
	})
	write := func(p, s string) {
		if err := os.WriteFile(m.dir+"/"+p, []byte(s), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("envfile", "FROMFILE='from the file'\nGONE=here\n")
	write("secret", "the secret\n")
	for _, c := range []struct{ unit, job, log string }{
		{"limits.service", "done", "123\n456\n0027\n19\n300\n/usr\nSigIgn:\t0000000000000000\nNoNewPrivs:\t1\nCpus_allowed_list:\t0"},
		{"env.service", "done", "one two words\n<two><words><x>\nenv from the file [] " + m.dir + "/r/env:" + m.dir + "/r/env/sub " + m.dir + "/lib/state\n700\ninvoked"},
		{"envfile.service", "failed", ""},
		{"cred.service", "done", "the secret\nopen sesame\n400"},
		{"output.service", "done", ""},
		{"partial.service", "done", "no newline"},
		{"chdir.service", "failed", ""},
	} {
		if got := m.job("start", c.unit); got != c.job {
			t.Errorf("%s: the job ended %q", c.unit, got)
		}
		if got := m.log(c.unit); got != c.log {
			t.Errorf("%s wrote\n%s\nwant\n%s", c.unit, got, c.log)
		}
	}
	for f, want := range map[string]string{"out": "given\nlines\n", "err": "problem\n"} {
		if b, _ := os.ReadFile(m.dir + "/" + f); string(b) != want {
			t.Errorf("%s holds %q", f, b)
		}
	}
	if st := m.show("chdir.service"); st.Service.ExecMain.Status != 200 {
		t.Errorf("chdir.service ended with status %d", st.Service.ExecMain.Status)
	}
	if _, err := os.Stat(m.dir + "/r/env"); err == nil {
		t.Error("the runtime directory outlived its service")
	}
	if _, err := os.Stat(m.dir + "/lib/state"); err != nil {
		t.Error("the state directory did not outlive its service")
	}
}

func TestSandbox(t *testing.T) {
	t.Parallel()
	testenv.NeedRoot(t)
	m := boot(t, map[string]string{
		"user.service":    "[Service]\nType=oneshot\nUser=nobody\nSupplementaryGroups=daemon\nExecStart=/bin/sh -c 'id -un; id -Gn; echo $$HOME $$USER'\nExecStart=+/usr/bin/id -un\n",
		"nouser.service":  "[Service]\nType=oneshot\nUser=nobody-of-that-name\nExecStart=/bin/true\n",
		"dynamic.service": "[Service]\nType=oneshot\nDynamicUser=yes\nStateDirectory=dyn\nExecStart=/bin/sh -c 'test $$(id -u) -ge 61184 && touch $$STATE_DIRECTORY/mine && echo own'\n",
		"caps.service":    "[Service]\nType=oneshot\nUser=nobody\nAmbientCapabilities=CAP_NET_BIND_SERVICE\nCapabilityBoundingSet=CAP_NET_BIND_SERVICE CAP_CHOWN\nExecStart=/usr/bin/grep -E Cap(Eff|Bnd|Amb) /proc/self/status\n",
		"strict.service": "[Service]\nType=oneshot\nProtectSystem=strict\nReadWritePaths=@DIR@/rw\nProtectHome=yes\nPrivateDevices=yes\nInaccessiblePaths=@DIR@/hidden\nBindReadOnlyPaths=/usr/bin:@DIR@/rw/bin\nStateDirectory=strict\n" +
			"ExecStart=/bin/sh -c 'touch /usr/x 2>/dev/null || echo usr; touch @DIR@/rw/x && echo rw; ls -A /root 2>/dev/null | wc -l; test -e /dev/sda -o -e /dev/vda || echo nodisk; cat @DIR@/hidden/f 2>/dev/null || echo hidden; test -x @DIR@/rw/bin/id && echo bind; touch $$STATE_DIRECTORY/f && echo state; touch @DIR@/lib/no 2>/dev/null || echo lib'\n",
		"tmp.service":    "[Service]\nType=oneshot\nPrivateTmp=yes\nExecStart=/bin/sh -c 'ls -A /tmp /var/tmp | grep -c ugm; touch /tmp/mine && echo mine'\n",
		"net.service":    "[Service]\nType=oneshot\nPrivateNetwork=yes\nExecStart=/bin/sh -c 'tail -n +3 /proc/net/dev | wc -l'\n",
		"shared.service": "[Service]\nType=oneshot\nRemainAfterExit=yes\nPrivateTmp=yes\nPrivateNetwork=yes\nProtectSystem=strict\nExecStartPre=/bin/sh -c 'echo before > /tmp/f'\nExecStart=/bin/sh -c 'cat /tmp/f; touch /home/.probe && rm /home/.probe && echo home; readlink /proc/self/ns/net > /tmp/net'\n",
		"joins.service":  "[Unit]\nJoinsNamespaceOf=shared.service\n[Service]\nType=oneshot\nPrivateTmp=yes\nPrivateNetwork=yes\nExecStart=/bin/sh -c 'cat /tmp/f; test \"$$(cat /tmp/net)\" = \"$$(readlink /proc/self/ns/net)\" && echo same; echo after > /tmp/g'\n",
		"alone.service":  "[Service]\nType=oneshot\nPrivateTmp=yes\nExecStart=/bin/sh -c 'test ! -e /tmp/f && echo empty'\n",
		"nocaps.service": "[Service]\nType=oneshot\nCapabilityBoundingSet=\nExecStart=/usr/bin/grep CapBnd /proc/self/status\n",
		"users.service":  "[Service]\nType=oneshot\nUser=nobody\nPrivateUsers=yes\nProtectProc=invisible\nExecStart=/bin/sh -c 'tr -s \" \" < /proc/self/uid_map; id -u; test -e /proc/1 || echo hidden'\n",
		"bang.service":   "[Service]\nType=oneshot\nUser=daemon\nSupplementaryGroups=adm\nExecStart=!/bin/sh -c 'id -u; id -G; echo $$USER'\nExecStart=!!/usr/bin/id -un\n",
		"subset.service": "[Service]\nType=oneshot\nProcSubset=pid\nExecStart=/bin/sh -c 'test -e /proc/cpuinfo || echo subset'\n",
		"below.service":  "[Service]\nType=oneshot\nTemporaryFileSystem=/usr/share\nBindReadOnlyPaths=/usr/share/zoneinfo\nExecStart=/bin/sh -c 'ls /usr/share; test -e /usr/share/zoneinfo/UTC && echo there; touch /usr/share/zoneinfo/x 2>/dev/null || echo ro'\n",
		"netns.service":  "[Service]\nType=oneshot\nNetworkNamespacePath=/nonexistent/ns\nExecStart=/bin/true\n",
		"root.service":   "[Service]\nType=oneshot\nRootDirectory=@DIR@/root\nBindReadOnlyPaths=/usr /bin /lib -/lib64\nExecStart=/bin/sh -c 'ls -d /proc/self /dev/null /etc 2>/dev/null; pwd'\n",
		"nodir.service":  "[Service]\nType=oneshot\nBindPaths=/nonexistent-source:/mnt\nExecStart=/bin/true\n",
		"said.service":   "[Service]\nType=oneshot\nSystemCallFilter=@system-service\nIPAddressDeny=any\nExecStart=/bin/true\n",
	})
	for _, d := range []string{"rw", "hidden", "root"} {
		if err := os.Mkdir(m.dir+"/"+d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(m.dir+"/hidden/f", []byte("secret\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ unit, job, log string }{
		{"user.service", "done", "nobody\nnogroup daemon\nnobody\nroot"},
		{"nouser.service", "failed", ""},
		{"dynamic.service", "done", "own"},
		{"caps.service", "done", "CapEff:\t0000000000000400\nCapBnd:\t0000000000000401\nCapAmb:\t0000000000000400"},
		{"strict.service", "done", "usr\nrw\n0\nnodisk\nhidden\nbind\nstate\nlib"},
		{"shared.service", "done", "before\nhome"},
		{"joins.service", "done", "before\nsame"},
		{"alone.service", "done", "empty"},
		{"nocaps.service", "done", "CapBnd:\t0000000000000000"},
		{"users.service", "done", " 0 0 1\n 65534 65534 1\n65534\nhidden"},
		{"bang.service", "done", "0\n0 1 4\ndaemon\ndaemon"},
		{"subset.service", "done", "subset"},
		{"below.service", "done", "zoneinfo\nthere\nro"},
		{"netns.service", "failed", ""},
		{"root.service", "done", "/dev/null\n/proc/self\n/"},
		{"tmp.service", "done", "1\nmine"}, // the manager's own directory stays
		{"net.service", "done", "1"},
		{"nodir.service", "failed", ""},
		{"said.service", "done", ""},
	} {
		if got := m.job("start", c.unit); got != c.job {
			t.Errorf("%s: the job ended %q", c.unit, got)
		}
		if got := m.log(c.unit); got != c.log {
			t.Errorf("%s wrote\n%s\nwant\n%s", c.unit, got, c.log)
		}
	}
	if st := m.show("nouser.service").Service.ExecMain.Status; st != 217 {
		t.Errorf("a missing user gives status %d", st)
	}
	if st := m.show("netns.service").Service.ExecMain.Status; st != 225 {
		t.Errorf("a missing network namespace gives status %d", st)
	}
	if got := m.job("stop", "shared.service"); got != "done" {
		t.Errorf("the stop of shared.service ended %q", got)
	}
	for range 500 { // the directories go after the last unit that used them
		if left, _ := filepath.Glob("/tmp/systemd-private-*-shared.service-*"); len(left) == 0 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if left, _ := filepath.Glob("/tmp/systemd-private-*-shared.service-*"); len(left) > 0 {
		t.Error("left behind:", left)
	}
	if st := m.show("nodir.service").Service.ExecMain.Status; st != 226 {
		t.Errorf("a missing source of a bind mount gives status %d", st)
	}
	if got := strings.Join(m.show("said.service").NotApplied, " "); got != "IPAddressDeny" {
		t.Errorf("said.service: not applied are %q", got)
	}
	if _, err := os.Stat("/mnt/x"); err == nil {
		t.Error("the sandbox leaked")
	}
}

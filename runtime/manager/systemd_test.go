//go:build linux

package manager_test

import (
	"fmt"
	"os"
	"sort"
	"strings"
	"testing"

	"github.com/unitgen/unitgen/internal/systemdtest"
	"github.com/unitgen/unitgen/internal/testenv"
)

// compared are services with what becomes of them; they are started under the
// machine's systemd and under this manager, and the outcome has to be the same.
var compared = map[string]string{
	"plain":    "ExecStart=sleep 1000",
	"false":    "Type=oneshot\nExecStart=false",
	"status":   "Type=oneshot\nExecStart=sh -c 'exit 42'\nSuccessExitStatus=42",
	"remain":   "Type=oneshot\nRemainAfterExit=yes\nExecStart=true\nExecStart=-false\nExecStart=true",
	"pre":      "ExecStartPre=false\nExecStart=sleep 1000",
	"post":     "ExecStart=sleep 1000\nExecStartPost=false",
	"cond":     "ExecCondition=false\nExecStart=sleep 1000",
	"cond255":  "ExecCondition=sh -c 'exit 255'\nExecStart=sleep 1000",
	"killed":   "Type=oneshot\nExecStart=sh -c 'kill -9 $$$$'",
	"timeout":  "Type=oneshot\nExecStart=sleep 1000\nTimeoutStartSec=200ms",
	"silent":   "Type=notify\nExecStart=true",
	"never":    "Type=notify\nExecStart=sleep 1000\nTimeoutStartSec=200ms",
	"forking":  "Type=forking\nExecStart=sh -c 'sleep 1000 &'",
	"gone":     "Type=forking\nExecStart=false",
	"envfile":  "EnvironmentFile=/nonexistent/env\nExecStart=sleep 1000",
	"envpre":   "EnvironmentFile=/nonexistent/env\nExecStartPre=true\nExecStart=sleep 1000",
	"envfork":  "Type=forking\nEnvironmentFile=/nonexistent/env\nExecStart=true",
	"named":    "StandardInput=fd:nobody\nExecStart=sleep 1000",
	"socket":   "StandardInput=socket\nExecStart=sleep 1000",
	"exec":     "Type=exec\nExecStart=/nonexistent/program",
	"ignored":  "Type=oneshot\nRemainAfterExit=yes\nExecStart=-/nonexistent/program",
	"user":     "Type=oneshot\nUser=nobody-of-that-name\nExecStart=true",
	"group":    "Type=oneshot\nGroup=nobody-of-that-name\nExecStart=true",
	"dir":      "Type=oneshot\nWorkingDirectory=/nonexistent\nExecStart=true",
	"root":     "Type=oneshot\nRootDirectory=/nonexistent\nExecStart=true",
	"cred":     "Type=oneshot\nLoadCredential=x:/nonexistent/x\nExecStart=true",
	"stdin":    "Type=oneshot\nStandardInput=file:/nonexistent/x\nExecStart=true",
	"stdout":   "Type=oneshot\nStandardOutput=file:/nonexistent/x\nExecStart=true",
	"netns":    "Type=oneshot\nNetworkNamespacePath=/nonexistent/x\nExecStart=true",
	"mount":    "Type=oneshot\nBindPaths=/nonexistent/x:/mnt\nExecStart=true",
	"syscall":  "Type=oneshot\nSystemCallFilter=~getpid\nExecStart=sh -c 'exec python3 -c \"import os; os.getpid()\"'",
	"caps":     "Type=oneshot\nRemainAfterExit=yes\nCapabilityBoundingSet=\nExecStart=sh -c 'grep -q \"CapBnd.*0000000000000000\" /proc/self/status'",
	"strict":   "Type=oneshot\nRemainAfterExit=yes\nProtectSystem=strict\nPrivateTmp=yes\nExecStart=sh -c 'touch /tmp/x && touch /home/.probe && rm /home/.probe && ! touch /usr/x'",
	"tmp":      "Type=oneshot\nRemainAfterExit=yes\nPrivateTmp=yes\nExecStartPre=touch /tmp/mine\nExecStart=test -e /tmp/mine",
	"proc":     "Type=oneshot\nRemainAfterExit=yes\nUser=nobody\nProtectProc=invisible\nExecStart=test ! -e /proc/1",
	"users":    "Type=oneshot\nRemainAfterExit=yes\nPrivateUsers=yes\nExecStart=sh -c 'test $(wc -l < /proc/self/uid_map) = 1'",
	"dynamic":  "Type=oneshot\nRemainAfterExit=yes\nDynamicUser=yes\nStateDirectory=compared\nExecStart=sh -c 'touch $STATE_DIRECTORY/x && ! touch /var/x'",
	"nonewcap": "Type=oneshot\nRemainAfterExit=yes\nNoNewPrivileges=yes\nExecStart=grep -q 'NoNewPrivs:.1' /proc/self/status",
}

// outcomes are the properties that tell what became of a service.
const outcomes = "ActiveState,SubState,Result,ExecMainCode,ExecMainStatus,ConditionResult,AssertResult,NRestarts,StatusErrno"

// TestSameAsSystemd compares this manager with the machine's systemd, in one
// container, by what the stock systemctl shows.
func TestSameAsSystemd(t *testing.T) {
	t.Parallel()
	testenv.NeedRoot(t)
	testenv.Need(t, "systemctl", "python3")
	files := map[string]string{}
	var names []string
	keep := "[Unit]\nDefaultDependencies=no\n" // keeps systemd from forgetting what ended
	for n, text := range compared {
		unit := "c-" + n + ".service"
		names = append(names, unit)
		keep += "After=" + unit + "\n"
		for _, dir := range []string{"/etc/systemd/system/", "/root/own/units/"} {
			files[dir+unit] = "[Service]\n" + text + "\n"
		}
	}
	sort.Strings(names)
	files["/etc/systemd/system/keep.target"] = keep
	files["/root/own/units/quiet.target"] = "[Unit]\nDescription=Nothing\n"
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	m := systemdtest.Start(t, systemdtest.Options{Files: files, Binds: map[string]string{"/usr/local/bin/own": self}})
	m.MustShell(`cd /
(tail -f /dev/null | ` + managerVar + `='{"Dir":"/root/own","Target":"quiet.target","Serve":true}' setsid own >/dev/null 2>/root/log) >/dev/null 2>&1 </dev/null &
i=0; until XDG_RUNTIME_DIR=/root/own/r systemctl --user show -p Version >/dev/null 2>&1; do i=$((i+1)); test $i -lt 300; sleep 0.1; done
systemctl start keep.target`)
	run := func(ctl string) map[string]string {
		var b strings.Builder
		fmt.Fprintf(&b, "export XDG_RUNTIME_DIR=/root/own/r\n")
		for _, u := range names { // all at once, then wait for each to come to rest
			fmt.Fprintf(&b, "%s start --no-block %s\n", ctl, u)
		}
		for _, u := range names {
			fmt.Fprintf(&b, "i=0; while %s show -P ActiveState,Job %s | grep -Eq '^(activating|deactivating|[1-9])'; do i=$((i+1)); test $i -lt 200 || break; sleep 0.05; done\n", ctl, u)
			fmt.Fprintf(&b, "echo %s $(%s show -p %s %s)\n", u, ctl, outcomes, u)
		}
		out := map[string]string{}
		for line := range strings.Lines(m.MustShell(b.String())) {
			u, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
			out[u] = rest
		}
		return out
	}
	theirs, ours := run("systemctl"), run("systemctl --user")
	for _, u := range names {
		if theirs[u] != ours[u] || theirs[u] == "" {
			t.Errorf("%s:\nsystemd: %s\nunitgen: %s", u, theirs[u], ours[u])
		}
	}
	if t.Failed() {
		t.Log(m.Read("/root/log"))
	}
}

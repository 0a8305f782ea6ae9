//go:build linux

package bus_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"sort"
	"testing"

	"github.com/unitgen/unitgen/internal/systemdtest"
	"github.com/unitgen/unitgen/internal/testenv"
	"github.com/unitgen/unitgen/runtime/bus"
	"github.com/unitgen/unitgen/runtime/bus/bustest"
	"github.com/unitgen/unitgen/runtime/unitstate"
	"github.com/unitgen/unitgen/schema/load"
	"github.com/unitgen/unitgen/schema/tree"
)

// oracleUnits have most settings that properties mirror.
var oracleUnits = map[string]string{
	"plain.service": "[Service]\nExecStart=/bin/sleep 1\n",
	"full.service": `[Unit]
Description=Full of settings
Documentation=man:a(1) https://example.org/
JobTimeoutSec=5min
JobTimeoutAction=none
StartLimitIntervalSec=7
StartLimitBurst=3
OnFailureJobMode=fail
CollectMode=inactive-or-failed
RefuseManualStop=yes
FailureAction=none
[Service]
Type=notify
ExecStartPre=-/bin/true one "two three"
ExecStart=/bin/sleep 1
ExecReload=/bin/kill -HUP $MAINPID
ExecStopPost=+/bin/true
Restart=on-failure
RestartSec=3s
TimeoutStartSec=10
TimeoutStopSec=infinity
RuntimeMaxSec=1h
WatchdogSec=20s
NotifyAccess=all
SuccessExitStatus=3 TEMPFAIL SIGHUP
RestartPreventExitStatus=4
RemainAfterExit=yes
PIDFile=/run/full.pid
User=nobody
Group=nogroup
SupplementaryGroups=mail
Environment=A=b "C=d e"
EnvironmentFile=-/etc/default/full
PassEnvironment=HOME LANG
UnsetEnvironment=X
WorkingDirectory=-/tmp
UMask=0027
Nice=5
OOMScoreAdjust=100
IOSchedulingClass=idle
IOSchedulingPriority=3
CPUSchedulingPolicy=batch
CPUAffinity=0-1
LimitNOFILE=100:200
LimitCPU=1min
LimitCORE=infinity
CapabilityBoundingSet=CAP_CHOWN CAP_KILL
AmbientCapabilities=CAP_NET_BIND_SERVICE
NoNewPrivileges=yes
SecureBits=noroot
PrivateTmp=yes
ProtectSystem=strict
ProtectHome=read-only
ReadWritePaths=/var/lib -/nowhere
InaccessiblePaths=/boot
TemporaryFileSystem=/var:ro
BindPaths=/a:/b -/c
BindReadOnlyPaths=/d:/e:norbind
RestrictNamespaces=net user
RestrictAddressFamilies=AF_UNIX AF_INET
RestrictRealtime=yes
SystemCallErrorNumber=EPERM
SystemCallArchitectures=native
LockPersonality=yes
KeyringMode=shared
RuntimeDirectory=full other:link
RuntimeDirectoryMode=0700
StateDirectory=full
StandardOutput=file:/tmp/out
StandardError=inherit
SyslogIdentifier=me
SyslogFacility=local3
SyslogLevel=warning
LogLevelMax=err
LogRateLimitIntervalSec=5
LogRateLimitBurst=9
LogExtraFields=A=b
KillMode=mixed
KillSignal=SIGINT
SendSIGHUP=yes
TimerSlackNSec=1ms
CPUWeight=50
CPUQuota=20%
MemoryMax=1G
MemoryHigh=512M
MemorySwapMax=0
TasksMax=77
IOWeight=30
IODeviceWeight=/dev/null 200
IPAddressAllow=10.0.0.0/8
IPAddressDeny=any
DeviceAllow=/dev/null rw
DevicePolicy=closed
Delegate=cpu memory
LoadCredential=a:/etc/hostname
SetCredential=b:hello
OOMPolicy=continue
ProtectProc=invisible
ProcSubset=pid
CoredumpFilter=private-anonymous elf-headers
IgnoreSIGPIPE=no
TTYPath=/dev/tty9
UtmpIdentifier=x
`,
	"full.socket": `[Socket]
ListenStream=/run/full.sock
ListenDatagram=127.0.0.1:99
ListenFIFO=/run/full.fifo
Service=full.service
SocketMode=0600
SocketUser=nobody
DirectoryMode=0700
Backlog=5
KeepAlive=yes
KeepAliveTimeSec=5
KeepAliveIntervalSec=6
KeepAliveProbes=7
NoDelay=yes
Priority=3
ReceiveBuffer=8K
SendBuffer=1M
IPTOS=low-delay
IPTTL=9
Mark=4
PipeSize=64K
FreeBind=yes
PassCredentials=yes
TriggerLimitIntervalSec=5
TriggerLimitBurst=6
MaxConnections=7
FileDescriptorName=fd
RemoveOnStop=yes
Symlinks=/run/full.link
TCPCongestion=cubic
BindIPv6Only=both
Timestamping=us
MessageQueueMaxMessages=3
`,
	"full.timer": `[Timer]
OnCalendar=daily
OnBootSec=1h
AccuracySec=1s
RandomizedDelaySec=5
Persistent=yes
WakeSystem=yes
RemainAfterElapse=no
OnClockChange=yes
Unit=full.service
`,
	"full.path":       "[Path]\nPathExists=/nowhere\nPathModified=/also\nDirectoryMode=0700\nMakeDirectory=yes\nUnit=full.service\nTriggerLimitBurst=3\n",
	"full.slice":      "[Slice]\nMemoryMax=2G\nCPUWeight=20\nTasksMax=infinity\n",
	"full.target":     "[Unit]\nDescription=T\nAllowIsolate=yes\nStopWhenUnneeded=yes\n",
	"mnt-a.mount":     "[Mount]\nWhat=tmpfs\nWhere=/mnt/a\nType=tmpfs\nOptions=size=1M\nTimeoutSec=7\nLazyUnmount=yes\nDirectoryMode=0700\n",
	"mnt-a.automount": "[Automount]\nWhere=/mnt/a\nTimeoutIdleSec=9\nDirectoryMode=0711\n",
	"var-s.swap":      "[Swap]\nWhat=/var/s\nPriority=3\nOptions=discard\nTimeoutSec=8\n",
}

// runtimeProperty says which properties speak of what runs, or of this very
// machine, rather than of the file.
var runtimeProperty = regexp.MustCompile(`Timestamp|^(Id|Names|FragmentPath|UnitFileState|UnitFilePreset|LoadState|ActiveState|SubState|` +
	`Can\w+|Invocation.*|Control\w+|ExecMain\w*|MainPID|NRestarts|Result|.*Result|Job|Refs|Conditions|Asserts|LoadError|NeedDaemonReload|` +
	`Memory(Current|Available)|CPUUsageNSec|TasksCurrent|IP.*(Bytes|Packets)|IO(Read|Write)(Bytes|Operations)|Effective\w+|` +
	`UID|GID|Perpetual|Transient|NextElapse\w+|LastTrigger\w+|TimersMonotonic|TimersCalendar|Freezer.*|DropInPaths|` +
	`Requires|Wants|After|Before|Conflicts|ConflictedBy|Trigger(s|edBy)|RequiredBy|WantedBy|BoundBy|ConsistsOf|SliceOf|RequiresMountsFor|Slice|` +
	`Limit\w+|NFileDescriptorStore|StatusErrno|GuessMainPID|WatchdogUSec|TasksMax)$`)

// TestSettingsAreSystemds compares the properties that mirror settings, of
// units with many settings and with none, with those of a real systemd.
func TestSettingsAreSystemds(t *testing.T) {
	testenv.NeedRoot(t)
	testenv.Need(t, "systemctl", "busctl")
	files := map[string]string{}
	dir := t.TempDir()
	for n, s := range oracleUnits {
		files["/etc/systemd/system/"+n] = s
		if err := os.WriteFile(filepath.Join(dir, n), []byte(s), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	m := systemdtest.Start(t, systemdtest.Options{Files: files})
	loader := load.New(load.Options{Scope: tree.System, Path: []string{dir}, Version: 252})
	var units []*unitstate.Status
	for n := range oracleUnits {
		st := bustest.Unit(n, "", unitstate.Inactive, "dead", nil)
		u := loader.Load(n)
		st.Unit, st.Description = u, unitstate.Value(u, "Unit", "Description")
		if st.Type == "service" {
			st.Service.Type = ""
		}
		units = append(units, st)
	}
	sd, err := os.MkdirTemp("", "bus")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(sd)
	srv := bus.NewServer(bus.ServerOptions{Backend: bustest.New(units...)})
	defer srv.Close()
	w := &world{t: t, dir: sd, socket: bus.PrivateSocket(sd), srv: srv}
	if err := srv.Listen(w.socket); err != nil {
		t.Fatal(err)
	}
	names := make([]string, 0, len(oracleUnits))
	for n := range oracleUnits {
		names = append(names, n)
	}
	sort.Strings(names)
	compared := 0
	for _, n := range names {
		m.MustShell("busctl call org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager LoadUnit s " + n)
		get := []string{"--json=short", "call", "org.freedesktop.systemd1", string(bus.UnitPath(n)), "org.freedesktop.DBus.Properties", "GetAll", "s", ""}
		want := properties(t, m.MustRun(append([]string{"busctl"}, get...)...))
		out, errs, code := w.tool(append([]string{"busctl", "--address=unix:path=" + w.socket}, get...)...)
		if code != 0 {
			t.Fatal(errs)
		}
		got := properties(t, out)
		for _, k := range sorted(want) {
			if runtimeProperty.MatchString(k) {
				continue
			}
			compared++
			if unordered[k] {
				got[k], want[k] = asSet(got[k]), asSet(want[k])
			}
			if !reflect.DeepEqual(got[k], want[k]) {
				t.Errorf("%s %s = %s; systemd has %s", n, k, short(got[k]), short(want[k]))
			}
		}
	}
	t.Logf("%d properties compared", compared)
}

// unordered are sets that systemd tells in the order of its hash tables.
var unordered = map[string]bool{"IPAddressAllow": true, "IPAddressDeny": true, "RestrictAddressFamilies": true}

// asSet orders the elements of every array of a property but addresses.
func asSet(v any) any {
	switch x := v.(type) {
	case map[string]any:
		x["data"] = asSet(x["data"])
	case []any:
		for i := range x {
			x[i] = asSet(x[i])
		}
		if len(x) > 0 {
			if _, number := x[0].(float64); !number {
				sort.Slice(x, func(i, j int) bool { return short(x[i]) < short(x[j]) })
			}
		}
	}
	return v
}

func properties(t *testing.T, s string) map[string]any {
	t.Helper()
	var reply struct {
		Data []map[string]any `json:"data"`
	}
	if err := json.Unmarshal([]byte(s), &reply); err != nil || len(reply.Data) != 1 {
		t.Fatalf("busctl said %.200s: %v", s, err)
	}
	return reply.Data[0]
}

func sorted(m map[string]any) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}

func short(v any) string {
	b, _ := json.Marshal(v)
	if len(b) > 160 {
		b = b[:160]
	}
	return string(b)
}

package exposure_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/unitgen/unitgen/internal/testenv"
	"github.com/unitgen/unitgen/schema/exposure"
	"github.com/unitgen/unitgen/schema/load"
)

// lines are what the generated services are made of.
var lines = strings.Split(`User=bob
User=nobody
User=0
DynamicUser=yes
SupplementaryGroups=adm
RemoveIPC=yes
RootDirectory=/srv
PrivateDevices=yes
PrivateMounts=yes
PrivateNetwork=yes
PrivateTmp=yes
PrivateUsers=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectHome=yes
ProtectHome=read-only
ProtectHome=tmpfs
ProtectSystem=yes
ProtectSystem=full
ProtectSystem=strict
ProtectProc=invisible
ProtectProc=noaccess
ProcSubset=pid
KeyringMode=shared
LockPersonality=yes
MemoryDenyWriteExecute=yes
NoNewPrivileges=yes
NotifyAccess=all
Delegate=yes
UMask=0077
UMask=0027
UMask=0007
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictNamespaces=yes
RestrictNamespaces=~user net
RestrictNamespaces=mnt
RestrictAddressFamilies=AF_UNIX
RestrictAddressFamilies=AF_INET AF_INET6
RestrictAddressFamilies=~AF_PACKET
RestrictAddressFamilies=AF_BLUETOOTH
SystemCallArchitectures=native
SystemCallArchitectures=x86
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallFilter=~@mount
SystemCallFilter=mount chroot
IPAddressDeny=any
IPAddressAllow=localhost
IPAddressAllow=10.0.0.0/8
DevicePolicy=closed
DevicePolicy=strict
DeviceAllow=/dev/null rw
AmbientCapabilities=CAP_KILL
CapabilityBoundingSet=
CapabilityBoundingSet=CAP_KILL CAP_NET_ADMIN
CapabilityBoundingSet=~CAP_SYS_ADMIN
CapabilityBoundingSet=~CAP_SYS_PTRACE CAP_MKNOD`, "\n")

var overall = regexp.MustCompile(`exposure level for \S+: ([0-9.]+) (\S+)`)

// TestLikeSystemdAnalyze compares the score, its word and every check with
// those of systemd-analyze security for services made of random lines.
func TestLikeSystemdAnalyze(t *testing.T) {
	testenv.Need(t, "systemd-analyze")
	r := rand.New(rand.NewPCG(3, 4))
	const cases = 150
	for i := range cases {
		dir := t.TempDir()
		text := "[Service]\nExecStart=/bin/true\n"
		for range r.IntN(14) {
			text += lines[r.IntN(len(lines))] + "\n"
		}
		file := filepath.Join(dir, "x.service")
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		table, err := exec.Command("systemd-analyze", "security", "--offline=true", "--no-pager", file).Output()
		m := overall.FindStringSubmatch(string(table))
		if err != nil && m == nil {
			t.Fatalf("case %d: systemd-analyze: %v\n%s", i, err, text)
		}
		list, err := exec.Command("systemd-analyze", "security", "--offline=true", "--no-pager", "--json=short", file).Output()
		if err != nil {
			t.Fatalf("case %d: systemd-analyze --json: %v\n%s", i, err, text)
		}
		var rows []struct {
			Field    string  `json:"json_field"`
			Set      *bool   `json:"set"`
			Exposure *string `json:"exposure"`
		}
		if err := json.Unmarshal(list, &rows); err != nil {
			t.Fatal(err)
		}
		u := load.New(load.Options{Path: []string{dir}, Version: 252}).Load("x.service")
		rep, err := exposure.Rate(u)
		if err != nil {
			t.Fatalf("case %d: %v\n%s", i, err, text)
		}
		got := map[string]exposure.Check{}
		for _, c := range rep.Checks {
			got[c.ID] = c
		}
		if len(rows) != len(rep.Checks) {
			t.Errorf("systemd-analyze has %d checks, we have %d", len(rows), len(rep.Checks))
		}
		for _, row := range rows {
			c, ok := got[row.Field]
			if !ok {
				t.Errorf("no check %s", row.Field)
				continue
			}
			if c.Applies != (row.Set != nil) || row.Set != nil && *row.Set != (c.Badness == 0) {
				t.Errorf("case %d: %s: systemd-analyze says set=%v, we found badness %v (%s)\n%s", i, row.Field, show(row.Set), c.Badness, c.Found, text)
			}
			if row.Exposure != nil {
				want, _ := strconv.ParseFloat(*row.Exposure, 64)
				if math.Abs(want-c.Exposure) > 0.1001 {
					t.Errorf("case %d: %s: exposure %v, we found %.2f", i, row.Field, want, c.Exposure)
				}
			}
		}
		if s := fmt.Sprintf("%.1f %s", rep.Overall, rep.Level); s != m[1]+" "+m[2] {
			t.Errorf("case %d: overall %s, we found %s\n%s", i, m[1]+" "+m[2], s, text)
		}
	}
}

func show(b *bool) string {
	if b == nil {
		return "none"
	}
	return strconv.FormatBool(*b)
}

func TestOnlyServices(t *testing.T) {
	u := load.New(load.Options{Builtin: map[string][]byte{"a.target": []byte("[Unit]\nDescription=a\n")}}).Load("a.target")
	if _, err := exposure.Rate(u); err == nil {
		t.Error("a target was rated")
	}
}

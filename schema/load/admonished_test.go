package load_test

import (
	"path/filepath"
	"testing"

	"github.com/unitgen/unitgen/schema/diag"
	"github.com/unitgen/unitgen/schema/load"
)

// TestComplaints loads services that differ in one line: those that systemd
// 252 takes without a word, warns of, or refuses.
func TestComplaints(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		line  string
		warns bool
		state load.State
	}{
		{"ExecStartPre=%t/run/x %n", false, load.Loaded},
		{"ExecStartPre=%i", true, load.BadSetting},
		{"RootDirectory=%i", false, load.Loaded},
		{"User=nobody", true, load.Loaded},
		{"User=daemon", false, load.Loaded},
		{"CPUShares=100", true, load.Loaded},
		{"BusPolicy=x talk", true, load.Loaded},
		{"StandardOutput=syslog", true, load.Loaded},
		{"StandardOutput=null%I", true, load.Loaded},
		{"CapabilityBoundingSet=CAP_NOPE", false, load.Loaded},
		{"PIDFile=/var/run/x.pid", false, load.Loaded},
		{"ConfigurationDirectory=a:b", true, load.Loaded},
		{"StateDirectory=a:b", false, load.Loaded},
		{`RuntimeDirectory=\x4`, true, load.Loaded},
		{"Sockets=a.service", true, load.Loaded},
		{`Sockets="a.socket"`, true, load.Loaded},
		{"LimitCPU=5:", true, load.Loaded},
		{"IPAddressAllow=LOCALHOST a.localhost.", false, load.Loaded},
		{"CPUAffinity=0-8000", false, load.Loaded},
		{"\n[Unit]\nBefore=dev-x.device", true, load.Loaded},
		{"\n[Unit]\nAfter=\"a.service\"", true, load.Loaded},
	} {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "a.service"), "[Service]\nExecStart=/bin/true\n"+c.line+"\n")
		u := load.New(load.Options{Path: []string{dir}, Version: 252, NoDefaults: true}).Load("a.service")
		warns := false
		for _, d := range u.Diags {
			warns = warns || d.Severity != diag.Advice
		}
		if warns != c.warns || u.State != c.state {
			t.Errorf("%s: %s, %v", c.line, u.State, u.Diags)
		}
	}
}

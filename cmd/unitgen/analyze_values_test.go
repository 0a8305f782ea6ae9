package main

import (
	"encoding/json"
	"math/rand"
	"strings"
	"testing"
)

func TestCompareVersionsLikeSystemdAnalyze(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewSource(21))
	parts := []string{"1", "2", "10", "01", "0", "a", "b", "rc1", "alpha", "~", "-", "^", ".", "+", "_", "A", "fc33", "é", ""}
	version := func() string {
		var s string
		for n := r.Intn(7); n > 0; n-- {
			s += parts[r.Intn(len(parts))]
		}
		return s
	}
	for i := range 500 {
		a, b := version(), version()
		if i == 0 {
			a, b = "1~", "1~ä" // behind "~", what is no ASCII sorts before the end
		}
		if i%3 == 0 {
			b = a + parts[r.Intn(len(parts))]
		}
		args := []string{"--", a, b}
		if i%2 == 0 {
			args = []string{"--", a, []string{"lt", "le", "eq", "ne", "ge", "gt", "<", "<=", "=", "==", "!=", "<>", ">=", ">", "$=", "foo", "eqx"}[r.Intn(17)], b}
		}
		want, _, code := runTool(t, nil, append([]string{"systemd-analyze", "compare-versions"}, args...)...)
		got, _, gotCode := runHere(append([]string{"analyze", "compare-versions"}, args...)...)
		if got != want || gotCode != code {
			t.Errorf("%q: %q, exit %d; systemd %q, exit %d", args, got, gotCode, want, code)
		}
	}
}

func TestConditionsLikeSystemdAnalyze(t *testing.T) {
	t.Parallel()
	values := map[string][]string{
		"PathExists":             {"/", "/etc/passwd", "/nowhere", "foo", "/etc/../etc", "%t", "%Z", "%E/passwd", "//etc//", "/etc/passwd/", "/x y"},
		"PathExistsGlob":         {"/etc/pass*", "/etc/[a-b]*", "/no*", "/etc/[!a]*"},
		"PathIsDirectory":        {"/etc", "/etc/passwd", "/nowhere"},
		"PathIsSymbolicLink":     {"/bin", "/etc", "/proc/self"},
		"PathIsMountPoint":       {"/", "/proc", "/etc", "/nowhere", "/etc/passwd", "/proc/sys"},
		"PathIsReadWrite":        {"/", "/proc", "/nowhere", "/sys"},
		"PathIsEncrypted":        {"/", "/nowhere"},
		"DirectoryNotEmpty":      {"/etc", "/etc/passwd", "/nowhere"},
		"FileNotEmpty":           {"/etc/passwd", "/dev/null", "/etc", "/nowhere"},
		"FileIsExecutable":       {"/bin/sh", "/etc/passwd", "/etc"},
		"NeedsUpdate":            {"/etc", "/var", "/etc/", "etc"},
		"FirstBoot":              {"yes", "no", "foo"},
		"Architecture":           {"native", "x86-64", "arm64", "foo"},
		"Firmware":               {"uefi", "device-tree", "foo", "device-tree-compatible(x)", "smbios-field(sys_vendor = foo)", "smbios-field(sys_vendor $= *)", "smbios-field(", "!smbios-field(sys_vendor=x)y"},
		"Virtualization":         {"yes", "no", "vm", "container", "docker", "kvm", "private-users", "foo"},
		"Host":                   {"*", "foo", "%H", "?*", "[!x]*"},
		"KernelCommandLine":      {"foo", "a=b", "quiet"},
		"KernelVersion":          {">=5", "<5", "> 3 <99", "*", "6.*", "=6", "!=6", "==6", "<>6", "$=[5-9].*", "!$=9.*", ">", "'>= 3'", "3 4"},
		"Credential":             {"foo", "../x"},
		"Security":               {"selinux", "apparmor", "audit", "ima", "smack", "tomoyo", "uefi-secureboot", "tpm2", "foo"},
		"Capability":             {"CAP_CHOWN", "cap_sys_admin", "0", "foo", "63", "64"},
		"ACPower":                {"yes", "no", "foo", "! no", "| yes"},
		"Memory":                 {">1M", "<1M", "1G", "=5", "!=5", "foo", "> 1M", "1T"},
		"CPUs":                   {"1", ">=1", "<1", "=2", "2 ", "foo", "1000"},
		"CPUFeature":             {"sse2", "SSE2", "avx2", "foo", "lm"},
		"Environment":            {"PATH", "UNITGEN_NO", "UNITGEN_TEST=1", "UNITGEN_TEST=2"},
		"User":                   {"root", "0", "@system", "nobody", "nosuchuser", "65534", "00", "! 0", "|root"},
		"Group":                  {"root", "0", "nogroup", "nosuchgroup", "12345", "00", "| root", "| ! root"},
		"ControlGroupController": {"cpu", "memory", "foo", "v1", "v2", "cpu memory", "pids foo", "cpu io", "cpuset"},
		"OSRelease":              {"ID=debian", "ID!=debian", "VERSION_ID>=12", "VERSION_ID<9", "foo", "NOSUCH=", "ID$=deb*", "ID=debian VERSION_ID=12", "=x", "ID"},
		"MemoryPressure":         {"100%", "0%", "foo", "100%/1min", "10%/2min", "-.slice:100%"},
		"CPUPressure":            {"100%", "100%/10sec", "100%/", ":100%"},
		"IOPressure":             {"100%", "foo:1%"},
	}
	run := func(args []string) {
		t.Helper()
		_, want, code := runTool(t, nil, append([]string{"systemd-analyze", "condition", "--"}, args...)...)
		_, got, gotCode := runHere(append([]string{"analyze", "condition", "--"}, args...)...)
		if gotCode != code || answers(got) != answers(want) {
			t.Errorf("%q: exit %d\n%s; systemd exit %d\n%s", args, gotCode, got, code, want)
		}
	}
	r := rand.New(rand.NewSource(22))
	var all []string
	for name, list := range values {
		for _, v := range list {
			for _, prefix := range []string{"Condition", "Assert"} {
				arg := prefix + name + "=" + []string{"", "!", "|", "|!"}[r.Intn(4)] + v
				all = append(all, arg)
				if prefix == "Condition" || r.Intn(4) == 0 {
					run([]string{arg})
				}
			}
		}
	}
	for range 100 {
		var args []string
		for n := 1 + r.Intn(5); n > 0; n-- {
			args = append(args, all[r.Intn(len(all))])
		}
		run(args)
	}
	run([]string{"ConditionFoo=x"})
	run([]string{"ConditionPathExists=/x", "ConditionPathExists="})
}

// answers leaves the warnings about ignored values out: their wording is ours.
func answers(s string) string {
	var out []string
	for _, l := range strings.Split(s, "\n") {
		if strings.HasSuffix(l, " succeeded.") || strings.HasSuffix(l, " failed.") || strings.Contains(l, "determine result") {
			out = append(out, l)
		}
	}
	return strings.Join(out, "\n")
}

func TestAnalyzeJSON(t *testing.T) {
	t.Setenv("TZ", "UTC")
	out, _, code := runHere("analyze", "calendar", "--json", "--base-time=2026-01-01", "--iterations=2", "daily", "foo", "2000-01-01")
	want := `{"normalized":"*-*-* 00:00:00","elapses":[1767312000000000,1767398400000000]}
`
	lines := strings.SplitAfter(out, "\n")
	if code != 1 || len(lines) != 4 || lines[0] != want || lines[2] != "{\"normalized\":\"2000-01-01 00:00:00\",\"elapses\":[]}\n" {
		t.Errorf("calendar --json: exit %d, %q", code, out)
	}
	var bad refusal
	if err := json.Unmarshal([]byte(lines[1]), &bad); err != nil || bad.Input != "foo" || bad.Error == "" {
		t.Errorf("calendar --json: a refused argument gives %q", lines[1])
	}
	out, _, code = runHere("analyze", "timespan", "--json", "90", "infinity")
	if code != 0 || out != "{\"usec\":90000000,\"human\":\"1min 30s\"}\n{\"usec\":18446744073709551615,\"human\":\"infinity\"}\n" {
		t.Errorf("timespan --json: exit %d, %q", code, out)
	}
	out, _, code = runHere("analyze", "timestamp", "--json", "2026-01-01 12:00:00.5 UTC")
	if code != 0 || out != "{\"normalized\":\"Thu 2026-01-01 12:00:00 UTC\",\"usec\":1767268800500000}\n" {
		t.Errorf("timestamp --json: exit %d, %q", code, out)
	}
}

func TestAnalyzeTextLikeSystemdAnalyze(t *testing.T) {
	for _, tz := range []string{"UTC", "Europe/Berlin"} {
		t.Setenv("TZ", tz)
		for _, args := range [][]string{
			{"calendar", "--base-time=2026-03-28 12:00", "--iterations=3", "Mon *-*-* 01:00", "foo", "*-*-* 00:00:00", "2000-1-1"},
			{"calendar", "--iterations=0", "daily"},
			{"timespan", "1.5h", "90"}, {"timespan", "5", "foo", "6"},
			{"timestamp", "2026-03-29 02:30", "bar", "@0"},
		} {
			want, _, code := runTool(t, nil, append([]string{"systemd-analyze", "-q"}, args...)...)
			got, _, gotCode := runHere(append([]string{"analyze"}, args...)...)
			if steady(got) != steady(want) || gotCode != code {
				t.Errorf("%s %q: exit %d\n%s\nsystemd exit %d\n%s", tz, args, gotCode, got, code, want)
			}
		}
	}
}

// steady leaves out the lines that depend on the moment of the call.
func steady(s string) string {
	var out []string
	for _, l := range strings.Split(s, "\n") {
		if !strings.Contains(l, "From now: ") {
			out = append(out, l)
		}
	}
	return strings.Join(out, "\n")
}

package load_test

import (
	"fmt"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/unitgen/unitgen/schema/directive"
	"github.com/unitgen/unitgen/schema/load"
	"github.com/unitgen/unitgen/schema/value"
)

// renamed maps what the dump of systemd calls a setting to the directive.
var renamed = map[string]string{
	"Accuracy": "AccuracySec", "Failure Action": "FailureAction", "Success Action": "SuccessAction", "Job Timeout": "JobTimeoutSec",
	"Job Timeout Action": "JobTimeoutAction", "OnTimeZoneChange": "OnTimezoneChange", "Secure Bits": "SecureBits",
	"File Descriptor Store Max": "FileDescriptorStoreMax", "File System Type": "Type", "TCPCongestion": "TCPCongestion",
}

// machine are settings whose value in the dump is that of the machine or of
// the process that dumps.
var machineSettings = map[string]bool{
	"OOMScoreAdjust": true, "TasksMax": true, "WorkingDirectory": true, "RootDirectory": true, "UtmpIdentifier": false,
	"TTYRows": true, "TTYColumns": true, "ExtraOptions": true, "ManagedOOMMemoryPressureLimit": true,
	"FileDescriptorName": false, "SocketProtocol": true,
}

func compareSettings(u *load.Unit, w *dumped) []string {
	var diffs []string
	if u.State != load.Loaded {
		return nil
	}
	for k, lines := range w.values {
		name := k
		if r := renamed[k]; r != "" {
			name = r
		}
		if u.Name == "-.mount" && (name == "What" || name == "Type" || name == "StandardOutput") {
			continue // what the kernel has mounted
		}
		switch {
		case strings.HasPrefix(name, "IORead"), strings.HasPrefix(name, "IOWrite"), name == "CoredumpFilter", name == "IPTOS", name == "TimerSlackNSec":
			continue // the dump has other units
		case strings.HasPrefix(name, "Memory") && strings.HasSuffix(strings.Join(u.Settings[section(u)][name], ""), "%"):
			continue // of the machine's memory
		case strings.HasSuffix(name, "Directory") && strings.Contains(strings.Join(u.Settings[section(u)][name], ""), ":"):
			continue // the dump leaves the links out
		case name == "CPUWeight" && lines[0] == "0":
			lines = []string{"idle"}
		}
		if machineSettings[name] || strings.Contains(name, " ") || name == "Options" && u.Name == "-.mount" {
			continue
		}
		section := u.TypeSection()
		if _, ok := directive.Lookup(u.Type, section, name); !ok || section == "" {
			section = "Unit"
			if _, ok := directive.Lookup(u.Type, section, name); !ok {
				continue
			}
		}
		if strings.HasPrefix(name, "Limit") {
			if len(u.Settings[section][name]) == 0 || strings.Contains(u.Settings[section][name][0], ":") {
				continue // the dump has soft and hard limits in lines of their own
			}
		}
		ours := append([]string(nil), u.Sections()[section][name]...)
		if len(ours) == 0 {
			ours = append(ours, u.Sections()["Unit"][name]...)
		}
		theirs := make([]string, 0, len(lines))
		for _, l := range lines {
			l = strings.TrimSuffix(l, " untested")
			if l != "" && l != "n/a" {
				theirs = append(theirs, l)
			}
		}
		if !sameValues(name, ours, theirs) {
			diffs = append(diffs, fmt.Sprintf("%s: %s is %q, systemd says %q", u.Name, name, ours, theirs))
		}
	}
	for k, list := range w.commands {
		var ours []string
		for _, c := range u.Commands[k] {
			ours = append(ours, quoted(c.Argv))
		}
		if strings.Join(ours, "\n") != strings.Join(list, "\n") {
			diffs = append(diffs, fmt.Sprintf("%s: %s is %q, systemd says %q", u.Name, k, ours, list))
		}
	}
	for k, c := range u.Commands {
		if len(c) > 0 && len(w.commands[k]) == 0 {
			diffs = append(diffs, fmt.Sprintf("%s: %s is %v, systemd has none", u.Name, k, c))
		}
	}
	return diffs
}

func section(u *load.Unit) string { return u.TypeSection() }

// quoted spells an argv as systemd's dump does.
func quoted(argv []string) string {
	var out []string
	for _, a := range argv {
		if a != "" && !strings.ContainsAny(a, " \t\n\"\\`$'*?[]{}()&;|<>^~#!=%") || a != "" && plainForShell(a) {
			out = append(out, a)
			continue
		}
		r := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "$", `\$`, "`", "\\`", "\n", `\n`, "\t", `\t`)
		out = append(out, `"`+r.Replace(a)+`"`)
	}
	return strings.Join(out, " ")
}

func plainForShell(s string) bool {
	return !strings.ContainsAny(s, "\"\\`$*?['()<>|&;! \t\n")
}

func sameValues(name string, ours, theirs []string) bool {
	if name == "SystemCallFilter" {
		ours, theirs = denied(ours), denied(theirs)
		// System calls that the installed libseccomp does not know.
		var kept []string
		for _, n := range ours {
			if n != "riscv_hwprobe" && n != "uretprobe" && n != "sys_debug_setcontext" {
				kept = append(kept, n)
			}
		}
		ours = kept
	}
	if name == "Delegate" && len(theirs) == 1 && theirs[0] == "yes" {
		return len(ours) > 0 && ours[0] != "no" // the controllers stand in a line of their own
	}
	if name == "RestrictNamespaces" && len(theirs) == 0 {
		return len(ours) == 1 && ours[0] == "yes"
	}
	if len(theirs) == 1 && (theirs[0] == "file" || theirs[0] == "fd" || theirs[0] == "append") && len(ours) == 1 {
		return strings.HasPrefix(ours[0], theirs[0]+":")
	}
	o, t := strings.Join(ours, " "), strings.Join(theirs, " ")
	if o == t {
		return true
	}
	sort.Strings(ours)
	words := strings.Fields(t)
	sort.Strings(words)
	flat := strings.Fields(strings.Join(ours, " "))
	sort.Strings(flat)
	if strings.Join(flat, " ") == strings.Join(words, " ") {
		return true
	}
	const unlimited = "18446744073709551615"
	if t == unlimited {
		return o == "" || o == "infinity"
	}
	if x, err := value.ParseSize(o); err == nil {
		return fmt.Sprint(x) == t
	}
	return o == "" && (t == "none" || t == "0" || t == "no")
}

// denied takes the sign of a list that denies off its elements.
func denied(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = strings.TrimPrefix(s, "~")
	}
	return out
}

// TestSettingsLikeSystemd compares what every unit of the packages holds after
// loading with what the installed systemd says it holds.
func TestSettingsLikeSystemd(t *testing.T) {
	dir := filepath.Join(openCorpus(t), "usr/lib/systemd/system")
	l := load.New(load.Options{Path: []string{dir}, Version: installed(t), Facts: hostFacts()})
	names := instances(l.Names())
	want := dump(t, names, dir)
	var diffs []string
	n := 0
	for _, u := range l.Closure(names...) {
		if w := want[u.Name]; w != nil {
			n++
			diffs = append(diffs, compareSettings(u, w)...)
		}
	}
	for i, d := range diffs {
		if i == 60 {
			break
		}
		t.Errorf("%.600s", d)
	}
	t.Logf("%d units compared, %d differences", n, len(diffs))
}

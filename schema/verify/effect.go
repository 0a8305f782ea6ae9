package verify

import (
	"path"
	"slices"
	"strings"

	"github.com/unitgen/unitgen/schema/diag"
	"github.com/unitgen/unitgen/schema/load"
	"github.com/unitgen/unitgen/schema/value"
)

// shellWords are arguments that mean something to a shell and nothing to
// systemd, which runs programs without one (systemd.service(5), "COMMAND
// LINES").
var shellWords = []string{"|", "||", "&&", "&", ">", ">>", "<", "2>", "2>&1", "&>", "<<"}

var shells = []string{"sh", "bash", "dash", "zsh", "ksh", "busybox", "expr", "test", "[", "find", "awk", "gawk", "mawk"}

// shell complains of commands that are written for a shell but run without one.
func (c *checker) shell(u *load.Unit) {
	for _, name := range sortedKeys(u.Commands) {
		for _, cmd := range u.Commands[name] {
			if slices.Contains(shells, path.Base(cmd.Path)) {
				continue
			}
			for i, a := range cmd.Argv {
				if i == 0 || !slices.Contains(shellWords, a) && !strings.HasPrefix(a, "$(") && !strings.HasPrefix(a, "`") {
					continue
				}
				c.add(diag.Warnf(CodeShell, "Command needs a shell", cmd.Pos,
					"%s= of %s passes %q to %s as an argument: systemd runs commands without a shell. Write: /bin/sh -c '…'.", name, u.Name, a, cmd.Path))
				break
			}
		}
	}
}

// combination is a directive that does nothing beside another.
type combination struct {
	section, directive string
	useless            func(u *load.Unit) bool
	why                string
}

func oneshot(u *load.Unit) bool { return text(u, "Type") == "oneshot" }

// combinations are taken from the man pages of the directives.
var combinations = []combination{
	{"Service", "PIDFile", func(u *load.Unit) bool {
		return text(u, "Type") == "oneshot" || text(u, "Type") == "simple" || text(u, "Type") == "exec"
	}, "only Type=forking services are followed by a PID file (systemd.service(5), PIDFile=)"},
	{"Service", "GuessMainPID", func(u *load.Unit) bool { return text(u, "Type") != "forking" || text(u, "PIDFile") != "" }, "it counts only for Type=forking without PIDFile= (systemd.service(5), GuessMainPID=)"},
	{"Service", "BusName", func(u *load.Unit) bool { return text(u, "Type") != "dbus" && len(texts(u, "ExecStart")) == 0 }, "only Type=dbus services wait for a bus name (systemd.service(5), BusName=)"},
	{"Service", "RestartSec", func(u *load.Unit) bool { r := text(u, "Restart"); return r == "" || r == "no" }, "Restart=no never restarts (systemd.service(5), RestartSec=)"},
	{"Service", "RestartPreventExitStatus", func(u *load.Unit) bool { r := text(u, "Restart"); return r == "" || r == "no" }, "Restart=no never restarts (systemd.service(5), RestartPreventExitStatus=)"},
	{"Service", "RestartMaxDelaySec", func(u *load.Unit) bool { return text(u, "RestartSteps") == "" || text(u, "RestartSteps") == "0" }, "it counts only with RestartSteps= (systemd.service(5), RestartSteps=)"},
	{"Service", "WatchdogSignal", func(u *load.Unit) bool { w := text(u, "WatchdogSec"); return w == "" || w == "0" || w == "infinity" }, "there is no WatchdogSec= (systemd.service(5), WatchdogSec=)"},
	{"Service", "FileDescriptorStorePreserve", func(u *load.Unit) bool { n := text(u, "FileDescriptorStoreMax"); return n == "" || n == "0" }, "FileDescriptorStoreMax= is 0 (systemd.service(5), FileDescriptorStoreMax=)"},
	{"Socket", "MaxConnections", func(u *load.Unit) bool { return !flag(u, "Accept") }, "it counts only with Accept=yes (systemd.socket(5), MaxConnections=)"},
	{"Socket", "MaxConnectionsPerSource", func(u *load.Unit) bool { return !flag(u, "Accept") }, "it counts only with Accept=yes (systemd.socket(5), MaxConnectionsPerSource=)"},
	{"Socket", "FlushPending", func(u *load.Unit) bool { return flag(u, "Accept") }, "it counts only with Accept=no (systemd.socket(5), FlushPending=)"},
	{"Timer", "Persistent", func(u *load.Unit) bool { return len(texts(u, "OnCalendar")) == 0 }, "it counts only with OnCalendar= (systemd.timer(5), Persistent=)"},
	{"Timer", "FixedRandomDelay", func(u *load.Unit) bool { d := text(u, "RandomizedDelaySec"); return d == "" || d == "0" }, "there is no RandomizedDelaySec= (systemd.timer(5), FixedRandomDelay=)"},
	{"Path", "DirectoryMode", func(u *load.Unit) bool { return !flag(u, "MakeDirectory") }, "it counts only with MakeDirectory=yes (systemd.path(5), DirectoryMode=)"},
	{"Unit", "StartLimitAction", func(u *load.Unit) bool { i := text(u, "StartLimitIntervalSec"); return i == "0" }, "StartLimitIntervalSec=0 turns the limit off (systemd.unit(5), StartLimitIntervalSec=)"},
}

// complaints are combinations that systemd itself complains of.
var complaints = []combination{
	{"Service", "RuntimeMaxSec", func(u *load.Unit) bool { return oneshot(u) && text(u, "RuntimeMaxSec") != "infinity" }, "it is ignored for Type=oneshot; TimeoutStartSec= bounds its run (systemd.service(5), RuntimeMaxSec=)"},
	{"Service", "RuntimeRandomizedExtraSec", func(u *load.Unit) bool {
		m, x := text(u, "RuntimeMaxSec"), text(u, "RuntimeRandomizedExtraSec")
		return x != "0" && (m == "" || m == "infinity")
	}, "there is no RuntimeMaxSec= that it would lengthen (systemd.service(5), RuntimeRandomizedExtraSec=)"},
	{"Service", "USBFunctionDescriptors", func(u *load.Unit) bool { return text(u, "USBFunctionStrings") == "" }, "it needs USBFunctionStrings= (systemd.service(5), USBFunctionDescriptors=)"},
	{"Service", "USBFunctionStrings", func(u *load.Unit) bool { return text(u, "USBFunctionDescriptors") == "" }, "it needs USBFunctionDescriptors= (systemd.service(5), USBFunctionStrings=)"},
	{"Unit", "JobRunningTimeoutSec", func(u *load.Unit) bool {
		run, e1 := value.ParseTimeSpan(text(u, "JobRunningTimeoutSec"))
		all, e2 := value.ParseTimeSpan(text(u, "JobTimeoutSec"))
		return e1 == nil && e2 == nil && all > 0 && run > all && run != value.Infinity
	}, "JobTimeoutSec= is shorter (systemd.unit(5), JobRunningTimeoutSec=)"},
}

// effects advises on directives without effect in their combination, and warns
// of what systemd itself warns of.
func (c *checker) effects(u *load.Unit) {
	if text(u, "KillMode") == "none" {
		c.add(diag.Warnf(CodeNoEffect, "Unsafe kill mode", at(u, "", "KillMode"),
			"KillMode=none of %s leaves its processes running after a stop, out of control; it is deprecated (systemd.kill(5), KillMode=). Use mixed or control-group.", u.Name))
	}
	for _, x := range complaints {
		if x.section == u.TypeSection() && text(u, x.directive) != "" && x.useless(u) || x.section == "Unit" && text(u, x.directive) != "" && x.useless(u) {
			c.add(diag.Warnf(CodeNoEffect, "Directive without effect", at(u, x.section, x.directive),
				"%s= of %s does nothing here: %s. Take it out, or change what it goes with.", x.directive, u.Name, x.why))
		}
	}
	for _, x := range combinations {
		if x.section != "Unit" && x.section != u.TypeSection() {
			continue
		}
		assigned := slices.IndexFunc(u.Assigned, func(a load.Assignment) bool {
			return a.Section == x.section && a.Key == x.directive && a.Value != ""
		})
		if assigned < 0 || !x.useless(u) {
			continue
		}
		c.add(&diag.Diagnostic{Severity: diag.Advice, Code: CodeNoEffect, Summary: "Directive without effect", Subject: u.Assigned[assigned].Pos,
			Detail: x.directive + "= of " + u.Name + " does nothing here: " + x.why + ". Take it out, or change what it goes with."})
	}
}

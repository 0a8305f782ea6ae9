package load

import (
	"path"
	"strings"

	"github.com/unitgen/unitgen/schema/unitname"
)

// execDeps adds what follows from the settings of systemd.exec(5) ("Implicit
// Dependencies").
func (l *Loader) execDeps(u *Unit) {
	if d := u.own("WorkingDirectory"); d != "" && d != "~" && !strings.HasPrefix(d, "-") {
		u.needMounts(path.Clean(d), fromFile)
	}
	for _, k := range []string{"RootDirectory", "RootImage"} {
		if d := u.own(k); d != "" {
			u.needMounts(path.Clean(d), fromFile)
		}
	}
	for _, d := range execDirectories {
		for _, e := range u.Settings[u.TypeSection()][d.key] {
			dir, _, _ := strings.Cut(e, ":")
			u.needMounts(path.Join(d.base(l), dir), fromFile)
		}
	}
	if !l.system() {
		return
	}
	for _, k := range []string{"StateDirectory", "CacheDirectory", "LogsDirectory"} {
		if len(u.Settings[u.TypeSection()][k]) > 0 {
			u.add("After", "systemd-remount-fs.service", fromFile)
			break
		}
	}
	if u.privateTmp() {
		u.two("After", "Wants", "tmp.mount", fromFile)
		u.needMounts("/var/tmp", fromFile)
		u.add("After", "systemd-tmpfiles-setup.service", fromFile)
	}
	if u.own("RootImage") != "" {
		u.add("After", "systemd-udevd.service", fromFile)
	}
	l.logDeps(u)
}

// execDirectories are RuntimeDirectory= and its kin and what they lie below.
var execDirectories = []struct {
	key  string
	base func(*Loader) string
}{
	{"RuntimeDirectory", func(l *Loader) string { return l.spec.RuntimeDir }},
	{"StateDirectory", func(l *Loader) string { return l.spec.StateDir }},
	{"CacheDirectory", func(l *Loader) string { return l.spec.CacheDir }},
	{"LogsDirectory", func(l *Loader) string { return l.spec.LogsDir }},
	{"ConfigurationDirectory", func(l *Loader) string { return l.spec.ConfigDir }},
}

// privateTmp reports whether PrivateTmp= is in effect; DynamicUser= implies it.
func (u *Unit) privateTmp() bool {
	return u.ownBool("PrivateTmp", false) || u.ownBool("DynamicUser", false)
}

// logDeps orders what writes to the journal after the journal's socket.
func (l *Loader) logDeps(u *Unit) {
	if ns := u.own("LogNamespace"); ns != "" {
		for _, base := range []string{"systemd-journald", "systemd-journald-varlink"} {
			if n, err := unitname.Build(base, ns, "socket", true); err == nil {
				u.two("After", "Requires", n, fromFile)
			}
		}
		return
	}
	out, err := u.outputs()
	if logs(out) || logs(err) {
		u.add("After", "systemd-journald.socket", fromFile)
	}
}

func logs(output string) bool {
	switch output {
	case "journal", "kmsg", "journal+console", "kmsg+console", "syslog", "syslog+console":
		return true
	}
	return false
}

// outputs gives StandardOutput= and StandardError= in effect: what is not
// chosen is the journal, unless the input is a terminal, a socket or a named
// descriptor, which serves for both ways.
func (u *Unit) outputs() (out, err string) {
	out, err = logName(u.own("StandardOutput")), logName(u.own("StandardError"))
	if out == "" {
		out = "inherit"
	}
	if err == "" {
		err = "inherit"
	}
	if u.Type != "service" {
		if u.own("StandardOutput") == "" {
			out = "journal"
		}
		return out, err
	}
	in := u.own("StandardInput")
	if strings.HasPrefix(in, "tty") || in == "socket" || strings.HasPrefix(in, "fd") {
		if u.own("StandardOutput") == "" {
			out = "inherit"
		}
		return out, err
	}
	if out == "inherit" {
		out = "journal"
	}
	return out, err
}

// logName gives the name that systemd has for an output since syslog became
// the journal.
func logName(s string) string {
	switch s {
	case "syslog":
		return "journal"
	case "syslog+console":
		return "journal+console"
	}
	return s
}

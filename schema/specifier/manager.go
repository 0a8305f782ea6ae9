package specifier

import (
	"os"
	"os/user"
	"path"
	"strconv"
	"strings"
)

// System gives the context of the system manager: root's, with the directories
// that systemd.unit(5) names. The caller sets Unit, Fragment and Host.
func System() Context {
	return Context{
		RuntimeDir: "/run", StateDir: "/var/lib", CacheDir: "/var/cache", LogsDir: "/var/log",
		ConfigDir: "/etc", SharedDir: "/usr/share", TempDir: "/tmp", VarTempDir: "/var/tmp",
		Home: "/root", User: "root", Group: "root", UID: "0", GID: "0", Shell: rootShell(),
	}
}

// rootShell is the shell that systemd gives root: bash where it is installed.
func rootShell() string {
	if fi, err := os.Stat("/bin/bash"); err == nil && fi.Mode()&0o111 != 0 {
		return "/bin/bash"
	}
	return "/bin/sh"
}

// Manager is the user that a user manager runs for.
type Manager struct {
	Name, Group string
	UID, GID    int
	Home, Shell string
}

// User gives the context of a user manager for a user and an environment.
// Directories follow the XDG variables; version is the systemd that is meant,
// 0 the newest: before 254 state and logs lay in the configuration directory.
func User(m Manager, env map[string]string, version int) Context {
	dir := func(variable, fallback string) string {
		if v := env[variable]; path.IsAbs(v) {
			return path.Clean(v)
		}
		return fallback
	}
	config := dir("XDG_CONFIG_HOME", path.Join(m.Home, ".config"))
	state, logs := config, path.Join(config, "log")
	if version == 0 || version >= 254 {
		state = dir("XDG_STATE_HOME", path.Join(m.Home, ".local/state"))
		logs = path.Join(state, "log")
	}
	temp, varTemp := "/tmp", "/var/tmp"
	for _, v := range []string{"TMP", "TEMP", "TMPDIR"} {
		if p := env[v]; path.IsAbs(p) {
			temp, varTemp = p, p
		}
	}
	return Context{
		RuntimeDir: dir("XDG_RUNTIME_DIR", path.Join("/run/user", strconv.Itoa(m.UID))),
		StateDir:   state, LogsDir: logs, ConfigDir: config,
		CacheDir:  dir("XDG_CACHE_HOME", path.Join(m.Home, ".cache")),
		SharedDir: dir("XDG_DATA_HOME", path.Join(m.Home, ".local/share")),
		TempDir:   temp, VarTempDir: varTemp,
		Home: m.Home, Shell: m.Shell,
		User: m.Name, UID: strconv.Itoa(m.UID),
		Group: m.Group, GID: strconv.Itoa(m.GID),
	}
}

// CurrentUser gives the user that this process runs as. The shell is $SHELL,
// else the one of the password file.
func CurrentUser() Manager {
	m := Manager{UID: os.Getuid(), GID: os.Getgid(), Home: os.Getenv("HOME"), Shell: os.Getenv("SHELL")}
	if u, err := user.Current(); err == nil {
		m.Name = u.Username
		if m.Home == "" {
			m.Home = u.HomeDir
		}
	}
	if g, err := user.LookupGroupId(strconv.Itoa(m.GID)); err == nil {
		m.Group = g.Name
	}
	if m.Name == "" {
		m.Name = strconv.Itoa(m.UID)
	}
	if m.Group == "" {
		m.Group = strconv.Itoa(m.GID)
	}
	if m.Shell == "" {
		m.Shell = loginShell(m.UID)
	}
	return m
}

func loginShell(uid int) string {
	b, err := os.ReadFile("/etc/passwd")
	if err == nil {
		for _, l := range strings.Split(string(b), "\n") {
			if f := strings.Split(l, ":"); len(f) == 7 && f[2] == strconv.Itoa(uid) && f[6] != "" {
				return f[6]
			}
		}
	}
	return "/bin/sh"
}

// Environ turns "NAME=value" strings into the map that User takes.
func Environ(list []string) map[string]string {
	m := make(map[string]string, len(list))
	for _, e := range list {
		if k, v, ok := strings.Cut(e, "="); ok {
			m[k] = v
		}
	}
	return m
}

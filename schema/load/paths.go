package load

import (
	"os"
	"path"
	"strings"

	"github.com/unitgen/unitgen/schema/tree"
)

// SearchPath gives the load path of a scope, highest priority first
// (systemd.unit(5), "Unit File Load Path"). environ looks up environment
// variables and may be nil: then neither SYSTEMD_UNIT_PATH nor the XDG
// variables count, and the user scope has the directories that all users
// share.
func SearchPath(scope tree.Scope, environ func(string) string) []string {
	if environ == nil {
		return defaultPath(scope, func(string) string { return "" })
	}
	set := environ("SYSTEMD_UNIT_PATH")
	if set == "" {
		return defaultPath(scope, environ)
	}
	rest, more := strings.CutSuffix(set, ":")
	var out []string
	for _, p := range strings.Split(rest, ":") {
		if p != "" {
			out = append(out, cleanDir(p))
		}
	}
	if more {
		out = append(out, defaultPath(scope, environ)...)
	}
	return unique(out)
}

func cleanDir(p string) string {
	if !strings.HasPrefix(p, "/") {
		if wd, err := os.Getwd(); err == nil {
			p = path.Join(wd, p)
		}
	}
	return path.Clean(p)
}

func defaultPath(scope tree.Scope, environ func(string) string) []string {
	if scope != tree.User {
		return []string{
			"/etc/systemd/system.control",
			"/run/systemd/system.control",
			"/run/systemd/transient",
			"/run/systemd/generator.early",
			"/etc/systemd/system",
			"/etc/systemd/system.attached",
			"/run/systemd/system",
			"/run/systemd/system.attached",
			"/run/systemd/generator",
			"/usr/local/lib/systemd/system",
			"/lib/systemd/system",
			"/usr/lib/systemd/system",
			"/run/systemd/generator.late",
		}
	}
	home := environ("HOME")
	config, data := environ("XDG_CONFIG_HOME"), environ("XDG_DATA_HOME")
	if config == "" && home != "" {
		config = home + "/.config"
	}
	if data == "" && home != "" {
		data = home + "/.local/share"
	}
	runtime := environ("XDG_RUNTIME_DIR")
	var out []string
	add := func(base string, rest ...string) {
		if base == "" {
			return
		}
		for _, r := range rest {
			out = append(out, path.Join(base, r))
		}
	}
	list := func(variable, fallback, rest string) {
		v := environ(variable)
		if v == "" {
			v = fallback
		}
		for _, d := range strings.Split(v, ":") {
			if strings.HasPrefix(d, "/") {
				add(d, rest)
			}
		}
	}
	add(config, "systemd/user.control")
	add(runtime, "systemd/user.control", "systemd/transient", "systemd/generator.early")
	add(config, "systemd/user")
	list("XDG_CONFIG_DIRS", "/etc/xdg", "systemd/user")
	add("/etc", "systemd/user")
	add(runtime, "systemd/user")
	add("/run", "systemd/user")
	add(runtime, "systemd/generator")
	add(data, "systemd/user")
	list("XDG_DATA_DIRS", "/usr/local/share:/usr/share", "systemd/user")
	for _, base := range []string{"/usr/local/lib", "/usr/local/share", "/usr/lib", "/usr/share"} {
		add(base, "systemd/user")
	}
	add(runtime, "systemd/generator.late")
	return unique(out)
}

func unique(in []string) []string {
	seen := make(map[string]bool, len(in))
	out := in[:0]
	for _, s := range in {
		if !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	return out
}

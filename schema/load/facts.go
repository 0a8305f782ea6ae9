package load

import (
	"github.com/unitgen/unitgen/schema/tree"
)

// Facts are what a loaded unit depends on that no unit file says: the machine,
// the user, and the Default…= settings of systemd-system.conf(5). The zero
// value of each field means systemd's own default.
type Facts struct {
	// HomeDir and UserName are the manager's user (%h, %u); "/root" and "root"
	// in the system scope.
	HomeDir, UserName string
	// RuntimeDir, StateDir, CacheDir, LogsDir and ConfigDir are what %t, %S,
	// %C, %L and %E stand for.
	RuntimeDir, StateDir, CacheDir, LogsDir, ConfigDir string
	// TmpDir and VarTmpDir are %T and %V.
	TmpDir, VarTmpDir string
	// SocketActivatedJournal is unset where the manager has no journal:
	// StandardOutput=journal then adds no dependency.
	NoJournal bool
	// Timeout is DefaultTimeoutStartSec= and DefaultTimeoutStopSec= as written,
	// "" for 90 seconds.
	TimeoutStart, TimeoutStop string
	// ProgramFound reports whether an absolute path is an executable program,
	// and nil means no program is looked for on the machine.
	ProgramFound func(path string) bool
}

func (f Facts) withDefaults(s tree.Scope) Facts {
	set := func(p *string, system, user string) {
		if *p == "" {
			*p = system
			if s == tree.User {
				*p = user
			}
		}
	}
	set(&f.HomeDir, "/root", "/home/user")
	set(&f.UserName, "root", "user")
	set(&f.RuntimeDir, "/run", "/run/user/1000")
	set(&f.StateDir, "/var/lib", f.HomeDir+"/.local/state")
	set(&f.CacheDir, "/var/cache", f.HomeDir+"/.cache")
	set(&f.LogsDir, "/var/log", f.HomeDir+"/.local/state/log")
	set(&f.ConfigDir, "/etc", f.HomeDir+"/.config")
	set(&f.TmpDir, "/tmp", "/tmp")
	set(&f.VarTmpDir, "/var/tmp", "/var/tmp")
	return f
}

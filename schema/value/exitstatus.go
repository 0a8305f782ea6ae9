package value

import (
	"strconv"

	"github.com/unitgen/unitgen/schema/directive"
)

// exitNames are the exit statuses by the names that systemd.exec(5), "PROCESS
// EXIT CODES", gives them: the C library's, LSB's, systemd's and BSD's.
var exitNames = map[string]int{
	"SUCCESS": 0, "FAILURE": 1,
	"INVALIDARGUMENT": 2, "NOTIMPLEMENTED": 3, "NOPERMISSION": 4, "NOTINSTALLED": 5, "NOTCONFIGURED": 6, "NOTRUNNING": 7,
	"USAGE": 64, "DATAERR": 65, "NOINPUT": 66, "NOUSER": 67, "NOHOST": 68, "UNAVAILABLE": 69, "SOFTWARE": 70, "OSERR": 71,
	"OSFILE": 72, "CANTCREAT": 73, "IOERR": 74, "TEMPFAIL": 75, "PROTOCOL": 76, "NOPERM": 77, "CONFIG": 78,
	"CHDIR": 200, "NICE": 201, "FDS": 202, "EXEC": 203, "MEMORY": 204, "LIMITS": 205, "OOM_ADJUST": 206, "SIGNAL_MASK": 207,
	"STDIN": 208, "STDOUT": 209, "CHROOT": 210, "IOPRIO": 211, "TIMERSLACK": 212, "SECUREBITS": 213, "SETSCHEDULER": 214,
	"CPUAFFINITY": 215, "GROUP": 216, "USER": 217, "CAPABILITIES": 218, "CGROUP": 219, "SETSID": 220, "CONFIRM": 221,
	"STDERR": 222, "PAM": 224, "NETWORK": 225, "NAMESPACE": 226, "NO_NEW_PRIVILEGES": 227, "SECCOMP": 228,
	"SELINUX_CONTEXT": 229, "PERSONALITY": 230, "APPARMOR": 231, "ADDRESS_FAMILIES": 232, "RUNTIME_DIRECTORY": 233,
	"CHOWN": 235, "SMACK_PROCESS_LABEL": 236, "KEYRING": 237, "STATE_DIRECTORY": 238, "CACHE_DIRECTORY": 239,
	"LOGS_DIRECTORY": 240, "CONFIGURATION_DIRECTORY": 241, "NUMA_POLICY": 242, "CREDENTIALS": 243, "BPF": 244, "EXCEPTION": 255,
}

const wantExit = `numbers from 0 to 255 or names such as TEMPFAIL (systemd.exec(5))`

var _ = register(map[directive.Kind]checker{
	"exit-status": func(_ *Context, s string) (string, error) {
		n, err := ParseInteger(s, 0, 255)
		if err != nil {
			return s, wrong(s, "is no exit status", "a number from 0 to 255")
		}
		return strconv.FormatInt(n, 10), nil
	},
	directive.ExitStatusSet: words(Unquote, func(_ *Context, w string) error {
		_, _, err := ParseExitStatus(w)
		return err
	}),
})

// ParseExitStatus reads one word of SuccessExitStatus= and its kin: an exit
// status by number or name, or a signal by name. One of the results is -1.
func ParseExitStatus(s string) (status, signal int, err error) {
	if n, ok := exitNames[s]; ok {
		return n, -1, nil
	}
	if n, err := ParseInteger(s, 0, 255); err == nil {
		return int(n), -1, nil
	}
	if s != "" && !isDigit(s[0]) {
		if n, err := ParseSignal(s); err == nil {
			return -1, n, nil
		}
	}
	return -1, -1, wrong(s, "is neither an exit status nor a signal", wantExit+", or signals such as SIGKILL")
}

// ExitStatusName gives the name of an exit status, or "".
func ExitStatusName(status int) string {
	for n, v := range exitNames {
		if v == status {
			return n
		}
	}
	return ""
}

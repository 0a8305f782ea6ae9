package manager

import (
	"encoding/base64"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	us "github.com/unitgen/unitgen/runtime/unitstate"
	"github.com/unitgen/unitgen/schema/tree"
	"github.com/unitgen/unitgen/schema/unitname"
	"github.com/unitgen/unitgen/schema/value"
)

// newRequest is what all unit types with commands start from. An error is a
// resourceError: no process is to be made then.
func (m *Manager) newRequest(u *unit, c *execConfig, cmd command, main bool) (*spawnRequest, error) {
	fileEnv, err := c.readEnvFiles()
	if err != nil {
		return nil, err
	}
	r := &spawnRequest{
		fileEnv: fileEnv,
		unit:    u.name(), cfg: c, cmd: cmd, env: m.env, isMain: main, stdinFD: -1, fifo: m.fifoPath(u.name()),
		vars: []string{"INVOCATION_ID=" + u.invocation.String()},
	}
	if len(c.creds) > 0 {
		r.credDir = m.credentialDir(u.name())
	}
	r.credBase = filepath.Dir(m.credentialDir(u.name()))
	if !cmd.full {
		r.space = m.spaceOf(u, c.sandbox.share)
	}
	r.cgroup, r.cgroups = u.group.enter(u)
	return r, nil
}

func (m *Manager) isSystem() bool { return m.opt.Scope != tree.User }

// managerVars are passed to all services: where the manager is.
var managerVars = []string{"XDG_RUNTIME_DIR", "UNITGEN_RUNTIME_DIR", "TZ"}

func (m *Manager) isManagerVar(name string) bool { return contains(managerVars, name) }

// initialEnvironment is the manager's environment block. The system manager
// begins with a few variables; a user's has all of its user's.
func initialEnvironment(opt Options) []string {
	var env []string
	for _, e := range os.Environ() {
		n, _, _ := strings.Cut(e, "=")
		switch {
		case n == "NOTIFY_SOCKET" || n == "LISTEN_FDS" || n == "LISTEN_PID" || n == "INVOCATION_ID" || n == "JOURNAL_STREAM" || n == "LISTEN_FDNAMES" || n == "WATCHDOG_USEC" || n == "WATCHDOG_PID" || n == "MAINPID" || n == "_" || n == "OLDPWD" || n == "PWD" || n == "SHLVL":
		case strings.HasPrefix(n, "UNITGEN_"):
		case opt.Scope == tree.User || n == "LANG" || n == "TZ" || strings.HasPrefix(n, "LC_"):
			env = append(env, e)
		}
	}
	if opt.Scope != tree.User {
		env = append(env, "PATH="+defaultPATH)
	} else {
		env = setEnv(env, "XDG_RUNTIME_DIR="+opt.RuntimeDir)
	}
	return env
}

func setEnv(env []string, assignment string) []string {
	n, _, _ := strings.Cut(assignment, "=")
	for i, e := range env {
		if strings.HasPrefix(e, n+"=") {
			out := append([]string(nil), env...)
			out[i] = assignment
			return out
		}
	}
	return append(append([]string(nil), env...), assignment)
}

func checkName(name string) error {
	if !unitname.Valid(name) {
		return us.Errorf(us.ErrInvalidArgs, "Unit name %s is not valid.", name)
	}
	if unitname.IsTemplate(name) {
		return us.Errorf(us.ErrInvalidArgs, "Unit name %s is missing the instance name.", name)
	}
	return nil
}

func contains2(list []int, n int) bool {
	for _, x := range list {
		if x == n {
			return true
		}
	}
	return false
}

func pow(a, b float64) float64 { return math.Pow(a, b) }

func signalName(n int) string {
	if s := value.SignalName(n); s != "" {
		return strings.TrimPrefix(s, "SIG")
	}
	return strconv.Itoa(n)
}

func exitName(n int) string {
	if s := value.ExitStatusName(n); s != "" {
		return " (" + s + ")"
	}
	return ""
}

func rlimitSort(name string) string {
	switch name {
	case "CPU":
		return "time"
	case "FSIZE", "DATA", "STACK", "CORE", "RSS", "MEMLOCK", "AS", "MSGQUEUE":
		return "size"
	case "NICE":
		return "nice"
	case "RTTIME":
		return "microseconds"
	}
	return "number"
}

func owner(st os.FileInfo) uint32 {
	if s, ok := st.Sys().(*syscall.Stat_t); ok {
		return s.Uid
	}
	return 0
}

// decodeBase64 reads StandardInputData=; what is not base64 is left out.
func decodeBase64(s string) []byte {
	b, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		return nil
	}
	return b
}

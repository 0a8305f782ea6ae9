package manager

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/unitgen/unitgen/runtime/manager/stage"
	"github.com/unitgen/unitgen/schema/load"
	"github.com/unitgen/unitgen/schema/value"
)

// spawnRequest is one process to start: all of it is a copy or does not
// change, so that a spawner may work on it beside the loop.
type spawnRequest struct {
	unit     string
	cfg      *execConfig
	cmd      command
	env      []string // the manager's, then what the unit's type adds
	fileEnv  []string // of EnvironmentFile=
	vars     []string // variables that win over all others: MAINPID and so on
	pass     []int    // descriptors for the service, owned by the request
	names    []string // their names
	watchdog string
	stdinFD  int // StandardInput=socket; -1 without
	fifo     string
	cgroup   *os.File
	cgroups  []string // cgroup v1 files the process writes itself into
	credDir  string   // $CREDENTIALS_DIRECTORY, "" without
	credBase string   // where those of all units lie
	space    *space
	std      [3]*os.File // in place of what the settings say, owned by the request
	isMain   bool
}

// command is one command line of a unit.
type command struct {
	setting string
	index   int
	path    string
	argv    []string
	ignore  bool // "-"
	literal bool // ":"
	full    bool // "+"
	noUser  bool // "!"
}

func commandsOf(f *load.Unit, setting string) []command {
	var out []command
	for i, c := range f.Commands[setting] {
		out = append(out, command{
			setting: setting, index: i, path: c.Path, argv: c.Argv,
			ignore: strings.Contains(c.Prefix, "-"), literal: strings.Contains(c.Prefix, ":"),
			full: strings.Contains(c.Prefix, "+"), noUser: strings.Contains(c.Prefix, "!") && !strings.Contains(c.Prefix, "!!"),
		})
	}
	return out
}

// stepError is a failure before the program runs, with the exit status that
// systemd.exec(5) gives it.
type stepError struct {
	status int
	step   string
	err    error
}

func (e *stepError) Error() string { return fmt.Sprintf("Failed at step %s: %v", e.step, e.err) }
func (e *stepError) Unwrap() error { return e.err }

func step(status int, name string, err error) error { return &stepError{status, name, err} }

// close gives back the descriptors of the request.
func (s *spawnRequest) close() {
	for _, fd := range s.pass {
		unix.Close(fd)
	}
	if s.stdinFD >= 0 {
		unix.Close(s.stdinFD)
	}
	closeStandard(s.std)
}

// start does the work of a spawner. status is where a second stage reports; it
// is nil when the program itself was started.
func (s *spawnRequest) start(m *Manager) (pid int, status *os.File, err error) {
	c := s.cfg
	full := s.cmd.full
	acct, err := c.resolve(s.unit)
	if err != nil {
		return 0, nil, err
	}
	env := s.environment(m, acct)
	more, err := s.prepareDirs(acct)
	if err != nil {
		return 0, nil, err
	}
	env = append(env, more...)
	if s.credDir != "" {
		if err := s.writeCredentials(acct); err != nil {
			return 0, nil, step(stage.ExitCredentials, "CREDENTIALS", err)
		}
		env = append(env, "CREDENTIALS_DIRECTORY="+s.credDir)
	}
	env = s.finish(env)
	argv := s.cmd.argv
	if !s.cmd.literal {
		argv = expandArgv(argv, env)
	}
	if len(argv) == 0 {
		return 0, nil, step(stage.ExitExec, "EXEC", errors.New("the command line is empty"))
	}
	if c.root != "" {
		if st, err := os.Stat(c.root); err != nil {
			return 0, nil, step(stage.ExitNamespace, "NAMESPACE", err)
		} else if !st.IsDir() {
			return 0, nil, step(stage.ExitNamespace, "NAMESPACE", fmt.Errorf("RootDirectory=%s is no directory", c.root))
		}
	}
	path, err := lookProgram(s.cmd.path, c.root, env)
	if err != nil {
		return 0, nil, step(stage.ExitExec, "EXEC", err)
	}
	std, err := s.openStdio(c, acct)
	if err != nil {
		return 0, nil, err
	}
	defer std.close()
	groups := acct.set && s.cmd.noUser && !full
	if full || s.cmd.noUser {
		acct.set = false // all but who the process is
	}
	if groups || s.needsStage(full) {
		return s.startStage(m, path, argv, env, acct, groups, std)
	}
	dir := s.workDir(acct)
	if dir != "" {
		if st, err := os.Stat(dir); err != nil || !st.IsDir() {
			if !c.dirOptional {
				if err == nil {
					err = fmt.Errorf("%s is no directory", dir)
				}
				return 0, nil, step(stage.ExitChdir, "CHDIR", err)
			}
			dir = "/"
		}
	}
	attr := &syscall.ProcAttr{Dir: dir, Env: env, Files: std.files(), Sys: &syscall.SysProcAttr{Setsid: true}}
	if acct.set {
		attr.Sys.Credential = &syscall.Credential{Uid: acct.uid, Gid: acct.gid, Groups: acct.groups}
	}
	if s.cgroup != nil {
		attr.Sys.UseCgroupFD, attr.Sys.CgroupFD = true, int(s.cgroup.Fd())
	}
	pid, err = forkExec(path, argv, attr)
	if err != nil {
		return 0, nil, step(stage.ExitExec, "EXEC", &os.PathError{Op: "exec", Path: path, Err: err})
	}
	return pid, nil, nil
}

// forkExec starts a process; "text file busy" is a race with a writer that has
// just closed the program, so it is tried again.
func forkExec(path string, argv []string, attr *syscall.ProcAttr) (int, error) {
	for i := 0; ; i++ {
		pid, err := syscall.ForkExec(path, argv, attr)
		if err == syscall.ETXTBSY && i < 20 {
			unix.Nanosleep(&unix.Timespec{Nsec: 5e6}, nil)
			continue
		}
		return pid, err
	}
}

func (s *spawnRequest) workDir(a account) string {
	dir := s.cfg.dir
	if dir == "~" {
		if a.home != "" {
			return a.home
		}
		h, _ := os.UserHomeDir()
		return h
	}
	if dir == "" {
		if s.cfg.system {
			return "/"
		}
		h, _ := os.UserHomeDir()
		return h
	}
	return dir
}

// needsStage reports whether the kernel's spawn call cannot express what the
// unit asks for.
func (s *spawnRequest) needsStage(full bool) bool {
	c := s.cfg
	if len(s.pass) > 0 || s.watchdog != "" || !c.ignoreSIGPIPE || c.umaskSet || len(s.cgroups) > 0 {
		return true
	}
	if c.nice != nil || c.oomScore != nil || c.ioPrio != nil || c.policy != nil || len(c.cpus) > 0 || len(c.limits) > 0 || c.timerslack != nil || c.personality != nil {
		return true
	}
	if c.stdin == "tty" || c.stdin == "tty-force" || c.stdin == "tty-fail" {
		return true
	}
	if full {
		return false
	}
	return c.root != "" || c.bounding != nil || c.ambient != 0 || c.secureBits != nil || c.noNewPrivs || c.sandbox.any() || c.calls.any()
}

// startStage starts the second stage and hands it what to do.
func (s *spawnRequest) startStage(m *Manager, path string, argv, env []string, a account, groups bool, std *stdio) (int, *os.File, error) {
	c := s.cfg
	spec := stage.Spec{
		Path: path, Argv: argv, Env: env, Dir: s.workDir(a), DirOptional: c.dirOptional,
		FDs: len(s.pass), ListenNames: strings.Join(s.names, ":"), WatchdogUsec: s.watchdog,
		SetUser: a.set, SetGroups: groups, UID: a.uid, GID: a.gid, Groups: a.groups,
		Nice: c.nice, OOMScore: c.oomScore, IOPrio: c.ioPrio, Timerslack: c.timerslack,
		SchedPolicy: c.policy, SchedPrio: c.priority, ResetOnFork: c.resetOnFork, CPUs: c.cpus, Limits: c.limits,
		KeepSIGPIPE: !c.ignoreSIGPIPE, CgroupFiles: s.cgroups, Personality: c.personality,
		TTYControl: strings.HasPrefix(c.stdin, "tty"),
	}
	if c.umaskSet {
		spec.Umask = &c.umask
	}
	if !s.cmd.full {
		spec.Root = c.root
		spec.CapBounding, spec.CapAmbient, spec.SecureBits, spec.NoNewPrivs = c.bounding, c.ambient, c.secureBits, c.noNewPrivs
		if err := c.sandbox.apply(&spec, s); err != nil {
			return 0, nil, err
		}
		if spec.Filters = c.calls.programs(c.personality); len(spec.Filters) > 0 {
			spec.NoFile = m.noFile
		}
	}
	raw, err := json.Marshal(&spec)
	if err != nil {
		return 0, nil, step(stage.ExitMemory, "SPEC", err)
	}
	mem, err := memory("unitgen-spec", raw)
	if err != nil {
		return 0, nil, step(stage.ExitFDs, "FDS", err)
	}
	defer mem.Close()
	r, w, err := os.Pipe()
	if err != nil {
		return 0, nil, step(stage.ExitFDs, "FDS", err)
	}
	defer w.Close()
	files := append(std.files(), mem.Fd(), w.Fd())
	for _, fd := range s.pass {
		files = append(files, uintptr(fd))
	}
	attr := &syscall.ProcAttr{Dir: "/", Env: []string{"GOMAXPROCS=1", "GOGC=off"}, Files: files, Sys: &syscall.SysProcAttr{Setsid: true}}
	if s.cgroup != nil {
		attr.Sys.UseCgroupFD, attr.Sys.CgroupFD = true, int(s.cgroup.Fd())
	}
	program := m.opt.Stage
	if program == "" {
		program = "/proc/self/exe"
	}
	pid, err := forkExec(program, []string{stage.Argv0}, attr)
	if err != nil {
		r.Close()
		return 0, nil, step(stage.ExitExec, "EXEC", &os.PathError{Op: "exec", Path: program, Err: err})
	}
	if spec.PrivateUsers {
		return nextProcess(pid, r)
	}
	return pid, r, nil
}

// nextProcess reads which process goes on in place of the one that was
// started; where that one failed, it is itself the one that ends.
func nextProcess(pid int, r *os.File) (int, *os.File, error) {
	line := make([]byte, 0, 64)
	for b := make([]byte, 1); ; {
		n, err := r.Read(b)
		if n == 0 || err != nil {
			return pid, replay(r, line), nil
		}
		if b[0] == '\n' {
			break
		}
		line = append(line, b[0])
		if len(line) == 4096 {
			break
		}
	}
	if next, err := strconv.Atoi(strings.TrimPrefix(string(line), "pid ")); err == nil && next > 1 {
		return next, r, nil
	}
	return pid, replay(r, line), nil
}

// replay puts back what was read of a report that has ended.
func replay(r *os.File, text []byte) *os.File {
	if len(text) == 0 {
		return r
	}
	if m, err := memory("report", text); err == nil {
		r.Close()
		return m
	}
	return r
}

// stageResult waits until the second stage has become the program, or says
// what failed.
func stageResult(r *os.File) error {
	defer r.Close()
	b, _ := io.ReadAll(io.LimitReader(r, 4096))
	if len(b) == 0 {
		return nil
	}
	return fmt.Errorf("Failed at step %s", b)
}

// memory gives a file in memory, ready to be read.
func memory(name string, data []byte) (*os.File, error) {
	fd, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), name)
	if _, err := f.Write(data); err != nil {
		f.Close()
		return nil, err
	}
	_, err = f.Seek(0, io.SeekStart)
	return f, err
}

// lookProgram finds the program of a command (systemd.service(5), "COMMAND
// LINES": a name without a slash is looked for in fixed places, or in
// ExecSearchPath=).
func lookProgram(path, root string, env []string) (string, error) {
	if strings.Contains(path, "/") {
		return path, nil
	}
	dirs := defaultPATH
	for _, e := range env {
		if v, ok := strings.CutPrefix(e, "PATH="); ok {
			dirs = v
		}
	}
	for _, d := range strings.Split(dirs, ":") {
		p := filepath.Join(d, path)
		if st, err := os.Stat(filepath.Join(root, p)); err == nil && st.Mode().IsRegular() && st.Mode()&0o111 != 0 {
			return p, nil
		}
	}
	return "", fmt.Errorf("the program %q was not found in %s", path, dirs)
}

// expandArgv replaces ${VAR} anywhere and $VAR as a word of its own
// (systemd.service(5), "COMMAND LINES").
func expandArgv(argv, env []string) []string {
	lookup := func(name string) string {
		for i := len(env) - 1; i >= 0; i-- {
			if v, ok := strings.CutPrefix(env[i], name+"="); ok {
				return v
			}
		}
		return ""
	}
	var out []string
	for i, w := range argv {
		if !strings.Contains(w, "$") {
			out = append(out, w)
			continue
		}
		if i > 0 && len(w) > 1 && w[0] == '$' && w[1] != '{' && w[1] != '$' && value.ValidEnvName(w[1:]) {
			parts, err := value.UnquoteWords(lookup(w[1:]))
			if err != nil {
				parts = strings.Fields(lookup(w[1:]))
			}
			out = append(out, parts...)
			continue
		}
		var b strings.Builder
		for w != "" {
			switch {
			case strings.HasPrefix(w, "$$"):
				b.WriteByte('$')
				w = w[2:]
				continue
			case strings.HasPrefix(w, "${"):
				if end := strings.IndexByte(w, '}'); end > 0 && value.ValidEnvName(w[2:end]) {
					b.WriteString(lookup(w[2:end]))
					w = w[end+1:]
					continue
				}
			}
			b.WriteByte(w[0])
			w = w[1:]
		}
		out = append(out, b.String())
	}
	return out
}

// finish removes UnsetEnvironment= and duplicates: of several values the last
// counts.
func (s *spawnRequest) finish(env []string) []string {
	env = append(env, s.vars...)
	last := map[string]int{}
	for i, e := range env {
		n, _, _ := strings.Cut(e, "=")
		last[n] = i
	}
	out := env[:0:0]
	for i, e := range env {
		n, v, _ := strings.Cut(e, "=")
		if last[n] != i {
			continue
		}
		drop := false
		for _, u := range s.cfg.unsetEnv {
			un, uv, exact := strings.Cut(u, "=")
			drop = drop || un == n && (!exact || uv == v)
		}
		if !drop {
			out = append(out, e)
		}
	}
	return out
}

// environment puts the environment together in the order of precedence of
// systemd.exec(5), "Environment Variables in Spawned Processes".
func (s *spawnRequest) environment(m *Manager, a account) []string {
	c := s.cfg
	var env []string
	if c.system {
		env = append(env, c.pathEnv)
		for _, e := range s.env {
			n, _, _ := strings.Cut(e, "=")
			if n == "PATH" || n == "LANG" || strings.HasPrefix(n, "LC_") || contains(c.passEnv, n) || m.isManagerVar(n) {
				env = append(env, e)
			}
		}
	} else {
		env = append(env, s.env...)
	}
	if a.set && a.name != "" {
		env = append(env, "LOGNAME="+a.name, "USER="+a.name)
		if a.home != "" && a.home != "/" && a.uid != nobodyUID {
			env = append(env, "HOME="+a.home)
		}
		if a.shell != "" && !strings.HasSuffix(a.shell, "/nologin") && !strings.HasSuffix(a.shell, "/false") {
			env = append(env, "SHELL="+a.shell)
		}
	}
	env = append(env, c.env...)
	env = append(env, s.fileEnv...)
	return env
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

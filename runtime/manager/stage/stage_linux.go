package stage

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	specFD  = 3
	firstFD = 5
)

// reportFD moves when the service's own descriptors take its place.
var reportFD = 4

// Is reports whether this process was started as a second stage.
func Is() bool { return len(os.Args) > 0 && os.Args[0] == Argv0 }

// failure is a step that did not work, with its exit status.
type failure struct {
	status int
	step   string
	err    error
}

// Main carries out the Spec and becomes the service. It comes back only when
// something failed, with the exit status; what failed was reported.
func Main() int {
	runtime.LockOSThread()
	unix.CloseOnExec(specFD)
	unix.CloseOnExec(reportFD)
	// A signal that was ignored when the manager was started (nohup, a shell's
	// background job) stays ignored through exec unless it is caught here.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP, syscall.SIGINT)
	f := run()
	if f == nil {
		return 0 // another process goes on
	}
	report := os.NewFile(uintptr(reportFD), "report")
	fmt.Fprintf(report, "%s: %v", f.step, f.err)
	return f.status
}

func run() *failure {
	// Closed here and now: the service's first descriptor takes this number, and
	// a collected file would close it there.
	spec := os.NewFile(specFD, "spec")
	raw, err := io.ReadAll(spec)
	_ = spec.Close()
	if err != nil {
		return &failure{ExitMemory, "SPEC", err}
	}
	var s Spec
	if err := json.Unmarshal(raw, &s); err != nil {
		return &failure{ExitMemory, "SPEC", err}
	}
	// The first part needs the machine's own privileges.
	if !s.Second {
		if f := carryOut([]step{
			{"CGROUP", ExitCgroup, s.cgroup},
			{"OOM_ADJUST", ExitOOMAdjust, s.oom},
			{"NICE", ExitNice, s.nice},
			{"SETSCHEDULER", ExitScheduler, s.scheduler},
			{"CPUAFFINITY", ExitCPUAffinity, s.affinity},
			{"IOPRIO", ExitIOPrio, s.ioprio},
			{"TIMERSLACK", ExitTimerslack, s.timerslack},
			{"PERSONALITY", ExitPersonality, s.personality},
			{"UMASK", ExitMemory, s.umask},
			{"STDIN", ExitStdin, s.terminal},
			{"NETWORK", ExitNetwork, s.network},
			{"NAMESPACE", ExitNamespace, s.mounts},
			{"LIMITS", ExitLimits, s.limits},
		}); f != nil {
			return f
		}
		if s.PrivateUsers {
			return s.handOver()
		}
	}
	if f := carryOut([]step{
		{"CHROOT", ExitChroot, s.chroot},
		{"CAPABILITIES", ExitCapabilities, s.bounding},
		{"GROUP", ExitGroup, s.group},
		{"USER", ExitUser, s.user},
		{"CAPABILITIES", ExitCapabilities, s.ambient},
		{"CHDIR", ExitChdir, s.chdir},
		{"NO_NEW_PRIVILEGES", ExitNoNewPrivs, s.noNewPrivs},
		{"FDS", ExitFDs, s.descriptors},
	}); f != nil {
		return f
	}
	env := s.environment()
	if s.KeepSIGPIPE {
		signal.Reset(syscall.SIGPIPE)
	}
	if len(s.Filters) > 0 {
		return s.filtered(env)
	}
	return &failure{ExitExec, "EXEC " + s.Path, syscall.Exec(s.Path, s.Argv, env)}
}

// step is one thing to do, with the exit status of its failure.
type step struct {
	name   string
	status int
	do     func() error
}

func carryOut(steps []step) *failure {
	for _, st := range steps {
		if err := st.do(); err != nil {
			return &failure{st.status, st.name, err}
		}
	}
	return nil
}

// environment adds what only the process itself knows: its own number.
func (s *Spec) environment() []string {
	pid := strconv.Itoa(os.Getpid())
	env := append(s.Env, "SYSTEMD_EXEC_PID="+pid)
	if s.FDs > 0 && s.ListenNames != "" {
		env = append(env, "LISTEN_PID="+pid, "LISTEN_FDS="+strconv.Itoa(s.FDs), "LISTEN_FDNAMES="+s.ListenNames)
	}
	if s.WatchdogUsec != "" {
		env = append(env, "WATCHDOG_PID="+pid, "WATCHDOG_USEC="+s.WatchdogUsec)
	}
	return env
}

func (s *Spec) cgroup() error {
	for _, f := range s.CgroupFiles {
		if err := os.WriteFile(f, []byte("0"), 0); err != nil {
			return err
		}
	}
	return nil
}

func (s *Spec) oom() error {
	if s.OOMScore == nil {
		return nil
	}
	return os.WriteFile("/proc/self/oom_score_adj", []byte(strconv.Itoa(*s.OOMScore)), 0)
}

func (s *Spec) nice() error {
	if s.Nice == nil {
		return nil
	}
	return unix.Setpriority(unix.PRIO_PROCESS, 0, *s.Nice)
}

func (s *Spec) scheduler() error {
	if s.SchedPolicy == nil {
		return nil
	}
	flags := uint64(0)
	if s.ResetOnFork {
		flags |= 1
	}
	attr := unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: uint32(*s.SchedPolicy), Priority: uint32(s.SchedPrio), Flags: flags}
	if s.Nice != nil && *s.SchedPolicy != unix.SCHED_FIFO && *s.SchedPolicy != unix.SCHED_RR {
		attr.Nice = int32(*s.Nice)
	}
	return unix.SchedSetAttr(0, &attr, 0)
}

func (s *Spec) affinity() error {
	if len(s.CPUs) == 0 {
		return nil
	}
	var set unix.CPUSet
	for _, c := range s.CPUs {
		set.Set(c)
	}
	return unix.SchedSetaffinity(0, &set)
}

func (s *Spec) ioprio() error {
	if s.IOPrio == nil {
		return nil
	}
	if _, _, e := unix.RawSyscall(unix.SYS_IOPRIO_SET, 1, 0, uintptr(*s.IOPrio)); e != 0 {
		return e
	}
	return nil
}

func (s *Spec) timerslack() error {
	if s.Timerslack == nil {
		return nil
	}
	return unix.Prctl(unix.PR_SET_TIMERSLACK, uintptr(*s.Timerslack), 0, 0, 0)
}

func (s *Spec) personality() error {
	if s.Personality == nil {
		return nil
	}
	if _, _, e := unix.RawSyscall(unix.SYS_PERSONALITY, uintptr(*s.Personality), 0, 0); e != 0 {
		return e
	}
	return nil
}

func (s *Spec) umask() error {
	if s.Umask != nil {
		unix.Umask(int(*s.Umask))
	}
	return nil
}

func (s *Spec) terminal() error {
	if !s.TTYControl {
		return nil
	}
	return unix.IoctlSetInt(0, unix.TIOCSCTTY, 0)
}

func (s *Spec) limits() error {
	for _, l := range s.Limits {
		r := unix.Rlimit{Cur: l.Soft, Max: l.Hard}
		err := unix.Setrlimit(l.Resource, &r)
		if errors.Is(err, unix.EPERM) { // as much as is allowed
			var now unix.Rlimit
			if unix.Getrlimit(l.Resource, &now) == nil {
				r = unix.Rlimit{Cur: min(l.Soft, now.Max), Max: min(l.Hard, now.Max)}
				err = unix.Setrlimit(l.Resource, &r)
			}
		}
		if err != nil {
			return fmt.Errorf("limit %d: %w", l.Resource, err)
		}
	}
	return nil
}

func (s *Spec) chroot() error {
	if s.Root == "" {
		return nil
	}
	if err := unix.Chroot(s.Root); err != nil {
		return fmt.Errorf("%s: %w", s.Root, err)
	}
	return unix.Chdir("/")
}

func (s *Spec) chdir() error {
	if s.Dir == "" {
		return nil
	}
	if err := unix.Chdir(s.Dir); err != nil && !s.DirOptional {
		return fmt.Errorf("%s: %w", s.Dir, err)
	} else if err != nil {
		return unix.Chdir("/")
	}
	return nil
}

// descriptors moves the passed descriptors down to 3 and on. The report's
// descriptor moves out of the way; it closes itself at exec.
func (s *Spec) descriptors() error {
	if s.FDs == 0 {
		return nil
	}
	n, err := unix.FcntlInt(uintptr(reportFD), unix.F_DUPFD_CLOEXEC, firstFD+s.FDs)
	if err != nil {
		return err
	}
	reportFD = n
	for i := range s.FDs {
		if err := unix.Dup3(firstFD+i, specFD+i, 0); err != nil {
			return err
		}
	}
	for i := s.FDs; i < s.FDs+2; i++ {
		unix.CloseOnExec(specFD + i)
	}
	return nil
}

func parseUint(s string) (uint64, error) { return strconv.ParseUint(strings.TrimSpace(s), 10, 64) }

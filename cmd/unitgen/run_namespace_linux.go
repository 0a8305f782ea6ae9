package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/unitgen/unitgen/runtime/manager"
)

// The manager's way into its private mount namespace.
//
// Root leaves the machine's namespace on one locked thread and execs itself.
// An ordinary user needs a user namespace too, which only a new process can
// have: the process that was started stays as its parent, hands signals on,
// looks at the processes of earlier managers' namespaces for it, and ends with
// it (stage 0). The child (stage 1) has the privileges to mount in
// its namespace. It starts a keeper, which holds on to them for later changes
// of the set of /etc files, gives them up itself and execs the manager (stage
// 2), so that no service inherits any.

const (
	stageEnter   = 0
	stageInside  = 1
	stageManager = 2
	stageKeeper  = 3
)

func enterPrivateEtc(f *runFlags) (code int, done bool) {
	if f.Etc == "auto" {
		f.Etc = "private"
		if os.Getpid() == 1 {
			f.Etc = "links" // the container is ours alone
		}
	}
	if f.Etc != "private" {
		return 0, false
	}
	switch f.Stage {
	case stageKeeper:
		return keep(f), true
	case stageManager:
		return 0, false
	case stageInside:
		return inside(f), true
	}
	if os.Geteuid() == 0 {
		return enterAsRoot(f)
	}
	return enterAsUser(f)
}

func giveUp(f *runFlags, err error) (int, bool) {
	fmt.Fprintf(os.Stderr, "unitgen: no private mount namespace is to be had here (%v); managed /etc files are seen below %s/current/etc (%%E) only\n", err, f.State)
	f.Etc = "none"
	return 0, false
}

func enterAsRoot(f *runFlags) (int, bool) {
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		runtime.UnlockOSThread()
		return giveUp(f, err)
	}
	err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_SLAVE, "")
	if err == nil {
		err = again(*f, stageManager)
	}
	fmt.Fprintln(os.Stderr, "unitgen:", err)
	return exitRefused, true
}

// again execs this program as a further stage; it returns only on failure.
func again(f runFlags, stage int) error {
	f.Stage = stage
	raw, err := json.Marshal(f)
	if err != nil {
		return err
	}
	return syscall.Exec("/proc/self/exe", []string{"unitgen", bootArg}, append(os.Environ(), bootVar+"="+string(raw)))
}

func enterAsUser(f *runFlags) (int, bool) {
	serve, ask, err := manager.OutsidePair()
	if err != nil {
		return giveUp(f, err)
	}
	go manager.ServeOutside(serve)
	g := *f
	g.Stage, g.OutsideFD = stageInside, 3
	raw, err := json.Marshal(g)
	if err != nil {
		return giveUp(f, err)
	}
	runtime.LockOSThread() // the death signal is tied to this thread
	attr := &syscall.ProcAttr{
		Env:   append(os.Environ(), bootVar+"="+string(raw)),
		Files: []uintptr{0, 1, 2, uintptr(ask)},
		Sys: &syscall.SysProcAttr{
			Cloneflags:  unix.CLONE_NEWUSER | unix.CLONE_NEWNS,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: os.Getuid(), HostID: os.Getuid(), Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{ContainerID: os.Getgid(), HostID: os.Getgid(), Size: 1}},
			AmbientCaps: []uintptr{unix.CAP_SYS_ADMIN, unix.CAP_DAC_OVERRIDE},
			Pdeathsig:   syscall.SIGKILL,
		},
	}
	signals := make(chan os.Signal, 16)
	signal.Notify(signals)
	signal.Reset(syscall.SIGCHLD, syscall.SIGURG)
	pid, err := syscall.ForkExec("/proc/self/exe", []string{"unitgen", bootArg}, attr)
	unix.Close(ask)
	if err != nil {
		signal.Reset()
		return giveUp(f, err)
	}
	go func() {
		for s := range signals {
			if n, ok := s.(syscall.Signal); ok && n != syscall.SIGCHLD && n != syscall.SIGURG {
				// Ctrl-C reaches the child by itself as well; it takes two in
				// one breath for one.
				_ = syscall.Kill(pid, n)
			}
		}
	}()
	var w syscall.WaitStatus
	for {
		_, err := syscall.Wait4(pid, &w, 0, nil)
		if err == syscall.EINTR {
			continue
		}
		break
	}
	if w.Signaled() {
		return 128 + int(w.Signal()), true
	}
	if w.ExitStatus() == noNamespace {
		signal.Reset()
		f.Etc = "none"
		return 0, false // it has said why
	}
	return w.ExitStatus(), true
}

// noNamespace is the exit status of a child that could not mount.
const noNamespace = 97

func inside(f *runFlags) int {
	runtime.LockOSThread()
	_ = unix.Mount("", "/", "", unix.MS_REC|unix.MS_SLAVE, "")
	// try before anything depends on it
	e := &etcView{f: f, note: func(string) {}}
	e.f.KeeperFD = 0
	err := e.look()
	if err == nil {
		err = e.tryOverlay()
	}
	if err != nil {
		giveUp(f, err)
		return noNamespace
	}
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		giveUp(f, err)
		return noNamespace
	}
	k := *f
	k.Stage, k.KeeperFD = stageKeeper, 3
	raw, _ := json.Marshal(k)
	_, err = syscall.ForkExec("/proc/self/exe", []string{"unitgen", bootArg}, &syscall.ProcAttr{
		Env: []string{bootVar + "=" + string(raw), "GOMAXPROCS=1"}, Files: []uintptr{0, 1, 2, uintptr(pair[1])},
		Sys: &syscall.SysProcAttr{Setsid: true},
	})
	if err != nil {
		giveUp(f, err)
		return noNamespace
	}
	unix.Close(pair[1])
	if _, err := unix.FcntlInt(uintptr(pair[0]), unix.F_SETFD, 0); err != nil {
		giveUp(f, err)
		return noNamespace
	}
	f.KeeperFD = pair[0]
	if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); err == nil {
		err = again(*f, stageManager)
		fmt.Fprintln(os.Stderr, "unitgen:", err)
	}
	return exitRefused
}

// tryOverlay makes the file system without mounting it.
func (e *etcView) tryOverlay() error {
	dir := e.layerDir(0) + "/links"
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	fd, err := unix.Fsopen("overlay", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if err := unix.FsconfigSetString(fd, "lowerdir", fmt.Sprintf("%s:/proc/self/fd/%d", dir, e.lower.Fd())); err != nil {
		return err
	}
	return unix.FsconfigCreate(fd)
}

// keep is the life of the keeper: it mounts what it is told to, until the
// manager is gone.
func keep(f *runFlags) int {
	signal.Ignore(syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
	sock := os.NewFile(uintptr(f.KeeperFD), "manager")
	unix.CloseOnExec(f.KeeperFD)
	g := *f
	g.KeeperFD = 0
	e := &etcView{f: &g, note: func(string) {}}
	in, out := json.NewDecoder(sock), json.NewEncoder(sock)
	if err := e.look(); err != nil {
		return exitWrong
	}
	for {
		var dir string
		if err := in.Decode(&dir); err != nil {
			return exitDone
		}
		answer := ""
		if err := e.mount(dir, ""); err != nil {
			answer = err.Error()
		} else {
			e.layer++
		}
		if err := out.Encode(answer); err != nil {
			return exitDone
		}
	}
}

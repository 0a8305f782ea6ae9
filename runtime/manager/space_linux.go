package manager

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/unitgen/unitgen/runtime/manager/stage"
	"github.com/unitgen/unitgen/runtime/transaction"
)

// sharing says which parts of a space a unit uses.
type sharing struct{ tmp, net, ipc bool }

func (s sharing) any() bool { return s.tmp || s.net || s.ipc }

// space is what all processes of a unit have in common, and those of units
// that join its namespaces (JoinsNamespaceOf=): the directories of PrivateTmp=,
// the namespaces of PrivateNetwork= and PrivateIPC=. It lasts until the last of
// these units is down. Parts are made when they are first needed.
type space struct {
	users int // units; the loop's own

	mu       sync.Mutex
	tmp      [2]string // directories in /tmp and /var/tmp
	net, ipc *os.File
}

var tmpDirs = [2]string{"/tmp", "/var/tmp"}

// spaceOf gives the space of a unit that is being started, joining the one of
// a unit that JoinsNamespaceOf= connects it with.
func (m *Manager) spaceOf(u *unit, s sharing) *space {
	if !s.any() {
		return nil
	}
	if u.space == nil {
		for _, d := range u.node.Deps(transaction.JoinsNamespaceOf) {
			if o := m.units[d.Name]; o != nil && o.space != nil {
				u.space = o.space
				break
			}
		}
		if u.space == nil {
			u.space = &space{}
		}
		u.space.users++
	}
	return u.space
}

// leaveSpace: the unit is down.
func (u *unit) leaveSpace() {
	s := u.space
	if s == nil {
		return
	}
	u.space = nil
	if s.users--; s.users > 0 {
		return
	}
	go s.end()
}

func (s *space) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range s.tmp {
		if d != "" {
			_ = os.RemoveAll(d)
		}
	}
	for _, f := range []*os.File{s.net, s.ipc} {
		if f != nil {
			f.Close()
		}
	}
	s.tmp, s.net, s.ipc = [2]string{}, nil, nil
}

// apply makes the parts that are needed and puts them into a spec; it runs in
// a spawner.
func (s *space) apply(spec *stage.Spec, want sharing, unit string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if want.tmp {
		for i, base := range tmpDirs {
			if s.tmp[i] == "" {
				d, err := makePrivateTmp(base, unit)
				if errors.Is(err, os.ErrNotExist) {
					continue // no such directory on this machine
				}
				if err != nil {
					return step(stage.ExitNamespace, "NAMESPACE", err)
				}
				s.tmp[i] = d
			}
			spec.Mounts = append(spec.Mounts, stage.Mount{Kind: "private-tmp", Source: filepath.Join(s.tmp[i], "tmp"), Target: base})
		}
	}
	for _, ns := range []struct {
		want bool
		f    **os.File
		flag int
		name string
		path *string
	}{{want.net, &s.net, unix.CLONE_NEWNET, "net", &spec.NetNS}, {want.ipc, &s.ipc, unix.CLONE_NEWIPC, "ipc", &spec.IPCNS}} {
		if !ns.want {
			continue
		}
		if *ns.f == nil {
			f, err := newNamespace(ns.flag, ns.name)
			if err != nil {
				return step(stage.ExitNetwork, "NETWORK", err)
			}
			*ns.f = f
		}
		*ns.path = fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), (*ns.f).Fd())
	}
	return nil
}

// privateTmpName begins the name of a unit's directory; what follows is by
// chance, so that nobody can be there before.
func privateTmpName(unit string) string {
	return "systemd-private-" + strings.ReplaceAll(bootID(), "-", "") + "-" + strings.ReplaceAll(unit, "/", "-") + "-"
}

func makePrivateTmp(base, unit string) (string, error) {
	d, err := os.MkdirTemp(base, privateTmpName(unit))
	if err != nil {
		return "", err
	}
	in := filepath.Join(d, "tmp")
	if err := os.Mkdir(in, 0o700); err != nil {
		return "", err
	}
	return d, os.Chmod(in, 0o777|os.ModeSticky)
}

// newNamespace makes a namespace on a thread that ends with it.
func newNamespace(flag int, name string) (*os.File, error) {
	type answer struct {
		f   *os.File
		err error
	}
	ch := make(chan answer, 1)
	onThreadOfItsOwn(func() {
		if err := unix.Unshare(flag); err != nil {
			ch <- answer{nil, fmt.Errorf("a namespace (%s): %w", name, err)}
			return
		}
		if flag == unix.CLONE_NEWNET {
			if err := loopback(); err != nil {
				ch <- answer{nil, err}
				return
			}
		}
		f, err := os.Open("/proc/thread-self/ns/" + name)
		ch <- answer{f, err}
	})
	a := <-ch
	return a.f, a.err
}

// onThreadOfItsOwn runs a function on a thread that ends with it. The first
// thread of the process cannot end and is what others see of the process, so
// it is kept busy while another takes the function.
func onThreadOfItsOwn(f func()) {
	go func() {
		runtime.LockOSThread()
		if unix.Gettid() != unix.Getpid() {
			f() // never unlocked
			return
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			runtime.LockOSThread() // never unlocked
			f()
		}()
		<-done
		runtime.UnlockOSThread()
	}()
}

// loopback brings the interface lo up.
func loopback() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	req, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	req.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, req)
}

// adoptSpace takes over what a process of the unit uses, after another manager
// has made it.
func (m *Manager) adoptSpace(u *unit, want sharing, pid int) {
	s := m.spaceOf(u, want)
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	proc := fmt.Sprintf("/proc/%d/", pid)
	if want.tmp {
		mounts, _ := os.ReadFile(proc + "mountinfo")
		for i, base := range tmpDirs {
			dirs, _ := filepath.Glob(filepath.Join(base, privateTmpName(u.name())+"*"))
			for _, d := range dirs {
				if strings.Contains(string(mounts), "/"+filepath.Base(d)+"/tmp ") {
					s.tmp[i] = d
				}
			}
		}
	}
	if want.net {
		s.net, _ = os.Open(proc + "ns/net")
	}
	if want.ipc {
		s.ipc, _ = os.Open(proc + "ns/ipc")
	}
}

//go:build linux

// Package systemdtest boots the machine's own systemd as PID 1 of a throw-away
// container, for tests that want the real thing as manager or as oracle.
//
// The container's root is the host's root under an overlay whose upper layer is
// a tmpfs; it has mount, PID, UTS, IPC, network and cgroup namespaces of its
// own, and loopback as its only network. None of the host's enabled services
// start in it. When the test ends, or its process dies, the container ends and
// nothing of it stays: no mount, no process, no file. Machines do not see each
// other and may run in parallel. A boot takes about a second.
//
// What is not there: udev and .device units, real-time scheduling, negative
// OOM scores. Limits are enforced by whatever cgroup controllers the host has.
package systemdtest

import (
	"context"
	"embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/unitgen/unitgen/internal/testenv"
)

//go:embed enter.sh boot.sh
var scripts embed.FS

// Options says what a machine has besides the host's root.
type Options struct {
	// Files are written before the boot: absolute path inside to content. A
	// content that begins with "#!" makes the file executable.
	Files map[string]string
	// Binds shows files and directories of the host inside: path inside to
	// host path.
	Binds map[string]string
	// Unitgen builds the project's binary and puts it at /usr/local/bin/unitgen.
	Unitgen bool
	// Init is another program than systemd to be PID 1, with its arguments. Start
	// then does not wait for it.
	Init []string
	// Timeout bounds the boot; 60 s when zero.
	Timeout time.Duration
}

// Machine is a running container.
type Machine struct {
	t       testing.TB
	scratch string
	pid     int // of the container's PID 1, as the host sees it
	cgroups *cgroups
	console string
	ended   chan struct{}
	outer   *exec.Cmd
}

// Start boots a machine and waits until systemd has finished starting up. The
// machine ends with the test.
func Start(t testing.TB, o Options) *Machine {
	t.Helper()
	testenv.NeedRoot(t)
	testenv.Need(t, "unshare", "nsenter", "mount", "umount", "pivot_root")
	init := o.Init
	if len(init) == 0 {
		systemd := systemdPath()
		if systemd == "" {
			testenv.Missing(t, "systemd is not installed")
		}
		init = []string{systemd, "--system", "--log-target=null", "--show-status=no"}
	}
	m := &Machine{t: t, scratch: scratchDir(t), ended: make(chan struct{})}
	if err := m.prepare(o); err != nil {
		t.Fatalf("systemdtest: %v", err)
	}
	if err := m.boot(init); err != nil {
		t.Fatalf("systemdtest: %v", err)
	}
	if len(o.Init) > 0 {
		return m
	}
	timeout := o.Timeout
	if timeout == 0 {
		timeout = 60 * time.Second
	}
	if err := m.waitUntilUp(timeout); err != nil {
		t.Fatalf("systemdtest: %v\n%s", err, m.consoleText())
	}
	return m
}

func systemdPath() string {
	for _, p := range []string{"/lib/systemd/systemd", "/usr/lib/systemd/systemd"} {
		if _, err := os.Stat(p); err == nil {
			return p
		}
	}
	return ""
}

// scratchDir is not t.TempDir: that is removed after every cleanup, by a walk
// that would go into what is still mounted.
func scratchDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "unitgen-machine-")
	if err != nil {
		t.Fatalf("systemdtest: %v", err)
	}
	return dir
}

// prepare lays out the scratch directory. From here on the cleanup is set.
func (m *Machine) prepare(o Options) error {
	m.t.Cleanup(func() {
		if m.t.Failed() {
			m.t.Logf("journal of the machine:\n%s", m.journalTail())
		}
		m.Kill()
		if err := os.RemoveAll(m.scratch); err != nil {
			m.t.Errorf("systemdtest: teardown left something: %v", err)
		}
	})
	for _, d := range []string{"seed", "layers", "root"} {
		if err := os.Mkdir(filepath.Join(m.scratch, d), 0o755); err != nil {
			return err
		}
	}
	for _, name := range []string{"enter.sh", "boot.sh"} {
		b, err := scripts.ReadFile(name)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(m.scratch, name), b, 0o755); err != nil {
			return err
		}
	}
	for path, content := range o.Files {
		if err := writeSeed(filepath.Join(m.scratch, "seed"), path, content); err != nil {
			return err
		}
	}
	if o.Unitgen {
		b, err := os.ReadFile(testenv.Unitgen(m.t))
		if err != nil {
			return err
		}
		to := filepath.Join(m.scratch, "seed/usr/local/bin/unitgen")
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(to, b, 0o755); err != nil {
			return err
		}
	}
	var binds strings.Builder
	for inside, host := range o.Binds {
		abs, err := filepath.Abs(host)
		if err != nil {
			return err
		}
		fmt.Fprintf(&binds, "%s\t%s\n", abs, inside)
	}
	if err := os.WriteFile(filepath.Join(m.scratch, "binds"), []byte(binds.String()), 0o644); err != nil {
		return err
	}
	var err error
	m.cgroups, err = newCgroups(filepath.Base(m.scratch))
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(m.scratch, "joins"), []byte(strings.Join(m.cgroups.dirs(), "\n")+"\n"), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(m.scratch, "cgroups"), []byte(m.cgroups.table()), 0o644)
}

func writeSeed(seed, path, content string) error {
	if !filepath.IsAbs(path) {
		return fmt.Errorf("Options.Files: %q is not absolute", path)
	}
	to := filepath.Join(seed, path)
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	mode := os.FileMode(0o644)
	if strings.HasPrefix(content, "#!") {
		mode = 0o755
	}
	return os.WriteFile(to, []byte(content), mode)
}

// boot starts the namespaces' outer process and finds the container's PID 1.
func (m *Machine) boot(init []string) error {
	args := append([]string{"-pmui", "--net", "--fork", "--kill-child", "sh",
		filepath.Join(m.scratch, "enter.sh"), m.scratch}, init...)
	cmd := exec.Command("unshare", args...)
	m.console = filepath.Join(m.scratch, "console")
	out, err := os.Create(m.console)
	if err != nil {
		return err
	}
	defer out.Close()
	cmd.Stdout, cmd.Stderr = out, out
	// A death signal is sent when the thread that forked ends, so that thread
	// is kept until the child has ended.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait()
		}
		close(m.ended)
	}()
	if err := <-started; err != nil {
		return err
	}
	m.outer = cmd
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", cmd.Process.Pid, cmd.Process.Pid))
		if f := strings.Fields(string(b)); err == nil && len(f) == 1 {
			m.pid, err = strconv.Atoi(f[0])
			return err
		}
		select {
		case <-m.ended:
			return fmt.Errorf("the machine ended at once:\n%s", m.consoleText())
		case <-time.After(5 * time.Millisecond):
		}
	}
	return fmt.Errorf("the machine has no PID 1 after 10 s")
}

func (m *Machine) waitUntilUp(timeout time.Duration) error {
	deadline := time.Now().Add(timeout)
	for {
		select {
		case <-m.ended:
			return fmt.Errorf("the machine ended while it booted")
		default:
		}
		if exe, _ := os.Readlink(fmt.Sprintf("/proc/%d/exe", m.pid)); strings.HasSuffix(exe, "/systemd") {
			break
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("systemd was not reached within %v", timeout)
		}
		time.Sleep(10 * time.Millisecond)
	}
	for {
		ctx, cancel := context.WithDeadline(context.Background(), deadline)
		out, _ := m.Command(ctx, "systemctl", "is-system-running", "--wait").Output()
		cancel()
		switch state := strings.TrimSpace(string(out)); state {
		case "running", "degraded":
			return nil
		default:
			if time.Now().After(deadline) {
				return fmt.Errorf("the machine is %q after %v", state, timeout)
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// Console is what PID 1 wrote on its standard output and error.
func (m *Machine) Console() string { return m.consoleText() }

// Ended is closed when PID 1 has ended.
func (m *Machine) Ended() <-chan struct{} { return m.ended }

// Kill ends the machine at once, as a power cut does. It may be called twice.
func (m *Machine) Kill() {
	if m.outer == nil {
		if m.cgroups != nil {
			m.cgroups.remove()
		}
		return
	}
	// The death of PID 1 ends every process of its namespace.
	if m.pid != 0 {
		_ = syscall.Kill(m.pid, syscall.SIGKILL)
	} else {
		_ = m.outer.Process.Kill()
	}
	<-m.ended
	m.outer = nil
	if err := m.cgroups.remove(); err != nil {
		m.t.Errorf("systemdtest: teardown left something: %v", err)
	}
}

func (m *Machine) consoleText() string {
	b, _ := os.ReadFile(m.console)
	return string(b)
}

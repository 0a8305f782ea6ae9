//go:build linux

package systemdtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Result is what a command inside a machine did.
type Result struct {
	Args           []string
	Stdout, Stderr string
	Code           int // exit code; -1 when it did not run or was killed
}

// String gives the command with all that it said, for failure messages.
func (r Result) String() string {
	return fmt.Sprintf("%s: exit code %d\n%s%s", strings.Join(r.Args, " "), r.Code, r.Stdout, r.Stderr)
}

// PID is the host's number of the container's PID 1.
func (m *Machine) PID() int { return m.pid }

// Command prepares a command inside all of the machine's namespaces, as root.
func (m *Machine) Command(ctx context.Context, args ...string) *exec.Cmd {
	argv := append([]string{"-t", strconv.Itoa(m.pid), "-p", "-m", "-u", "-i", "-n", "-C", "--wd=/", "--"}, args...)
	cmd := exec.CommandContext(ctx, "nsenter", argv...)
	cmd.Env = []string{
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"HOME=/root", "USER=root", "LANG=C.UTF-8", "SYSTEMD_PAGER=", "SYSTEMD_COLORS=0", "container=unitgen-test",
	}
	cmd.WaitDelay = 2 * time.Second
	return cmd
}

// Run runs a command inside as root, two minutes at most, and waits for it.
func (m *Machine) Run(args ...string) Result {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	return result(m.Command(ctx, args...), args)
}

// MustRun is Run where an exit code other than 0 fails the test. It gives what
// was written on standard output.
func (m *Machine) MustRun(args ...string) string {
	m.t.Helper()
	r := m.Run(args...)
	if r.Code != 0 {
		m.t.Fatalf("in the machine: %v", r)
	}
	return r.Stdout
}

// Shell runs a script with sh -eu inside, as root.
func (m *Machine) Shell(script string) Result {
	m.t.Helper()
	return m.Run("sh", "-euc", script)
}

// MustShell is Shell where an exit code other than 0 fails the test.
func (m *Machine) MustShell(script string) string {
	m.t.Helper()
	return m.MustRun("sh", "-euc", script)
}

// User runs a command inside as the user, with the environment that reaches
// the user's own manager; see StartUser.
func (m *Machine) User(name string, args ...string) Result {
	m.t.Helper()
	uid := strings.TrimSpace(m.MustRun("id", "-u", name))
	home := strings.Split(m.MustRun("getent", "passwd", name), ":")[5]
	argv := append([]string{"setpriv", "--reuid=" + name, "--regid=" + name, "--init-groups", "env",
		"HOME=" + home, "USER=" + name, "XDG_RUNTIME_DIR=/run/user/" + uid,
		"DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/" + uid + "/bus"}, args...)
	return m.Run(argv...)
}

// StartUser makes the user where there is none and starts its manager
// (user@.service, with linger).
func (m *Machine) StartUser(name string) {
	m.t.Helper()
	if m.Run("id", name).Code != 0 {
		m.MustRun("useradd", "--create-home", "--shell", "/bin/sh", name)
	}
	m.MustRun("loginctl", "enable-linger", name)
	uid := strings.TrimSpace(m.MustRun("id", "-u", name))
	m.MustRun("systemctl", "start", "user@"+uid+".service")
}

// Path gives the host's path of a file inside. Absolute symbolic links on the
// way lead to the host's files: use Read for those.
func (m *Machine) Path(inside string) string {
	return filepath.Join(fmt.Sprintf("/proc/%d/root", m.pid), inside)
}

// Write puts a file into the machine, executable if it begins with "#!".
func (m *Machine) Write(inside, content string) {
	m.t.Helper()
	if err := writeSeed(m.Path("/"), inside, content); err != nil {
		m.t.Fatalf("systemdtest: %v", err)
	}
}

// Read gives a file of the machine.
func (m *Machine) Read(inside string) string {
	m.t.Helper()
	return m.MustRun("cat", inside)
}

// Show gives one property of a unit, as `systemctl show --value` prints it.
func (m *Machine) Show(unit, property string) string {
	m.t.Helper()
	return strings.TrimSpace(m.MustRun("systemctl", "show", "--value", "-p", property, unit))
}

// WaitFor polls until the condition holds, or fails the test.
func (m *Machine) WaitFor(what string, timeout time.Duration, cond func() bool) {
	m.t.Helper()
	for deadline := time.Now().Add(timeout); !cond(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			m.t.Fatalf("in the machine: %s: not within %v", what, timeout)
		}
	}
}

func (m *Machine) journalTail() string {
	if m.outer == nil || m.pid == 0 {
		return m.consoleText()
	}
	if _, err := os.Stat(fmt.Sprintf("/proc/%d", m.pid)); err != nil {
		return m.consoleText()
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return result(m.Command(ctx, "journalctl", "-b", "-n", "60", "--no-pager", "-o", "short-monotonic"), nil).Stdout
}

func result(cmd *exec.Cmd, args []string) Result {
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	r := Result{Args: args, Stdout: stdout.String(), Stderr: stderr.String()}
	var ee *exec.ExitError
	switch {
	case err == nil:
	case errors.As(err, &ee):
		r.Code = ee.ExitCode()
	default:
		r.Code = -1
		r.Stderr += err.Error()
	}
	return r
}

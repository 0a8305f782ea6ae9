package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/unitgen/unitgen/internal/testenv"
)

// A who is a user that the tests act as.
type who struct {
	name string
	uid  uint32
}

var (
	root     = who{"root", 0}
	ordinary = who{"ordinary user", 65534}
	self     = who{"whoever runs the tests", uint32(os.Getuid())}
)

// everyone calls f as root and as an ordinary user, each as a subtest; a test
// process that is not root can only be itself.
func everyone(t *testing.T, f func(t *testing.T, w who)) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Run("as "+self.name, func(t *testing.T) { f(t, self) })
		t.Run("as root", func(t *testing.T) { testenv.NeedRoot(t) })
		return
	}
	for _, w := range []who{root, ordinary} {
		t.Run("as "+w.name, func(t *testing.T) { t.Parallel(); f(t, w) })
	}
}

// host is a copy of an example with a state and a runtime directory of its
// own, and the bundled manager when it was started.
type host struct {
	t              *testing.T
	as             who
	dir            string // the HCL
	state, runtime string
	user           bool // the manager runs the user scope
	manager        *exec.Cmd
	ended          chan struct{} // closed when the manager has ended
	exit           error         // then, how
	output         *safeBuffer
}

// newHost copies an example.
func newHost(t *testing.T, w who, example string) *host {
	t.Helper()
	// Short, for the sockets' paths: 107 bytes are all that sun_path has.
	// Not below /tmp where services may have PrivateTmp=.
	parent := ""
	if w.uid == 0 {
		parent = "/run"
	}
	base, err := os.MkdirTemp(parent, "ug")
	if err != nil {
		t.Fatal(err)
	}
	h := &host{t: t, as: w, dir: filepath.Join(base, "host"), state: filepath.Join(base, "state"), runtime: filepath.Join(base, "r")}
	t.Cleanup(func() {
		h.kill()
		if err := removeAll(base); err != nil {
			t.Errorf("the end leaves something: %v", err)
		}
	})
	if err := os.Chmod(base, 0o755); err != nil {
		t.Fatal(err)
	}
	copyTree(t, filepath.Join("..", "examples", example), h.dir)
	for _, d := range []string{h.state, h.runtime} {
		// Services run as other users where the manager is root.
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if w.uid != uint32(os.Getuid()) {
		if err := filepath.WalkDir(base, func(p string, _ os.DirEntry, err error) error {
			if err != nil {
				return err
			}
			return os.Lchown(p, int(w.uid), int(w.uid))
		}); err != nil {
			t.Fatal(err)
		}
	}
	return h
}

// removeAll removes a tree whose store is read-only.
func removeAll(dir string) error {
	_ = filepath.WalkDir(dir, func(p string, d os.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			_ = os.Chmod(p, 0o700)
		}
		return nil
	})
	return os.RemoveAll(dir)
}

// command prepares a command as the host's user, with nothing in its
// environment but what a login gives.
func (h *host) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	h.t.Helper()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = filepath.Dir(h.dir)
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH") + ":/usr/local/sbin:/usr/sbin:/sbin", "HOME=" + filepath.Dir(h.dir),
		"LANG=C.UTF-8", "XDG_RUNTIME_DIR=" + h.runtime, "SYSTEMD_PAGER=", "SYSTEMD_COLORS=0", "NO_COLOR=1",
	}
	if h.as.uid != uint32(os.Getuid()) {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: h.as.uid, Gid: h.as.uid}}
	}
	cmd.WaitDelay = 2 * time.Second
	return cmd
}

// said is what a command printed and how it ended.
type said struct {
	line           string
	stdout, stderr string
	code           int
}

func (s said) String() string {
	return s.line + "\n" + s.stdout + s.stderr
}

func run(cmd *exec.Cmd) said {
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	s := said{line: strings.Join(cmd.Args, " "), stdout: stdout.String(), stderr: stderr.String()}
	var ee *exec.ExitError
	if errors.As(err, &ee) {
		s.code = ee.ExitCode()
	} else if err != nil {
		s.code = -1
		s.stderr += err.Error()
	}
	return s
}

// try runs any command as the host's user, a minute at most.
func (h *host) try(name string, args ...string) said {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return run(h.command(ctx, name, args...))
}

// must runs a command that has to end with 0, and gives its output.
func (h *host) must(name string, args ...string) string {
	h.t.Helper()
	s := h.try(name, args...)
	if s.code != 0 {
		h.t.Fatalf("exit code %d: %v", s.code, s)
	}
	return s.stdout
}

// unitgen runs the binary with --state, whatever its exit code.
func (h *host) unitgen(command string, args ...string) said {
	h.t.Helper()
	return h.try(unitgen(h.t), append([]string{command, "--state", h.state}, args...)...)
}

// mustUnitgen is unitgen where the exit code has to be 0.
func (h *host) mustUnitgen(command string, args ...string) string {
	h.t.Helper()
	s := h.unitgen(command, args...)
	if s.code != 0 {
		h.t.Fatalf("exit code %d: %v\nmanager:\n%s", s.code, s, h.log())
	}
	return s.stdout
}

// ctl finds the manager by XDG_RUNTIME_DIR: systemctl has a --state of its own.
func (h *host) ctl(args ...string) said {
	h.t.Helper()
	return h.try(unitgen(h.t), h.ctlArgs(args)...)
}

// mustCtl is ctl where the exit code has to be 0.
func (h *host) mustCtl(args ...string) string {
	h.t.Helper()
	return h.must(unitgen(h.t), h.ctlArgs(args)...)
}

func (h *host) ctlArgs(args []string) []string {
	argv := []string{"ctl"}
	if h.user {
		argv = append(argv, "--user")
	}
	return append(argv, args...)
}

// systemctl is the stock one, pointed at the bundled manager.
func (h *host) systemctl(args ...string) said {
	h.t.Helper()
	return h.try("systemctl", append([]string{"--user", "--no-pager"}, args...)...)
}

// path gives where a file that the manager sees is for the test.
func (h *host) path(inside string) string {
	return fmt.Sprintf("/proc/%d/root%s", h.manager.Process.Pid, inside)
}

// boot starts the bundled manager on the host's directory and waits until it
// has started up.
func (h *host) boot(args ...string) {
	h.t.Helper()
	h.start(args...)
	h.eventually("the host is up", 30*time.Second, func() bool {
		select {
		case <-h.ended:
			h.t.Fatalf("the manager ended: %v\n%s", h.exit, h.log())
		default:
		}
		out := h.ctl("is-system-running").stdout
		return strings.TrimSpace(out) == "running" || strings.TrimSpace(out) == "degraded"
	})
}

// start is boot without the waiting.
func (h *host) start(args ...string) {
	h.t.Helper()
	h.user = slices.Contains(args, "--user")
	argv := append([]string{unitgen(h.t), "run", h.dir, "--state", h.state, "--runtime-dir", h.runtime}, args...)
	if h.as.uid == 0 {
		// As root, %S, %C and %L are the machine's own: a mount namespace keeps
		// this host's from others'.
		argv = append([]string{"unshare", "--mount", "sh", "-euc",
			`for d in /var/lib /var/cache /var/log; do mount -t tmpfs -o mode=755 tmpfs $d; done; exec "$@"`, "sh"}, argv...)
	}
	cmd := h.command(context.Background(), argv[0], argv[1:]...)
	h.output = &safeBuffer{}
	cmd.Stdout, cmd.Stderr = h.output, h.output
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
	if err := cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	ended := make(chan struct{})
	h.manager, h.ended = cmd, ended
	go func() {
		h.exit = cmd.Wait()
		close(ended)
	}()
}

// stop ends the manager as Ctrl-C does and wants exit code 0.
func (h *host) stop() {
	h.t.Helper()
	if h.manager == nil {
		return
	}
	_ = h.manager.Process.Signal(syscall.SIGINT)
	select {
	case <-h.ended:
		h.manager = nil
		if h.exit != nil {
			h.t.Errorf("the manager ended with %v\n%s", h.exit, h.log())
		}
	case <-time.After(40 * time.Second):
		h.t.Errorf("the manager did not end within 40 s\n%s", h.log())
		h.kill()
	}
}

// crash ends the manager with SIGKILL; its services are on their own.
func (h *host) crash() {
	h.t.Helper()
	_ = h.manager.Process.Kill()
	<-h.ended
	h.manager = nil
}

// kill is the cleanup: it ends the manager, by force if it must.
func (h *host) kill() {
	if h.manager == nil {
		return
	}
	_ = h.manager.Process.Signal(syscall.SIGTERM)
	select {
	case <-h.ended:
	case <-time.After(20 * time.Second):
		h.t.Errorf("the manager has to be killed\n%s", h.log())
		_ = h.manager.Process.Kill()
		<-h.ended
	}
	h.manager = nil
}

func (h *host) log() string {
	if h.output == nil {
		return ""
	}
	return h.output.String()
}

// eventually polls until cond holds or the time is over.
func (h *host) eventually(what string, within time.Duration, cond func() bool) {
	h.t.Helper()
	for deadline := time.Now().Add(within); !cond(); time.Sleep(30 * time.Millisecond) {
		if time.Now().After(deadline) {
			h.t.Fatalf("%s: not within %v\n%s", what, within, h.log())
		}
	}
}

// show gives properties of a unit.
func (h *host) show(unit string, properties ...string) map[string]string {
	h.t.Helper()
	out := h.mustCtl("show", "-p", strings.Join(properties, ","), unit)
	m := map[string]string{}
	for _, line := range strings.Split(strings.TrimSpace(out), "\n") {
		if k, v, ok := strings.Cut(line, "="); ok {
			m[k] = v
		}
	}
	return m
}

// state of a unit, "active".
func (h *host) active(unit string) string {
	h.t.Helper()
	return h.show(unit, "ActiveState")["ActiveState"]
}

// pids gives the main process of every running service.
func (h *host) pids() map[string]string {
	h.t.Helper()
	pids := map[string]string{}
	out := h.mustCtl("list-units", "--type=service", "--state=running", "--no-legend", "--plain", "--full")
	for _, line := range strings.Split(strings.TrimSpace(out), "\n") {
		if name, _, ok := strings.Cut(line, " "); ok {
			pids[name] = h.show(name, "MainPID")["MainPID"]
		}
	}
	return pids
}

// step is one of a plan's.
type step struct {
	Action, Unit, Scope, Reason string
	Source                      *string
}

type plan struct {
	Steps []step
	Files struct{ Added, Removed, Changed []string }
}

func (h *host) plan(args ...string) plan {
	h.t.Helper()
	out := h.mustUnitgen("plan", append([]string{h.dir, "--json"}, args...)...)
	var p plan
	if err := json.Unmarshal([]byte(out), &p); err != nil {
		h.t.Fatalf("plan --json: %v\n%s", err, out)
	}
	return p
}

type generationInfo struct {
	Number        int
	Tree          string
	Current, Boot bool
	Pinned        bool
}

func (h *host) generations() []generationInfo {
	h.t.Helper()
	out := h.mustUnitgen("generations", "--json")
	var g []generationInfo
	if err := json.Unmarshal([]byte(out), &g); err != nil {
		h.t.Fatalf("generations --json: %v\n%s", err, out)
	}
	return g
}

func (h *host) current() int {
	h.t.Helper()
	for _, g := range h.generations() {
		if g.Current {
			return g.Number
		}
	}
	return 0
}

// edit replaces text in one of the host's files.
func (h *host) edit(file, old, new string) {
	h.t.Helper()
	p := filepath.Join(h.dir, file)
	b, err := os.ReadFile(p)
	if err != nil {
		h.t.Fatal(err)
	}
	if strings.Count(string(b), old) != 1 {
		h.t.Fatalf("%s: %q stands there %d times", file, old, strings.Count(string(b), old))
	}
	h.write(file, strings.Replace(string(b), old, new, 1))
}

// write makes or replaces one of the host's files.
func (h *host) write(file, content string) {
	h.t.Helper()
	p := filepath.Join(h.dir, file)
	if err := os.WriteFile(p, []byte(content), 0o644); err != nil {
		h.t.Fatal(err)
	}
}

// remove takes one of the host's files away.
func (h *host) remove(file string) {
	h.t.Helper()
	if err := os.Remove(filepath.Join(h.dir, file)); err != nil {
		h.t.Fatal(err)
	}
}

//go:build linux

package manager_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/pprof"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/unitgen/unitgen/runtime/bus"
	"github.com/unitgen/unitgen/runtime/manager"
	"github.com/unitgen/unitgen/runtime/manager/stage"
	us "github.com/unitgen/unitgen/runtime/unitstate"
	"github.com/unitgen/unitgen/schema/specifier"
)

// A manager reaps every child of its process, so each test has one in a
// process of its own: the test binary once more, which takes requests as lines
// of JSON.

const managerVar = "UNITGEN_TEST_MANAGER"

func TestMain(m *testing.M) {
	if stage.Is() {
		os.Exit(stage.Main())
	}
	if len(os.Args) > 1 && os.Args[1] == "notify-helper" {
		os.Exit(notifyHelper(os.Args[2:]))
	}
	if len(os.Args) > 1 && os.Args[1] == "own-name" {
		os.Exit(ownName(os.Args[2:]))
	}
	if raw := os.Getenv(managerVar); raw != "" {
		os.Unsetenv(managerVar)
		os.Exit(serve(raw))
	}
	os.Exit(m.Run())
}

// notifyHelper sends its arguments to $NOTIFY_SOCKET one after another;
// "sleep=DURATION" waits.
func notifyHelper(args []string) int {
	for _, a := range args {
		if d, ok := strings.CutPrefix(a, "sleep="); ok {
			n, _ := time.ParseDuration(d)
			time.Sleep(n)
			continue
		}
		if a == "wait-hup" {
			ch := make(chan os.Signal, 1)
			notifySignal(ch, syscall.SIGHUP)
			<-ch
			continue
		}
		c, err := net.Dial("unixgram", os.Getenv("NOTIFY_SOCKET"))
		if err == nil {
			_, err = c.Write([]byte(strings.ReplaceAll(a, ";", "\n")))
		}
		if err != nil {
			fmt.Println(err)
			return 1
		}
		c.Close()
	}
	return 0
}

type options struct {
	Dir       string
	NoCgroups bool
	Target    string
	Serve     bool // on Dir/r/systemd/private, for systemctl
}

type request struct {
	ID         int
	Verb, A, B string
	List       []string
}

type response struct {
	ID     int
	Err    string
	Text   string
	Status *us.Status
	Info   *us.Info
	Procs  []us.Process
	N      int
}

func serve(raw string) int {
	var o options
	if err := json.Unmarshal([]byte(raw), &o); err != nil {
		return 99
	}
	if p := os.Getenv("UNITGEN_TEST_PROFILE"); p != "" {
		if f, err := os.Create(p); err == nil {
			_ = pprof.StartCPUProfile(f)
			defer pprof.StopCPUProfile()
		}
	}
	facts := specifier.System()
	facts.RuntimeDir = o.Dir + "/r"
	facts.StateDir, facts.CacheDir, facts.LogsDir, facts.ConfigDir = o.Dir+"/lib", o.Dir+"/cache", o.Dir+"/logs", o.Dir+"/etc"
	m, err := manager.New(manager.Options{
		RuntimeDir: o.Dir + "/r", StateDir: o.Dir + "/s", UnitPath: []string{o.Dir + "/units"}, Facts: facts, NoCgroups: o.NoCgroups,
		WatchName: bus.WatchName,
		Notice:    func(u, s string) { fmt.Fprintf(os.Stderr, "%s: %s\n", u, s) },
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 98
	}
	if o.Serve {
		go func() {
			srv := bus.NewServer(bus.ServerOptions{Backend: m})
			if err := srv.ListenRuntime(o.Dir + "/r"); err != nil {
				fmt.Fprintln(os.Stderr, err)
			}
		}()
	}
	var mu sync.Mutex
	out := json.NewEncoder(os.Stdout)
	answer := func(r response) {
		mu.Lock()
		defer mu.Unlock()
		_ = out.Encode(r)
	}
	go func() {
		in := json.NewDecoder(bufio.NewReader(os.Stdin))
		results := map[uint32]us.JobResult{}
		cond := sync.NewCond(&sync.Mutex{})
		m.Subscribe(func(e us.Event) {
			cond.L.Lock()
			defer cond.L.Unlock()
			switch e.Kind {
			case us.JobRemoved:
				results[e.Job.ID] = e.Result
			case us.StartupDone:
				results[0] = us.JobDone
			}
			cond.Broadcast()
		})
		await := func(id uint32) string {
			cond.L.Lock()
			defer cond.L.Unlock()
			for results[id] == "" {
				cond.Wait()
			}
			return string(results[id])
		}
		for {
			var r request
			if err := in.Decode(&r); err != nil {
				_ = m.Shutdown(us.ShutdownExit, 0)
				return
			}
			go func() {
				a := response{ID: r.ID}
				var err error
				switch r.Verb {
				case "up":
					if m.Info().FinishTime.IsZero() {
						await(0)
					}
				case "job":
					var j us.Job
					if j, err = m.Enqueue(us.JobType(r.A), r.B, us.Replace); err == nil {
						a.Text = await(j.ID)
					}
				case "queue":
					_, err = m.Enqueue(us.JobType(r.A), r.B, us.Replace)
				case "show":
					if a.Status, err = m.LoadUnit(r.A); err == nil {
						a.Status.Unit = nil
					}
				case "info":
					i := m.Info()
					a.Info = &i
				case "procs":
					a.Procs, err = m.Processes(r.A)
				case "reload":
					err = m.Reload()
				case "reset":
					err = m.ResetFailed(r.A)
				case "count":
					for _, u := range m.Units() {
						if string(u.Active) == r.A {
							a.N++
						}
					}
				case "named":
					for _, u := range m.Units() {
						if strings.HasPrefix(u.Name, r.A) {
							a.Text += u.Name + " " + string(u.Active) + "\n"
						}
					}
				case "transient":
					var j us.Job
					if j, err = m.StartTransient(r.A, us.Fail, []us.Property{{Name: "ExecStart", Values: r.List}, {Name: "Type", Values: []string{"oneshot"}}}, nil); err == nil {
						a.Text = await(j.ID)
					}
				case "piped": // a transient unit that writes to a descriptor of ours
					r, w, e := os.Pipe()
					if err = e; err == nil {
						_, err = m.StartTransient("piped.service", us.Fail, []us.Property{{Name: "ExecStart", Values: []string{"/bin/echo through the pipe"}},
							{Name: "StandardOutputFileDescriptor", Values: []string{fmt.Sprint(w.Fd())}}}, nil)
						w.Close()
						b, _ := io.ReadAll(r) // ends when nobody has the other end any more
						a.Text = string(b)
					}
				case "exit":
					err = m.Shutdown(us.ShutdownExit, 0)
				}
				if err != nil {
					a.Err = err.Error()
				}
				answer(a)
			}()
		}
	}()
	target := o.Target
	if target == "" {
		target = "multi-user.target"
	}
	return m.Run(target)
}

// mgr is a manager of a test.
type mgr struct {
	t    testing.TB
	dir  string
	cmd  *exec.Cmd
	in   io.WriteCloser
	mu   sync.Mutex
	next int
	wait map[int]chan response
	err  *strings.Builder
	errM sync.Mutex
	done chan struct{}
}

// units writes unit files; a name with "wants:" before it is wanted by
// multi-user.target. @DIR@ stands for the test's directory, @SELF@ for the test
// binary.
func units(t testing.TB, dir string, files map[string]string) {
	t.Helper()
	self, _ := os.Executable()
	rep := strings.NewReplacer("@DIR@", dir, "@SELF@", self)
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.MkdirAll(filepath.Join(dir, "units/multi-user.target.wants"), 0o755))
	for n, text := range files {
		n, wanted := strings.CutPrefix(n, "wants:")
		p := filepath.Join(dir, "units", n)
		must(os.MkdirAll(filepath.Dir(p), 0o755))
		must(os.WriteFile(p, []byte(rep.Replace(text)), 0o644))
		if wanted {
			_ = os.Symlink("../"+n, filepath.Join(dir, "units/multi-user.target.wants", n))
		}
	}
}

func boot(t testing.TB, files map[string]string) *mgr {
	t.Helper()
	dir, err := os.MkdirTemp("", "ugm")
	if err != nil {
		t.Fatal(err)
	}
	_ = os.Chmod(dir, 0o755)
	t.Cleanup(func() { os.RemoveAll(dir) })
	units(t, dir, files)
	m := launch(t, options{Dir: dir})
	m.do(request{Verb: "up"})
	return m
}

func launch(t testing.TB, o options) *mgr {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	raw, _ := json.Marshal(o)
	m := &mgr{t: t, dir: o.Dir, wait: map[int]chan response{}, err: &strings.Builder{}, done: make(chan struct{})}
	m.cmd = exec.Command(self)
	m.cmd.Env = append(os.Environ(), managerVar+"="+string(raw))
	m.cmd.Stderr = m
	if m.in, err = m.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := m.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := m.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		d := json.NewDecoder(out)
		for {
			var r response
			if d.Decode(&r) != nil {
				break
			}
			m.mu.Lock()
			m.wait[r.ID] <- r
			m.mu.Unlock()
		}
		_ = m.cmd.Wait()
		close(m.done)
	}()
	t.Cleanup(func() {
		m.in.Close()
		select {
		case <-m.done:
		case <-time.After(15 * time.Second):
			_ = m.cmd.Process.Kill()
			t.Error("the manager did not end within 15 s")
		}
		if t.Failed() {
			m.errM.Lock()
			t.Log("the manager said:\n" + m.err.String())
			m.errM.Unlock()
		}
	})
	return m
}

// Write takes what the manager says.
func (m *mgr) Write(p []byte) (int, error) {
	m.errM.Lock()
	defer m.errM.Unlock()
	return m.err.Write(p)
}

func (m *mgr) do(r request) response {
	m.t.Helper()
	m.mu.Lock()
	m.next++
	r.ID = m.next
	ch := make(chan response, 1)
	m.wait[r.ID] = ch
	m.mu.Unlock()
	if err := json.NewEncoder(m.in).Encode(r); err != nil {
		m.t.Fatal("the manager is gone: ", err)
	}
	select {
	case a := <-ch:
		return a
	case <-time.After(30 * time.Second):
		m.t.Fatalf("no answer to %+v within 30 s", r)
	case <-m.done:
		m.t.Fatalf("the manager ended before it answered %+v", r)
	}
	return response{}
}

// job runs a job and gives its result, or the error.
func (m *mgr) job(typ, unit string) string {
	m.t.Helper()
	a := m.do(request{Verb: "job", A: typ, B: unit})
	if a.Err != "" {
		return a.Err
	}
	return a.Text
}

func (m *mgr) show(unit string) *us.Status {
	m.t.Helper()
	a := m.do(request{Verb: "show", A: unit})
	if a.Err != "" {
		m.t.Fatal(a.Err)
	}
	return a.Status
}

// until waits for a unit's sub state.
func (m *mgr) until(unit string, sub us.SubState) *us.Status {
	m.t.Helper()
	var st *us.Status
	for range 1000 {
		if st = m.show(unit); st.Sub == sub {
			return st
		}
		time.Sleep(10 * time.Millisecond)
	}
	m.t.Fatalf("%s is %s (%s) and not %s after 10 s", unit, st.Sub, st.Active, sub)
	return nil
}

// log gives the lines that a unit wrote, without times and source.
func (m *mgr) log(unit string) string {
	b, _ := os.ReadFile(filepath.Join(m.dir, "s/log", unit+".log"))
	var out []string
	for line := range strings.Lines(string(b)) {
		_, rest, _ := strings.Cut(line, ": ")
		if !strings.Contains(line, " unitgen: ") {
			out = append(out, strings.TrimRight(rest, "\n"))
		}
	}
	return strings.Join(out, "\n")
}

// logged waits until a unit's log holds a text.
func (m *mgr) logged(unit, text string) {
	m.t.Helper()
	for range 500 {
		if strings.Contains(m.log(unit), text) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	st := m.show(unit)
	m.t.Errorf("the log of %s, which is %s and was %v, has no %q:\n%s", unit, st.Sub, st.InactiveEnter.Time(), text, m.log(unit))
}

func (m *mgr) kill9() {
	_ = m.cmd.Process.Kill()
	<-m.done
}

func alive(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(b), ") ")
	return !strings.HasPrefix(rest, "Z") && !strings.HasPrefix(rest, "X")
}

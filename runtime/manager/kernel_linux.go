package manager

import (
	"bytes"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/unitgen/unitgen/runtime/manager/output"
	"github.com/unitgen/unitgen/runtime/manager/poller"
)

// kernel is the Edge of a real machine.
type kernel struct {
	realClock
	m       *Manager
	spawns  chan spawnJob
	started chan struct{} // there may be children again
	reaped  chan struct{}
	quit    chan struct{}
	poll    *poller.Poller
	wg      sync.WaitGroup

	mu     sync.Mutex
	fifos  map[string]*pipe // by unit name
	hasKid bool             // the kernel has /proc/…/children

	kids []int  // what Children gave last; the loop's own
	seen uint64 // in this step
}

type spawnJob struct {
	p *process
	s *spawnRequest
}

// spawners is how many goroutines start processes: more would only wait for
// the kernel's lock on the address space.
const spawners = 4

func newKernel(m *Manager) (*kernel, error) {
	p, err := poller.New()
	if err != nil {
		return nil, err
	}
	_, err = os.ReadFile("/proc/self/task/" + strconv.Itoa(os.Getpid()) + "/children")
	return &kernel{
		m: m, spawns: make(chan spawnJob, 256), started: make(chan struct{}, 1), reaped: make(chan struct{}, 1),
		quit: make(chan struct{}), poll: p, fifos: map[string]*pipe{}, hasKid: err == nil,
	}, nil
}

// Begin makes the process the reaper of its descendants and starts the
// goroutines of the edge.
func (k *kernel) Begin() {
	if !k.m.opt.PID1 {
		_ = unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
	}
	// a broken pipe is an error, not the end; services inherit it, as
	// IgnoreSIGPIPE= has it
	signal.Ignore(syscall.SIGPIPE)
	unix.Umask(0o022)
	go k.poll.Run()
	for range spawners {
		k.wg.Add(1)
		go k.spawner()
	}
	go k.reaper()
}

// End stops the goroutines.
func (k *kernel) End() {
	close(k.quit)
	k.wg.Wait()
	k.poll.Close()
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, p := range k.fifos {
		p.drain()
		unix.Close(p.fd)
	}
}

func (k *kernel) spawner() {
	defer k.wg.Done()
	for {
		select {
		case j := <-k.spawns:
			k.run(j)
		case <-k.quit:
			return
		}
	}
}

// Spawn hands the work to a spawner without ever blocking the loop.
func (k *kernel) Spawn(p *process, s *spawnRequest) {
	select {
	case k.spawns <- spawnJob{p, s}:
	default:
		go func() {
			select {
			case k.spawns <- spawnJob{p, s}:
			case <-k.quit:
			}
		}()
	}
}

func (k *kernel) run(j spawnJob) {
	pid, status, err := j.s.start(k.m)
	j.s.close()
	select {
	case k.started <- struct{}{}:
	default:
	}
	k.m.post(func() { k.m.spawned(j.p, pid, err) })
	if status == nil {
		return
	}
	go func() {
		err := stageResult(status)
		k.m.post(func() {
			if j.p.execed != nil {
				j.p.execed(err)
			} else if err != nil {
				j.p.u.notice("%v", err)
			}
		})
	}()
}

// reaper looks for dead children without reaping them: their numbers stay
// theirs until the loop has dealt with them.
func (k *kernel) reaper() {
	for {
		pid, e := waitAny(0)
		switch e {
		case 0:
			k.m.post(func() { k.m.childDied(pid) })
			select {
			case <-k.reaped:
			case <-k.quit:
				return
			case <-k.m.ended:
				return
			}
		case unix.EINTR:
		default: // no children now
			select {
			case <-k.started:
			case <-k.quit:
				return
			case <-time.After(5 * time.Second):
				// adopted processes may have been given to us
			}
		}
	}
}

func (k *kernel) Reaped() {
	select {
	case k.reaped <- struct{}{}:
	default:
	}
}

func (k *kernel) Reap(pid int) (w syscall.WaitStatus, ok bool) {
	for {
		n, err := syscall.Wait4(pid, &w, syscall.WNOHANG, nil)
		if err == syscall.EINTR {
			continue
		}
		return w, err == nil && n == pid
	}
}

func (k *kernel) Kill(pid int, sig syscall.Signal) error {
	if pid <= 1 {
		return syscall.ESRCH // never everything, never init
	}
	return syscall.Kill(pid, sig)
}

// Children is asked for each unit that stops, so one look serves all that
// happens in one step of the loop.
func (k *kernel) Children() []int {
	if k.seen != 0 && k.seen == k.m.epoch {
		return k.kids
	}
	k.kids, k.seen = k.kids[:0], k.m.epoch
	if !k.hasKid {
		k.kids = childrenByScan(os.Getpid())
		return k.kids
	}
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return nil
	}
	for _, t := range tasks {
		k.kids = append(k.kids, pidsOf("/proc/self/task/"+t.Name()+"/children")...)
	}
	return k.kids
}

// NextDead gives a dead child that waits to be reaped, 0 where there is none.
func (k *kernel) NextDead() int {
	pid, e := waitAny(unix.WNOHANG)
	if e != 0 {
		return 0
	}
	return pid
}

func (k *kernel) ChildrenOf(pid int) []int {
	if !k.hasKid {
		return childrenByScan(pid)
	}
	dir := "/proc/" + strconv.Itoa(pid) + "/task"
	tasks, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	var out []int
	for _, t := range tasks {
		out = append(out, pidsOf(dir+"/"+t.Name()+"/children")...)
	}
	return out
}

func pidsOf(file string) []int {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	var out []int
	for _, f := range strings.Fields(string(b)) {
		if n, err := strconv.Atoi(f); err == nil {
			out = append(out, n)
		}
	}
	return out
}

// childrenByScan is the slow way, for kernels without /proc/…/children.
func childrenByScan(parent int) []int {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var out []int
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if f := statFields(pid); len(f) > 1 && f[1] == strconv.Itoa(parent) {
			out = append(out, pid)
		}
	}
	return out
}

// statFields gives the fields of /proc/PID/stat from the state on.
func statFields(pid int) []string {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return nil
	}
	i := bytes.LastIndexByte(b, ')') // the name before it may hold anything
	if i < 0 {
		return nil
	}
	rest := b[i+1:]
	return strings.Fields(string(rest))
}

func (k *kernel) Session(pid int) int {
	f := statFields(pid)
	if len(f) < 4 {
		return 0
	}
	n, _ := strconv.Atoi(f[3])
	return n
}

// startTime is when a process began, in clock ticks since boot; with the pid
// it names a process for good.
func startTime(pid int) uint64 {
	f := statFields(pid)
	if len(f) < 20 {
		return 0
	}
	n, _ := strconv.ParseUint(f[19], 10, 64)
	return n
}

func (k *kernel) Alive(pid int) bool {
	f := statFields(pid)
	return len(f) > 0 && f[0] != "Z" && f[0] != "X"
}

func (k *kernel) Environ(pid int, name string) string {
	v, err := environ(pid, name)
	if os.IsPermission(err) && k.m.opt.Outside != nil {
		a, _, _ := k.m.opt.Outside.ask(outsideRequest{Op: "environ", PID: pid, Name: name})
		return a.Value
	}
	return v
}

func environ(pid int, name string) (string, error) {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/environ")
	if err != nil {
		return "", err
	}
	for _, a := range bytes.Split(b, []byte{0}) {
		if v, ok := bytes.CutPrefix(a, []byte(name+"=")); ok {
			return string(v), nil
		}
	}
	return "", nil
}

// byInvocation finds processes by the activation that their environment names,
// wherever they stand in the tree of processes.
func (k *kernel) byInvocation(id string) []int {
	out := byInvocation(id)
	if k.m.opt.Outside != nil {
		a, _, _ := k.m.opt.Outside.ask(outsideRequest{Op: "find", Name: id})
		for _, pid := range a.PIDs {
			if !contains2(out, pid) {
				out = append(out, pid)
			}
		}
	}
	return out
}

func byInvocation(id string) []int {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var out []int
	for _, e := range entries {
		pid := atoi(e.Name(), 0)
		if pid <= 1 || pid == os.Getpid() {
			continue
		}
		if v, err := environ(pid, "INVOCATION_ID"); err == nil && v == id {
			if f := statFields(pid); len(f) > 0 && f[0] != "Z" && f[0] != "X" {
				out = append(out, pid)
			}
		}
	}
	return out
}

func (k *kernel) Holds(pid int) (program string, files []string) {
	program, _ = k.link(pid, "exe")
	for _, fd := range []string{"fd/1", "fd/2"} {
		if f, err := k.link(pid, fd); err == nil {
			files = append(files, f)
		}
	}
	return program, files
}

func (k *kernel) link(pid int, name string) (string, error) {
	to, err := os.Readlink("/proc/" + strconv.Itoa(pid) + "/" + name)
	if os.IsPermission(err) && k.m.opt.Outside != nil {
		a, _, err := k.m.opt.Outside.ask(outsideRequest{Op: "link", PID: pid, Name: name})
		return a.Value, err
	}
	return to, err
}

func (k *kernel) Watch(fd int, f func()) error {
	return k.poll.Add(fd, true, func() { k.m.post(f) })
}

func (k *kernel) Rearm(fd int)   { _ = k.poll.Arm(fd) }
func (k *kernel) Unwatch(fd int) { k.poll.Remove(fd) }

// fifoPath is where a unit's processes write. It is a named pipe that the
// processes hold open for reading too, so that they can go on writing while no
// manager reads, and the next manager finds it.
func (m *Manager) fifoPath(unit string) string {
	return filepath.Join(m.opt.RuntimeDir, "systemd", "output", strings.ReplaceAll(unit, "/", "_"))
}

func (k *kernel) Output(u *unit) error {
	name := u.name()
	k.mu.Lock()
	defer k.mu.Unlock()
	if _, ok := k.fifos[name]; ok {
		return nil
	}
	path := k.m.fifoPath(name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := unix.Mkfifo(path, 0o600); err != nil && err != unix.EEXIST {
		return &os.PathError{Op: "mkfifo", Path: path, Err: err}
	}
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0)
	if err != nil {
		return &os.PathError{Op: "open", Path: path, Err: err}
	}
	p := &pipe{fd: fd, unit: name, source: identifier(u), out: k.m.out}
	if err := k.poll.Add(fd, false, p.read); err != nil {
		unix.Close(fd)
		return err
	}
	k.fifos[name] = p
	return nil
}

// pipe is the read end of a unit's output.
type pipe struct {
	mu           sync.Mutex
	fd           int
	unit, source string
	out          *output.Store
	lines        output.Lines
}

// read takes what is there, but not more than a fair share.
func (p *pipe) read() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.take(16)
}

func (p *pipe) take(rounds int) {
	buf := readBuffer.Get().(*[]byte)
	defer readBuffer.Put(buf)
	for range rounds {
		n, err := unix.Read(p.fd, *buf)
		if n <= 0 || err != nil {
			return
		}
		if whole := p.lines.Next((*buf)[:n]); whole != nil {
			p.out.Write(p.unit, time.Now(), p.source, whole)
		}
	}
}

// drain takes all that is there, a last line without its end too.
func (p *pipe) drain() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.take(256)
	if rest := p.lines.Flush(); len(rest) > 0 {
		p.out.Write(p.unit, time.Now(), p.source, rest)
	}
}

// Drain brings a unit's log up to its end.
func (k *kernel) Drain(unit string) {
	k.mu.Lock()
	p := k.fifos[unit]
	k.mu.Unlock()
	if p != nil {
		p.drain()
	}
}

// dropOutput closes a unit's pipe for good.
func (k *kernel) dropOutput(unit string) {
	k.mu.Lock()
	p := k.fifos[unit]
	delete(k.fifos, unit)
	k.mu.Unlock()
	if p == nil {
		return
	}
	k.poll.Remove(p.fd)
	p.drain()
	unix.Close(p.fd)
	_ = os.Remove(k.m.fifoPath(unit))
}

var readBuffer = sync.Pool{New: func() any { b := make([]byte, 16<<10); return &b }}

func identifier(u *unit) string {
	if s := u.file.String("SyslogIdentifier"); s != "" {
		return s
	}
	return strings.TrimSuffix(u.name(), "."+u.typ)
}

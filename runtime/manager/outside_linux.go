package manager

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// Outside asks a process that stands outside the manager's user namespace. The
// services of an earlier manager live in that one's namespace, and the kernel
// shows their environment and descriptors to nobody in another one beside it;
// a process of the same user in the namespace around both may see them.
type Outside struct {
	mu sync.Mutex
	fd int
	id uint64
}

type outsideRequest struct {
	ID   uint64
	Op   string // environ, find, link, sockets
	PID  int
	Name string // the variable, the invocation, the link below /proc/PID
	From int    // the first descriptor that is asked for
}

type outsideAnswer struct {
	ID    uint64
	Value string
	PIDs  []int
	Next  int // where to go on, 0 at the end
	Err   string
}

const (
	outsideMessage = 64 << 10
	outsideFDs     = 100 // of one answer; the kernel takes 253
)

// OutsidePair gives the two ends of the connection: one for ServeOutside, the
// other for NewOutside in another process.
func OutsidePair() (serve, ask int, err error) {
	p, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	return p[0], p[1], err
}

// NewOutside is the manager's end. A process outside that does not answer
// within two seconds counts as one that knows nothing.
func NewOutside(fd int) *Outside {
	unix.CloseOnExec(fd)
	tv := unix.NsecToTimeval(2e9)
	_ = unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &tv)
	_ = unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &tv)
	return &Outside{fd: fd}
}

func (o *Outside) ask(r outsideRequest) (a outsideAnswer, fds []int, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.id++
	r.ID = o.id
	b, err := json.Marshal(r)
	if err != nil {
		return a, nil, err
	}
	if err := unix.Sendto(o.fd, b, unix.MSG_NOSIGNAL, nil); err != nil {
		return a, nil, err
	}
	buf, oob := make([]byte, outsideMessage), make([]byte, unix.CmsgSpace(4*outsideFDs))
	for {
		n, oobn, _, _, err := unix.Recvmsg(o.fd, buf, oob, unix.MSG_CMSG_CLOEXEC)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return a, nil, err
		}
		if n == 0 {
			return a, nil, errors.New("the process outside is gone")
		}
		fds = received(oob[:oobn])
		a = outsideAnswer{}
		if err := json.Unmarshal(buf[:n], &a); err == nil && a.ID == r.ID {
			break
		}
		for _, fd := range fds { // a late answer to an earlier question
			unix.Close(fd)
		}
	}
	if a.Err != "" {
		return a, fds, errors.New(a.Err)
	}
	return a, fds, nil
}

func received(oob []byte) (fds []int) {
	msgs, _ := unix.ParseSocketControlMessage(oob)
	for i := range msgs {
		got, err := unix.ParseUnixRights(&msgs[i])
		if err == nil {
			fds = append(fds, got...)
		}
	}
	return fds
}

// sockets gives copies of the sockets that a process has open, from descriptor
// 3 on.
func (o *Outside) sockets(pid int) ([]int, error) {
	var out []int
	for from := 3; ; {
		a, fds, err := o.ask(outsideRequest{Op: "sockets", PID: pid, From: from})
		out = append(out, fds...)
		if err != nil || a.Next <= from {
			return out, err
		}
		from = a.Next
	}
}

// ServeOutside answers until the other end is closed.
func ServeOutside(fd int) {
	defer unix.Close(fd)
	buf := make([]byte, outsideMessage)
	for {
		n, _, err := unix.Recvfrom(fd, buf, 0)
		if err == unix.EINTR {
			continue
		}
		if err != nil || n == 0 {
			return
		}
		var r outsideRequest
		if json.Unmarshal(buf[:n], &r) != nil {
			continue
		}
		a, fds := answerOutside(r)
		b, err := json.Marshal(a)
		if err != nil || len(b) > outsideMessage {
			b, _ = json.Marshal(outsideAnswer{ID: r.ID, Err: "the answer is too long"})
		}
		var oob []byte
		if len(fds) > 0 {
			oob = unix.UnixRights(fds...)
		}
		err = unix.Sendmsg(fd, b, oob, nil, unix.MSG_NOSIGNAL)
		for _, f := range fds {
			unix.Close(f)
		}
		if err != nil {
			return
		}
	}
}

func answerOutside(r outsideRequest) (a outsideAnswer, fds []int) {
	a.ID = r.ID
	var err error
	switch r.Op {
	case "environ":
		a.Value, err = environ(r.PID, r.Name)
	case "find":
		a.PIDs = byInvocation(r.Name)
	case "link":
		a.Value, err = os.Readlink("/proc/" + itoa(r.PID) + "/" + r.Name)
	case "sockets":
		fds, a.Next, err = socketsOf(r.PID, r.From, outsideFDs)
	default:
		err = errors.New("an unknown question")
	}
	if err != nil {
		a.Err = err.Error()
	}
	return a, fds
}

// socketsOf copies at most n sockets of a process, descriptor from and above;
// next is where to go on, 0 at the end.
func socketsOf(pid, from, n int) (fds []int, next int, err error) {
	pidfd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return nil, 0, err
	}
	defer unix.Close(pidfd)
	dir := "/proc/" + itoa(pid) + "/fd"
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, 0, err
	}
	open := map[int]bool{}
	last := 0
	for _, e := range entries {
		if k := atoi(e.Name(), -1); k >= from {
			open[k] = true
			last = max(last, k)
		}
	}
	for k := from; k <= last; k++ {
		if !open[k] {
			continue
		}
		to, err := os.Readlink(dir + "/" + itoa(k))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return fds, 0, err
		}
		if !strings.HasPrefix(to, "socket:") {
			continue
		}
		if len(fds) == n {
			return fds, k, nil
		}
		fd, err := unix.PidfdGetfd(pidfd, k, 0)
		if errors.Is(err, syscall.EBADF) {
			continue // closed meanwhile
		}
		if err != nil {
			return fds, 0, err
		}
		fds = append(fds, fd)
	}
	return fds, 0, nil
}

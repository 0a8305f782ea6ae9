package poller

import (
	"sync"

	"golang.org/x/sys/unix"
)

// Poller calls a function when a descriptor becomes readable.
type Poller struct {
	ep   int
	wake int
	mu   sync.Mutex
	// running is held while a function is called
	running sync.Mutex
	cbs     map[int]func()
	closed  bool
	done    chan struct{}
}

// New makes a poller; Run has to be called.
func New() (*Poller, error) {
	ep, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	wake, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		unix.Close(ep)
		return nil, err
	}
	p := &Poller{ep: ep, wake: wake, cbs: map[int]func(){}, done: make(chan struct{})}
	ev := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(wake)}
	if err := unix.EpollCtl(ep, unix.EPOLL_CTL_ADD, wake, &ev); err != nil {
		unix.Close(ep)
		unix.Close(wake)
		return nil, err
	}
	return p, nil
}

// Run serves until Close. The functions are called one after another, on this
// goroutine.
func (p *Poller) Run() {
	defer close(p.done)
	events := make([]unix.EpollEvent, 128)
	for {
		n, err := unix.EpollWait(p.ep, events, -1)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return
		}
		for _, e := range events[:n] {
			if int(e.Fd) == p.wake {
				p.mu.Lock()
				closed := p.closed
				p.mu.Unlock()
				if closed {
					return
				}
				continue
			}
			p.running.Lock()
			p.mu.Lock()
			f := p.cbs[int(e.Fd)]
			p.mu.Unlock()
			if f != nil {
				f()
			}
			p.running.Unlock()
		}
	}
}

// Add calls f whenever fd is readable. With once, it is called one time; Arm
// makes it ready again.
func (p *Poller) Add(fd int, once bool, f func()) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	ev := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)}
	if once {
		ev.Events |= unix.EPOLLONESHOT
	}
	if err := unix.EpollCtl(p.ep, unix.EPOLL_CTL_ADD, fd, &ev); err != nil {
		return err
	}
	p.cbs[fd] = f
	return nil
}

// Arm makes a once descriptor ready again.
func (p *Poller) Arm(fd int) error {
	ev := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLONESHOT, Fd: int32(fd)}
	return unix.EpollCtl(p.ep, unix.EPOLL_CTL_MOD, fd, &ev)
}

// Disarm keeps a once descriptor quiet until Arm.
func (p *Poller) Disarm(fd int) error {
	ev := unix.EpollEvent{Events: unix.EPOLLONESHOT, Fd: int32(fd)}
	return unix.EpollCtl(p.ep, unix.EPOLL_CTL_MOD, fd, &ev)
}

// Remove forgets a descriptor and waits for its function to return; call it
// before the descriptor is closed, and not from such a function.
func (p *Poller) Remove(fd int) {
	p.running.Lock()
	defer p.running.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, ok := p.cbs[fd]; !ok {
		return
	}
	delete(p.cbs, fd)
	_ = unix.EpollCtl(p.ep, unix.EPOLL_CTL_DEL, fd, nil)
}

// Close ends Run and frees the poller's own descriptors.
func (p *Poller) Close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	var one = [8]byte{1}
	_, _ = unix.Write(p.wake, one[:])
	<-p.done
	unix.Close(p.ep)
	unix.Close(p.wake)
}

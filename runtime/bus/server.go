//go:build linux

package bus

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/unitgen/unitgen/runtime/unitstate"
)

// maxPeers bounds the connections at one time, as systemd's private socket
// does.
const maxPeers = 4096

// ServerOptions say what a Server serves.
type ServerOptions struct {
	Backend unitstate.Backend
	// UnitFiles answers for the files on disk: list-unit-files, is-enabled,
	// enable and the rest. Nil: the install engine on the manager's load path.
	UnitFiles UnitFiles
	// Logf is told of what goes wrong with connections; nil: silence.
	Logf func(format string, args ...any)
}

// Server serves org.freedesktop.systemd1 on unix sockets. A client of the
// manager's uid, or root, may do everything; others may look.
//
// It is its own small message bus besides: a client that says Hello is
// answered, so that tools which know only buses (busctl --address=…, D-Bus
// libraries) work on the same socket.
type Server struct {
	backend unitstate.Backend
	files   UnitFiles
	logf    func(string, ...any)
	guid    string
	uid     uint32
	machine string

	mu        sync.Mutex
	peers     map[*peer]bool
	listeners []*net.UnixListener
	paths     []string
	nextPeer  uint64
	closed    bool
	monitors  atomic.Int32
	stopEvent func()
	wg        sync.WaitGroup

	settings settings // what clients set and the manager does not know: LogLevel …
}

// NewServer makes a server and begins to follow the backend's events.
func NewServer(o ServerOptions) *Server {
	var id [16]byte
	rand.Read(id[:])
	s := &Server{backend: o.Backend, files: o.UnitFiles, logf: o.Logf, guid: hex.EncodeToString(id[:]),
		uid: uint32(os.Geteuid()), peers: map[*peer]bool{}}
	if s.logf == nil {
		s.logf = func(string, ...any) {}
	}
	if s.files == nil {
		s.files = newUnitFiles(o.Backend)
	}
	if b, err := os.ReadFile("/etc/machine-id"); err == nil && len(b) >= 32 {
		s.machine = string(b[:32])
	} else {
		s.machine = s.guid
	}
	s.settings.init()
	s.stopEvent = o.Backend.Subscribe(s.event)
	return s
}

// Listen binds a socket, whose directory is made if need be, and serves it in
// the background. A socket that nobody listens on any more is replaced; one
// that somebody does is an error.
func (s *Server) Listen(path string) error {
	if len(path) > 107 {
		return fmt.Errorf("the socket path %s is %d bytes long; the kernel takes 107: choose a shorter --runtime-dir", path, len(path))
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if answers(path) {
		return fmt.Errorf("another manager is listening on %s", path)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return err
	}
	// Who connects is told by the kernel; who may write is decided by that.
	if err := os.Chmod(path, 0o666); err != nil {
		l.Close()
		return err
	}
	s.mu.Lock()
	s.paths = append(s.paths, path)
	s.mu.Unlock()
	s.wg.Add(1)
	go func() {
		defer s.wg.Done()
		if err := s.Serve(l); err != nil && !errors.Is(err, errServerClosed) {
			s.logf("%s: %v", path, err)
		}
	}()
	return nil
}

// ListenRuntime serves the sockets of a runtime directory (/run,
// $XDG_RUNTIME_DIR): systemd/private, and bus where nobody serves it yet: some
// verbs of systemctl (freeze, clean, start --wait) and systemd-run want a
// message bus, which the server is enough of.
func (s *Server) ListenRuntime(dir string) error {
	if err := s.Listen(PrivateSocket(dir)); err != nil {
		return err
	}
	bus := filepath.Join(dir, "bus")
	if answers(bus) {
		return nil
	}
	return s.Listen(bus)
}

// Serve accepts connections until the listener or the server is closed.
func (s *Server) Serve(l *net.UnixListener) error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		l.Close()
		return errServerClosed
	}
	s.listeners = append(s.listeners, l)
	s.mu.Unlock()
	pause := 5 * time.Millisecond
	for {
		c, err := l.AcceptUnix()
		if err != nil {
			s.mu.Lock()
			closed := s.closed
			s.mu.Unlock()
			if closed || errors.Is(err, net.ErrClosed) {
				return errServerClosed
			}
			// Out of descriptors, or a connection that went before it was
			// accepted: neither ends the service.
			s.logf("accept: %v", err)
			time.Sleep(pause)
			if pause < time.Second {
				pause *= 2
			}
			continue
		}
		pause = 5 * time.Millisecond
		s.admit(c)
	}
}

// admit starts to serve a connection, or ends it where there are too many.
func (s *Server) admit(c *net.UnixConn) {
	s.mu.Lock()
	if s.closed || len(s.peers) >= maxPeers {
		s.mu.Unlock()
		c.Close()
		return
	}
	s.nextPeer++
	p := newPeer(s, c, s.nextPeer)
	s.peers[p] = true
	s.wg.Add(1)
	s.mu.Unlock()
	go func() {
		defer s.wg.Done()
		defer func() {
			// The manager outlives every mistake in answering a client.
			if r := recover(); r != nil {
				log.Printf("This is a bug in unitgen: %s: %v", p, r)
				p.close()
			}
		}()
		p.run()
	}()
}

// forget drops a peer that closed, and what it held.
func (s *Server) forget(p *peer, refs map[string]int) {
	s.mu.Lock()
	delete(s.peers, p)
	s.mu.Unlock()
	p.mu.Lock()
	if p.monitor {
		s.monitors.Add(-1)
	}
	p.mu.Unlock()
	if len(refs) > 0 {
		go func() {
			for u, n := range refs {
				for range n {
					s.backend.Unref(u)
				}
			}
		}()
	}
}

// Close ends all connections, after what is queued for them was written, or a
// second at most, and takes the sockets away.
func (s *Server) Close() {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return
	}
	s.closed = true
	listeners, paths := s.listeners, s.paths
	s.mu.Unlock()
	s.stopEvent()
	for _, l := range listeners {
		l.SetUnlinkOnClose(false)
		l.Close()
	}
	for _, path := range paths {
		os.Remove(path)
	}
	for _, p := range s.all() {
		p.finish()
	}
	done := make(chan struct{})
	go func() { s.wg.Wait(); close(done) }()
	select {
	case <-done:
		return
	case <-time.After(time.Second):
	}
	for _, p := range s.all() {
		p.close()
	}
}

// all gives the present peers.
func (s *Server) all() []*peer {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]*peer, 0, len(s.peers))
	for p := range s.peers {
		out = append(out, p)
	}
	return out
}

// tap shows a message to those who monitor.
func (s *Server) tap(raw []byte) {
	if s.monitors.Load() == 0 {
		return
	}
	for _, p := range s.all() {
		p.mu.Lock()
		m := p.monitor
		p.mu.Unlock()
		if m {
			p.push(outgoing{raw, nil}, true)
		}
	}
}

// senderFor names who answers a call: the bus itself or the manager.
func (s *Server) senderFor(m *dbus.Message) string {
	if field(m, dbus.FieldDestination) == "org.freedesktop.DBus" {
		return "org.freedesktop.DBus"
	}
	return managerName
}

// managerName is the manager's unique name on the small bus.
const managerName = ":1.0"

//go:build linux

package bus

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/godbus/dbus/v5"
	"golang.org/x/sys/unix"
)

// Bounds on one connection. Replies wait for a slow reader (its calls are then
// not read either); a subscriber that lets signals pile up is dropped.
const (
	authTimeout  = 20 * time.Second
	writeTimeout = 60 * time.Second
	maxReplies   = 4 << 20  // queued bytes beyond which no further call is read
	maxQueue     = 32 << 20 // queued bytes beyond which a signal ends the connection
)

// outgoing is a message that waits to be written.
type outgoing struct {
	raw []byte
	fds []int // closed after writing
}

// peer is one connection.
type peer struct {
	s     *Server
	conn  *net.UnixConn
	uid   uint32
	pid   int
	owner bool // may change things
	fds   bool // descriptors may be passed
	num   uint64

	mu         sync.Mutex
	room       *sync.Cond // the queue shrank, or the peer closed
	queue      []outgoing
	queued     int
	ready      chan struct{} // holds one token when the queue is not empty
	closed     bool
	closeAfter bool // close when the queue is written
	serial     uint32
	subscribed bool
	monitor    bool
	name       string // ":1.N" after Hello
	matches    []matchRule
	refs       map[string]int // units it holds with Ref

	done context.Context
	stop context.CancelFunc
}

func newPeer(s *Server, conn *net.UnixConn, num uint64) *peer {
	p := &peer{s: s, conn: conn, num: num, ready: make(chan struct{}, 1), refs: map[string]int{}}
	p.room = sync.NewCond(&p.mu)
	p.done, p.stop = context.WithCancel(context.Background())
	return p
}

// run serves the connection until it ends.
func (p *peer) run() {
	defer p.close()
	if err := p.credentials(); err != nil {
		return
	}
	p.conn.SetDeadline(time.Now().Add(authTimeout))
	in := &fdReader{conn: p.conn, keep: true}
	defer in.close()
	r := bufio.NewReaderSize(in, 16<<10)
	fds, err := authenticate(r, p.conn, p.uid, p.s.guid)
	if err != nil {
		return
	}
	p.conn.SetDeadline(time.Time{})
	if p.fds, in.keep = fds, fds; !fds {
		in.close()
	}
	go p.write()
	for {
		raw, err := readRaw(r)
		if err != nil {
			return
		}
		m, passed, err := decodeWithFDs(raw, in)
		if err == nil {
			p.s.tap(raw)
			p.s.handle(p, m)
		}
		for _, fd := range passed {
			unix.Close(fd)
		}
		if err != nil {
			return
		}
		if !p.wait() {
			return
		}
	}
}

// credentials asks the kernel who the peer is.
func (p *peer) credentials() error {
	rc, err := p.conn.SyscallConn()
	if err != nil {
		return err
	}
	var cred *unix.Ucred
	var cerr error
	if err := rc.Control(func(fd uintptr) {
		cred, cerr = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	}); err != nil {
		return err
	}
	if cerr != nil {
		return cerr
	}
	p.uid, p.pid = cred.Uid, int(cred.Pid)
	p.owner = cred.Uid == 0 || cred.Uid == p.s.uid
	return nil
}

// wait holds the reader while too many replies are queued.
func (p *peer) wait() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.queued > maxReplies && !p.closed {
		p.room.Wait()
	}
	return !p.closed
}

// write sends what is queued.
func (p *peer) write() {
	defer p.close()
	for {
		select {
		case <-p.ready:
		case <-p.done.Done():
			return
		}
		for {
			p.mu.Lock()
			if len(p.queue) == 0 {
				last := p.closeAfter
				p.mu.Unlock()
				if last {
					return
				}
				break
			}
			batch := p.queue
			p.queue = nil
			p.mu.Unlock()
			for i, o := range batch {
				err := p.send(o)
				p.mu.Lock()
				p.queued -= len(o.raw)
				p.room.Broadcast()
				p.mu.Unlock()
				if err != nil {
					closeAll(batch[i+1:])
					return
				}
			}
		}
	}
}

func closeAll(os []outgoing) {
	for _, o := range os {
		for _, fd := range o.fds {
			unix.Close(fd)
		}
	}
}

// send writes one message. A peer that takes nothing for a minute is gone.
func (p *peer) send(o outgoing) error {
	defer closeAll([]outgoing{o})
	p.conn.SetWriteDeadline(time.Now().Add(writeTimeout))
	if len(o.fds) == 0 {
		_, err := p.conn.Write(o.raw)
		return err
	}
	n, _, err := p.conn.WriteMsgUnix(o.raw, unix.UnixRights(o.fds...), nil)
	if err != nil {
		return err
	}
	_, err = p.conn.Write(o.raw[n:])
	return err
}

// push queues bytes; droppable ones end the connection when too much waits.
func (p *peer) push(o outgoing, droppable bool) {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		closeAll([]outgoing{o})
		return
	}
	if droppable && p.queued+len(o.raw) > maxQueue {
		p.mu.Unlock()
		closeAll([]outgoing{o})
		p.close()
		return
	}
	p.queue = append(p.queue, o)
	p.queued += len(o.raw)
	p.mu.Unlock()
	select {
	case p.ready <- struct{}{}:
	default:
	}
}

func (p *peer) nextSerial() uint32 {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.serial++
	if p.serial == 0 {
		p.serial = 1
	}
	return p.serial
}

// address adds what a client of a message bus expects in every message.
func (p *peer) address(h map[dbus.HeaderField]dbus.Variant, sender string) {
	p.mu.Lock()
	name := p.name
	p.mu.Unlock()
	if name != "" {
		h[dbus.FieldSender] = dbus.MakeVariant(sender)
		h[dbus.FieldDestination] = dbus.MakeVariant(name)
	}
}

// reply answers a call.
func (p *peer) reply(m *dbus.Message, sig string, body []any) {
	if m.Flags&dbus.FlagNoReplyExpected != 0 {
		return
	}
	out := &dbus.Message{Type: dbus.TypeMethodReply, Flags: dbus.FlagNoReplyExpected,
		Headers: headers(dbus.FieldReplySerial, m.Serial()), Body: body}
	if sig != "" {
		out.Headers[dbus.FieldSignature] = dbus.MakeVariant(dbus.ParseSignatureMust(sig))
	}
	p.address(out.Headers, p.s.senderFor(m))
	raw, fds, err := encode(out, p.nextSerial())
	if err != nil {
		p.refuse(m, "org.freedesktop.DBus.Error.Failed", "The answer cannot be told: "+err.Error())
		return
	}
	if len(fds) > 0 && !p.fds {
		closeAll([]outgoing{{fds: fds}})
		p.refuse(m, "org.freedesktop.DBus.Error.NotSupported", "File descriptors were not negotiated.")
		return
	}
	p.s.tap(raw)
	p.push(outgoing{raw, fds}, false)
}

// refuse answers a call with an error.
func (p *peer) refuse(m *dbus.Message, name, text string) {
	if m.Flags&dbus.FlagNoReplyExpected != 0 {
		return
	}
	out := &dbus.Message{Type: dbus.TypeError, Flags: dbus.FlagNoReplyExpected,
		Headers: headers(dbus.FieldReplySerial, m.Serial(), dbus.FieldErrorName, name, dbus.FieldSignature, dbus.SignatureOf("")),
		Body:    []any{text8(text)}}
	p.address(out.Headers, p.s.senderFor(m))
	raw, _, err := encode(out, p.nextSerial())
	if err != nil {
		p.close()
		return
	}
	p.s.tap(raw)
	p.push(outgoing{raw, nil}, false)
}

// nameSignal tells a peer on the small bus of its own name.
func (p *peer) nameSignal(member string) {
	p.mu.Lock()
	name := p.name
	p.mu.Unlock()
	m := &dbus.Message{Type: dbus.TypeSignal, Flags: dbus.FlagNoReplyExpected, Body: []any{name},
		Headers: headers(dbus.FieldPath, dbus.ObjectPath("/org/freedesktop/DBus"), dbus.FieldInterface, "org.freedesktop.DBus",
			dbus.FieldMember, member, dbus.FieldSignature, dbus.SignatureOf(""))}
	p.address(m.Headers, "org.freedesktop.DBus")
	if raw, _, err := encode(m, p.nextSerial()); err == nil {
		p.push(outgoing{raw, nil}, true)
	}
}

// finish ends the connection once what is queued was written.
func (p *peer) finish() {
	p.mu.Lock()
	p.closeAfter = true
	p.mu.Unlock()
	select {
	case p.ready <- struct{}{}:
	default:
	}
}

// close ends the connection; it may be called often and from anywhere.
func (p *peer) close() {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return
	}
	p.closed = true
	rest, refs := p.queue, p.refs
	p.queue, p.refs = nil, nil
	p.room.Broadcast()
	p.mu.Unlock()
	closeAll(rest)
	p.stop()
	p.conn.Close()
	p.s.forget(p, refs)
}

// String names the peer in logs.
func (p *peer) String() string {
	return fmt.Sprintf("connection %d (pid %d, uid %d)", p.num, p.pid, p.uid)
}

var errServerClosed = errors.New("the server was closed")

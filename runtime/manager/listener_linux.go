package manager

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	us "github.com/unitgen/unitgen/runtime/unitstate"
	"github.com/unitgen/unitgen/schema/load"
	"github.com/unitgen/unitgen/schema/value"
)

// listener is one address of a socket unit.
type listener struct {
	us.Listen
	fd         int
	watched    bool
	acceptable bool // connections are accepted from it
	path       string
}

var listenKinds = []struct{ setting, kind string }{
	{"ListenStream", "Stream"}, {"ListenDatagram", "Datagram"}, {"ListenSequentialPacket", "SequentialPacket"},
	{"ListenFIFO", "FIFO"}, {"ListenSpecial", "Special"}, {"ListenNetlink", "Netlink"},
	{"ListenMessageQueue", "MessageQueue"}, {"ListenUSBFunction", "USBFunction"},
}

// listenersOf gives the addresses in the order in which the file has them.
func listenersOf(f *load.Unit) []*listener {
	var out []*listener
	for _, a := range f.Assigned {
		for _, k := range listenKinds {
			if a.Key != k.setting {
				continue
			}
			if a.Value == "" {
				out = nil // an empty assignment resets all of them
				continue
			}
			out = append(out, &listener{Listen: us.Listen{Kind: k.kind, Address: canonicalAddress(k.kind, a.Value)}, fd: -1})
		}
	}
	return out
}

func canonicalAddress(kind, v string) string {
	switch kind {
	case "Stream", "Datagram", "SequentialPacket":
		if l, err := value.ParseListen(v); err == nil {
			return l.String()
		}
	case "Netlink":
		if l, err := value.ParseNetlink(v); err == nil {
			return l.String()
		}
	}
	return v
}

// open makes the socket with the options of systemd.socket(5).
func (l *listener) open(f *load.Unit) (err error) {
	defer func() {
		if err != nil && l.fd >= 0 {
			unix.Close(l.fd)
			l.fd = -1
		}
	}()
	switch l.Kind {
	case "Stream":
		err = l.socket(f, unix.SOCK_STREAM)
		l.acceptable = true
	case "Datagram":
		err = l.socket(f, unix.SOCK_DGRAM)
	case "SequentialPacket":
		err = l.socket(f, unix.SOCK_SEQPACKET)
		l.acceptable = true
	case "FIFO":
		err = l.fifo(f)
	case "Special":
		l.fd, err = unix.Open(l.Address, unix.O_CLOEXEC|unix.O_NONBLOCK|unix.O_NOCTTY|map[bool]int{true: unix.O_RDWR, false: unix.O_RDONLY}[f.Bool("Writable")], 0)
	case "Netlink":
		err = l.netlink(f)
	case "MessageQueue":
		err = l.queue(f)
	default:
		err = fmt.Errorf("Listen%s= is not supported here", l.Kind)
	}
	return err
}

func modeOf(f *load.Unit, name string, otherwise os.FileMode) os.FileMode {
	if m, err := value.ParseMode(f.String(name)); err == nil && f.String(name) != "" {
		return m
	}
	return otherwise
}

// own gives a path of the socket its mode and owner.
func own(f *load.Unit, path string) error {
	if err := os.Chmod(path, modeOf(f, "SocketMode", 0o666)); err != nil {
		return err
	}
	uid, gid := -1, -1
	if n := f.String("SocketUser"); n != "" && os.Geteuid() == 0 {
		a, err := lookupUser(n)
		if err != nil {
			return err
		}
		uid, gid = int(a.uid), int(a.gid)
	}
	if n := f.String("SocketGroup"); n != "" && os.Geteuid() == 0 {
		g, err := lookupGroup(n)
		if err != nil {
			return err
		}
		gid = int(g)
	}
	if uid >= 0 || gid >= 0 {
		return os.Chown(path, uid, gid)
	}
	return nil
}

func (l *listener) socket(f *load.Unit, typ int) error {
	a, err := value.ParseListen(l.Address)
	if err != nil {
		return err
	}
	typ |= unix.SOCK_CLOEXEC | unix.SOCK_NONBLOCK
	var sa unix.Sockaddr
	family := unix.AF_UNIX
	switch a.Network {
	case "unix":
		name := a.Path
		if a.Abstract {
			name = "@" + name
		}
		sa = &unix.SockaddrUnix{Name: name}
	case "vsock":
		family = unix.AF_VSOCK
		sa = &unix.SockaddrVM{CID: a.CID, Port: a.VPort}
	default:
		sa, family = inetAddress(a.Addr)
	}
	proto := 0
	switch f.String("SocketProtocol") {
	case "udplite":
		proto = unix.IPPROTO_UDPLITE
	case "sctp":
		proto = unix.IPPROTO_SCTP
	case "mptcp":
		proto = 262
	}
	if l.fd, err = unix.Socket(family, typ, proto); err != nil {
		if family == unix.AF_INET6 && !a.Addr.Addr().IsValid() && errors.Is(err, unix.EAFNOSUPPORT) {
			// no IPv6 here: a port alone means all IPv4 addresses
			sa, family = &unix.SockaddrInet4{Port: int(a.Addr.Port())}, unix.AF_INET
			l.fd, err = unix.Socket(family, typ, proto)
		}
		if err != nil {
			l.fd = -1
			return err
		}
	}
	if err := l.options(f, family, !a.Addr.Addr().IsValid()); err != nil {
		return err
	}
	if a.Network == "unix" && !a.Abstract {
		l.path = a.Path
		if err := os.MkdirAll(filepath.Dir(a.Path), modeOf(f, "DirectoryMode", 0o755)); err != nil {
			return err
		}
		if st, err := os.Lstat(a.Path); err == nil && st.Mode()&os.ModeSocket != 0 {
			_ = os.Remove(a.Path) // left by somebody who is gone
		}
	}
	if err := unix.Bind(l.fd, sa); err != nil {
		return err
	}
	if l.path != "" {
		if err := own(f, l.path); err != nil {
			return err
		}
	}
	if typ&0xf == unix.SOCK_STREAM || typ&0xf == unix.SOCK_SEQPACKET {
		backlog := 4096
		if v := f.String("Backlog"); v != "" {
			if n, err := strconv.ParseUint(v, 10, 32); err == nil {
				backlog = int(min(n, 1<<31-1))
			}
		}
		return unix.Listen(l.fd, backlog)
	}
	return nil
}

func inetAddress(a netip.AddrPort) (unix.Sockaddr, int) {
	switch ip := a.Addr(); {
	case !ip.IsValid():
		return &unix.SockaddrInet6{Port: int(a.Port())}, unix.AF_INET6
	case ip.Is4():
		return &unix.SockaddrInet4{Port: int(a.Port()), Addr: ip.As4()}, unix.AF_INET
	default:
		s := &unix.SockaddrInet6{Port: int(a.Port()), Addr: ip.As16()}
		if z := ip.Zone(); z != "" {
			if n, err := strconv.Atoi(z); err == nil {
				s.ZoneId = uint32(n)
			}
		}
		return s, unix.AF_INET6
	}
}

// options sets what the unit asks for; what the kernel refuses and is a wish
// for speed only is left off.
func (l *listener) options(f *load.Unit, family int, anyAddress bool) error {
	set := func(level, opt, v int) error { return unix.SetsockoptInt(l.fd, level, opt, v) }
	if family == unix.AF_INET || family == unix.AF_INET6 {
		if err := set(unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
			return err
		}
	}
	if family == unix.AF_INET6 {
		switch f.String("BindIPv6Only") {
		case "both":
			_ = set(unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 0)
		case "ipv6-only":
			_ = set(unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 1)
		}
		if f.Bool("FreeBind") || f.Bool("Transparent") {
			_ = set(unix.IPPROTO_IPV6, unix.IPV6_FREEBIND, 1)
		}
	}
	if f.Bool("ReusePort") {
		if err := set(unix.SOL_SOCKET, unix.SO_REUSEPORT, 1); err != nil {
			return err
		}
	}
	type boolOpt struct {
		name       string
		level, opt int
	}
	for _, o := range []boolOpt{
		{"KeepAlive", unix.SOL_SOCKET, unix.SO_KEEPALIVE}, {"Broadcast", unix.SOL_SOCKET, unix.SO_BROADCAST},
		{"PassCredentials", unix.SOL_SOCKET, unix.SO_PASSCRED}, {"PassSecurity", unix.SOL_SOCKET, unix.SO_PASSSEC},
		{"PassPacketInfo", unix.IPPROTO_IP, unix.IP_PKTINFO}, {"NoDelay", unix.IPPROTO_TCP, unix.TCP_NODELAY},
		{"FreeBind", unix.IPPROTO_IP, unix.IP_FREEBIND}, {"Transparent", unix.IPPROTO_IP, unix.IP_TRANSPARENT},
	} {
		if f.Bool(o.name) {
			_ = set(o.level, o.opt, 1)
		}
	}
	for _, o := range []boolOpt{
		{"Priority", unix.SOL_SOCKET, unix.SO_PRIORITY}, {"Mark", unix.SOL_SOCKET, unix.SO_MARK},
		{"IPTTL", unix.IPPROTO_IP, unix.IP_TTL}, {"KeepAliveProbes", unix.IPPROTO_TCP, unix.TCP_KEEPCNT},
	} {
		if v := f.String(o.name); v != "" {
			_ = set(o.level, o.opt, atoi(v, 0))
		}
	}
	for _, o := range []boolOpt{
		{"KeepAliveTimeSec", unix.IPPROTO_TCP, unix.TCP_KEEPIDLE}, {"KeepAliveIntervalSec", unix.IPPROTO_TCP, unix.TCP_KEEPINTVL},
		{"DeferAcceptSec", unix.IPPROTO_TCP, unix.TCP_DEFER_ACCEPT},
	} {
		if d := f.Duration(o.name); d > 0 && d != load.Infinity {
			_ = set(o.level, o.opt, int(d.Seconds()))
		}
	}
	for _, o := range []boolOpt{{"ReceiveBuffer", unix.SOL_SOCKET, unix.SO_RCVBUF}, {"SendBuffer", unix.SOL_SOCKET, unix.SO_SNDBUF}} {
		if v := f.String(o.name); v != "" {
			if n, err := value.ParseSize(v); err == nil && n <= 1<<30 {
				_ = set(o.level, o.opt, int(n))
			}
		}
	}
	if v := f.String("TCPCongestion"); v != "" {
		_ = unix.SetsockoptString(l.fd, unix.IPPROTO_TCP, unix.TCP_CONGESTION, v)
	}
	if v := f.String("BindToDevice"); v != "" {
		if err := unix.BindToDevice(l.fd, v); err != nil {
			return fmt.Errorf("BindToDevice=%s: %w", v, err)
		}
	}
	return nil
}

func (l *listener) fifo(f *load.Unit) error {
	if err := os.MkdirAll(filepath.Dir(l.Address), modeOf(f, "DirectoryMode", 0o755)); err != nil {
		return err
	}
	err := unix.Mkfifo(l.Address, uint32(modeOf(f, "SocketMode", 0o666).Perm()))
	if err != nil && err != unix.EEXIST {
		return err
	}
	l.path = l.Address
	if l.fd, err = unix.Open(l.Address, unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK|unix.O_NOFOLLOW, 0); err != nil {
		l.fd = -1
		return err
	}
	var st unix.Stat_t
	if unix.Fstat(l.fd, &st) != nil || st.Mode&unix.S_IFMT != unix.S_IFIFO {
		return fmt.Errorf("%s is there and is no FIFO", l.Address)
	}
	return own(f, l.Address)
}

var netlinkFamilies = map[string]int{
	"route": 0, "usersock": 2, "firewall": 3, "inet-diag": 4, "nflog": 5, "xfrm": 6, "selinux": 7, "iscsi": 8, "audit": 9,
	"fib-lookup": 10, "connector": 11, "netfilter": 12, "ip6-fw": 13, "dnrtmsg": 14, "kobject-uevent": 15, "generic": 16,
	"scsitransport": 18, "ecryptfs": 19, "rdma": 20, "crypto": 21,
}

func (l *listener) netlink(f *load.Unit) error {
	fam, group, _ := strings.Cut(l.Address, " ")
	n, ok := netlinkFamilies[fam]
	if !ok {
		n = atoi(fam, -1)
	}
	var err error
	if l.fd, err = unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, n); err != nil {
		l.fd = -1
		return err
	}
	if f.Bool("PassCredentials") {
		_ = unix.SetsockoptInt(l.fd, unix.SOL_SOCKET, unix.SO_PASSCRED, 1)
	}
	return unix.Bind(l.fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: uint32(atoi(group, 0))})
}

// queue opens a POSIX message queue.
func (l *listener) queue(f *load.Unit) error {
	name, err := unix.BytePtrFromString(strings.TrimPrefix(l.Address, "/"))
	if err != nil {
		return err
	}
	attr := &mqAttr{}
	if n, s := atoi(f.String("MessageQueueMaxMessages"), 0), atoi(f.String("MessageQueueMessageSize"), 0); n > 0 && s > 0 {
		attr.maxmsg, attr.msgsize = int64(n), int64(s)
	} else {
		attr = nil
	}
	fd, err := mqOpen(name, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK|unix.O_CREAT, int(modeOf(f, "SocketMode", 0o666).Perm()), attr)
	if err != nil {
		return err
	}
	l.fd = fd
	return nil
}

// close closes the socket and removes what it left behind if asked to.
func (l *listener) close(remove bool) {
	if l.fd >= 0 {
		unix.Close(l.fd)
	}
	l.fd, l.watched = -1, false
	if !remove {
		return
	}
	if l.path != "" {
		_ = os.Remove(l.path)
	}
	if l.Kind == "MessageQueue" {
		if name, err := unix.BytePtrFromString(strings.TrimPrefix(l.Address, "/")); err == nil {
			mqUnlink(name)
		}
	}
}

// connection is one accepted connection.
type connection struct {
	fd   int
	s    *socket
	peer unix.Sockaddr
}

func (c *connection) close() {
	if c.fd >= 0 {
		unix.Close(c.fd)
		c.fd = -1
	}
	delete(c.s.conns, c)
	c.s.u.m.touched(c.s.u)
}

// source names who connects, for MaxConnectionsPerSource=.
func (c *connection) source() string {
	switch p := c.peer.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrFrom4(p.Addr).String()
	case *unix.SockaddrInet6:
		return netip.AddrFrom16(p.Addr).Unmap().String()
	}
	if cr, err := unix.GetsockoptUcred(c.fd, unix.SOL_SOCKET, unix.SO_PEERCRED); err == nil {
		return "uid " + strconv.Itoa(int(cr.Uid))
	}
	return ""
}

// instance names the service's instance as systemd does: a counter and both
// ends of the connection.
func (c *connection) instance(n uint32) string {
	s := strconv.FormatUint(uint64(n), 10)
	local, _ := unix.Getsockname(c.fd)
	a, b := endpoint(local), endpoint(c.peer)
	if a != "" && b != "" {
		return s + "-" + a + "-" + b
	}
	if cr, err := unix.GetsockoptUcred(c.fd, unix.SOL_SOCKET, unix.SO_PEERCRED); err == nil {
		return s + "-" + strconv.Itoa(int(cr.Pid)) + "-" + strconv.Itoa(int(cr.Uid))
	}
	return s
}

func endpoint(sa unix.Sockaddr) string {
	switch p := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(p.Addr), uint16(p.Port)).String()
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(p.Addr).Unmap(), uint16(p.Port)).String()
	}
	return ""
}

func (c *connection) environment() []string {
	switch p := c.peer.(type) {
	case *unix.SockaddrInet4:
		return []string{"REMOTE_ADDR=" + netip.AddrFrom4(p.Addr).String(), "REMOTE_PORT=" + strconv.Itoa(p.Port)}
	case *unix.SockaddrInet6:
		return []string{"REMOTE_ADDR=" + netip.AddrFrom16(p.Addr).Unmap().String(), "REMOTE_PORT=" + strconv.Itoa(p.Port)}
	}
	return nil
}

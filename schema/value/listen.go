package value

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/unitgen/unitgen/schema/directive"
)

var _ = register(map[directive.Kind]checker{
	directive.ListenStream:   listen("stream"),
	directive.ListenDatagram: listen("datagram"),
	"listen-seqpacket":       listen("seqpacket"),
	"listen-netlink": whole(func(_ *Context, s string) error {
		_, err := parseNetlink(s)
		return err
	}),
	"listen-path":   whole(func(_ *Context, s string) error { _, err := ParsePath(s); return err }),
	"listen-mqueue": whole(func(_ *Context, s string) error { _, err := ParsePath(s); return err }),
})

// Listen is one address of ListenStream= and its kin (systemd.socket(5)).
type Listen struct {
	Network string // "unix", "ip", "vsock", "netlink"

	Path     string // unix: the path, or the abstract name
	Abstract bool   // unix: an abstract name

	Addr netip.AddrPort // ip; an invalid Addr: a port on all addresses (IPv6, and IPv4 by BindIPv6Only=)

	CID, VPort uint32 // vsock; CID 2³²-1: any

	Family string // netlink: the family's name
	Group  uint32
}

// String gives the address as systemd shows it: "/run/app.sock", "@name",
// "[::]:80", "127.0.0.1:80", "vsock:2:1234", "kobject-uevent 1".
func (l Listen) String() string {
	switch l.Network {
	case "unix":
		if l.Abstract {
			return "@" + l.Path
		}
		return l.Path
	case "ip":
		if !l.Addr.Addr().IsValid() {
			return "[::]:" + strconv.Itoa(int(l.Addr.Port()))
		}
		return l.Addr.String()
	case "vsock":
		if l.CID == 1<<32-1 {
			return "vsock::" + strconv.FormatUint(uint64(l.VPort), 10)
		}
		return "vsock:" + strconv.FormatUint(uint64(l.CID), 10) + ":" + strconv.FormatUint(uint64(l.VPort), 10)
	}
	return l.Family + " " + strconv.FormatUint(uint64(l.Group), 10)
}

const wantListen = `a port, ADDRESS:PORT, [IPv6]:PORT, an absolute path, @NAME (abstract) or vsock:CID:PORT`

// maxSocketPath is the longest path of a unix socket (sun_path less NUL).
const maxSocketPath = 107

// ParseListen reads an address of ListenStream=, ListenDatagram= or
// ListenSequentialPacket=.
func ParseListen(s string) (Listen, error) {
	switch {
	case s == "":
		return Listen{}, wrong(s, "is no address", wantListen)
	case s[0] == '/':
		if len(s) > maxSocketPath {
			return Listen{}, wrong(s, "is longer than the path of a socket may be (107 bytes)", wantListen)
		}
		if s == "/" {
			return Listen{}, wrong(s, "is the root directory, no socket", wantListen)
		}
		return Listen{Network: "unix", Path: SimplifyPath(s)}, nil
	case s[0] == '@':
		if len(s) == 1 || len(s) > maxSocketPath+1 {
			return Listen{}, wrong(s, "is no abstract name (1 to 107 bytes)", wantListen)
		}
		return Listen{Network: "unix", Path: s[1:], Abstract: true}, nil
	}
	for _, p := range []string{"vsock:", "vsock-stream:", "vsock-dgram:", "vsock-seqpacket:"} {
		if rest, ok := strings.CutPrefix(s, p); ok {
			return parseVsock(s, rest)
		}
	}
	if s[0] == '[' {
		host, rest, ok := strings.Cut(s[1:], "]")
		p, isPort := strings.CutPrefix(rest, ":")
		if !ok || !isPort {
			return Listen{}, wrong(s, "is no address with a port", wantListen)
		}
		a, err := netip.ParseAddr(host)
		if err != nil || !a.Is6() {
			return Listen{}, wrong(s, "has no IPv6 address in its brackets", wantListen)
		}
		return ipListen(s, a, p)
	}
	if host, p, ok := strings.Cut(s, ":"); ok {
		a, err := netip.ParseAddr(host)
		if err != nil || !a.Is4() {
			return Listen{}, wrong(s, "has no IPv4 address before the colon (names are not looked up)", wantListen)
		}
		return ipListen(s, a, p)
	}
	return ipListen(s, netip.Addr{}, s)
}

func ipListen(s string, a netip.Addr, p string) (Listen, error) {
	n, err := unsignedBits(p, 16)
	if err != nil || n == 0 || p == "" || isBlank(p[0]) {
		return Listen{}, wrong(s, "has no port from 1 to 65535", wantListen)
	}
	return Listen{Network: "ip", Addr: netip.AddrPortFrom(a, uint16(n))}, nil
}

func parseVsock(s, rest string) (Listen, error) {
	cid, p, ok := strings.Cut(rest, ":")
	l := Listen{Network: "vsock", CID: 1<<32 - 1}
	var err error
	if cid != "" {
		l.CID, err = ParseUnsigned(cid)
	}
	if err == nil {
		l.VPort, err = ParseUnsigned(p)
	}
	if !ok || err != nil {
		return Listen{}, wrong(s, "is no vsock address", "vsock:CID:PORT, CID empty for any")
	}
	return l, nil
}

// listen makes the checker of one socket type.
func listen(typ string) checker {
	return func(c *Context, s string) (string, error) {
		x, err := c.expand(s)
		if err != nil {
			return s, err
		}
		l, err := ParseListen(x)
		if err != nil {
			return s, err
		}
		if typ == "seqpacket" && l.Network != "unix" && !(l.Network == "vsock" && c.knows(256)) {
			return s, wrong(s, "is no address that sequential-packet sockets can have", "an absolute path or @NAME")
		}
		if x != s {
			return s, nil
		}
		return s, nil
	}
}

// netlinkFamilies are the protocols of AF_NETLINK by name.
var netlinkFamilies = []string{"route", "firewall", "inet-diag", "nflog", "xfrm", "selinux", "iscsi", "audit", "fib-lookup", "connector",
	"netfilter", "ip6-fw", "dnrtmsg", "kobject-uevent", "generic", "scsitransport", "ecryptfs", "rdma"}

func parseNetlink(s string) (Listen, error) {
	const want = `FAMILY or FAMILY GROUP, such as "kobject-uevent 1"`
	ws, err := Split(s, "", 0)
	if err != nil {
		return Listen{}, err
	}
	if len(ws) == 0 || len(ws) > 2 {
		return Listen{}, wrong(s, "is no netlink address", want)
	}
	l := Listen{Network: "netlink", Family: ws[0]}
	if !contains(netlinkFamilies, ws[0]) {
		if n, err := ParseInteger(ws[0], 0, 1<<31-1); err != nil || n < 0 {
			return l, wrong(s, "names no netlink family", want+"; families: "+strings.Join(netlinkFamilies, " "))
		}
	}
	if len(ws) == 2 {
		if l.Group, err = ParseUnsigned(ws[1]); err != nil {
			return l, wrong(s, "has no valid netlink group", want)
		}
	}
	return l, nil
}

// ParseNetlink reads an address of ListenNetlink=.
func ParseNetlink(s string) (Listen, error) { return parseNetlink(s) }

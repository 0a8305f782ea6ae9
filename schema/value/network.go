package value

import (
	"net/netip"
	"strings"

	"github.com/unitgen/unitgen/schema/directive"
)

var _ = register(map[directive.Kind]checker{
	"address-families": func(_ *Context, s string) (string, error) {
		_, _, err := ParseAddressFamilies(s)
		return s, err
	},
	"ip-prefixes": func(_ *Context, s string) (string, error) {
		_, err := ParseIPPrefixes(s)
		return s, err
	},
	"socket-protocol": func(c *Context, s string) (string, error) {
		if s == "udplite" || s == "sctp" || s == "mptcp" && c.knows(253) {
			return s, nil
		}
		return s, wrong(s, "is no protocol that sockets can have here", "udplite, sctp or mptcp")
	},
	"network-interface": whole(func(_ *Context, s string) error {
		if s == "*" {
			return nil
		}
		return interfaceName(s)
	}),
	"network-interfaces": words(Unquote, func(_ *Context, w string) error {
		if w == "~" {
			return nil
		}
		return interfaceName(strings.TrimPrefix(w, "~"))
	}),
	"socket-bind": func(_ *Context, s string) (string, error) {
		_, err := ParseSocketBind(s)
		return s, err
	},
	"nft-set": words(Unquote, func(_ *Context, w string) error {
		const want = "SOURCE:FAMILY:TABLE:SET with the sources cgroup, user or group and the families arp, bridge, inet, ip, ip6 or netdev"
		p := strings.Split(w, ":")
		if len(p) != 4 || !contains([]string{"cgroup", "user", "group"}, p[0]) || !contains([]string{"arp", "bridge", "inet", "ip", "ip6", "netdev"}, p[1]) {
			return wrong(w, "is no set of nftables", want)
		}
		for _, n := range p[2:] {
			if n == "" || len(n) > 31 || !(n[0] >= 'a' && n[0] <= 'z' || n[0] >= 'A' && n[0] <= 'Z') {
				return wrong(n, "is no name of a table or set", want)
			}
			for i := 0; i < len(n); i++ {
				if !isAlnum(n[i]) && strings.IndexByte("/\\_.", n[i]) < 0 {
					return wrong(n, "is no name of a table or set", want)
				}
			}
		}
		return nil
	}),
})

// interfaceName checks the name of a network interface.
func interfaceName(s string) error {
	const want = `the name of a network interface such as "eth0"`
	if s == "" || len(s) > 15 || s == "." || s == ".." || s == "all" || s == "default" || digits(s) == len(s) {
		return wrong(s, "is no name of a network interface", want)
	}
	if n, err := ParseInteger(s, 1, 1<<31-1); err == nil && n > 0 {
		return wrong(s, "is a number, not the name of a network interface", want)
	}
	for i := 0; i < len(s); i++ {
		if c := s[i]; c <= ' ' || c >= 127 || strings.IndexByte(":/%", c) >= 0 {
			return wrong(s, "is no name of a network interface", want)
		}
	}
	return nil
}

// familyNames are the address families of Linux by name.
var familyNames = strings.Fields(`AF_UNIX AF_LOCAL AF_INET AF_AX25 AF_IPX AF_APPLETALK AF_NETROM AF_BRIDGE AF_ATMPVC AF_X25
	AF_INET6 AF_ROSE AF_DECnet AF_NETBEUI AF_SECURITY AF_KEY AF_NETLINK AF_ROUTE AF_PACKET AF_ASH AF_ECONET AF_ATMSVC
	AF_RDS AF_SNA AF_IRDA AF_PPPOX AF_WANPIPE AF_LLC AF_IB AF_MPLS AF_CAN AF_TIPC AF_BLUETOOTH AF_IUCV AF_RXRPC AF_ISDN
	AF_PHONET AF_IEEE802154 AF_CAIF AF_ALG AF_NFC AF_VSOCK AF_KCM AF_QIPCRTR AF_SMC AF_XDP AF_MCTP AF_FILE`)

// ParseAddressFamilies reads a value of RestrictAddressFamilies=: families,
// "none", or a list of denied ones behind "~".
func ParseAddressFamilies(s string) (families []string, deny bool, err error) {
	if s == "none" {
		return nil, false, nil
	}
	t, deny := strings.CutPrefix(s, "~")
	ws, err := Split(t, "", Unquote)
	if err != nil {
		return nil, deny, err
	}
	for _, w := range ws {
		if !contains(familyNames, w) {
			return families, deny, wrong(w, "is no address family", "names such as AF_UNIX, AF_INET and AF_INET6, with ~ before the list to deny them, or none")
		}
		families = append(families, w)
	}
	return families, deny, nil
}

// addressGroups are the words that stand for several prefixes
// (systemd.resource-control(5), IPAddressAllow=).
var addressGroups = map[string][]string{
	"any":        {"0.0.0.0/0", "::/0"},
	"localhost":  {"127.0.0.0/8", "::1/128"},
	"link-local": {"169.254.0.0/16", "fe80::/64"},
	"multicast":  {"224.0.0.0/4", "ff00::/8"},
}

// ParseIPPrefixes reads a value of IPAddressAllow= or IPAddressDeny=. Host bits
// are cleared.
func ParseIPPrefixes(s string) ([]netip.Prefix, error) {
	ws, err := Split(s, "", 0)
	if err != nil {
		return nil, err
	}
	var out []netip.Prefix
	for _, w := range ws {
		if g, ok := addressGroups[w]; ok {
			for _, p := range g {
				out = append(out, netip.MustParsePrefix(p))
			}
			continue
		}
		if isLocalhost(w) {
			out = append(out, netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128"))
			continue
		}
		p, err := ParseIPPrefix(w)
		if err != nil {
			return out, err
		}
		out = append(out, p)
	}
	return out, nil
}

// isLocalhost reports whether a name is one of those that always mean this
// machine: localhost and what lies below it, in any case.
func isLocalhost(s string) bool {
	s = strings.ToLower(strings.TrimSuffix(s, "."))
	for _, n := range []string{"localhost", "localhost.localdomain"} {
		if s == n || strings.HasSuffix(s, "."+n) {
			return true
		}
	}
	return false
}

// ParseIPPrefix reads an address with or without a prefix length.
func ParseIPPrefix(s string) (netip.Prefix, error) {
	const want = "an address or a network such as 192.168.0.0/16, or any, localhost, link-local or multicast"
	host, bits, has := strings.Cut(s, "/")
	a, err := netip.ParseAddr(host)
	if err != nil || a.Zone() != "" {
		return netip.Prefix{}, wrong(s, "is no network address", want)
	}
	n := a.BitLen()
	if has {
		v, err := unsignedBits(bits, 8)
		if err != nil || int(v) > a.BitLen() {
			return netip.Prefix{}, wrong(s, "has no valid prefix length", want)
		}
		n = int(v)
	}
	return netip.PrefixFrom(a, n).Masked(), nil
}

// SocketBind is one rule of SocketBindAllow= or SocketBindDeny=.
type SocketBind struct {
	Family    string // "ipv4", "ipv6" or "" for both
	Protocol  string // "tcp", "udp" or "" for both
	Low, High uint16 // ports; 0 and 0: all
}

// ParseSocketBind reads [FAMILY:][PROTOCOL:]PORTS (systemd.resource-control(5)).
func ParseSocketBind(s string) (SocketBind, error) {
	const want = `"any", or [ipv4:|ipv6:][tcp:|udp:]PORT or LOW-HIGH`
	var b SocketBind
	parts, err := Split(s, ":", DontCoalesce) // which drops backslashes
	if err != nil {
		return b, err
	}
	s = strings.Join(parts, ":")
	if s == "any" {
		return b, nil
	}
	rest := s
	if f, r, ok := strings.Cut(rest, ":"); ok && (f == "ipv4" || f == "ipv6") {
		b.Family, rest = f, r
	} else if rest == "ipv4" || rest == "ipv6" {
		b.Family = rest
		return b, nil
	}
	if p, r, ok := strings.Cut(rest, ":"); ok && (p == "tcp" || p == "udp") {
		b.Protocol, rest = p, r
	} else if rest == "tcp" || rest == "udp" {
		b.Protocol = rest
		return b, nil
	}
	if rest == "any" {
		return b, nil
	}
	low, high, isRange := strings.Cut(rest, "-")
	l, err := port(low)
	if err != nil {
		return b, wrong(s, "is no rule for binding sockets", want)
	}
	b.Low, b.High = l, l
	if isRange {
		if b.High, err = port(high); err != nil || b.High < b.Low {
			return b, wrong(s, "has no valid range of ports", want)
		}
	}
	return b, nil
}

func port(s string) (uint16, error) {
	n, err := unsignedBits(s, 16)
	if err != nil || n == 0 || s == "" || isBlank(s[0]) {
		return 0, wrong(s, "is no port", "a number from 1 to 65535")
	}
	return uint16(n), nil
}

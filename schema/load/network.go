package load

import (
	"net/netip"
	"strings"

	"github.com/unitgen/unitgen/schema/value"
)

// prefixWords are the words of IPAddressAllow= that stand for networks.
var prefixWords = map[string][]string{
	"any":        {"0.0.0.0/0", "::/0"},
	"localhost":  {"127.0.0.0/8", "::1/128"},
	"link-local": {"169.254.0.0/16", "fe80::/64"},
	"multicast":  {"224.0.0.0/4", "ff00::/8"},
}

// ipPrefixes writes every network out: words become what they stand for,
// addresses get the length of one host, each network is named once.
func ipPrefixes(list []string) []string {
	var out []string
	for _, e := range list {
		for _, w := range strings.Fields(e) {
			if p := prefixWords[w]; p != nil {
				out = append(out, p...)
				continue
			}
			if p, err := netip.ParsePrefix(w); err == nil {
				out = append(out, p.Masked().String())
			} else if a, err := netip.ParseAddr(w); err == nil {
				out = append(out, netip.PrefixFrom(a, a.BitLen()).String())
			} else {
				out = append(out, w)
			}
		}
	}
	return unique(out)
}

// namespaces adds the assignments of RestrictNamespaces= up: yes, no, or the
// namespaces that stay allowed.
func namespaces(list []string) []string {
	var allowed uint64
	for i, v := range list {
		inverted := strings.HasPrefix(v, "~")
		if b, ok := parseBool(v); ok {
			allowed = value.AllNamespaces
			if b {
				allowed = 0
			}
			continue
		}
		set, err := value.ParseNamespaces(strings.TrimPrefix(v, "~"))
		switch {
		case err != nil:
		case i == 0 && inverted:
			allowed = value.AllNamespaces &^ set
		case i == 0:
			allowed = set
		case inverted:
			allowed &^= set
		default:
			allowed |= set
		}
	}
	switch allowed {
	case 0:
		return []string{"yes"}
	case value.AllNamespaces:
		return []string{"no"}
	}
	return value.NamespaceNames(allowed)
}

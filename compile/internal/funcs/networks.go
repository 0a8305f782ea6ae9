package funcs

import (
	"fmt"
	"math/big"
	"net"

	"github.com/apparentlymart/go-cidr/cidr"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/gocty"
)

func init() {
	const c = "Networks"
	add(c, "cidrcontains(prefix, address)", "Whether an IP network holds an address or a network.", cidrcontains, `cidrcontains("10.0.0.0/8", "10.1.2.3")`, `true`)
	add(c, "cidrhost(prefix, number)", "The address with a number in an IP network; negative numbers count from the end.", cidrhost, `cidrhost("10.12.0.0/16", 16)`, `"10.12.0.16"`)
	add(c, "cidrnetmask(prefix)", "The netmask of an IPv4 network.", str(cidrnetmask, "prefix"), `cidrnetmask("10.0.0.0/12")`, `"255.240.0.0"`)
	add(c, "cidrsubnet(prefix, newbits, number)", "The network with a number among those that are newbits longer.", cidrsubnet, `cidrsubnet("10.0.0.0/8", 8, 2)`, `"10.2.0.0/16"`)
	add(c, "cidrsubnets(prefix, newbits…)", "Consecutive networks, each longer by its newbits.", cidrsubnets, `cidrsubnets("10.0.0.0/8", 8, 8, 16)`, `["10.0.0.0/16", "10.1.0.0/16", "10.2.0.0/24"]`)
}

func network(s string) (*net.IPNet, error) {
	_, n, err := net.ParseCIDR(s)
	if err != nil {
		return nil, function.NewArgErrorf(0, "must be an IP network such as \"10.0.0.0/8\", not %q", s)
	}
	return n, nil
}

func whole(v cty.Value, arg int) (int, error) {
	var n int
	if err := gocty.FromCtyValue(v, &n); err != nil {
		return 0, function.NewArgErrorf(arg, "must be a whole number")
	}
	return n, nil
}

func cidrnetmask(a []string) (string, error) {
	n, err := network(a[0])
	if err != nil {
		return "", err
	}
	if n.IP.To4() == nil {
		return "", function.NewArgErrorf(0, "must be an IPv4 network; IPv6 has no netmasks")
	}
	return net.IP(n.Mask).String(), nil
}

var cidrcontains = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "prefix", Type: cty.String}, {Name: "address", Type: cty.String}},
	Type:   function.StaticReturnType(cty.Bool),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		n, err := network(args[0].AsString())
		if err != nil {
			return cty.UnknownVal(cty.Bool), err
		}
		if ip := net.ParseIP(args[1].AsString()); ip != nil {
			return cty.BoolVal(n.Contains(ip)), nil
		}
		_, in, err := net.ParseCIDR(args[1].AsString())
		if err != nil {
			return cty.UnknownVal(cty.Bool), function.NewArgErrorf(1, "must be an IP address or network")
		}
		first, last := cidr.AddressRange(in)
		return cty.BoolVal(n.Contains(first) && n.Contains(last)), nil
	},
})

var cidrhost = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "prefix", Type: cty.String}, {Name: "number", Type: cty.Number}},
	Type:   function.StaticReturnType(cty.String),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		n, err := network(args[0].AsString())
		if err != nil {
			return cty.UnknownVal(cty.String), err
		}
		var num *big.Int
		if err := gocty.FromCtyValue(args[1], &num); err != nil {
			return cty.UnknownVal(cty.String), function.NewArgErrorf(1, "must be a whole number")
		}
		ip, err := cidr.HostBig(n, num)
		if err != nil {
			return cty.UnknownVal(cty.String), err
		}
		return cty.StringVal(ip.String()), nil
	},
})

var cidrsubnet = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "prefix", Type: cty.String}, {Name: "newbits", Type: cty.Number}, {Name: "number", Type: cty.Number}},
	Type:   function.StaticReturnType(cty.String),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		n, err := network(args[0].AsString())
		if err != nil {
			return cty.UnknownVal(cty.String), err
		}
		bits, err := whole(args[1], 1)
		if err != nil {
			return cty.UnknownVal(cty.String), err
		}
		var num *big.Int
		if err := gocty.FromCtyValue(args[2], &num); err != nil {
			return cty.UnknownVal(cty.String), function.NewArgErrorf(2, "must be a whole number")
		}
		sub, err := cidr.SubnetBig(n, bits, num)
		if err != nil {
			return cty.UnknownVal(cty.String), err
		}
		return cty.StringVal(sub.String()), nil
	},
})

var cidrsubnets = function.New(&function.Spec{
	Params:   []function.Parameter{{Name: "prefix", Type: cty.String}},
	VarParam: &function.Parameter{Name: "newbits", Type: cty.Number},
	Type:     function.StaticReturnType(cty.List(cty.String)),
	Impl: func(args []cty.Value, t cty.Type) (cty.Value, error) {
		n, err := network(args[0].AsString())
		if err != nil {
			return cty.UnknownVal(t), err
		}
		start, _ := n.Mask.Size()
		var out []cty.Value
		var last *net.IPNet
		for i, a := range args[1:] {
			bits, err := whole(a, i+1)
			if err != nil {
				return cty.UnknownVal(t), err
			}
			_, size := n.Mask.Size()
			if bits < 1 || start+bits > size {
				return cty.UnknownVal(t), function.NewArgErrorf(i+1, "must be from 1 to %d", size-start)
			}
			cur := &net.IPNet{IP: n.IP, Mask: net.CIDRMask(start+bits, size)}
			if last != nil {
				next, over := cidr.NextSubnet(last, start+bits)
				if over || !n.Contains(next.IP) {
					return cty.UnknownVal(t), fmt.Errorf("the network %s has no room for a further network of %d bits", n, start+bits)
				}
				cur = next
			}
			last = cur
			out = append(out, cty.StringVal(cur.String()))
		}
		if len(out) == 0 {
			return cty.ListValEmpty(cty.String), nil
		}
		return cty.ListVal(out), nil
	},
})

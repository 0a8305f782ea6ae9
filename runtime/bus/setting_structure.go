//go:build linux

package bus

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/unitgen/unitgen/schema/value"
)

// convertStructure makes the values of compound signatures.
func convertStructure(sig, name string, vals []string) (any, bool) {
	switch sig {
	case "(bas)":
		return allowList(name, vals), true
	case "(bs)":
		s, ignore := strings.CutPrefix(vals[len(vals)-1], "-")
		return struct {
			Ignore bool
			Label  string
		}{ignore, text8(s)}, true
	case "(aiai)":
		return exitStatuses(vals), true
	case "a(ss)":
		return pairs(name, vals), true
	case "a(st)":
		return deviceNumbers(name, vals), true
	case "a(sb)":
		out := []struct {
			Path   string
			Ignore bool
		}{}
		for _, s := range vals {
			path, ignore := strings.CutPrefix(s, "-")
			out = append(out, struct {
				Path   string
				Ignore bool
			}{text8(path), ignore})
		}
		return out, true
	case "a(ssbt)":
		return bindPaths(vals), true
	case "a(say)":
		out := []struct {
			ID   string
			Data []byte
		}{}
		for _, s := range vals {
			if c, err := value.ParseSetCredential(s, nil); err == nil {
				out = append(out, struct {
					ID   string
					Data []byte
				}{text8(c.Name), []byte(c.Data)})
			}
		}
		return out, true
	case "a(iayu)":
		return prefixes(vals), true
	case "a(iiqq)":
		return socketBinds(vals), true
	case "aay":
		out := [][]byte{}
		for _, s := range words(vals) {
			out = append(out, []byte(s))
		}
		return out, true
	case "a(ssba(ss))", "a(sba(ss))":
		return images(sig, vals), true
	}
	return nil, false
}

// allow is (bas): whether the list allows, and the list.
type allow struct {
	Allow bool
	List  []string
}

func allowList(name string, vals []string) allow {
	out := allow{Allow: true, List: []string{}}
	for i, s := range vals {
		rest, deny := strings.CutPrefix(s, "~")
		if deny && i == 0 {
			out.Allow = false
		}
		if name == "SystemCallFilter" || name == "SystemCallLog" {
			for _, w := range strings.Fields(rest) {
				out.List = append(out.List, text8(w))
			}
			continue
		}
		out.List = append(out.List, texts(strings.Fields(rest))...)
	}
	slices.Sort(out.List)
	if name == "RestrictAddressFamilies" && len(out.List) == 1 && out.List[0] == "none" {
		out.List = []string{}
	}
	return out
}

func exitStatuses(vals []string) any {
	out := struct{ Codes, Signals []int32 }{[]int32{}, []int32{}}
	for _, w := range words(vals) {
		code, sig, err := value.ParseExitStatus(w)
		switch {
		case err != nil:
		case sig > 0:
			out.Signals = append(out.Signals, int32(sig))
		default:
			out.Codes = append(out.Codes, int32(code))
		}
	}
	return out
}

// pairs splits "A:B" (credentials, mount options, temporary file systems, BPF
// programs) or "DEVICE ACCESS".
func pairs(name string, vals []string) []pair2 {
	out := []pair2{}
	for _, s := range vals {
		switch name {
		case "DeviceAllow":
			if d, err := value.ParseDeviceAllow(s, nil); err == nil {
				out = append(out, pair2{text8(d.Device), or(d.Rights, "rwm")})
			}
		case "LoadCredential", "LoadCredentialEncrypted":
			if c, err := value.ParseLoadCredential(s, nil); err == nil {
				out = append(out, pair2{text8(c.Name), text8(c.Path)})
			}
		default:
			for _, w := range words([]string{s}) {
				a, b, _ := strings.Cut(w, ":")
				out = append(out, pair2{text8(a), text8(b)})
			}
		}
	}
	return out
}

// deviceNumber is an element of a(st).
type deviceNumber struct {
	Path  string
	Value uint64
}

func deviceNumbers(name string, vals []string) []deviceNumber {
	out := []deviceNumber{}
	for _, s := range vals {
		i := strings.LastIndexAny(s, " \t")
		if i < 0 {
			continue
		}
		path, num := strings.TrimSpace(s[:i]), s[i+1:]
		n, ok := uint64(0), false
		switch {
		case name == "IODeviceLatencyTargetUSec":
			var v any
			if v, ok = span(num); ok {
				n = v.(uint64)
			}
		case strings.HasSuffix(name, "Weight"):
			x, err := strconv.ParseUint(num, 10, 64)
			n, ok = x, err == nil
		default:
			x, err := value.ParseSizeSI(num)
			n, ok = x, err == nil
		}
		if ok {
			out = append(out, deviceNumber{text8(path), n})
		}
	}
	return out
}

func bindPaths(vals []string) any {
	type row struct {
		Source, Dest string
		Ignore       bool
		Flags        uint64
	}
	out := []row{}
	for _, s := range vals {
		bs, err := value.ParseBindPaths(s, nil)
		if err != nil {
			continue
		}
		for _, b := range bs {
			r := row{text8(b.Source), text8(b.Target), b.Optional, unix.MS_REC}
			if b.Flat {
				r.Flags = 0
			}
			out = append(out, r)
		}
	}
	return out
}

// prefixRow is an element of a(iayu): address family, address, prefix length.
type prefixRow struct {
	Family int32
	Addr   []byte
	Bits   uint32
}

func prefixes(vals []string) []prefixRow {
	out := []prefixRow{}
	add := func(p netip.Prefix) {
		r := prefixRow{unix.AF_INET6, p.Addr().AsSlice(), uint32(p.Bits())}
		if p.Addr().Is4() {
			r.Family = unix.AF_INET
		}
		out = append(out, r)
	}
	for _, s := range vals {
		ps, err := value.ParseIPPrefixes(s)
		if err != nil {
			continue
		}
		for _, p := range ps {
			add(p)
		}
	}
	return out
}

func socketBinds(vals []string) any {
	type row struct {
		Family, Protocol int32
		Count, Min       uint16
	}
	out := []row{}
	for _, s := range vals {
		b, err := value.ParseSocketBind(s)
		if err != nil {
			continue
		}
		r := row{Family: map[string]int32{"ipv4": unix.AF_INET, "ipv6": unix.AF_INET6}[b.Family],
			Protocol: map[string]int32{"tcp": unix.IPPROTO_TCP, "udp": unix.IPPROTO_UDP}[b.Protocol]}
		if b.Low != 0 {
			r.Count, r.Min = b.High-b.Low+1, b.Low
		}
		out = append(out, r)
	}
	return out
}

// images reads MountImages= and ExtensionImages=: SOURCE[:DESTINATION]
// [:PARTITION:OPTIONS…].
func images(sig string, vals []string) any {
	type mount struct {
		Source, Dest string
		Ignore       bool
		Options      []pair2
	}
	type extension struct {
		Source  string
		Ignore  bool
		Options []pair2
	}
	ms, es := []mount{}, []extension{}
	for _, w := range words(vals) {
		src, ignore := strings.CutPrefix(w, "-")
		parts := strings.Split(src, ":")
		skip := 1
		if sig == "a(ssba(ss))" {
			skip = 2
		}
		opts := []pair2{}
		for i := skip; i < len(parts); i += 2 {
			if i+1 < len(parts) {
				opts = append(opts, pair2{text8(parts[i]), text8(parts[i+1])})
			} else {
				opts = append(opts, pair2{"root", text8(parts[i])})
			}
		}
		dest := ""
		if len(parts) > 1 {
			dest = parts[1]
		}
		ms = append(ms, mount{text8(parts[0]), text8(dest), ignore, opts})
		es = append(es, extension{text8(parts[0]), ignore, opts})
	}
	if sig == "a(sba(ss))" {
		return es
	}
	return ms
}

// convertBytes makes byte arrays: CPU and node masks, hashes, input data.
func convertBytes(name string, vals []string) (any, bool) {
	joined := strings.Join(vals, " ")
	switch name {
	case "CPUAffinity":
		if joined == "numa" {
			return []byte{}, true
		}
		return cpuMask(joined), true
	case "NUMAMask", "AllowedCPUs", "StartupAllowedCPUs", "AllowedMemoryNodes", "StartupAllowedMemoryNodes":
		return cpuMask(joined), true
	case "StandardInputData":
		return []byte(joined), true
	}
	return []byte{}, true
}

// cpuMask gives a CPU list as the bytes of a mask, lowest CPU first.
func cpuMask(s string) []byte {
	set, err := value.ParseCPUSet(s)
	if err != nil || set.Len() == 0 {
		return []byte{}
	}
	list := set.List()
	mask := make([]byte, (list[len(list)-1]/64+1)*8) // whole words, as the kernel has them
	for _, n := range list {
		mask[n/8] |= 1 << (n % 8)
	}
	return mask
}

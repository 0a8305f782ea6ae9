package ctl

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/godbus/dbus/v5"

	"github.com/unitgen/unitgen/runtime/bus"
	"github.com/unitgen/unitgen/schema/unitname"
	"github.com/unitgen/unitgen/schema/value"
)

func (r *run) show() int {
	if len(r.args) == 0 {
		p, err := r.c.GetManagerProperties(r.ctx)
		if err != nil {
			return r.tell("get properties", err)
		}
		return r.properties(p, bus.PropertyNames("org.freedesktop.systemd1.Manager"), true)
	}
	code := exitSuccess
	first := true
	var args []string
	for _, a := range r.args {
		if id, err := strconv.ParseUint(a, 10, 32); err == nil {
			var all map[string]dbus.Variant
			path := dbus.ObjectPath(fmt.Sprintf("/org/freedesktop/systemd1/job/%d", id))
			if err := r.c.CallObject(r.ctx, path, "org.freedesktop.DBus.Properties.GetAll", []any{""}, &all); err != nil {
				return r.tell("get properties", err)
			}
			p := map[string]any{}
			for k, v := range all {
				p[k] = v.Value()
			}
			if !first {
				r.print("\n")
			}
			first = false
			r.properties(p, bus.PropertyNames("org.freedesktop.systemd1.Job"), false)
			continue
		}
		args = append(args, a)
	}
	units, ok := r.names(args, "service")
	if !ok {
		return exitFailure
	}
	for _, u := range units {
		p, err := r.c.GetUnitProperties(r.ctx, u)
		if err != nil {
			code = r.tell("get properties", err)
			continue
		}
		if !first {
			r.print("\n")
		}
		first = false
		t := unitname.Type(u)
		order := bus.PropertyNames("org.freedesktop.systemd1." + strings.ToUpper(t[:1]) + t[1:])
		r.properties(p, append(slices.Clone(order), bus.PropertyNames("org.freedesktop.systemd1.Unit")...), false)
	}
	return code
}

// properties prints NAME=value lines in the order of the names; empty ones are
// left out unless they are asked for.
func (r *run) properties(p map[string]any, order []string, manager bool) int {
	known := map[string]bool{}
	for _, n := range order {
		known[n] = true
	}
	var rest []string
	for n := range p {
		if !known[n] {
			rest = append(rest, n)
		}
	}
	slices.Sort(rest)
	for _, n := range append(order, rest...) {
		v, ok := p[n]
		if !ok || r.properties_() && !slices.Contains(r.options.properties, n) {
			continue
		}
		for _, text := range r.spell(n, v, p) {
			if text == "" && !r.all && !r.properties_() {
				continue
			}
			if r.value {
				r.print("%s\n", text)
			} else {
				r.print("%s=%s\n", n, text)
			}
		}
	}
	return exitSuccess
}

// properties_ reports whether properties were named.
func (r *run) properties_() bool { return r.options.properties != nil }

// spell writes a property as systemctl show does; most have one line, commands
// and listen addresses one each.
func (r *run) spell(name string, v any, all map[string]any) []string {
	one := func(s string) []string { return []string{s} }
	switch name {
	case "TTYRows", "TTYColumns", "SetCredential", "SetCredentialEncrypted", "LoadCredential", "LoadCredentialEncrypted", "ExitCode", "Conditions", "Asserts", "ActivationDetails":
		if r.all || r.properties_() {
			return one("[unprintable]") // so says systemctl
		}
		return nil
	}
	switch x := v.(type) {
	case string:
		return one(escapeText(x))
	case bool:
		return one(yesNo(x))
	case []string:
		return one(r.spellList(name, x))
	case uint64:
		return r.spellWide(name, x)
	case uint32:
		switch {
		case name == "UMask" || strings.HasSuffix(name, "Mode"):
			return one(fmt.Sprintf("%04o", x))
		case name == "UID" || name == "GID":
			if x == ^uint32(0) {
				return one("[not set]")
			}
		}
		if x == ^uint32(0) && (name == "MaxConnectionsPerSource") {
			return one("")
		}
		return one(strconv.FormatUint(uint64(x), 10))
	case int32:
		if name == "NUMAPolicy" {
			return one(map[int32]string{-1: "n/a", 0: "default", 1: "preferred", 2: "bind", 3: "interleave", 4: "local"}[x])
		}
		if name == "SuccessActionExitStatus" || name == "FailureActionExitStatus" {
			if x < 0 && (r.all || r.properties_()) {
				return one("[not set]")
			} else if x < 0 {
				return nil
			}
		}
		return one(strconv.FormatInt(int64(x), 10))
	case int64:
		return one(strconv.FormatInt(x, 10))
	case uint16:
		if x == 65535 {
			return one("")
		}
		return one(strconv.FormatUint(uint64(x), 10))
	case float64:
		return one(strconv.FormatFloat(x, 'g', 6, 64))
	case []byte:
		return one(spellBytes(name, x))
	case [][]byte:
		var ws []string
		for _, b := range x {
			ws = append(ws, string(b))
		}
		return one(strings.Join(ws, " "))
	case [][]any:
		return r.spellRows(name, x)
	case []any:
		s := spellStruct(name, x)
		if s == "" && (r.all || r.properties_()) && len(x) == 2 && x[0] == false {
			if _, list := x[1].([]string); list {
				s = "~" // a deny list of nothing
			}
		}
		return one(s)
	}
	return nil // systemctl shows no other types
}

// escapeText shows a text on one line.
func escapeText(s string) string {
	if !strings.ContainsAny(s, "\n\t\r\\") {
		return s
	}
	return strings.NewReplacer("\n", "\\n", "\t", "\\t", "\r", "\\r").Replace(s)
}

func (r *run) spellList(name string, list []string) string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = s
		if s == "" || strings.ContainsAny(s, " \t\n\r\"\\`$*?['()<>|&;!") {
			out[i] = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "`", "\\`", "$", `\$`, "\n", `\n`, "\t", `\t`).Replace(s) + `"`
		}
	}
	return strings.Join(out, " ")
}

func (r *run) spellWide(name string, n uint64) []string {
	one := func(s string) []string { return []string{s} }
	switch {
	case name == "CapabilityBoundingSet" || name == "AmbientCapabilities":
		return one(strings.ToLower(value.FormatCapabilities(n)))
	case name == "RestrictNamespaces":
		return one(spellNamespaces(n))
	case name == "MountFlags":
		return one(map[uint64]string{1 << 20: "shared", 1 << 19: "slave", 1 << 18: "private"}[n])
	case name == "CoredumpFilter":
		return one(fmt.Sprintf("0x%x", n))
	case strings.HasSuffix(name, "Timestamp"):
		return one(r.stamp(n, ""))
	case name == "NextElapseUSecRealtime", name == "LastTriggerUSec":
		pretty := *r
		pretty.options = &options{timestamp: "pretty"}
		return one(pretty.stamp(n, ""))
	case strings.HasSuffix(name, "USec"), strings.HasSuffix(name, "USecMonotonic"):
		return one(value.FormatTimeSpan(n, 1))
	case n == never && strings.HasPrefix(name, "IP") && (strings.HasSuffix(name, "Bytes") || strings.HasSuffix(name, "Packets")):
		return one("[no data]")
	case n == never && slices.Contains([]string{"CPUUsageNSec", "TasksCurrent", "MemoryCurrent", "CPUWeight", "StartupCPUWeight", "CPUShares",
		"StartupCPUShares", "IOWeight", "StartupIOWeight", "BlockIOWeight", "StartupBlockIOWeight"}, name):
		return one("[not set]")
	case n == never && (strings.HasPrefix(name, "Memory") || strings.HasPrefix(name, "Limit") || strings.HasPrefix(name, "DefaultLimit") || name == "TasksMax" || name == "DefaultTasksMax"):
		return one("infinity")
	}
	return one(strconv.FormatUint(n, 10))
}

func spellNamespaces(n uint64) string {
	const all = 0x02000000 | 0x08000000 | 0x40000000 | 0x00020000 | 0x20000000 | 0x10000000 | 0x04000000
	switch {
	case n&all == all:
		return "no"
	case n&all == 0:
		return "yes"
	}
	var ws []string
	for _, f := range []struct {
		bit  uint64
		name string
	}{{0x02000000, "cgroup"}, {0x08000000, "ipc"}, {0x40000000, "net"}, {0x00020000, "mnt"}, {0x20000000, "pid"}, {0x10000000, "user"}, {0x04000000, "uts"}} {
		if n&f.bit != 0 {
			ws = append(ws, f.name)
		}
	}
	return strings.Join(ws, " ")
}

func spellBytes(name string, b []byte) string {
	switch name {
	case "InvocationID":
		if len(b) != 16 || !slices.ContainsFunc(b, func(c byte) bool { return c != 0 }) {
			return ""
		}
		return hex.EncodeToString(b)
	case "CPUAffinity", "NUMAMask", "AllowedCPUs", "StartupAllowedCPUs", "AllowedMemoryNodes", "StartupAllowedMemoryNodes", "EffectiveCPUs", "EffectiveMemoryNodes":
		var ranges []string
		for i := 0; i < len(b)*8; i++ {
			if b[i/8]&(1<<(i%8)) == 0 {
				continue
			}
			j := i
			for j+1 < len(b)*8 && b[(j+1)/8]&(1<<((j+1)%8)) != 0 {
				j++
			}
			if i == j {
				ranges = append(ranges, strconv.Itoa(i))
			} else {
				ranges = append(ranges, fmt.Sprintf("%d-%d", i, j))
			}
			i = j
		}
		return strings.Join(ranges, " ")
	}
	return hex.EncodeToString(b)
}

func spellStruct(name string, x []any) string {
	if len(x) != 2 {
		return ""
	}
	switch a := x[0].(type) {
	case uint32: // Job
		if a == 0 {
			return ""
		}
		return strconv.FormatUint(uint64(a), 10)
	case bool:
		if list, ok := x[1].([]string); ok {
			s := strings.Join(list, " ")
			if !a && s != "" {
				s = "~" + s
			}
			return s
		}
		s, _ := x[1].(string)
		if a && s != "" {
			s = "-" + s
		}
		return s
	case string:
		if name == "Unit" {
			return a
		}
		s, _ := x[1].(string)
		return strings.TrimSpace(a + " \"" + s + "\"")[:len(strings.TrimSpace(a+" \""+s+"\""))*btoi(a != "")]
	case []int32:
		sigs, _ := x[1].([]int32)
		var ws []string
		for _, n := range a {
			ws = append(ws, strconv.Itoa(int(n)))
		}
		for _, n := range sigs {
			ws = append(ws, strings.TrimPrefix(value.SignalName(int(n)), "SIG"))
		}
		return strings.Join(ws, " ")
	}
	return ""
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (r *run) spellRows(name string, rows [][]any) []string {
	var out []string
	if strings.HasPrefix(name, "Exec") && (len(rows) == 0 || len(rows[0]) == 10) {
		for _, x := range rows {
			out = append(out, r.spellCommand(x))
		}
		return out
	}
	for _, x := range rows {
		s := func(i int) string { return fmt.Sprint(x[i]) }
		switch name {
		case "Listen":
			out = append(out, fmt.Sprintf("%s (%s)", s(1), s(0)))
		case "Paths":
			out = append(out, fmt.Sprintf("%s (%s)", s(1), s(0)))
		case "TimersMonotonic":
			v, _ := x[1].(uint64)
			next, _ := x[2].(uint64)
			out = append(out, fmt.Sprintf("{ %s=%s ; next_elapse=%s }", s(0), value.FormatTimeSpan(v, 1), value.FormatTimeSpan(next, 1)))
		case "TimersCalendar":
			next, _ := x[2].(uint64)
			out = append(out, fmt.Sprintf("{ %s=%s ; next_elapse=%s }", s(0), s(1), r.stamp(next, "n/a")))
		case "EnvironmentFiles":
			out = append(out, fmt.Sprintf("%s (ignore_errors=%s)", s(0), yesNo(x[1] == true)))
		case "DeviceAllow":
			out = append(out, s(0)+" "+s(1))
		case "IPAddressAllow", "IPAddressDeny":
			out = append(out, spellPrefix(x))
		default:
			ws := make([]string, len(x))
			for i := range x {
				ws[i] = fmt.Sprint(x[i])
			}
			out = append(out, strings.Join(ws, " "))
		}
	}
	switch name {
	case "IPAddressAllow", "IPAddressDeny", "MountImages", "ExtensionImages", "BindPaths", "BindReadOnlyPaths", "TemporaryFileSystem":
		return []string{strings.Join(out, " ")}
	}
	return out
}

func spellPrefix(x []any) string {
	b, _ := x[1].([]byte)
	n, _ := x[2].(uint32)
	switch len(b) {
	case 4:
		return fmt.Sprintf("%d.%d.%d.%d/%d", b[0], b[1], b[2], b[3], n)
	case 16:
		return fmt.Sprintf("%x/%d", b, n)
	}
	return ""
}

// spellCommand writes one command with its last run.
func (r *run) spellCommand(x []any) string {
	argv, _ := x[1].([]string)
	middle := ""
	switch f := x[2].(type) {
	case bool:
		middle = "ignore_errors=" + yesNo(f)
	case []string:
		middle = "flags=" + strings.Join(f, " ")
	}
	start, _ := x[3].(uint64)
	stop, _ := x[5].(uint64)
	code, _ := x[8].(int32)
	status, _ := x[9].(int32)
	what := map[int32]string{1: "exited", 2: "killed", 3: "dumped", 4: "trapped", 5: "stopped", 6: "continued"}[code]
	tail := "0/0"
	if what == "" {
		what = "(null)"
	}
	switch {
	case code == 2 || code == 3:
		tail = fmt.Sprintf("%d/%s", status, strings.TrimPrefix(value.SignalName(int(status)), "SIG"))
	case code == 1:
		tail = strconv.Itoa(int(status))
	}
	return fmt.Sprintf("{ path=%s ; argv[]=%s ; %s ; start_time=[%s] ; stop_time=[%s] ; pid=%v ; code=%s ; status=%s }",
		x[0], strings.Join(argv, " "), middle, r.stamp(start, "n/a"), r.stamp(stop, "n/a"), x[7], what, tail)
}

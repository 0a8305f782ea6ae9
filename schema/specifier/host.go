package specifier

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// Host holds the facts of a machine that specifiers name.
type Host struct {
	Architecture string            // %a, systemd's name: "x86-64"
	Hostname     string            // %H
	Pretty       string            // %q; "" for the short host name
	MachineID    string            // %m, 32 hexadecimal digits
	BootID       string            // %b, the same
	Kernel       string            // %v, as uname -r
	OSRelease    map[string]string // ID= for %o, IMAGE_VERSION= for %A …
}

// osFields maps specifiers to the fields of os-release(5).
var osFields = map[byte]string{
	'A': "IMAGE_VERSION", 'B': "BUILD_ID", 'M': "IMAGE_ID", 'o': "ID", 'w': "VERSION_ID", 'W': "VARIANT_ID",
}

func (h *Host) lookup(letter byte) string {
	switch letter {
	case 'a':
		return h.Architecture
	case 'H':
		return h.Hostname
	case 'l', 'q':
		if letter == 'q' && h.Pretty != "" {
			return h.Pretty
		}
		short, _, _ := strings.Cut(h.Hostname, ".")
		return short
	case 'm':
		return h.MachineID
	case 'b':
		return h.BootID
	case 'v':
		return h.Kernel
	}
	if v := h.OSRelease[osFields[letter]]; v != "" || letter != 'o' {
		return v
	}
	return "linux" // the default that os-release(5) gives ID=
}

// architectures maps Go's names to systemd's (ConditionArchitecture=).
var architectures = map[string]string{
	"386": "x86", "amd64": "x86-64", "arm": "arm", "arm64": "arm64", "loong64": "loongarch64",
	"mips": "mips", "mipsle": "mips-le", "mips64": "mips64", "mips64le": "mips64-le",
	"ppc64": "ppc64", "ppc64le": "ppc64-le", "riscv64": "riscv64", "s390x": "s390x",
}

// Architecture gives systemd's name of the architecture that the program was
// built for.
func Architecture() string { return architectures[runtime.GOARCH] }

// ReadHost reads the facts of the machine whose root directory is given: its
// files below root, and kernel, host name and boot ID of the running machine.
// What cannot be read stays empty.
func ReadHost(root string) Host {
	h := Host{Architecture: Architecture()}
	h.Hostname, _ = os.Hostname()
	h.Kernel = firstLine("/proc/sys/kernel/osrelease")
	h.BootID = strings.ReplaceAll(firstLine("/proc/sys/kernel/random/boot_id"), "-", "")
	h.MachineID = firstLine(filepath.Join(root, "etc/machine-id"))
	for _, p := range []string{"etc/os-release", "usr/lib/os-release"} {
		if m := readAssignments(filepath.Join(root, p)); m != nil {
			h.OSRelease = m
			break
		}
	}
	h.Pretty = readAssignments(filepath.Join(root, "etc/machine-info"))["PRETTY_HOSTNAME"]
	return h
}

func firstLine(file string) string {
	b, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	l, _, _ := strings.Cut(string(b), "\n")
	return strings.TrimSpace(l)
}

// readAssignments reads a file of NAME="value" lines (os-release(5)).
func readAssignments(file string) map[string]string {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	m := map[string]string{}
	for _, l := range strings.Split(string(b), "\n") {
		l = strings.TrimSpace(l)
		if l == "" || l[0] == '#' {
			continue
		}
		if k, v, ok := strings.Cut(l, "="); ok {
			m[k] = unquote(v)
		}
	}
	return m
}

// unquote takes the quotes and backslashes of a shell-like value off.
func unquote(s string) string {
	var b strings.Builder
	var q byte
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case q != '\'' && c == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		case q != 0 && c == q:
			q = 0
		case q == 0 && (c == '"' || c == '\''):
			q = c
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

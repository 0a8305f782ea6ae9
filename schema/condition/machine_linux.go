package condition

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/unitgen/unitgen/schema/specifier"
	"github.com/unitgen/unitgen/schema/value"
)

func (s *System) firstBoot(p string) (bool, error) {
	want, err := value.ParseBool(p)
	if err != nil {
		return false, ErrInvalid
	}
	if v, ok := commandLineValue("systemd.condition-first-boot"); ok {
		if b, err := value.ParseBool(v); err == nil {
			return b == want, nil
		}
	}
	_, err = os.Stat("/run/systemd/first-boot")
	return (s.FirstBoot || err == nil) == want, nil
}

func (s *System) architecture(p string) (bool, error) {
	have := specifier.Architecture()
	if p == "native" {
		return have != "", nil
	}
	var u unix.Utsname
	if unix.Uname(&u) == nil {
		switch m := unix.ByteSliceToString(u.Machine[:]); m {
		case "x86_64":
			have = "x86-64"
		case "i386", "i486", "i586", "i686":
			have = "x86"
		case "aarch64":
			have = "arm64"
		}
	}
	return p == have, nil
}

func (s *System) firmware(p string) (bool, error) {
	switch {
	case p == "uefi":
		return exists("/sys/firmware/efi"), nil
	case p == "device-tree":
		return exists("/sys/firmware/devicetree"), nil
	}
	if arg, ok := call(p, "device-tree-compatible"); ok {
		for _, c := range strings.Split(firstWord("/proc/device-tree/compatible"), "\x00") {
			if c == arg && c != "" {
				return true, nil
			}
		}
		return false, nil
	}
	if strings.HasPrefix(p, "smbios-field(") && !strings.HasSuffix(p, ")") {
		return false, ErrInvalid
	}
	if arg, ok := call(p, "smbios-field"); ok {
		i := strings.IndexAny(arg, "!<=>$")
		if i < 0 {
			return false, ErrInvalid
		}
		field := strings.TrimSpace(arg[:i])
		op, v := value.CutOperator(arg[i:], true)
		if op == "" || field == "" || strings.ContainsAny(field, "/") || field == ".." {
			return false, ErrInvalid
		}
		b, err := os.ReadFile("/sys/class/dmi/id/" + field)
		if err != nil {
			return false, nil
		}
		return op.Compare(strings.TrimRight(string(b), " \t\n\r"), strings.TrimSpace(v)), nil
	}
	return false, nil
}

// call takes "name(argument)" apart.
func call(s, name string) (string, bool) {
	rest, ok := strings.CutPrefix(s, name+"(")
	if !ok {
		return "", false
	}
	return strings.CutSuffix(rest, ")")
}

func (s *System) host(p string) (bool, error) {
	if len(strings.ReplaceAll(p, "-", "")) == 32 && isHex(strings.ReplaceAll(p, "-", "")) {
		return strings.EqualFold(firstWord(s.path("/etc/machine-id")), strings.ReplaceAll(p, "-", "")), nil
	}
	h, err := os.Hostname()
	if err != nil {
		return false, err
	}
	return value.GlobMatch(strings.ToLower(p), strings.ToLower(h)), nil
}

func isHex(s string) bool {
	return strings.Trim(s, "0123456789abcdefABCDEF") == ""
}

// commandLine gives the words of the kernel's command line; in a container
// those of process 1.
func commandLine() []string {
	file := "/proc/cmdline"
	if detectContainer() != "" {
		file = "/proc/1/cmdline"
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	if file == "/proc/1/cmdline" {
		return strings.Split(strings.TrimRight(string(b), "\x00"), "\x00")
	}
	ws, _ := value.Split(string(b), "", value.Unquote|value.Relax)
	return ws
}

func commandLineValue(key string) (string, bool) {
	var v string
	found := false
	for _, w := range commandLine() {
		if k, x, _ := strings.Cut(w, "="); k == key {
			v, found = x, true
		}
	}
	return v, found
}

func (s *System) kernelCommandLine(p string) (bool, error) {
	for _, w := range commandLine() {
		k, _, assigned := strings.Cut(w, "=")
		if w == p || !strings.Contains(p, "=") && assigned && k == p {
			return true, nil
		}
	}
	return false, nil
}

func (s *System) kernelVersion(p string) (bool, error) {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return false, err
	}
	return versionTests(p, unix.ByteSliceToString(u.Release[:]))
}

func versionTests(p, have string) (bool, error) {
	list, err := value.ParseVersionTests(p)
	for _, t := range list {
		if !t.Operator.Compare(have, t.Version) {
			return false, nil
		}
	}
	if err != nil {
		return false, ErrInvalid
	}
	return true, nil
}

// version compares the kernel's, systemd's or glibc's version. What the bundled
// manager stands in for is known only for the kernel.
func (s *System) version(p string) (bool, error) {
	for _, what := range []string{"systemd", "glibc"} {
		if rest, ok := strings.CutPrefix(p, what); ok && rest != "" && strings.ContainsAny(rest[:1], "!<=>$ ") {
			return false, nil
		}
	}
	p = strings.TrimLeft(strings.TrimPrefix(p, "kernel"), " ")
	return s.kernelVersion(p)
}

func (s *System) credential(p string) (bool, error) {
	if value.CredentialName(p) != nil {
		return false, nil
	}
	for _, dir := range s.Credentials {
		if exists(filepath.Join(dir, p)) {
			return true, nil
		}
	}
	for _, v := range []string{"CREDENTIALS_DIRECTORY", "ENCRYPTED_CREDENTIALS_DIRECTORY"} {
		for _, e := range s.env() {
			if dir, ok := strings.CutPrefix(e, v+"="); ok && filepath.IsAbs(dir) && exists(filepath.Join(dir, p)) {
				return true, nil
			}
		}
	}
	return false, nil
}

func (s *System) security(p string) (bool, error) {
	switch p {
	case "selinux":
		return exists("/sys/fs/selinux/enforce"), nil
	case "smack":
		return exists("/sys/fs/smackfs"), nil
	case "apparmor":
		return firstWord("/sys/module/apparmor/parameters/enabled") == "Y", nil
	case "audit":
		fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_AUDIT)
		if err != nil {
			return false, nil
		}
		unix.Close(fd)
		return true, nil
	case "ima":
		return exists("/sys/kernel/security/ima"), nil
	case "tomoyo":
		return exists("/sys/kernel/security/tomoyo/version"), nil
	case "uefi-secureboot":
		b, err := os.ReadFile("/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c")
		return err == nil && len(b) > 4 && b[4] == 1, nil
	case "tpm2":
		m, _ := filepath.Glob("/sys/class/tpmrm/*")
		return len(m) > 0, nil
	case "cvm":
		return exists("/sys/devices/system/cpu/sev") || exists("/dev/tdx_guest") || exists("/dev/sev-guest"), nil
	case "measured-uki":
		return exists("/sys/firmware/efi/efivars/StubPcrKernelImage-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"), nil
	}
	return false, nil
}

func (s *System) capability(p string) (bool, error) {
	n, ok := value.Capability(p)
	if p == "63" { // the last bit, which no capability has
		n, ok = 63, true
	}
	if !ok {
		return false, ErrInvalid
	}
	for _, l := range strings.Split(firstWord("/proc/self/status"), "\n") {
		if v, ok := strings.CutPrefix(l, "CapBnd:"); ok {
			set, err := strconv.ParseUint(strings.TrimSpace(v), 16, 64)
			return err == nil && set>>n&1 == 1, nil
		}
	}
	return false, nil
}

// acPower: without any mains supply the machine counts as powered.
func (s *System) acPower(p string) (bool, error) {
	want, err := value.ParseBool(p)
	if err != nil {
		return false, ErrInvalid
	}
	online, offline := false, false
	dirs, _ := filepath.Glob("/sys/class/power_supply/*")
	for _, d := range dirs {
		if t := firstWord(d + "/type"); t != "Mains" && t != "USB" {
			continue
		}
		if firstWord(d+"/online") == "1" {
			online = true
		} else {
			offline = true
		}
	}
	return (online || !offline) == want, nil
}

func exists(p string) bool {
	_, err := os.Stat(p)
	return err == nil
}

package condition

import (
	"os"
	"strings"

	"github.com/unitgen/unitgen/schema/value"
)

func (s *System) virtualization(p string) (bool, error) {
	container := detectContainer()
	kind := container
	if kind == "" {
		kind = detectMachine()
	}
	if want, err := value.ParseBool(p); err == nil {
		return want == (kind != ""), nil
	}
	switch p {
	case "vm":
		return container == "" && kind != "", nil
	case "container":
		return container != "", nil
	case "private-users":
		return privateUsers(), nil
	}
	return kind != "" && p == kind, nil
}

// privateUsers reports whether this process runs in a user namespace.
func privateUsers() bool {
	f := strings.Fields(firstWord("/proc/self/uid_map"))
	return len(f) >= 3 && !(f[0] == "0" && f[1] == "0" && f[2] == "4294967295")
}

// containerNames are the managers that say who they are.
var containerNames = map[string]bool{
	"lxc": true, "lxc-libvirt": true, "systemd-nspawn": true, "docker": true, "podman": true, "rkt": true, "wsl": true, "proot": true, "pouch": true, "openvz": true,
}

// detectContainer names the container this process runs in, or "".
func detectContainer() string {
	if exists("/proc/vz") && !exists("/proc/bc") {
		return "openvz"
	}
	if v := firstWord("/proc/sys/kernel/osrelease"); strings.Contains(v, "Microsoft") || strings.Contains(v, "WSL") {
		return "wsl"
	}
	if os.Getpid() != 1 {
		for _, v := range []string{os.Getenv("container"), firstWord("/run/host/container-manager"), firstWord("/run/systemd/container"), initVariable("container")} {
			if v != "" {
				return containerName(v)
			}
		}
	} else if v := os.Getenv("container"); v != "" {
		return containerName(v)
	}
	switch {
	case exists("/run/.containerenv"):
		return "podman"
	case exists("/.dockerenv"):
		return "docker"
	}
	return ""
}

func containerName(s string) string {
	if s == "oci" {
		switch {
		case exists("/run/.containerenv"):
			return "podman"
		case exists("/.dockerenv"):
			return "docker"
		}
	}
	if containerNames[s] {
		return s
	}
	return "container-other"
}

// initVariable reads an environment variable of process 1.
func initVariable(name string) string {
	b, err := os.ReadFile("/proc/1/environ")
	if err != nil {
		return ""
	}
	for _, e := range strings.Split(string(b), "\x00") {
		if v, ok := strings.CutPrefix(e, name+"="); ok {
			return v
		}
	}
	return ""
}

// machineVendors are the beginnings of firmware names and who they stand for.
var machineVendors = [][2]string{
	{"KVM", "kvm"}, {"OpenStack", "kvm"}, {"KubeVirt", "kvm"}, {"Amazon EC2", "amazon"}, {"QEMU", "qemu"},
	{"VMware", "vmware"}, {"VMW", "vmware"}, {"innotek GmbH", "oracle"}, {"VirtualBox", "oracle"}, {"Xen", "xen"},
	{"Bochs", "bochs"}, {"Parallels", "parallels"}, {"BHYVE", "bhyve"}, {"Hyper-V", "microsoft"}, {"Apple Virtualization", "apple"},
	{"Google Compute Engine", "google"},
}

// detectMachine names the virtual machine that the kernel runs in, or "".
func detectMachine() string {
	hypervisor := strings.Contains(firstWord("/proc/cpuinfo"), " hypervisor")
	for _, f := range []string{"product_name", "sys_vendor", "board_vendor", "bios_vendor", "product_version"} {
		v := firstWord("/sys/class/dmi/id/" + f)
		for _, m := range machineVendors {
			if strings.HasPrefix(v, m[0]) {
				if m[1] == "qemu" && hypervisor && !exists("/sys/devices/virtual/misc/kvm") {
					return "kvm"
				}
				return m[1]
			}
		}
	}
	if firstWord("/sys/hypervisor/type") == "xen" {
		return "xen"
	}
	if strings.Contains(firstWord("/proc/device-tree/hypervisor/compatible"), "linux,kvm") {
		return "kvm"
	}
	if strings.Contains(firstWord("/proc/cpuinfo"), "User Mode Linux") {
		return "uml"
	}
	if hypervisor {
		return "vm-other"
	}
	return ""
}

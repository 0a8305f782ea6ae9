package compile

import (
	"os"
	"path/filepath"
	"testing"
)

func TestSystemdBelow(t *testing.T) {
	const systemd = "\x7fELF\x00systemd 254.5-1 running in %ssystem mode (%s)\x00"
	const status = "Package: libc6\nVersion: 2.36\n\nPackage: systemd\nStatus: install ok installed\nVersion: 1:252.39-1~deb12u1\n"
	for name, x := range map[string]struct {
		files map[string]string
		want  int
		from  string
	}{
		"debian":   {map[string]string{"usr/lib/x86_64-linux-gnu/systemd/libsystemd-shared-252.so": ""}, 252, "/usr/lib/x86_64-linux-gnu/systemd/libsystemd-shared-252.so"},
		"fedora":   {map[string]string{"usr/lib/systemd/libsystemd-shared-255.10-3.fc40.so": ""}, 255, "/usr/lib/systemd/libsystemd-shared-255.10-3.fc40.so"},
		"two":      {map[string]string{"usr/lib/systemd/libsystemd-shared-249.so": "", "usr/lib/systemd/libsystemd-shared-251.so": ""}, 251, "/usr/lib/systemd/libsystemd-shared-251.so"},
		"program":  {map[string]string{"usr/lib/systemd/systemd": systemd}, 254, "/usr/lib/systemd/systemd"},
		"packages": {map[string]string{"var/lib/dpkg/status": status}, 252, "/var/lib/dpkg/status"},
		"release":  {map[string]string{"etc/os-release": "ID=debian\nVERSION_ID=\"12\"\n"}, 252, "/etc/os-release"},
		"others":   {map[string]string{"etc/os-release": "ID=arch\n", "usr/lib/systemd/libsystemd-core.so": ""}, 0, ""},
		"empty":    {nil, 0, ""},
	} {
		root := t.TempDir()
		for f, text := range x.files {
			p := filepath.Join(root, f)
			if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if v, from := SystemdBelow(root); v != x.want || from != x.from {
			t.Errorf("%s: %d %q, want %d %q", name, v, from, x.want, x.from)
		}
	}
}

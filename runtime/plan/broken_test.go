package plan

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestReadBroken reads trees that are none, or that hold what is no unit file:
// each is refused with a word about the path, and none hangs.
func TestReadBroken(t *testing.T) {
	t.Parallel()
	unit := func(write func(p string) error) func(dir string) error {
		return func(dir string) error {
			at := filepath.Join(dir, "etc/systemd/system")
			if err := os.MkdirAll(filepath.Join(at, "app.service.d"), 0o755); err != nil {
				return err
			}
			return write(at)
		}
	}
	text := func(name, content string) func(string) error {
		return unit(func(at string) error { return os.WriteFile(filepath.Join(at, name), []byte(content), 0o644) })
	}
	link := func(name, target string) func(string) error {
		return unit(func(at string) error { return os.Symlink(target, filepath.Join(at, name)) })
	}
	for name, c := range map[string]struct {
		lay  func(dir string) error
		want string // part of the error; "" for none
	}{
		"empty":             {func(string) error { return nil }, "no tree"},
		"gone":              {os.Remove, "there is no such directory"},
		"garbage":           {text("app.service", "\xff\xfe\x00garbage\x01"), "no unit file"},
		"prose":             {text("app.service", "Dear systemd,\nplease start.\n"), "no unit file"},
		"comments":          {text("app.service", "# nothing yet\n"), ""},
		"link to itself":    {link("app.service", "app.service"), "too many links"},
		"dangling":          {link("app.service", "/nonexistent/app.service"), "app.service is a link to /nonexistent/app.service"},
		"dangling, climbs":  {link("app.service", "../../../../../nonexistent/app.service"), "which is not there"},
		"a device":          {link("app.service", "/dev/zero"), "no regular file"},
		"a pipe":            {unit(func(at string) error { return syscall.Mkfifo(filepath.Join(at, "app.service"), 0o644) }), "no regular file"},
		"a pipe as drop-in": {unit(func(at string) error { return syscall.Mkfifo(filepath.Join(at, "app.service.d/a.conf"), 0o644) }), "no regular file"},
		"manifest":          {func(dir string) error { return os.WriteFile(filepath.Join(dir, "manifest.json"), []byte("{"), 0o644) }, "manifest.json"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := c.lay(dir); err != nil {
				t.Fatal(err)
			}
			_, err := Read(dir)
			switch {
			case err == nil && c.want != "":
				t.Fatalf("no error; want one with %q", c.want)
			case err != nil && (c.want == "" || !strings.Contains(err.Error(), c.want)):
				t.Fatalf("error %q; want %q", err, c.want)
			}
		})
	}
}

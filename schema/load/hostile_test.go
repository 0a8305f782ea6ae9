package load_test

import (
	"bytes"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/unitgen/unitgen/schema/load"
)

// TestHostileDirectory loads from a directory that holds what no unit directory
// should: loops, FIFOs, directories and sockets with unit names, giants.
func TestHostileDirectory(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	dir := filepath.Join(root, "etc/systemd/system")
	write(t, filepath.Join(dir, "ok.service"), "[Service]\nExecStart=/bin/true\n")
	for _, l := range [][2]string{
		{"loop1.service", "loop2.service"}, {"loop2.service", "loop1.service"}, {"self.service", "self.service"}, {"up.service", "../../../../../../etc/passwd"},
		{"abs.service", "/etc/passwd"}, {"loop.service.d", "loop.service.d"}, {"dangling.service", "nowhere.service"}, {"dir.wants", "/"},
	} {
		if err := os.Symlink(l[1], filepath.Join(dir, l[0])); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "fifo.service"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "directory.service"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "ok.service.d"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "ok.service.d", "fifo.conf"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(dir, "fifo.service"), filepath.Join(dir, "tofifo.service")); err != nil {
		t.Fatal(err)
	}
	big := filepath.Join(dir, "big.service")
	write(t, big, "")
	if err := os.Truncate(big, 1<<40); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "zeros.service"), string(bytes.Repeat([]byte("a=\n"), 3<<20)))
	start := time.Now()
	l := load.New(load.Options{Root: root})
	names := append(l.Names(), "no such unit", "../x.service", "a@.service", "-.slice", "a-b-c.slice", "loop1.service", "fifo.service")
	for _, n := range names {
		u := l.Load(n)
		if u == nil || u.State == "" {
			t.Fatalf("%s has no state", n)
		}
		u.Sections()
	}
	if s := l.Load("ok.service").State; s != load.Loaded {
		t.Errorf("ok.service is %s", s)
	}
	if s := l.Load("big.service").State; s != load.Error {
		t.Errorf("big.service is %s", s)
	}
	if s := l.Load("abs.service").State; s != load.NotFound {
		t.Errorf("a link out of the root is %s", s)
	}
	if len(l.Diags()) == 0 {
		t.Error("nothing is said of the loops")
	}
	if d := time.Since(start); d > 15*time.Second {
		t.Errorf("it took %s", d)
	}
}

// TestInMemory loads from an fs.FS, masks and aliases included.
func TestInMemory(t *testing.T) {
	t.Parallel()
	fsys := fstest.MapFS{
		"etc/systemd/system/a.service":                         {Data: []byte("[Service]\nExecStart=/bin/true %n\n")},
		"etc/systemd/system/a.service.d/x.conf":                {Data: []byte("[Unit]\nAfter=b.service\n")},
		"etc/systemd/system/alias.service":                     {Data: []byte("a.service"), Mode: os.ModeSymlink},
		"etc/systemd/system/masked.service":                    {Data: []byte("/dev/null"), Mode: os.ModeSymlink},
		"etc/systemd/system/multi-user.target.wants/a.service": {Data: []byte("../a.service"), Mode: os.ModeSymlink},
	}
	l := load.New(load.Options{FS: fsys, Builtin: map[string][]byte{"multi-user.target": []byte("[Unit]\nDescription=Multi-User\n")}})
	u := l.Load("alias.service")
	if u.Name != "a.service" || u.State != load.Loaded || !u.Has("After", "b.service") || u.Commands["ExecStart"][0].Argv[1] != "a.service" {
		t.Errorf("alias.service is %+v", u)
	}
	if m := l.Load("masked.service"); m.State != load.Masked {
		t.Errorf("masked.service is %s", m.State)
	}
	if m := l.Load("multi-user.target"); !m.Has("Wants", "a.service") || !m.Has("After", "a.service") || m.String("Description") != "Multi-User" {
		t.Errorf("multi-user.target has %v", m.Deps)
	}
	if u.Duration("TimeoutStopSec") != 90*time.Second || u.Bool("RemainAfterExit") || u.String("Type") != "simple" {
		t.Errorf("the defaults of a.service are %v", u.Sections()["Service"])
	}
	before := l.Closure("multi-user.target")
	if len(before) == 0 || !l.Load("a.service").Has("WantedBy", "multi-user.target") {
		t.Error("the inverse dependency is missing")
	}
}

func FuzzLoad(f *testing.F) {
	for _, s := range []string{
		"[Unit]\nAfter=a.service %i.target\n[Service]\nExecStart=/bin/true ; /bin/false\n", "[Service]\nCapabilityBoundingSet=~\nSystemCallFilter=~@x\n",
		"[Socket]\nListenStream=\nListenStream=1:2:3\n", "[Unit]\nConditionPathExists=\nRequiresMountsFor=/ /a/../b\n", "[Mount]\nWhere=//\nWhat=/dev/%\n",
		"[Timer]\nOnCalendar=*-*-* *\nUnit=x\n", "[Install]\nAlias=%%\n", "[Slice]\nMemoryMax=1%\n", "[Service]\nExecStart=@\nUser=\nSlice=a\n",
	} {
		f.Add([]byte(s), "service")
		f.Add([]byte(s), "mount")
	}
	f.Fuzz(func(t *testing.T, data []byte, typ string) {
		name := "fuzz-a@b." + typ
		l := load.New(load.Options{Path: []string{"/none"}, FS: fstest.MapFS{}, Builtin: map[string][]byte{"fuzz-a@." + typ: data, "fuzz." + typ: data}})
		for _, u := range l.Closure(name, "fuzz."+typ) {
			u.Sections()
		}
	})
}

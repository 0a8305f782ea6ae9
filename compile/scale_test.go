package compile

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// BenchmarkScale prints what `unitgen check` costs as a process, beside the
// time that hclsyntax takes in the same run just to parse the same bytes on the
// same cores:
//
//	go test -run '^$' -bench Scale -benchtime 1x ./compile
func BenchmarkScale(b *testing.B) {
	bin := build(b)
	for b.Loop() {
		scale(b, bin)
	}
}

func build(b testing.TB) string {
	bin := filepath.Join(b.TempDir(), "unitgen")
	if out, err := exec.Command("go", "build", "-o", bin, "../cmd/unitgen").CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	return bin
}

func scale(b *testing.B, bin string) {
	fmt.Printf("\n%-42s %9s %9s %7s %8s\n", "case", "time", "limit", "MiB", "")
	row := func(name string, d, limit time.Duration, rss int64, maxRSS int64) {
		verdict := "held"
		if limit > 0 && d > limit || maxRSS > 0 && rss > maxRSS<<20 {
			verdict = "MISSED"
		}
		fmt.Printf("%-42s %9s %9s %7d %8s\n", name, d.Round(time.Millisecond), limit.Round(time.Millisecond), rss>>20, verdict)
	}
	big := b.TempDir()
	services(b, big, 10000, 500)
	floor := best(3, func() time.Duration { return parseFloor(b, big) })
	fmt.Printf("%-42s %9s\n", "hclsyntax alone, 10,000 services", floor.Round(time.Millisecond))
	cold, rss := bestRun(3, func() (time.Duration, int64) { return check(b, bin, big, b.TempDir()) })
	row("10,000 services, cold", cold, 2*floor, rss, 600)

	cache := b.TempDir()
	check(b, bin, big, cache)
	warm, rss := bestRun(3, func() (time.Duration, int64) { return check(b, bin, big, cache) })
	row("nothing changed", warm, cold*15/100, rss, 600)
	n := 0
	one, rss := bestRun(3, func() (time.Duration, int64) {
		n++
		touch(b, big, n)
		return check(b, bin, big, cache)
	})
	row("one file of 500 changed", one, cold*25/100, rss, 600)

	for _, s := range shapes {
		dir := b.TempDir()
		s.make(b, dir, 10000)
		floor := best(3, func() time.Duration { return parseFloor(b, dir) })
		d, rss := bestRun(3, func() (time.Duration, int64) { return check(b, bin, dir, b.TempDir()) })
		row(fmt.Sprintf("10,000: %s", s.name), d, 2*floor, rss, 600)
	}

	double := b.TempDir()
	services(b, double, 20000, 1000)
	twice, rss := bestRun(2, func() (time.Duration, int64) { return check(b, bin, double, b.TempDir()) })
	row("20,000 services, cold", twice, cold*23/10, rss, 0)

	for _, c := range []struct {
		n, files int
		limit    time.Duration
	}{{1000, 50, 300 * time.Millisecond}, {100, 5, 50 * time.Millisecond}} {
		dir := b.TempDir()
		services(b, dir, c.n, c.files)
		d, rss := bestRun(3, func() (time.Duration, int64) { return check(b, bin, dir, b.TempDir()) })
		row(fmt.Sprintf("%d services, cold", c.n), d, c.limit, rss, 0)
	}
	for _, c := range []struct {
		name string
		make func(testing.TB, string, int)
		n    int
	}{{"chain of options", chain, 10000}, {"definitions of one list", listDefs, 10000}, {"submodule entries of 20", submodules, 1000}} {
		half, full := b.TempDir(), b.TempDir()
		c.make(b, half, c.n/2)
		c.make(b, full, c.n)
		h, _ := bestRun(2, func() (time.Duration, int64) { return check(b, bin, half, b.TempDir()) })
		f, rss := bestRun(2, func() (time.Duration, int64) { return check(b, bin, full, b.TempDir()) })
		row(fmt.Sprintf("%d %s (half: %s)", c.n, c.name, h.Round(time.Millisecond)), f, h*26/10, rss, 0)
	}
}

func best(n int, f func() time.Duration) time.Duration {
	out := f()
	for range n - 1 {
		out = min(out, f())
	}
	return out
}

func bestRun(n int, f func() (time.Duration, int64)) (time.Duration, int64) {
	d, rss := f()
	for range n - 1 {
		if x, r := f(); x < d {
			d, rss = x, r
		}
	}
	return d, rss
}

// check runs `unitgen check` once and gives its time and greatest memory.
// It is the time on the cores, if that is more telling: UNITGEN_BENCH=cpu, on a
// machine that others use too.
func check(b testing.TB, bin, dir, cache string) (time.Duration, int64) {
	return checked(b, bin, dir, cache, false)
}

func checked(b testing.TB, bin, dir, cache string, wrong bool) (time.Duration, int64) {
	cmd := exec.Command(bin, "check", dir)
	cmd.Env = append(os.Environ(), "XDG_CACHE_HOME="+cache)
	start := time.Now()
	out, err := cmd.CombinedOutput()
	d := time.Since(start)
	if err != nil && (!wrong || cmd.ProcessState.ExitCode() != 1) {
		b.Fatalf("%v\n%s", err, out[:min(len(out), 2000)])
	}
	if os.Getenv("UNITGEN_BENCH") == "cpu" {
		d = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	}
	return d, cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss << 10
}

// parseFloor parses every file with hclsyntax, on every core.
func parseFloor(b testing.TB, dir string) time.Duration {
	names := sources(b, dir)
	runtime.GC()
	var before, after syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &before)
	start := time.Now()
	var wg sync.WaitGroup
	work := make(chan string, len(names))
	for _, n := range names {
		work <- n
	}
	close(work)
	for range runtime.GOMAXPROCS(0) {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for n := range work {
				src, err := os.ReadFile(n)
				if err != nil {
					b.Error(err)
				}
				if _, hd := hclsyntax.ParseConfig(src, n, hcl.InitialPos); hd.HasErrors() {
					b.Error(hd)
				}
			}
		}()
	}
	wg.Wait()
	if os.Getenv("UNITGEN_BENCH") == "cpu" {
		_ = syscall.Getrusage(syscall.RUSAGE_SELF, &after)
		return time.Duration(after.Utime.Nano() + after.Stime.Nano() - before.Utime.Nano() - before.Stime.Nano())
	}
	return time.Since(start)
}

// sources lists the source files below a directory.
func sources(b testing.TB, dir string) []string {
	var out []string
	err := filepath.WalkDir(dir, func(p string, e fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(p, ".ug.hcl") {
			out = append(out, p)
		}
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return out
}

func mkdir(b testing.TB, parts ...string) string {
	dir := filepath.Join(parts...)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		b.Fatal(err)
	}
	return dir
}

func write(b testing.TB, p, text string) {
	if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
		b.Fatal(err)
	}
}

// services writes n services of 20 directives into files: literals, references
// to options and to other services, lists and maps, as people write them.
func services(b testing.TB, dir string, n, files int) {
	write(b, filepath.Join(dir, "host.ug.hcl"), `host "big" {
  systemd = 252
}
option "user" {
  type    = string
  default = "app"
}
option "base_port" {
  type    = port
  default = 8000
}
`)
	per := n / files
	for f := range files {
		var s strings.Builder
		for i := f * per; i < (f+1)*per; i++ {
			before := fmt.Sprintf("service.app-%05d", i/2)
			if i == 0 {
				before = `"basic.target"`
			}
			fmt.Fprintf(&s, `
service "app-%05d" {
  Description     = "Example service number %d of the benchmark"
  Documentation   = ["https://example.org/app/%d", "man:app(8)"]
  After           = ["network-online.target", %s]
  Wants           = ["network-online.target"]
  Type            = "notify"
  ExecStartPre    = ["/usr/bin/mkdir -p /run/app/%d", "-/usr/bin/rm -f /run/app/%d/lock"]
  ExecStart       = "/opt/app/bin/server --id %d --user ${option.user} --port ${option.base_port + %d}"
  ExecReload      = "/bin/kill -HUP $MAINPID"
  Environment     = { LOG = "info", INSTANCE = "%d", HOME = "/var/lib/app/%d" }
  Restart         = "on-failure"
  RestartSec      = "5s"
  TimeoutStopSec  = 30
  User            = option.user
  WorkingDirectory = "/var/lib/app"
  LimitNOFILE     = 65536
  MemoryMax       = "512M"
  ProtectSystem   = "strict"
  PrivateTmp      = true
  ReadWritePaths  = ["/var/lib/app", "/run/app/%d"]
  WantedBy        = ["multi-user.target"]
}
`, i, i, i, before, i, i, i, i%1000, i, i, i)
		}
		write(b, filepath.Join(dir, fmt.Sprintf("services-%04d.ug.hcl", f)), s.String())
	}
}

// touch changes one file of the services.
func touch(b testing.TB, dir string, n int) {
	p := filepath.Join(dir, "services-0250.ug.hcl")
	src, err := os.ReadFile(p)
	if err != nil {
		b.Fatal(err)
	}
	write(b, p, strings.Replace(string(src), "RestartSec      = ", fmt.Sprintf("CPUWeight = %d\n  RestartSec = ", 100+n), 1))
}

func chain(b testing.TB, dir string, n int) {
	var s strings.Builder
	s.WriteString("option \"o0\" {\n  type = number\n  default = 1\n}\n")
	for i := 1; i < n; i++ {
		fmt.Fprintf(&s, "option \"o%d\" {\n  type = number\n  default = option.o%d + 1\n}\n", i, i-1)
	}
	fmt.Fprintf(&s, "service \"x\" {\n  ExecStart = \"/bin/x ${option.o%d}\"\n}\n", n-1)
	write(b, filepath.Join(dir, "host.ug.hcl"), s.String())
}

func listDefs(b testing.TB, dir string, n int) {
	var s strings.Builder
	s.WriteString("module \"m\" {}\noption \"l\" { type = list(string) }\n")
	for i := range n {
		fmt.Fprintf(&s, "config \"m\" { l = [\"element %d\"] }\n", i)
	}
	s.WriteString("service \"x\" {\n  ExecStart = \"/bin/x ${length(option.l)}\"\n}\n")
	write(b, filepath.Join(dir, "host.ug.hcl"), s.String())
}

func submodules(b testing.TB, dir string, n int) {
	var s strings.Builder
	s.WriteString("module \"m\" {}\noption \"sites\" {\n  type = map(submodule({\n")
	for f := range 20 {
		fmt.Fprintf(&s, "    f%d = optional(string, \"default %d\")\n", f, f)
	}
	s.WriteString("  }))\n}\n")
	for i := range n {
		fmt.Fprintf(&s, "config \"m\" {\n  sites = { site%d = {\n", i)
		for f := range 20 {
			fmt.Fprintf(&s, "    f%d = \"value %d\"\n", f, i)
		}
		s.WriteString("  } }\n}\n")
	}
	s.WriteString("service \"x\" {\n  ExecStart = \"/bin/x ${length(option.sites)}\"\n}\n")
	write(b, filepath.Join(dir, "host.ug.hcl"), s.String())
}

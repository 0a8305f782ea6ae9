package load_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/unitgen/unitgen/schema/load"
	"github.com/unitgen/unitgen/schema/unitfile"
)

// units is how many unit files the benchmarks read.
const units = 10000

func makeUnits(b testing.TB, n int) string {
	dir := b.TempDir()
	for i := range n {
		text := fmt.Sprintf(`[Unit]
Description=Worker number %[1]d
Documentation=man:worker(8) https://example.org/worker/%[1]d
After=network-online.target worker-%[2]d.service
Wants=network-online.target

[Service]
Type=notify
ExecStartPre=/usr/bin/install -d -m 0755 /run/worker/%[1]d
ExecStart=/usr/bin/worker --id %[1]d --name "worker %[1]d" $OPTIONS
ExecReload=/bin/kill -HUP $MAINPID
Environment=ID=%[1]d LOG=info
User=worker
Restart=on-failure
RestartSec=5
TimeoutStopSec=1min
LimitNOFILE=65536
NoNewPrivileges=yes
ProtectSystem=strict
StateDirectory=worker/%[1]d
MemoryMax=512M

[Install]
WantedBy=multi-user.target
`, i, i/2)
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("worker-%d.service", i)), []byte(text), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	return dir
}

// BenchmarkReadWrite reads and writes back 10,000 unit files.
func BenchmarkReadWrite(b *testing.B) {
	dir := makeUnits(b, units)
	list, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	for b.Loop() {
		for _, p := range list {
			data, err := os.ReadFile(p)
			if err != nil {
				b.Fatal(err)
			}
			f, _ := unitfile.Parse(p, data)
			if len(f.Bytes()) != len(data) {
				b.Fatal("written back differently")
			}
		}
	}
	b.ReportMetric(float64(units)*float64(b.N)/b.Elapsed().Seconds(), "units/s")
}

// BenchmarkLoadOnly loads 10,000 units without asking for defaults.
func BenchmarkLoadOnly(b *testing.B) {
	dir := makeUnits(b, units)
	b.ReportAllocs()
	for b.Loop() {
		l := load.New(load.Options{Path: []string{dir}})
		for _, n := range l.Names() {
			l.Load(n)
		}
	}
	b.ReportMetric(float64(units)*float64(b.N)/b.Elapsed().Seconds(), "units/s")
}

// BenchmarkLoad loads 10,000 units with all their settings and dependencies,
// beside systemd-analyze verify on as many of the same files as it gets done in
// a few seconds.
func BenchmarkLoad(b *testing.B) {
	dir := makeUnits(b, units)
	var peak uint64
	b.ResetTimer()
	for b.Loop() {
		l := load.New(load.Options{Path: []string{dir}})
		for _, n := range l.Names() {
			if u := l.Load(n); u.State != load.Loaded || len(u.Sections()) == 0 {
				b.Fatal(n, u.State, u.Diags)
			}
		}
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		peak = max(peak, m.HeapInuse)
	}
	b.StopTimer()
	rate := float64(units) * float64(b.N) / b.Elapsed().Seconds()
	b.ReportMetric(rate, "units/s")
	b.ReportMetric(float64(peak)/(1<<20), "MB")
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		return
	}
	const part = 500
	args := []string{"verify", "--man=no", "--recursive-errors=no"}
	for i := range part {
		args = append(args, filepath.Join(dir, fmt.Sprintf("worker-%d.service", i)))
	}
	start := time.Now()
	_ = exec.Command("systemd-analyze", args...).Run()
	b.ReportMetric(part/time.Since(start).Seconds(), "systemd-units/s")
}

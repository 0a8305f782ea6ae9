package verify_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/unitgen/unitgen/internal/testenv"
	"github.com/unitgen/unitgen/schema/load"
	"github.com/unitgen/unitgen/schema/unitfile"
	"github.com/unitgen/unitgen/schema/verify"
)

// benchUnits is the scale of the benchmark.
const benchUnits = 10_000

// toolUnits is how many units systemd-analyze is given at a time: its time grows
// with the square of their number (10,000 at once take it over two minutes).
const toolUnits = 500

// benchRoot fills a root with service files of the usual size, each ordered
// after and wanting another one.
func benchRoot(b *testing.B) (root string, names []string) {
	root = b.TempDir()
	dir := filepath.Join(root, "etc/systemd/system")
	for _, d := range []string{dir, filepath.Join(root, "bin")} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			b.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(root, "bin/true"), []byte("#!/bin/sh\n"), 0o755); err != nil {
		b.Fatal(err)
	}
	for _, t := range []string{"sysinit", "basic", "shutdown", "multi-user", "network-online"} {
		if err := os.WriteFile(filepath.Join(dir, t+".target"), []byte("[Unit]\nDescription=Target "+t+"\nDefaultDependencies=no\n"), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	for i := range benchUnits {
		name := fmt.Sprintf("app-%05d.service", i)
		text := fmt.Sprintf(`[Unit]
Description=Application number %[1]d
Documentation=https://example.org/app/%[1]d
After=network-online.target app-%05[2]d.service
Wants=network-online.target

[Service]
Type=simple
ExecStart=/bin/true --port %[3]d --name "app %[1]d"
ExecReload=/bin/true reload
Environment=LOG=info NUMBER=%[1]d
Restart=on-failure
RestartSec=5s
TimeoutStopSec=1min 30s
User=daemon
StateDirectory=app-%[1]d
LimitNOFILE=65536
MemoryMax=512M
CPUQuota=50%%
NoNewPrivileges=yes
ProtectSystem=strict
PrivateTmp=yes
CapabilityBoundingSet=CAP_NET_BIND_SERVICE
SystemCallFilter=@system-service

[Install]
WantedBy=multi-user.target
`, i, i/10, 10000+i)
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			b.Fatal(err)
		}
		names = append(names, name)
	}
	return root, names
}

// BenchmarkVerify reads, checks and writes 10,000 unit files, and lets
// systemd-analyze verify check the same files in the same run. "times-faster"
// is its time by that of reading and checking here.
func BenchmarkVerify(b *testing.B) {
	testenv.Need(b, "systemd-analyze")
	root, names := benchRoot(b)
	dir := filepath.Join(root, "etc/systemd/system")
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // as `unitgen analyze verify` sets it
	for range b.N {
		// Whole files: read and written back.
		began := time.Now()
		files := make([]*unitfile.File, 0, len(names))
		for _, n := range names {
			data, err := os.ReadFile(filepath.Join(dir, n))
			if err != nil {
				b.Fatal(err)
			}
			f, ds := unitfile.Parse(n, data)
			if len(ds) > 0 {
				b.Fatal(ds)
			}
			files = append(files, f)
		}
		read := time.Since(began)
		began = time.Now()
		bytes := 0
		for _, f := range files {
			bytes += len(f.Bytes())
		}
		write := time.Since(began)
		files = nil

		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		began = time.Now()
		ds := verify.Run(verify.Options{Loader: load.New(load.Options{Root: root, Version: 252}), Units: names})
		check := time.Since(began)
		runtime.ReadMemStats(&after)
		for _, d := range ds {
			if d.Severity == 0 {
				b.Fatal(d)
			}
		}

		began = time.Now()
		for part := range slices.Chunk(names, toolUnits) {
			out, err := exec.Command("systemd-analyze", append([]string{"verify", "--man=no", "--root=" + root}, part...)...).CombinedOutput()
			if err != nil {
				b.Fatalf("systemd-analyze: %v\n%s", err, strings.Join(strings.SplitN(string(out), "\n", 5), "\n"))
			}
		}
		tool := time.Since(began)
		per := func(d time.Duration) float64 { return benchUnits / d.Seconds() }
		b.ReportMetric(per(read), "units-read/s")
		b.ReportMetric(per(write), "units-written/s")
		b.ReportMetric(per(check), "units-checked/s")
		b.ReportMetric(per(tool), "systemd-analyze-units/s")
		b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/benchUnits, "B-allocated/unit")
		b.ReportMetric(float64(after.Sys)/(1<<20), "MB-of-memory")
		b.ReportMetric(tool.Seconds()/check.Seconds(), "times-faster")
		b.ReportMetric(float64(bytes)/(1<<20), "MB-of-units")
	}
}

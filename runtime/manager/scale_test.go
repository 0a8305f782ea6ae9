//go:build linux

package manager_test

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// floor is what the kernel and Go need at least: n processes started from four
// threads, and the time until all are there.
func floor(b *testing.B, n int) time.Duration {
	b.Helper()
	var wg sync.WaitGroup
	pids := make(chan int, n)
	work := make(chan int, n)
	for i := range n {
		work <- i
	}
	close(work)
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		b.Fatal(err)
	}
	defer null.Close()
	start := time.Now()
	for range 4 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			runtime.LockOSThread()
			for range work {
				pid, err := syscall.ForkExec("/bin/sleep", []string{"sleep", "infinity"}, &syscall.ProcAttr{Files: []uintptr{null.Fd(), null.Fd(), null.Fd()}})
				if err == nil {
					pids <- pid
				}
			}
		}()
	}
	wg.Wait()
	d := time.Since(start)
	close(pids)
	for p := range pids {
		_ = syscall.Kill(p, syscall.SIGKILL)
		_, _ = syscall.Wait4(p, nil, 0, nil)
	}
	return d
}

func rss(pid int) int {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for line := range strings.Lines(string(b)) {
		if v, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			n, _ := strconv.Atoi(strings.Fields(v)[0])
			return n
		}
	}
	return 0
}

// BenchmarkThousand boots 1000 services, reloads, and stops, and prints each
// beside the floor that was measured in the same run.
func BenchmarkThousand(b *testing.B) {
	const n = 1000
	for _, kind := range []string{"simple", "oneshot"} {
		b.Run(kind, func(b *testing.B) {
			files := map[string]string{}
			for i := range n {
				text := "[Unit]\nDescription=Service " + strconv.Itoa(i) + "\n[Service]\nExecStart=/bin/sleep infinity\n"
				if kind == "oneshot" {
					text = "[Service]\nType=oneshot\nExecStart=/bin/true\n"
				}
				files[fmt.Sprintf("wants:s%d.service", i)] = text
			}
			for b.Loop() {
				low := floor(b, n)
				dir, err := os.MkdirTemp("", "ugm")
				if err != nil {
					b.Fatal(err)
				}
				units(b, dir, files)
				start := time.Now()
				m := launch(b, options{Dir: dir, NoCgroups: true})
				m.do(request{Verb: "up"})
				up := time.Since(start)
				info := m.do(request{Verb: "info"}).Info
				if info.NFailedUnits > 0 {
					b.Errorf("%d units failed", info.NFailedUnits)
				}
				mem := rss(m.cmd.Process.Pid)
				start = time.Now()
				if a := m.do(request{Verb: "reload"}); a.Err != "" {
					b.Error(a.Err)
				}
				reload := time.Since(start)
				start = time.Now()
				m.do(request{Verb: "exit"})
				<-m.done
				stop := time.Since(start)
				os.RemoveAll(dir)
				b.ReportMetric(up.Seconds(), "up-s")
				b.ReportMetric(low.Seconds(), "floor-s")
				b.ReportMetric(float64(info.UnitsLoadFinish.Monotonic-info.UnitsLoadStart.Monotonic)/1e6, "load-s")
				b.ReportMetric(float64(mem)/1024, "RSS-MB")
				b.ReportMetric(reload.Seconds(), "reload-s")
				b.ReportMetric(stop.Seconds(), "stop-s")
				b.ReportMetric(0, "ns/op")
			}
		})
	}
}

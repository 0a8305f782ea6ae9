//go:build linux

package bus_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/unitgen/unitgen/internal/testenv"
	"github.com/unitgen/unitgen/runtime/bus"
	"github.com/unitgen/unitgen/runtime/bus/bustest"
	"github.com/unitgen/unitgen/runtime/unitstate"
)

// raw connects and authenticates without reading any further.
func (w *world) raw() net.Conn {
	w.t.Helper()
	c, err := net.Dial("unix", w.socket)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { c.Close() })
	fmt.Fprintf(c, "\x00AUTH EXTERNAL %x\r\nBEGIN\r\n", strconv.Itoa(os.Geteuid()))
	line := make([]byte, 64)
	if _, err := c.Read(line); err != nil || !strings.HasPrefix(string(line), "OK ") {
		w.t.Fatalf("the server said %q, %v", line, err)
	}
	return c
}

// call makes the bytes of a method call without arguments.
func methodCall(t testing.TB, member string) []byte {
	m := &dbus.Message{Type: dbus.TypeMethodCall, Headers: map[dbus.HeaderField]dbus.Variant{
		dbus.FieldPath: dbus.MakeVariant(dbus.ObjectPath("/org/freedesktop/systemd1")), dbus.FieldMember: dbus.MakeVariant(member),
		dbus.FieldInterface: dbus.MakeVariant("org.freedesktop.systemd1.Manager")}}
	var b strings.Builder
	if err := m.EncodeTo(&b, binary.LittleEndian); err != nil {
		t.Fatal(err)
	}
	raw := []byte(b.String())
	binary.LittleEndian.PutUint32(raw[8:], 1)
	return raw
}

func (w *world) alive() {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if _, err := w.client().ListUnits(ctx); err != nil {
		w.t.Fatalf("the server does not answer any more: %v", err)
	}
}

func TestGarbage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rnd := rand.New(rand.NewSource(1))
	for i := range 200 {
		junk := make([]byte, rnd.Intn(2000))
		rnd.Read(junk)
		if i%2 == 0 {
			c, err := net.Dial("unix", w.socket)
			if err != nil {
				t.Fatal(err)
			}
			c.Write(junk)
			c.Close()
			continue
		}
		c := w.raw()
		good := methodCall(t, "ListUnits")
		for range 1 + rnd.Intn(8) {
			good[rnd.Intn(len(good))] = byte(rnd.Intn(256))
		}
		c.Write(good)
		c.Write(junk)
		c.Close()
	}
	// Lengths beyond the bounds end the connection at once.
	c := w.raw()
	c.Write([]byte("l\x01\x00\x01\xff\xff\xff\x7f\x01\x00\x00\x00\x10\x00\x00\x00"))
	c.SetReadDeadline(time.Now().Add(5 * time.Second))
	if n, err := c.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("a message of 2 GiB was begun to be read: %d, %v", n, err)
	}
	w.alive()
}

// TestMidCall has clients leave in the middle of everything.
func TestMidCall(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := methodCall(t, "ListUnits")
	for i := range 100 {
		c := w.raw()
		c.Write(m[:i%len(m)+1])
		if i%3 == 0 {
			c.Write(m)
		}
		c.Close()
	}
	w.alive()
}

// TestSlowReaders: those who do not read neither stop the manager nor eat its
// memory.
func TestSlowReaders(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sub := w.raw() // gets every signal and reads none
	sub.Write(methodCall(t, "Subscribe"))
	caller := w.raw() // calls and never reads the answers
	go func() {
		m := methodCall(t, "ListUnits")
		for {
			if _, err := caller.Write(m); err != nil {
				return
			}
		}
	}()
	reader := w.client()
	got := make(chan struct{}, 1<<20)
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	if _, err := reader.Subscribe(ctx, func(bus.Signal) { got <- struct{}{} }); err != nil {
		t.Fatal(err)
	}
	const events = 20000
	begin := time.Now()
	for i := range events {
		w.fake.Emit(unitstate.Event{Kind: unitstate.JobNew, Job: unitstate.Job{ID: uint32(i + 1), Unit: "a.service"}})
	}
	for range events {
		select {
		case <-got:
		case <-ctx.Done():
			t.Fatalf("only %d of %d signals came past the slow ones", len(got), events)
		}
	}
	t.Logf("%d signals in %v beside a subscriber that reads none", events, time.Since(begin).Round(time.Millisecond))
	w.alive()
}

// TestManyClients: 50 at once, each with its own answers.
func TestManyClients(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			c := w.client()
			for k := range 20 {
				switch (i + k) % 4 {
				case 0:
					if us, err := c.ListUnits(ctx); err != nil || len(us) != 18 {
						t.Errorf("%d units, %v", len(us), err)
					}
				case 1:
					v, err := c.GetUnitProperty(ctx, "a.service", "Id")
					if err != nil || v != "a.service" {
						t.Errorf("%v, %v", v, err)
					}
				case 2:
					j, err := c.StartUnit(ctx, "slow.service", "replace")
					if err != nil {
						t.Error(err)
						return
					}
					rs, err := c.WaitJobs(ctx, j)
					if err != nil || rs[0].Result != "done" {
						t.Errorf("%v, %v", rs, err)
					}
				case 3:
					if p, err := c.GetUnitProperties(ctx, "a.service"); err != nil || p["MemoryMax"] != uint64(1<<30) {
						t.Errorf("%v, %v", p["MemoryMax"], err)
					}
				}
			}
		}()
	}
	wg.Wait()
}

// TestWaitJobs: results, deadlines, a manager that goes away.
func TestWaitJobs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.client()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	var jobs []bus.Job
	for _, u := range []string{"slow.service", "fail.service", "b.service"} {
		j, err := c.StartUnit(ctx, u, "replace")
		if err != nil {
			t.Fatal(err)
		}
		jobs = append(jobs, j)
	}
	rs, err := c.WaitJobs(ctx, jobs...)
	if err != nil || rs[0].Result != "done" || rs[1].Result != "failed" || rs[2].Result != "done" || !rs[1].Failed() || rs[0].Failed() {
		t.Errorf("%v, %v", rs, err)
	}
	stuck, err := c.StartUnit(ctx, "stuck.service", "replace")
	if err != nil {
		t.Fatal(err)
	}
	short, stop := context.WithTimeout(ctx, 50*time.Millisecond)
	rs, err = c.WaitJobs(short, stuck)
	stop()
	if err != context.DeadlineExceeded || rs[0].Result != "" {
		t.Errorf("a job that never ends: %v, %v", rs, err)
	}
	if err := c.CancelJob(ctx, stuck.ID); err != nil {
		t.Fatal(err)
	}
	if rs, err = c.WaitJobs(ctx, stuck); err != nil || rs[0].Result != "canceled" {
		t.Errorf("a cancelled job: %v, %v", rs, err)
	}
	if _, err := c.StartUnit(ctx, "nix.service", "replace"); !bus.IsError(err, "NoSuchUnit") {
		t.Errorf("an unknown unit: %v", err)
	}
	if _, err := c.StartUnit(ctx, "a.service", "nonsense"); !bus.IsError(err, "org.freedesktop.DBus.Error.InvalidArgs") {
		t.Errorf("an unknown mode: %v", err)
	}
	// The manager is replaced while a job is queued: the client dials again
	// and learns that the job is gone.
	stuck, err = c.StartUnit(ctx, "stuck.service", "replace")
	if err != nil {
		t.Fatal(err)
	}
	w.srv.Close()
	next := bus.NewServer(bus.ServerOptions{Backend: bustest.New()})
	if err := next.Listen(w.socket); err != nil {
		t.Fatal(err)
	}
	defer next.Close()
	if rs, err = c.WaitJobs(ctx, stuck); err != nil || rs[0].Result != "disconnected" {
		t.Errorf("a replaced manager: %v, %v", rs, err)
	}
}

// TestOthersOnlyLook: another user may read and nothing else.
func TestOthersOnlyLook(t *testing.T) {
	testenv.NeedRoot(t)
	testenv.Need(t, "setpriv", "busctl")
	t.Parallel()
	w := newWorld(t)
	if err := os.Chmod(w.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	other := func(args ...string) (string, string, int) {
		return w.tool(append([]string{"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "busctl", "--address=unix:path=" + w.socket},
			args...)...)
	}
	const manager = "org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager"
	if out, errs, code := other(strings.Fields("call " + manager + " GetUnit s a.service")...); code != 0 {
		t.Errorf("another user may not look: %s%s", out, errs)
	}
	for _, c := range []string{"call " + manager + " StopUnit ss a.service replace", "call " + manager + " Reload",
		"set-property " + manager + " LogLevel s debug", "call " + manager + " SetEnvironment as 1 A=b"} {
		if out, errs, code := other(strings.Fields(c)...); code == 0 || !strings.Contains(strings.ToLower(errs), "access denied") && !strings.Contains(errs, "may look") {
			t.Errorf("another user did %s: %s%s", c, out, errs)
		}
	}
}

// TestFind finds managers by what they left.
func TestFind(t *testing.T) {
	w := newWorld(t)
	state := t.TempDir()
	if _, err := bus.ReadRecord(state, "system"); !os.IsNotExist(err) {
		t.Errorf("no record: %v", err)
	}
	rec := bus.Record{PID: os.Getpid(), Scope: "system", Socket: w.socket, RuntimeDir: w.dir, State: state}
	if err := bus.WriteRecord(rec); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ state, dir string }{{state, ""}, {"", w.dir}, {state, w.dir}} {
		a, err := bus.Find(c.state, c.dir, "system")
		if err != nil || !a.Bundled || a.Socket != w.socket || a.Record == nil {
			t.Errorf("Find(%q, %q): %+v, %v", c.state, c.dir, a, err)
		}
	}
	// It is no user's manager, neither by its own socket nor as a bus.
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path="+w.dir+"/bus")
	if a, err := bus.Find("", w.dir, "user"); err == nil {
		t.Errorf("the system scope's manager was found for the user scope: %+v", a)
	}
	w.srv.Close()
	if a, err := bus.Find(state, w.dir, "system"); err == nil && a.Bundled && strings.HasPrefix(a.Socket, w.dir) {
		t.Errorf("a manager that is gone was found: %+v", a)
	}
	bus.RemoveRecord(rec)
	if _, err := bus.ReadRecord(state, "system"); !os.IsNotExist(err) {
		t.Errorf("the record is still there: %v", err)
	}
}

// BenchmarkCalls prints the cost of a call beside that of a bare echo over a
// socket of the same kind with messages of the same size.
func BenchmarkCalls(b *testing.B) {
	dir, err := os.MkdirTemp("", "bus")
	if err != nil {
		b.Fatal(err)
	}
	defer os.RemoveAll(dir)
	units := []*unitstate.Status{}
	for i := range 1000 {
		units = append(units, bustest.Unit(fmt.Sprintf("u%d.service", i), "A unit", unitstate.Active, "running", bustest.Settings{"Service": {"ExecStart": {"/bin/sleep 1"}}}))
	}
	s := bus.NewServer(bus.ServerOptions{Backend: bustest.New(units...)})
	defer s.Close()
	if err := s.Listen(dir + "/s"); err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c, err := bus.Dial(ctx, bus.Address{Socket: dir + "/s"})
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	b.Run("echo", func(b *testing.B) {
		l, err := net.Listen("unix", dir+"/e")
		if err != nil {
			b.Fatal(err)
		}
		defer l.Close()
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				go io.Copy(c, c)
			}
		}()
		c, err := net.Dial("unix", dir+"/e")
		if err != nil {
			b.Fatal(err)
		}
		defer c.Close()
		buf := make([]byte, 160)
		for b.Loop() {
			c.Write(buf)
			if _, err := io.ReadFull(c, buf); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("GetUnit", func(b *testing.B) {
		var p dbus.ObjectPath
		for b.Loop() {
			if err := c.Call(ctx, "GetUnit", []any{"u1.service"}, &p); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("GetProperty", func(b *testing.B) {
		for b.Loop() {
			if _, err := c.GetManagerProperty(ctx, "Version"); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("GetAll", func(b *testing.B) {
		for b.Loop() {
			if _, err := c.GetUnitProperties(ctx, "u1.service"); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("ListUnits1000", func(b *testing.B) {
		for b.Loop() {
			if us, err := c.ListUnits(ctx); err != nil || len(us) != 1000 {
				b.Fatal(err)
			}
		}
	})
}

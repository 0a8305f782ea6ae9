package activation

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/unitgen/unitgen/emit"
)

// maxRetries bounds what a check may ask for.
const maxRetries = 1000

// runChecks runs the probes of a tree side by side and gives the failures in
// the order of the checks.
func runChecks(ctx context.Context, checks []emit.Check, tell func(Event)) []Failure {
	results := make([]error, len(checks))
	var wg sync.WaitGroup
	for i, c := range checks {
		tell(Event{Phase: PhaseGate, Unit: c.Name})
		wg.Add(1)
		go func() {
			defer wg.Done()
			results[i] = probeUntilGood(ctx, c)
		}()
	}
	wg.Wait()
	var out []Failure
	for i, err := range results {
		word := "done"
		if err != nil {
			word = err.Error()
			out = append(out, Failure{Unit: "check " + checks[i].Name, Reason: word})
		}
		tell(Event{Phase: PhaseGate, Unit: checks[i].Name, Done: true, Result: word})
	}
	return out
}

// probeUntilGood tries a check once and then as often as it allows, a second
// apart.
func probeUntilGood(ctx context.Context, c emit.Check) error {
	limit, err := c.TimeoutDuration()
	if err != nil {
		return err
	}
	for try := 0; ; try++ {
		one, cancel := context.WithTimeout(ctx, limit)
		err := Probe(one, c)
		cancel()
		if err == nil {
			return nil
		}
		if try >= min(c.Retries, maxRetries) {
			if try > 0 {
				return fmt.Errorf("%w (tried %d times)", err, try+1)
			}
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
	}
}

// Probe runs a check once.
func Probe(ctx context.Context, c emit.Check) error {
	switch {
	case c.HTTP != "":
		return probeHTTP(ctx, c.HTTP)
	case c.TCP != "":
		return probeConnect(ctx, c.TCP)
	case c.Exec != "":
		return probeExec(ctx, c.Exec)
	}
	return fmt.Errorf("it names neither http, tcp nor exec")
}

// probeHTTP wants an answer of 200 to 399. "unix:/path/to.sock:/url" asks over
// a unix socket.
func probeHTTP(ctx context.Context, url string) error {
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	transport := &http.Transport{DisableKeepAlives: true}
	if rest, ok := strings.CutPrefix(url, "unix:"); ok {
		socket, path, _ := strings.Cut(rest, ":")
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", socket)
		}
		url = "http://localhost/" + strings.TrimPrefix(path, "/")
	}
	client.Transport = transport
	defer transport.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20))
	if resp.StatusCode < 200 || resp.StatusCode >= 400 {
		return fmt.Errorf("%s answered %s", url, resp.Status)
	}
	return nil
}

func probeConnect(ctx context.Context, addr string) error {
	network := "tcp"
	if strings.HasPrefix(addr, "/") || strings.HasPrefix(addr, "@") {
		network = "unix"
	}
	c, err := (&net.Dialer{}).DialContext(ctx, network, addr)
	if err != nil {
		return err
	}
	return c.Close()
}

func probeExec(ctx context.Context, line string) error {
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", line)
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	if err == nil {
		return nil
	}
	if ctx.Err() != nil && !errors.Is(ctx.Err(), context.Canceled) {
		return fmt.Errorf("did not end in time")
	}
	text := strings.TrimSpace(string(out))
	if len(text) > 300 {
		text = text[len(text)-300:]
	}
	if text != "" {
		return fmt.Errorf("%w: %s", err, text)
	}
	return err
}

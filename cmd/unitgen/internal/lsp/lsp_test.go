package lsp

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sourcegraph/jsonrpc2"
)

// client talks to a server over pipes, as an editor does.
type client struct {
	*jsonrpc2.Conn
	published chan map[string][]diagnostic
	done      chan error
	leave     func() error // closes the stream to the server
}

func start(t *testing.T) *client {
	t.Helper()
	toServer, fromClient := io.Pipe()
	toClient, fromServer := io.Pipe()
	c := &client{published: make(chan map[string][]diagnostic, 100), done: make(chan error, 1), leave: fromClient.Close}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	go func() { c.done <- Serve(ctx, toServer, fromServer) }()
	h := jsonrpc2.HandlerWithError(func(_ context.Context, _ *jsonrpc2.Conn, r *jsonrpc2.Request) (any, error) {
		var p struct {
			URI         string       `json:"uri"`
			Diagnostics []diagnostic `json:"diagnostics"`
		}
		if r.Method == "textDocument/publishDiagnostics" {
			if err := json.Unmarshal(*r.Params, &p); err != nil {
				return nil, err
			}
			c.published <- map[string][]diagnostic{p.URI: p.Diagnostics}
		}
		return nil, nil
	})
	c.Conn = jsonrpc2.NewConn(ctx, jsonrpc2.NewBufferedStream(stdio{toClient, fromClient}, jsonrpc2.VSCodeObjectCodec{}), h)
	c.call(t, "initialize", map[string]any{"capabilities": map[string]any{}}, nil)
	return c
}

func (c *client) call(t *testing.T, method string, params, into any) {
	t.Helper()
	if err := c.Call(context.Background(), method, params, into); err != nil {
		t.Fatalf("%s: %v", method, err)
	}
}

func (c *client) tell(t *testing.T, method string, params any) {
	t.Helper()
	if err := c.Notify(context.Background(), method, params); err != nil {
		t.Fatalf("%s: %v", method, err)
	}
}

// next waits for the diagnostics of a file.
func (c *client) next(t *testing.T, path string) []diagnostic {
	t.Helper()
	for {
		select {
		case m := <-c.published:
			if d, ok := m[uri(path)]; ok {
				return d
			}
		case <-time.After(15 * time.Second):
			t.Fatalf("no diagnostics for %s", path)
		}
	}
}

const good = `host "h" {
  systemd = 252
}
service "app" {
  Description = "äpp"
  ExecStart   = "/bin/true"
}
`

func TestEditing(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "host.ug.hcl")
	if err := os.WriteFile(path, []byte(good), 0o644); err != nil {
		t.Fatal(err)
	}
	c := start(t)
	doc := map[string]any{"uri": uri(path), "text": good, "languageId": "hcl", "version": 1}
	c.tell(t, "initialized", map[string]any{})
	c.tell(t, "textDocument/didOpen", map[string]any{"textDocument": doc})
	if d := c.next(t, path); len(d) != 0 {
		t.Errorf("a correct file has diagnostics: %v", d)
	}
	bad := strings.Replace(good, "ExecStart ", "ExecStrat ", 1)
	c.tell(t, "textDocument/didChange", map[string]any{"textDocument": map[string]any{"uri": uri(path)}, "contentChanges": []any{map[string]any{"text": bad}}})
	d := c.next(t, path)
	if len(d) == 0 || !strings.Contains(d[0].Message, "ExecStart") || d[0].Range.Start != (position{5, 2}) || d[0].Code == "" {
		t.Errorf("an unknown directive: got %+v", d)
	}
	c.tell(t, "textDocument/didChange", map[string]any{"textDocument": map[string]any{"uri": uri(path)}, "contentChanges": []any{map[string]any{"text": good}}})
	if d := c.next(t, path); len(d) != 0 {
		t.Errorf("the mended file has diagnostics: %v", d)
	}
	at := func(line, char int) map[string]any {
		return map[string]any{"textDocument": map[string]any{"uri": uri(path)}, "position": position{line, char}}
	}
	var hover struct {
		Contents struct{ Value string } `json:"contents"`
	}
	c.call(t, "textDocument/hover", at(5, 4), &hover)
	if !strings.Contains(hover.Contents.Value, "systemd.service(5)") {
		t.Errorf("hover over ExecStart: %q", hover.Contents.Value)
	}
	for _, x := range []struct {
		line  int
		label string
	}{{5, "Restart"}, {7, "timer"}} {
		var items []item
		c.call(t, "textDocument/completion", at(x.line, 0), &items)
		found := false
		for _, i := range items {
			found = found || i.Label == x.label
		}
		if !found {
			t.Errorf("line %d: %s is not among %d completions", x.line, x.label, len(items))
		}
	}
	c.tell(t, "textDocument/didChange", map[string]any{"textDocument": map[string]any{"uri": uri(path)}, "contentChanges": []any{map[string]any{"text": strings.ReplaceAll(good, "  ", "      ")}}})
	var edits []struct{ NewText string }
	c.call(t, "textDocument/formatting", at(0, 0), &edits)
	if len(edits) != 1 || edits[0].NewText != good {
		t.Errorf("formatting: %+v", edits)
	}
	c.call(t, "shutdown", nil, nil)
	c.tell(t, "exit", nil)
	if err := <-c.done; err != nil {
		t.Error(err)
	}
}

func TestBadRequests(t *testing.T) {
	c := start(t)
	for _, x := range []struct {
		method string
		params any
	}{
		{"textDocument/hover", nil},
		{"textDocument/hover", []int{1}},
		{"textDocument/hover", map[string]any{"textDocument": map[string]any{"uri": "https://example.org/x"}}},
		{"no/such/method", map[string]any{}},
	} {
		if err := c.Call(context.Background(), x.method, x.params, nil); err == nil {
			t.Errorf("%s %v was answered", x.method, x.params)
		}
	}
	// Places outside the text, and text that nests without end.
	dir := t.TempDir()
	path := filepath.Join(dir, "x.ug.hcl")
	c.tell(t, "textDocument/didOpen", map[string]any{"textDocument": map[string]any{"uri": uri(path), "text": strings.Repeat("(", 200_000)}})
	for _, p := range []position{{0, 0}, {1 << 30, 5}, {-1, -1}} {
		c.call(t, "textDocument/hover", map[string]any{"textDocument": map[string]any{"uri": uri(path)}, "position": p}, nil)
		c.call(t, "textDocument/completion", map[string]any{"textDocument": map[string]any{"uri": uri(path)}, "position": p}, nil)
	}
	if err := c.leave(); err != nil {
		t.Fatal(err)
	}
	if err := <-c.done; err == nil {
		t.Error("leaving without shutdown is no error")
	}
}

func TestPositions(t *testing.T) {
	text := "aä😀b\nc"
	for i := range text {
		if got := offset(text, positionAt(text, i)); got != i {
			t.Errorf("byte %d: position %v, which is byte %d", i, positionAt(text, i), got)
		}
	}
}

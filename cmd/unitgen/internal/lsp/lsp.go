// Package lsp is a language server for *.ug.hcl files over a stream: the
// diagnostics of `unitgen check` while one types, what a directive means where
// the cursor is, names to complete, and formatting.
//
// It takes JSON-RPC messages of the Language Server Protocol (version 3.17) and
// holds the text of open files. It knows compile's facade and the directive
// table, nothing of trees, stores or managers, and writes no file.
package lsp

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/sourcegraph/jsonrpc2"
)

// Delay is how long the server waits after a change before it checks: typing
// goes on meanwhile.
const Delay = 150 * time.Millisecond

// maxText bounds the text of one open file, in bytes.
const maxText = 32 << 20

// server holds the open files of one client.
type server struct {
	mu      sync.Mutex
	conn    *jsonrpc2.Conn
	open    map[string]string // path → text
	told    map[string]bool   // paths that have diagnostics at the client
	pending map[string]*time.Timer
	check   sync.Mutex // one check at a time
	ready   bool       // initialize was asked for
	down    bool       // shutdown was asked for
}

// Serve answers the client on a stream until it says exit or the stream ends.
// It is an error when the client ends without having asked for shutdown.
func Serve(ctx context.Context, in io.Reader, out io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s := &server{open: map[string]string{}, told: map[string]bool{}, pending: map[string]*time.Timer{}}
	stream := jsonrpc2.NewBufferedStream(stdio{in, out}, codec{})
	exit := make(chan struct{})
	var once sync.Once
	h := jsonrpc2.HandlerWithError(func(ctx context.Context, c *jsonrpc2.Conn, r *jsonrpc2.Request) (any, error) {
		if r.Method == "exit" {
			once.Do(func() { close(exit) })
			return nil, nil
		}
		return s.handle(ctx, r)
	})
	s.mu.Lock()
	s.conn = jsonrpc2.NewConn(ctx, stream, h)
	s.mu.Unlock()
	select {
	case <-exit:
	case <-s.conn.DisconnectNotify():
	case <-ctx.Done():
	}
	s.mu.Lock()
	for _, t := range s.pending {
		t.Stop()
	}
	down := s.down
	s.mu.Unlock()
	if !down {
		return errors.New("the client left without asking for shutdown")
	}
	return nil
}

// stdio joins the two halves of a stream.
type stdio struct {
	io.Reader
	io.Writer
}

func (stdio) Close() error { return nil }

// handle answers one request or takes one notification.
func (s *server) handle(ctx context.Context, r *jsonrpc2.Request) (any, error) {
	s.mu.Lock()
	down, ready := s.down, s.ready
	s.ready = ready || r.Method == "initialize"
	s.mu.Unlock()
	if !ready && r.Method != "initialize" && r.Method != unreadable && r.Method != "shutdown" {
		if r.Notif {
			return nil, nil // the protocol has them dropped
		}
		return nil, &jsonrpc2.Error{Code: codeNotInitialized, Message: "the first request is initialize"}
	}
	if down && r.Method != "shutdown" {
		return nil, &jsonrpc2.Error{Code: jsonrpc2.CodeInvalidRequest, Message: "the server is shutting down"}
	}
	switch r.Method {
	case "initialize":
		return map[string]any{
			"capabilities": map[string]any{
				"textDocumentSync":           map[string]any{"openClose": true, "change": 2, "save": true},
				"hoverProvider":              true,
				"completionProvider":         map[string]any{},
				"documentFormattingProvider": true,
			},
			"serverInfo": map[string]any{"name": "unitgen"},
		}, nil
	case unreadable:
		return nil, s.conn.Notify(ctx, "window/logMessage", map[string]any{"type": 1, "message": "unitgen was sent a message that is no JSON-RPC, and passed it over."})
	case "shutdown":
		s.mu.Lock()
		s.down = true
		s.mu.Unlock()
		return nil, nil
	case "textDocument/didOpen", "textDocument/didChange", "textDocument/didSave", "textDocument/didClose":
		return nil, s.sync(ctx, r)
	case "textDocument/hover":
		return with(r, s.hover)
	case "textDocument/completion":
		return with(r, s.completion)
	case "textDocument/formatting":
		return with(r, s.formatting)
	}
	if r.Notif {
		return nil, nil // initialized, $/cancelRequest and what else a client tells
	}
	return nil, &jsonrpc2.Error{Code: jsonrpc2.CodeMethodNotFound, Message: "unitgen does not serve " + r.Method}
}

// codeNotInitialized is LSP's ServerNotInitialized.
const codeNotInitialized = -32002

// with decodes the parameters of a request about a place in a file.
func with(r *jsonrpc2.Request, f func(path string, at position) (any, error)) (any, error) {
	var p struct {
		TextDocument document `json:"textDocument"`
		Position     position `json:"position"`
	}
	if err := decode(r, &p); err != nil {
		return nil, err
	}
	path, err := p.TextDocument.path()
	if err != nil {
		return nil, err
	}
	return f(path, p.Position)
}

func decode(r *jsonrpc2.Request, into any) error {
	if r.Params == nil {
		return &jsonrpc2.Error{Code: jsonrpc2.CodeInvalidParams, Message: r.Method + " has no parameters"}
	}
	if err := json.Unmarshal(*r.Params, into); err != nil {
		return &jsonrpc2.Error{Code: jsonrpc2.CodeInvalidParams, Message: err.Error()}
	}
	return nil
}

// sync keeps the text of open files and asks for a check.
func (s *server) sync(ctx context.Context, r *jsonrpc2.Request) error {
	var p struct {
		TextDocument   document `json:"textDocument"`
		ContentChanges []change `json:"contentChanges"`
	}
	if err := decode(r, &p); err != nil {
		return err
	}
	path, err := p.TextDocument.path()
	if err != nil {
		return err
	}
	text := p.TextDocument.Text
	if r.Method == "textDocument/didChange" {
		text = s.text(path)
		for _, c := range p.ContentChanges {
			if text = c.apply(text); len(text) > maxText {
				break
			}
		}
	}
	if len(text) > maxText {
		return &jsonrpc2.Error{Code: jsonrpc2.CodeInvalidParams, Message: "the file is too large"}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch r.Method {
	case "textDocument/didOpen", "textDocument/didChange":
		s.open[path] = text
	case "textDocument/didClose":
		delete(s.open, path)
	}
	dir := hostDir(path)
	if t := s.pending[dir]; t != nil {
		t.Stop()
	}
	s.pending[dir] = time.AfterFunc(Delay, func() { s.publish(ctx, dir) })
	return nil
}

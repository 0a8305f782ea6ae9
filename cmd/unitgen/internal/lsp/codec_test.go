package lsp

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
)

// A client that does not keep to the protocol gets an answer or an end, at once
// and in little memory.
func TestOddMessages(t *testing.T) {
	t.Parallel()
	message := func(s string) string { return fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(s), s) }
	begin := message(`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}`)
	end := message(`{"jsonrpc":"2.0","id":9,"method":"shutdown"}`) + message(`{"jsonrpc":"2.0","method":"exit"}`)
	for name, c := range map[string]struct {
		in, out string
		fails   bool
	}{
		"no JSON":            {begin + message(`{"jsonrpc": `) + end, "no JSON-RPC", false},
		"no object":          {begin + message(`[1, 2]`) + message("5") + end, "no JSON-RPC", false},
		"blanks behind":      {begin + message(`{"jsonrpc":"2.0","id":2,"method":"foo"}`+strings.Repeat(" ", 5000)) + end, "does not serve foo", false},
		"lower case header":  {strings.ReplaceAll(begin, "Content-Length", "content-length") + end, "capabilities", false},
		"before initialize":  {message(`{"jsonrpc":"2.0","id":2,"method":"textDocument/hover"}`) + begin + end, "-32002", false},
		"after shutdown":     {begin + message(`{"jsonrpc":"2.0","id":9,"method":"shutdown"}`) + message(`{"jsonrpc":"2.0","id":2,"method":"foo"}`) + message(`{"jsonrpc":"2.0","method":"exit"}`), "-32600", false},
		"huge length":        {begin + "Content-Length: 99999999999\r\n\r\n{}", "", true},
		"length out of word": {begin + "Content-Length: 99999999999999999999\r\n\r\n{}", "", true},
		"negative length":    {begin + "Content-Length: -1\r\n\r\n{}", "", true},
		"no length":          {begin + "X: y\r\n\r\n{}", "", true},
		"cut off":            {begin + "Content-Length: 1000\r\n\r\n{}", "", true},
		"endless header":     {begin + strings.Repeat("x", 1<<20), "", true},
		"exit at once":       {begin + message(`{"jsonrpc":"2.0","method":"exit"}`), "", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			err := Serve(context.Background(), strings.NewReader(c.in), &out)
			if (err != nil) != c.fails || !strings.Contains(out.String(), c.out) {
				t.Errorf("%v, %s", err, out.String())
			}
		})
	}
}

func TestHeaderIsBounded(t *testing.T) {
	t.Parallel()
	if _, err := header(bufio.NewReader(strings.NewReader(strings.Repeat("a: b\r\n", 10000)))); err == nil {
		t.Error("a header of 10000 lines was taken")
	}
}

func TestChanges(t *testing.T) {
	t.Parallel()
	at := func(l1, c1, l2, c2 int) *span { return &span{position{l1, c1}, position{l2, c2}} }
	for _, c := range []struct {
		text string
		change
		want string
	}{
		{"a\nb\n", change{nil, "x"}, "x"},
		{"a\nb\n", change{at(1, 0, 1, 1), "x"}, "a\nx\n"},
		{"\U0001F600\U0001F600b\n", change{at(0, 2, 0, 4), "a"}, "\U0001F600ab\n"},
		{"äb\r\nc", change{at(0, 1, 1, 0), "-"}, "ä-c"},
		{"ab", change{at(0, 1, 99, 99), "x"}, "ax"},
		{"ab", change{at(9, 9, 0, 1), "x"}, "ax"},
		{"ab", change{at(-1, -1, 0, 1), "x"}, "xb"},
		{"", change{at(0, 0, 0, 0), "x"}, "x"},
	} {
		if got := c.apply(c.text); got != c.want {
			t.Errorf("%q %v %q: got %q, want %q", c.text, c.Range, c.Text, got, c.want)
		}
	}
}
